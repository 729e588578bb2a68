/*
 * Views of ArrayBuffers. Where the ArrayBuffer is known and the view lies within it nothing can go wrong, and nobody
 * waits for it: bindings make each result in two steps, an ArrayBuffer of the addon's memory and a view of it.
 */
#include "client/client-private.h"

uint32_t nr_element_size(uint32_t type) {
  static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};
  return type < sizeof sizes ? sizes[type] : 1;
}

/* The last type that each Node has. */
#define NR_TYPES napi_biguint64_array

/* Does the ArrayBuffer have these bytes for certain? JavaScript that has run since may have detached or resized it. */
static const Nr__View *bytes_of(struct nr_call *call, nr_value arraybuffer, uint64_t offset, uint64_t length) {
  const Nr__View *view = nr_known_view(call->env->channel, arraybuffer);
  bool lies_within =
      view != NULL && view->kind == NR_VIEW_ARRAYBUFFER && offset <= view->length && length <= view->length - offset;
  return lies_within && nr_call_js_runs(call) ? view : NULL;
}

/* `of`: the ArrayBuffer's bytes when they are known, NULL otherwise. */
static napi_status create(struct nr_call *call, const Nr__View *of, uint32_t kind, uint64_t offset, uint64_t length,
                          nr_value *id, napi_value *result) {
  Nr__ValueReply local = NR__VALUE_REPLY__INIT;
  *id = nr_call_result(call);
  napi_status status = of != NULL ? nr_call_post(call) : nr_call_wait(call);
  if (status == napi_ok && of != NULL) {
    Nr__View view = *of;
    view.kind = kind;
    view.offset = offset;
    view.length = length;
    nr_learn_view(call, *id, &view);
    local.result = *id;
    call->reply = &local;
  }
  if (status == napi_ok) *result = nr_local(call, ((const Nr__ValueReply *)call->reply)->result);
  return nr_call_end(call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_typedarray(napi_env env, napi_typedarray_type type, size_t length,
                                                        napi_value arraybuffer, size_t byte_offset,
                                                        napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, arraybuffer);
  NR_CHECK_JS_ARG(env, result);
  Nr__CreateTypedarrayRequest request = NR__CREATE_TYPEDARRAY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_TYPEDARRAY, &request.base);
  uint32_t size = nr_element_size((uint32_t)type);
  request.type = (uint32_t)type;
  request.length = length;
  request.arraybuffer = nr_wire(arraybuffer);
  request.byte_offset = byte_offset;
  bool valid = (uint32_t)type <= NR_TYPES && byte_offset % size == 0 && length <= INT32_MAX;
  const Nr__View *of = valid ? bytes_of(&call, request.arraybuffer, byte_offset, (uint64_t)length * size) : NULL;
  return create(&call, of, request.type, byte_offset, (uint64_t)length * size, &request.result, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_dataview(napi_env env, size_t length, napi_value arraybuffer,
                                                      size_t byte_offset, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, arraybuffer);
  NR_CHECK_JS_ARG(env, result);
  Nr__CreateDataviewRequest request = NR__CREATE_DATAVIEW_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_DATAVIEW, &request.base);
  request.length = length;
  request.arraybuffer = nr_wire(arraybuffer);
  request.byte_offset = byte_offset;
  const Nr__View *of = bytes_of(&call, request.arraybuffer, byte_offset, length);
  return create(&call, of, NR_VIEW_DATAVIEW, byte_offset, length, &request.result, result);
}

/* Node leaves the result alone when it throws, and the last error when it refuses the value. */
NR_EXPORT napi_status NAPI_CDECL node_api_create_buffer_from_arraybuffer(napi_env env, napi_value arraybuffer,
                                                                         size_t byte_offset, size_t byte_length,
                                                                         napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, arraybuffer);
  NR_CHECK_JS_ARG(env, result);
  Nr__CreateBufferFromArraybufferRequest request = NR__CREATE_BUFFER_FROM_ARRAYBUFFER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NODE_API_CREATE_BUFFER_FROM_ARRAYBUFFER, &request.base);
  request.arraybuffer = nr_wire(arraybuffer);
  request.byte_offset = byte_offset;
  request.byte_length = byte_length;
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok && ((const Nr__ValueReply *)call.reply)->result != NR_ABSENT)
    *result = nr_local(&call, ((const Nr__ValueReply *)call.reply)->result);
  nr_call_end(&call, status);
  if (status == napi_invalid_arg) nr_clear_last_error(env);
  return status;
}
