/*
 * Gates: what the threads of an addon wait at, so that the order of events is the test's choice and not the
 * scheduler's.
 */
#ifndef NR_TEST_GATES_H
#define NR_TEST_GATES_H

#include "options.h"

#include <pthread.h>
#include <sched.h>

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

/* For an addon that lets JavaScript open gates. */
#ifdef T_GATES_FOR_JAVASCRIPT
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

/* clang-format off */
#define T_GATE_FUNCTIONS {"openGate", t_open_gate}, {"awaitGate", t_await_gate}
/* clang-format on */
#endif

#endif
