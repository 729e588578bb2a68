/*
 * Memory: ArrayBuffers, Buffers and other views.
 */
#include "fake_napi.h"

#define LENGTH_MAX ((size_t)64 << 20)

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
