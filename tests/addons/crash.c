/* All the ways in which an addon takes its process down, or does not come back. */
#include "ends.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Without C destructors and atexit functions. */
static napi_value call_quick_exit(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  _exit(t_int(env, argv[0]));
}

static napi_value call_raise(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  raise(t_int(env, argv[0]));
  return NULL;
}

static napi_value fatal_error(napi_env env, napi_callback_info info) {
  napi_fatal_error("crash.c", NAPI_AUTO_LENGTH, "as asked", NAPI_AUTO_LENGTH);
}

/* What Node does with an exception that nobody catches; goes on when a handler took it. */
static napi_value fatal_exception(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_string(env, t_status_name(napi_fatal_exception(env, argv[0])));
}

/* Not endless for the compiler's eyes. */
static int recurse(volatile char *above) {
  volatile char frame[4096];
  frame[0] = above[0];
  return above[0] ? recurse(frame) + frame[0] : 0;
}

static napi_value overflow_stack(napi_env env, napi_callback_info info) {
  volatile char first[1] = {1};
  return t_number(env, recurse(first));
}

/* Opens a FIFO for writing, which tells its reader that the call is under way, and never returns. */
static napi_value hang(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *fifo = t_text(env, argv[0]);
  close(open(fifo, O_WRONLY));
  while (pause() == -1) continue;
  return NULL;
}

/* Crashes after a call to JavaScript, hence with JavaScript frames between. */
static napi_value call_then_crash(napi_env env, napi_callback_info info) {
  t_call(env, info);
  return t_crash(env, info);
}

static napi_value add(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_number(env, t_double(env, argv[0]) + t_double(env, argv[1]));
}

static void finalize_crash(napi_env env, void *data, void *hint) {
  t_crash(env, NULL);
}

/* An object whose finalizer dereferences NULL. */
static napi_value time_bomb(napi_env env, napi_callback_info info) {
  napi_value object = t_object(env);
  T_OK(napi_wrap(env, object, &finalize_crash, finalize_crash, NULL, NULL));
  return object;
}

static const struct t_function functions[] = {
    {"crash", t_crash},
    {"abort", t_abort},
    {"exit", t_exit},
    {"quickExit", call_quick_exit},
    {"raise", call_raise},
    {"fatalError", fatal_error},
    {"fatalException", fatal_exception},
    {"overflowStack", overflow_stack},
    {"hang", hang},
    {"callThrough", t_call},
    {"callThenCrash", call_then_crash},
    {"pid", t_pid},
    {"add", add},
    {"timeBomb", time_bomb},
};
T_INIT(functions)
