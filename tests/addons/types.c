/* Every function that takes a value, with whatever value it is given. */
#define ADDON_NAPI_VERSION 9
#include "recorder.h"

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

/* What does not change the value. */
static void ask(napi_env env, napi_value v, struct t_recorder *out) {
  struct t_recorder recorder = *out;
  napi_value result, function;
  napi_valuetype type;
  double real;
  int32_t i32;
  uint32_t u32;
  int64_t i64;
  uint64_t u64, words[4];
  bool truth;
  int sign;
  size_t length, count = T_COUNT(words);
  void *pointer;
  char text[16];
  char16_t wide[16];
  T_OK(napi_create_function(env, "f", 1, nothing, NULL, &function));
  CHECK("", napi_typeof, env, v, &type);
  CHECK("", napi_get_value_double, env, v, &real);
  CHECK("", napi_get_value_int32, env, v, &i32);
  CHECK("", napi_get_value_uint32, env, v, &u32);
  CHECK("", napi_get_value_int64, env, v, &i64);
  CHECK("", napi_get_value_bool, env, v, &truth);
  CHECK("", napi_get_value_bigint_int64, env, v, &i64, &truth);
  CHECK("", napi_get_value_bigint_uint64, env, v, &u64, &truth);
  CHECK("", napi_get_value_bigint_words, env, v, &sign, &count, words);
  CHECK("", napi_get_value_string_latin1, env, v, text, sizeof text, &length);
  CHECK("", napi_get_value_string_utf8, env, v, text, sizeof text, &length);
  CHECK("", napi_get_value_string_utf16, env, v, wide, T_COUNT(wide), &length);
  CHECK("", napi_get_value_external, env, v, &pointer);
  CHECK("", napi_get_date_value, env, v, &real);
  CHECK("", napi_get_array_length, env, v, &u32);
  CHECK("", napi_is_array, env, v, &truth);
  CHECK("", napi_is_error, env, v, &truth);
  CHECK("", napi_is_date, env, v, &truth);
  CHECK("", napi_is_promise, env, v, &truth);
  CHECK("", napi_is_buffer, env, v, &truth);
  CHECK("", napi_is_arraybuffer, env, v, &truth);
  CHECK("", napi_is_typedarray, env, v, &truth);
  CHECK("", napi_is_dataview, env, v, &truth);
  CHECK("", napi_is_detached_arraybuffer, env, v, &truth);
  CHECK("", napi_get_arraybuffer_info, env, v, &pointer, &length);
  CHECK("", napi_get_typedarray_info, env, v, NULL, NULL, NULL, NULL, NULL);
  CHECK("", napi_get_dataview_info, env, v, NULL, NULL, NULL, NULL);
  CHECK("as arraybuffer", napi_create_typedarray, env, napi_uint8_array, 0, v, 0, &result);
  CHECK("as arraybuffer", napi_create_dataview, env, 0, v, 0, &result);
  CHECK("", napi_unwrap, env, v, &pointer);
  CHECK("", napi_coerce_to_bool, env, v, &result);
  CHECK("", napi_coerce_to_number, env, v, &result);
  CHECK("", napi_coerce_to_object, env, v, &result);
  CHECK("", napi_coerce_to_string, env, v, &result);
  CHECK("", napi_get_prototype, env, v, &result);
  CHECK("", napi_get_property_names, env, v, &result);
  CHECK("", napi_get_all_property_names, env, v, napi_key_include_prototypes, napi_key_enumerable,
        napi_key_numbers_to_strings, &result);
  CHECK("of", napi_get_property, env, v, t_string(env, "length"), &result);
  CHECK("of", napi_has_property, env, v, t_string(env, "length"), &truth);
  CHECK("of", napi_has_own_property, env, v, t_string(env, "length"), &truth);
  CHECK("of", napi_get_named_property, env, v, "name", &result);
  CHECK("of", napi_has_named_property, env, v, "name", &truth);
  CHECK("of", napi_get_element, env, v, 0, &result);
  CHECK("of", napi_has_element, env, v, 0, &truth);
  CHECK("by", napi_get_property, env, t_object(env), v, &result);
  CHECK("by", napi_has_property, env, t_object(env), v, &truth);
  CHECK("by", napi_has_own_property, env, t_object(env), v, &truth);
  CHECK("by", napi_set_property, env, t_object(env), v, v);
  CHECK("by", napi_delete_property, env, t_object(env), v, &truth);
  CHECK("with itself", napi_strict_equals, env, v, v, &truth);
  CHECK("left", napi_instanceof, env, v, function, &truth);
  CHECK("right", napi_instanceof, env, function, v, &truth);
  CHECK("as function", napi_call_function, env, function, v, 0, NULL, &result);
  CHECK("as receiver", napi_call_function, env, v, function, 1, &v, &result);
  CHECK("", napi_new_instance, env, v, 0, NULL, &result);
  CHECK("", napi_run_script, env, v, &result);
  CHECK("", napi_create_symbol, env, v, &result);
  CHECK("as message", napi_create_error, env, NULL, v, &result);
  CHECK("as code", napi_create_error, env, v, t_string(env, "message"), &result);
  CHECK("", napi_throw, env, v);
  CHECK("", napi_check_object_type_tag, env, v, &(napi_type_tag){3, 4}, &truth);
  *out = recorder;
}

/* What may change it. */
static void change(napi_env env, napi_value v, struct t_recorder *out) {
  struct t_recorder recorder = *out;
  napi_ref ref = NULL;
  bool truth;
  void *pointer;
  static int data;
  const napi_property_descriptor property = {"defined", NULL, nothing, NULL, NULL, NULL, napi_default_method, NULL};
  CHECK("of", napi_set_property, env, v, t_string(env, "set"), t_number(env, 1));
  CHECK("of", napi_set_named_property, env, v, "named", t_number(env, 2));
  CHECK("of", napi_set_element, env, v, 0, t_number(env, 3));
  CHECK("of", napi_delete_property, env, v, t_string(env, "set"), &truth);
  CHECK("of", napi_delete_element, env, v, 0, &truth);
  CHECK("of", napi_define_properties, env, v, 1, &property);
  CHECK("", napi_type_tag_object, env, v, &(napi_type_tag){3, 4});
  CHECK("again", napi_type_tag_object, env, v, &(napi_type_tag){3, 4});
  /* Node 24 and 26 end when an external is wrapped. */
  const napi_node_version *node = NULL;
  napi_valuetype type = napi_undefined;
  if (napi_get_node_version(env, &node) == napi_ok && napi_typeof(env, v, &type) == napi_ok &&
      (type != napi_external || node->major <= 22)) {
    CHECK("", napi_wrap, env, v, &data, NULL, NULL, NULL);
    CHECK("again", napi_wrap, env, v, &data, NULL, NULL, NULL);
  }
  CHECK("", napi_unwrap, env, v, &pointer);
  CHECK("", napi_remove_wrap, env, v, &pointer);
  CHECK("again", napi_remove_wrap, env, v, &pointer);
  CHECK("strong", napi_create_reference, env, v, 1, &ref);
  if (ref) {
    napi_value again = NULL;
    CHECK("", napi_get_reference_value, env, ref, &again);
    CHECK("is", napi_strict_equals, env, v, again, &truth);
    CHECK("", napi_delete_reference, env, ref);
  }
  CHECK("", napi_object_seal, env, v);
  CHECK("sealed", napi_set_named_property, env, v, "sealed", t_number(env, 2));
  CHECK("", napi_object_freeze, env, v);
  CHECK("frozen", napi_set_named_property, env, v, "frozen", t_number(env, 2));
  CHECK("frozen", napi_define_properties, env, v, 1, &property);
  CHECK("", napi_detach_arraybuffer, env, v);
  *out = recorder;
}

/* Each value in a scope of its own. */
static napi_value record(napi_env env, napi_callback_info info,
                         void (*what)(napi_env, napi_value, struct t_recorder *)) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  struct t_recorder recorder = t_recorder(env);
  what(env, argv[0], &recorder);
  return recorder.rows;
}

static napi_value ask_value(napi_env env, napi_callback_info info) {
  return record(env, info, ask);
}

static napi_value change_value(napi_env env, napi_callback_info info) {
  return record(env, info, change);
}

/* The same, of values that native code has just made: [[rows of ask, rows of change, value]...]. */
static napi_value own_values(napi_env env, napi_callback_info info) {
  napi_value values[14], results = t_array(env);
  T_OK(napi_get_undefined(env, &values[0]));
  T_OK(napi_get_null(env, &values[1]));
  values[2] = t_boolean(env, true);
  values[3] = t_number(env, 1.5);
  values[4] = t_number(env, -0.0);
  values[5] = t_string(env, "text");
  T_OK(napi_create_symbol(env, values[5], &values[6]));
  values[7] = t_object(env);
  values[8] = t_array(env);
  T_OK(napi_create_function(env, "made", NAPI_AUTO_LENGTH, nothing, NULL, &values[9]));
  T_OK(napi_create_external(env, values, NULL, NULL, &values[10]));
  T_OK(napi_create_bigint_int64(env, -5, &values[11]));
  T_OK(napi_create_date(env, 1e12, &values[12]));
  T_OK(napi_create_arraybuffer(env, 16, NULL, &values[13]));
  for (uint32_t i = 0; i < T_COUNT(values); i++) {
    struct t_recorder asked = t_recorder(env), changed = t_recorder(env);
    napi_value result = t_array(env);
    ask(env, values[i], &asked);
    change(env, values[i], &changed);
    T_OK(napi_set_element(env, result, 0, asked.rows));
    T_OK(napi_set_element(env, result, 1, changed.rows));
    T_OK(napi_set_element(env, result, 2, values[i]));
    T_OK(napi_set_element(env, results, i, result));
  }
  return results;
}

static const struct t_function functions[] = {
    {"ask", ask_value},
    {"change", change_value},
    {"ownValues", own_values},
};
T_INIT(functions)
