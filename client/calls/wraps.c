/*
 * Wraps, externals and finalizers: the addon's pointers never leave this process, JavaScript objects carry an id for
 * them.
 */
#include <stdlib.h>

#include "client/client-private.h"
#include "client/calls/references.h"

static void forget_object(napi_env env, nr_id id) {
  free(nr_table_remove(env->channel->objects, id, NR_SORT_OBJECT));
}

/* The addon gets its reference, if it wants one; when the call has failed, the ids that it was to create are gone. */
static void settle(napi_env env, napi_status status, nr_id object_id, nr_id ref_id, napi_ref *result) {
  if (status != napi_ok) {
    forget_object(env, object_id);
    if (ref_id != 0) nr_reference_drop(env, ref_id);
  } else if (result != NULL) {
    *result = (napi_ref)(uintptr_t)ref_id;
  }
}

/* Constructors wrap what has just been made: that cannot fail, and nobody waits for it. */
static bool is_bare(napi_env env, nr_value object) {
  if ((nr_known_shape(env->channel, nr_known(env->channel, object)) & NR_SHAPE_BARE) == 0) return false;
  nr_known_looked(env->channel, object);
  return true;
}

NR_EXPORT napi_status NAPI_CDECL napi_wrap(napi_env env, napi_value js_object, void *native_object,
                                           node_api_basic_finalize finalize_cb, void *finalize_hint, napi_ref *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, js_object);
  Nr__WrapRequest request = NR__WRAP_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_WRAP, &request.base);
  request.js_object = nr_wire(js_object);
  /* A reference is only handed out together with a finalizer (Node checks it after the object). */
  if (result != NULL && finalize_cb == NULL) return nr_call_end(&call, napi_invalid_arg);
  request.object_id = nr_object_add(env, native_object, finalize_cb, finalize_hint);
  request.finalize = finalize_cb != NULL;
  request.ref_id = result == NULL ? 0 : nr_reference_new(env, 0, NR_TAG_OBJECT);
  if (request.object_id == 0 || (result != NULL && request.ref_id == 0)) call.out_of_memory = true;
  bool posts = is_bare(env, request.js_object) && nr_call_js_runs(&call);
  napi_status status = posts ? nr_call_post(&call) : nr_call_wait(&call);
  if (posts && status == napi_ok && request.ref_id != 0) nr_fresh_show(env->channel, request.js_object);
  if (status == napi_ok) {
    env->channel->wrap_epoch++;
    nr_known_wrapped(env->channel, request.js_object, request.object_id);
  }
  settle(env, status, request.object_id, request.ref_id, result);
  return nr_call_end(&call, status);
}

/* The pointer that an object holds, under an id that is known here, or asked for: 0. */
static napi_status give_pointer(struct nr_call *call, nr_id id, void **result) {
  napi_status status = id != 0 ? napi_ok : nr_call_wait(call);
  if (status == napi_ok && id == 0) id = ((const Nr__ObjectReply *)call->reply)->object_id;
  const struct nr_object *object = nr_object_get(call->env, id);
  if (status == napi_ok && object == NULL) status = napi_invalid_arg;
  if (status == napi_ok) *result = object->data;
  return nr_call_end(call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_unwrap(napi_env env, napi_value js_object, void **result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, js_object);
  NR_CHECK_JS_ARG(env, result);
  Nr__UnwrapRequest request = NR__UNWRAP_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_UNWRAP, &request.base);
  request.js_object = nr_wire(js_object);
  const struct nr_known *known = nr_known(env->channel, request.js_object);
  bool holds = (nr_known_shape(env->channel, known) & NR_SHAPE_WRAP) != 0;
  if (holds) nr_known_looked(env->channel, request.js_object);
  return give_pointer(&call, holds ? known->wrap_id : 0, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_remove_wrap(napi_env env, napi_value js_object, void **result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, js_object);
  Nr__UnwrapRequest request = NR__UNWRAP_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_REMOVE_WRAP, &request.base);
  request.js_object = nr_wire(js_object);
  napi_status status = nr_call_wait(&call);
  env->channel->unwrap_epoch++;
  if (status == napi_ok) {
    nr_id id = ((const Nr__ObjectReply *)call.reply)->object_id;
    const struct nr_object *object = nr_object_get(env, id);
    if (result != NULL && object != NULL) *result = object->data;
    forget_object(env, id);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_external(napi_env env, void *data, node_api_basic_finalize finalize_cb,
                                                      void *finalize_hint, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__CreateExternalRequest request = NR__CREATE_EXTERNAL_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_EXTERNAL, &request.base);
  request.object_id = nr_object_add(env, data, finalize_cb, finalize_hint);
  request.finalize = finalize_cb != NULL;
  if (request.object_id == 0) call.out_of_memory = true;
  request.result = nr_call_result_tagged(&call, NR_TAG_EXTERNAL);
  napi_status status = nr_call_post_js(&call);
  if (status == napi_ok) *result = nr_unwire(request.result);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_external(napi_env env, napi_value value, void **result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_VALUE_EXTERNAL, &request.base);
  request.value = nr_wire(value);
  if (nr_value_tag(request.value) != NR_TAG_EXTERNAL) return nr_call_end(&call, napi_invalid_arg);
  /* The server looks into externals only when it is asked, or where it has been. What one holds never changes. */
  const struct nr_known *known = nr_known(env->channel, request.value);
  return give_pointer(&call, known == NULL ? 0 : known->wrap_id, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_add_finalizer(napi_env env, napi_value js_object, void *finalize_data,
                                                    node_api_basic_finalize finalize_cb, void *finalize_hint,
                                                    napi_ref *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, js_object);
  NR_CHECK_ARG(env, finalize_cb);
  Nr__AddFinalizerRequest request = NR__ADD_FINALIZER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ADD_FINALIZER, &request.base);
  request.js_object = nr_wire(js_object);
  request.object_id = nr_object_add(env, finalize_data, finalize_cb, finalize_hint);
  request.ref_id = result == NULL ? 0 : nr_reference_new(env, 0, NR_TAG_OBJECT);
  if (request.object_id == 0 || (result != NULL && request.ref_id == 0)) call.out_of_memory = true;
  napi_status status = nr_call_wait(&call);
  settle(env, status, request.object_id, request.ref_id, result);
  return nr_call_end(&call, status);
}
