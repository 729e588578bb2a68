/* Strings whose characters stay the addon's, until its finalizer says that they are free. */
#define ADDON_NAPI_VERSION NAPI_VERSION_EXPERIMENTAL
#include <js_native_api_types.h>

#include "common.h"

#include <unistd.h>

static int finalized, bad;
static bool aloud;

static void say(const char *what) {
  if (aloud && write(STDOUT_FILENO, what, strlen(what)) < 0) abort();
}

/* data: what was given; hint: the same once more, or NULL. */
static void release(napi_env env, void *data, void *hint) {
  finalized++;
  if (data != hint) bad++;
  say(env == NULL ? "finalized without env\n" : "finalized\n");
  free(hint);
}

static napi_value row(napi_env env, napi_status status, napi_value value, bool copied) {
  napi_value result = t_result(env, status, value);
  t_set(env, result, "copied", t_boolean(env, copied));
  t_set(env, result, "finalized", t_number(env, finalized));
  return result;
}

/* (text, length?): in latin1. */
static napi_value latin1(napi_env env, napi_callback_info info) {
  napi_value argv[2], value = NULL;
  size_t length;
  bool copied = true;
  t_args(env, info, argv, 2);
  T_OK(napi_get_value_string_latin1(env, argv[0], NULL, 0, &length));
  char *text = malloc(length + 1);
  if (text == NULL) abort();
  T_OK(napi_get_value_string_latin1(env, argv[0], text, length + 1, &length));
  napi_status status =
      node_api_create_external_string_latin1(env, text, t_length(env, argv[1]), release, text, &value, &copied);
  return row(env, status, value, copied);
}

/* (text, length?): in UTF-16. */
static napi_value utf16(napi_env env, napi_callback_info info) {
  napi_value argv[2], value = NULL;
  size_t length;
  bool copied = true;
  t_args(env, info, argv, 2);
  T_OK(napi_get_value_string_utf16(env, argv[0], NULL, 0, &length));
  char16_t *text = malloc((length + 1) * sizeof *text);
  if (text == NULL) abort();
  T_OK(napi_get_value_string_utf16(env, argv[0], text, length + 1, &length));
  napi_status status =
      node_api_create_external_string_utf16(env, text, t_length(env, argv[1]), release, text, &value, &copied);
  return row(env, status, value, copied);
}

/* Characters that live for ever need no finalizer, and nobody has to ask whether they were copied. */
static napi_value constants(napi_env env, napi_callback_info info) {
  static char narrow[] = "characters that are not freed \xe9";
  static char16_t wide[] = u"characters that are not freed \u20ac";
  napi_value result = t_array(env), value;
  T_OK(node_api_create_external_string_latin1(env, narrow, NAPI_AUTO_LENGTH, NULL, NULL, &value, NULL));
  T_OK(napi_set_element(env, result, 0, value));
  T_OK(node_api_create_external_string_utf16(env, wide, NAPI_AUTO_LENGTH, NULL, NULL, &value, NULL));
  T_OK(napi_set_element(env, result, 1, value));
  return result;
}

static napi_value wrong(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env), value = NULL;
  static char text[] = "text";
  static char16_t wide[] = u"text";
  const size_t lengths[] = {0, 1, 4, NAPI_AUTO_LENGTH, (size_t)INT32_MAX + 1};
  uint32_t count = 0;
  for (size_t i = 0; i < T_COUNT(lengths); i++) {
    bool copied = true;
    napi_status status = node_api_create_external_string_latin1(
        env, NULL, lengths[i] == NAPI_AUTO_LENGTH ? 4 : lengths[i], NULL, NULL, &value, &copied);
    T_OK(napi_set_element(env, result, count++, t_result(env, status, value)));
    status = node_api_create_external_string_latin1(env, text, lengths[i], NULL, NULL, NULL, &copied);
    T_OK(napi_set_element(env, result, count++, t_result(env, status, value)));
    status = node_api_create_external_string_utf16(env, wide, lengths[i], NULL, NULL, NULL, &copied);
    T_OK(napi_set_element(env, result, count++, t_result(env, status, value)));
    T_OK(napi_set_element(env, result, count++, t_boolean(env, copied)));
    status = node_api_create_external_string_latin1(NULL, text, lengths[i], NULL, NULL, &value, &copied);
    T_OK(napi_set_element(env, result, count++, t_string(env, t_status_name(status))));
  }
  return result;
}

static napi_value take_counts(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  T_OK(napi_set_element(env, result, 0, t_number(env, finalized)));
  T_OK(napi_set_element(env, result, 1, t_number(env, bad)));
  finalized = bad = 0;
  return result;
}

/* (count): as many strings, which the result holds; how many were finalized in the end is printed. */
static int of_many;
static bool counts_many;

static void release_one_of_many(napi_env env, void *data, void *hint) {
  of_many++;
}

static napi_value many(napi_env env, napi_callback_info info) {
  static char text[] = "one of many strings that are held by an array";
  napi_value argv[1], result = t_array(env), value;
  t_args(env, info, argv, 1);
  counts_many = true;
  for (uint32_t i = 0; i < t_uint(env, argv[0]); i++) {
    T_OK(node_api_create_external_string_latin1(env, text, NAPI_AUTO_LENGTH, release_one_of_many, NULL, &value, NULL));
    T_OK(napi_set_element(env, result, i, value));
  }
  return result;
}

__attribute__((destructor)) static void end(void) {
  char line[32];
  int length = snprintf(line, sizeof line, "%d of many\n", of_many);
  if (counts_many && write(STDOUT_FILENO, line, (size_t)length) != length) abort();
}

static napi_value speak(napi_env env, napi_callback_info info) {
  aloud = true;
  return NULL;
}

static const struct t_function functions[] = {
    {"latin1", latin1},          {"utf16", utf16}, {"constants", constants}, {"wrong", wrong},
    {"takeCounts", take_counts}, {"speak", speak}, {"many", many},
};
T_INIT(functions)
