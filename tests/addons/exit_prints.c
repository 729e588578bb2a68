/* Prints when its process ends in order: from atexit() and from a C destructor. */
#include "common.h"

#include <unistd.h>

static void say(const char *text) {
  if (write(STDOUT_FILENO, text, strlen(text)) < 0) abort();
}

static void at_exit(void) {
  say("atexit\n");
}

__attribute__((destructor)) static void destructor(void) {
  say("destructor\n");
}

static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  if (napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result) != napi_ok) return NULL;
  return result;
}

static napi_value process_id(napi_env env, napi_callback_info info) {
  return t_number(env, getpid());
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {{"call", call}, {"pid", process_id}};
  atexit(at_exit);
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
