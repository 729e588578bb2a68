/* Strings in the three encodings. Bytes come as arrays of numbers and go as hexadecimal text: no Buffer is involved. */
#include "common.h"

enum encoding { LATIN1, UTF8, UTF16 };

/* (encoding, units, length): units is an array of numbers; one zero unit is put behind it. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL;
  t_args(env, info, argv, 3);
  uint32_t count;
  T_OK(napi_get_array_length(env, argv[1], &count));
  char *narrow = calloc(count + 1, 1);
  char16_t *wide = calloc(count + 1, sizeof *wide);
  if (!narrow || !wide) abort();
  for (uint32_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    wide[i] = (char16_t)t_uint(env, t_at(env, argv[1], i));
    narrow[i] = (char)wide[i];
    T_OK(napi_close_handle_scope(env, scope));
  }
  size_t length = t_length(env, argv[2]);
  napi_status status = napi_generic_failure;
  switch ((enum encoding)t_uint(env, argv[0])) {
  case LATIN1: status = napi_create_string_latin1(env, narrow, length, &result); break;
  case UTF8: status = napi_create_string_utf8(env, narrow, length, &result); break;
  case UTF16: status = napi_create_string_utf16(env, wide, length, &result); break;
  }
  free(narrow);
  free(wide);
  return t_result(env, status, result);
}

/* (encoding, count, unit): count times the same unit. */
static napi_value repeat(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL;
  t_args(env, info, argv, 3);
  size_t count = t_uint(env, argv[1]);
  uint32_t unit = t_uint(env, argv[2]);
  char16_t *wide = malloc((count + 1) * sizeof *wide);
  char *narrow = (char *)wide;
  if (!wide) abort();
  enum encoding encoding = (enum encoding)t_uint(env, argv[0]);
  for (size_t i = 0; i < count; i++) {
    if (encoding == UTF16)
      wide[i] = (char16_t)unit;
    else
      narrow[i] = (char)unit;
  }
  napi_status status = encoding == UTF16    ? napi_create_string_utf16(env, wide, count, &result)
                       : encoding == LATIN1 ? napi_create_string_latin1(env, narrow, count, &result)
                                            : napi_create_string_utf8(env, narrow, count, &result);
  free(wide);
  return t_result(env, status, result);
}

static napi_status get_units(napi_env env, enum encoding encoding, napi_value value, void *buffer, size_t size,
                             size_t *length) {
  if (encoding == LATIN1) return napi_get_value_string_latin1(env, value, buffer, size, length);
  if (encoding == UTF8) return napi_get_value_string_utf8(env, value, buffer, size, length);
  return napi_get_value_string_utf16(env, value, buffer, size, length);
}

/* (encoding, value, size, wantLength): { status, length, bytes } with all bytes of the buffer, also untouched ones.
 * Without size: the query. */
static napi_value get(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  t_args(env, info, argv, 4);
  enum encoding encoding = (enum encoding)t_uint(env, argv[0]);
  size_t unit = encoding == UTF16 ? sizeof(char16_t) : 1;
  bool query = t_nullish(env, argv[2]);
  bool want = t_nullish(env, argv[3]) || t_bool(env, argv[3]);
  size_t size = query ? 0 : t_uint(env, argv[2]), length = 12345;
  unsigned char *buffer = malloc(size * unit + 2 * unit);
  if (!buffer) abort();
  memset(buffer, 0xaa, size * unit + 2 * unit);
  napi_status status = get_units(env, encoding, argv[1], query ? NULL : buffer, size, want ? &length : NULL);
  napi_value result = t_result(env, status, NULL);
  t_set(env, result, "length", t_number(env, (double)length));
  t_set(env, result, "bytes", t_bytes(env, buffer, size * unit + 2 * unit));
  free(buffer);
  return result;
}

/* (encoding, value): what the query said, and an FNV-1a hash over the copy. */
static napi_value digest(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = t_array(env);
  t_args(env, info, argv, 2);
  enum encoding encoding = (enum encoding)t_uint(env, argv[0]);
  size_t unit = encoding == UTF16 ? sizeof(char16_t) : 1, length, copied;
  T_OK(get_units(env, encoding, argv[1], NULL, 0, &length));
  unsigned char *buffer = malloc((length + 1) * unit);
  if (!buffer) abort();
  T_OK(get_units(env, encoding, argv[1], buffer, length + 1, &copied));
  uint32_t hash = 2166136261u;
  for (size_t i = 0; i < (copied + 1) * unit; i++) hash = (hash ^ buffer[i]) * 16777619u;
  free(buffer);
  T_OK(napi_set_element(env, result, 0, t_number(env, (double)length)));
  T_OK(napi_set_element(env, result, 1, t_number(env, (double)copied)));
  T_OK(napi_set_element(env, result, 2, t_number(env, hash)));
  return result;
}

/* (encoding, value): a string that was never in JavaScript before it is read. */
static napi_value own(napi_env env, napi_callback_info info) {
  static const char text[] = "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x98\x80";
  napi_value argv[1], value, result = t_object(env);
  t_args(env, info, argv, 1);
  enum encoding encoding = (enum encoding)t_uint(env, argv[0]);
  unsigned char buffer[64];
  size_t length = 0, measured = 0;
  memset(buffer, 0xaa, sizeof buffer);
  T_OK(napi_create_string_utf8(env, text, sizeof text - 1, &value));
  T_OK(get_units(env, encoding, value, NULL, 0, &measured));
  T_OK(get_units(env, encoding, value, buffer, 32, &length));
  t_set(env, result, "measured", t_number(env, (double)measured));
  t_set(env, result, "length", t_number(env, (double)length));
  t_set(env, result, "bytes", t_bytes(env, buffer, sizeof buffer));
  t_set(env, result, "value", value);
  return result;
}

static const struct t_function functions[] = {
    {"create", create}, {"repeat", repeat}, {"get", get}, {"digest", digest}, {"own", own},
};
T_INIT(functions)
