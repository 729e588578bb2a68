/* Registers itself without an Init. */
#include "common.h"

static napi_module module = {
    .nm_version = NAPI_MODULE_VERSION,
    .nm_filename = __FILE__,
    .nm_modname = "init_nowhere",
};

__attribute__((constructor)) static void enlist(void) {
  napi_module_register(&module);
}
