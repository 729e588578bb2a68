/* Init returns something else than exports: a function, which tells how often Init has run; its property, when it was
 * made. */
#include "common.h"

static int inits;

static napi_value count(napi_env env, napi_callback_info info) {
  return t_number(env, inits);
}

NAPI_MODULE_INIT() {
  napi_value function;
  inits++;
  t_set(env, exports, "lost", t_boolean(env, true));
  T_OK(napi_create_function(env, "count", NAPI_AUTO_LENGTH, count, NULL, &function));
  t_set(env, function, "inits", t_number(env, inits));
  return function;
}
