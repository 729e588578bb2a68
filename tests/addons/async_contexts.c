/*
 * Async contexts, napi_make_callback and callback scopes: below JavaScript, and outside of it (from a timer of
 * libuv's).
 */
#include "options.h"
#include "recorder.h"

#include <uv.h>

static napi_async_context contexts[256];
static uint32_t used;

/* (name, resource): { status..., value: number of the context } */
static napi_value init(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  if (used == T_COUNT(contexts)) abort();
  napi_value resource = t_nullish(env, argv[1]) ? NULL : argv[1];
  napi_status status = napi_async_init(env, resource, argv[0], &contexts[used]);
  napi_value result = t_result(env, status, NULL);
  t_set(env, result, "value", t_number(env, status == napi_ok ? used++ : 0));
  return result;
}

static napi_async_context context_at(napi_env env, napi_value id) {
  return t_nullish(env, id) ? NULL : contexts[t_uint(env, id) % T_COUNT(contexts)];
}

static napi_value destroy(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_result(env, napi_async_destroy(env, context_at(env, argv[0])), NULL);
}

/* (context, receiver, function, ...arguments) */
static napi_value make(napi_env env, napi_callback_info info) {
  napi_value argv[8], value = NULL;
  size_t argc = t_args(env, info, argv, T_COUNT(argv));
  napi_status status =
      napi_make_callback(env, context_at(env, argv[0]), argv[1], argv[2], argc > 3 ? argc - 3 : 0, argv + 3, &value);
  return t_result(env, status, status == napi_ok ? value : NULL);
}

/* What throws is left pending. */
static napi_value make_and_pass_on(napi_env env, napi_callback_info info) {
  napi_value argv[3], value = NULL;
  t_args(env, info, argv, 3);
  napi_status status = napi_make_callback(env, context_at(env, argv[0]), argv[1], argv[2], 0, NULL, &value);
  return status == napi_ok ? value : NULL;
}

/* (context, resource, function, how often): the function in so many scopes, one in the other. */
static napi_value in_scopes(napi_env env, napi_callback_info info) {
  napi_value argv[4], value = NULL;
  napi_callback_scope scopes[16];
  t_args(env, info, argv, 4);
  struct t_recorder recorder = t_recorder(env);
  uint32_t depth = t_uint(env, argv[3]);
  if (depth > T_COUNT(scopes)) abort();
  for (uint32_t i = 0; i < depth; i++)
    CHECK("", napi_open_callback_scope, env, argv[1], context_at(env, argv[0]), &scopes[i]);
  CHECK("", napi_call_function, env, t_undefined(env), argv[2], 0, NULL, &value);
  for (uint32_t i = depth; i-- > 0;) CHECK("", napi_close_callback_scope, env, scopes[i]);
  return recorder.rows;
}

/* (context, resource, function): what throws is left pending, through the end of the scope. */
static napi_value in_scope_and_pass_on(napi_env env, napi_callback_info info) {
  napi_value argv[3], value = NULL;
  napi_callback_scope scope;
  t_args(env, info, argv, 3);
  T_OK(napi_open_callback_scope(env, argv[1], context_at(env, argv[0]), &scope));
  (void)napi_call_function(env, t_undefined(env), argv[2], 0, NULL, &value);
  T_OK(napi_close_callback_scope(env, scope));
  return NULL;
}

/* ---- Outside ----------------------------------------------------------------------------------------------------- */

struct outside {
  uv_timer_t timer;
  napi_env env;
  napi_ref function, receiver;
  uint32_t context; /* T_COUNT(contexts) for none */
  enum { MAKE, SCOPE, SCOPES, CALL } how;
};

static void scope_outside(struct outside *outside, uint32_t count) {
  napi_env env = outside->env;
  napi_callback_scope scope;
  napi_value result;
  T_OK(napi_open_callback_scope(env, t_deref(env, outside->receiver), contexts[outside->context], &scope));
  for (uint32_t i = 0; i < count; i++)
    (void)napi_call_function(env, t_undefined(env), t_deref(env, outside->function), 0, NULL, &result);
  T_OK(napi_close_callback_scope(env, scope));
}

static void say_status(struct outside *outside, napi_status status) {
  bool pending;
  napi_value exception;
  T_OK(napi_is_exception_pending(outside->env, &pending));
  t_say("%s%s", t_status_name(status), pending ? ", pending" : "");
  if (pending) T_OK(napi_get_and_clear_last_exception(outside->env, &exception));
}

static void free_outside(uv_handle_t *handle) {
  free(handle->data);
}

static void on_outside(uv_timer_t *timer) {
  struct outside *outside = timer->data;
  napi_env env = outside->env;
  napi_handle_scope scope;
  napi_value value = NULL;
  T_OK(napi_open_handle_scope(env, &scope));
  napi_value function = t_deref(env, outside->function), receiver = t_deref(env, outside->receiver);
  napi_async_context context = outside->context < T_COUNT(contexts) ? contexts[outside->context] : NULL;
  switch (outside->how) {
  case MAKE: say_status(outside, napi_make_callback(env, context, receiver, function, 0, NULL, &value)); break;
  case SCOPE: scope_outside(outside, 1); break;
  case SCOPES: scope_outside(outside, 3); break;
  case CALL: say_status(outside, napi_call_function(env, receiver, function, 0, NULL, &value)); break;
  }
  T_OK(napi_close_handle_scope(env, scope));
  T_OK(napi_delete_reference(env, outside->function));
  T_OK(napi_delete_reference(env, outside->receiver));
  uv_close((uv_handle_t *)timer, free_outside);
}

/* (how, context, receiver, function) */
static napi_value outside(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  uv_loop_t *loop;
  t_args(env, info, argv, 4);
  struct outside *data = calloc(1, sizeof *data);
  if (!data) abort();
  char *how = t_text(env, argv[0]);
  data->env = env;
  data->how = strcmp(how, "make") == 0     ? MAKE
              : strcmp(how, "scope") == 0  ? SCOPE
              : strcmp(how, "scopes") == 0 ? SCOPES
                                           : CALL;
  free(how);
  data->context = t_nullish(env, argv[1]) ? T_COUNT(contexts) : t_uint(env, argv[1]);
  T_OK(napi_create_reference(env, argv[2], 1, &data->receiver));
  T_OK(napi_create_reference(env, argv[3], 1, &data->function));
  T_OK(napi_get_uv_event_loop(env, &loop));
  data->timer.data = data;
  if (uv_timer_init(loop, &data->timer) != 0 || uv_timer_start(&data->timer, on_outside, 0, 0) != 0) abort();
  return NULL;
}

/* ---- Wrong arguments --------------------------------------------------------------------------------------------- */

static napi_value misuse(napi_env env, napi_callback_info info) {
  napi_value argv[1], function, result, name = t_string(env, "misuse"), object = t_object(env);
  napi_value number = t_number(env, 1), undefined = t_undefined(env);
  napi_async_context context = NULL;
  napi_callback_scope scope = NULL;
  uv_loop_t *loop;
  t_args(env, info, argv, 1);
  struct t_recorder recorder = t_recorder(env);
  T_OK(napi_create_function(env, NULL, 0, destroy, NULL, &function));
  CHECK("no env", napi_async_init, NULL, object, name, &context);
  CHECK("no name", napi_async_init, env, object, NULL, &context);
  CHECK("no result", napi_async_init, env, object, name, NULL);
  CHECK("neither name nor result", napi_async_init, env, object, NULL, NULL);
  CHECK("a symbol for a name", napi_async_init, env, object, argv[0], &context);
  CHECK("undefined for a resource", napi_async_init, env, undefined, name, &context);
  CHECK("no env", napi_async_destroy, NULL, context);
  CHECK("no context", napi_async_destroy, env, NULL);
  CHECK("no resource", napi_async_init, env, NULL, name, &context);
  CHECK("no env", napi_make_callback, NULL, context, object, function, 0, NULL, &result);
  CHECK("no receiver", napi_make_callback, env, context, NULL, function, 0, NULL, &result);
  CHECK("no function", napi_make_callback, env, context, object, NULL, 0, NULL, &result);
  CHECK("neither receiver nor function", napi_make_callback, env, context, NULL, NULL, 0, NULL, &result);
  CHECK("arguments that are not there", napi_make_callback, env, context, object, function, 1, NULL, &result);
  CHECK("undefined for a receiver", napi_make_callback, env, context, undefined, function, 0, NULL, &result);
  CHECK("a number for a receiver", napi_make_callback, env, context, number, number, 0, NULL, &result);
  CHECK("an object for a function", napi_make_callback, env, context, object, object, 0, NULL, &result);
  CHECK("no env", napi_open_callback_scope, NULL, object, context, &scope);
  CHECK("no result", napi_open_callback_scope, env, object, context, NULL);
  CHECK("no env", napi_close_callback_scope, NULL, scope);
  CHECK("no scope", napi_close_callback_scope, env, NULL);
  CHECK("none is open", napi_close_callback_scope, env, (napi_callback_scope)&recorder);
  CHECK("no resource", napi_open_callback_scope, env, NULL, context, &scope);
  CHECK("", napi_close_callback_scope, env, scope);
  CHECK("a number for a resource", napi_open_callback_scope, env, number, context, &scope);
  CHECK("", napi_close_callback_scope, env, scope);
  CHECK("", napi_async_destroy, env, context);
  CHECK("no env", napi_get_uv_event_loop, NULL, &loop);
  CHECK("no result", napi_get_uv_event_loop, env, NULL);
  return recorder.rows;
}

static const struct t_function functions[] = {
    {"init", init},          {"destroy", destroy},
    {"make", make},          {"makeAndPassOn", make_and_pass_on},
    {"inScopes", in_scopes}, {"inScopeAndPassOn", in_scope_and_pass_on},
    {"outside", outside},    {"misuse", misuse},
};
T_INIT(functions)
