/*
 * What the test addons share. An addon that wants another Node-API version than 8 defines ADDON_NAPI_VERSION first.
 */
#ifndef NR_TEST_COMMON_H
#define NR_TEST_COMMON_H

/* The build may define the version that the project itself is written against; what an addon declares is its own
 * matter. */
#undef NAPI_VERSION
#ifdef ADDON_NAPI_VERSION
#define NAPI_VERSION ADDON_NAPI_VERSION
#else
#define NAPI_VERSION 8
#endif
#include <node_api.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NAPI_MODULE_INIT defines it without a prototype. */
EXTERN_C_START
NAPI_MODULE_EXPORT int32_t NODE_API_MODULE_GET_API_VERSION(void);
EXTERN_C_END

#define T_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For the calls that a test takes for granted: nothing sensible can follow when one of them fails. */
#define T_OK(call) t_ok((call), #call, __FILE__, __LINE__)

static inline void t_ok(napi_status status, const char *what, const char *file, int line) {
  if (status == napi_ok) return;
  fprintf(stderr, "%s:%d: %s: status %d\n", file, line, what, (int)status);
  abort();
}

static inline const char *t_status_name(napi_status status) {
  static const char *const names[] = {
      "napi_ok",
      "napi_invalid_arg",
      "napi_object_expected",
      "napi_string_expected",
      "napi_name_expected",
      "napi_function_expected",
      "napi_number_expected",
      "napi_boolean_expected",
      "napi_array_expected",
      "napi_generic_failure",
      "napi_pending_exception",
      "napi_cancelled",
      "napi_escape_called_twice",
      "napi_handle_scope_mismatch",
      "napi_callback_scope_mismatch",
      "napi_queue_full",
      "napi_closing",
      "napi_bigint_expected",
      "napi_date_expected",
      "napi_arraybuffer_expected",
      "napi_detachable_arraybuffer_expected",
      "napi_would_deadlock",
      "napi_no_external_buffers_allowed",
      "napi_cannot_run_js",
  };
  return (size_t)status < T_COUNT(names) ? names[status] : "unknown status";
}

/* The arguments, padded with undefined; returns how many were passed. */
static inline size_t t_args(napi_env env, napi_callback_info info, napi_value *argv, size_t capacity) {
  size_t argc = capacity;
  T_OK(napi_get_cb_info(env, info, &argc, argv, NULL, NULL));
  return argc;
}

static inline napi_valuetype t_typeof(napi_env env, napi_value value) {
  napi_valuetype type;
  T_OK(napi_typeof(env, value, &type));
  return type;
}

static inline bool t_nullish(napi_env env, napi_value value) {
  napi_valuetype type = t_typeof(env, value);
  return type == napi_undefined || type == napi_null;
}

static inline double t_double(napi_env env, napi_value value) {
  double number;
  T_OK(napi_get_value_double(env, value, &number));
  return number;
}

static inline int32_t t_int(napi_env env, napi_value value) {
  int32_t number;
  T_OK(napi_get_value_int32(env, value, &number));
  return number;
}

static inline uint32_t t_uint(napi_env env, napi_value value) {
  uint32_t number;
  T_OK(napi_get_value_uint32(env, value, &number));
  return number;
}

static inline bool t_bool(napi_env env, napi_value value) {
  bool truth;
  T_OK(napi_get_value_bool(env, value, &truth));
  return truth;
}

/* A length argument: a number, or nothing for NAPI_AUTO_LENGTH. */
static inline size_t t_length(napi_env env, napi_value value) {
  return t_nullish(env, value) ? NAPI_AUTO_LENGTH : (size_t)t_double(env, value);
}

/* A string as UTF-8, NULL for undefined and null; the caller frees it. */
static inline char *t_text(napi_env env, napi_value value) {
  if (t_nullish(env, value)) return NULL;
  size_t length;
  T_OK(napi_get_value_string_utf8(env, value, NULL, 0, &length));
  char *text = (char *)malloc(length + 1);
  if (!text) abort();
  T_OK(napi_get_value_string_utf8(env, value, text, length + 1, &length));
  return text;
}

static inline napi_value t_undefined(napi_env env) {
  napi_value value;
  T_OK(napi_get_undefined(env, &value));
  return value;
}

static inline napi_value t_boolean(napi_env env, bool truth) {
  napi_value value;
  T_OK(napi_get_boolean(env, truth, &value));
  return value;
}

static inline napi_value t_number(napi_env env, double number) {
  napi_value value;
  T_OK(napi_create_double(env, number, &value));
  return value;
}

static inline napi_value t_string(napi_env env, const char *text) {
  napi_value value;
  if (!text) {
    T_OK(napi_get_null(env, &value));
    return value;
  }
  T_OK(napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value));
  return value;
}

static inline napi_value t_object(napi_env env) {
  napi_value value;
  T_OK(napi_create_object(env, &value));
  return value;
}

static inline napi_value t_array(napi_env env) {
  napi_value value;
  T_OK(napi_create_array(env, &value));
  return value;
}

/* A copy of native bytes that does not depend on any Buffer function working. */
static inline napi_value t_bytes(napi_env env, const void *data, size_t length) {
  static const char digits[] = "0123456789abcdef";
  char *text = (char *)malloc(2 * length + 1);
  if (!text) abort();
  for (size_t i = 0; i < length; i++) {
    text[2 * i] = digits[((const unsigned char *)data)[i] >> 4];
    text[2 * i + 1] = digits[((const unsigned char *)data)[i] & 15];
  }
  napi_value value;
  T_OK(napi_create_string_latin1(env, text, 2 * length, &value));
  free(text);
  return value;
}

static inline void t_set(napi_env env, napi_value object, const char *name, napi_value value) {
  T_OK(napi_set_named_property(env, object, name, value));
}

static inline napi_value t_get(napi_env env, napi_value object, const char *name) {
  napi_value value;
  T_OK(napi_get_named_property(env, object, name, &value));
  return value;
}

static inline napi_value t_at(napi_env env, napi_value array, uint32_t index) {
  napi_value value;
  T_OK(napi_get_element(env, array, index, &value));
  return value;
}

/*
 * What became of the call before: { status, message, value?, thrown? }. `value` NULL leaves that property out. A
 * pending exception is taken away, so that the test sees it beside the status.
 */
static inline napi_value t_result(napi_env env, napi_status status, napi_value value) {
  const napi_extended_error_info *info = NULL;
  T_OK(napi_get_last_error_info(env, &info));
  /* The text is only promised until the next call. */
  char message[256];
  snprintf(message, sizeof message, "%s", info->error_message ? info->error_message : "");
  bool has_message = info->error_message != NULL;
  napi_status last = info->error_code;
  bool pending = false;
  T_OK(napi_is_exception_pending(env, &pending));
  napi_value thrown = NULL;
  if (pending) T_OK(napi_get_and_clear_last_exception(env, &thrown));
  napi_value result = t_object(env);
  t_set(env, result, "status", t_string(env, t_status_name(status)));
  t_set(env, result, "last", t_string(env, t_status_name(last)));
  t_set(env, result, "message", t_string(env, has_message ? message : NULL));
  if (value) t_set(env, result, "value", value);
  if (thrown) t_set(env, result, "thrown", thrown);
  return result;
}

/* What a function says about its argument: napi_is_error(), and those like it. */
static inline napi_value t_ask(napi_env env, napi_callback_info info,
                               napi_status(NAPI_CDECL *function)(napi_env, napi_value, bool *)) {
  napi_value argv[1];
  bool truth = false;
  t_args(env, info, argv, 1);
  napi_status status = function(env, argv[0], &truth);
  return t_result(env, status, t_boolean(env, truth));
}

struct t_function {
  const char *name;
  napi_callback callback;
};

static inline void t_export(napi_env env, napi_value exports, const struct t_function *functions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    T_OK(napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function));
    t_set(env, exports, functions[i].name, function);
  }
}

/* The Init of most addons: exports one table of functions. */
#define T_INIT(functions)                                                                                              \
  NAPI_MODULE_INIT() {                                                                                                 \
    t_export(env, exports, functions, T_COUNT(functions));                                                             \
    return exports;                                                                                                    \
  }

#endif
