/* BigInts. 64-bit words come and go as hexadecimal text. */
#include "common.h"

#include <inttypes.h>

static napi_value word(napi_env env, uint64_t value) {
  char text[20];
  snprintf(text, sizeof text, "%016" PRIx64, value);
  return t_string(env, text);
}

static uint64_t parse(napi_env env, napi_value value) {
  char *text = t_text(env, value);
  uint64_t result = strtoull(text, NULL, 16);
  free(text);
  return result;
}

static napi_value create_int64(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_create_bigint_int64(env, (int64_t)parse(env, argv[0]), &result);
  return t_result(env, status, result);
}

static napi_value create_uint64(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  napi_status status = napi_create_bigint_uint64(env, parse(env, argv[0]), &result);
  return t_result(env, status, result);
}

/* (sign, words) */
static napi_value create_words(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  t_args(env, info, argv, 2);
  uint32_t count;
  T_OK(napi_get_array_length(env, argv[1], &count));
  uint64_t *words = calloc(count + 1, sizeof *words);
  if (!words) abort();
  for (uint32_t i = 0; i < count; i++) words[i] = parse(env, t_at(env, argv[1], i));
  napi_status status = napi_create_bigint_words(env, t_int(env, argv[0]), count, words, &result);
  free(words);
  return t_result(env, status, result);
}

/* (sign, count): the words are not looked at when there are too many of them. */
static napi_value create_too_many(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  t_args(env, info, argv, 2);
  uint64_t one = 1;
  napi_status status =
      napi_create_bigint_words(env, t_int(env, argv[0]), (size_t)t_double(env, argv[1]), &one, &result);
  return t_result(env, status, result);
}

static napi_value get_int64(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int64_t value = 0;
  bool lossless = false;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_value_bigint_int64(env, argv[0], &value, &lossless);
  napi_value result = t_result(env, status, word(env, (uint64_t)value));
  t_set(env, result, "lossless", t_boolean(env, lossless));
  return result;
}

static napi_value get_uint64(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint64_t value = 0;
  bool lossless = false;
  t_args(env, info, argv, 1);
  napi_status status = napi_get_value_bigint_uint64(env, argv[0], &value, &lossless);
  napi_value result = t_result(env, status, word(env, value));
  t_set(env, result, "lossless", t_boolean(env, lossless));
  return result;
}

/* (value, capacity, form): form 0 asks for all, 1 for the count alone, 2 for the words without a sign, 3 for the sign
 * without words. */
static napi_value get_words(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  size_t capacity = t_uint(env, argv[1]), count = capacity;
  uint32_t form = t_uint(env, argv[2]);
  int sign = -1;
  uint64_t *words = malloc((capacity + 1) * sizeof *words);
  if (!words) abort();
  memset(words, 0xaa, (capacity + 1) * sizeof *words);
  bool with_sign = form == 0 || form == 3, with_words = form == 0 || form == 2;
  napi_status status =
      napi_get_value_bigint_words(env, argv[0], with_sign ? &sign : NULL, &count, with_words ? words : NULL);
  napi_value result = t_result(env, status, NULL), list = t_array(env);
  t_set(env, result, "sign", t_number(env, sign));
  t_set(env, result, "count", t_number(env, (double)count));
  for (uint32_t i = 0; i <= capacity; i++) T_OK(napi_set_element(env, list, i, word(env, words[i])));
  t_set(env, result, "words", list);
  free(words);
  return result;
}

static const struct t_function functions[] = {
    {"createInt64", create_int64}, {"createUint64", create_uint64},
    {"createWords", create_words}, {"createTooMany", create_too_many},
    {"getInt64", get_int64},       {"getUint64", get_uint64},
    {"getWords", get_words},
};
T_INIT(functions)
