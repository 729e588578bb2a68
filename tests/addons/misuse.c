/*
 * What no addon may do and Node does not survive, or not always. Only for hosts: whatever comes of it, Node must go on.
 * Each function returns the status that it got.
 */
#include "common.h"

static napi_value stale_value;
static napi_ref stale_reference;
static napi_callback_info stale_info;

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

static napi_value say(napi_env env, napi_status status) {
  bool pending;
  T_OK(napi_is_exception_pending(env, &pending));
  return pending ? NULL : t_string(env, t_status_name(status));
}

static napi_value unnamed_property(napi_env env, napi_callback_info info) {
  const napi_property_descriptor property = {NULL, NULL, nothing, NULL, NULL, NULL, napi_default, NULL};
  return say(env, napi_define_properties(env, t_object(env), 1, &property));
}

static napi_value unnamed_member(napi_env env, napi_callback_info info) {
  const napi_property_descriptor property = {NULL, NULL, nothing, NULL, NULL, NULL, napi_default, NULL};
  napi_value result;
  return say(env, napi_define_class(env, "C", 1, nothing, NULL, 1, &property, &result));
}

static napi_value name_is_a_number(napi_env env, napi_callback_info info) {
  const napi_property_descriptor property = {NULL, t_number(env, 5), nothing, NULL, NULL, NULL, napi_default, NULL};
  return say(env, napi_define_properties(env, t_object(env), 1, &property));
}

static napi_value resolve_twice(napi_env env, napi_callback_info info) {
  napi_deferred deferred;
  napi_value promise;
  T_OK(napi_create_promise(env, &deferred, &promise));
  T_OK(napi_resolve_deferred(env, deferred, t_undefined(env)));
  return say(env, napi_resolve_deferred(env, deferred, t_undefined(env)));
}

static napi_value delete_reference_twice(napi_env env, napi_callback_info info) {
  napi_ref reference;
  T_OK(napi_create_reference(env, t_object(env), 1, &reference));
  T_OK(napi_delete_reference(env, reference));
  return say(env, napi_delete_reference(env, reference));
}

static napi_value use_deleted_reference(napi_env env, napi_callback_info info) {
  napi_value value;
  uint32_t count;
  T_OK(napi_create_reference(env, t_object(env), 1, &stale_reference));
  T_OK(napi_delete_reference(env, stale_reference));
  napi_reference_ref(env, stale_reference, &count);
  napi_reference_unref(env, stale_reference, &count);
  return say(env, napi_get_reference_value(env, stale_reference, &value));
}

static napi_value keep(napi_env env, napi_callback_info info) {
  stale_value = t_object(env);
  stale_info = info;
  return stale_value;
}

/* Handles of a call that has returned. */
static napi_value use_stale(napi_env env, napi_callback_info info) {
  napi_value result;
  napi_set_named_property(env, stale_value, "a", stale_value);
  napi_get_named_property(env, stale_value, "a", &result);
  return say(env, napi_call_function(env, stale_value, stale_value, 1, &stale_value, &result));
}

static napi_value return_stale(napi_env env, napi_callback_info info) {
  return stale_value;
}

static napi_value use_closed_scope(napi_env env, napi_callback_info info) {
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  napi_value inner = t_object(env), result;
  t_set(env, inner, "a", t_number(env, 1));
  T_OK(napi_close_handle_scope(env, scope));
  t_object(env);
  return say(env, napi_get_named_property(env, inner, "a", &result));
}

static napi_value return_from_closed_scope(napi_env env, napi_callback_info info) {
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  napi_value inner = t_object(env);
  t_set(env, inner, "a", t_number(env, 1));
  T_OK(napi_close_handle_scope(env, scope));
  return inner;
}

static napi_value use_garbage(napi_env env, napi_callback_info info) {
  static const uint64_t patterns[] = {
      1, 8, 0x1234, UINT64_MAX, INT64_MAX, 1ull << 63, 0x7ff8000000000000, 0xfff9000000000001, 0xdeadbeefdeadbeef};
  napi_status status = napi_ok;
  for (size_t i = 0; i < T_COUNT(patterns); i++) {
    napi_value result, garbage = (napi_value)(uintptr_t)patterns[i];
    napi_valuetype type;
    napi_typeof(env, garbage, &type);
    napi_coerce_to_string(env, garbage, &result);
    napi_set_named_property(env, t_object(env), "a", garbage);
    napi_call_function(env, garbage, garbage, 1, &garbage, &result);
    napi_delete_reference(env, (napi_ref)(uintptr_t)patterns[i]);
    status = napi_get_named_property(env, garbage, "a", &result);
  }
  return say(env, status);
}

static napi_value return_garbage(napi_env env, napi_callback_info info) {
  return (napi_value)(uintptr_t)0xfffb123456789abc;
}

static napi_value leave_scopes_open(napi_env env, napi_callback_info info) {
  napi_handle_scope scope;
  napi_escapable_handle_scope escapable;
  napi_value object = NULL;
  for (int i = 0; i < 100; i++) {
    T_OK(napi_open_handle_scope(env, &scope));
    T_OK(napi_open_escapable_handle_scope(env, &escapable));
    object = t_object(env);
    t_set(env, object, "i", t_number(env, i));
  }
  return t_string(env, "left open");
}

static napi_value close_in_the_wrong_order(napi_env env, napi_callback_info info) {
  napi_handle_scope outer, inner;
  T_OK(napi_open_handle_scope(env, &outer));
  t_set(env, t_object(env), "a", t_object(env));
  T_OK(napi_open_handle_scope(env, &inner));
  t_set(env, t_object(env), "a", t_object(env));
  napi_close_handle_scope(env, outer);
  return say(env, napi_close_handle_scope(env, inner));
}

static napi_value close_twice(napi_env env, napi_callback_info info) {
  napi_handle_scope scope;
  T_OK(napi_open_handle_scope(env, &scope));
  t_set(env, t_object(env), "a", t_object(env));
  T_OK(napi_close_handle_scope(env, scope));
  return say(env, napi_close_handle_scope(env, scope));
}

/* (length) */
static napi_value huge_array(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  return say(env, napi_create_array_with_length(env, (size_t)t_double(env, argv[0]), &result));
}

static napi_value huge_arraybuffer(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  void *data;
  t_args(env, info, argv, 1);
  return say(env, napi_create_arraybuffer(env, (size_t)t_double(env, argv[0]), &data, &result));
}

static napi_value huge_buffer(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  void *data;
  t_args(env, info, argv, 1);
  return say(env, napi_create_buffer(env, (size_t)t_double(env, argv[0]), &data, &result));
}

/* Offsets and lengths whose sum or product overflows. */
static napi_value views_far_out(napi_env env, napi_callback_info info) {
  static const size_t edges[] = {
      1, 8, 16, 17, SIZE_MAX, SIZE_MAX - 7, SIZE_MAX / 8 + 1, SIZE_MAX / 8 + 2, (size_t)1 << 32, (size_t)1 << 53};
  napi_value arraybuffer, result, caught;
  bool pending;
  T_OK(napi_create_arraybuffer(env, 16, NULL, &arraybuffer));
  for (size_t i = 0; i < T_COUNT(edges); i++) {
    for (size_t k = 0; k < T_COUNT(edges); k++) {
      for (int type = -1; type <= 12; type++) {
        napi_create_typedarray(env, (napi_typedarray_type)type, edges[i], arraybuffer, edges[k], &result);
        T_OK(napi_is_exception_pending(env, &pending));
        if (pending) T_OK(napi_get_and_clear_last_exception(env, &caught));
      }
      napi_create_dataview(env, edges[i], arraybuffer, edges[k], &result);
      T_OK(napi_is_exception_pending(env, &pending));
      if (pending) T_OK(napi_get_and_clear_last_exception(env, &caught));
    }
  }
  return t_string(env, "far out");
}

/* Node 24 and 26 end by it. */
static napi_value give_back_too_much(napi_env env, napi_callback_info info) {
  int64_t memory;
  T_OK(napi_adjust_external_memory(env, 1000, &memory));
  return say(env, napi_adjust_external_memory(env, -1000000, &memory));
}

static napi_value use_stale_info(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  size_t argc = 4;
  return say(env, napi_get_cb_info(env, stale_info, &argc, argv, NULL, NULL));
}

/* As deep as the stack goes: every level is a frame here and in JavaScript. */
static napi_value recurse(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  if (napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result) != napi_ok) return NULL;
  return result;
}

static const struct t_function functions[] = {
    {"unnamedProperty", unnamed_property},
    {"unnamedMember", unnamed_member},
    {"nameIsANumber", name_is_a_number},
    {"resolveTwice", resolve_twice},
    {"deleteReferenceTwice", delete_reference_twice},
    {"useDeletedReference", use_deleted_reference},
    {"keep", keep},
    {"useStale", use_stale},
    {"returnStale", return_stale},
    {"useClosedScope", use_closed_scope},
    {"returnFromClosedScope", return_from_closed_scope},
    {"useGarbage", use_garbage},
    {"returnGarbage", return_garbage},
    {"leaveScopesOpen", leave_scopes_open},
    {"closeInTheWrongOrder", close_in_the_wrong_order},
    {"closeTwice", close_twice},
    {"hugeArray", huge_array},
    {"hugeArraybuffer", huge_arraybuffer},
    {"hugeBuffer", huge_buffer},
    {"viewsFarOut", views_far_out},
    {"giveBackTooMuch", give_back_too_much},
    {"useStaleInfo", use_stale_info},
    {"recurse", recurse},
};
T_INIT(functions)
