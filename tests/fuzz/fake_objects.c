/*
 * Objects, functions, errors, and memory.
 */
#include "fake_napi.h"

#define LENGTH_MAX ((size_t)64 << 20)

struct fake_value *(*fake_script)(napi_env env, size_t argc, struct fake_value *const *argv);
static char fake_true[1];

static napi_status give_made(napi_value *result, enum fake_kind kind) {
  FAKE_GIVE(result, fake_make(kind));
}

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
    return give_made(result, FAKE_ERROR);                                                                              \
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

/* ---- Properties ---- */

static struct fake_property *find(struct fake_value *object, const struct fake_value *key) {
  for (size_t i = 0; i < object->property_count; i++) {
    if (fake_equal(object->properties[i].key, key)) return &object->properties[i];
  }
  return NULL;
}

static void set(struct fake_value *object, struct fake_value *key, struct fake_value *value, bool getter) {
  struct fake_property *property = find(object, key);
  if (property == NULL && object->property_count == FAKE_PROPERTIES) return;
  if (property == NULL) property = &object->properties[object->property_count++];
  *property = (struct fake_property){key, value, getter};
}

static napi_status get(napi_env env, napi_value object, struct fake_value *key, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_CHECK(result);
  if (object->value->kind <= FAKE_NULL) return napi_object_expected;
  struct fake_property *property = find(object->value, key);
  if (property == NULL) return napi_get_undefined(env, result);
  struct fake_value *value = property->value;
  if (property->getter) value = fake_call(env, value, object->value, 0, NULL, NULL);
  if (value == NULL) return napi_pending_exception;
  FAKE_GIVE(result, value);
}

static napi_status set_in(napi_env env, napi_value object, struct fake_value *key, napi_value value) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_CHECK(value);
  if (object->value->kind <= FAKE_NULL) return napi_object_expected;
  set(object->value, key, value->value, false);
  return napi_ok;
}

static napi_status has(napi_env env, napi_value object, struct fake_value *key, bool *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  FAKE_CHECK(result);
  if (object->value->kind <= FAKE_NULL) return napi_object_expected;
  *result = find(object->value, key) != NULL;
  return napi_ok;
}

static napi_status delete (napi_env env, napi_value object, struct fake_value *key, bool *result) {
  bool found = false;
  napi_status status = has(env, object, key, &found);
  if (found) *find(object->value, key) = object->value->properties[--object->value->property_count];
  if (result != NULL) *result = true;
  return status;
}

static struct fake_value *index_key(uint32_t index) {
  struct fake_value *key = fake_make(FAKE_NUMBER);
  key->number = index;
  return key;
}

napi_status napi_get_property(napi_env env, napi_value object, napi_value key, napi_value *result) {
  FAKE_CHECK(key);
  return get(env, object, key->value, result);
}
napi_status napi_get_named_property(napi_env env, napi_value object, const char *name, napi_value *result) {
  FAKE_CHECK(name);
  return get(env, object, fake_text(name), result);
}
napi_status napi_get_element(napi_env env, napi_value object, uint32_t index, napi_value *result) {
  return get(env, object, index_key(index), result);
}
napi_status napi_get_prototype(napi_env env, napi_value object, napi_value *result) {
  return give_made(result, FAKE_OBJECT);
}
napi_status napi_set_property(napi_env env, napi_value object, napi_value key, napi_value value) {
  FAKE_CHECK(key);
  return set_in(env, object, key->value, value);
}
napi_status napi_set_named_property(napi_env env, napi_value object, const char *name, napi_value value) {
  FAKE_CHECK(name);
  return set_in(env, object, fake_text(name), value);
}
napi_status napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value) {
  return set_in(env, object, index_key(index), value);
}
napi_status node_api_set_prototype(napi_env env, napi_value object, napi_value value) {
  FAKE_CHECK(object);
  FAKE_CHECK(value);
  if (object->value->kind == FAKE_EXTERNAL || value->value->kind == FAKE_EXTERNAL) abort();
  return napi_ok;
}
napi_status napi_has_property(napi_env env, napi_value object, napi_value key, bool *result) {
  FAKE_CHECK(key);
  return has(env, object, key->value, result);
}
napi_status napi_has_own_property(napi_env env, napi_value object, napi_value key, bool *result) {
  FAKE_CHECK(key);
  return has(env, object, key->value, result);
}
napi_status napi_has_named_property(napi_env env, napi_value object, const char *name, bool *result) {
  FAKE_CHECK(name);
  return has(env, object, fake_text(name), result);
}
napi_status napi_has_element(napi_env env, napi_value object, uint32_t index, bool *result) {
  return has(env, object, index_key(index), result);
}
napi_status napi_delete_property(napi_env env, napi_value object, napi_value key, bool *result) {
  FAKE_CHECK(key);
  return delete (env, object, key->value, result);
}
napi_status napi_delete_element(napi_env env, napi_value object, uint32_t index, bool *result) {
  return delete (env, object, index_key(index), result);
}
napi_status napi_get_property_names(napi_env env, napi_value object, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  return give_made(result, FAKE_ARRAY);
}
napi_status napi_get_all_property_names(napi_env env, napi_value object, napi_key_collection_mode mode,
                                        napi_key_filter filter, napi_key_conversion conversion, napi_value *result) {
  return napi_get_property_names(env, object, result);
}

static void define(napi_env env, struct fake_value *object, const napi_property_descriptor *property) {
  struct fake_value *key = property->utf8name == NULL ? property->name->value : fake_text(property->utf8name);
  napi_callback call = property->getter != NULL ? property->getter : property->method;
  struct fake_value *value = NULL;
  if (call != NULL) {
    value = fake_make(FAKE_FUNCTION);
    value->env = env;
    value->call = call;
    value->data = property->data;
  } else if (property->value != NULL) {
    value = property->value->value;
  }
  if (value != NULL) set(object, key, value, property->getter != NULL);
}

napi_status napi_define_properties(napi_env env, napi_value object, size_t count,
                                   const napi_property_descriptor *properties) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(object);
  if (!fake_is_object(object->value)) return napi_object_expected;
  for (size_t i = 0; i < count; i++) {
    if (properties[i].utf8name == NULL && properties[i].name == NULL) return napi_name_expected;
    define(env, object->value, &properties[i]);
  }
  return napi_ok;
}

/* ---- Objects of all sorts ---- */

napi_status napi_create_object(napi_env env, napi_value *result) {
  return give_made(result, FAKE_OBJECT);
}
napi_status napi_create_array(napi_env env, napi_value *result) {
  return give_made(result, FAKE_ARRAY);
}
napi_status napi_create_array_with_length(napi_env env, size_t length, napi_value *result) {
  if (length > (size_t)1 << 26) abort(); /* V8 ends the process */
  return give_made(result, FAKE_ARRAY);
}
napi_status napi_get_array_length(napi_env env, napi_value value, uint32_t *result) {
  FAKE_KIND(value, FAKE_ARRAY, napi_array_expected);
  *result = (uint32_t)value->value->property_count;
  return napi_ok;
}
napi_status node_api_create_object_with_properties(napi_env env, napi_value prototype, const napi_value *names,
                                                   const napi_value *list, size_t count, napi_value *result) {
  struct fake_value *object = fake_make(FAKE_OBJECT);
  for (size_t i = 0; i < count; i++) set(object, names[i]->value, list[i]->value, false);
  FAKE_GIVE(result, object);
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
    return give_made(result, made);                                                                                    \
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
  return give_made(promise, FAKE_PROMISE);
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

/* ---- Memory ---- */

static struct fake_value *make_buffer(enum fake_kind kind, void *memory, size_t length) {
  struct fake_value *buffer = fake_make(kind);
  buffer->borrowed = memory != NULL;
  buffer->memory = memory != NULL ? memory : calloc(1, length + 1);
  buffer->length = length;
  return buffer;
}

static struct fake_value *make_view(struct fake_value *buffer, napi_typedarray_type type, size_t offset, size_t length,
                                    bool is_buffer) {
  struct fake_value *view = fake_make(FAKE_VIEW);
  view->buffer = buffer;
  view->type = type;
  view->offset = offset;
  view->length = length;
  view->is_buffer = is_buffer;
  return view;
}

static void *memory_of(const struct fake_value *view) {
  return view->buffer->memory == NULL ? NULL : view->buffer->memory + view->offset;
}

static napi_status give_arraybuffer(napi_env env, enum fake_kind kind, size_t length, void **data, napi_value *result) {
  FAKE_PREAMBLE(env);
  if (length > LENGTH_MAX) return fake_throw(env, "Array buffer allocation failed");
  struct fake_value *buffer = make_buffer(kind, NULL, length);
  if (data != NULL) *data = buffer->memory;
  FAKE_GIVE(result, buffer);
}

napi_status napi_create_arraybuffer(napi_env env, size_t length, void **data, napi_value *result) {
  return give_arraybuffer(env, FAKE_ARRAYBUFFER, length, data, result);
}
napi_status node_api_create_sharedarraybuffer(napi_env env, size_t length, void **data, napi_value *result) {
  return give_arraybuffer(env, FAKE_SHARED, length, data, result);
}

static napi_status give_buffer(napi_env env, size_t length, const void *from, void **data, napi_value *result) {
  FAKE_PREAMBLE(env);
  if (length > LENGTH_MAX) return fake_throw(env, "Invalid typed array length");
  struct fake_value *buffer = make_buffer(FAKE_ARRAYBUFFER, NULL, length);
  if (from != NULL) memcpy(buffer->memory, from, length);
  if (data != NULL) *data = buffer->memory;
  FAKE_GIVE(result, make_view(buffer, napi_uint8_array, 0, length, true));
}

napi_status napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result) {
  return give_buffer(env, length, NULL, data, result);
}
napi_status napi_create_buffer_copy(napi_env env, size_t length, const void *from, void **data, napi_value *result) {
  return give_buffer(env, length, from, data, result);
}

static struct fake_value *make_external(napi_env env, enum fake_kind kind, void *data, size_t length,
                                        napi_finalize call, void *hint) {
  struct fake_value *buffer = make_buffer(kind, data, length);
  fake_finalizer_add(&buffer->finalizers, env, call, data, hint);
  return buffer;
}

napi_status napi_create_external_arraybuffer(napi_env env, void *data, size_t length, napi_finalize call, void *hint,
                                             napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_GIVE(result, make_external(env, FAKE_ARRAYBUFFER, data, length, call, hint));
}
napi_status napi_create_external_buffer(napi_env env, size_t length, void *data, napi_finalize call, void *hint,
                                        napi_value *result) {
  FAKE_PREAMBLE(env);
  struct fake_value *buffer = make_external(env, FAKE_ARRAYBUFFER, data, length, call, hint);
  FAKE_GIVE(result, make_view(buffer, napi_uint8_array, 0, length, true));
}

/* This finalizer gets no env. */
struct shared_end {
  void (*call)(void *data, void *hint);
  void *hint;
};
static void end_shared(napi_env env, void *data, void *hint) {
  struct shared_end end = *(struct shared_end *)hint;
  free(hint);
  if (end.call != NULL) end.call(data, end.hint);
}
napi_status node_api_create_external_sharedarraybuffer(napi_env env, void *data, size_t length,
                                                       void (*call)(void *data, void *hint), void *hint,
                                                       napi_value *result) {
  FAKE_PREAMBLE(env);
  struct shared_end *end = calloc(1, sizeof *end);
  *end = (struct shared_end){call, hint};
  FAKE_GIVE(result, make_external(env, FAKE_SHARED, data, length, end_shared, end));
}

static size_t unit_of(napi_typedarray_type type) {
  static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  return (size_t)type < sizeof sizes ? sizes[type] : 1;
}

napi_status napi_create_typedarray(napi_env env, napi_typedarray_type type, size_t length, napi_value arraybuffer,
                                   size_t offset, napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(arraybuffer);
  if (arraybuffer->value->kind != FAKE_ARRAYBUFFER) return napi_invalid_arg;
  if (type > napi_biguint64_array) return napi_invalid_arg;
  size_t unit = unit_of(type);
  if (length > SIZE_MAX / unit || length * unit + offset < offset) abort(); /* nobody else looks */
  if (offset % unit != 0) return fake_throw(env, "start offset");
  if (length * unit + offset > arraybuffer->value->length) return fake_throw(env, "Invalid typed array length");
  FAKE_GIVE(result, make_view(arraybuffer->value, type, offset, length * unit, false));
}

napi_status napi_create_dataview(napi_env env, size_t length, napi_value arraybuffer, size_t offset,
                                 napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(arraybuffer);
  if (arraybuffer->value->kind != FAKE_ARRAYBUFFER) return napi_invalid_arg;
  if (length + offset < offset) abort();
  if (length + offset > arraybuffer->value->length) return fake_throw(env, "byte_offset");
  struct fake_value *view = make_view(arraybuffer->value, 0, offset, length, false);
  view->kind = FAKE_DATAVIEW;
  FAKE_GIVE(result, view);
}

napi_status node_api_create_buffer_from_arraybuffer(napi_env env, napi_value arraybuffer, size_t offset, size_t length,
                                                    napi_value *result) {
  FAKE_PREAMBLE(env);
  FAKE_CHECK(arraybuffer);
  if (arraybuffer->value->kind != FAKE_ARRAYBUFFER) return napi_arraybuffer_expected;
  if (length + offset < offset) abort();
  if (length + offset > arraybuffer->value->length) return fake_throw(env, "The byte offset + length is out of range");
  FAKE_GIVE(result, make_view(arraybuffer->value, napi_uint8_array, offset, length, true));
}

napi_status napi_get_arraybuffer_info(napi_env env, napi_value value, void **data, size_t *length) {
  FAKE_CHECK(value);
  if (value->value->kind != FAKE_ARRAYBUFFER && value->value->kind != FAKE_SHARED) return napi_invalid_arg;
  if (data != NULL) *data = value->value->memory;
  if (length != NULL) *length = value->value->length;
  return napi_ok;
}
napi_status napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length) {
  FAKE_CHECK(value);
  if (value->value->kind != FAKE_VIEW && value->value->kind != FAKE_DATAVIEW) return napi_invalid_arg;
  if (data != NULL) *data = memory_of(value->value);
  if (length != NULL) *length = value->value->length;
  return napi_ok;
}
napi_status napi_get_typedarray_info(napi_env env, napi_value value, napi_typedarray_type *type, size_t *length,
                                     void **data, napi_value *arraybuffer, size_t *offset) {
  FAKE_KIND(value, FAKE_VIEW, napi_invalid_arg);
  const struct fake_value *view = value->value;
  if (type != NULL) *type = view->type;
  if (length != NULL) *length = view->length / unit_of(view->type);
  if (data != NULL) *data = memory_of(view);
  if (arraybuffer != NULL) *arraybuffer = fake_handle(view->buffer);
  if (offset != NULL) *offset = view->offset;
  return napi_ok;
}
napi_status napi_get_dataview_info(napi_env env, napi_value value, size_t *length, void **data, napi_value *arraybuffer,
                                   size_t *offset) {
  FAKE_KIND(value, FAKE_DATAVIEW, napi_invalid_arg);
  if (length != NULL) *length = value->value->length;
  if (data != NULL) *data = memory_of(value->value);
  if (arraybuffer != NULL) *arraybuffer = fake_handle(value->value->buffer);
  if (offset != NULL) *offset = value->value->offset;
  return napi_ok;
}
napi_status napi_detach_arraybuffer(napi_env env, napi_value value) {
  FAKE_KIND(value, FAKE_ARRAYBUFFER, napi_arraybuffer_expected);
  if (value->value->borrowed) return napi_detachable_arraybuffer_expected;
  free(value->value->memory);
  value->value->memory = NULL;
  value->value->length = 0;
  return napi_ok;
}
