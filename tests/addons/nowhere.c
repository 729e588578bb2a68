/* Would call what nobody has, if it were asked to: loaded lazily, it works as long as it is not. */
#include "common.h"

extern int nr_test_nowhere(void);

static napi_value answer(napi_env env, napi_callback_info info) {
  return t_number(env, t_args(env, info, NULL, 0) > 0 ? nr_test_nowhere() : 42);
}

static const struct t_function functions[] = {{"answer", answer}};

T_INIT(functions)
