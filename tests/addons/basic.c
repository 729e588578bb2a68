/* The smallest calls: what the benchmarks and the counted round trips use. */
#include "common.h"

static napi_value noop(napi_env env, napi_callback_info info) {
  return NULL;
}

static napi_value add(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  double a, b;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_double(env, argv[0], &a) != napi_ok || napi_get_value_double(env, argv[1], &b) != napi_ok) {
    napi_throw_type_error(env, "ERR_NUMBERS", "Numbers expected");
    return NULL;
  }
  napi_value result;
  return napi_create_double(env, a + b, &result) == napi_ok ? result : NULL;
}

static napi_value concat(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  size_t lengths[2];
  for (int i = 0; i < 2; i++) {
    if (napi_get_value_string_utf16(env, argv[i], NULL, 0, &lengths[i]) != napi_ok) {
      napi_throw_type_error(env, NULL, "Strings expected");
      return NULL;
    }
  }
  char16_t *text = malloc((lengths[0] + lengths[1] + 1) * sizeof(char16_t));
  if (!text) abort();
  T_OK(napi_get_value_string_utf16(env, argv[0], text, lengths[0] + 1, NULL));
  T_OK(napi_get_value_string_utf16(env, argv[1], text + lengths[0], lengths[1] + 1, NULL));
  napi_value result;
  T_OK(napi_create_string_utf16(env, text, lengths[0] + lengths[1], &result));
  free(text);
  return result;
}

static napi_value identity(napi_env env, napi_callback_info info) {
  napi_value value;
  t_args(env, info, &value, 1);
  return value;
}

static napi_value type_of(napi_env env, napi_callback_info info) {
  napi_value value;
  t_args(env, info, &value, 1);
  return t_number(env, t_typeof(env, value));
}

static napi_value build_object(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]);
  napi_value object = t_object(env);
  for (uint32_t i = 0; i < count; i++) {
    char name[16];
    snprintf(name, sizeof name, "k%u", i);
    t_set(env, object, name, t_number(env, i));
  }
  return object;
}

static napi_value build_array(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uint32_t count = t_uint(env, argv[0]);
  napi_value array;
  T_OK(napi_create_array_with_length(env, count, &array));
  for (uint32_t i = 0; i < count; i++) T_OK(napi_set_element(env, array, i, t_number(env, i)));
  return array;
}

/* An object of objects and arrays, `depth` deep: what option parsers and syntax trees look like. */
static napi_value tree(napi_env env, uint32_t depth) {
  napi_value node = t_object(env);
  t_set(env, node, "depth", t_number(env, depth));
  t_set(env, node, "name", t_string(env, depth % 2 ? "odd" : "even"));
  napi_value children = t_array(env);
  if (depth > 0) {
    T_OK(napi_set_element(env, children, 0, tree(env, depth - 1)));
    T_OK(napi_set_element(env, children, 1, tree(env, depth - 1)));
  }
  t_set(env, node, "children", children);
  return node;
}

static napi_value build_tree(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return tree(env, t_uint(env, argv[0]));
}

static const struct t_function functions[] = {
    {"noop", noop},
    {"add", add},
    {"concat", concat},
    {"identity", identity},
    {"typeOf", type_of},
    {"buildObject", build_object},
    {"buildTree", build_tree},
    {"buildArray", build_array},
};
T_INIT(functions)
