/*
 * Threadsafe functions. The queue and what threads wait for live here; the server has a real threadsafe function for
 * each, which brings everything that Node's thread does: when it is called, in which scopes, what an exception comes
 * to, whether it keeps the program running, and its end. Threads note what they have done (items, the last release) and
 * ring; the next entry of the server tells. Each item of the real one then is an entry that takes one item from here.
 *
 * The rules are those of ThreadSafeFunction in Node's src/node_api.cc.
 */
#include "client/calls/threadsafe.h"

#include <pthread.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/loop.h"

struct napi_threadsafe_function__ {
  struct nr_channel *channel;
  napi_env env;
  nr_id id;
  void *context;
  void *finalize_data;
  napi_finalize finalize;
  napi_threadsafe_function_call_js call_js;
  size_t limit; /* 0: none */
  pthread_mutex_t mutex;
  pthread_cond_t room;
  /* ---- under the mutex ---- */
  void **items; /* a ring */
  size_t first;
  size_t count;
  size_t size;
  size_t threads;
  uint32_t untold; /* items that the server does not know yet */
  bool closing;
  bool gone; /* finalized: the last thread frees it */
  bool aborted;
  bool told_released; /* the real one has one thread: as long as this one has any */
  bool referenced;    /* keeps the program running: what was wanted last */
  bool told_referenced;
  bool listed;
  struct napi_threadsafe_function__ *next; /* of the channel's list, under its mutex */
};
typedef struct napi_threadsafe_function__ function;

/* Functions with something to tell, of all channels: held for a few instructions only. */
static pthread_mutex_t list_mutex = PTHREAD_MUTEX_INITIALIZER;

/* The function's mutex is held. */
static void note(function *self) {
  if (self->listed || self->gone) return;
  self->listed = true;
  pthread_mutex_lock(&list_mutex);
  self->next = self->channel->threadsafe;
  __atomic_store_n(&self->channel->threadsafe, self, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&list_mutex);
}

static void unlist(function *self) {
  pthread_mutex_lock(&list_mutex);
  for (function **link = &self->channel->threadsafe; *link != NULL; link = &(*link)->next) {
    if (*link == self) {
      *link = self->next;
      break;
    }
  }
  pthread_mutex_unlock(&list_mutex);
}

/* Inside an entry its return tells the server; else somebody has to make it enter. The function's mutex is held: the
 * channel is there as long as the function has not been finalized. */
static void announce(function *self) {
  struct nr_channel *channel = self->channel;
  if (self->listed && (nr_channel_current() != channel || channel->entry == NULL)) nr_loop_ring(channel);
}

/* The mutex is given back; frees what nobody can use any more. */
static void leave(function *self) {
  bool last = self->gone && self->threads == 0;
  pthread_mutex_unlock(&self->mutex);
  if (!last) return;
  pthread_mutex_destroy(&self->mutex);
  pthread_cond_destroy(&self->room);
  free(self->items);
  free(self);
}

/* ---- Telling the server ---- */

static void post(function *self, unsigned opcode, const ProtobufCMessage *request) {
  struct nr_channel *channel = self->channel;
  struct nr_frame_header header = {
      .env = self->env->number, .opcode = (uint16_t)opcode, .depth = (uint16_t)channel->depth, .kind = NR_KIND_POST};
  if (nr_port_send(channel->port, &header, request, NULL, 0) < 0) nr_channel_lost(channel);
}

static void post_items(function *self, uint32_t count) {
  Nr__SendThreadsafeRequest request = NR__SEND_THREADSAFE_REQUEST__INIT;
  request.async_id = self->id;
  request.count = count;
  post(self, NR_OP_SEND_THREADSAFE, &request.base);
}

static void post_hold(function *self, enum nr_hold what) {
  Nr__HoldThreadsafeRequest request = NR__HOLD_THREADSAFE_REQUEST__INIT;
  request.async_id = self->id;
  request.what = what;
  post(self, NR_OP_HOLD_THREADSAFE, &request.base);
}

static void post_reference(function *self, bool referenced) {
  Nr__AsyncRequest request = NR__ASYNC_REQUEST__INIT;
  request.async_id = self->id;
  post(self, referenced ? NR_OP_NAPI_REF_THREADSAFE_FUNCTION : NR_OP_NAPI_UNREF_THREADSAFE_FUNCTION, &request.base);
}

static void tell(function *self) {
  pthread_mutex_lock(&self->mutex);
  uint32_t untold = self->untold;
  bool released = self->aborted || self->threads == 0;
  bool held = released != self->told_released;
  bool aborted = self->aborted, referenced = self->referenced;
  bool turned = referenced != self->told_referenced;
  self->untold = 0;
  self->listed = false;
  self->told_released = released;
  self->told_referenced = referenced;
  pthread_mutex_unlock(&self->mutex);
  if (turned) post_reference(self, referenced);
  if (untold > 0) post_items(self, untold);
  if (held) post_hold(self, !released ? NR_HOLD_ACQUIRE : aborted ? NR_HOLD_ABORT : NR_HOLD_RELEASE);
}

void nr_threadsafe_flush(struct nr_channel *channel) {
  if (__atomic_load_n(&channel->threadsafe, __ATOMIC_ACQUIRE) == NULL || channel->in_basic) return;
  pthread_mutex_lock(&list_mutex);
  function *list = channel->threadsafe;
  channel->threadsafe = NULL;
  pthread_mutex_unlock(&list_mutex);
  while (list != NULL) {
    function *self = list;
    list = self->next;
    tell(self);
  }
}

/* ---- Any thread ---- */

/* These functions have no env whose last error they would leave: only recorder and trace hear of them. */
static napi_status traced(napi_env env, unsigned opcode, napi_status status) {
  Nr__Empty request = NR__EMPTY__INIT;
  nr_tell(env, opcode, &request.base, NULL, status);
  return status;
}

static bool append(function *self, void *data) {
  if (self->count == self->size) {
    size_t size = self->size == 0 ? 16 : self->size * 2;
    void **items = malloc(size * sizeof *items);
    if (items == NULL) return false;
    for (size_t i = 0; i < self->count; i++) items[i] = self->items[(self->first + i) & (self->size - 1)];
    free(self->items);
    self->items = items;
    self->first = 0;
    self->size = size;
  }
  self->items[(self->first + self->count++) & (self->size - 1)] = data;
  return true;
}

static napi_status push(function *self, void *data, bool blocking) {
  while (self->limit > 0 && self->count >= self->limit && !self->closing) {
    if (!blocking) return napi_queue_full;
    pthread_cond_wait(&self->room, &self->mutex);
  }
  if (self->closing) {
    if (self->threads == 0) return napi_invalid_arg;
    self->threads--;
    return napi_closing;
  }
  if (!append(self, data)) return napi_generic_failure;
  self->untold++;
  note(self);
  return napi_ok;
}

NR_EXPORT napi_status NAPI_CDECL napi_call_threadsafe_function(napi_threadsafe_function func, void *data,
                                                               napi_threadsafe_function_call_mode is_blocking) {
  pthread_mutex_lock(&func->mutex);
  napi_status status = push(func, data, is_blocking == napi_tsfn_blocking);
  napi_env env = func->env;
  if (status == napi_ok) announce(func);
  leave(func);
  return traced(env, NR_OP_NAPI_CALL_THREADSAFE_FUNCTION, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_acquire_threadsafe_function(napi_threadsafe_function func) {
  pthread_mutex_lock(&func->mutex);
  bool closing = func->closing;
  if (!closing && func->threads++ == 0) note(func);
  pthread_mutex_unlock(&func->mutex);
  return traced(func->env, NR_OP_NAPI_ACQUIRE_THREADSAFE_FUNCTION, closing ? napi_closing : napi_ok);
}

static napi_status release(function *self, bool aborts) {
  if (self->threads == 0) return napi_invalid_arg;
  self->threads--;
  if ((self->threads > 0 && !aborts) || self->closing) return napi_ok;
  self->closing = self->aborted = aborts;
  if (aborts) pthread_cond_signal(&self->room);
  note(self);
  return napi_ok;
}

NR_EXPORT napi_status NAPI_CDECL napi_release_threadsafe_function(napi_threadsafe_function func,
                                                                  napi_threadsafe_function_release_mode mode) {
  pthread_mutex_lock(&func->mutex);
  napi_status status = release(func, mode == napi_tsfn_abort);
  napi_env env = func->env;
  announce(func);
  leave(func);
  return traced(env, NR_OP_NAPI_RELEASE_THREADSAFE_FUNCTION, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_threadsafe_function_context(napi_threadsafe_function func, void **result) {
  *result = func->context;
  return traced(func->env, NR_OP_NAPI_GET_THREADSAFE_FUNCTION_CONTEXT, napi_ok);
}

static napi_status set_referenced(function *self, bool referenced) {
  pthread_mutex_lock(&self->mutex);
  self->referenced = referenced;
  if (self->referenced != self->told_referenced) note(self);
  announce(self);
  pthread_mutex_unlock(&self->mutex);
  return traced(self->env, referenced ? NR_OP_NAPI_REF_THREADSAFE_FUNCTION : NR_OP_NAPI_UNREF_THREADSAFE_FUNCTION,
                napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL napi_ref_threadsafe_function(node_api_basic_env env, napi_threadsafe_function func) {
  (void)env;
  return set_referenced(func, true);
}

NR_EXPORT napi_status NAPI_CDECL napi_unref_threadsafe_function(node_api_basic_env env, napi_threadsafe_function func) {
  (void)env;
  return set_referenced(func, false);
}

/* ---- The channel's thread ---- */

/* Of functions without a call_js of their own: CallJs of Node's src/node_api.cc. */
static void call_plainly(napi_env env, napi_value callback, void *context, void *data) {
  napi_value undefined;
  (void)context;
  (void)data;
  if (env == NULL || callback == NULL) return;
  napi_get_undefined(env, &undefined);
  napi_status status = napi_call_function(env, undefined, callback, 0, NULL, NULL);
  if (status != napi_ok && status != napi_pending_exception) {
    napi_throw_error(env, "ERR_NAPI_TSFN_CALL_JS", "Failed to call JS callback");
  }
}

NR_EXPORT napi_status NAPI_CDECL napi_create_threadsafe_function(
    napi_env env, napi_value func, napi_value async_resource, napi_value async_resource_name, size_t max_queue_size,
    size_t initial_thread_count, void *thread_finalize_data, napi_finalize thread_finalize_cb, void *context,
    napi_threadsafe_function_call_js call_js_cb, napi_threadsafe_function *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, async_resource_name);
  if (initial_thread_count == 0) return nr_refuse(env, __func__, napi_invalid_arg);
  NR_CHECK_ARG(env, result);
  if (func == NULL) NR_CHECK_ARG(env, call_js_cb);
  Nr__CreateThreadsafeFunctionRequest request = NR__CREATE_THREADSAFE_FUNCTION_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_THREADSAFE_FUNCTION, &request.base);
  function *self = calloc(1, sizeof *self);
  if (self != NULL) {
    *self = (function){
        .channel = env->channel,
        .env = env,
        .context = context,
        .finalize_data = thread_finalize_data,
        .finalize = thread_finalize_cb,
        .call_js = call_js_cb == NULL ? call_plainly : call_js_cb,
        .limit = max_queue_size,
        .threads = initial_thread_count,
        .referenced = true,
        .told_referenced = true,
    };
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->room, NULL);
    self->id = nr_table_add(env->channel->asyncs, NR_SORT_THREADSAFE, self);
  }
  if (self == NULL || self->id == 0) call.out_of_memory = true;
  request.async_id = self == NULL ? 0 : self->id;
  request.func = nr_wire(func);
  request.async_resource = nr_wire(async_resource);
  request.async_resource_name = nr_wire(async_resource_name);
  request.finalizes = thread_finalize_cb != NULL;
  napi_status status = nr_call_wait_js(&call);
  if (status == napi_ok) {
    *result = self;
  } else if (self != NULL) {
    nr_table_remove(env->channel->asyncs, self->id, NR_SORT_THREADSAFE);
    free(self);
  }
  return nr_call_end(&call, status);
}

static bool take(function *self, void **data) {
  if (self->closing || self->count == 0) return false;
  *data = self->items[self->first];
  self->first = (self->first + 1) & (self->size - 1);
  if (self->count-- == self->limit) pthread_cond_signal(&self->room);
  if (self->count == 0 && self->threads == 0) {
    self->closing = true;
    pthread_cond_signal(&self->room);
  }
  return true;
}

static void call_one(function *self, napi_value callback) {
  void *data = NULL;
  pthread_mutex_lock(&self->mutex);
  bool taken = take(self, &data);
  pthread_mutex_unlock(&self->mutex);
  if (taken) self->call_js(self->env, callback, self->context, data);
}

static void close_it(function *self) {
  pthread_mutex_lock(&self->mutex);
  self->closing = true;
  pthread_cond_broadcast(&self->room);
  pthread_mutex_unlock(&self->mutex);
}

/* Nobody adds items to a closed one. */
static void drop_one(function *self) {
  if (self->count == 0) return;
  void *data = self->items[self->first];
  self->first = (self->first + 1) & (self->size - 1);
  self->count--;
  self->call_js(NULL, NULL, self->context, data);
}

static void end(function *self) {
  while (self->count > 0) drop_one(self); /* those that the server has not been told of */
  nr_table_remove(self->channel->asyncs, self->id, NR_SORT_THREADSAFE);
  pthread_mutex_lock(&self->mutex);
  if (self->listed) unlist(self);
  self->gone = true;
  leave(self);
}

napi_env nr_threadsafe_serve(struct nr_channel *channel, const Nr__ThreadsafeRequest *request) {
  function *self = nr_table_get(channel->asyncs, request->async_id, NR_SORT_THREADSAFE);
  if (self == NULL) return NULL;
  napi_env env = self->env;
  nr_clear_last_error(env);
  env->exception_pending = false;
  switch (request->what) {
  case NR_THREADSAFE_CALL: call_one(self, nr_unwire(request->callback)); break;
  case NR_THREADSAFE_CLOSING: close_it(self); break;
  case NR_THREADSAFE_DROP: drop_one(self); break;
  default:
    close_it(self);
    if (self->finalize != NULL) self->finalize(env, self->finalize_data, self->context);
    break;
  }
  if (request->last) end(self);
  return env;
}
