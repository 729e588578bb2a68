/* Calls that may find JavaScript stopped, or throw: whatever they come to, the addon goes on. */
#include "common.h"

static napi_value argument(napi_env env, napi_callback_info info) {
  napi_value argv[1] = {NULL};
  size_t argc = 1;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  return argv[0];
}

static napi_value array(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  napi_create_array(env, &result);
  napi_set_element(env, result, 0, argument(env, info));
  return result;
}

static napi_value set(napi_env env, napi_callback_info info) {
  napi_value object = argument(env, info);
  napi_set_named_property(env, object, "a", object);
  return NULL;
}

static napi_value get(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  napi_get_named_property(env, argument(env, info), "b", &result);
  return result;
}

static napi_value names(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  napi_get_property_names(env, argument(env, info), &result);
  return result;
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value result = NULL, function = argument(env, info);
  napi_call_function(env, function, function, 0, NULL, &result);
  return result;
}

static void nothing(napi_env env, void *data) {
}

/* (resource, name): made, and deleted. */
static napi_value work(napi_env env, napi_callback_info info) {
  napi_value argv[2] = {NULL};
  size_t argc = 2;
  napi_async_work made = NULL;
  napi_get_cb_info(env, info, &argc, argv, NULL, NULL);
  if (napi_create_async_work(env, argv[0], argv[1], nothing, NULL, NULL, &made) == napi_ok)
    napi_delete_async_work(env, made);
  return NULL;
}

static const struct t_function functions[] = {
    {"array", array}, {"set", set}, {"get", get}, {"names", names}, {"call", call}, {"work", work},
};
T_INIT(functions)
