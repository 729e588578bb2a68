/*
 * The answers of the Local rows: undefined, null, booleans and numbers travel as themselves (wire/value.h), so
 * everything about them is known here. The generated functions (proto/generator/client.js) check the arguments, fill
 * the request, and give out what the reply holds.
 */
#ifndef NR_CLIENT_LOCAL_H
#define NR_CLIENT_LOCAL_H

#include <math.h>

#include "client/client-private.h"

#define NR_LOCAL(function, request_type, reply_type)                                                                   \
  static inline napi_status nr_local_##function(napi_env env, const Nr__##request_type *request,                       \
                                                Nr__##reply_type *reply)

NR_LOCAL(napi_get_undefined, Empty, ValueReply) {
  (void)env, (void)request;
  reply->result = NR_UNDEFINED;
  return napi_ok;
}

NR_LOCAL(napi_get_null, Empty, ValueReply) {
  (void)env, (void)request;
  reply->result = NR_NULL;
  return napi_ok;
}

NR_LOCAL(napi_get_boolean, GetBooleanRequest, ValueReply) {
  (void)env;
  reply->result = nr_value_from_bool(request->value);
  return napi_ok;
}

NR_LOCAL(napi_create_double, CreateDoubleRequest, ValueReply) {
  (void)env;
  reply->result = nr_value_from_double(request->value);
  return napi_ok;
}

NR_LOCAL(napi_create_int32, CreateInt32Request, ValueReply) {
  (void)env;
  reply->result = nr_value_from_double(request->value);
  return napi_ok;
}

NR_LOCAL(napi_create_uint32, CreateUint32Request, ValueReply) {
  (void)env;
  reply->result = nr_value_from_double(request->value);
  return napi_ok;
}

NR_LOCAL(napi_create_int64, CreateInt64Request, ValueReply) {
  (void)env;
  reply->result = nr_value_from_double((double)request->value);
  return napi_ok;
}

NR_LOCAL(napi_typeof, ValueRequest, TypeofReply) {
  (void)env;
  if (nr_value_is_double(request->value)) {
    reply->result = napi_number;
    return napi_ok;
  }
  switch (nr_value_tag(request->value)) {
  case NR_TAG_STRING: reply->result = napi_string; return napi_ok;
  case NR_TAG_SYMBOL: reply->result = napi_symbol; return napi_ok;
  case NR_TAG_FUNCTION: reply->result = napi_function; return napi_ok;
  case NR_TAG_EXTERNAL: reply->result = napi_external; return napi_ok;
  case NR_TAG_BIGINT: reply->result = napi_bigint; return napi_ok;
  case NR_TAG_OBJECT: reply->result = napi_object; return napi_ok;
  default: break;
  }
  if (request->value == NR_NULL) {
    reply->result = napi_null;
  } else {
    reply->result = request->value == NR_UNDEFINED ? napi_undefined : napi_boolean;
  }
  return napi_ok;
}

/* ECMAScript's ToInt32, as V8's Int32Value(): NaN and the infinities are 0, the rest is taken modulo 2^32. */
static inline uint32_t nr_to_uint32(double number) {
  if (!isfinite(number)) return 0;
  if (number >= INT32_MIN && number <= UINT32_MAX) return (uint32_t)(int64_t)number;
  double rest = fmod(trunc(number), 4294967296.0);
  return (uint32_t)(int64_t)rest;
}

/* As napi_get_value_int64() documents: NaN and the infinities are 0, what is too large stays at the edge. */
static inline int64_t nr_to_int64(double number) {
  if (!isfinite(number)) return 0;
  if (number >= 9223372036854775808.0) return INT64_MAX;
  if (number <= -9223372036854775808.0) return INT64_MIN;
  return (int64_t)number;
}

/* A getter of numbers: what the number becomes in its type. */
#define NR_LOCAL_NUMBER(function, reply_type, converted)                                                               \
  NR_LOCAL(function, ValueRequest, reply_type) {                                                                       \
    (void)env;                                                                                                         \
    if (!nr_value_is_double(request->value)) return napi_number_expected;                                              \
    double number = nr_value_to_double(request->value);                                                                \
    reply->result = converted;                                                                                         \
    return napi_ok;                                                                                                    \
  }

NR_LOCAL_NUMBER(napi_get_value_double, GetValueDoubleReply, number)
NR_LOCAL_NUMBER(napi_get_value_int32, GetValueInt32Reply, (int32_t)nr_to_uint32(number))
NR_LOCAL_NUMBER(napi_get_value_uint32, GetValueUint32Reply, nr_to_uint32(number))
NR_LOCAL_NUMBER(napi_get_value_int64, GetValueInt64Reply, nr_to_int64(number))

NR_LOCAL(napi_get_value_bool, ValueRequest, BoolReply) {
  (void)env;
  if (request->value != NR_TRUE && request->value != NR_FALSE) return napi_boolean_expected;
  reply->result = request->value == NR_TRUE;
  return napi_ok;
}

NR_LOCAL(napi_is_exception_pending, Empty, BoolReply) {
  (void)request;
  reply->result = env->exception_pending;
  return napi_ok;
}

NR_LOCAL(napi_get_version, Empty, GetVersionReply) {
  (void)env, (void)request;
  reply->result = nr_node.napi_version;
  return napi_ok;
}

#endif
