/*
 * Gates: what the threads of an addon wait at, so that the order of events is the test's choice and not the
 * scheduler's.
 */
#ifndef NR_TEST_GATES_H
#define NR_TEST_GATES_H

#include "common.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <unistd.h>

#define T_GATES 64

static pthread_mutex_t t_gates_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t t_gates_changed = PTHREAD_COND_INITIALIZER;
static int t_gates_waiting[T_GATES], t_gates_passed[T_GATES], t_gates_room[T_GATES];

/* Waits until there is room, and takes a place of it. */
static inline void t_gate_pass(uint32_t gate) {
  pthread_mutex_lock(&t_gates_mutex);
  t_gates_waiting[gate]++;
  pthread_cond_broadcast(&t_gates_changed);
  while (t_gates_room[gate] == 0) pthread_cond_wait(&t_gates_changed, &t_gates_mutex);
  t_gates_room[gate]--;
  t_gates_waiting[gate]--;
  t_gates_passed[gate]++;
  pthread_cond_broadcast(&t_gates_changed);
  pthread_mutex_unlock(&t_gates_mutex);
}

static inline void t_gate_open(uint32_t gate, int room) {
  pthread_mutex_lock(&t_gates_mutex);
  t_gates_room[gate] += room;
  pthread_cond_broadcast(&t_gates_changed);
  pthread_mutex_unlock(&t_gates_mutex);
}

/* Waits until so many others wait at the gate. */
static inline void t_gate_await(uint32_t gate, int waiting) {
  pthread_mutex_lock(&t_gates_mutex);
  while (t_gates_waiting[gate] != waiting) pthread_cond_wait(&t_gates_changed, &t_gates_mutex);
  pthread_mutex_unlock(&t_gates_mutex);
}

/* (gate, room = 1) */
static napi_value t_open_gate(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  t_gate_open(t_uint(env, argv[0]) % T_GATES, t_nullish(env, argv[1]) ? 1 : t_int(env, argv[1]));
  return NULL;
}

/* (gate, waiting): holds up this thread. */
static napi_value t_await_gate(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  t_gate_await(t_uint(env, argv[0]) % T_GATES, t_int(env, argv[1]));
  return NULL;
}

#define T_GATE_FUNCTIONS                                                                                               \
  {"openGate", t_open_gate}, {                                                                                         \
    "awaitGate", t_await_gate                                                                                          \
  }

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
