/*
 * Reading properties. Most objects of options and lists of values hold nothing but values: what a snapshot of one shows
 * needs no waiting. What takes a handle is read by a call that nobody waits for, under an id that is chosen here.
 */
#include "client/snapshots.h"

/* The end of a get: what the snapshot says, or the server. */
static napi_status finish_get(struct nr_call *call, enum nr_answer answer, const struct nr_property *property,
                              nr_value *id, napi_value *result) {
  Nr__KnownReply local = NR__KNOWN_REPLY__INIT;
  napi_status status = napi_ok;
  if (answer != NR_ANSWER_FOUND && answer != NR_ANSWER_ABSENT) {
    *id = nr_call_result(call);
    status = nr_call_wait_js(call);
    const Nr__KnownReply *reply = call->reply;
    if (status == napi_ok) *result = nr_local_known(call, reply);
    return nr_call_end(call, status);
  }
  local.result = answer == NR_ANSWER_ABSENT ? NR_UNDEFINED : property->value;
  *id = NR_ABSENT;
  if (nr_value_is_handle(local.result)) {
    local.result = *id = nr_call_result_tagged(call, (enum nr_tag)nr_value_tag(local.result));
    status = nr_call_post(call);
    if (status == napi_ok) nr_learn_property(call->env->channel, *id, property);
  }
  if (status == napi_ok) {
    call->reply = &local;
    *result = nr_unwire(local.result);
  }
  return nr_call_end(call, status);
}

/* The end of a question whether there is such a property. */
static napi_status finish_has(struct nr_call *call, enum nr_answer answer, bool *result) {
  Nr__BoolReply local = NR__BOOL_REPLY__INIT;
  napi_status status = napi_ok;
  if (answer == NR_ANSWER_ASK) {
    status = nr_call_wait_js(call);
  } else {
    local.result = answer != NR_ANSWER_ABSENT;
    call->reply = &local;
  }
  if (status == napi_ok) *result = ((const Nr__BoolReply *)call->reply)->result;
  return nr_call_end(call, status);
}

static enum nr_answer look_up(struct nr_call *call, nr_value object, const char *name, size_t length, bool own,
                              struct nr_property *found) {
  enum nr_answer answer = nr_snapshot_named(call, object, name, length, found);
  return answer == NR_ANSWER_ABSENT && !own && nr_is_special_name(name, length) ? NR_ANSWER_ASK : answer;
}

/* By a text of the addon's. NULL, or one that no call can carry, is for the server, or the call itself, to refuse. */
static enum nr_answer look_up_text(struct nr_call *call, nr_value object, const char *name, nr_span span,
                                   struct nr_property *found) {
  return span == NR_SPAN_NULL ? NR_ANSWER_ASK : look_up(call, object, name, nr_span_length(span), false, found);
}

/* By a key whose text is known here; of an array, by a number that is an index. */
static enum nr_answer look_up_key(struct nr_call *call, nr_value object, nr_value key, bool own,
                                  struct nr_property *found) {
  if (nr_value_is_double(key)) {
    double number = nr_value_to_double(key);
    bool is_index = number >= 0 && number < UINT32_MAX && number == (double)(uint32_t)number;
    return is_index ? nr_snapshot_element(call, object, (uint32_t)number, found) : NR_ANSWER_ASK;
  }
  if (nr_value_tag(key) != NR_TAG_STRING) return NR_ANSWER_ASK;
  const struct nr_known *known = nr_known(call->env->channel, key);
  if (known == NULL || (known->shape & NR_SHAPE_TEXT) == 0 || (known->shape & NR_SHAPE_WIDE) != 0) return NR_ANSWER_ASK;
  return look_up(call, object, (const char *)known->text, known->text_length, own, found);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_named_property(napi_env env, napi_value object, const char *utf8name,
                                                         napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__GetNamedPropertyRequest request = NR__GET_NAMED_PROPERTY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_NAMED_PROPERTY, &request.base);
  struct nr_property property;
  request.object = nr_wire(object);
  request.utf8name = nr_call_cstring(&call, utf8name);
  call.keeps_last_error = true;
  enum nr_answer answer = look_up_text(&call, request.object, utf8name, request.utf8name, &property);
  return finish_get(&call, answer, &property, &request.result, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_property(napi_env env, napi_value object, napi_value key,
                                                   napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, key);
  NR_CHECK_JS_ARG(env, result);
  Nr__GetPropertyRequest request = NR__GET_PROPERTY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_PROPERTY, &request.base);
  struct nr_property property;
  request.object = nr_wire(object);
  request.key = nr_wire(key);
  call.keeps_last_error = true;
  enum nr_answer answer = look_up_key(&call, request.object, request.key, false, &property);
  return finish_get(&call, answer, &property, &request.result, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_element(napi_env env, napi_value object, uint32_t index, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__GetElementRequest request = NR__GET_ELEMENT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_ELEMENT, &request.base);
  struct nr_property property;
  request.object = nr_wire(object);
  request.index = index;
  call.keeps_last_error = true;
  enum nr_answer answer = nr_snapshot_element(&call, request.object, index, &property);
  return finish_get(&call, answer, &property, &request.result, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_has_named_property(napi_env env, napi_value object, const char *utf8name,
                                                         bool *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__ObjectNameRequest request = NR__OBJECT_NAME_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_HAS_NAMED_PROPERTY, &request.base);
  struct nr_property property;
  request.object = nr_wire(object);
  request.utf8name = nr_call_cstring(&call, utf8name);
  call.keeps_last_error = true;
  enum nr_answer answer = look_up_text(&call, request.object, utf8name, request.utf8name, &property);
  return finish_has(&call, answer, result);
}

/* With a key: has_property, has_own_property. */
static napi_status has_key(napi_env env, unsigned opcode, napi_value object, napi_value key, bool own, bool *result) {
  Nr__ObjectKeyRequest request = NR__OBJECT_KEY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, opcode, &request.base);
  struct nr_property property;
  request.object = nr_wire(object);
  request.key = nr_wire(key);
  call.keeps_last_error = true;
  /* A number is no name for napi_has_own_property(). */
  bool asks = own && nr_value_tag(request.key) != NR_TAG_STRING;
  enum nr_answer answer = asks ? NR_ANSWER_ASK : look_up_key(&call, request.object, request.key, own, &property);
  return finish_has(&call, answer, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_has_property(napi_env env, napi_value object, napi_value key, bool *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  NR_CHECK_JS_ARG(env, key);
  return has_key(env, NR_OP_NAPI_HAS_PROPERTY, object, key, false, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_has_own_property(napi_env env, napi_value object, napi_value key, bool *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, key);
  NR_CHECK_JS_ARG(env, result);
  return has_key(env, NR_OP_NAPI_HAS_OWN_PROPERTY, object, key, true, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_has_element(napi_env env, napi_value object, uint32_t index, bool *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__ObjectIndexRequest request = NR__OBJECT_INDEX_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_HAS_ELEMENT, &request.base);
  struct nr_property property;
  request.object = nr_wire(object);
  request.index = index;
  call.keeps_last_error = true;
  return finish_has(&call, nr_snapshot_element(&call, request.object, index, &property), result);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_array_length(napi_env env, napi_value value, uint32_t *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  NR_CHECK_JS_ARG(env, result);
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  Nr__GetArrayLengthReply local = NR__GET_ARRAY_LENGTH_REPLY__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_ARRAY_LENGTH, &request.base);
  napi_status status = napi_ok;
  request.value = nr_wire(value);
  if (nr_snapshot_length(&call, request.value, &local.result)) {
    call.reply = &local;
  } else {
    status = nr_call_wait(&call);
  }
  if (status == napi_ok) *result = ((const Nr__GetArrayLengthReply *)call.reply)->result;
  return nr_call_end(&call, status);
}

/* ---- names ----------------------------------------------------------------------------------------------------------
 */

/* Of an object without proxies, here or behind it, no JavaScript runs that could tell. */
static napi_status list_names(struct nr_call *call, nr_value object, napi_value *result) {
  bool quiet = nr_snapshot_is_all(call, object);
  call->keeps_last_error = true;
  napi_status status = quiet ? nr_call_wait(call) : nr_call_wait_js(call);
  if (status == napi_ok) *result = nr_local(call, ((const Nr__ValueReply *)call->reply)->result);
  return nr_call_end(call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_property_names(napi_env env, napi_value object, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__ObjectRequest request = NR__OBJECT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_PROPERTY_NAMES, &request.base);
  request.object = nr_wire(object);
  request.result = nr_call_result(&call);
  return list_names(&call, request.object, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_all_property_names(napi_env env, napi_value object,
                                                             napi_key_collection_mode key_mode,
                                                             napi_key_filter key_filter,
                                                             napi_key_conversion key_conversion, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  Nr__GetAllPropertyNamesRequest request = NR__GET_ALL_PROPERTY_NAMES_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_ALL_PROPERTY_NAMES, &request.base);
  request.object = nr_wire(object);
  request.key_mode = (uint32_t)key_mode;
  request.key_filter = (uint32_t)key_filter;
  request.key_conversion = (uint32_t)key_conversion;
  request.result = nr_call_result(&call);
  return list_names(&call, request.object, result);
}
