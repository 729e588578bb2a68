/* As addons were before they could declare a version: Node takes 8 for them. */
#include "common.h"

NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports);

static napi_value versions(napi_env env, napi_callback_info info) {
  uint32_t version;
  T_OK(napi_get_version(env, &version));
  return t_number(env, version);
}

static const struct t_function functions[] = {{"version", versions}};

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
