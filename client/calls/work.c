/*
 * Async work: executed on this process' own libuv pool, completed when the loop turns, in the scopes that the server
 * opens around the completion (run_completion, which enters with complete_work).
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "client/calls/async.h"
#include "client/channel.h"
#include "client/loop.h"
#include "client/uv_names.h"

struct work {
  uv_work_t request;
  napi_env env;
  nr_id id;
  napi_async_execute_callback execute;
  napi_async_complete_callback complete;
  void *data;
  napi_status status; /* for the completion */
  bool queued;        /* and not yet completed */
  bool executed;      /* since it was queued */
  bool was_queued;    /* ever: libuv knows the request */
  bool deleted;       /* while it was queued: nobody but libuv knows it */
};

static struct work *get(napi_env env, napi_async_work work) {
  return nr_table_get(env->channel->asyncs, (nr_id)(uintptr_t)work, NR_SORT_WORK);
}

static napi_status status_of(int error) {
  switch (error) {
  case 0: return napi_ok;
  case UV_EINVAL: return napi_invalid_arg;
  case UV_ECANCELED: return napi_cancelled;
  default: return napi_generic_failure;
  }
}

/* Addons made with early versions of napi-rs 2 give the address of the C string "napi_rs_async_work" for a value. Node
 * takes that for where a value lies, and its first bytes for a small integer of V8's: the lowest bit is not set, the
 * number is in the upper half. */
static nr_value wire_name(napi_value name) {
  nr_value value = nr_wire(name);
  uint64_t word;
  if (nr_value_tag(value) != NR_TAG_SPECIAL || value <= NR_TRUE) return value;
  memcpy(&word, name, sizeof word);
  return (word & 1) != 0 ? value : nr_value_from_double((int32_t)(word >> 32));
}

/* Node asks an object for its text, and refuses what cannot be a resource. With the rest nothing can go wrong, nor does
 * JavaScript run, but for hooks of async_hooks: nobody waits for it. */
static bool is_harmless(const Nr__AsyncInitRequest *request) {
  nr_value resource = request->async_resource, name = request->async_resource_name;
  bool is_object = nr_value_is_handle(resource) && nr_value_tag(resource) == NR_TAG_OBJECT;
  bool is_text = name == NR_UNDEFINED || (nr_value_is_handle(name) && nr_value_tag(name) == NR_TAG_STRING);
  return (resource == NR_ABSENT || is_object) && is_text;
}

NR_EXPORT napi_status NAPI_CDECL napi_create_async_work(napi_env env, napi_value async_resource,
                                                        napi_value async_resource_name,
                                                        napi_async_execute_callback execute,
                                                        napi_async_complete_callback complete, void *data,
                                                        napi_async_work *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, execute);
  NR_CHECK_ARG(env, result);
  Nr__AsyncInitRequest request = NR__ASYNC_INIT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_ASYNC_WORK, &request.base);
  struct work *work = calloc(1, sizeof *work);
  if (work != NULL) {
    work->env = env;
    work->execute = execute;
    work->complete = complete;
    work->data = data;
    request.async_id = work->id = nr_table_add(env->channel->asyncs, NR_SORT_WORK, work);
  }
  if (request.async_id == 0) call.out_of_memory = true;
  request.async_resource = nr_wire(async_resource);
  request.async_resource_name = wire_name(async_resource_name);
  napi_status status = is_harmless(&request) ? nr_call_post_hooked(&call) : nr_call_wait_js(&call);
  if (status == napi_ok) {
    *result = (napi_async_work)(uintptr_t)request.async_id;
  } else {
    nr_table_remove(env->channel->asyncs, request.async_id, NR_SORT_WORK);
    free(work);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_delete_async_work(napi_env env, napi_async_work work) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, work);
  Nr__AsyncRequest request = NR__ASYNC_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_DELETE_ASYNC_WORK, &request.base);
  struct work *deleted = get(env, work);
  if (deleted == NULL) return nr_call_end(&call, napi_invalid_arg);
  request.async_id = deleted->id;
  napi_status status = nr_call_post(&call);
  if (status == napi_ok) {
    nr_table_remove(env->channel->asyncs, deleted->id, NR_SORT_WORK);
    deleted->deleted = true;
    if (!deleted->queued) free(deleted);
  }
  return nr_call_end(&call, status);
}

/* Once for each thread of the pool. While works come in quickly, Node's thread and the channel's hand the turn back and
 * forth, each spinning for the other: a thread that takes a processor from one of them for a work that takes a
 * microsecond holds up both. A batch thread gets its share all the same, but no processor at once that somebody needs.
 * (1,000 works in flight on two processors: 16-24 us each without it, 5.1 with it; codecs and images as long as
 * before.) */
static void settle_in(void) {
  static _Thread_local bool settled;
  if (settled) return;
  settled = true;
  nr_crash_thread();
  const struct sched_param none = {0};
  if (sched_getscheduler(0) == SCHED_OTHER) sched_setscheduler(0, SCHED_BATCH, &none);
}

/* On a thread of the pool. */
static void execute_it(uv_work_t *request) {
  struct work *work = (struct work *)request;
  struct nr_channel *channel = work->env->channel;
  settle_in();
  work->execute(work->env, work->data);
  /* Node takes a while to wake up: it begins now, and the channel's thread wakes up at the same time. When that is busy
   * it rings itself, as soon as it is not. */
  work->executed = true;
  __atomic_add_fetch(&channel->owed, 1, __ATOMIC_RELAXED);
  __atomic_store_n(&channel->executed, true, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&channel->entry, __ATOMIC_RELAXED) == NULL) nr_loop_ring(channel);
}

static void run_completion(struct work *work) {
  Nr__CompleteRequest request = NR__COMPLETE_REQUEST__INIT;
  struct nr_call call = NR_CALL(work->env, NR_OP_RUN_COMPLETION, &request.base);
  request.async_id = work->id;
  nr_call_end(&call, nr_call_wait_js(&call));
}

static void after(uv_work_t *request, int error) {
  struct work *work = (struct work *)request;
  if (work->executed) __atomic_sub_fetch(&work->env->channel->owed, 1, __ATOMIC_RELAXED);
  work->executed = work->queued = false;
  work->env->works--;
  work->status = status_of(error);
  if (work->deleted) {
    free(work);
  } else if (work->complete != NULL) {
    run_completion(work);
  }
}

/* Node turns its loop until the works of an env that ends are complete. */
void nr_works_finish(struct nr_channel *channel, napi_env env) {
  while (env->works > 0) nr_uv_run(nr_loop_get(channel), UV_RUN_ONCE);
}

napi_env nr_work_complete(struct nr_channel *channel, nr_id id) {
  struct work *work = nr_table_get(channel->asyncs, id, NR_SORT_WORK);
  if (work == NULL) return NULL;
  napi_env env = work->env;
  nr_clear_last_error(env);
  env->exception_pending = false;
  work->complete(env, work->status, work->data);
  return env;
}

NR_EXPORT napi_status NAPI_CDECL napi_queue_async_work(node_api_basic_env env, napi_async_work work) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, work);
  Nr__Empty request = NR__EMPTY__INIT;
  struct work *queued = get(env, work);
  uv_loop_t *loop = nr_loop_get(env->channel);
  int error = UV_EINVAL;
  if (queued != NULL && !queued->queued && loop != NULL) {
    queued->queued = queued->was_queued = true;
    env->works++;
    error = uv_queue_work(loop, &queued->request, execute_it, after);
  }
  return nr_answer(env, NR_OP_NAPI_QUEUE_ASYNC_WORK, &request.base, NULL, status_of(error));
}

NR_EXPORT napi_status NAPI_CDECL napi_cancel_async_work(node_api_basic_env env, napi_async_work work) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, work);
  Nr__Empty request = NR__EMPTY__INIT;
  struct work *cancelled = get(env, work);
  int error = cancelled == NULL || !cancelled->was_queued ? UV_EINVAL : uv_cancel((uv_req_t *)&cancelled->request);
  napi_status status = nr_answer(env, NR_OP_NAPI_CANCEL_ASYNC_WORK, &request.base, NULL, status_of(error));
  env->last_error.engine_error_code = (uint32_t)error;
  return status;
}
