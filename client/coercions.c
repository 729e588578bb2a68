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

/* An answer that takes no call. */
static napi_status answer(struct nr_call *call, nr_value value, napi_value *result) {
  Nr__ValueReply local = NR__VALUE_REPLY__INIT;
  local.result = value;
  *result = nr_unwire(value);
  return nr_answer(call->env, call->opcode, call->request, &local.base, napi_ok);
}

/* ECMAScript's ToBoolean and ToNumber of what is known here; NR_ABSENT: it is not. */
static nr_value boolean_of(struct nr_channel *channel, nr_value value) {
  if (nr_value_is_double(value)) {
    double number = nr_value_to_double(value);
    return nr_value_from_bool(number == number && number != 0);
  }
  if (value == NR_TRUE) return NR_TRUE;
  if (value == NR_FALSE || value == NR_UNDEFINED || value == NR_NULL) return NR_FALSE;
  if (is_object(value) || nr_value_tag(value) == NR_TAG_SYMBOL) return NR_TRUE;
  const struct nr_known *known = is_string(value) ? nr_known(channel, value) : NULL;
  if (known == NULL || (known->shape & NR_SHAPE_TEXT) == 0) return NR_ABSENT;
  return nr_value_from_bool(known->text_length > 0);
}

static nr_value number_of(nr_value value) {
  if (nr_value_is_double(value)) return value;
  if (value == NR_UNDEFINED) return NR_CANONICAL_NAN;
  if (value == NR_NULL || value == NR_FALSE) return nr_value_from_double(0);
  return value == NR_TRUE ? nr_value_from_double(1) : NR_ABSENT;
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_bool(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  Nr__CoerceRequest request = NR__COERCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_COERCE_TO_BOOL, &request.base);
  request.value = nr_wire(value);
  nr_value known = boolean_of(env->channel, request.value);
  if (known != NR_ABSENT && nr_call_js_runs(&call)) return answer(&call, known, result);
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) *result = nr_local(&call, ((const Nr__ValueReply *)call.reply)->result);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_number(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  Nr__CoerceRequest request = NR__COERCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_COERCE_TO_NUMBER, &request.base);
  request.value = nr_wire(value);
  nr_value known = number_of(request.value);
  if (known != NR_ABSENT && nr_call_js_runs(&call)) return answer(&call, known, result);
  request.result = nr_call_result(&call);
  call.keeps_last_error = true;
  napi_status status = nr_call_wait_js(&call);
  if (status == napi_ok) *result = nr_local(&call, ((const Nr__ValueReply *)call.reply)->result);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_object(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  Nr__CoerceRequest request = NR__COERCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_COERCE_TO_OBJECT, &request.base);
  request.value = nr_wire(value);
  if (is_object(request.value) && nr_call_js_runs(&call)) return answer(&call, request.value, result);
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
