/*
 * Threads of the stress test's addon: streams of calls, and promises that threads settle.
 */
#ifndef NR_TEST_STRESS_THREADS_H
#define NR_TEST_STRESS_THREADS_H

#include "stress_kit.h"

#include <pthread.h>
#include <sched.h>

/* ---- streams: threads that call a threadsafe function ------------------------------------------------------------ */

#define THREADS_MAX 8

struct stream {
  struct state *state;
  napi_threadsafe_function handle;
  napi_ref on_final;
  pthread_t threads[THREADS_MAX];
  uint32_t next[THREADS_MAX]; /* expected of each */
  uint32_t thread_count, count, pushed, called, dropped, wrong;
  napi_threadsafe_function_call_mode mode;
  bool ended, finalized, has_external;
};

struct item {
  struct stream *stream;
  uint32_t thread, sequence;
};

struct thread {
  struct stream *stream;
  uint32_t number;
};

/* Items that are left come without an env, after the finalizer or before it. */
static void maybe_free(struct stream *stream) {
  if (!stream->finalized || stream->has_external || stream->called + stream->dropped < stream->pushed) return;
  stream->state->alive--;
  free(stream);
}

static napi_status push(struct stream *stream, struct item *item) {
  napi_status status;
  while ((status = napi_call_threadsafe_function(stream->handle, item, stream->mode)) == napi_queue_full) sched_yield();
  return status;
}

/* A thread that is told of the end has thereby released its function. */
static void *push_all(void *data) {
  struct thread thread = *(struct thread *)data;
  struct stream *stream = thread.stream;
  free(data);
  for (uint32_t i = 0; i < stream->count; i++) {
    struct item *item = allocate(sizeof *item);
    *item = (struct item){stream, thread.number, i};
    if (push(stream, item) != napi_ok) {
      free(item);
      return NULL;
    }
    __atomic_add_fetch(&stream->pushed, 1, __ATOMIC_SEQ_CST);
  }
  (void)napi_release_threadsafe_function(stream->handle, napi_tsfn_release);
  return NULL;
}

/* JavaScript gets (thread, sequence). */
static void call_stream(napi_env env, napi_value function, void *context, void *data) {
  struct item item = *(struct item *)data;
  struct stream *stream = item.stream;
  free(data);
  if (stream->next[item.thread]++ != item.sequence || context != stream) stream->wrong++;
  if (!env) {
    stream->dropped++;
    maybe_free(stream);
    return;
  }
  stream->called++;
  napi_value argv[] = {number(env, item.thread), number(env, item.sequence)}, undefined, result;
  if (!function || !argv[0] || !argv[1] || napi_get_undefined(env, &undefined) != napi_ok) return;
  (void)napi_call_function(env, undefined, function, 2, argv, &result);
}

/* JavaScript gets (pushed, called, dropped, wrong). */
static void tell_end(napi_env env, struct stream *stream) {
  napi_value function, undefined, result;
  if (napi_get_reference_value(env, stream->on_final, &function) != napi_ok || !function) return;
  napi_value argv[] = {number(env, stream->pushed), number(env, stream->called), number(env, stream->dropped),
                       number(env, stream->wrong)};
  napi_delete_reference(env, stream->on_final);
  for (size_t i = 0; i < T_COUNT(argv); i++)
    if (!argv[i]) return;
  if (napi_get_undefined(env, &undefined) == napi_ok)
    (void)napi_call_function(env, undefined, function, T_COUNT(argv), argv, &result);
}

/* Node calls it with the function closed, so that no thread is held up. */
static void finalize_stream(napi_env env, void *data, void *hint) {
  struct stream *stream = data;
  for (uint32_t i = 0; i < stream->thread_count; i++) pthread_join(stream->threads[i], NULL);
  tell_end(env, stream);
  stream->finalized = true;
  maybe_free(stream);
}

static void forget_stream(napi_env env, void *data, void *hint) {
  struct stream *stream = data;
  stream->has_external = false;
  maybe_free(stream);
}

static bool read_stream(napi_env env, napi_value *argv, struct stream *stream, uint32_t *max) {
  bool blocking;
  if (napi_get_value_uint32(env, argv[2], &stream->thread_count) != napi_ok || stream->thread_count > THREADS_MAX ||
      napi_get_value_uint32(env, argv[3], &stream->count) != napi_ok ||
      napi_get_value_uint32(env, argv[4], max) != napi_ok || napi_get_value_bool(env, argv[5], &blocking) != napi_ok)
    return false;
  stream->mode = blocking ? napi_tsfn_blocking : napi_tsfn_nonblocking;
  return true;
}

/* (function, onFinal, threads, count, max, blocking): a handle, with which JavaScript has to end its own hold. */
static napi_value stream(napi_env env, napi_callback_info info) {
  napi_value argv[6], name, result;
  struct stream *stream = allocate(sizeof *stream);
  uint32_t max;
  if (arguments(env, info, argv, 6) != napi_ok || !read_stream(env, argv, stream, &max)) goto failed;
  stream->state = state_of(env);
  if (napi_create_string_utf8(env, "stress", NAPI_AUTO_LENGTH, &name) != napi_ok) goto failed;
  if (napi_create_reference(env, argv[1], 1, &stream->on_final) != napi_ok) goto failed;
  if (napi_create_threadsafe_function(env, argv[0], NULL, name, max, stream->thread_count + 1, stream, finalize_stream,
                                      stream, call_stream, &stream->handle) != napi_ok)
    goto failed;
  stream->state->alive++;
  for (uint32_t i = 0; i < stream->thread_count; i++) {
    struct thread *thread = allocate(sizeof *thread);
    *thread = (struct thread){stream, i};
    if (pthread_create(&stream->threads[i], NULL, push_all, thread) != 0) abort();
  }
  if (napi_create_external(env, stream, forget_stream, NULL, &result) != napi_ok) return NULL;
  stream->has_external = true;
  return result;
failed:
  free(stream);
  return NULL;
}

/* (handle, aborts) */
static napi_value end(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  struct stream *stream;
  bool aborts;
  S(arguments(env, info, argv, 2));
  S(napi_get_value_external(env, argv[0], (void **)&stream));
  S(napi_get_value_bool(env, argv[1], &aborts));
  if (stream->ended || stream->finalized) return NULL;
  stream->ended = true;
  (void)napi_release_threadsafe_function(stream->handle, aborts ? napi_tsfn_abort : napi_tsfn_release);
  return NULL;
}

/* ---- promises that threads settle, all with one function that keeps the program only while one is waited for ------
 */

struct settler {
  struct state *state;
  pthread_t thread;
  napi_deferred deferred;
  uint32_t value;
  bool succeeds, was_pushed, is_joined;
  struct settler *next;
};

static void *push_settler(void *data) {
  struct settler *settler = data;
  settler->was_pushed =
      napi_call_threadsafe_function(settler->state->settler, settler, napi_tsfn_nonblocking) == napi_ok;
  return NULL;
}

static void remove_settler(struct settler *settler) {
  struct settler **link = &settler->state->settling;
  while (*link && *link != settler) link = &(*link)->next;
  if (*link) *link = settler->next;
}

static void call_settler(napi_env env, napi_value function, void *context, void *data) {
  struct settler *settler = data;
  struct state *state = settler->state;
  if (!settler->is_joined) {
    pthread_join(settler->thread, NULL);
    remove_settler(settler);
  }
  state->alive--;
  if (env) {
    settle(env, settler->deferred, settler->succeeds, number(env, settler->value));
    if (--state->waiting == 0) (void)napi_unref_threadsafe_function(env, state->settler);
  }
  free(settler);
}

/* At the end of the env. What was pushed is dropped by call_settler(), after this or before. */
static void finalize_settler(napi_env env, void *data, void *hint) {
  struct state *state = data;
  while (state->settling) {
    struct settler *settler = state->settling;
    state->settling = settler->next;
    pthread_join(settler->thread, NULL);
    settler->is_joined = true;
    if (settler->was_pushed) continue;
    state->alive--;
    free(settler);
  }
}

static bool make_settler(napi_env env, struct state *state) {
  napi_value name;
  return state->settler || (napi_create_string_utf8(env, "settler", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                            napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, state, finalize_settler, state,
                                                            call_settler, &state->settler) == napi_ok);
}

/* (value, succeeds): a promise. */
static napi_value later(napi_env env, napi_callback_info info) {
  napi_value argv[2], promise;
  struct state *state = state_of(env);
  uint32_t value;
  bool succeeds;
  napi_deferred deferred;
  S(arguments(env, info, argv, 2));
  S(napi_get_value_uint32(env, argv[0], &value));
  S(napi_get_value_bool(env, argv[1], &succeeds));
  S(napi_create_promise(env, &deferred, &promise));
  if (!make_settler(env, state)) return NULL;
  struct settler *settler = allocate(sizeof *settler);
  *settler = (struct settler){
      .state = state, .deferred = deferred, .value = value, .succeeds = succeeds, .next = state->settling};
  state->settling = settler;
  state->alive++;
  if (state->waiting++ == 0) (void)napi_ref_threadsafe_function(env, state->settler);
  if (pthread_create(&settler->thread, NULL, push_settler, settler) != 0) abort();
  return promise;
}

#endif
