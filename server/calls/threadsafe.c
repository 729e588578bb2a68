/*
 * Threadsafe functions: a real one for each of the host, with one thread, the host's. The host says how many items its
 * queue has got, as many go into the real one; and what Node then does with each, and at the end, is an entry.
 *
 * One without a finalizer has none in Node either: async_hooks would see the callback scope that Node opens for it.
 * Then nobody tells when the real one goes. So its only thread releases it, for good, when Node's loop is about to look
 * at it (until then the addon may acquire it again), and it is not touched afterwards.
 */
#include <stdlib.h>
#include <uv.h>

#include "handlers.h"
#include "server/calls/facts.h"
#include "server/calls/guards.h"
#include "server/doorbell.h"
#include "server/enter.h"
#include "server/pending.h"

struct nr_threadsafe_function {
  struct nr_connection *connection; /* counted */
  struct nr_env *env;
  nr_id id; /* in the host */
  napi_threadsafe_function real;
  uint32_t items; /* of the real one */
  bool released;  /* the real one's only thread has gone */
  bool finalizes; /* Node tells when it goes */
  bool finalized;
  uv_idle_t *leaving; /* without a finalizer: its thread goes when Node's loop turns; NULL: it stays */
};
typedef struct nr_threadsafe_function function;

static void enter(function *self, enum nr_threadsafe what, nr_value callback) {
  Nr__ThreadsafeRequest request = NR__THREADSAFE_REQUEST__INIT;
  request.async_id = self->id;
  request.what = what;
  request.callback = callback;
  request.last = self->finalized && self->items == 0;
  nr_enter_once(self->connection, self->env, NR_OP_THREADSAFE, &request.base);
}

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void stay(function *self) {
  if (self->leaving != NULL) uv_close((uv_handle_t *)self->leaving, on_closed);
  self->leaving = NULL;
}

static void on_env_end(void *data);

static void forget(function *self) {
  stay(self);
  if (!self->finalizes && self->env->napi != NULL) napi_remove_env_cleanup_hook(self->env->napi, on_env_end, self);
  nr_table_remove(self->connection->asyncs, self->id, NR_SORT_THREADSAFE);
  nr_connection_unref(self->connection);
  free(self);
}

/* Node calls it for each item, and without an env for those that are left at the end: after the finalizer, or, from
 * Node 24 on, before it. */
static void on_call(napi_env napi, napi_value callback, void *context, void *data) {
  function *self = context;
  (void)data;
  self->items--;
  if (napi == NULL) {
    self->finalized |= !self->finalizes && self->items == 0;
    enter(self, NR_THREADSAFE_DROP, NR_ABSENT);
    if (self->finalized && self->items == 0) forget(self);
    return;
  }
  uint32_t given = nr_handles_top(self->connection->given);
  napi_valuetype type;
  nr_value value = callback == NULL ? NR_ABSENT : nr_give_argument(self->connection, napi, callback, &type);
  enter(self, NR_THREADSAFE_CALL, value);
  nr_handles_truncate(self->connection->given, given);
}

/* Runs right before Node's own hook for it closes it. */
static void on_env_end(void *data) {
  function *self = data;
  napi_handle_scope scope;
  nr_ending_begin(self->connection->agent);
  if (napi_open_handle_scope(self->env->napi, &scope) != napi_ok) return;
  if (!self->finalizes) { /* Node's own hook closes the real one, which calls for items only */
    self->real = NULL;
    self->finalized = self->items == 0;
  }
  enter(self, self->finalized ? NR_THREADSAFE_FINALIZE : NR_THREADSAFE_CLOSING, NR_ABSENT);
  napi_close_handle_scope(self->env->napi, scope);
  if (self->finalized) forget(self);
}

/* Node's loop comes to its callbacks next: now the real one would see that it has no thread. */
static void on_leave(uv_idle_t *handle) {
  function *self = handle->data;
  napi_handle_scope scope;
  napi_env napi = self->env->napi;
  if (self->items > 0 || napi == NULL || napi_open_handle_scope(napi, &scope) != napi_ok) return;
  if (self->real != NULL) napi_release_threadsafe_function(self->real, napi_tsfn_release);
  self->real = NULL;
  self->finalized = true;
  enter(self, NR_THREADSAFE_FINALIZE, NR_ABSENT);
  forget(self);
  napi_close_handle_scope(napi, scope);
}

/* False: without memory. */
static bool leave(function *self) {
  uv_loop_t *loop;
  if (self->leaving != NULL) return true;
  if (napi_get_uv_event_loop(self->env->napi, &loop) != napi_ok) return false;
  self->leaving = calloc(1, uv_handle_size(UV_IDLE));
  if (self->leaving == NULL) return false;
  uv_idle_init(loop, self->leaving);
  self->leaving->data = self;
  uv_idle_start(self->leaving, on_leave);
  uv_unref((uv_handle_t *)self->leaving);
  return true;
}

static void abort_quietly(function *self) {
  if (self->real != NULL) napi_release_threadsafe_function(self->real, napi_tsfn_abort);
  self->real = NULL;
  if (self->items == 0) leave(self); /* else it goes with the last of them */
}

static napi_status hold_quietly(function *self, uint32_t what) {
  if (self->real == NULL) return napi_invalid_arg;
  if (what == NR_HOLD_ACQUIRE)
    stay(self);
  else if (what == NR_HOLD_ABORT)
    abort_quietly(self);
  else if (!leave(self))
    return napi_generic_failure;
  self->released = what != NR_HOLD_ACQUIRE;
  return napi_ok;
}

static void on_finalize(napi_env napi, void *data, void *hint) {
  function *self = data;
  (void)hint;
  napi_remove_env_cleanup_hook(napi, on_env_end, self);
  self->finalized = true;
  enter(self, NR_THREADSAFE_FINALIZE, NR_ABSENT);
  if (self->items == 0) forget(self);
}

void nr_threadsafe_lost(struct nr_threadsafe_function *self) {
  if (!self->finalizes) {
    abort_quietly(self);
    return;
  }
  if (!self->released) napi_release_threadsafe_function(self->real, napi_tsfn_abort);
  self->released = true;
}

/* Before the others: the real function does. */
static napi_status check_function(struct nr_dispatch *d, napi_value func) {
  napi_valuetype type = napi_undefined;
  if (func == NULL) return napi_ok;
  NR_TRY(napi_typeof(d->napi, func, &type));
  return type == napi_function ? napi_ok : napi_invalid_arg;
}

napi_status nr_serve_napi_create_threadsafe_function(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateThreadsafeFunctionRequest *request = message;
  napi_value func, resource, name;
  (void)answer;
  NR_TAKE(d, request->func, &func);
  NR_TAKE(d, request->async_resource, &resource);
  NR_TAKE(d, request->async_resource_name, &name);
  if (d->env->ending) return napi_closing; /* a finalizer: Node itself would call into the env when that is gone */
  NR_TRY(check_function(d, func));
  NR_TRY(nr_guard_async_names(d, resource, &name));
  function *self = calloc(1, sizeof *self);
  if (self == NULL) return napi_generic_failure;
  *self =
      (function){.connection = d->connection, .env = d->env, .id = request->async_id, .finalizes = request->finalizes};
  int error = nr_table_adopt(d->connection->asyncs, self->id, NR_SORT_THREADSAFE, self);
  if (error < 0) {
    free(self);
    return nr_refuse_id(d, error);
  }
  napi_status status = napi_create_threadsafe_function(
      d->napi, func, resource, name, 0, 1, self, self->finalizes ? on_finalize : NULL, self, on_call, &self->real);
  if (status != napi_ok) {
    nr_table_remove(d->connection->asyncs, self->id, NR_SORT_THREADSAFE);
    free(self);
    return status;
  }
  nr_connection_ref(self->connection);
  napi_add_env_cleanup_hook(d->napi, on_env_end, self);
  nr_ending_hooked(d->connection->agent);
  return napi_ok;
}

static function *get(struct nr_dispatch *d, nr_id id) {
  function *self = nr_table_get(d->connection->asyncs, id, NR_SORT_THREADSAFE);
  return self == NULL || self->env != d->env ? NULL : self;
}

/* More than a host can have queued in earnest: it would only be memory of ours. */
#define NR_ITEMS_MAX (UINT32_C(1) << 24)

napi_status nr_serve_send_threadsafe(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__SendThreadsafeRequest *request = message;
  function *self = get(d, request->async_id);
  (void)answer;
  if (self == NULL || self->real == NULL) return napi_invalid_arg;
  if (request->count > NR_ITEMS_MAX - self->items) return nr_fault(d, "too many items");
  for (uint32_t i = 0; i < request->count; i++) {
    NR_TRY(napi_call_threadsafe_function(self->real, NULL, napi_tsfn_nonblocking));
    self->items++;
  }
  nr_doorbell_look_ahead(d->connection);
  return napi_ok;
}

napi_status nr_serve_hold_threadsafe(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__HoldThreadsafeRequest *request = message;
  function *self = get(d, request->async_id);
  (void)answer;
  if (self == NULL || self->released != (request->what == NR_HOLD_ACQUIRE)) return napi_invalid_arg;
  if (!self->finalizes) return hold_quietly(self, request->what);
  self->released = !self->released;
  if (request->what == NR_HOLD_ACQUIRE) return napi_acquire_threadsafe_function(self->real);
  return napi_release_threadsafe_function(self->real,
                                          request->what == NR_HOLD_ABORT ? napi_tsfn_abort : napi_tsfn_release);
}

napi_status nr_serve_napi_ref_threadsafe_function(struct nr_dispatch *d, const void *message, void *answer) {
  function *self = get(d, ((const Nr__AsyncRequest *)message)->async_id);
  (void)answer;
  return self == NULL || self->real == NULL ? napi_invalid_arg : napi_ref_threadsafe_function(d->napi, self->real);
}

napi_status nr_serve_napi_unref_threadsafe_function(struct nr_dispatch *d, const void *message, void *answer) {
  function *self = get(d, ((const Nr__AsyncRequest *)message)->async_id);
  (void)answer;
  return self == NULL || self->real == NULL ? napi_invalid_arg : napi_unref_threadsafe_function(d->napi, self->real);
}
