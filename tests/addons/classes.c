/* Classes and wrapped objects. */
#include "common.h"

struct counter {
  double value;
};

static int created, freed;

static void counter_free(napi_env env, void *data, void *hint) {
  freed++;
  free(data);
}

static struct counter *counter_new(double value) {
  struct counter *counter = malloc(sizeof *counter);
  if (!counter) abort();
  counter->value = value;
  created++;
  return counter;
}

static napi_value counter_construct(napi_env env, napi_callback_info info) {
  napi_value argv[1], this_arg, new_target;
  size_t argc = 1;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &this_arg, NULL));
  T_OK(napi_get_new_target(env, info, &new_target));
  if (!new_target) {
    napi_throw_type_error(env, "ERR_NEW", "Counter is a constructor");
    return NULL;
  }
  double start = 0;
  if (argc > 0 && napi_get_value_double(env, argv[0], &start) != napi_ok) {
    napi_throw_range_error(env, NULL, "A counter starts with a number");
    return NULL;
  }
  T_OK(napi_wrap(env, this_arg, counter_new(start), counter_free, NULL, NULL));
  return this_arg;
}

static struct counter *counter_this(napi_env env, napi_callback_info info, napi_value *argv, size_t capacity) {
  napi_value this_arg;
  size_t argc = capacity;
  void *counter;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &this_arg, NULL));
  if (napi_unwrap(env, this_arg, &counter) == napi_ok) return counter;
  napi_throw_type_error(env, "ERR_THIS", "Illegal invocation");
  return NULL;
}

static napi_value counter_increment(napi_env env, napi_callback_info info) {
  struct counter *counter = counter_this(env, info, NULL, 0);
  return counter ? t_number(env, ++counter->value) : NULL;
}

static napi_value counter_add(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct counter *counter = counter_this(env, info, argv, 1);
  return counter ? t_number(env, counter->value += t_double(env, argv[0])) : NULL;
}

static napi_value counter_get(napi_env env, napi_callback_info info) {
  struct counter *counter = counter_this(env, info, NULL, 0);
  return counter ? t_number(env, counter->value) : NULL;
}

static napi_value counter_set(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct counter *counter = counter_this(env, info, argv, 1);
  if (counter) counter->value = t_double(env, argv[0]);
  return NULL;
}

/* Another wrapped object as argument. */
static napi_value counter_plus(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *other;
  struct counter *counter = counter_this(env, info, argv, 1);
  if (!counter) return NULL;
  if (napi_unwrap(env, argv[0], &other) != napi_ok) {
    napi_throw_type_error(env, NULL, "A counter expected");
    return NULL;
  }
  return t_number(env, counter->value + ((struct counter *)other)->value);
}

/* (counter, look): its value, if that is asked for. */
static napi_value value_of(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  void *counter = NULL;
  t_args(env, info, argv, 2);
  if (!t_bool(env, argv[1])) return NULL;
  return t_string(env, napi_unwrap(env, argv[0], &counter) != napi_ok ? "none"
                       : ((struct counter *)counter)->value == 5      ? "five"
                                                                      : "another");
}

static napi_value counter_create(napi_env env, napi_callback_info info) {
  napi_value argv[1], this_arg, result;
  size_t argc = 1;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &this_arg, NULL));
  return napi_new_instance(env, this_arg, argc < 1 ? 0 : 1, argv, &result) == napi_ok ? result : NULL;
}

static int limit = 1000;

static napi_value counter_limit(napi_env env, napi_callback_info info) {
  void *data;
  T_OK(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  return t_number(env, *(int *)data);
}

static napi_value define_counter(napi_env env, napi_value symbol) {
  const napi_property_attributes all = napi_writable | napi_enumerable | napi_configurable;
  const napi_property_descriptor properties[] = {
      {"increment", NULL, counter_increment, NULL, NULL, NULL, napi_default_method, NULL},
      {"add", NULL, counter_add, NULL, NULL, NULL, napi_default, NULL},
      {"plus", NULL, counter_plus, NULL, NULL, NULL, all, NULL},
      {"value", NULL, NULL, counter_get, counter_set, NULL, napi_enumerable, NULL},
      {"readonly", NULL, NULL, counter_get, NULL, NULL, napi_configurable, NULL},
      {"writeonly", NULL, NULL, NULL, counter_set, NULL, napi_default, NULL},
      {"constant", NULL, NULL, NULL, NULL, t_string(env, "a constant"), napi_enumerable, NULL},
      {"mutable", NULL, NULL, NULL, NULL, t_number(env, 7), napi_default_jsproperty, NULL},
      {NULL, symbol, counter_increment, NULL, NULL, NULL, napi_default_method, NULL},
      {NULL, t_string(env, "named by value"), counter_get, NULL, NULL, NULL, napi_default_method, NULL},
      {"create", NULL, counter_create, NULL, NULL, NULL, napi_static | napi_default_method, NULL},
      {"limit", NULL, NULL, counter_limit, NULL, NULL, napi_static | napi_enumerable, &limit},
      {"version", NULL, NULL, NULL, NULL, t_number(env, 3), napi_static, NULL},
  };
  napi_value result;
  T_OK(napi_define_class(env, "Counter", NAPI_AUTO_LENGTH, counter_construct, NULL, T_COUNT(properties), properties,
                         &result));
  return result;
}

static napi_value construct_plain(napi_env env, napi_callback_info info) {
  napi_value this_arg, argv[2];
  size_t argc = 2;
  void *data;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &this_arg, &data));
  t_set(env, this_arg, "argc", t_number(env, (double)argc));
  t_set(env, this_arg, "data", data ? t_number(env, *(int *)data) : t_string(env, NULL));
  return NULL;
}

/* (name, length): a class without properties. */
static napi_value define_class(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  t_args(env, info, argv, 2);
  char *name = t_text(env, argv[0]);
  napi_status status = napi_define_class(env, name, t_length(env, argv[1]), construct_plain, &limit, 0, NULL, &result);
  result = t_result(env, status, result);
  free(name);
  return result;
}

/* (object, number) */
static napi_value wrap(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct counter *counter = counter_new(t_double(env, argv[1]));
  napi_status status = napi_wrap(env, argv[0], counter, counter_free, NULL, NULL);
  napi_value result = t_result(env, status, NULL);
  if (status != napi_ok) free(counter);
  return result;
}

static napi_value unwrap(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  void *data = NULL;
  napi_status status = napi_unwrap(env, argv[0], &data);
  return t_result(env, status, status == napi_ok ? t_number(env, ((struct counter *)data)->value) : NULL);
}

static napi_value remove_wrap(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  void *data = NULL;
  napi_status status = napi_remove_wrap(env, argv[0], &data);
  napi_value result = t_result(env, status, status == napi_ok ? t_number(env, ((struct counter *)data)->value) : NULL);
  if (status == napi_ok) free(data);
  return result;
}

static napi_value wrap_null(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_result(env, napi_wrap(env, argv[0], NULL, NULL, NULL, NULL), NULL);
}

static napi_ref wrapped;

/* (object, number): wraps with a reference that wrapReference() and deleteWrapReference() use. */
static napi_value wrap_with_reference(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct counter *counter = counter_new(t_double(env, argv[1]));
  napi_status status = napi_wrap(env, argv[0], counter, counter_free, NULL, &wrapped);
  return t_result(env, status, NULL);
}

/* What the reference of the wrap points to, and its counts going up and down. */
static napi_value wrap_reference(napi_env env, napi_callback_info info) {
  napi_value value = NULL, result = t_object(env);
  uint32_t up, down;
  T_OK(napi_get_reference_value(env, wrapped, &value));
  T_OK(napi_reference_ref(env, wrapped, &up));
  T_OK(napi_reference_unref(env, wrapped, &down));
  t_set(env, result, "up", t_number(env, up));
  t_set(env, result, "down", t_number(env, down));
  if (value) t_set(env, result, "value", value);
  return result;
}

static napi_value delete_wrap_reference(napi_env env, napi_callback_info info) {
  return t_result(env, napi_delete_reference(env, wrapped), NULL);
}

static napi_value counts(napi_env env, napi_callback_info info) {
  napi_value result = t_object(env);
  t_set(env, result, "created", t_number(env, created));
  t_set(env, result, "freed", t_number(env, freed));
  return result;
}

static const struct t_function functions[] = {
    {"valueOf", value_of},
    {"defineClass", define_class},
    {"wrap", wrap},
    {"unwrap", unwrap},
    {"removeWrap", remove_wrap},
    {"wrapNull", wrap_null},
    {"wrapWithReference", wrap_with_reference},
    {"wrapReference", wrap_reference},
    {"deleteWrapReference", delete_wrap_reference},
    {"counts", counts},
};

NAPI_MODULE_INIT() {
  t_export(env, exports, functions, T_COUNT(functions));
  napi_value symbol;
  T_OK(napi_create_symbol(env, t_string(env, "increment"), &symbol));
  t_set(env, exports, "symbol", symbol);
  t_set(env, exports, "Counter", define_counter(env, symbol));
  return exports;
}
