/* The plainest background work, for measuring: works that do nothing, and threads that call as fast as they can. */
#include "common.h"

#include <pthread.h>

struct work {
  napi_async_work handle;
  napi_deferred deferred;
};

static void execute(napi_env env, void *data) {
}

static void complete(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  T_OK(napi_resolve_deferred(env, work->deferred, t_undefined(env)));
  T_OK(napi_delete_async_work(env, work->handle));
  free(work);
}

/* (): a promise that is resolved when a work has been executed. */
static napi_value work(napi_env env, napi_callback_info info) {
  struct work *made = malloc(sizeof *made);
  if (!made) abort();
  napi_value promise;
  T_OK(napi_create_promise(env, &made->deferred, &promise));
  T_OK(napi_create_async_work(env, NULL, t_string(env, "work"), execute, complete, made, &made->handle));
  T_OK(napi_queue_async_work(env, made->handle));
  return promise;
}

struct pump {
  napi_threadsafe_function function;
  uint32_t count;
};

static void *push(void *data) {
  struct pump *pump = data;
  for (uint32_t i = 0; i < pump->count; i++) {
    T_OK(napi_call_threadsafe_function(pump->function, NULL, napi_tsfn_blocking));
  }
  T_OK(napi_release_threadsafe_function(pump->function, napi_tsfn_release));
  free(pump);
  return NULL;
}

/* (callback, count, threads, queue): each thread calls it `count` times. */
static napi_value pump(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  t_args(env, info, argv, 4);
  uint32_t count = t_uint(env, argv[1]), threads = t_uint(env, argv[2]), queue = t_uint(env, argv[3]);
  napi_threadsafe_function function;
  T_OK(napi_create_threadsafe_function(env, argv[0], NULL, t_string(env, "pump"), queue, threads, NULL, NULL, NULL,
                                       NULL, &function));
  for (uint32_t i = 0; i < threads; i++) {
    struct pump *made = malloc(sizeof *made);
    if (!made) abort();
    *made = (struct pump){function, count};
    pthread_t thread;
    if (pthread_create(&thread, NULL, push, made) != 0) abort();
    pthread_detach(thread);
  }
  return NULL;
}

static const struct t_function functions[] = {{"work", work}, {"pump", pump}};
T_INIT(functions)
