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

/* known: what it comes to; NR_ABSENT: the server is to be asked. js: an object's methods may run then. */
static napi_status coerce(napi_env env, unsigned opcode, nr_value value, nr_value known, bool js, napi_value *result) {
  Nr__CoerceRequest request = NR__COERCE_REQUEST__INIT;
  Nr__ValueReply local = NR__VALUE_REPLY__INIT;
  struct nr_call call = NR_CALL(env, opcode, &request.base);
  request.value = value;
  if (known != NR_ABSENT && nr_call_js_runs(&call)) {
    local.result = known;
    *result = nr_unwire(known);
    return nr_answer(env, opcode, &request.base, &local.base, napi_ok);
  }
  request.result = nr_call_result(&call);
  call.keeps_last_error = js;
  napi_status status = js ? nr_call_wait_js(&call) : nr_call_wait(&call);
  if (status == napi_ok && known != NR_ABSENT) {
    *result = nr_unwire(known);
  } else if (status == napi_ok && opcode == NR_OP_NAPI_COERCE_TO_STRING) {
    const Nr__KnownReply *reply = call.reply;
    *result = nr_local_known(&call, reply);
  } else if (status == napi_ok) {
    *result = nr_local(&call, ((const Nr__ValueReply *)call.reply)->result);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_bool(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  nr_value known = boolean_of(env->channel, nr_wire(value));
  return coerce(env, NR_OP_NAPI_COERCE_TO_BOOL, nr_wire(value), known, false, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_number(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  nr_value known = number_of(nr_wire(value));
  return coerce(env, NR_OP_NAPI_COERCE_TO_NUMBER, nr_wire(value), known, true, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_object(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  nr_value known = is_object(nr_wire(value)) ? nr_wire(value) : NR_ABSENT;
  return coerce(env, NR_OP_NAPI_COERCE_TO_OBJECT, nr_wire(value), known, false, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_coerce_to_string(napi_env env, napi_value value, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  nr_value known = is_string(nr_wire(value)) ? nr_wire(value) : NR_ABSENT;
  return coerce(env, NR_OP_NAPI_COERCE_TO_STRING, nr_wire(value), known, true, result);
}
