/* Rows of a table, each an object that JavaScript's own function makes, as addons of databases do. */
#include "common.h"

static napi_value call_create(napi_env env, napi_value create, size_t argc, const napi_value *argv) {
  napi_value undefined, row = NULL;
  T_OK(napi_get_undefined(env, &undefined));
  if (napi_call_function(env, undefined, create, argc, argv, &row) != napi_ok) return NULL;
  return row;
}

/* Status names of sets that failed are collected, not thrown. */
static void try_set(napi_env env, napi_value row, const char *name, napi_value value, napi_value problems) {
  napi_status status = napi_set_named_property(env, row, name, value);
  if (status == napi_ok) return;
  uint32_t length;
  napi_value thrown;
  T_OK(napi_get_and_clear_last_exception(env, &thrown));
  T_OK(napi_get_array_length(env, problems, &length));
  T_OK(napi_set_element(env, problems, length, t_string(env, t_status_name(status))));
}

#define NAMES 16u
#define NAME 64u

static uint32_t read_names(napi_env env, napi_value list, char names[NAMES][NAME]) {
  uint32_t count;
  T_OK(napi_get_array_length(env, list, &count));
  if (count > NAMES) abort();
  for (uint32_t i = 0; i < count; i++) {
    napi_value text;
    size_t length;
    T_OK(napi_get_element(env, list, i, &text));
    T_OK(napi_get_value_string_utf8(env, text, names[i], NAME, &length));
  }
  return count;
}

/* (create, [arguments], [names], count, between): rows with a number under each name; `between`, a function or not, is
 * called with each row when half of them are there. Returns [rows, problems]. */
static napi_value build(napi_env env, napi_callback_info info) {
  napi_value argv[5], arguments[4], result = t_array(env), rows = t_array(env), problems = t_array(env), ignored;
  char names[NAMES][NAME];
  uint32_t argument_count;
  t_args(env, info, argv, 5);
  T_OK(napi_get_array_length(env, argv[1], &argument_count));
  if (argument_count > T_COUNT(arguments)) abort();
  for (uint32_t i = 0; i < argument_count; i++) T_OK(napi_get_element(env, argv[1], i, &arguments[i]));
  uint32_t name_count = read_names(env, argv[2], names), count = t_uint(env, argv[3]);
  bool interrupts = t_typeof(env, argv[4]) == napi_function;
  for (uint32_t i = 0; i < count; i++) {
    napi_value row = call_create(env, argv[0], argument_count, arguments);
    if (row == NULL) return NULL;
    for (uint32_t k = 0; k < name_count; k++) {
      if (interrupts && k == name_count / 2 && napi_call_function(env, argv[4], argv[4], 1, &row, &ignored) != napi_ok)
        return NULL;
      try_set(env, row, names[k], t_number(env, i * 100 + k), problems);
    }
    T_OK(napi_set_element(env, rows, i, row));
  }
  T_OK(napi_set_element(env, result, 0, rows));
  T_OK(napi_set_element(env, result, 1, problems));
  return result;
}

static const struct t_function functions[] = {{"build", build}};
T_INIT(functions)
