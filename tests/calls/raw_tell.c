/* What a call did to its arguments, for JavaScript. */
#include "tests/calls/raw.h"

static napi_value tell_pointer(napi_env env, void *pointer) {
  if (pointer == NULL) return t_string(env, "NULL");
  if (pointer == &raw_untouched) return t_string(env, "untouched");
  for (int i = 0; i < RAW_CELLS; i++) {
    if (pointer == &raw_cells[i]) return t_number(env, i);
  }
  return t_string(env, "somewhere");
}

static napi_value tell_values(napi_env env, const struct raw_place *place) {
  napi_value *values = place->memory, array = t_array(env);
  for (uint32_t i = 0; i < place->size / sizeof *values; i++) {
    napi_value element = values[i] ? values[i] : t_string(env, "NULL");
    T_OK(napi_set_element(env, array, i, element));
  }
  return array;
}

napi_value raw_tell_error_info(napi_env env, const napi_extended_error_info *info) {
  napi_value result = t_object(env);
  t_set(env, result, "message", t_string(env, info->error_message));
  t_set(env, result, "code", t_number(env, info->error_code));
  t_set(env, result, "engine", t_number(env, info->engine_error_code));
  t_set(env, result, "reserved", t_boolean(env, info->engine_reserved != NULL));
  return result;
}

static napi_value tell_node_version(napi_env env, const napi_node_version *version) {
  char text[64];
  snprintf(text, sizeof text, "%s %u.%u.%u", version->release, version->major, version->minor, version->patch);
  return t_string(env, text);
}

/* A call that was refused must not have used it up; one that failed later has. */
static napi_value tell_deferred(const struct raw_call *call, size_t index, napi_status status) {
  napi_env env = call->env;
  if (call->pending || status == napi_invalid_arg) {
    T_OK(napi_resolve_deferred(env, call->slots[index].pointer, t_string(env, "still good")));
  }
  return call->places[index].promise;
}

static void drop_reference(const struct raw_call *call, napi_ref ref, napi_status status) {
  if (status == napi_ok && raw_is(call, "napi_delete_reference")) return;
  T_OK(napi_delete_reference(call->env, ref));
}

/* What the call did to a parameter, undefined for those that it cannot do anything to. */
napi_value raw_tell(const struct raw_call *call, size_t index, napi_status status) {
  napi_env env = call->env;
  const struct raw_place *place = &call->places[index];
  if (place->is_null) return t_undefined(env);
  switch (place->kind) {
  case RAW_BUFFER:
  case RAW_BUFFER16:
  case RAW_OUT_SCALAR:
  case RAW_OUT_WORDS: return t_bytes(env, place->memory, place->size);
  case RAW_OUT_VALUES: return tell_values(env, place);
  case RAW_DEFERRED: return tell_deferred(call, index, status);
  case RAW_REF: drop_reference(call, call->slots[index].pointer, status); return t_undefined(env);
  default: break;
  }
  if (place->kind < RAW_OUT_VALUES) return t_undefined(env);
  void *pointer = *(void **)place->memory;
  bool is_written = pointer != NULL && pointer != &raw_untouched;
  if (is_written && place->kind == RAW_OUT_TEXT) return t_string(env, pointer);
  if (is_written && place->kind == RAW_OUT_ERROR_INFO) return raw_tell_error_info(env, pointer);
  if (is_written && place->kind == RAW_OUT_NODE_VERSION) return tell_node_version(env, pointer);
  if (is_written && place->kind == RAW_OUT_REF && status == napi_ok) T_OK(napi_delete_reference(env, pointer));
  return tell_pointer(env, pointer);
}
