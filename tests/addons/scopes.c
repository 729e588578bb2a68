/* Handle scopes. */
#include "common.h"

/* (count): as many handles, one scope each. */
static napi_value many_scopes(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]);
  double total = 0;
  for (uint32_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    total += t_double(env, t_number(env, i));
    T_OK(napi_close_handle_scope(env, scope));
  }
  return t_number(env, total);
}

/* (count): handles of real objects, all in one scope. */
static napi_value many_handles(napi_env env, napi_callback_info info) {
  napi_value argv[1], last = NULL;
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]);
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  for (uint32_t i = 0; i < count; i++) {
    napi_value object = t_object(env);
    if (last) t_set(env, object, "before", t_get(env, last, "index"));
    t_set(env, object, "index", t_number(env, i));
    last = object;
  }
  double index = last ? t_double(env, t_get(env, last, "index")) : -1;
  T_OK(napi_close_handle_scope(env, scope));
  return t_number(env, index);
}

/* (depth): scopes inside each other, each with an object that the one inside it refers to. */
static napi_value nested(napi_env env, napi_callback_info info) {
  napi_value argv[1], parent = t_object(env), root = parent;
  napi_handle_scope scopes[256];
  t_args(env, info, argv, 1);
  uint32_t depth = t_uint(env, argv[0]);
  if (depth > T_COUNT(scopes)) abort();
  for (uint32_t i = 0; i < depth; i++) {
    T_OK(napi_open_handle_scope(env, &scopes[i]));
    napi_value child = t_object(env);
    t_set(env, parent, "child", child);
    t_set(env, child, "depth", t_number(env, i));
    parent = child;
  }
  while (depth-- > 0) T_OK(napi_close_handle_scope(env, scopes[depth]));
  return root;
}

/* (value): each kind of value escapes and is returned in an array. */
static napi_value escape(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env), inner[4], outer[4];
  t_args(env, info, argv, 1);
  for (uint32_t i = 0; i < 4; i++) {
    napi_escapable_handle_scope scope;
    T_OK(napi_open_escapable_handle_scope(env, &scope));
    inner[0] = argv[0];
    inner[1] = t_object(env);
    inner[2] = t_number(env, 5);
    inner[3] = t_string(env, "escaped");
    if (i == 1) t_set(env, inner[1], "late", t_string(env, "before the escape"));
    T_OK(napi_escape_handle(env, scope, inner[i], &outer[i]));
    T_OK(napi_close_escapable_handle_scope(env, scope));
  }
  /* Handles made after the scope closed must not be mixed up with the escaped ones. */
  t_object(env);
  t_set(env, outer[1], "after", t_string(env, "after the escape"));
  for (uint32_t i = 0; i < 4; i++) T_OK(napi_set_element(env, result, i, outer[i]));
  return result;
}

static napi_value escape_twice(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env), escaped = NULL;
  napi_escapable_handle_scope scope;
  T_OK(napi_open_escapable_handle_scope(env, &scope));
  napi_status first = napi_escape_handle(env, scope, t_object(env), &escaped);
  napi_value again = NULL;
  napi_status second = napi_escape_handle(env, scope, t_object(env), &again);
  napi_value outcome = t_result(env, second, NULL);
  T_OK(napi_set_element(env, result, 0, t_string(env, t_status_name(first))));
  T_OK(napi_set_element(env, result, 1, outcome));
  T_OK(napi_close_escapable_handle_scope(env, scope));
  T_OK(napi_set_element(env, result, 2, escaped));
  return result;
}

/* Escapes through several scopes. */
static napi_value escape_far(napi_env env, napi_callback_info info) {
  napi_escapable_handle_scope scopes[10];
  for (int i = 0; i < 10; i++) T_OK(napi_open_escapable_handle_scope(env, &scopes[i]));
  napi_value value = t_object(env);
  for (int i = 9; i >= 0; i--) {
    t_set(env, value, i % 2 ? "odd" : "even", t_number(env, i));
    T_OK(napi_escape_handle(env, scopes[i], value, &value));
    T_OK(napi_close_escapable_handle_scope(env, scopes[i]));
  }
  return value;
}

static napi_value element_in_scope(napi_env env, napi_value array, uint32_t depth) {
  napi_handle_scope scope;
  napi_value result;
  T_OK(napi_open_handle_scope(env, &scope));
  if (depth > 0)
    result = element_in_scope(env, array, depth - 1);
  else
    T_OK(napi_get_element(env, array, 0, &result));
  T_OK(napi_close_handle_scope(env, scope));
  return result;
}

/* (array, depth): its first element, from a scope (inside `depth` others) that is closed by the time it is returned, as
 * the scopes of C++ are that end with their function. Undefined by the letter; in V8 it is still there. */
static napi_value from_closed(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return element_in_scope(env, argv[0], t_uint(env, argv[1]));
}

/* (): the same with something that is made there. */
static napi_value made_in_closed(napi_env env, napi_callback_info info) {
  napi_handle_scope scope;
  napi_value array;
  T_OK(napi_open_handle_scope(env, &scope));
  T_OK(napi_create_array_with_length(env, 2, &array));
  T_OK(napi_set_element(env, array, 0, t_string(env, "made inside")));
  T_OK(napi_set_element(env, array, 1, t_number(env, 5)));
  T_OK(napi_close_handle_scope(env, scope));
  return array;
}

/* (value): what it is as an object and as a string, coerced in scopes that are closed before the results are used. What
 * was an object or a string already is the same handle still. */
static napi_value coerced_in_scopes(napi_env env, napi_callback_info info) {
  static napi_status (*const kinds[])(napi_env, napi_value, napi_value *) = {napi_coerce_to_object,
                                                                             napi_coerce_to_string};
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  for (uint32_t i = 0; i < T_COUNT(kinds); i++) {
    napi_handle_scope scope;
    napi_value value;
    T_OK(napi_open_handle_scope(env, &scope));
    T_OK(kinds[i](env, argv[0], &value));
    T_OK(napi_close_handle_scope(env, scope));
    if (value == argv[0]) T_OK(napi_set_element(env, result, i, value));
  }
  return result;
}

/* A scope that nothing is made in. */
static napi_value open_and_close(napi_env env, napi_callback_info info) {
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  T_OK(napi_close_handle_scope(env, scope));
  return NULL;
}

/* (function): calls JavaScript from inside scopes; what it returns escapes. */
static napi_value across_call(napi_env env, napi_callback_info info) {
  napi_value argv[1], result, escaped;
  t_args(env, info, argv, 1);
  napi_escapable_handle_scope outer;
  napi_handle_scope inner;
  T_OK(napi_open_escapable_handle_scope(env, &outer));
  T_OK(napi_open_handle_scope(env, &inner));
  napi_value object = t_object(env);
  t_set(env, object, "from", t_string(env, "inner scope"));
  T_OK(napi_close_handle_scope(env, inner));
  napi_value argument = t_string(env, "an argument");
  napi_status status = napi_call_function(env, t_undefined(env), argv[0], 1, &argument, &result);
  if (status == napi_ok) T_OK(napi_escape_handle(env, outer, result, &escaped));
  T_OK(napi_close_escapable_handle_scope(env, outer));
  return status == napi_ok ? escaped : NULL;
}

static const struct t_function functions[] = {
    {"manyScopes", many_scopes}, {"manyHandles", many_handles},    {"nested", nested},
    {"escape", escape},          {"escapeTwice", escape_twice},    {"escapeFar", escape_far},
    {"acrossCall", across_call}, {"openAndClose", open_and_close}, {"coercedInScopes", coerced_in_scopes},
    {"fromClosed", from_closed}, {"madeInClosed", made_in_closed},
};
T_INIT(functions)
