/* What has no addon of its own: dates, symbols, instance data, versions, scripts, type tags, comparisons, coercions. */
#define ADDON_NAPI_VERSION 9
#include "common.h"

#include <inttypes.h>

static napi_value create_date(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_create_date(env, t_double(env, argv[0]), &value);
  return t_result(env, status, value);
}

static napi_value date_value(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  double time = -1;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_date_value(env, argv[0], &time);
  return t_result(env, status, t_number(env, time));
}

static napi_value is_date(napi_env env, napi_callback_info info) {
  return t_ask(env, info, napi_is_date);
}

/* Without a description when the argument is missing. */
static napi_value create_symbol(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  size_t argc = t_args(env, info, argv, 1);
  napi_status status = napi_create_symbol(env, argc > 0 ? argv[0] : NULL, &value);
  return t_result(env, status, value);
}

/* (text, length) */
static napi_value symbol_for(napi_env env, napi_callback_info info) {
  napi_value argv[2], value = NULL;
  t_args(env, info, argv, 2);
  char *text = t_text(env, argv[0]);
  napi_status status = node_api_symbol_for(env, text, t_length(env, argv[1]), &value);
  napi_value result = t_result(env, status, value);
  free(text);
  return result;
}

static napi_value get_instance_data(napi_env env, napi_callback_info info) {
  void *data = NULL;
  napi_status status = napi_get_instance_data(env, &data);
  return t_result(env, status, data ? t_number(env, *(double *)data) : NULL);
}

static int instances_freed;

static void free_instance_data(napi_env env, void *data, void *hint) {
  instances_freed += *(int *)hint;
  free(data);
}

static napi_value set_instance_data(napi_env env, napi_callback_info info) {
  static int hint = 1;
  napi_value argv[1];
  t_args(env, info, argv, 1);
  double *data = malloc(sizeof *data);
  if (!data) abort();
  *data = t_double(env, argv[0]);
  return t_result(env, napi_set_instance_data(env, data, free_instance_data, &hint), NULL);
}

static napi_value clear_instance_data(napi_env env, napi_callback_info info) {
  napi_value result = t_result(env, napi_set_instance_data(env, NULL, NULL, NULL), NULL);
  t_set(env, result, "freed", t_number(env, instances_freed));
  return result;
}

static napi_value versions(napi_env env, napi_callback_info info) {
  const napi_node_version *version = NULL;
  uint32_t napi = 0;
  napi_value result = t_object(env);
  T_OK(napi_get_version(env, &napi));
  T_OK(napi_get_node_version(env, &version));
  t_set(env, result, "napi", t_number(env, napi));
  t_set(env, result, "major", t_number(env, version->major));
  t_set(env, result, "minor", t_number(env, version->minor));
  t_set(env, result, "patch", t_number(env, version->patch));
  t_set(env, result, "release", t_string(env, version->release));
  return result;
}

static napi_value module_file_name(napi_env env, napi_callback_info info) {
  const char *name = NULL;
  napi_status status = node_api_get_module_file_name(env, &name);
  return t_result(env, status, t_string(env, name));
}

static napi_value run_script(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_run_script(env, argv[0], &value);
  return t_result(env, status, value);
}

/* How the total moves, not where it stands: V8 counts other things too. */
static napi_value adjust_external_memory(napi_env env, napi_callback_info info) {
  int64_t before = 0, more = 0, after = 0;
  T_OK(napi_adjust_external_memory(env, 0, &before));
  T_OK(napi_adjust_external_memory(env, 4096, &more));
  T_OK(napi_adjust_external_memory(env, -4096, &after));
  napi_value result = t_array(env);
  T_OK(napi_set_element(env, result, 0, t_number(env, (double)(more - before))));
  T_OK(napi_set_element(env, result, 1, t_number(env, (double)(after - before))));
  return result;
}

static napi_type_tag tag_of(napi_env env, napi_value high, napi_value low) {
  return (napi_type_tag){(uint64_t)t_double(env, high), (uint64_t)t_double(env, low)};
}

static napi_value type_tag(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  napi_type_tag tag = tag_of(env, argv[1], argv[2]);
  return t_result(env, napi_type_tag_object(env, argv[0], &tag), NULL);
}

static napi_value check_type_tag(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  bool truth = false;
  t_args(env, info, argv, 3);
  napi_type_tag tag = tag_of(env, argv[1], argv[2]);
  napi_status status = napi_check_object_type_tag(env, argv[0], &tag, &truth);
  return t_result(env, status, t_boolean(env, truth));
}

static napi_value strict_equals(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  bool truth = false;
  t_args(env, info, argv, 2);
  napi_status status = napi_strict_equals(env, argv[0], argv[1], &truth);
  return t_result(env, status, t_boolean(env, truth));
}

/* Primitives that native code made, against each other and against the argument. */
static napi_value own_equals(napi_env env, napi_callback_info info) {
  napi_value argv[1], values[6], result = t_array(env);
  t_args(env, info, argv, 1);
  values[0] = argv[0];
  values[1] = t_number(env, 1);
  values[2] = t_number(env, __builtin_nan(""));
  values[3] = t_number(env, -0.0);
  values[4] = t_string(env, "1");
  values[5] = t_boolean(env, true);
  uint32_t n = 0;
  for (size_t i = 0; i < T_COUNT(values); i++) {
    for (size_t k = 0; k < T_COUNT(values); k++) {
      bool truth;
      T_OK(napi_strict_equals(env, values[i], values[k], &truth));
      T_OK(napi_set_element(env, result, n++, t_boolean(env, truth)));
    }
  }
  return result;
}

static napi_value instance_of(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  bool truth = false;
  t_args(env, info, argv, 2);
  napi_status status = napi_instanceof(env, argv[0], argv[1], &truth);
  return t_result(env, status, t_boolean(env, truth));
}

static napi_value type_of(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, t_typeof(env, argv[0]));
}

/* [to boolean, to number, to object, to string] */
static napi_value coerce(napi_env env, napi_callback_info info) {
  static napi_status (*const kinds[])(napi_env, napi_value, napi_value *) = {
      napi_coerce_to_bool, napi_coerce_to_number, napi_coerce_to_object, napi_coerce_to_string};
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  for (uint32_t i = 0; i < T_COUNT(kinds); i++) {
    napi_value value = NULL;
    napi_status status = kinds[i](env, argv[0], &value);
    T_OK(napi_set_element(env, result, i, t_result(env, status, value)));
  }
  return result;
}

/* The coercions of values that native code made. */
static napi_value coerce_own(napi_env env, napi_callback_info info) {
  napi_value values[5], result = t_array(env), value;
  values[0] = t_number(env, 1.5);
  values[1] = t_string(env, " 12 ");
  values[2] = t_string(env, "");
  values[3] = t_boolean(env, true);
  values[4] = t_undefined(env);
  uint32_t n = 0;
  for (size_t i = 0; i < T_COUNT(values); i++) {
    T_OK(napi_coerce_to_bool(env, values[i], &value));
    T_OK(napi_set_element(env, result, n++, value));
    T_OK(napi_coerce_to_number(env, values[i], &value));
    T_OK(napi_set_element(env, result, n++, value));
    T_OK(napi_coerce_to_string(env, values[i], &value));
    T_OK(napi_set_element(env, result, n++, value));
  }
  return result;
}

static napi_value get_global(napi_env env, napi_callback_info info) {
  napi_value value;
  T_OK(napi_get_global(env, &value));
  return value;
}

static const struct t_function functions[] = {
    {"createDate", create_date},
    {"dateValue", date_value},
    {"isDate", is_date},
    {"createSymbol", create_symbol},
    {"symbolFor", symbol_for},
    {"getInstanceData", get_instance_data},
    {"setInstanceData", set_instance_data},
    {"clearInstanceData", clear_instance_data},
    {"versions", versions},
    {"moduleFileName", module_file_name},
    {"runScript", run_script},
    {"adjustExternalMemory", adjust_external_memory},
    {"typeTag", type_tag},
    {"checkTypeTag", check_type_tag},
    {"strictEquals", strict_equals},
    {"ownEquals", own_equals},
    {"instanceOf", instance_of},
    {"typeOf", type_of},
    {"coerce", coerce},
    {"coerceOwn", coerce_own},
    {"getGlobal", get_global},
};
T_INIT(functions)
