/*
 * Handles of libuv's on the loop of the env: timers, asyncs, idle, prepare and check handles, which are numbers in
 * JavaScript; and the loop.
 */
#include "uv_kit.h"

#include <pthread.h>

struct handle {
  union {
    uv_handle_t any;
    uv_timer_t timer;
    uv_async_t async;
    uv_idle_t idle;
    uv_prepare_t prepare;
    uv_check_t check;
  } uv;
  napi_env env;
  napi_ref function, on_close;
};

static struct handle *handles[4096];
static uint32_t used;
static int should_stop;

static struct handle *make(napi_env env, napi_value function) {
  struct handle *handle = calloc(1, sizeof *handle);
  if (!handle || used == T_COUNT(handles)) abort();
  handle->env = env;
  T_OK(napi_create_reference(env, function, 1, &handle->function));
  handle->uv.any.data = handle;
  handles[used] = handle;
  return handle;
}

static struct handle *handle_at(napi_env env, napi_value id) {
  uint32_t at = t_uint(env, id);
  if (at >= used || !handles[at]) abort();
  return handles[at];
}

static void told(uv_handle_t *handle, const char *what) {
  struct handle *of = handle->data;
  t_tell(of->env, of->function, what);
}

static void on_timer(uv_timer_t *timer) {
  told((uv_handle_t *)timer, "timer");
}

static void on_async(uv_async_t *async) {
  told((uv_handle_t *)async, "async");
}

/* (function, milliseconds, repeat) */
static napi_value timer(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  struct handle *handle = make(env, argv[0]);
  T_UV(uv_timer_init(t_loop(env), &handle->uv.timer));
  T_UV(uv_timer_start(&handle->uv.timer, on_timer, t_uint(env, argv[1]), t_uint(env, argv[2])));
  return t_number(env, used++);
}

static napi_value async(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  struct handle *handle = make(env, argv[0]);
  T_UV(uv_async_init(t_loop(env), &handle->uv.async, on_async));
  return t_number(env, used++);
}

/* (function): idle, prepare and check handles are alike. */
#define EACH_TURN(kind)                                                                                                \
  static void on_##kind(uv_##kind##_t *handle) {                                                                       \
    told((uv_handle_t *)handle, #kind);                                                                                \
  }                                                                                                                    \
  static napi_value kind(napi_env env, napi_callback_info info) {                                                      \
    napi_value argv[1];                                                                                                \
    t_args(env, info, argv, 1);                                                                                        \
    struct handle *handle = make(env, argv[0]);                                                                        \
    T_UV(uv_##kind##_init(t_loop(env), &handle->uv.kind));                                                             \
    T_UV(uv_##kind##_start(&handle->uv.kind, on_##kind));                                                              \
    return t_number(env, used++);                                                                                      \
  }
EACH_TURN(idle)
EACH_TURN(prepare)
EACH_TURN(check)

static napi_value stop(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  struct handle *handle = handle_at(env, argv[0]);
  switch (handle->uv.any.type) {
  case UV_TIMER: T_UV(uv_timer_stop(&handle->uv.timer)); break;
  case UV_IDLE: T_UV(uv_idle_stop(&handle->uv.idle)); break;
  case UV_PREPARE: T_UV(uv_prepare_stop(&handle->uv.prepare)); break;
  case UV_CHECK: T_UV(uv_check_stop(&handle->uv.check)); break;
  default: abort();
  }
  return NULL;
}

/* (timer): starts it again with its repeat time. */
static napi_value again(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, uv_timer_again(&handle_at(env, argv[0])->uv.timer));
}

static void on_close(uv_handle_t *closed) {
  struct handle *handle = closed->data;
  if (handle->on_close) {
    t_tell(handle->env, handle->on_close, "closed");
    T_OK(napi_delete_reference(handle->env, handle->on_close));
  }
  T_OK(napi_delete_reference(handle->env, handle->function));
  free(handle);
}

/* (handle, function) */
static napi_value close_handle(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  struct handle *handle = handle_at(env, argv[0]);
  handles[t_uint(env, argv[0])] = NULL;
  if (!t_nullish(env, argv[1])) T_OK(napi_create_reference(env, argv[1], 1, &handle->on_close));
  uv_close(&handle->uv.any, on_close);
  return NULL;
}

static napi_value ref(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uv_ref(&handle_at(env, argv[0])->uv.any);
  return NULL;
}

static napi_value unref(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uv_unref(&handle_at(env, argv[0])->uv.any);
  return NULL;
}

/* [active, has a reference, closing] */
static napi_value state(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  uv_handle_t *handle = &handle_at(env, argv[0])->uv.any;
  T_OK(napi_set_element(env, result, 0, t_boolean(env, uv_is_active(handle))));
  T_OK(napi_set_element(env, result, 1, t_boolean(env, uv_has_ref(handle))));
  T_OK(napi_set_element(env, result, 2, t_boolean(env, uv_is_closing(handle))));
  return result;
}

static void *send_from_thread(void *data) {
  T_UV(uv_async_send(data));
  return NULL;
}

/* (async, from another thread, joined) */
static napi_value send_async(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  uv_async_t *handle = &handle_at(env, argv[0])->uv.async;
  if (!t_bool(env, argv[1])) {
    T_UV(uv_async_send(handle));
    return NULL;
  }
  pthread_t thread;
  if (pthread_create(&thread, NULL, send_from_thread, handle) != 0) abort();
  if (t_bool(env, argv[2]))
    pthread_join(thread, NULL);
  else
    pthread_detach(thread);
  return NULL;
}

/* ---- The loop ---------------------------------------------------------------------------------------------------- */

/* [is the default loop, is the same each time, its time goes on] */
static napi_value loop(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  uv_loop_t *of = t_loop(env);
  T_OK(napi_set_element(env, result, 0, t_boolean(env, of == uv_default_loop())));
  T_OK(napi_set_element(env, result, 1, t_boolean(env, of == t_loop(env))));
  uint64_t before = uv_now(of);
  uv_update_time(of);
  T_OK(napi_set_element(env, result, 2, t_boolean(env, uv_now(of) >= before)));
  return result;
}

static napi_value stop_running(napi_env env, napi_callback_info info) {
  should_stop = 1;
  return NULL;
}

/* Runs the loop until JavaScript calls stopRunning(); how often is not told. */
static napi_value run_until_stopped(napi_env env, napi_callback_info info) {
  uv_loop_t *of = t_loop(env);
  should_stop = 0;
  while (!should_stop) {
    napi_handle_scope scope;
    T_OK(napi_open_handle_scope(env, &scope));
    uv_run(of, UV_RUN_ONCE);
    T_OK(napi_close_handle_scope(env, scope));
  }
  return NULL;
}

/* (times): turns the loop without waiting. */
static napi_value run_nowait(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  int alive = 0;
  for (uint32_t i = t_uint(env, argv[0]); i > 0; i--) alive = uv_run(t_loop(env), UV_RUN_NOWAIT);
  return t_boolean(env, alive);
}

static const struct t_function functions[] = {
    {"timer", timer},
    {"async", async},
    {"idle", idle},
    {"prepare", prepare},
    {"check", check},
    {"stop", stop},
    {"again", again},
    {"close", close_handle},
    {"ref", ref},
    {"unref", unref},
    {"state", state},
    {"send", send_async},
    {"loop", loop},
    {"stopRunning", stop_running},
    {"runUntilStopped", run_until_stopped},
    {"runNowait", run_nowait},
};
T_INIT(functions)
