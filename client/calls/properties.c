/*
 * Setting properties, which is most of what builders of results do, and what kind of object a value is.
 *
 * A set waits for its status, unless it provably cannot fail or run JavaScript: the object was made in this turn and
 * nobody else has seen it, the prototypes were plain when the turn began (NR_FLAG_PLAIN), and the name is none of
 * Object.prototype's own. Then it is posted.
 */
#include "client/channel.h"
#include "client/client-private.h"

static bool may_post(struct nr_channel *channel, nr_value object, nr_value value) {
  return value != NR_ABSENT && nr_fresh_has(channel, object) && nr_channel_is_plain(channel);
}

/* Posts or waits. Either way the server learns that this callback builds objects. */
static napi_status set(struct nr_call *call, bool post) {
  call->keeps_last_error = true;
  return nr_call_end(call, post ? nr_call_post(call) : nr_call_wait_js(call));
}

NR_EXPORT napi_status NAPI_CDECL napi_set_named_property(napi_env env, napi_value object, const char *utf8name,
                                                         napi_value value) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  Nr__SetNamedPropertyRequest request = NR__SET_NAMED_PROPERTY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_SET_NAMED_PROPERTY, &request.base);
  request.object = nr_wire(object);
  request.utf8name = nr_call_cstring(&call, utf8name);
  request.value = nr_wire(value);
  bool post = utf8name != NULL && may_post(env->channel, request.object, request.value) &&
              !nr_fresh_is_array(env->channel, request.object) && !nr_is_special_name(utf8name, strlen(utf8name));
  return set(&call, post);
}

/* Is the key a string whose contents are known here, and plain? Numbers that are indexes are as well. */
static bool is_plain_key(struct nr_channel *channel, nr_value object, nr_value key) {
  if (nr_value_is_double(key)) {
    double number = nr_value_to_double(key);
    return number >= 0 && number < 4294967295.0 && number == (double)(uint32_t)number;
  }
  if (nr_value_tag(key) != NR_TAG_STRING || nr_fresh_is_array(channel, object)) return false;
  const struct nr_known *known = nr_known(channel, key);
  if (known == NULL || (known->shape & NR_SHAPE_TEXT) == 0 || (known->shape & NR_SHAPE_WIDE) != 0) return false;
  return !nr_is_special_name((const char *)known->text, known->text_length);
}

NR_EXPORT napi_status NAPI_CDECL napi_set_property(napi_env env, napi_value object, napi_value key, napi_value value) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, key);
  NR_CHECK_JS_ARG(env, value);
  Nr__SetPropertyRequest request = NR__SET_PROPERTY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_SET_PROPERTY, &request.base);
  request.object = nr_wire(object);
  request.key = nr_wire(key);
  request.value = nr_wire(value);
  bool post =
      may_post(env->channel, request.object, request.value) && is_plain_key(env->channel, request.object, request.key);
  return set(&call, post);
}

NR_EXPORT napi_status NAPI_CDECL napi_set_element(napi_env env, napi_value object, uint32_t index, napi_value value) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, value);
  Nr__SetElementRequest request = NR__SET_ELEMENT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_SET_ELEMENT, &request.base);
  request.object = nr_wire(object);
  request.index = index;
  request.value = nr_wire(value);
  /* The last one is no index of an array, but a name like any other: Array.prototype may have it. */
  bool post = may_post(env->channel, request.object, request.value) &&
              (index != UINT32_MAX || !nr_fresh_is_array(env->channel, request.object));
  return set(&call, post);
}

/* ---- fresh objects and arrays ---------------------------------------------------------------------------------------
 */

static napi_status create(struct nr_call *call, nr_value *id, bool array, napi_value *result) {
  *id = nr_call_result(call);
  napi_status status = nr_call_post(call);
  if (status == napi_ok) {
    nr_fresh_add(call->env->channel, *id, array);
    *result = nr_unwire(*id);
  }
  return nr_call_end(call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_object(napi_env env, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__ResultRequest request = NR__RESULT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_OBJECT, &request.base);
  return create(&call, &request.result, false, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_array(napi_env env, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__ResultRequest request = NR__RESULT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_ARRAY, &request.base);
  return create(&call, &request.result, true, result);
}

NR_EXPORT napi_status NAPI_CDECL napi_create_array_with_length(napi_env env, size_t length, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__CreateArrayWithLengthRequest request = NR__CREATE_ARRAY_WITH_LENGTH_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_ARRAY_WITH_LENGTH, &request.base);
  request.length = length;
  return create(&call, &request.result, true, result);
}

/* ---- what a value is ------------------------------------------------------------------------------------------------
 */

/* A question about the kind of a value, with the facts that answer it. */
struct question {
  unsigned opcode;
  uint32_t yes; /* NR_SHAPE_ARRAY or 0: look at the view */
  uint32_t no;
  uint32_t first_kind, last_kind; /* of the view that means yes */
};

/* 1 yes, 0 no, -1: ask. Only objects can be any of these. */
static int answer(struct nr_channel *channel, const struct question *question, nr_value value) {
  if (nr_value_tag(value) != NR_TAG_OBJECT) return 0;
  const struct nr_known *known = nr_known(channel, value);
  if (known == NULL) return -1;
  if ((known->shape & question->no) != 0) return 0; /* neither an array's nor a view's nature changes */
  if (question->yes != 0) return (known->shape & question->yes) != 0 ? 1 : -1;
  if ((known->shape & NR_SHAPE_VIEW) == 0) return -1;
  return known->view.kind >= question->first_kind && known->view.kind <= question->last_kind;
}

static napi_status ask(napi_env env, const struct question *question, napi_value value, bool *result) {
  Nr__ValueRequest request = NR__VALUE_REQUEST__INIT;
  request.value = nr_wire(value);
  int known = answer(env->channel, question, request.value);
  if (known >= 0) {
    Nr__BoolReply reply = NR__BOOL_REPLY__INIT;
    reply.result = known != 0;
    *result = reply.result;
    return nr_answer(env, question->opcode, &request.base, &reply.base, napi_ok);
  }
  struct nr_call call = NR_CALL(env, question->opcode, &request.base);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) *result = ((const Nr__BoolReply *)call.reply)->result;
  return nr_call_end(&call, status);
}

/* Defines the function: yes and no are shapes that answer it, kinds those of a view that mean yes. */
#define NR_QUESTION(function, opcode, yes, no, first_kind, last_kind)                                                  \
  NR_EXPORT napi_status NAPI_CDECL function(napi_env env, napi_value value, bool *result) {                            \
    static const struct question question = {opcode, yes, no, first_kind, last_kind};                                  \
    NR_CHECK_ENV(env);                                                                                                 \
    NR_CHECK_ARG(env, value);                                                                                          \
    NR_CHECK_ARG(env, result);                                                                                         \
    return ask(env, &question, value, result);                                                                         \
  }

NR_QUESTION(napi_is_array, NR_OP_NAPI_IS_ARRAY, NR_SHAPE_ARRAY, NR_SHAPE_NO_ARRAY, 0, 0)
NR_QUESTION(napi_is_buffer, NR_OP_NAPI_IS_BUFFER, 0, NR_SHAPE_NO_VIEW, 0, NR_VIEW_DATAVIEW)
NR_QUESTION(napi_is_typedarray, NR_OP_NAPI_IS_TYPEDARRAY, 0, NR_SHAPE_NO_VIEW, 0, NR_VIEW_DATAVIEW - 1)
NR_QUESTION(napi_is_arraybuffer, NR_OP_NAPI_IS_ARRAYBUFFER, 0, NR_SHAPE_NO_VIEW, NR_VIEW_ARRAYBUFFER,
            NR_VIEW_ARRAYBUFFER)
NR_QUESTION(napi_is_dataview, NR_OP_NAPI_IS_DATAVIEW, 0, NR_SHAPE_NO_VIEW, NR_VIEW_DATAVIEW, NR_VIEW_DATAVIEW)

NR_EXPORT napi_status NAPI_CDECL node_api_create_object_with_properties(napi_env env, napi_value prototype_or_null,
                                                                        const napi_value *property_names,
                                                                        const napi_value *property_values,
                                                                        size_t property_count, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  if (property_count > 0) {
    NR_CHECK_ARG(env, property_names);
    NR_CHECK_ARG(env, property_values);
  }
  Nr__CreateObjectWithPropertiesRequest request = NR__CREATE_OBJECT_WITH_PROPERTIES_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NODE_API_CREATE_OBJECT_WITH_PROPERTIES, &request.base);
  request.prototype_or_null = nr_wire(prototype_or_null);
  request.properties = nr_call_pairs(&call, property_names, property_values, property_count);
  request.n_properties = request.properties == NULL ? 0 : 2 * property_count;
  request.result = nr_call_result(&call);
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) *result = nr_local(&call, ((const Nr__ValueReply *)call.reply)->result);
  return nr_call_end(&call, status);
}
