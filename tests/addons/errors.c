/* Errors: made, thrown, caught, pending, and the last-error texts. */
#define ADDON_NAPI_VERSION 9
#include "recorder.h"

static napi_value throw_value(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  napi_throw(env, argv[0]);
  return NULL;
}

/* (kind, code, message): with code and message of C, either may be NULL. The exception is left pending. */
static napi_value throw_error(napi_env env, napi_callback_info info) {
  static napi_status (*const kinds[])(napi_env, const char *, const char *) = {
      napi_throw_error, napi_throw_type_error, napi_throw_range_error, node_api_throw_syntax_error};
  napi_value argv[3];
  t_args(env, info, argv, 3);
  char *code = t_text(env, argv[1]), *message = t_text(env, argv[2]);
  kinds[t_uint(env, argv[0])](env, code, message);
  free(code);
  free(message);
  return NULL;
}

/* (kind, code, message): code undefined means NULL. */
static napi_value create_error(napi_env env, napi_callback_info info) {
  static napi_status (*const kinds[])(napi_env, napi_value, napi_value, napi_value *) = {
      napi_create_error, napi_create_type_error, napi_create_range_error, node_api_create_syntax_error};
  napi_value argv[3], result = NULL;
  t_args(env, info, argv, 3);
  napi_value code = t_typeof(env, argv[1]) == napi_undefined ? NULL : argv[1];
  napi_status status = kinds[t_uint(env, argv[0])](env, code, argv[2], &result);
  return t_result(env, status, result);
}

static napi_value is_error(napi_env env, napi_callback_info info) {
  return t_ask(env, info, napi_is_error);
}

/* (value): throws, looks, throws again, takes it, looks again. */
static napi_value throw_and_take(napi_env env, napi_callback_info info) {
  napi_value argv[1], first, second, result = t_object(env);
  bool before, pending, after;
  t_args(env, info, argv, 1);
  T_OK(napi_is_exception_pending(env, &before));
  T_OK(napi_throw(env, argv[0]));
  T_OK(napi_is_exception_pending(env, &pending));
  napi_status again = napi_throw_error(env, "SECOND", "the second");
  T_OK(napi_get_and_clear_last_exception(env, &first));
  T_OK(napi_is_exception_pending(env, &after));
  T_OK(napi_get_and_clear_last_exception(env, &second));
  t_set(env, result, "before", t_boolean(env, before));
  t_set(env, result, "pending", t_boolean(env, pending));
  t_set(env, result, "again", t_string(env, t_status_name(again)));
  t_set(env, result, "first", first);
  t_set(env, result, "after", t_boolean(env, after));
  t_set(env, result, "second", second);
  return result;
}

/* The text stays until the next call; asking for it does not change it. */
static napi_value last_error(napi_env env, napi_callback_info info) {
  const napi_extended_error_info *last;
  napi_value result = t_array(env), text = t_string(env, "text");
  napi_status status[3];
  const char *messages[3];
  double number;
  T_OK(napi_get_last_error_info(env, &last));
  status[0] = last->error_code;
  messages[0] = last->error_message;
  napi_get_value_double(env, text, &number);
  for (int i = 1; i < 3; i++) {
    T_OK(napi_get_last_error_info(env, &last));
    status[i] = last->error_code;
    messages[i] = last->error_message;
  }
  for (uint32_t i = 0; i < 3; i++) {
    T_OK(napi_set_element(env, result, 2 * i, t_string(env, t_status_name(status[i]))));
    T_OK(napi_set_element(env, result, 2 * i + 1, t_string(env, messages[i])));
  }
  /* The struct is the env's: what it says now, after a call that has succeeded. */
  T_OK(napi_set_element(env, result, 6, t_boolean(env, last->error_message == NULL)));
  return result;
}

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

/* Like CHECK, with `error` pending before the call. */
#define PENDING(function, ...)                                                                                         \
  do {                                                                                                                 \
    T_OK(napi_throw(env, error));                                                                                      \
    t_record(&recorder, #function, "pending", function(__VA_ARGS__));                                                  \
  } while (0)

/* (error, object): what each call says while an exception is pending, and whether it still is afterwards. */
static napi_value pending(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  napi_value error = argv[0], object = argv[1], value, name = t_string(env, "name"), array = t_array(env);
  napi_value number = t_number(env, 1), function, global, arraybuffer, promise;
  bool truth;
  double real;
  int32_t i32;
  uint32_t u32;
  int64_t i64;
  uint64_t u64;
  void *pointer;
  size_t length;
  char text[8];
  napi_ref ref;
  napi_deferred deferred;
  napi_valuetype type;
  napi_handle_scope scope;
  napi_escapable_handle_scope escapable;
  const napi_node_version *version;
  const napi_property_descriptor property = {"p", NULL, nothing, NULL, NULL, NULL, napi_default, NULL};
  const napi_type_tag tag = {1, 2};
  T_OK(napi_create_function(env, "f", 1, nothing, NULL, &function));
  T_OK(napi_get_global(env, &global));
  T_OK(napi_create_arraybuffer(env, 16, NULL, &arraybuffer));
  struct t_recorder recorder = t_recorder(env);

  PENDING(napi_get_undefined, env, &value);
  PENDING(napi_get_null, env, &value);
  PENDING(napi_get_global, env, &value);
  PENDING(napi_get_boolean, env, true, &value);
  PENDING(napi_create_object, env, &value);
  PENDING(napi_create_array, env, &value);
  PENDING(napi_create_array_with_length, env, 2, &value);
  PENDING(napi_create_double, env, 1.5, &value);
  PENDING(napi_create_int32, env, 1, &value);
  PENDING(napi_create_uint32, env, 1, &value);
  PENDING(napi_create_int64, env, 1, &value);
  PENDING(napi_create_string_latin1, env, "a", 1, &value);
  PENDING(napi_create_string_utf8, env, "a", 1, &value);
  PENDING(napi_create_string_utf16, env, u"a", 1, &value);
  PENDING(napi_create_symbol, env, NULL, &value);
  PENDING(node_api_symbol_for, env, "s", 1, &value);
  PENDING(napi_create_function, env, "f", 1, nothing, NULL, &value);
  PENDING(napi_create_error, env, NULL, name, &value);
  PENDING(napi_create_bigint_int64, env, 1, &value);
  PENDING(napi_create_bigint_uint64, env, 1, &value);
  PENDING(napi_create_date, env, 1, &value);
  PENDING(napi_create_external, env, NULL, NULL, NULL, &value);
  PENDING(napi_create_arraybuffer, env, 8, NULL, &value);
  PENDING(napi_create_typedarray, env, napi_uint8_array, 4, arraybuffer, 0, &value);
  PENDING(napi_create_dataview, env, 4, arraybuffer, 0, &value);
  PENDING(napi_create_buffer, env, 8, &pointer, &value);
  PENDING(napi_create_buffer_copy, env, 1, "a", NULL, &value);
  PENDING(napi_create_promise, env, &deferred, &promise);
  PENDING(napi_typeof, env, object, &type);
  PENDING(napi_get_value_double, env, number, &real);
  PENDING(napi_get_value_int32, env, number, &i32);
  PENDING(napi_get_value_uint32, env, number, &u32);
  PENDING(napi_get_value_int64, env, number, &i64);
  PENDING(napi_get_value_bool, env, number, &truth);
  PENDING(napi_get_value_bigint_uint64, env, number, &u64, &truth);
  PENDING(napi_get_value_string_utf8, env, name, text, sizeof text, &length);
  PENDING(napi_get_value_string_latin1, env, name, text, sizeof text, &length);
  PENDING(napi_coerce_to_bool, env, object, &value);
  PENDING(napi_coerce_to_number, env, object, &value);
  PENDING(napi_coerce_to_object, env, object, &value);
  PENDING(napi_coerce_to_string, env, object, &value);
  PENDING(napi_get_prototype, env, object, &value);
  PENDING(napi_get_property_names, env, object, &value);
  PENDING(napi_get_all_property_names, env, object, napi_key_own_only, napi_key_all_properties,
          napi_key_numbers_to_strings, &value);
  PENDING(napi_set_property, env, object, name, number);
  PENDING(napi_has_property, env, object, name, &truth);
  PENDING(napi_get_property, env, object, name, &value);
  PENDING(napi_delete_property, env, object, name, &truth);
  PENDING(napi_has_own_property, env, object, name, &truth);
  PENDING(napi_set_named_property, env, object, "n", number);
  PENDING(napi_has_named_property, env, object, "n", &truth);
  PENDING(napi_get_named_property, env, object, "n", &value);
  PENDING(napi_set_element, env, array, 0, number);
  PENDING(napi_has_element, env, array, 0, &truth);
  PENDING(napi_get_element, env, array, 0, &value);
  PENDING(napi_delete_element, env, array, 0, &truth);
  PENDING(napi_define_properties, env, object, 1, &property);
  PENDING(napi_object_freeze, env, array);
  PENDING(napi_object_seal, env, array);
  PENDING(napi_is_array, env, array, &truth);
  PENDING(napi_get_array_length, env, array, &u32);
  PENDING(napi_strict_equals, env, array, object, &truth);
  PENDING(napi_call_function, env, global, function, 0, NULL, &value);
  PENDING(napi_new_instance, env, function, 0, NULL, &value);
  PENDING(napi_instanceof, env, object, function, &truth);
  PENDING(napi_define_class, env, "C", 1, nothing, NULL, 0, NULL, &value);
  PENDING(napi_wrap, env, array, text, NULL, NULL, NULL);
  PENDING(napi_unwrap, env, array, &pointer);
  PENDING(napi_remove_wrap, env, array, &pointer);
  PENDING(napi_get_value_external, env, array, &pointer);
  PENDING(napi_type_tag_object, env, array, &tag);
  PENDING(napi_check_object_type_tag, env, array, &tag, &truth);
  PENDING(napi_add_finalizer, env, array, text, (napi_finalize)NULL, NULL, NULL);
  PENDING(napi_create_reference, env, object, 1, &ref);
  PENDING(napi_get_cb_info, env, info, NULL, NULL, NULL, NULL);
  PENDING(napi_get_new_target, env, info, &value);
  PENDING(napi_throw, env, number);
  PENDING(napi_throw_error, env, NULL, "another");
  PENDING(napi_is_error, env, error, &truth);
  PENDING(napi_is_exception_pending, env, &truth);
  PENDING(napi_get_and_clear_last_exception, env, &value);
  PENDING(napi_is_arraybuffer, env, arraybuffer, &truth);
  PENDING(napi_get_arraybuffer_info, env, arraybuffer, &pointer, &length);
  PENDING(napi_is_typedarray, env, array, &truth);
  PENDING(napi_is_dataview, env, array, &truth);
  PENDING(napi_is_buffer, env, array, &truth);
  PENDING(napi_is_date, env, array, &truth);
  PENDING(napi_is_promise, env, array, &truth);
  PENDING(napi_detach_arraybuffer, env, arraybuffer);
  PENDING(napi_is_detached_arraybuffer, env, arraybuffer, &truth);
  PENDING(napi_get_version, env, &u32);
  PENDING(napi_get_node_version, env, &version);
  PENDING(napi_run_script, env, name, &value);
  PENDING(napi_adjust_external_memory, env, 0, &i64);
  PENDING(napi_get_instance_data, env, &pointer);

  T_OK(napi_open_handle_scope(env, &scope));
  PENDING(napi_close_handle_scope, env, scope);
  PENDING(napi_open_handle_scope, env, &scope);
  T_OK(napi_close_handle_scope(env, scope));
  T_OK(napi_open_escapable_handle_scope(env, &escapable));
  PENDING(napi_escape_handle, env, escapable, object, &value);
  PENDING(napi_close_escapable_handle_scope, env, escapable);
  T_OK(napi_create_reference(env, object, 1, &ref));
  PENDING(napi_get_reference_value, env, ref, &value);
  PENDING(napi_reference_ref, env, ref, &u32);
  PENDING(napi_reference_unref, env, ref, &u32);
  PENDING(napi_delete_reference, env, ref);
  T_OK(napi_create_promise(env, &deferred, &promise));
  PENDING(napi_resolve_deferred, env, deferred, number);
  return recorder.rows;
}

/* (what): throws, and returns what is no value. */
static napi_value throw_and_return(napi_env env, napi_callback_info info) {
  static int somewhere;
  int here = 0;
  napi_value argv[1];
  t_args(env, info, argv, 1);
  void *const pointers[] = {(void *)(uintptr_t)0xfffffffff, &here, &somewhere, env, info, NULL, (void *)UINTPTR_MAX};
  uint32_t what = t_uint(env, argv[0]) % T_COUNT(pointers);
  T_OK(napi_throw_error(env, "THROWN", "thrown"));
  return (napi_value)pointers[what];
}

static const struct t_function functions[] = {
    {"throwAndReturn", throw_and_return}, {"throwValue", throw_value}, {"throwError", throw_error},
    {"createError", create_error},        {"isError", is_error},       {"lastError", last_error},
    {"throwAndTake", throw_and_take},     {"pending", pending},
};
T_INIT(functions)
