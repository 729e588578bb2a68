/* What a callback is told: arguments, `this`, new.target, data; for functions and classes of every shape. */
#include "common.h"

#define PLACES 12000
#define MEMBERS 600

/* What stands in places that napi_get_cb_info() must not touch. */
static napi_value marks(napi_env env, napi_value *argv, size_t count) {
  napi_value mark = t_string(env, "untouched");
  for (size_t i = 0; i < count; i++) argv[i] = mark;
  return mark;
}

static napi_value array_of(napi_env env, const napi_value *values, size_t count) {
  napi_value array = t_array(env);
  for (size_t i = 0; i < count; i++) T_OK(napi_set_element(env, array, (uint32_t)i, values[i]));
  return array;
}

/* Data: how many places it offers. { argc, argv with two places more, self }; all is asked twice. */
static napi_value take(napi_env env, napi_callback_info info) {
  void *data;
  T_OK(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  size_t places = *(const size_t *)data, argc = places, again = places;
  napi_value *argv = malloc((places + 2) * sizeof *argv), self, other, result = t_object(env);
  if (!argv) abort();
  marks(env, argv, places + 2);
  T_OK(napi_get_cb_info(env, info, &argc, argv, &self, NULL));
  T_OK(napi_get_cb_info(env, info, &again, argv, &other, NULL));
  bool is_same;
  T_OK(napi_strict_equals(env, self, other, &is_same));
  t_set(env, result, "argc", t_number(env, (double)argc));
  t_set(env, result, "again", t_number(env, (double)again));
  t_set(env, result, "argv", array_of(env, argv, places + 2));
  t_set(env, result, "self", self);
  t_set(env, result, "isSame", t_boolean(env, is_same));
  free(argv);
  return result;
}

/* (places): a function that offers so many. */
static napi_value taker(napi_env env, napi_callback_info info) {
  static size_t places[PLACES];
  napi_value argv[1], function;
  t_args(env, info, argv, 1);
  size_t *data = &places[t_uint(env, argv[0])];
  *data = t_uint(env, argv[0]);
  T_OK(napi_create_function(env, "taken", NAPI_AUTO_LENGTH, take, data, &function));
  return function;
}

/* One part of the context at a time, and the count with nowhere to put arguments. */
static napi_value parts(napi_env env, napi_callback_info info) {
  size_t argc = 3, none = 0, only = 7;
  napi_value argv[3], self, value, result = t_array(env), empty[1];
  void *data = &argc;
  marks(env, argv, 3);
  marks(env, empty, 1);
  T_OK(napi_get_cb_info(env, info, NULL, NULL, NULL, NULL));
  T_OK(napi_get_cb_info(env, info, &only, NULL, NULL, NULL));
  T_OK(napi_get_cb_info(env, info, NULL, NULL, &self, NULL));
  T_OK(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  T_OK(napi_get_cb_info(env, info, &none, empty, NULL, NULL));
  T_OK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  T_OK(napi_get_new_target(env, info, &value));
  T_OK(napi_set_element(env, result, 0, t_number(env, (double)only)));
  T_OK(napi_set_element(env, result, 1, self));
  T_OK(napi_set_element(env, result, 2, t_boolean(env, data == NULL)));
  T_OK(napi_set_element(env, result, 3, t_number(env, (double)none)));
  T_OK(napi_set_element(env, result, 4, empty[0]));
  T_OK(napi_set_element(env, result, 5, array_of(env, argv, 3)));
  T_OK(napi_set_element(env, result, 6, t_number(env, (double)argc)));
  T_OK(napi_set_element(env, result, 7, value ? value : t_string(env, "no new.target")));
  return result;
}

/* (function, count): calls it with so many arguments, each a fresh object. */
static napi_value pass(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  t_args(env, info, argv, 2);
  uint32_t count = t_uint(env, argv[1]);
  napi_value *values = malloc((count + 1) * sizeof *values);
  if (!values) abort();
  for (uint32_t i = 0; i < count; i++) {
    values[i] = i % 3 == 0 ? t_object(env) : i % 3 == 1 ? t_number(env, i + 0.5) : t_string(env, "text");
  }
  napi_status status = napi_call_function(env, t_undefined(env), argv[0], count, values, &result);
  free(values);
  return t_result(env, status, result);
}

/* ---- Constructors ------------------------------------------------------------------------------------------------ */

/* (how): what a constructor does. */
static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value argv[2], self, target, value;
  size_t argc = 2;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &self, NULL));
  T_OK(napi_get_new_target(env, info, &target));
  char *how = t_typeof(env, argv[0]) == napi_string ? t_text(env, argv[0]) : strdup("");
  napi_value result = self;
  t_set(env, self, "target", target ? target : t_string(env, "none"));
  if (strcmp(how, "throw") == 0) {
    napi_throw(env, argv[1]);
  } else if (strcmp(how, "throw and return") == 0) {
    napi_throw_range_error(env, "ERR_CONSTRUCT", "returned all the same");
  } else if (strcmp(how, "throw, wrapped") == 0) {
    T_OK(napi_wrap(env, self, how, NULL, NULL, NULL));
    napi_throw_error(env, NULL, "wrapped before");
    result = NULL;
  } else if (strcmp(how, "return") == 0) {
    result = argv[1];
  } else if (strcmp(how, "return nothing") == 0) {
    result = NULL;
  } else if (strcmp(how, "call") == 0) {
    result = napi_call_function(env, self, argv[1], 0, NULL, &value) == napi_ok ? self : NULL;
  }
  free(how);
  return result;
}

static napi_value constructor(napi_env env, napi_callback_info info) {
  napi_value class;
  T_OK(napi_define_class(env, "Constructed", NAPI_AUTO_LENGTH, construct, NULL, 0, NULL, &class));
  return class;
}

/* ---- Classes with many members ----------------------------------------------------------------------------------- */

static int numbers[MEMBERS];

/* Tells by its data which member it is. */
static napi_value member(napi_env env, napi_callback_info info) {
  napi_value argv[1], self, result = t_array(env);
  size_t argc = 1;
  void *data;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &self, &data));
  int number = data ? (int)((int *)data - numbers) : -1;
  T_OK(napi_set_element(env, result, 0, t_number(env, number)));
  T_OK(napi_set_element(env, result, 1, t_number(env, (double)argc)));
  T_OK(napi_set_element(env, result, 2, argv[0]));
  T_OK(napi_set_element(env, result, 3, self));
  return result;
}

/* A constructor that tells its data too. */
static napi_value make_instance(napi_env env, napi_callback_info info) {
  napi_value self;
  void *data;
  T_OK(napi_get_cb_info(env, info, NULL, NULL, &self, &data));
  t_set(env, self, "constructor's data", t_number(env, (double)((int *)data - numbers)));
  return self;
}

static napi_value set_member(napi_env env, napi_callback_info info) {
  napi_value argv[1], self;
  size_t argc = 1;
  void *data;
  char name[32];
  T_OK(napi_get_cb_info(env, info, &argc, argv, &self, &data));
  snprintf(name, sizeof name, "set by %d", (int)((int *)data - numbers));
  t_set(env, self, name, argv[0]);
  return NULL;
}

/* (name, [{ name or key, kind, attributes }]): a class; the data of each member is its number. */
static napi_value define(napi_env env, napi_callback_info info) {
  napi_value argv[2], class = NULL;
  uint32_t count;
  t_args(env, info, argv, 2);
  T_OK(napi_get_array_length(env, argv[1], &count));
  if (count > MEMBERS) abort();
  napi_property_descriptor *properties = calloc(count + 1, sizeof *properties);
  if (!properties) abort();
  for (uint32_t i = 0; i < count; i++) {
    napi_value of = t_at(env, argv[1], i), key = t_get(env, of, "key");
    char *kind = t_text(env, t_get(env, of, "kind"));
    napi_property_descriptor *property = &properties[i];
    property->utf8name = t_text(env, t_get(env, of, "name"));
    if (!property->utf8name) property->name = key;
    property->attributes = (napi_property_attributes)t_uint(env, t_get(env, of, "attributes"));
    property->data = &numbers[i];
    if (strcmp(kind, "method") == 0) property->method = member;
    if (strcmp(kind, "getter") == 0 || strcmp(kind, "accessor") == 0) property->getter = member;
    if (strcmp(kind, "setter") == 0 || strcmp(kind, "accessor") == 0) property->setter = set_member;
    if (strcmp(kind, "value") == 0) property->value = t_get(env, of, "value");
    free(kind);
  }
  char *name = t_text(env, argv[0]);
  napi_status status =
      napi_define_class(env, name, NAPI_AUTO_LENGTH, make_instance, &numbers[MEMBERS - 1], count, properties, &class);
  free(name);
  for (uint32_t i = 0; i < count; i++) free((char *)properties[i].utf8name);
  free(properties);
  return t_result(env, status, status == napi_ok ? class : NULL);
}

/* ---- Functions that outlive their scope -------------------------------------------------------------------------- */

static napi_ref kept[3];

/* (holder): functions made in scopes that are closed: one becomes a property, one is kept by a reference. */
static napi_value outlive(napi_env env, napi_callback_info info) {
  napi_value argv[1], function;
  t_args(env, info, argv, 1);
  for (int i = 0; i < 3; i++) {
    napi_handle_scope scope;
    char name[16];
    T_OK(napi_open_handle_scope(env, &scope));
    snprintf(name, sizeof name, "kept%d", i);
    T_OK(napi_create_function(env, name, NAPI_AUTO_LENGTH, member, &numbers[i], &function));
    t_set(env, argv[0], name, function);
    T_OK(napi_create_function(env, NULL, 0, member, i == 2 ? NULL : &numbers[10 + i], &function));
    if (kept[i]) T_OK(napi_delete_reference(env, kept[i]));
    T_OK(napi_create_reference(env, function, 1, &kept[i]));
    T_OK(napi_close_handle_scope(env, scope));
  }
  return NULL;
}

static napi_value call_kept(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env), function, value, argument = t_string(env, "argument");
  for (int i = 0; i < 3; i++) {
    T_OK(napi_get_reference_value(env, kept[i], &function));
    T_OK(napi_call_function(env, argument, function, 1, &argument, &value));
    T_OK(napi_set_element(env, result, (uint32_t)i, value));
  }
  return result;
}

static const struct t_function functions[] = {
    {"taker", taker},   {"parts", parts},     {"pass", pass},          {"constructor", constructor},
    {"define", define}, {"outlive", outlive}, {"callKept", call_kept},
};
T_INIT(functions)
