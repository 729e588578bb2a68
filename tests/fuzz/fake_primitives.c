/*
 * Primitives: making them, and reading them.
 */
#include "fake_napi.h"

static napi_status give_simple(napi_value *result, enum fake_kind kind, double number) {
  FAKE_CHECK(result);
  struct fake_value *value = fake_make(kind);
  value->number = number;
  FAKE_GIVE(result, value);
}

napi_status napi_get_undefined(napi_env env, napi_value *result) {
  return give_simple(result, FAKE_UNDEFINED, 0);
}
napi_status napi_get_null(napi_env env, napi_value *result) {
  return give_simple(result, FAKE_NULL, 0);
}
napi_status napi_get_boolean(napi_env env, bool value, napi_value *result) {
  return give_simple(result, FAKE_BOOLEAN, value);
}
napi_status napi_create_double(napi_env env, double value, napi_value *result) {
  return give_simple(result, FAKE_NUMBER, value);
}
napi_status napi_create_int32(napi_env env, int32_t value, napi_value *result) {
  return give_simple(result, FAKE_NUMBER, value);
}
napi_status napi_create_uint32(napi_env env, uint32_t value, napi_value *result) {
  return give_simple(result, FAKE_NUMBER, value);
}
napi_status napi_create_date(napi_env env, double value, napi_value *result) {
  FAKE_PREAMBLE(env);
  return give_simple(result, FAKE_DATE, value);
}
napi_status napi_create_symbol(napi_env env, napi_value description, napi_value *result) {
  if (description != NULL && description->value->kind != FAKE_STRING) return napi_string_expected;
  return give_simple(result, FAKE_SYMBOL, 0);
}
napi_status node_api_symbol_for(napi_env env, const char *text, size_t length, napi_value *result) {
  return give_simple(result, FAKE_SYMBOL, 0);
}
napi_status napi_create_bigint_int64(napi_env env, int64_t value, napi_value *result) {
  return give_simple(result, FAKE_BIGINT, (double)value);
}
napi_status napi_create_bigint_uint64(napi_env env, uint64_t value, napi_value *result) {
  return give_simple(result, FAKE_BIGINT, (double)value);
}

napi_status napi_create_bigint_words(napi_env env, int sign, size_t count, const uint64_t *words, napi_value *result) {
  volatile uint64_t sum = 0;
  FAKE_PREAMBLE(env);
  if (count > INT32_MAX) return napi_invalid_arg;
  if (count > UINT64_C(1) << 24) return fake_throw(env, "Maximum BigInt size exceeded");
  for (size_t i = 0; i < count; i++) sum += words[i];
  return give_simple(result, FAKE_BIGINT, (double)sum);
}

#define FAKE_READ(name, read, wanted, status, content)                                                                 \
  napi_status name(napi_env env, napi_value value, read *result) {                                                     \
    FAKE_KIND(value, wanted, status);                                                                                  \
    *result = (content);                                                                                               \
    return napi_ok;                                                                                                    \
  }
FAKE_READ(napi_get_value_double, double, FAKE_NUMBER, napi_number_expected, value->value->number)
FAKE_READ(napi_get_value_int32, int32_t, FAKE_NUMBER, napi_number_expected, 0)
FAKE_READ(napi_get_value_uint32, uint32_t, FAKE_NUMBER, napi_number_expected, 0)
FAKE_READ(napi_get_value_int64, int64_t, FAKE_NUMBER, napi_number_expected, 0)
FAKE_READ(napi_get_value_bool, bool, FAKE_BOOLEAN, napi_boolean_expected, value->value->number != 0)
FAKE_READ(napi_get_date_value, double, FAKE_DATE, napi_date_expected, value->value->number)

#define FAKE_READ_BIGINT(name, read)                                                                                   \
  napi_status name(napi_env env, napi_value value, read *result, bool *lossless) {                                     \
    FAKE_KIND(value, FAKE_BIGINT, napi_bigint_expected);                                                               \
    *result = 1;                                                                                                       \
    *lossless = true;                                                                                                  \
    return napi_ok;                                                                                                    \
  }
FAKE_READ_BIGINT(napi_get_value_bigint_int64, int64_t)
FAKE_READ_BIGINT(napi_get_value_bigint_uint64, uint64_t)

napi_status napi_get_value_bigint_words(napi_env env, napi_value value, int *sign, size_t *count, uint64_t *words) {
  FAKE_KIND(value, FAKE_BIGINT, napi_bigint_expected);
  if (words != NULL) {
    for (size_t i = 0; i < *count && i < 2; i++) words[i] = value->value->words[i];
    *sign = 0;
  }
  *count = 2;
  return napi_ok;
}

napi_status napi_typeof(napi_env env, napi_value value, napi_valuetype *result) {
  static const napi_valuetype types[] = {napi_undefined, napi_null,   napi_boolean, napi_number,   napi_string,
                                         napi_symbol,    napi_bigint, napi_object,  napi_function, napi_external};
  FAKE_CHECK(value);
  *result = value->value->kind > FAKE_EXTERNAL ? napi_object : types[value->value->kind];
  return napi_ok;
}

/* ---- Strings: one unit a byte in each encoding ---- */

#define FAKE_STRING_FUNCTIONS(encoding, unit, limit)                                                                   \
  napi_status napi_create_string_##encoding(napi_env env, const unit *text, size_t length, napi_value *result) {       \
    if (text == NULL && length != 0) return napi_invalid_arg;                                                          \
    if (length == NAPI_AUTO_LENGTH)                                                                                    \
      for (length = 0; text[length] != 0;) length++;                                                                   \
    if (length > INT32_MAX) return napi_invalid_arg;                                                                   \
    struct fake_value *value = fake_make(FAKE_STRING);                                                                 \
    value->count = length;                                                                                             \
    value->units = calloc(length + 1, sizeof *value->units);                                                           \
    for (size_t i = 0; i < length; i++) value->units[i] = (char16_t)text[i];                                           \
    FAKE_GIVE(result, value);                                                                                          \
  }                                                                                                                    \
  napi_status node_api_create_property_key_##encoding(napi_env env, const unit *text, size_t length,                   \
                                                      napi_value *result) {                                            \
    return napi_create_string_##encoding(env, text, length, result);                                                   \
  }                                                                                                                    \
  napi_status napi_get_value_string_##encoding(napi_env env, napi_value value, unit *buffer, size_t size,              \
                                               size_t *result) {                                                       \
    FAKE_KIND(value, FAKE_STRING, napi_string_expected);                                                               \
    size_t count = value->value->count;                                                                                \
    if (buffer != NULL) {                                                                                              \
      if (size == 0) return napi_ok;                                                                                   \
      if (count > size - 1) count = size - 1;                                                                          \
      for (size_t i = 0; i < count; i++) buffer[i] = (unit)(value->value->units[i] & (limit));                         \
      buffer[count] = 0;                                                                                               \
    }                                                                                                                  \
    if (result != NULL) *result = count;                                                                               \
    return napi_ok;                                                                                                    \
  }
FAKE_STRING_FUNCTIONS(latin1, char, 0xff)
FAKE_STRING_FUNCTIONS(utf8, char, 0x7f)
FAKE_STRING_FUNCTIONS(utf16, char16_t, 0xffff)

/* V8 lets go of it before the end of the input. */
#define FAKE_EXTERNAL_STRING(encoding, unit)                                                                           \
  napi_status node_api_create_external_string_##encoding(napi_env env, unit *text, size_t length,                      \
                                                         node_api_basic_finalize finalize_cb, void *hint,              \
                                                         napi_value *result, bool *copied) {                           \
    napi_status status = napi_create_string_##encoding(env, text, length, result);                                     \
    *copied = length == 0;                                                                                             \
    if (length == 0) {                                                                                                 \
      finalize_cb(env, text, hint);                                                                                    \
    } else {                                                                                                           \
      fake_finalizer_add(&env->posted, env, (napi_finalize)finalize_cb, text, hint);                                   \
    }                                                                                                                  \
    return status;                                                                                                     \
  }
FAKE_EXTERNAL_STRING(latin1, char)
FAKE_EXTERNAL_STRING(utf16, char16_t)
