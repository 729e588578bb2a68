/* Functions that not every Node has, looked up at run time as language bindings do. */
#include "common.h"

#include <dlfcn.h>

typedef napi_status (*create_key8)(napi_env, const char *, size_t, napi_value *);
typedef napi_status (*create_key16)(napi_env, const char16_t *, size_t, napi_value *);
typedef napi_status (*buffer_from)(napi_env, napi_value, size_t, size_t, napi_value *);

/* ISO C has no conversion from an object pointer to a function's. */
static void find(const char *name, void *function) {
  void *symbol = dlsym(RTLD_DEFAULT, name);
  memcpy(function, &symbol, sizeof symbol);
}

static napi_value row(napi_env env, const char *name, bool found, napi_status status, napi_value value) {
  napi_value result = t_result(env, status, value);
  t_set(env, result, "name", t_string(env, name));
  t_set(env, result, "found", t_boolean(env, found));
  return result;
}

/* [function, found, status, value] */
static napi_value attempt(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env), value, arraybuffer;
  static const char *const names[] = {"node_api_create_property_key_latin1", "node_api_create_property_key_utf8",
                                      "node_api_create_property_key_utf16", "node_api_create_buffer_from_arraybuffer"};
  create_key8 key8;
  create_key16 key16;
  buffer_from from;
  for (uint32_t i = 0; i < 2; i++) {
    value = NULL;
    find(names[i], &key8);
    napi_status status = key8 ? key8(env, "k\xc3\xa9y", NAPI_AUTO_LENGTH, &value) : napi_ok;
    T_OK(napi_set_element(env, result, i, row(env, names[i], key8, status, value)));
  }
  value = NULL;
  find(names[2], &key16);
  napi_status status = key16 ? key16(env, u"k\u00e9y", NAPI_AUTO_LENGTH, &value) : napi_ok;
  T_OK(napi_set_element(env, result, 2, row(env, names[2], key16, status, value)));
  value = NULL;
  find(names[3], &from);
  T_OK(napi_create_arraybuffer(env, 32, NULL, &arraybuffer));
  status = from ? from(env, arraybuffer, 4, 8, &value) : napi_ok;
  T_OK(napi_set_element(env, result, 3, row(env, names[3], from, status, value)));
  return result;
}

/* (names) -> is there a function of that name? */
static napi_value found(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env), name;
  uint32_t count;
  t_args(env, info, argv, 1);
  T_OK(napi_get_array_length(env, argv[0], &count));
  for (uint32_t i = 0; i < count; i++) {
    T_OK(napi_get_element(env, argv[0], i, &name));
    char *text = t_text(env, name);
    T_OK(napi_set_element(env, result, i, t_boolean(env, dlsym(RTLD_DEFAULT, text) != NULL)));
    free(text);
  }
  return result;
}

static const struct t_function functions[] = {{"attempt", attempt}, {"found", found}};
T_INIT(functions)
