/*
 * Objects, functions, errors and promises.
 */
#include "fake_napi.h"

struct fake_value *(*fake_script)(napi_env env, size_t argc, struct fake_value *const *argv);
static char fake_true[1];

/* ---- Exceptions ---- */

napi_status fake_throw(napi_env env, const char *text) {
  (void)text;
  env->exception = fake_make(FAKE_ERROR);
  return napi_pending_exception;
}

napi_status napi_throw(napi_env env, napi_value error) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(error);
  env->exception = error->value;
  return napi_ok;
}

/* Functions that make and throw errors with a code and a text. */
#define FAKE_ERRORS(prefix, name)                                                                                      \
  napi_status prefix##_throw_##name(napi_env env, const char *code, const char *text) {                                \
    volatile size_t length = (code == NULL ? 0 : strlen(code)) + (text == NULL ? 0 : strlen(text));                    \
    (void)length;                                                                                                      \
    FAKE_PREAMBLE(env);                                                                                                \
    fake_throw(env, "");                                                                                               \
    return napi_ok;                                                                                                    \
  }                                                                                                                    \
  napi_status prefix##_create_##name(napi_env env, napi_value code, napi_value text, napi_value *result) {             \
    FAKE_KIND(text, FAKE_STRING, napi_string_expected);                                                                \
    if (code != NULL && code->value->kind != FAKE_STRING) return napi_string_expected;                                 \
    FAKE_GIVE(result, fake_make(FAKE_ERROR));                                                                          \
  }
FAKE_ERRORS(napi, error)
FAKE_ERRORS(napi, type_error)
FAKE_ERRORS(napi, range_error)
FAKE_ERRORS(node_api, syntax_error)

napi_status napi_is_exception_pending(napi_env env, bool *result) {
  *result = env->exception != NULL;
  return napi_ok;
}

napi_status napi_get_and_clear_last_exception(napi_env env, napi_value *result) {
  if (env->exception == NULL) return napi_get_undefined(env, result);
  *result = fake_handle(env->exception);
  env->exception = NULL;
  return napi_ok;
}

napi_status napi_fatal_exception(napi_env env, napi_value error) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(error);
  return napi_ok;
}

/* ---- Objects of all sorts ---- */

napi_status napi_create_object(napi_env env, napi_value *result) {
  FAKE_GIVE(result, fake_make(FAKE_OBJECT));
}
napi_status napi_create_array(napi_env env, napi_value *result) {
  FAKE_GIVE(result, fake_make(FAKE_ARRAY));
}
napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *result) {
  if (length > (size_t)1 << 26) abort(); /* V8 ends the process */
  FAKE_GIVE(result, fake_make(FAKE_ARRAY));
}
napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *result) {
  FAKE_KIND(value, FAKE_ARRAY, napi_array_expected);
  *result = (uint32_t)value->value->property_count;
  return napi_ok;
}
napi_status napi_object_freeze(napi_env env, napi_value object) {
  FAKE_CHECK(object);
  return napi_ok;
}
napi_status napi_object_seal(napi_env env, napi_value object) {
  FAKE_CHECK(object);
  return napi_ok;
}
napi_status napi_strict_equals(napi_env env, napi_value a, napi_value b, bool *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(a);
  FAKE_CHECK(b);
  *result = fake_equal(a->value, b->value);
  return napi_ok;
}
napi_status napi_instanceof(napi_env env, napi_value object, napi_value constructor, bool *result) {
  FAKE_CHECK(object);
  FAKE_CHECK(constructor);
  *result = false;
  if (constructor->value->kind == FAKE_FUNCTION) return napi_ok;
  fake_throw(env, "Constructor must be a function");
  return napi_function_expected;
}

#define FAKE_IS(name, condition)                                                                                       \
  napi_status name(napi_env env, napi_value handle, bool *result) {                                                    \
    FAKE_CHECK(handle);                                                                                                \
    FAKE_CHECK(result);                                                                                                \
    const struct fake_value *value = handle->value;                                                                    \
    *result = (condition);                                                                                             \
    return napi_ok;                                                                                                    \
  }
FAKE_IS(napi_is_array, value->kind == FAKE_ARRAY)
FAKE_IS(napi_is_arraybuffer, value->kind == FAKE_ARRAYBUFFER)
FAKE_IS(napi_is_buffer, value->kind == FAKE_VIEW || value->kind == FAKE_DATAVIEW)
FAKE_IS(napi_is_typedarray, value->kind == FAKE_VIEW)
FAKE_IS(napi_is_dataview, value->kind == FAKE_DATAVIEW)
FAKE_IS(napi_is_date, value->kind == FAKE_DATE)
FAKE_IS(napi_is_error, value->kind == FAKE_ERROR)
FAKE_IS(napi_is_promise, value->kind == FAKE_PROMISE)
FAKE_IS(node_api_is_sharedarraybuffer, value->kind == FAKE_SHARED)
FAKE_IS(napi_is_detached_arraybuffer, value->kind == FAKE_ARRAYBUFFER && value->memory == NULL)

#define FAKE_COERCE(name, made)                                                                                        \
  napi_status napi_coerce_to_##name(napi_env env, napi_value value, napi_value *result) {                              \
    FAKE_PREAMBLE(env);                                                                                                \
    FAKE_CHECK(value);                                                                                                 \
    if (value->value->kind == made) FAKE_GIVE(result, value->value);                                                   \
    FAKE_GIVE(result, fake_make(made));                                                                                \
  }
FAKE_COERCE(bool, FAKE_BOOLEAN)
FAKE_COERCE(number, FAKE_NUMBER)
FAKE_COERCE(object, FAKE_OBJECT)

napi_status napi_coerce_to_string(napi_env env, napi_value value, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(value);
  FAKE_GIVE(result, value->value->kind == FAKE_STRING ? value->value : fake_text("a string"));
}

napi_status napi_create_external(napi_env env, void *data, napi_finalize call, void *hint, napi_value *result) {
  struct fake_value *value = fake_make(FAKE_EXTERNAL);
  value->data = data;
  fake_finalizer_add(&value->finalizers, env, call, data, hint);
  FAKE_GIVE(result, value);
}
napi_status napi_get_value_external(napi_env env, napi_value value, void **result) {
  FAKE_KIND(value, FAKE_EXTERNAL, napi_invalid_arg);
  *result = value->value->data;
  return napi_ok;
}

napi_status napi_wrap(napi_env env, napi_value object, void *data, napi_finalize call, void *hint, napi_ref *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  if (!fake_is_object(object->value)) return napi_object_expected;
  if (object->value->wrapped) return napi_invalid_arg;
  object->value->wrapped = true;
  object->value->wrap = data;
  fake_finalizer_add(&object->value->wrap_finalizer, env, call, data, hint);
  return result == NULL ? napi_ok : napi_create_reference(env, object, 0, result);
}
napi_status napi_unwrap(napi_env env, napi_value object, void **result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  if (!object->value->wrapped) return napi_invalid_arg;
  *result = object->value->wrap;
  return napi_ok;
}
napi_status napi_remove_wrap(napi_env env, napi_value object, void **result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  if (!object->value->wrapped) return napi_invalid_arg;
  if (result != NULL) *result = object->value->wrap;
  object->value->wrapped = false;
  free(object->value->wrap_finalizer);
  object->value->wrap_finalizer = NULL;
  return napi_ok;
}
napi_status napi_add_finalizer(napi_env env, napi_value object, void *data, napi_finalize call, void *hint,
                               napi_ref *result) {
  FAKE_CHECK(object);
  if (!fake_is_object(object->value)) return napi_invalid_arg;
  fake_finalizer_add(&object->value->finalizers, env, call, data, hint);
  return result == NULL ? napi_ok : napi_create_reference(env, object, 0, result);
}
/* The real functions follow what an external holds: only those that a host made come here. */
napi_status napi_type_tag_object(napi_env env, napi_value object, const napi_type_tag *tag) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  return fake_is_object(object->value) ? napi_ok : napi_object_expected;
}
napi_status napi_check_object_type_tag(napi_env env, napi_value object, const napi_type_tag *tag, bool *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  *result = false;
  return fake_is_object(object->value) ? napi_ok : napi_object_expected;
}

/* ---- Functions ---- */

struct fake_value *fake_call(napi_env env, struct fake_value *function, struct fake_value *this_value, size_t argc,
                             struct fake_value *const *argv, struct fake_value *new_target) {
  napi_handle_scope scope;
  if (function->data == fake_true) {
    struct fake_value *truth = fake_make(FAKE_BOOLEAN);
    truth->number = 1;
    return truth;
  }
  if (function->call == NULL) return fake_script(env, argc, argv);
  struct napi_callback_info__ info = {this_value, argv, argc, new_target, function->data};
  napi_env callee = function->env;
  struct fake_value *value = NULL;
  napi_open_handle_scope(callee, &scope);
  napi_value result = function->call(callee, &info);
  if (result != NULL) value = result->value;
  napi_close_handle_scope(callee, scope);
  if (callee->exception != NULL) {
    if (env != callee) env->exception = callee->exception;
    if (env != callee) callee->exception = NULL;
    return NULL;
  }
  return value == NULL ? fake_make(FAKE_UNDEFINED) : value;
}

napi_status napi_create_function(napi_env env, const char *name, size_t length, napi_callback call, void *data,
                                 napi_value *result) {
  FAKE_PREAMBLE(env);
  struct fake_value *value = fake_make(FAKE_FUNCTION);
  value->env = env;
  value->call = call;
  value->data = data;
  FAKE_GIVE(result, value);
}

napi_status napi_define_class(napi_env env, const char *name, size_t length, napi_callback call, void *data,
                              size_t count, const napi_property_descriptor *properties, napi_value *result) {
  napi_status status = napi_create_function(env, name, length, call, data, result);
  return status == napi_ok ? napi_define_properties(env, *result, count, properties) : status;
}

static napi_status call_with(napi_env env, napi_value function, struct fake_value *this_value, size_t argc,
                             const napi_value *argv, bool is_new, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(function);
  if (function->value->kind != FAKE_FUNCTION) return is_new ? napi_invalid_arg : napi_function_expected;
  struct fake_value *list[16];
  for (size_t i = 0; i < argc; i++) {
    struct fake_value *value = argv[i]->value; /* V8 does not survive an empty handle */
    if (i < 16) list[i] = value;
  }
  struct fake_value *value =
      fake_call(env, function->value, this_value, argc > 16 ? 16 : argc, list, is_new ? function->value : NULL);
  if (value == NULL) return napi_pending_exception;
  if (result != NULL) *result = fake_handle(value);
  return napi_ok;
}

napi_status napi_call_function(napi_env env, napi_value recv, napi_value function, size_t argc, const napi_value *argv,
                               napi_value *result) {
  FAKE_CHECK(recv);
  return call_with(env, function, recv->value, argc, argv, false, result);
}
napi_status napi_new_instance(napi_env env, napi_value function, size_t argc, const napi_value *argv,
                              napi_value *result) {
  return call_with(env, function, fake_make(FAKE_OBJECT), argc, argv, true, result);
}
napi_status napi_make_callback(napi_env env, napi_async_context context, napi_value recv, napi_value function,
                               size_t argc, const napi_value *argv, napi_value *result) {
  FAKE_CHECK(recv);
  return call_with(env, function, recv->value, argc, argv, false, result);
}
napi_status napi_run_script(napi_env env, napi_value script, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_KIND(script, FAKE_STRING, napi_string_expected);
  struct fake_value *value = fake_make(FAKE_FUNCTION);
  value->data = fake_true; /* of the agent's, only one is run */
  FAKE_GIVE(result, value);
}

napi_status napi_get_cb_info(napi_env env, napi_callback_info info, size_t *argc, napi_value *argv,
                             napi_value *this_arg, void **data) {
  if (argv != NULL) {
    for (size_t i = 0; i < *argc; i++) {
      if (i < info->argc) {
        argv[i] = fake_handle(info->argv[i]);
      } else {
        napi_get_undefined(env, &argv[i]);
      }
    }
  }
  if (argc != NULL) *argc = info->argc;
  if (this_arg != NULL) *this_arg = fake_handle(info->this_value);
  if (data != NULL) *data = info->data;
  return napi_ok;
}
napi_status napi_get_new_target(napi_env env, napi_callback_info info, napi_value *result) {
  *result = info->new_target == NULL ? NULL : fake_handle(info->new_target);
  return napi_ok;
}

/* ---- Promises ---- */

struct napi_deferred__ {
  struct fake_value *promise;
};

napi_status napi_create_promise(napi_env env, napi_deferred *deferred, napi_value *promise) {
  FAKE_PREAMBLE(env);
  *deferred = fake_alloc(sizeof **deferred);
  FAKE_GIVE(promise, fake_make(FAKE_PROMISE));
}
static napi_status conclude(napi_env env, napi_deferred deferred, napi_value value) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(value);
  fake_free(deferred);
  return napi_ok;
}
napi_status napi_resolve_deferred(napi_env env, napi_deferred deferred, napi_value resolution) {
  return conclude(env, deferred, resolution);
}
napi_status napi_reject_deferred(napi_env env, napi_deferred deferred, napi_value rejection) {
  return conclude(env, deferred, rejection);
}
