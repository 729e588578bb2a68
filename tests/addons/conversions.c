/* Strings that are too long to be looked at in JavaScript, one at a time. */
#include "common.h"

/* (string): { length, sum } of its Latin-1 bytes. */
static napi_value digest(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_object(env);
  size_t length;
  t_args(env, info, argv, 1);
  T_OK(napi_get_value_string_latin1(env, argv[0], NULL, 0, &length));
  char *text = malloc(length + 1);
  if (!text) abort();
  T_OK(napi_get_value_string_latin1(env, argv[0], text, length + 1, &length));
  uint32_t sum = 0;
  for (size_t i = 0; i < length; i++) sum = sum * 31 + (unsigned char)text[i];
  free(text);
  t_set(env, result, "length", t_number(env, (double)length));
  t_set(env, result, "sum", t_number(env, sum));
  return result;
}

/* (length): a string of that length that tells at each place where it is. */
static napi_value repeat(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  size_t length = (size_t)t_double(env, argv[0]);
  char *text = malloc(length + 1);
  if (!text) abort();
  for (size_t i = 0; i < length; i++) text[i] = (char)('0' + (i >> (i % 8 * 4)) % 64);
  T_OK(napi_create_string_latin1(env, text, length, &result));
  free(text);
  return result;
}

static const struct t_function functions[] = {{"digest", digest}, {"repeat", repeat}};
T_INIT(functions)
