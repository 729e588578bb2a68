/*
 * Buffers, ArrayBuffers and views. Their bytes are pairs (memory.c); what came along with an argument is answered here.
 */
#include "client/client-private.h"

/* The view of a value that came along, when it still holds. */
static const Nr__View *known_view(napi_env env, nr_value value) {
  const struct nr_known *known = nr_known(env->channel, value);
  return (nr_known_shape(env->channel, known) & NR_SHAPE_VIEW) != 0 ? &known->view : NULL;
}

/* Is the native address to be had without asking? Not for a window whose bytes did not come along. */
static void *known_bytes(napi_env env, const Nr__View *view) {
  return nr_memory_view(env->channel, view, NULL);
}

static napi_status wait_for_bytes(struct nr_call *call) {
  nr_memory_flush(call->env->channel, call->env); /* the server sends the bytes as it has them */
  return nr_call_wait(call);
}

static uint32_t element_size(uint32_t type) {
  static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};
  return type < sizeof sizes ? sizes[type] : 1;
}

NR_EXPORT napi_status NAPI_CDECL napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  Nr__GetBufferInfoRequest request = NR__GET_BUFFER_INFO_REQUEST__INIT;
  request.value = nr_wire(value);
  request.want_data = data != NULL;
  const Nr__View *view = known_view(env, request.value);
  if (view != NULL && view->kind <= NR_VIEW_DATAVIEW) {
    Nr__ViewInfoReply reply = NR__VIEW_INFO_REPLY__INIT;
    reply.length = view->length;
    if (data != NULL) *data = known_bytes(env, view);
    if (length != NULL) *length = view->length;
    return nr_answer(env, NR_OP_NAPI_GET_BUFFER_INFO, &request.base, &reply.base, napi_ok);
  }
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_BUFFER_INFO, &request.base);
  napi_status status = wait_for_bytes(&call);
  if (status == napi_ok) {
    const Nr__ViewInfoReply *reply = call.reply;
    if (data != NULL) *data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
    if (length != NULL) *length = reply->length;
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_arraybuffer_info(napi_env env, napi_value arraybuffer, void **data,
                                                           size_t *byte_length) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, arraybuffer);
  Nr__GetArraybufferInfoRequest request = NR__GET_ARRAYBUFFER_INFO_REQUEST__INIT;
  request.arraybuffer = nr_wire(arraybuffer);
  request.want_data = data != NULL;
  const Nr__View *view = known_view(env, request.arraybuffer);
  if (view != NULL && view->kind == NR_VIEW_ARRAYBUFFER) {
    Nr__ViewInfoReply reply = NR__VIEW_INFO_REPLY__INIT;
    reply.length = view->length;
    if (data != NULL) *data = known_bytes(env, view);
    if (byte_length != NULL) *byte_length = view->length;
    return nr_answer(env, NR_OP_NAPI_GET_ARRAYBUFFER_INFO, &request.base, &reply.base, napi_ok);
  }
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_ARRAYBUFFER_INFO, &request.base);
  napi_status status = wait_for_bytes(&call);
  if (status == napi_ok) {
    const Nr__ViewInfoReply *reply = call.reply;
    if (data != NULL) *data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
    if (byte_length != NULL) *byte_length = reply->length;
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_typedarray_info(napi_env env, napi_value typedarray,
                                                          napi_typedarray_type *type, size_t *length, void **data,
                                                          napi_value *arraybuffer, size_t *byte_offset) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, typedarray);
  Nr__GetTypedarrayInfoRequest request = NR__GET_TYPEDARRAY_INFO_REQUEST__INIT;
  request.typedarray = nr_wire(typedarray);
  request.want_data = data != NULL;
  request.arraybuffer = NR_ABSENT;
  const Nr__View *view = arraybuffer == NULL ? known_view(env, request.typedarray) : NULL;
  if (view != NULL && view->kind < NR_VIEW_DATAVIEW) {
    Nr__ViewInfoReply reply = NR__VIEW_INFO_REPLY__INIT;
    reply.type = view->kind;
    reply.length = view->length / element_size(view->kind);
    reply.byte_offset = view->offset;
    reply.arraybuffer = NR_ABSENT;
    if (type != NULL) *type = (napi_typedarray_type)view->kind;
    if (length != NULL) *length = reply.length;
    if (data != NULL) *data = known_bytes(env, view);
    if (byte_offset != NULL) *byte_offset = view->offset;
    return nr_answer(env, NR_OP_NAPI_GET_TYPEDARRAY_INFO, &request.base, &reply.base, napi_ok);
  }
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_TYPEDARRAY_INFO, &request.base);
  if (arraybuffer != NULL) request.arraybuffer = nr_call_result(&call);
  napi_status status = wait_for_bytes(&call);
  if (status == napi_ok) {
    const Nr__ViewInfoReply *reply = call.reply;
    if (type != NULL) *type = (napi_typedarray_type)reply->type;
    if (length != NULL) *length = reply->length;
    if (data != NULL) *data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
    if (arraybuffer != NULL) *arraybuffer = nr_unwire(reply->arraybuffer);
    if (byte_offset != NULL) *byte_offset = reply->byte_offset;
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_dataview_info(napi_env env, napi_value dataview, size_t *bytelength,
                                                        void **data, napi_value *arraybuffer, size_t *byte_offset) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, dataview);
  Nr__GetDataviewInfoRequest request = NR__GET_DATAVIEW_INFO_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_DATAVIEW_INFO, &request.base);
  request.dataview = nr_wire(dataview);
  request.want_data = data != NULL;
  request.arraybuffer = arraybuffer == NULL ? NR_ABSENT : nr_call_result(&call);
  napi_status status = wait_for_bytes(&call);
  if (status == napi_ok) {
    const Nr__ViewInfoReply *reply = call.reply;
    if (bytelength != NULL) *bytelength = reply->length;
    if (data != NULL) *data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
    if (arraybuffer != NULL) *arraybuffer = nr_unwire(reply->arraybuffer);
    if (byte_offset != NULL) *byte_offset = reply->byte_offset;
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_arraybuffer(napi_env env, size_t byte_length, void **data,
                                                         napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateArraybufferRequest request = NR__CREATE_ARRAYBUFFER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_ARRAYBUFFER, &request.base);
  request.byte_length = byte_length;
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__ViewReply *reply = call.reply;
    *result = nr_unwire(reply->result);
    if (data != NULL) *data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateBufferRequest request = NR__CREATE_BUFFER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_BUFFER, &request.base);
  request.length = length;
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__ViewReply *reply = call.reply;
    *result = nr_unwire(reply->result);
    if (data != NULL) *data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_buffer_copy(napi_env env, size_t length, const void *data,
                                                         void **result_data, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateBufferCopyRequest request = NR__CREATE_BUFFER_COPY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_BUFFER_COPY, &request.base);
  request.data = nr_call_bytes(&call, data, length);
  request.want_data = result_data != NULL;
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__ViewReply *reply = call.reply;
    *result = nr_unwire(reply->result);
    if (result_data != NULL)
      *result_data = reply->view == NULL ? NULL : nr_memory_view(env->channel, reply->view, &call.frame);
  }
  return nr_call_end(&call, status);
}
