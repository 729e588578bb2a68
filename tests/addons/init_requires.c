/*
 * Loads the addon that the environment variable NR_INNER_ADDON names, below a native frame. Not in its Init: Node holds
 * a lock across Init, a load in there waits for ever.
 */
#include "common.h"

static napi_value inner(napi_env env, napi_callback_info info) {
  static const char script[] = "{ const module = { exports: {} };"
                               "  process.dlopen(module, process.env.NR_INNER_ADDON);"
                               "  module.exports; }";
  napi_value exports;
  if (napi_run_script(env, t_string(env, script), &exports) != napi_ok)
    return NULL; /* with the exception of the inner load pending */
  napi_value result = t_object(env);
  t_set(env, result, "exports", exports);
  return result;
}

NAPI_MODULE_INIT() {
  napi_value function, exported;
  T_OK(napi_create_function(env, "inner", NAPI_AUTO_LENGTH, inner, NULL, &function));
  /* JavaScript runs in Init all the same. */
  T_OK(napi_run_script(env, t_string(env, "typeof process"), &exported));
  t_set(env, exports, "process", exported);
  t_set(env, exports, "inner", function);
  return exports;
}
