/*
 * External strings: JavaScript reads a copy of the characters on its side; the addon's own stay untouched until its
 * finalizer is called, when the string is collected.
 */
#include <stdlib.h>

#include "client/client-private.h"

/* object: its data is the text, of `size` bytes. */
static napi_status create(napi_env env, unsigned opcode, const struct nr_object *object, size_t size,
                          napi_value *result, bool *copied) {
  Nr__CreateExternalStringRequest request = NR__CREATE_EXTERNAL_STRING_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, opcode, &request.base);
  request.str = nr_call_bytes(&call, object->data, size);
  if (object->finalize != NULL) {
    request.object_id = nr_object_add(env, object->data, object->finalize, object->hint);
    if (request.object_id == 0) call.out_of_memory = true;
  }
  request.result = nr_call_result_tagged(&call, NR_TAG_STRING);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__CreateExternalStringReply *reply = call.reply;
    *result = nr_unwire(reply->result);
    if (copied != NULL) *copied = reply->copied;
  } else if (request.object_id != 0) {
    free(nr_table_remove(env->channel->objects, request.object_id, NR_SORT_OBJECT));
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL node_api_create_external_string_latin1(napi_env env, char *str, size_t length,
                                                                        napi_finalize finalize_callback,
                                                                        void *finalize_hint, napi_value *result,
                                                                        bool *copied) {
  NR_CHECK_ENV(env);
  NR_CHECK_STRING_ARGS(env, str, length, result);
  const struct nr_object object = {.data = str, .finalize = finalize_callback, .hint = finalize_hint};
  size_t size = str == NULL ? 0 : nr_length(str, length);
  return create(env, NR_OP_NODE_API_CREATE_EXTERNAL_STRING_LATIN1, &object, size, result, copied);
}

NR_EXPORT napi_status NAPI_CDECL node_api_create_external_string_utf16(napi_env env, char16_t *str, size_t length,
                                                                       napi_finalize finalize_callback,
                                                                       void *finalize_hint, napi_value *result,
                                                                       bool *copied) {
  NR_CHECK_ENV(env);
  NR_CHECK_STRING_ARGS(env, str, length, result);
  const struct nr_object object = {.data = str, .finalize = finalize_callback, .hint = finalize_hint};
  size_t size = str == NULL ? 0 : nr_length16(str, length) * sizeof *str;
  return create(env, NR_OP_NODE_API_CREATE_EXTERNAL_STRING_UTF16, &object, size, result, copied);
}
