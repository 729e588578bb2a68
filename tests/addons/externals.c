/* Externals: native pointers as values. */
#include "common.h"

struct box {
  double value;
};

static int freed;
static int hints;

static void box_free(napi_env env, void *data, void *hint) {
  freed++;
  hints += hint ? *(int *)hint : 0;
  free(data);
}

/* (number) */
static napi_value create(napi_env env, napi_callback_info info) {
  static int hint = 1;
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  struct box *box = malloc(sizeof *box);
  if (!box) abort();
  box->value = t_double(env, argv[0]);
  T_OK(napi_create_external(env, box, box_free, &hint, &result));
  return result;
}

/* Without finalizer; the same pointer each time. */
static napi_value create_static(napi_env env, napi_callback_info info) {
  static struct box box = {99};
  napi_value result;
  T_OK(napi_create_external(env, &box, NULL, NULL, &result));
  return result;
}

static napi_value create_null(napi_env env, napi_callback_info info) {
  napi_value result = NULL;
  napi_status status = napi_create_external(env, NULL, NULL, NULL, &result);
  return t_result(env, status, result);
}

/* The number inside, null for a NULL pointer. */
static napi_value get(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  void *data = NULL;
  napi_status status = napi_get_value_external(env, argv[0], &data);
  if (status != napi_ok) return t_result(env, status, NULL);
  return t_result(env, status, data ? t_number(env, ((struct box *)data)->value) : t_string(env, NULL));
}

static napi_value set(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  void *data;
  T_OK(napi_get_value_external(env, argv[0], &data));
  ((struct box *)data)->value = t_double(env, argv[1]);
  return NULL;
}

/* The same pointer in both? */
static napi_value same(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  void *a, *b;
  T_OK(napi_get_value_external(env, argv[0], &a));
  T_OK(napi_get_value_external(env, argv[1], &b));
  return t_boolean(env, a == b);
}

static napi_value type_of(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, t_typeof(env, argv[0]));
}

/* An external that is made and read within one call, without JavaScript in between. */
static napi_value round_trip(napi_env env, napi_callback_info info) {
  int local = 5;
  napi_value external;
  void *data;
  T_OK(napi_create_external(env, &local, NULL, NULL, &external));
  T_OK(napi_get_value_external(env, external, &data));
  return t_boolean(env, data == &local);
}

static napi_value counts(napi_env env, napi_callback_info info) {
  napi_value result = t_object(env);
  t_set(env, result, "freed", t_number(env, freed));
  t_set(env, result, "hints", t_number(env, hints));
  return result;
}

static const struct t_function functions[] = {
    {"create", create},
    {"createStatic", create_static},
    {"createNull", create_null},
    {"get", get},
    {"set", set},
    {"same", same},
    {"typeOf", type_of},
    {"roundTrip", round_trip},
    {"counts", counts},
};
T_INIT(functions)
