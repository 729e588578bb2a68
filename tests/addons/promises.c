/* Promises. Deferreds are kept in a table: JavaScript names them by their place in it. */
#include "common.h"

static napi_deferred deferreds[256];
static uint32_t used;

/* { promise, index } */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value promise, result = t_object(env);
  if (used == T_COUNT(deferreds)) abort();
  T_OK(napi_create_promise(env, &deferreds[used], &promise));
  t_set(env, result, "promise", promise);
  t_set(env, result, "index", t_number(env, used++));
  return result;
}

static napi_value resolve(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_resolve_deferred(env, deferreds[t_uint(env, argv[0])], argv[1]), NULL);
}

static napi_value reject(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_reject_deferred(env, deferreds[t_uint(env, argv[0])], argv[1]), NULL);
}

/* (value, rejects): settled before JavaScript sees it. */
static napi_value settled(napi_env env, napi_callback_info info) {
  napi_value argv[2], promise;
  napi_deferred deferred;
  t_args(env, info, argv, 2);
  T_OK(napi_create_promise(env, &deferred, &promise));
  if (t_bool(env, argv[1]))
    T_OK(napi_reject_deferred(env, deferred, argv[0]));
  else
    T_OK(napi_resolve_deferred(env, deferred, argv[0]));
  return promise;
}

static napi_value is_promise(napi_env env, napi_callback_info info) {
  return t_ask(env, info, napi_is_promise);
}

static const struct t_function functions[] = {
    {"create", create}, {"resolve", resolve}, {"reject", reject}, {"settled", settled}, {"isPromise", is_promise},
};
T_INIT(functions)
