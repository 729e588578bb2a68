/* Tiny calls as hash addons make them: one argument in, one number out. Without common.h: this is what users write. */
#undef NAPI_VERSION
#define NAPI_VERSION 8
#include <node_api.h>

#include <stdint.h>
#include <stdlib.h>

static uint32_t fnv1a(const unsigned char *bytes, size_t length) {
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < length; i++) hash = (hash ^ bytes[i]) * 16777619u;
  return hash;
}

/* A size query, then the copy: what nearly every addon does with a string. */
static napi_value hash_string(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value value, result;
  if (napi_get_cb_info(env, info, &argc, &value, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    napi_throw_type_error(env, NULL, "A string expected");
    return NULL;
  }
  char *text = malloc(length + 1);
  if (!text || napi_get_value_string_utf8(env, value, text, length + 1, &length) != napi_ok) {
    free(text);
    return NULL;
  }
  uint32_t hash = fnv1a((unsigned char *)text, length);
  free(text);
  return napi_create_uint32(env, hash, &result) == napi_ok ? result : NULL;
}

static napi_value hash_buffer(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value value, result;
  void *data;
  bool is_buffer;
  if (napi_get_cb_info(env, info, &argc, &value, NULL, NULL) != napi_ok ||
      napi_is_buffer(env, value, &is_buffer) != napi_ok)
    return NULL;
  if (!is_buffer) {
    napi_throw_type_error(env, NULL, "A Buffer expected");
    return NULL;
  }
  if (napi_get_buffer_info(env, value, &data, &length) != napi_ok) return NULL;
  return napi_create_uint32(env, fnv1a(data, length), &result) == napi_ok ? result : NULL;
}

static napi_value sum(napi_env env, napi_callback_info info) {
  size_t argc = 1, length;
  napi_value value, result;
  void *data;
  if (napi_get_cb_info(env, info, &argc, &value, NULL, NULL) != napi_ok ||
      napi_get_buffer_info(env, value, &data, &length) != napi_ok)
    return NULL;
  double total = 0;
  for (size_t i = 0; i < length; i++) total += ((unsigned char *)data)[i];
  return napi_create_double(env, total, &result) == napi_ok ? result : NULL;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor properties[] = {
      {"hashString", NULL, hash_string, NULL, NULL, NULL, napi_enumerable, NULL},
      {"hashBuffer", NULL, hash_buffer, NULL, NULL, NULL, napi_enumerable, NULL},
      {"sum", NULL, sum, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof properties / sizeof properties[0], properties);
  return exports;
}
