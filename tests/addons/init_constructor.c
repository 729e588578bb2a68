/* The deprecated way to register: a static constructor calls napi_module_register(), and there is no symbol to be
 * found. */
#include "common.h"

static int inits;

static napi_value init(napi_env env, napi_value exports) {
  t_set(env, exports, "inits", t_number(env, ++inits));
  return exports;
}

static napi_module module = {
    .nm_version = NAPI_MODULE_VERSION,
    .nm_filename = __FILE__,
    .nm_register_func = init,
    .nm_modname = "init_constructor",
};

__attribute__((constructor)) static void enlist(void) {
  napi_module_register(&module);
}
