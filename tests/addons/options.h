/*
 * Options that JavaScript gives, and lines on stdout that any thread may say.
 */
#ifndef NR_TEST_OPTIONS_H
#define NR_TEST_OPTIONS_H

#include "common.h"

#include <stdarg.h>
#include <unistd.h>

/* A line on stdout, at once and whole, from any thread. */
static inline void t_say(const char *format, ...) {
  char line[512];
  va_list list;
  va_start(list, format);
  int length = vsnprintf(line, sizeof line - 1, format, list);
  va_end(list);
  if (length < 0 || (size_t)length > sizeof line - 2) abort();
  line[length] = '\n';
  for (const char *at = line, *end = line + length + 1; at < end;) {
    ssize_t written = write(STDOUT_FILENO, at, (size_t)(end - at));
    if (written < 0) return;
    at += written;
  }
}

/* Options are properties of an object: what is not there, or null, takes the default. */
static inline napi_value t_option(napi_env env, napi_value options, const char *name) {
  napi_value value = t_get(env, options, name);
  return t_nullish(env, value) ? NULL : value;
}

static inline double t_option_number(napi_env env, napi_value options, const char *name, double otherwise) {
  napi_value value = t_option(env, options, name);
  return value ? t_double(env, value) : otherwise;
}

static inline bool t_option_bool(napi_env env, napi_value options, const char *name) {
  napi_value value = t_option(env, options, name);
  return value && t_bool(env, value);
}

/* A reference to an option, NULL when it is not there. */
static inline napi_ref t_option_ref(napi_env env, napi_value options, const char *name) {
  napi_value value = t_option(env, options, name);
  napi_ref ref = NULL;
  if (value) T_OK(napi_create_reference(env, value, 1, &ref));
  return ref;
}

static inline napi_value t_deref(napi_env env, napi_ref ref) {
  napi_value value;
  T_OK(napi_get_reference_value(env, ref, &value));
  return value;
}

#endif
