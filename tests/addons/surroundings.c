/* What a process has one of: the environment, the working directory, the umask, the time zone. */
#include <limits.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common.h"

/* (name): its value, or undefined. */
static napi_value get(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  char name[200];
  size_t length;
  T_OK(napi_get_value_string_utf8(env, argv[0], name, sizeof name, &length));
  const char *value = getenv(name);
  return value == NULL ? t_undefined(env) : t_string(env, value);
}

/* (name, value, then?): sets it, or removes it for undefined; then calls what is given, and returns what that returned.
 */
static napi_value set(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  size_t argc = t_args(env, info, argv, 3);
  static char value[1 << 17];
  char name[200];
  size_t length;
  napi_valuetype type;
  napi_value result = t_undefined(env);
  T_OK(napi_get_value_string_utf8(env, argv[0], name, sizeof name, &length));
  T_OK(napi_typeof(env, argv[1], &type));
  if (type == napi_undefined) {
    unsetenv(name);
  } else {
    T_OK(napi_get_value_string_utf8(env, argv[1], value, sizeof value, &length));
    setenv(name, value, 1);
  }
  if (argc > 2) T_OK(napi_call_function(env, result, argv[2], 0, NULL, &result));
  return result;
}

/* (call): what it finds of FROM_JAVASCRIPT after JavaScript has run, before anything returns. */
static napi_value call_and_get(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  napi_value result;
  T_OK(napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result));
  const char *value = getenv("FROM_JAVASCRIPT");
  return value == NULL ? t_undefined(env) : t_string(env, value);
}

static napi_value working_directory(napi_env env, napi_callback_info info) {
  char path[PATH_MAX];
  return t_string(env, getcwd(path, sizeof path) == NULL ? "none" : path);
}

static napi_value change_directory(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  char path[PATH_MAX];
  size_t length;
  T_OK(napi_get_value_string_utf8(env, argv[0], path, sizeof path, &length));
  return t_number(env, chdir(path));
}

static napi_value mask(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  double value;
  T_OK(napi_get_value_double(env, argv[0], &value));
  return t_number(env, umask((mode_t)value));
}

static napi_value hour(napi_env env, napi_callback_info info) {
  struct tm local;
  time_t begin = 0;
  localtime_r(&begin, &local);
  return t_number(env, local.tm_hour);
}

static const struct t_function functions[] = {
    {"get", get},
    {"set", set},
    {"callAndGet", call_and_get},
    {"workingDirectory", working_directory},
    {"changeDirectory", change_directory},
    {"mask", mask},
    {"hour", hour},
};

NAPI_MODULE_INIT() {
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
