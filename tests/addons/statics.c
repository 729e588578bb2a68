/* C statics belong to the process, not to the env; instance data belongs to the env. */
#include "common.h"

static int loads;

static napi_value count(napi_env env, napi_callback_info info) {
  return t_number(env, loads);
}

static napi_value instance(napi_env env, napi_callback_info info) {
  void *data;
  T_OK(napi_get_instance_data(env, &data));
  return t_number(env, *(int *)data);
}

static void release(napi_env env, void *data, void *hint) {
  free(data);
}

static const struct t_function functions[] = {{"loads", count}, {"instance", instance}};

NAPI_MODULE_INIT() {
  int *data = malloc(sizeof *data);
  if (!data) abort();
  *data = ++loads;
  T_OK(napi_set_instance_data(env, data, release, NULL));
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
