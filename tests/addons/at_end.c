/*
 * What the functions come to when the env ends and JavaScript may not run any more: in a cleanup hook, in the
 * finalizers of an external, of a wrapped object and of the instance data.
 */
#include "options.h"

static napi_env the_env;
static napi_ref kept_object, kept_function;

/* The lists are read from top to bottom: what a call leaves behind, the next one finds. */
#define SAY(call) t_say("%s: %s: %s", where, #call, t_status_name(call))

static napi_value noop(napi_env env, napi_callback_info info) {
  return NULL;
}

static void try_nothing(napi_env env, const char *where) {
  napi_value result = NULL;
  bool truth = false;
  void *data = NULL;
  SAY(napi_call_function(env, NULL, NULL, 0, NULL, NULL));
  SAY(napi_new_instance(env, NULL, 0, NULL, &result));
  SAY(napi_get_named_property(env, NULL, "name", &result));
  SAY(napi_set_named_property(env, NULL, "name", NULL));
  SAY(napi_get_property(env, NULL, NULL, &result));
  SAY(napi_has_own_property(env, NULL, NULL, &truth));
  SAY(napi_get_element(env, NULL, 0, &result));
  SAY(napi_define_properties(env, NULL, 0, NULL));
  SAY(napi_define_class(env, "Name", NAPI_AUTO_LENGTH, NULL, NULL, 0, NULL, &result));
  SAY(napi_create_function(env, NULL, 0, NULL, NULL, &result));
  SAY(napi_wrap(env, NULL, NULL, NULL, NULL, NULL));
  SAY(napi_unwrap(env, NULL, &data));
  SAY(napi_remove_wrap(env, NULL, NULL));
  SAY(napi_coerce_to_string(env, NULL, &result));
  SAY(napi_instanceof(env, NULL, NULL, &truth));
  SAY(napi_throw(env, NULL));
  SAY(napi_create_promise(env, NULL, &result));
  SAY(napi_resolve_deferred(env, NULL, NULL));
  SAY(napi_run_script(env, NULL, &result));
  SAY(napi_make_callback(env, NULL, NULL, NULL, 0, NULL, NULL));
  SAY(napi_create_buffer(env, 8, NULL, NULL));
  SAY(napi_create_arraybuffer(env, 8, NULL, NULL));
  SAY(napi_create_external(env, NULL, NULL, NULL, NULL));
  SAY(napi_create_bigint_words(env, 0, 1, NULL, &result));
  SAY(napi_create_date(env, 1, NULL));
  /* These do not mind. */
  SAY(napi_typeof(env, NULL, NULL));
  SAY(napi_create_object(env, NULL));
  SAY(napi_get_reference_value(env, NULL, &result));
}

static void try_values(napi_env env, const char *where) {
  napi_value object = NULL, function = NULL, result = NULL, fresh = NULL, text = NULL;
  bool truth = false;
  void *data = NULL;
  napi_deferred deferred = NULL;
  napi_ref reference = NULL;
  SAY(napi_get_reference_value(env, kept_object, &object));
  SAY(napi_get_reference_value(env, kept_function, &function));
  SAY(napi_create_object(env, &fresh));
  SAY(napi_create_string_utf8(env, "name", NAPI_AUTO_LENGTH, &text));
  if (object == NULL || function == NULL) return;
  SAY(napi_call_function(env, object, function, 0, NULL, &result));
  SAY(napi_new_instance(env, function, 0, NULL, &result));
  SAY(napi_get_named_property(env, object, "name", &result));
  SAY(napi_set_named_property(env, object, "name", text));
  SAY(napi_set_named_property(env, fresh, "name", text));
  SAY(napi_set_element(env, fresh, 0, text));
  SAY(napi_has_property(env, object, text, &truth));
  SAY(napi_get_property_names(env, object, &result));
  SAY(napi_create_function(env, "noop", NAPI_AUTO_LENGTH, noop, NULL, &result));
  SAY(napi_unwrap(env, object, &data));
  SAY(napi_wrap(env, fresh, &the_env, NULL, NULL, NULL));
  SAY(napi_coerce_to_string(env, object, &result));
  SAY(napi_coerce_to_string(env, text, &result));
  SAY(napi_coerce_to_object(env, object, &result));
  SAY(napi_coerce_to_bool(env, object, &result));
  SAY(napi_strict_equals(env, object, object, &truth));
  SAY(napi_instanceof(env, object, function, &truth));
  SAY(napi_create_promise(env, &deferred, &result));
  SAY(napi_run_script(env, text, &result));
  SAY(napi_throw_error(env, NULL, "text"));
  SAY(napi_is_exception_pending(env, &truth));
  SAY(napi_make_callback(env, NULL, object, function, 0, NULL, NULL));
  SAY(napi_create_buffer(env, 8, &data, &result));
  SAY(napi_create_arraybuffer(env, 8, &data, &result));
  SAY(napi_create_external(env, &the_env, NULL, NULL, &result));
  SAY(napi_create_symbol(env, text, &result));
  SAY(napi_create_error(env, NULL, text, &result));
  SAY(napi_create_date(env, 1, &result));
  SAY(napi_create_reference(env, fresh, 1, &reference));
  SAY(napi_typeof(env, fresh, &(napi_valuetype){0}));
  SAY(napi_get_array_length(env, fresh, &(uint32_t){0}));
}

static void try_all(napi_env env, const char *where) {
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  try_nothing(env, where);
  try_values(env, where);
  T_OK(napi_close_handle_scope(env, scope));
}

static void NAPI_CDECL hook(void *data) {
  try_all(the_env, data);
}

static void NAPI_CDECL finalize(napi_env env, void *data, void *hint) {
  try_all(env, data);
}

/* start(object, function, where): `where` it is tried. */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value argv[3], external;
  t_args(env, info, argv, 3);
  the_env = env;
  T_OK(napi_create_reference(env, argv[0], 1, &kept_object));
  T_OK(napi_create_reference(env, argv[1], 1, &kept_function));
  char *where = t_text(env, argv[2]);
  if (strcmp(where, "hook") == 0) T_OK(napi_add_env_cleanup_hook(env, hook, where));
  if (strcmp(where, "instance data") == 0) T_OK(napi_set_instance_data(env, where, finalize, NULL));
  if (strcmp(where, "wrap") == 0) T_OK(napi_wrap(env, argv[0], where, finalize, NULL, NULL));
  if (strcmp(where, "external") == 0) {
    T_OK(napi_create_external(env, where, finalize, NULL, &external));
    return external;
  }
  if (strcmp(where, "buffer") == 0) {
    T_OK(napi_create_external_buffer(env, strlen(where), where, finalize, NULL, &external));
    return external;
  }
  return NULL;
}

static napi_value now(napi_env env, napi_callback_info info) {
  napi_value exception;
  try_all(env, "now");
  napi_get_and_clear_last_exception(env, &exception);
  return NULL;
}

static const struct t_function functions[] = {{"start", start}, {"now", now}};

T_INIT(functions)
