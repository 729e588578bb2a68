/* Numbers: every way in, every way out. */
#include "common.h"

#include <inttypes.h>

/* A number as text, exact for every kind: hexadecimal floating point and 64-bit integers survive. */
static void put(napi_env env, napi_value result, const char *name, napi_status status, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#include <stdarg.h>

static void put(napi_env env, napi_value result, const char *name, napi_status status, const char *format, ...) {
  char text[64];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  napi_value one = t_result(env, status, status == napi_ok ? t_string(env, text) : NULL);
  t_set(env, result, name, one);
}

static napi_value get_all(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_object(env);
  t_args(env, info, argv, 1);
  double real = 0;
  int32_t i32 = 0;
  uint32_t u32 = 0;
  int64_t i64 = 0;
  bool truth = false;
  napi_status status = napi_get_value_double(env, argv[0], &real);
  /* The bits of a NaN are not promised by anybody. */
  put(env, result, "double", status, real != real ? "NaN" : "%a", real);
  status = napi_get_value_int32(env, argv[0], &i32);
  put(env, result, "int32", status, "%" PRId32, i32);
  status = napi_get_value_uint32(env, argv[0], &u32);
  put(env, result, "uint32", status, "%" PRIu32, u32);
  status = napi_get_value_int64(env, argv[0], &i64);
  put(env, result, "int64", status, "%" PRId64, i64);
  status = napi_get_value_bool(env, argv[0], &truth);
  put(env, result, "bool", status, "%d", truth);
  return result;
}

/* The edges of each kind, made in native code. */
static napi_value create_all(napi_env env, napi_callback_info info) {
  static const int32_t i32[] = {0, 1, -1, INT32_MAX, INT32_MIN};
  static const uint32_t u32[] = {0, 1, INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX};
  static const int64_t i64[] = {0,          1,         -1,           INT32_MAX,       INT32_MIN,
                                INT64_MAX,  INT64_MIN, 1LL << 53,    -(1LL << 53),    (1LL << 53) + 1,
                                UINT32_MAX, 1LL << 62, -(1LL << 40), (1LL << 53) - 1, -(1LL << 53) - 1};
  static const double real[] = {0.0,
                                -0.0,
                                1.5,
                                -1.5,
                                __builtin_inf(),
                                -__builtin_inf(),
                                5e-324,
                                2.2250738585072014e-308,
                                1.7976931348623157e308,
                                0.1,
                                4294967296.0,
                                1e21};
  napi_value result = t_array(env), value;
  uint32_t n = 0;
  for (size_t i = 0; i < T_COUNT(i32); i++) {
    T_OK(napi_create_int32(env, i32[i], &value));
    T_OK(napi_set_element(env, result, n++, value));
  }
  for (size_t i = 0; i < T_COUNT(u32); i++) {
    T_OK(napi_create_uint32(env, u32[i], &value));
    T_OK(napi_set_element(env, result, n++, value));
  }
  for (size_t i = 0; i < T_COUNT(i64); i++) {
    T_OK(napi_create_int64(env, i64[i], &value));
    T_OK(napi_set_element(env, result, n++, value));
  }
  for (size_t i = 0; i < T_COUNT(real); i++) T_OK(napi_set_element(env, result, n++, t_number(env, real[i])));
  return result;
}

/* NaNs with all kinds of bits, among them those that a NaN-boxed value uses as tags: each must arrive as NaN. */
static napi_value create_nans(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  uint32_t n = 0;
  for (uint64_t top = 0x7ff0; top <= 0xffff; top += top == 0x7fff ? 0x7ff1 : 1) {
    for (uint64_t low = 0; low < 4; low++) {
      uint64_t bits = top << 48 | low << 31 | low;
      double real;
      memcpy(&real, &bits, sizeof real);
      T_OK(napi_set_element(env, result, n++, t_number(env, real)));
    }
  }
  return result;
}

/* (number): made as a double here, read again as every kind without having been in JavaScript. */
static napi_value reread(napi_env env, napi_callback_info info) {
  napi_value argv[1], value, result = t_object(env);
  t_args(env, info, argv, 1);
  T_OK(napi_create_double(env, t_double(env, argv[0]), &value));
  int32_t i32 = 0;
  uint32_t u32 = 0;
  int64_t i64 = 0;
  napi_status status = napi_get_value_int32(env, value, &i32);
  put(env, result, "int32", status, "%" PRId32, i32);
  status = napi_get_value_uint32(env, value, &u32);
  put(env, result, "uint32", status, "%" PRIu32, u32);
  status = napi_get_value_int64(env, value, &i64);
  put(env, result, "int64", status, "%" PRId64, i64);
  return result;
}

static napi_value booleans(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env), null;
  T_OK(napi_get_null(env, &null));
  T_OK(napi_set_element(env, result, 0, t_boolean(env, true)));
  T_OK(napi_set_element(env, result, 1, t_boolean(env, false)));
  T_OK(napi_set_element(env, result, 2, null));
  T_OK(napi_set_element(env, result, 3, t_undefined(env)));
  return result;
}

static const struct t_function functions[] = {
    {"getAll", get_all}, {"createAll", create_all}, {"createNans", create_nans},
    {"reread", reread},  {"booleans", booleans},
};
T_INIT(functions)
