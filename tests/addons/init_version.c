/* Declares a Node-API version that no Node has. */
#include "common.h"

NAPI_MODULE_EXPORT int32_t node_api_module_get_api_version_v1(void);
NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env env, napi_value exports);

int32_t node_api_module_get_api_version_v1(void) {
  return 99;
}

napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  return exports;
}
