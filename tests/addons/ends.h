/*
 * Ways in which native code ends its process, and the call of JavaScript below which that happens.
 */
#ifndef NR_TEST_ENDS_H
#define NR_TEST_ENDS_H

#include "common.h"

#include <unistd.h>

static inline napi_value t_crash(napi_env env, napi_callback_info info) {
  volatile int *volatile nowhere = NULL;
  *nowhere = 1;
  return NULL;
}

static inline napi_value t_abort(napi_env env, napi_callback_info info) {
  abort();
}

/* (code) */
static inline napi_value t_exit(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  exit(t_int(env, argv[0]));
}

static inline napi_value t_pid(napi_env env, napi_callback_info info) {
  return t_number(env, getpid());
}

/* (function): what it returned, called from native code. */
static inline napi_value t_call(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  if (napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result) != napi_ok) return NULL;
  return result;
}

#endif
