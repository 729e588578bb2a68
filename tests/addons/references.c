/* References, kept in a table: JavaScript names them by their place in it. */
#include "common.h"

static napi_ref references[2048];
static uint32_t used;

static napi_ref *reference(napi_env env, napi_value index) {
  uint32_t place = t_uint(env, index);
  if (place >= used) abort();
  return &references[place];
}

/* (value, count): { ..., value: the place }. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  if (used == T_COUNT(references)) abort();
  napi_status status = napi_create_reference(env, argv[0], t_uint(env, argv[1]), &references[used]);
  napi_value result = t_result(env, status, status == napi_ok ? t_number(env, used) : NULL);
  if (status == napi_ok) used++;
  return result;
}

static napi_value get(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_reference_value(env, *reference(env, argv[0]), &value);
  return t_result(env, status, value);
}

static napi_value ref(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t count = UINT32_MAX;
  t_args(env, info, argv, 1);
  napi_status status = napi_reference_ref(env, *reference(env, argv[0]), &count);
  return t_result(env, status, status == napi_ok ? t_number(env, count) : NULL);
}

static napi_value unref(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t count = UINT32_MAX;
  t_args(env, info, argv, 1);
  napi_status status = napi_reference_unref(env, *reference(env, argv[0]), &count);
  return t_result(env, status, status == napi_ok ? t_number(env, count) : NULL);
}

/* The count is optional in both. */
static napi_value ref_unref_silently(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_reference_ref(env, *reference(env, argv[0]), NULL));
  return t_result(env, napi_reference_unref(env, *reference(env, argv[0]), NULL), NULL);
}

static napi_value delete (napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  napi_ref *place = reference(env, argv[0]);
  napi_status status = napi_delete_reference(env, *place);
  *place = NULL;
  return t_result(env, status, NULL);
}

/* Made, counted, read and deleted within one call. */
static napi_value within(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL, result = t_array(env);
  uint32_t counts[4];
  napi_ref own;
  t_args(env, info, argv, 1);
  T_OK(napi_create_reference(env, argv[0], 1, &own));
  T_OK(napi_reference_ref(env, own, &counts[0]));
  T_OK(napi_reference_unref(env, own, &counts[1]));
  T_OK(napi_reference_unref(env, own, &counts[2]));
  T_OK(napi_get_reference_value(env, own, &value));
  T_OK(napi_reference_ref(env, own, &counts[3]));
  T_OK(napi_delete_reference(env, own));
  for (uint32_t i = 0; i < 4; i++) T_OK(napi_set_element(env, result, i, t_number(env, counts[i])));
  T_OK(napi_set_element(env, result, 4, value));
  return result;
}

/* (count): as many references to new objects, all deleted again; how many of them were right. */
static napi_value many(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]), right = 0;
  napi_ref *all = calloc(count, sizeof *all);
  if (!all) abort();
  for (uint32_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    napi_value object = t_object(env);
    t_set(env, object, "index", t_number(env, i));
    T_OK(napi_create_reference(env, object, 1, &all[i]));
    T_OK(napi_close_handle_scope(env, scope));
  }
  for (uint32_t i = count; i-- > 0;) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    napi_value object;
    T_OK(napi_get_reference_value(env, all[i], &object));
    right += t_uint(env, t_get(env, object, "index")) == i;
    T_OK(napi_delete_reference(env, all[i]));
    T_OK(napi_close_handle_scope(env, scope));
  }
  free(all);
  return t_number(env, right);
}

static const struct t_function functions[] = {
    {"create", create}, {"get", get},       {"ref", ref},   {"unref", unref}, {"refUnrefSilently", ref_unref_silently},
    {"delete", delete}, {"within", within}, {"many", many},
};
T_INIT(functions)
