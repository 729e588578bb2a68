/* Properties and elements. Every function returns { status, message, value?, thrown? }. */
#include "common.h"

#define WRAP_KEYED(cname, call)                                                                                        \
  static napi_value cname(napi_env env, napi_callback_info info) {                                                     \
    napi_value argv[2], value = NULL;                                                                                  \
    bool truth = false;                                                                                                \
    (void)value;                                                                                                       \
    (void)truth;                                                                                                       \
    t_args(env, info, argv, 2);                                                                                        \
    napi_status status = (call);                                                                                       \
    return t_result(env, status, status != napi_ok ? NULL : value ? value : t_boolean(env, truth));                    \
  }

WRAP_KEYED(get, napi_get_property(env, argv[0], argv[1], &value))
WRAP_KEYED(has, napi_has_property(env, argv[0], argv[1], &truth))
WRAP_KEYED(has_own, napi_has_own_property(env, argv[0], argv[1], &truth))
WRAP_KEYED(delete, napi_delete_property(env, argv[0], argv[1], &truth))
WRAP_KEYED(delete_silently, napi_delete_property(env, argv[0], argv[1], NULL))
WRAP_KEYED(get_element, napi_get_element(env, argv[0], t_uint(env, argv[1]), &value))
WRAP_KEYED(has_element, napi_has_element(env, argv[0], t_uint(env, argv[1]), &truth))
WRAP_KEYED(delete_element, napi_delete_element(env, argv[0], t_uint(env, argv[1]), &truth))
WRAP_KEYED(get_prototype, napi_get_prototype(env, argv[0], &value))
WRAP_KEYED(property_names, napi_get_property_names(env, argv[0], &value))
WRAP_KEYED(freeze, napi_object_freeze(env, argv[0]))
WRAP_KEYED(seal, napi_object_seal(env, argv[0]))
WRAP_KEYED(is_array, napi_is_array(env, argv[0], &truth))

static napi_value set(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  return t_result(env, napi_set_property(env, argv[0], argv[1], argv[2]), NULL);
}

static napi_value set_element(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  return t_result(env, napi_set_element(env, argv[0], t_uint(env, argv[1]), argv[2]), NULL);
}

static napi_value set_named(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  char *name = t_text(env, argv[1]);
  napi_value result = t_result(env, napi_set_named_property(env, argv[0], name, argv[2]), NULL);
  free(name);
  return result;
}

static napi_value get_named(napi_env env, napi_callback_info info) {
  napi_value argv[2], value = NULL;
  t_args(env, info, argv, 2);
  char *name = t_text(env, argv[1]);
  napi_value result = t_result(env, napi_get_named_property(env, argv[0], name, &value), NULL);
  free(name);
  if (value) t_set(env, result, "value", value);
  return result;
}

static napi_value has_named(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  bool truth = false;
  t_args(env, info, argv, 2);
  char *name = t_text(env, argv[1]);
  napi_status status = napi_has_named_property(env, argv[0], name, &truth);
  free(name);
  return t_result(env, status, t_boolean(env, truth));
}

static napi_value array_length(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t length = 12345;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_array_length(env, argv[0], &length);
  return t_result(env, status, t_number(env, length));
}

static napi_value create_array(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_create_array_with_length(env, (size_t)t_double(env, argv[0]), &value);
  return t_result(env, status, value);
}

/* (object, mode, filter, conversion) */
static napi_value all_property_names(napi_env env, napi_callback_info info) {
  napi_value argv[4], value = NULL;
  t_args(env, info, argv, 4);
  napi_status status = napi_get_all_property_names(env, argv[0], (napi_key_collection_mode)t_int(env, argv[1]),
                                                   (napi_key_filter)t_int(env, argv[2]),
                                                   (napi_key_conversion)t_int(env, argv[3]), &value);
  return t_result(env, status, value);
}

static napi_value method(napi_env env, napi_callback_info info) {
  void *data;
  T_OK(napi_get_cb_info(env, info, NULL, NULL, NULL, &data));
  return t_string(env, data ? "method with data" : "method");
}

static napi_value stored;

static napi_value getter(napi_env env, napi_callback_info info) {
  return t_string(env, "from the getter");
}

/* Leaves a trace on `this`, so that the test sees what arrived. */
static napi_value setter(napi_env env, napi_callback_info info) {
  napi_value this_arg, argv[1];
  size_t argc = 1;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &this_arg, NULL));
  t_set(env, this_arg, "set", argv[0]);
  return NULL;
}

/* (object, [{ name, utf8, kind, attributes, value }...]): kind is a word out of "method", "getter", "setter",
 * "accessor", "value", "data". */
static napi_value define(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  uint32_t count;
  T_OK(napi_get_array_length(env, argv[1], &count));
  napi_property_descriptor *properties = calloc(count + 1, sizeof *properties);
  if (!properties) abort();
  for (uint32_t i = 0; i < count; i++) {
    napi_value one = t_at(env, argv[1], i);
    char *kind = t_text(env, t_get(env, one, "kind"));
    napi_property_descriptor *property = &properties[i];
    property->utf8name = t_text(env, t_get(env, one, "utf8"));
    if (!property->utf8name) property->name = t_get(env, one, "name");
    property->attributes = (napi_property_attributes)t_uint(env, t_get(env, one, "attributes"));
    if (!strcmp(kind, "method") || !strcmp(kind, "data")) property->method = method;
    if (!strcmp(kind, "data")) property->data = &stored;
    if (!strcmp(kind, "getter") || !strcmp(kind, "accessor")) property->getter = getter;
    if (!strcmp(kind, "setter") || !strcmp(kind, "accessor")) property->setter = setter;
    if (!strcmp(kind, "value")) property->value = t_get(env, one, "value");
    free(kind);
  }
  napi_value result = t_result(env, napi_define_properties(env, argv[0], count, properties), NULL);
  for (uint32_t i = 0; i < count; i++) free((void *)(uintptr_t)properties[i].utf8name);
  free(properties);
  return result;
}

/* A property of each kind on an object that native code made, in the order in which it set them. */
static napi_value build(napi_env env, napi_callback_info info) {
  napi_value object = t_object(env), symbol;
  T_OK(napi_create_symbol(env, t_string(env, "symbol"), &symbol));
  t_set(env, object, "z", t_number(env, -0.0));
  T_OK(napi_set_property(env, object, t_string(env, "a"), t_undefined(env)));
  T_OK(napi_set_element(env, object, 7, t_string(env, "seven")));
  T_OK(napi_set_property(env, object, t_number(env, 3), t_boolean(env, true)));
  T_OK(napi_set_property(env, object, symbol, t_string(env, "by symbol")));
  t_set(env, object, "", t_string(env, "empty name"));
  t_set(env, object, "\xc3\xbc", t_string(env, "\xc3\xbc"));
  t_set(env, object, "self", object);
  t_set(env, object, "z", t_number(env, 2));
  return object;
}

/* An array with the largest index, and the number behind it, which is none. */
static napi_value build_sparse(napi_env env, napi_callback_info info) {
  napi_value array = t_array(env);
  T_OK(napi_set_element(env, array, UINT32_MAX - 1, t_string(env, "the last")));
  T_OK(napi_set_element(env, array, UINT32_MAX, t_string(env, "a name")));
  T_OK(napi_set_element(env, array, 0, t_string(env, "the first")));
  return array;
}

static const struct t_function functions[] = {
    {"get", get},
    {"has", has},
    {"hasOwn", has_own},
    {"delete", delete},
    {"deleteSilently", delete_silently},
    {"getElement", get_element},
    {"hasElement", has_element},
    {"deleteElement", delete_element},
    {"getPrototype", get_prototype},
    {"propertyNames", property_names},
    {"freeze", freeze},
    {"seal", seal},
    {"isArray", is_array},
    {"set", set},
    {"setElement", set_element},
    {"setNamed", set_named},
    {"getNamed", get_named},
    {"hasNamed", has_named},
    {"arrayLength", array_length},
    {"createArray", create_array},
    {"allPropertyNames", all_property_names},
    {"define", define},
    {"build", build},
    {"buildSparse", build_sparse},
};
T_INIT(functions)
