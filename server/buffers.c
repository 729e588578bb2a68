/*
 * Buffers, ArrayBuffers and views: making them, and finding out about them. Their bytes are pairs (memory.c).
 */
#include <string.h>

#include "handlers.h"

static bool describe(struct nr_dispatch *d, napi_value value, bool shows, Nr__View **result) {
  Nr__View *view = nr_dispatch_alloc(d, sizeof *view);
  if (view == NULL) return false;
  nr__view__init(view);
  if (!nr_memory_describe(d->connection, d->napi, value, shows ? NR_SHOW_BYTES : NR_SHOW_NOTHING, view)) return false;
  *result = view;
  return true;
}

/* What V8 cannot allocate ends Node, in one process as well; here it is a status. */
static bool is_too_large(uint64_t length) {
  return length > NR_TAIL_MAX;
}

typedef napi_status create(napi_env napi, size_t length, void **bytes, napi_value *result);

static napi_status create_arraybuffer(struct nr_dispatch *d, const Nr__CreateArraybufferRequest *request,
                                      Nr__ViewReply *reply, create *create_real) {
  napi_value result = NULL;
  void *bytes = NULL;
  if (is_too_large(request->byte_length)) return napi_generic_failure;
  NR_TRY(create_real(d->napi, request->byte_length, &bytes, &result));
  NR_TRY(nr_give(d, request->result, result, &reply->result));
  return describe(d, result, true, &reply->view) ? napi_ok : napi_generic_failure;
}

napi_status nr_serve_napi_create_arraybuffer(struct nr_dispatch *d, const void *message, void *answer) {
  return create_arraybuffer(d, message, answer, napi_create_arraybuffer);
}

napi_status nr_serve_node_api_create_sharedarraybuffer(struct nr_dispatch *d, const void *message, void *answer) {
  if (node_api_create_sharedarraybuffer == NULL) return nr_lacks(d, "node_api_create_sharedarraybuffer");
  return create_arraybuffer(d, message, answer, node_api_create_sharedarraybuffer);
}

napi_status nr_serve_napi_create_buffer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateBufferRequest *request = message;
  Nr__ViewReply *reply = answer;
  napi_value result = NULL;
  void *bytes = NULL;
  if (is_too_large(request->length)) return napi_generic_failure;
  NR_TRY(napi_create_buffer(d->napi, request->length, &bytes, &result));
  /* Node leaves what was there before; that is Node's memory, and not for the host to see. */
  if (bytes != NULL) memset(bytes, 0, request->length);
  NR_TRY(nr_give(d, request->result, result, &reply->result));
  if (!describe(d, result, true, &reply->view)) return napi_generic_failure;
  return napi_ok;
}

napi_status nr_serve_napi_create_buffer_copy(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateBufferCopyRequest *request = message;
  Nr__ViewReply *reply = answer;
  napi_value result = NULL;
  const char *data;
  size_t length;
  NR_TAKE_BYTES(d, request->data, &data, &length);
  NR_TRY(napi_create_buffer_copy(d->napi, length, data == NULL ? "" : data, NULL, &result));
  NR_TRY(nr_give(d, request->result, result, &reply->result));
  if (request->want_data && !describe(d, result, true, &reply->view)) return napi_generic_failure;
  return napi_ok;
}

napi_status nr_serve_napi_get_buffer_info(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetBufferInfoRequest *request = message;
  Nr__ViewInfoReply *reply = answer;
  napi_value value;
  size_t length = 0;
  NR_TAKE(d, request->value, &value);
  NR_TRY(napi_get_buffer_info(d->napi, value, NULL, &length));
  reply->length = length;
  if (!describe(d, value, request->want_data, &reply->view)) return napi_generic_failure;
  return napi_ok;
}

napi_status nr_serve_napi_get_arraybuffer_info(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetArraybufferInfoRequest *request = message;
  Nr__ViewInfoReply *reply = answer;
  napi_value value;
  size_t length = 0;
  NR_TAKE(d, request->arraybuffer, &value);
  NR_TRY(napi_get_arraybuffer_info(d->napi, value, NULL, &length));
  reply->length = length;
  if (!describe(d, value, request->want_data, &reply->view)) return napi_generic_failure;
  return napi_ok;
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
