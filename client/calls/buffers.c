/*
 * Buffers, ArrayBuffers and views. Their bytes are pairs (memory.c); what came along with an argument is answered here.
 */
#include "client/client-private.h"

/* The native address of a view that a reply describes, for those who asked for one. Where its block lies is told only
 * once, so it is noted for the others, too. */
static void put_data(struct nr_call *call, const Nr__View *view, void **data) {
  void *address = view == NULL ? NULL : nr_memory_view(call->env->channel, view);
  if (data != NULL) *data = address;
}

/* What an info function was asked for; NULL: not wanted. */
struct wanted {
  napi_typedarray_type *type;
  size_t *length; /* elements for typed arrays, bytes for the others */
  void **data;
  napi_value *arraybuffer;
  size_t *byte_offset;
};

/* The same, and the ArrayBuffer under a handle of this side's choice: nobody has to wait for that. */
static napi_status post(struct nr_call *call, const Nr__ViewInfoReply *reply, napi_value *arraybuffer) {
  napi_status status = nr_call_post(call);
  if (status == napi_ok) *arraybuffer = nr_unwire(reply->arraybuffer);
  call->reply = (void *)(uintptr_t)reply;
  return nr_call_end(call, status);
}

static napi_status answer(struct nr_call *call, const Nr__View *view, nr_value arraybuffer,
                          const struct wanted *wanted) {
  Nr__ViewInfoReply reply = NR__VIEW_INFO_REPLY__INIT;
  reply.type = view->kind;
  reply.length = view->length;
  if (call->opcode == NR_OP_NAPI_GET_TYPEDARRAY_INFO) reply.length /= nr_element_size(view->kind);
  reply.byte_offset = view->offset;
  reply.arraybuffer = arraybuffer;
  if (wanted->type != NULL) *wanted->type = (napi_typedarray_type)view->kind;
  if (wanted->length != NULL) *wanted->length = reply.length;
  if (wanted->data != NULL) *wanted->data = nr_memory_view(call->env->channel, view);
  if (wanted->byte_offset != NULL) *wanted->byte_offset = view->offset;
  if (wanted->arraybuffer != NULL) return post(call, &reply, wanted->arraybuffer);
  return nr_answer(call->env, call->opcode, call->request, &reply.base, napi_ok);
}

static napi_status ask(struct nr_call *call, nr_value value, const struct wanted *wanted) {
  napi_status status = nr_call_wait(call);
  if (status == napi_ok) {
    const Nr__ViewInfoReply *reply = call->reply;
    if (wanted->type != NULL) *wanted->type = (napi_typedarray_type)reply->type;
    if (wanted->length != NULL) *wanted->length = reply->length;
    put_data(call, reply->view, wanted->data);
    nr_learn_view(call, value, reply->view);
    if (wanted->arraybuffer != NULL) *wanted->arraybuffer = nr_unwire(reply->arraybuffer);
    if (wanted->byte_offset != NULL) *wanted->byte_offset = reply->byte_offset;
  }
  return nr_call_end(call, status);
}

/* Some bindings ask for the size of a view, and then for its bytes. Where one has, both come with the first answer. */
static bool comes_with_bytes(napi_env env, nr_value value, bool asked) {
  struct nr_channel *channel = env->channel;
  struct nr_habits *habits = nr_habits_of(channel);
  if (asked && channel->sized == value) habits->sizes = true;
  channel->sized = asked ? NR_ABSENT : value;
  return asked || habits->sizes;
}

/* Answers from the view that came along, if it did and is of one of these kinds. want_data, arraybuffer: the request's.
 */
static napi_status get_info(struct nr_call *call, nr_value value, const uint32_t kinds[2],
                            protobuf_c_boolean *want_data, nr_value *arraybuffer, const struct wanted *wanted) {
  const Nr__View *view = nr_known_view(call->env->channel, value);
  if (view != NULL && (view->kind < kinds[0] || view->kind > kinds[1])) view = NULL;
  if (wanted->arraybuffer != NULL) {
    if (call->env->channel->in_basic) view = NULL; /* where nothing is made */
    *arraybuffer = nr_call_result(call);
  }
  if (wanted->data != NULL) nr_known_asked(call->env->channel, value);
  *want_data = view == NULL ? comes_with_bytes(call->env, value, wanted->data != NULL)
                            : wanted->data != NULL && wanted->arraybuffer == NULL;
  return view == NULL ? ask(call, value, wanted)
                      : answer(call, view, wanted->arraybuffer == NULL ? NR_ABSENT : *arraybuffer, wanted);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_buffer_info(napi_env env, napi_value value, void **data, size_t *length) {
  static const uint32_t kinds[2] = {0, NR_VIEW_DATAVIEW};
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  struct wanted wanted = {.data = data, .length = length};
  Nr__GetBufferInfoRequest request = NR__GET_BUFFER_INFO_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_BUFFER_INFO, &request.base);
  request.value = nr_wire(value);
  return get_info(&call, request.value, kinds, &request.want_data, NULL, &wanted);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_arraybuffer_info(napi_env env, napi_value arraybuffer, void **data,
                                                           size_t *byte_length) {
  static const uint32_t kinds[2] = {NR_VIEW_ARRAYBUFFER, NR_VIEW_SHARED};
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, arraybuffer);
  struct wanted wanted = {.data = data, .length = byte_length};
  Nr__GetArraybufferInfoRequest request = NR__GET_ARRAYBUFFER_INFO_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_ARRAYBUFFER_INFO, &request.base);
  request.arraybuffer = nr_wire(arraybuffer);
  return get_info(&call, request.arraybuffer, kinds, &request.want_data, NULL, &wanted);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_typedarray_info(napi_env env, napi_value typedarray,
                                                          napi_typedarray_type *type, size_t *length, void **data,
                                                          napi_value *arraybuffer, size_t *byte_offset) {
  static const uint32_t kinds[2] = {0, NR_VIEW_DATAVIEW - 1};
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, typedarray);
  struct wanted wanted = {type, length, data, arraybuffer, byte_offset};
  Nr__GetTypedarrayInfoRequest request = NR__GET_TYPEDARRAY_INFO_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_TYPEDARRAY_INFO, &request.base);
  request.typedarray = nr_wire(typedarray);
  request.arraybuffer = NR_ABSENT;
  return get_info(&call, request.typedarray, kinds, &request.want_data, &request.arraybuffer, &wanted);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_dataview_info(napi_env env, napi_value dataview, size_t *bytelength,
                                                        void **data, napi_value *arraybuffer, size_t *byte_offset) {
  static const uint32_t kinds[2] = {NR_VIEW_DATAVIEW, NR_VIEW_DATAVIEW};
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, dataview);
  struct wanted wanted = {NULL, bytelength, data, arraybuffer, byte_offset};
  Nr__GetDataviewInfoRequest request = NR__GET_DATAVIEW_INFO_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_DATAVIEW_INFO, &request.base);
  request.dataview = nr_wire(dataview);
  request.arraybuffer = NR_ABSENT;
  return get_info(&call, request.dataview, kinds, &request.want_data, &request.arraybuffer, &wanted);
}

/* ---- making them ----------------------------------------------------------------------------------------------------
 */

/* From here on bytes do not travel in a message. */
#define NR_COPIED_HERE (16u << 10)

static napi_status create(struct nr_call *call, void **data, napi_value *result) {
  napi_status status = nr_call_wait(call);
  if (status == napi_ok) {
    const Nr__ViewReply *reply = call->reply;
    *result = nr_unwire(reply->result);
    put_data(call, reply->view, data);
    nr_learn_view(call, reply->result, reply->view);
    if (reply->view != NULL && reply->view->kind == napi_uint8_array)
      nr_fresh_add_buffer(call->env->channel, reply->result);
  }
  return nr_call_end(call, status);
}

static napi_status create_arraybuffer(napi_env env, unsigned opcode, size_t byte_length, void **data,
                                      napi_value *result) {
  Nr__CreateArraybufferRequest request = NR__CREATE_ARRAYBUFFER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, opcode, &request.base);
  request.byte_length = byte_length;
  request.result = nr_call_result(&call);
  return create(&call, data, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_arraybuffer(napi_env env, size_t byte_length, void **data,
                                                         napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  return create_arraybuffer(env, NR_OP_NAPI_CREATE_ARRAYBUFFER, byte_length, data, result);
}

NR_EXPORT napi_status NAPI_CDECL node_api_create_sharedarraybuffer(napi_env env, size_t byte_length, void **data,
                                                                   napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  return create_arraybuffer(env, NR_OP_NODE_API_CREATE_SHAREDARRAYBUFFER, byte_length, data, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_buffer(napi_env env, size_t length, void **data, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__CreateBufferRequest request = NR__CREATE_BUFFER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_BUFFER, &request.base);
  request.length = length;
  request.result = nr_call_result(&call);
  return create(&call, data, result);
}

/* Large data is copied here, into memory that both processes have. */
static napi_status create_and_copy(struct nr_call *call, Nr__CreateBufferCopyRequest *request, const void *data,
                                   void **result_data, napi_value *result) {
  void *bytes = NULL;
  napi_status status = create(call, &bytes, result);
  if (status != napi_ok) return status;
  if (bytes == NULL) return nr_refuse_text(call->env, "napi_create_buffer_copy", napi_generic_failure, "out of memory");
  memcpy(bytes, data, request->length);
  if (result_data != NULL) *result_data = bytes;
  return status;
}

NR_EXPORT napi_status NAPI_CDECL napi_create_buffer_copy(napi_env env, size_t length, const void *data,
                                                         void **result_data, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__CreateBufferCopyRequest request = NR__CREATE_BUFFER_COPY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_BUFFER_COPY, &request.base);
  request.result = nr_call_result(&call);
  if (data != NULL && length >= NR_COPIED_HERE) {
    request.length = length;
    request.want_data = true;
    return create_and_copy(&call, &request, data, result_data, result);
  }
  request.data = nr_call_bytes(&call, data, length);
  request.want_data = result_data != NULL;
  return create(&call, result_data, result);
}
