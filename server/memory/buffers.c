/*
 * Buffers, ArrayBuffers and views: making them, and finding out about them. Their bytes are pairs (memory.c).
 */
#include <stdlib.h>

#include "handlers.h"
#include "server/memory/exchange.h"
#include "server/memory/memory.h"

/* From here on malloc() is asked first. (A mapping that is undone at once.) */
#define NR_PROBED (UINT64_C(64) << 20)

/* Nothing, where the bytes were not asked for. */
static bool describe(struct nr_dispatch *d, napi_value value, bool shows, Nr__View **result) {
  if (!shows) return true;
  Nr__View *view = nr_dispatch_alloc(d, sizeof *view);
  if (view == NULL) return false;
  nr__view__init(view);
  if (!nr_memory_describe(d->connection, d->napi, value, false, UINT64_MAX, view)) return false;
  *result = view;
  return true;
}

/* What V8 cannot allocate ends Node, in one process as well; here it is an error. */
static napi_status check_room(struct nr_dispatch *d, uint64_t length, const char *code, const char *text) {
  bool fits = nr_memory_fits(d->connection, length);
  if (fits && length >= NR_PROBED) {
    void *probe = malloc(length);
    fits = probe != NULL;
    free(probe);
  }
  if (fits) return napi_ok;
  napi_throw_range_error(d->napi, code, text);
  return napi_pending_exception;
}

typedef napi_status create(napi_env napi, size_t length, void **bytes, napi_value *result);

static napi_status make(struct nr_dispatch *d, uint64_t length, create *create_real, bool zeros, nr_value id,
                        Nr__ViewReply *reply) {
  napi_value result = NULL;
  void *bytes = NULL;
  reply->view = nr_dispatch_alloc(d, sizeof *reply->view);
  if (reply->view == NULL) return napi_generic_failure;
  nr__view__init(reply->view);
  struct nr_birth birth = {.begun = false};
  bool shareable = !d->connection->apart && nr_birth_begin(&birth, length);
  napi_status status = create_real(d->napi, length, &bytes, &result);
  nr_birth_end(&birth);
  NR_TRY(status);
  NR_TRY(nr_give(d, id, result, &reply->result));
  return nr_memory_describe_made(d->connection, d->napi, result, shareable, zeros, reply->view) ? napi_ok
                                                                                                : napi_generic_failure;
}

napi_status nr_serve_napi_create_arraybuffer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateArraybufferRequest *request = message;
  Nr__ViewReply *reply = answer;
  NR_TRY(check_room(d, request->byte_length, NULL, "Array buffer allocation failed"));
  return make(d, request->byte_length, napi_create_arraybuffer, true, request->result, reply);
}

napi_status nr_serve_node_api_create_sharedarraybuffer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateArraybufferRequest *request = message;
  Nr__ViewReply *reply = answer;
  if (node_api_create_sharedarraybuffer == NULL) return nr_lacks(d, "node_api_create_sharedarraybuffer");
  NR_TRY(check_room(d, request->byte_length, NULL, "Array buffer allocation failed"));
  return make(d, request->byte_length, node_api_create_sharedarraybuffer, true, request->result, reply);
}

static napi_status make_buffer(struct nr_dispatch *d, uint64_t length, nr_value id, Nr__ViewReply *reply) {
  /* Beyond its limit the real function throws by itself. */
  if (length <= d->connection->agent->buffer_max)
    NR_TRY(check_room(d, length, "ERR_MEMORY_ALLOCATION_FAILED", "Failed to allocate memory"));
  return make(d, length, napi_create_buffer, false, id, reply);
}

napi_status nr_serve_napi_create_buffer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateBufferRequest *request = message;
  return make_buffer(d, request->length, request->result, answer);
}

napi_status nr_serve_napi_create_buffer_copy(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateBufferCopyRequest *request = message;
  Nr__ViewReply *reply = answer;
  napi_value result = NULL;
  const char *data;
  size_t length;
  /* The host copies: into memory that both have. */
  if (request->length > 0) return make_buffer(d, request->length, request->result, reply);
  NR_TAKE_BYTES(d, request->data, &data, &length);
  NR_TRY(napi_create_buffer_copy(d->napi, length, data == NULL ? "" : data, NULL, &result));
  NR_TRY(nr_give(d, request->result, result, &reply->result));
  if (!describe(d, result, request->want_data, &reply->view)) return napi_generic_failure;
  return napi_ok;
}

typedef napi_status get_info(napi_env napi, napi_value value, void **bytes, size_t *length);

static napi_status inform(struct nr_dispatch *d, nr_value id, bool want_data, get_info *get_real,
                          Nr__ViewInfoReply *reply) {
  napi_value value;
  size_t length = 0;
  NR_TAKE(d, id, &value);
  NR_TRY(get_real(d->napi, value, NULL, &length));
  reply->length = length;
  return describe(d, value, want_data, &reply->view) ? napi_ok : napi_generic_failure;
}

napi_status nr_serve_napi_get_buffer_info(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetBufferInfoRequest *request = message;
  return inform(d, request->value, request->want_data, napi_get_buffer_info, answer);
}

napi_status nr_serve_napi_get_arraybuffer_info(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetArraybufferInfoRequest *request = message;
  return inform(d, request->arraybuffer, request->want_data, napi_get_arraybuffer_info, answer);
}

napi_status nr_serve_napi_get_typedarray_info(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetTypedarrayInfoRequest *request = message;
  Nr__ViewInfoReply *reply = answer;
  napi_value value, buffer = NULL;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0, offset = 0;
  NR_TAKE(d, request->typedarray, &value);
  NR_TRY(napi_get_typedarray_info(d->napi, value, &type, &length, NULL,
                                  request->arraybuffer == NR_ABSENT ? NULL : &buffer, &offset));
  reply->type = (uint32_t)type;
  reply->length = length;
  reply->byte_offset = offset;
  NR_TRY(nr_give(d, request->arraybuffer, buffer, &reply->arraybuffer));
  if (!describe(d, value, request->want_data, &reply->view)) return napi_generic_failure;
  return napi_ok;
}

napi_status nr_serve_napi_get_dataview_info(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetDataviewInfoRequest *request = message;
  Nr__ViewInfoReply *reply = answer;
  napi_value value, buffer = NULL;
  size_t length = 0, offset = 0;
  NR_TAKE(d, request->dataview, &value);
  NR_TRY(napi_get_dataview_info(d->napi, value, &length, NULL, request->arraybuffer == NR_ABSENT ? NULL : &buffer,
                                &offset));
  reply->length = length;
  reply->byte_offset = offset;
  NR_TRY(nr_give(d, request->arraybuffer, buffer, &reply->arraybuffer));
  if (!describe(d, value, request->want_data, &reply->view)) return napi_generic_failure;
  return napi_ok;
}
