/* What would corrupt or end Node's process if the agent trusted its host: for hosts only. */
#define NAPI_VERSION 8
#include "common.h"

/* (count): opens a scope, makes that many objects in it, returns the last and leaves the scope open. */
static napi_value leave_scope_open(napi_env env, napi_callback_info info) {
  napi_value argv[1], object = NULL;
  napi_handle_scope scope;
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]);
  T_OK(napi_open_handle_scope(env, &scope));
  for (uint32_t i = 0; i < count; i++) T_OK(napi_create_object(env, &object));
  return object;
}

/* (self): calls the function that it is given with itself, until that fails. */
static napi_value recurse(napi_env env, napi_callback_info info) {
  napi_value argv[1], undefined, result = NULL;
  t_args(env, info, argv, 1);
  T_OK(napi_get_undefined(env, &undefined));
  return napi_call_function(env, undefined, argv[0], 1, argv, &result) == napi_ok ? result : NULL;
}

static int value = 7;

static void set_again(napi_env env, void *data, void *hint) {
  (void)data;
  (void)hint;
  napi_set_instance_data(env, NULL, NULL, NULL);
}

/* Instance data whose finalizer sets other instance data. */
static napi_value set_data(napi_env env, napi_callback_info info) {
  (void)info;
  T_OK(napi_set_instance_data(env, &value, set_again, NULL));
  return NULL;
}

static const struct t_function functions[] = {
    {"leaveScopeOpen", leave_scope_open}, {"recurse", recurse}, {"setData", set_data}};
T_INIT(functions)
