/*
 * What the addons that use libuv share: callbacks from the loop into JavaScript.
 */
#ifndef NR_TEST_UV_KIT_H
#define NR_TEST_UV_KIT_H

#include "options.h"

#include <uv.h>

static inline uv_loop_t *t_loop(napi_env env) {
  uv_loop_t *loop;
  T_OK(napi_get_uv_event_loop(env, &loop));
  return loop;
}

static inline void t_uv(int result, const char *what) {
  if (result >= 0) return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(result));
  abort();
}

#define T_UV(call) t_uv((call), #call)

/* Calls the function of a reference with a text, as from the outermost: ticks run before it returns. */
static inline void t_tell(napi_env env, napi_ref function, const char *text) {
  napi_handle_scope scope;
  napi_value result;
  T_OK(napi_open_handle_scope(env, &scope));
  napi_value argv[] = {t_string(env, text)};
  (void)napi_make_callback(env, NULL, t_object(env), t_deref(env, function), 1, argv, &result);
  T_OK(napi_close_handle_scope(env, scope));
}

#endif
