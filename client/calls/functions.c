/*
 * Functions and classes: making them, and what a callback can ask about its call.
 */
#include <stdlib.h>

#include "client/client-private.h"

NR_EXPORT napi_status NAPI_CDECL napi_create_function(napi_env env, const char *utf8name, size_t length,
                                                      napi_callback cb, void *data, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  NR_CHECK_JS_ARG(env, cb);
  if (utf8name != NULL && length != NAPI_AUTO_LENGTH && length > INT32_MAX)
    return nr_refuse_js(env, __func__, napi_invalid_arg);
  Nr__CreateFunctionRequest request = NR__CREATE_FUNCTION_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_FUNCTION, &request.base);
  request.utf8name = nr_call_bytes(&call, utf8name, utf8name == NULL ? 0 : nr_length(utf8name, length));
  request.callback_id = nr_callback_add(env, cb, data);
  if (request.callback_id == 0) call.out_of_memory = true;
  request.result = nr_call_result_tagged(&call, NR_TAG_FUNCTION);
  napi_status status = nr_call_post_js(&call);
  if (status == napi_ok) *result = nr_local(&call, request.result);
  return nr_call_end(&call, status);
}

static nr_id member(struct nr_call *call, napi_callback function, void *data) {
  if (function == NULL) return 0;
  nr_id id = nr_callback_add(call->env, function, data);
  if (id == 0) call->out_of_memory = true;
  return id;
}

static void fill_property(struct nr_call *call, const napi_property_descriptor *from, Nr__Property *to) {
  nr__property__init(to);
  to->utf8name = nr_call_cstring(call, from->utf8name);
  to->name = nr_wire(from->name);
  to->value = nr_wire(from->value);
  to->attributes = (uint32_t)from->attributes;
  /* Node looks at accessors first, then at the method: what it would not look at is not registered. */
  if (from->getter != NULL || from->setter != NULL) {
    to->getter_id = member(call, from->getter, from->data);
    to->setter_id = member(call, from->setter, from->data);
  } else {
    to->method_id = member(call, from->method, from->data);
  }
}

/* One block for the messages and the pointers to them; free() it. */
static Nr__Property **fill_properties(struct nr_call *call, const napi_property_descriptor *properties, size_t count) {
  if (count == 0) return NULL;
  Nr__Property **pointers = malloc(count * (sizeof(Nr__Property *) + sizeof(Nr__Property)));
  if (pointers == NULL) {
    call->out_of_memory = true;
    return NULL;
  }
  Nr__Property *messages = (Nr__Property *)(pointers + count);
  for (size_t i = 0; i < count; i++) {
    pointers[i] = &messages[i];
    fill_property(call, &properties[i], &messages[i]);
  }
  return pointers;
}

/* Defining values on an object that nobody else has seen runs no JavaScript and asks no prototype, and what can be
 * configured can be defined once more. */
static bool may_post(struct nr_call *call, const Nr__DefinePropertiesRequest *request) {
  struct nr_channel *channel = call->env->channel;
  if (!nr_fresh_has(channel, request->object) || nr_fresh_is_array(channel, request->object)) return false;
  for (size_t i = 0; i < request->n_properties; i++) {
    const Nr__Property *property = request->properties[i];
    if (property->utf8name == NR_SPAN_NULL || property->value == NR_ABSENT || property->method_id != 0 ||
        property->getter_id != 0 || property->setter_id != 0 || (property->attributes & napi_configurable) == 0)
      return false;
  }
  return true;
}

NR_EXPORT napi_status NAPI_CDECL napi_define_properties(napi_env env, napi_value object, size_t property_count,
                                                        const napi_property_descriptor *properties) {
  NR_PREAMBLE(env);
  if (property_count > 0) NR_CHECK_JS_ARG(env, properties);
  Nr__DefinePropertiesRequest request = NR__DEFINE_PROPERTIES_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_DEFINE_PROPERTIES, &request.base);
  request.object = nr_wire(object);
  request.properties = fill_properties(&call, properties, property_count);
  request.n_properties = request.properties == NULL ? 0 : property_count;
  call.keeps_last_error = true;
  bool post = may_post(&call, &request);
  napi_status status = nr_call_end(&call, post ? nr_call_post(&call) : nr_call_wait_js(&call));
  free(request.properties);
  return status;
}

NR_EXPORT napi_status NAPI_CDECL napi_define_class(napi_env env, const char *utf8name, size_t length,
                                                   napi_callback constructor, void *data, size_t property_count,
                                                   const napi_property_descriptor *properties, napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, result);
  NR_CHECK_JS_ARG(env, constructor);
  if (property_count > 0) NR_CHECK_JS_ARG(env, properties);
  if (utf8name == NULL || (length != NAPI_AUTO_LENGTH && length > INT32_MAX))
    return nr_refuse_js(env, __func__, napi_invalid_arg);
  Nr__DefineClassRequest request = NR__DEFINE_CLASS_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_DEFINE_CLASS, &request.base);
  request.utf8name = nr_call_bytes(&call, utf8name, nr_length(utf8name, length));
  request.constructor_id = member(&call, constructor, data);
  request.properties = fill_properties(&call, properties, property_count);
  request.n_properties = request.properties == NULL ? 0 : property_count;
  request.result = nr_call_result_tagged(&call, NR_TAG_FUNCTION);
  call.keeps_last_error = true;
  napi_status status = nr_call_wait_js(&call);
  const Nr__ValueReply *reply = call.reply;
  /* Also when a static property failed: the class is made before. */
  if (reply != NULL && nr_value_is_handle(reply->result)) *result = nr_local(&call, reply->result);
  nr_call_end(&call, status);
  free(request.properties);
  return status;
}

static void copy_arguments(const Nr__InvokeRequest *invoke, napi_value *argv, size_t room) {
  size_t count = invoke->n_values - 1 < room ? invoke->n_values - 1 : room;
  for (size_t i = 0; i < count; i++) argv[i] = nr_unwire(invoke->values[i + 1]);
  for (size_t i = count; i < room; i++) argv[i] = nr_unwire(NR_UNDEFINED);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_cb_info(napi_env env, napi_callback_info cbinfo, size_t *argc,
                                                  napi_value *argv, napi_value *this_arg, void **data) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, cbinfo);
  const struct nr_entry *entry = (const struct nr_entry *)cbinfo;
  const Nr__InvokeRequest *invoke = entry->invoke;
  Nr__Empty request = NR__EMPTY__INIT;
  Nr__GetCbInfoReply reply = NR__GET_CB_INFO_REPLY__INIT;
  if (argv != NULL) {
    NR_CHECK_ARG(env, argc);
    copy_arguments(invoke, argv, *argc);
  }
  if (argc != NULL) *argc = invoke->n_values - 1;
  if (this_arg != NULL) *this_arg = nr_unwire(invoke->values[0]);
  if (data != NULL) *data = entry->callback->data;
  reply.argc = invoke->n_values - 1;
  reply.n_values = invoke->n_values;
  reply.values = invoke->values;
  return nr_answer(env, NR_OP_NAPI_GET_CB_INFO, &request.base, &reply.base, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_new_target(napi_env env, napi_callback_info cbinfo, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, cbinfo);
  NR_CHECK_ARG(env, result);
  const struct nr_entry *entry = (const struct nr_entry *)cbinfo;
  Nr__Empty request = NR__EMPTY__INIT;
  Nr__ValueReply reply = NR__VALUE_REPLY__INIT;
  reply.result =
      entry->invoke->n_new_target == 0 ? NR_ABSENT : entry->invoke->new_target[0]; /* NULL for a plain call */
  *result = nr_unwire(reply.result);
  return nr_answer(env, NR_OP_NAPI_GET_NEW_TARGET, &request.base, &reply.base, napi_ok);
}
