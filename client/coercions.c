/*
 * Coercions that may give back what they got. V8 makes no handle then: the result is the argument's, and lives as long,
 * also when that is longer than the scope in which it was coerced. Addons rely on it: they coerce what is an object
 * already, in a scope of its own. Where JavaScript is known to run, that takes no call at all.
 */
#include "client/client-private.h"

static bool is_string(nr_value value) {
  return nr_value_tag(value) == NR_TAG_STRING;
}

static bool is_object(nr_value value) {
  unsigned tag = nr_value_tag(value);
  return tag == NR_TAG_OBJECT || tag == NR_TAG_FUNCTION || tag == NR_TAG_EXTERNAL;
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_object(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  Nr__CoerceRequest request = NR__COERCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_COERCE_TO_OBJECT, &request.base);
  request.value = nr_wire(value);
  if (is_object(request.value) && nr_call_js_runs(&call)) {
    Nr__ValueReply same = NR__VALUE_REPLY__INIT;
    same.result = request.value;
    *result = value;
    return nr_answer(env, call.opcode, call.request, &same.base, napi_ok);
  }
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) {
    const Nr__ValueReply *reply = call.reply;
    *result = is_object(request.value) ? value : nr_local(&call, reply->result);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_string(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  Nr__CoerceRequest request = NR__COERCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_COERCE_TO_STRING, &request.base);
  request.value = nr_wire(value);
  if (is_string(request.value) && nr_call_js_runs(&call)) {
    Nr__KnownReply same = NR__KNOWN_REPLY__INIT;
    same.result = request.value;
    *result = value;
    return nr_answer(env, call.opcode, call.request, &same.base, napi_ok);
  }
  request.result = nr_call_result(&call);
  call.keeps_last_error = true;
  napi_status status = nr_call_wait_js(&call);
  if (status == napi_ok) {
    const Nr__KnownReply *reply = call.reply;
    *result = is_string(request.value) ? value : nr_local_known(&call, reply->result, reply->fact);
  }
  return nr_call_end(&call, status);
}
