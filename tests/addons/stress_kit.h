/*
 * What the parts of the stress test's addon share (stress.c). Nothing takes success for granted: a Worker may be
 * terminated at any moment, and then any call may fail.
 */
#ifndef NR_TEST_STRESS_KIT_H
#define NR_TEST_STRESS_KIT_H

#include "common.h"

#define S(call)                                                                                                        \
  do {                                                                                                                 \
    if ((call) != napi_ok) return NULL;                                                                                \
  } while (0)

struct settler; /* stress_threads.h */

struct state {
  int alive;                        /* objects with finalizers, items, works, streams */
  napi_threadsafe_function settler; /* made when it is first needed */
  struct settler *settling;         /* all whose threads have not been joined */
  uint32_t waiting;
};

static inline struct state *state_of(napi_env env) {
  struct state *state = NULL;
  if (napi_get_instance_data(env, (void **)&state) != napi_ok || !state) abort();
  return state;
}

static inline void *allocate(size_t size) {
  void *memory = calloc(1, size);
  if (!memory) abort();
  return memory;
}

static inline napi_status arguments(napi_env env, napi_callback_info info, napi_value *argv, size_t count) {
  return napi_get_cb_info(env, info, &count, argv, NULL, NULL);
}

static inline napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  S(napi_create_double(env, value, &result));
  return result;
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

struct bytes {
  uint8_t *at;
  size_t length;
};

static inline napi_status bytes_of(napi_env env, napi_value view, struct bytes *bytes) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, view, &type, &bytes->length, (void **)&bytes->at, NULL, NULL);
}

static inline uint32_t hash(struct bytes bytes) {
  uint32_t result = 0;
  for (size_t i = 0; i < bytes.length; i++) result = result * 31 + bytes.at[i];
  return result;
}

static inline void fill(struct bytes bytes, uint32_t seed) {
  for (size_t i = 0; i < bytes.length; i++) bytes.at[i] = (uint8_t)(seed + i * 13 + (i >> 8));
}

/* ---- promises ---------------------------------------------------------------------------------------------------- */

static inline void settle(napi_env env, napi_deferred deferred, bool succeeds, napi_value value) {
  if (!value) return;
  if (succeeds)
    (void)napi_resolve_deferred(env, deferred, value);
  else
    (void)napi_reject_deferred(env, deferred, value);
}

#endif
