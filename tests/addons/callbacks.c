/* Functions: callback info, data pointers, calls into JavaScript, nesting, exceptions that pass through. */
#include "common.h"

static int cells[] = {10, 11, 12, 13};

/* What napi_get_cb_info tells: { argc, args, this, newTarget?, data }. */
static napi_value describe(napi_env env, napi_callback_info info) {
  size_t argc = 0;
  T_OK(napi_get_cb_info(env, info, &argc, NULL, NULL, NULL));
  napi_value *argv = calloc(argc + 1, sizeof *argv);
  if (!argv) abort();
  napi_value this_arg, new_target;
  void *data;
  size_t count = argc;
  T_OK(napi_get_cb_info(env, info, &count, argv, &this_arg, &data));
  T_OK(napi_get_new_target(env, info, &new_target));
  napi_value result = t_object(env), args;
  t_set(env, result, "argc", t_number(env, (double)argc));
  T_OK(napi_create_array_with_length(env, argc, &args));
  for (size_t i = 0; i < argc; i++) T_OK(napi_set_element(env, args, (uint32_t)i, argv[i]));
  free(argv);
  t_set(env, result, "args", args);
  t_set(env, result, "this", this_arg);
  if (new_target) t_set(env, result, "newTarget", new_target);
  t_set(env, result, "data", data ? t_number(env, *(int *)data) : t_string(env, NULL));
  return result;
}

/* (capacity, ...): which places of a fixed array napi_get_cb_info fills, with undefined where nothing was passed. */
static napi_value describe_capacity(napi_env env, napi_callback_info info) {
  napi_value first[1], argv[32] = {NULL};
  t_args(env, info, first, 1);
  size_t argc = t_uint(env, first[0]);
  if (argc > T_COUNT(argv)) abort();
  T_OK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  napi_value result = t_object(env), args = t_array(env);
  t_set(env, result, "argc", t_number(env, (double)argc));
  for (uint32_t i = 0; i < T_COUNT(argv) && argv[i]; i++) T_OK(napi_set_element(env, args, i, argv[i]));
  t_set(env, result, "args", args);
  return result;
}

/* The same question twice, and once with every out pointer NULL. */
static napi_value describe_twice(napi_env env, napi_callback_info info) {
  napi_value a[2], b[2], result = t_array(env);
  t_args(env, info, a, 2);
  T_OK(napi_get_cb_info(env, info, NULL, NULL, NULL, NULL));
  t_args(env, info, b, 2);
  for (uint32_t i = 0; i < 2; i++) {
    bool equal;
    T_OK(napi_strict_equals(env, a[i], b[i], &equal));
    T_OK(napi_set_element(env, result, i, t_boolean(env, equal)));
  }
  return result;
}

/* (name, length, cell): a function named so, with a data pointer, or NULL without cell. */
static napi_value make_function(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL;
  t_args(env, info, argv, 3);
  char *name = t_text(env, argv[0]);
  void *data = t_nullish(env, argv[2]) ? NULL : &cells[t_uint(env, argv[2]) % T_COUNT(cells)];
  napi_status status = napi_create_function(env, name, t_length(env, argv[1]), describe, data, &result);
  result = t_result(env, status, result);
  free(name);
  return result;
}

static size_t list(napi_env env, napi_value array, napi_value **values) {
  uint32_t count;
  T_OK(napi_get_array_length(env, array, &count));
  *values = calloc(count + 1, sizeof **values);
  if (!*values) abort();
  for (uint32_t i = 0; i < count; i++) (*values)[i] = t_at(env, array, i);
  return count;
}

/* (recv, function, args) */
static napi_value call_function(napi_env env, napi_callback_info info) {
  napi_value argv[3], *args, result = NULL;
  t_args(env, info, argv, 3);
  size_t count = list(env, argv[2], &args);
  napi_status status = napi_call_function(env, argv[0], argv[1], count, args, &result);
  free(args);
  return t_result(env, status, result);
}

/* The result is optional. */
static napi_value call_without_result(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_call_function(env, t_undefined(env), argv[0], 1, &argv[1], NULL), NULL);
}

/* (constructor, args) */
static napi_value new_instance(napi_env env, napi_callback_info info) {
  napi_value argv[2], *args, result = NULL;
  t_args(env, info, argv, 2);
  size_t count = list(env, argv[1], &args);
  napi_status status = napi_new_instance(env, argv[0], count, args, &result);
  free(args);
  return t_result(env, status, result);
}

/* (depth, function): calls function(depth - 1), which is expected to call nest() again; returns how deep that went. */
static napi_value nest(napi_env env, napi_callback_info info) {
  napi_value argv[2], result;
  t_args(env, info, argv, 2);
  double depth = t_double(env, argv[0]);
  if (depth <= 0) return t_number(env, 0);
  napi_value next = t_number(env, depth - 1);
  /* A failure is left pending: it must pass through all levels. */
  if (napi_call_function(env, t_undefined(env), argv[1], 1, &next, &result) != napi_ok) return NULL;
  return t_number(env, t_double(env, result) + 1);
}

/* (function, count): function(i) for each i, in a scope of its own; the sum of the results. */
static napi_value call_many(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint32_t count = t_uint(env, argv[1]);
  double sum = 0;
  for (uint32_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    napi_value arg = t_number(env, i), result;
    T_OK(napi_call_function(env, t_undefined(env), argv[0], 1, &arg, &result));
    sum += t_double(env, result);
    T_OK(napi_close_handle_scope(env, scope));
  }
  return t_number(env, sum);
}

/* (function): catches what it throws and returns it wrapped. */
static napi_value catch_exception(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL, object = t_object(env);
  t_args(env, info, argv, 1);
  bool pending;
  napi_status status = napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result);
  T_OK(napi_is_exception_pending(env, &pending));
  napi_value caught;
  T_OK(napi_get_and_clear_last_exception(env, &caught));
  t_set(env, object, "status", t_string(env, t_status_name(status)));
  t_set(env, object, "pending", t_boolean(env, pending));
  t_set(env, object, "caught", caught);
  T_OK(napi_is_exception_pending(env, &pending));
  t_set(env, object, "pendingAfter", t_boolean(env, pending));
  return object;
}

/* (first, second): the second call is made with the first one's exception pending. */
static napi_value call_while_pending(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  t_args(env, info, argv, 2);
  napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result);
  napi_status status = napi_call_function(env, t_undefined(env), argv[1], 0, NULL, &result);
  return t_result(env, status, NULL);
}

static napi_value return_null(napi_env env, napi_callback_info info) {
  return NULL;
}

static napi_value return_this(napi_env env, napi_callback_info info) {
  napi_value this_arg;
  T_OK(napi_get_cb_info(env, info, NULL, NULL, &this_arg, NULL));
  return this_arg;
}

static napi_value throw_and_return(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_throw(env, argv[0]));
  return t_number(env, 42);
}

static const struct t_function functions[] = {
    {"describe", describe},
    {"describeCapacity", describe_capacity},
    {"describeTwice", describe_twice},
    {"makeFunction", make_function},
    {"callFunction", call_function},
    {"callWithoutResult", call_without_result},
    {"newInstance", new_instance},
    {"nest", nest},
    {"callMany", call_many},
    {"catchException", catch_exception},
    {"callWhilePending", call_while_pending},
    {"returnNull", return_null},
    {"returnThis", return_this},
    {"throwAndReturn", throw_and_return},
};
T_INIT(functions)
