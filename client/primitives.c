/*
 * Undefined, null, booleans and numbers: they travel as themselves (wire/value.h), so everything about them is answered
 * here.
 */
#include <math.h>

#include "client/client-private.h"

/* Ends a local creation. */
static napi_status create(napi_env env, unsigned opcode, const ProtobufCMessage *request, nr_value value,
                          napi_value *result) {
  Nr__ValueReply reply = NR__VALUE_REPLY__INIT;
  reply.result = value;
  *result = nr_unwire(value);
  return nr_answer(env, opcode, request, &reply.base, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_undefined(napi_env env, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__Empty request = NR__EMPTY__INIT;
  return create(env, NR_OP_NAPI_GET_UNDEFINED, &request.base, NR_UNDEFINED, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_null(napi_env env, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__Empty request = NR__EMPTY__INIT;
  return create(env, NR_OP_NAPI_GET_NULL, &request.base, NR_NULL, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_boolean(napi_env env, bool value, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__GetBooleanRequest request = NR__GET_BOOLEAN_REQUEST__INIT;
  request.value = value;
  return create(env, NR_OP_NAPI_GET_BOOLEAN, &request.base, nr_value_from_bool(value), result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_double(napi_env env, double value, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateDoubleRequest request = NR__CREATE_DOUBLE_REQUEST__INIT;
  request.value = value;
  return create(env, NR_OP_NAPI_CREATE_DOUBLE, &request.base, nr_value_from_double(value), result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_int32(napi_env env, int32_t value, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateInt32Request request = NR__CREATE_INT32_REQUEST__INIT;
  request.value = value;
  return create(env, NR_OP_NAPI_CREATE_INT32, &request.base, nr_value_from_double(value), result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_uint32(napi_env env, uint32_t value, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateUint32Request request = NR__CREATE_UINT32_REQUEST__INIT;
  request.value = value;
  return create(env, NR_OP_NAPI_CREATE_UINT32, &request.base, nr_value_from_double(value), result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_int64(napi_env env, int64_t value, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateInt64Request request = NR__CREATE_INT64_REQUEST__INIT;
  request.value = value;
  return create(env, NR_OP_NAPI_CREATE_INT64, &request.base, nr_value_from_double((double)value), result);
}

static napi_valuetype type_of(nr_value value) {
  if (nr_value_is_double(value)) return napi_number;
  switch (nr_value_tag(value)) {
  case NR_TAG_STRING: return napi_string;
  case NR_TAG_SYMBOL: return napi_symbol;
  case NR_TAG_FUNCTION: return napi_function;
  case NR_TAG_EXTERNAL: return napi_external;
  case NR_TAG_BIGINT: return napi_bigint;
  case NR_TAG_OBJECT: return napi_object;
  default: break;
  }
  if (value == NR_NULL) return napi_null;
  return value == NR_UNDEFINED ? napi_undefined : napi_boolean;
}

NR_EXPORT napi_status NAPI_CDECL napi_typeof(napi_env env, napi_value value, napi_valuetype *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__TypeofReply reply = NR__TYPEOF_REPLY__INIT;
  request.value = nr_wire(value);
  *result = type_of(request.value);
  reply.result = (uint32_t)*result;
  return nr_answer(env, NR_OP_NAPI_TYPEOF, &request.base, &reply.base, napi_ok);
}

/* ECMAScript's ToInt32, as V8's Int32Value(): NaN and the infinities are 0, the rest is taken modulo 2^32. */
static uint32_t to_uint32(double number) {
  if (!isfinite(number)) return 0;
  if (number >= INT32_MIN && number <= UINT32_MAX) return (uint32_t)(int64_t)number;
  double rest = fmod(trunc(number), 4294967296.0);
  return (uint32_t)(int64_t)rest;
}

/* As napi_get_value_int64() documents: NaN and the infinities are 0, what is too large stays at the edge. */
static int64_t to_int64(double number) {
  if (!isfinite(number)) return 0;
  if (number >= 9223372036854775808.0) return INT64_MAX;
  if (number <= -9223372036854775808.0) return INT64_MIN;
  return (int64_t)number;
}

static napi_status number_expected(napi_env env, unsigned opcode, const ProtobufCMessage *request) {
  return nr_answer(env, opcode, request, NULL, napi_number_expected);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_double(napi_env env, napi_value value, double *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__GetValueDoubleReply reply = NR__GET_VALUE_DOUBLE_REPLY__INIT;
  request.value = nr_wire(value);
  if (!nr_value_is_double(request.value)) return number_expected(env, NR_OP_NAPI_GET_VALUE_DOUBLE, &request.base);
  reply.result = nr_value_to_double(request.value);
  *result = reply.result;
  return nr_answer(env, NR_OP_NAPI_GET_VALUE_DOUBLE, &request.base, &reply.base, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_int32(napi_env env, napi_value value, int32_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__GetValueInt32Reply reply = NR__GET_VALUE_INT32_REPLY__INIT;
  request.value = nr_wire(value);
  if (!nr_value_is_double(request.value)) return number_expected(env, NR_OP_NAPI_GET_VALUE_INT32, &request.base);
  reply.result = (int32_t)to_uint32(nr_value_to_double(request.value));
  *result = reply.result;
  return nr_answer(env, NR_OP_NAPI_GET_VALUE_INT32, &request.base, &reply.base, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_uint32(napi_env env, napi_value value, uint32_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__GetValueUint32Reply reply = NR__GET_VALUE_UINT32_REPLY__INIT;
  request.value = nr_wire(value);
  if (!nr_value_is_double(request.value)) return number_expected(env, NR_OP_NAPI_GET_VALUE_UINT32, &request.base);
  reply.result = to_uint32(nr_value_to_double(request.value));
  *result = reply.result;
  return nr_answer(env, NR_OP_NAPI_GET_VALUE_UINT32, &request.base, &reply.base, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_int64(napi_env env, napi_value value, int64_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__GetValueInt64Reply reply = NR__GET_VALUE_INT64_REPLY__INIT;
  request.value = nr_wire(value);
  if (!nr_value_is_double(request.value)) return number_expected(env, NR_OP_NAPI_GET_VALUE_INT64, &request.base);
  reply.result = to_int64(nr_value_to_double(request.value));
  *result = reply.result;
  return nr_answer(env, NR_OP_NAPI_GET_VALUE_INT64, &request.base, &reply.base, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_bool(napi_env env, napi_value value, bool *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__BoolReply reply = NR__BOOL_REPLY__INIT;
  request.value = nr_wire(value);
  if (request.value != NR_TRUE && request.value != NR_FALSE) {
    return nr_answer(env, NR_OP_NAPI_GET_VALUE_BOOL, &request.base, NULL, napi_boolean_expected);
  }
  reply.result = request.value == NR_TRUE;
  *result = reply.result;
  return nr_answer(env, NR_OP_NAPI_GET_VALUE_BOOL, &request.base, &reply.base, napi_ok);
}
