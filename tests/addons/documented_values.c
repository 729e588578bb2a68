/* The examples and the promises of Node-API's documentation that are about values, errors, scopes and references. */
#include "common.h"

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

/* `napi_get_value_*` of what is no number, and what the last error then says, in the words of the document. */
static napi_value error_info(napi_env env, napi_callback_info info) {
  const napi_extended_error_info *error;
  double number;
  napi_value object = t_object(env);
  napi_status status = napi_get_value_double(env, object, &number);
  T_OK(napi_get_last_error_info(env, &error));
  const char *message = error->error_message == NULL ? "empty error message" : error->error_message;
  napi_throw_error(env, t_status_name(status), message);
  return NULL;
}

/* The document: only some functions work while an exception is pending, others say napi_pending_exception. */
static napi_value clean_up_while_pending(napi_env env, napi_callback_info info) {
  napi_value argv[1], value, result = t_array(env), pending, object = t_object(env);
  napi_ref ref;
  T_OK(napi_create_reference(env, object, 1, &ref));
  t_args(env, info, argv, 1);
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  napi_value global;
  T_OK(napi_get_global(env, &global));
  napi_status called = napi_call_function(env, global, argv[0], 0, NULL, &value);
  bool is_pending;
  T_OK(napi_is_exception_pending(env, &is_pending));
  napi_status refused = napi_set_named_property(env, object, "x", object);
  /* What cleans up goes on working. */
  napi_status deleted = napi_delete_reference(env, ref);
  napi_status closed = napi_close_handle_scope(env, scope);
  T_OK(napi_get_and_clear_last_exception(env, &pending));
  T_OK(napi_set_element(env, result, 0, t_boolean(env, is_pending)));
  T_OK(napi_set_element(env, result, 1, t_string(env, t_status_name(called))));
  T_OK(napi_set_element(env, result, 2, t_string(env, t_status_name(refused))));
  T_OK(napi_set_element(env, result, 3, t_string(env, t_status_name(deleted))));
  T_OK(napi_set_element(env, result, 4, t_string(env, t_status_name(closed))));
  T_OK(napi_set_element(env, result, 5, pending));
  return result;
}

/* (function): its exception with a `seen` set on it, thrown on; nothing thrown is undefined. */
static napi_value rethrow(napi_env env, napi_callback_info info) {
  napi_value argv[1], value, exception;
  t_args(env, info, argv, 1);
  if (napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &value) == napi_ok) return t_undefined(env);
  T_OK(napi_get_and_clear_last_exception(env, &exception));
  bool is_error;
  T_OK(napi_is_error(env, exception, &is_error));
  if (is_error) t_set(env, exception, "seen", t_boolean(env, true));
  T_OK(napi_throw(env, exception));
  return NULL;
}

/* (size): views whose bytes would not fit, beside those that just do. */
static napi_value views(napi_env env, napi_callback_info info) {
  static const struct {
    napi_typedarray_type type;
    size_t length, offset;
  } asked[] = {
      {napi_uint8_array, 16, 0},  {napi_uint8_array, 17, 0},    {napi_uint8_array, 8, 8},  {napi_uint8_array, 8, 9},
      {napi_uint16_array, 8, 0},  {napi_uint16_array, 9, 0},    {napi_uint16_array, 1, 1}, {napi_float64_array, 2, 0},
      {napi_float64_array, 1, 4}, {napi_biguint64_array, 1, 8}, {napi_int32_array, 0, 16}, {napi_int32_array, 0, 20},
  };
  napi_value buffer, result = t_array(env), view;
  T_OK(napi_create_arraybuffer(env, 16, NULL, &buffer));
  uint32_t count = 0;
  for (size_t i = 0; i < T_COUNT(asked); i++) {
    view = NULL;
    napi_status status = napi_create_typedarray(env, asked[i].type, asked[i].length, buffer, asked[i].offset, &view);
    T_OK(napi_set_element(env, result, count++, t_result(env, status, view)));
    view = NULL;
    status = napi_create_dataview(env, asked[i].length, buffer, asked[i].offset, &view);
    T_OK(napi_set_element(env, result, count++, t_result(env, status, view)));
  }
  return result;
}

/* ---- Scopes and references --------------------------------------------------------------------------------------- */

/* (array): the sum of its elements' `value`, each element in a scope of its own; 1 at a time is alive. */
static napi_value sum(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t length;
  double total = 0;
  t_args(env, info, argv, 1);
  T_OK(napi_get_array_length(env, argv[0], &length));
  for (uint32_t i = 0; i < length; i++) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    total += t_double(env, t_get(env, t_at(env, argv[0], i), "value"));
    T_OK(napi_close_handle_scope(env, scope));
  }
  return t_number(env, total);
}

static napi_value build_in_scope(napi_env env, uint32_t depth) {
  napi_escapable_handle_scope scope;
  napi_value object, inner, escaped;
  T_OK(napi_open_escapable_handle_scope(env, &scope));
  object = t_object(env);
  t_set(env, object, "depth", t_number(env, depth));
  if (depth > 0) {
    inner = build_in_scope(env, depth - 1);
    t_set(env, object, "inner", inner);
  }
  T_OK(napi_escape_handle(env, scope, object, &escaped));
  T_OK(napi_close_escapable_handle_scope(env, scope));
  return escaped;
}

/* (depth): objects that escape from scopes inside each other. */
static napi_value build(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return build_in_scope(env, t_uint(env, argv[0]));
}

static napi_ref kept;

/* (object): kept beyond this call; what was kept before is given back. */
static napi_value keep(napi_env env, napi_callback_info info) {
  napi_value argv[1], before = NULL;
  t_args(env, info, argv, 1);
  if (kept) {
    T_OK(napi_get_reference_value(env, kept, &before));
    T_OK(napi_delete_reference(env, kept));
    kept = NULL;
  }
  if (!t_nullish(env, argv[0])) T_OK(napi_create_reference(env, argv[0], 1, &kept));
  return before;
}

/* (steps): +1 and -1 for ref and unref of what is kept: the counts after each. */
static napi_value step(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env), value;
  uint32_t length, count = 0;
  t_args(env, info, argv, 1);
  T_OK(napi_get_array_length(env, argv[0], &length));
  for (uint32_t i = 0; i < length; i++) {
    bool up = t_int(env, t_at(env, argv[0], i)) > 0;
    napi_status status = (up ? napi_reference_ref : napi_reference_unref)(env, kept, &count);
    T_OK(napi_get_reference_value(env, kept, &value));
    T_OK(napi_set_element(env, result, i, t_result(env, status, t_number(env, value ? count : -1.0))));
  }
  return result;
}

/* ---- Functions, properties --------------------------------------------------------------------------------------- */

/* `AddTwo(1)` of the document, found on the global object. */
static napi_value add_two(napi_env env, napi_callback_info info) {
  napi_value global, function, argument, returned;
  T_OK(napi_get_global(env, &global));
  T_OK(napi_get_named_property(env, global, "AddTwo", &function));
  T_OK(napi_create_int32(env, 1337, &argument));
  napi_status status = napi_call_function(env, global, function, 1, &argument, &returned);
  return t_result(env, status, status == napi_ok ? returned : NULL);
}

/* (function, value): calls it with the value and with "hello world", as the callback example does. */
static napi_value run_callback(napi_env env, napi_callback_info info) {
  napi_value argv[2], args[2], result, global;
  t_args(env, info, argv, 2);
  args[0] = t_string(env, "hello world");
  args[1] = argv[1];
  T_OK(napi_get_global(env, &global));
  if (napi_call_function(env, global, argv[0], 2, args, &result) != napi_ok) return NULL;
  return result;
}

/* The document's examples of properties, in their order: obj.myProp = 123; 'x' in obj; arr[123]; delete. */
static napi_value properties(napi_env env, napi_callback_info info) {
  napi_value object = t_object(env), array = t_array(env), result = t_array(env), value, key = t_string(env, "myProp");
  bool truth[5];
  T_OK(napi_set_property(env, object, key, t_number(env, 123)));
  T_OK(napi_has_property(env, object, key, &truth[0]));
  T_OK(napi_has_named_property(env, object, "toString", &truth[1]));
  T_OK(napi_has_own_property(env, object, t_string(env, "toString"), &truth[2]));
  T_OK(napi_set_element(env, array, 123, t_string(env, "hello")));
  T_OK(napi_has_element(env, array, 122, &truth[3]));
  T_OK(napi_get_element(env, array, 123, &value));
  T_OK(napi_set_element(env, result, 0, value));
  T_OK(napi_delete_element(env, array, 123, &truth[4]));
  for (uint32_t i = 0; i < 5; i++) T_OK(napi_set_element(env, result, i + 1, t_boolean(env, truth[i])));
  T_OK(napi_set_element(env, result, 6, array));
  T_OK(napi_set_element(env, result, 7, object));
  T_OK(napi_get_property_names(env, object, &value));
  T_OK(napi_set_element(env, result, 8, value));
  return result;
}

/* ---- Promises, scripts ------------------------------------------------------------------------------------------- */

/* (value, rejects, later): a promise that is concluded at once, or by conclude(). */
static napi_deferred deferred;

static napi_value promise(napi_env env, napi_callback_info info) {
  napi_value argv[3], result;
  t_args(env, info, argv, 3);
  T_OK(napi_create_promise(env, &deferred, &result));
  if (t_bool(env, argv[2])) return result;
  T_OK((t_bool(env, argv[1]) ? napi_reject_deferred : napi_resolve_deferred)(env, deferred, argv[0]));
  return result;
}

static napi_value conclude(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  T_OK((t_bool(env, argv[1]) ? napi_reject_deferred : napi_resolve_deferred)(env, deferred, argv[0]));
  return t_undefined(env);
}

static napi_value script(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_run_script(env, argv[0], &value);
  return t_result(env, status, value);
}

/* ---- The end ----------------------------------------------------------------------------------------------------- */

static void hook(void *arg) {
  printf("hook %s\n", (const char *)arg);
  fflush(stdout);
}

/* The hooks run in reverse order of being added, without those that were removed. */
static napi_value hooks(napi_env env, napi_callback_info info) {
  static char names[][2] = {"a", "b", "c", "d"};
  for (size_t i = 0; i < T_COUNT(names); i++) T_OK(napi_add_env_cleanup_hook(env, hook, names[i]));
  T_OK(napi_remove_env_cleanup_hook(env, hook, names[1]));
  T_OK(napi_remove_env_cleanup_hook(env, hook, names[3]));
  T_OK(napi_add_env_cleanup_hook(env, hook, names[1]));
  return NULL;
}

/* (location, message, explicit lengths) */
static napi_value fatal(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  char *location = t_text(env, argv[0]), *message = t_text(env, argv[1]);
  bool is_cut = t_bool(env, argv[2]);
  napi_fatal_error(location, is_cut ? 3 : NAPI_AUTO_LENGTH, message, is_cut ? 3 : NAPI_AUTO_LENGTH);
}

static const struct t_function functions[] = {
    {"errorInfo", error_info},
    {"cleanUpWhilePending", clean_up_while_pending},
    {"rethrow", rethrow},
    {"views", views},
    {"sum", sum},
    {"build", build},
    {"keep", keep},
    {"step", step},
    {"addTwo", add_two},
    {"runCallback", run_callback},
    {"properties", properties},
    {"promise", promise},
    {"conclude", conclude},
    {"script", script},
    {"hooks", hooks},
    {"fatal", fatal},
};
T_INIT(functions)
