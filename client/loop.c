/*
 * The host's loop: when it is due, what the server is told about it, and turning it.
 */
#include "client/loop.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "client/channel.h"
#include "client/client-private.h"
#include "client/phases.h"
#include "client/calls/threadsafe.h"
#include "client/uv_names.h"

struct nr_loop {
  uv_loop_t *uv;
  /* Never closed, and not referenced but for moments: libuv neither turns a loop without references nor tells when its
   * next timer is due, while in Node's own loop something else would keep it going. */
  uv_async_t anchor;
  struct nr_phases phases;
  uint64_t told; /* when the server believes the next timer to be due */
};

static void on_anchor(uv_async_t *anchor) {
  (void)anchor;
}

/* libuv makes it when it is asked for first, and that not by two threads at once. */
static uv_loop_t *default_loop(void) {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_mutex_lock(&mutex);
  uv_loop_t *uv = nr_uv_default_loop();
  pthread_mutex_unlock(&mutex);
  return uv;
}

static uv_loop_t *make_loop(void) {
  uv_loop_t *uv = calloc(1, uv_loop_size());
  if (uv == NULL || uv_loop_init(uv) == 0) return uv;
  free(uv);
  return NULL;
}

uv_loop_t *nr_loop_get(struct nr_channel *channel) {
  if (channel->loop != NULL) return channel->loop->uv;
  struct nr_loop *loop = calloc(1, sizeof *loop);
  if (loop == NULL) return NULL;
  loop->uv = channel->worker ? make_loop() : default_loop();
  if (loop->uv == NULL || nr_phases_init(&loop->phases, loop->uv) != 0) {
    free(loop);
    return NULL;
  }
  if (uv_async_init(loop->uv, &loop->anchor, on_anchor) != 0) return NULL; /* libuv knows the handles of the others */
  nr_uv_run(loop->uv, UV_RUN_NOWAIT); /* so that the kernel knows what libuv watches for itself */
  uv_unref((uv_handle_t *)&loop->anchor);
  uv_update_time(loop->uv);
  loop->told = NR_NO_TIMER;
  channel->loop = loop;
  return loop->uv;
}

static void count_handle(uv_handle_t *handle, void *count) {
  (void)handle;
  ++*(unsigned *)count;
}

/* In a loop that an addon has left something in, closing the anchor would turn what is the addon's. */
void nr_loop_end(struct nr_channel *channel) {
  struct nr_loop *loop = channel->loop;
  unsigned count = 0;
  if (loop == NULL || !channel->worker) return;
  uv_walk(loop->uv, count_handle, &count);
  if (count > 1 + NR_PHASES_HANDLES || uv_loop_alive(loop->uv)) return;
  uv_close((uv_handle_t *)&loop->anchor, NULL);
  nr_phases_end(&loop->phases);
  nr_uv_run(loop->uv, UV_RUN_DEFAULT);
  if (uv_loop_close(loop->uv) != 0) return;
  free(loop->uv);
  free(loop);
  channel->loop = NULL;
}

uint8_t nr_loop_state(const struct nr_channel *channel) {
  return channel->loop == NULL ? 0 : nr_phases_state(&channel->loop->phases);
}

/* When the next timer is due, if that is news to the server. One that is overdue stays what it is: the server enters.
 */
static bool is_news(struct nr_loop *loop, uint64_t *due) {
  uv_update_time(loop->uv);
  uv_ref((uv_handle_t *)&loop->anchor);
  *due = nr_phases_timer(&loop->phases);
  uv_unref((uv_handle_t *)&loop->anchor);
  uint64_t now = uv_now(loop->uv);
  return *due != loop->told && (*due > now || loop->told > now);
}

void nr_loop_tell(struct nr_channel *channel) {
  struct nr_loop *loop = channel->loop;
  Nr__LoopTimerRequest request = NR__LOOP_TIMER_REQUEST__INIT;
  if (NR_LIKELY(loop == NULL) || channel->env_count == 0) return;
  if (is_news(loop, &request.due)) {
    loop->told = request.due;
    struct nr_frame_header header = {.env = channel->envs[0]->number,
                                     .opcode = NR_OP_LOOP_TIMER,
                                     .depth = (uint16_t)channel->depth,
                                     .kind = NR_KIND_POST};
    if (nr_port_send(channel->port, &header, &request.base, NULL, 0) < 0) nr_channel_lost(channel);
  }
  /* Ringing later, this would come after what Node does in the same turn. */
  if (__atomic_load_n(&channel->executed, __ATOMIC_SEQ_CST) || nr_phases_polls(&loop->phases)) nr_loop_ring(channel);
}

void nr_loop_update_time(struct nr_channel *channel) {
  if (NR_UNLIKELY(channel->loop != NULL)) uv_update_time(channel->loop->uv);
}

#define NR_OWED_MILLISECONDS 1

/* A pool's thread tells Node first, and its loop afterwards. Whoever is quicker than that waits for it: to go back
 * without the completion costs two more turns. (With both threads on one processor that was every time.) */
static void await_completion(struct nr_channel *channel) {
  struct pollfd backend = {.fd = uv_backend_fd(channel->loop->uv), .events = POLLIN};
  if (__atomic_load_n(&channel->owed, __ATOMIC_RELAXED) > 0) poll(&backend, 1, NR_OWED_MILLISECONDS);
}

void nr_loop_turn(struct nr_channel *channel, uint32_t phase) {
  __atomic_store_n(&channel->rung, false, __ATOMIC_SEQ_CST);
  __atomic_store_n(&channel->executed, false, __ATOMIC_SEQ_CST);
  nr_threadsafe_flush(channel);
  if (channel->loop == NULL) return;
  struct nr_loop *loop = channel->loop;
  if (phase == NR_PHASE_TIMERS) loop->told = NR_NO_TIMER;
  if (phase == NR_PHASE_POLL) await_completion(channel);
  uv_ref((uv_handle_t *)&loop->anchor);
  nr_phases_run(&loop->phases, phase, nr_uv_run);
  uv_unref((uv_handle_t *)&loop->anchor);
}

void nr_loop_ring(struct nr_channel *channel) {
  if (!__atomic_exchange_n(&channel->rung, true, __ATOMIC_SEQ_CST)) nr_port_ring(channel->port);
}

int nr_loop_wait(struct nr_channel *channel) {
  struct nr_loop *loop = channel->loop;
  /* A finalizer out of a collection may have changed it, and no return has told the server. */
  bool executed = __atomic_load_n(&channel->executed, __ATOMIC_SEQ_CST);
  uint64_t due;
  if (channel->entry == NULL &&
      (nr_loop_state(channel) != channel->state || executed || (loop != NULL && is_news(loop, &due)))) {
    nr_loop_ring(channel);
  }
  if (loop == NULL || __atomic_load_n(&channel->rung, __ATOMIC_SEQ_CST)) {
    return nr_port_wait_poll(channel->port, NULL, 0, -1);
  }
  if (nr_phases_polls(&loop->phases)) {
    nr_loop_ring(channel);
    return 0;
  }
  struct pollfd backend = {.fd = uv_backend_fd(loop->uv), .events = POLLIN};
  int status = nr_port_wait_poll(channel->port, &backend, 1, -1);
  if (status == 1) nr_loop_ring(channel);
  return status < 0 ? status : 0;
}

/* ---- What addons call ----------------------------------------------------------------------------------------------
 */

NR_EXPORT napi_status NAPI_CDECL napi_get_uv_event_loop(napi_env env, uv_loop_t **loop) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, loop);
  Nr__Empty request = NR__EMPTY__INIT;
  *loop = nr_loop_get(env->channel);
  return nr_answer(env, NR_OP_NAPI_GET_UV_EVENT_LOOP, &request.base, NULL,
                   *loop == NULL ? napi_generic_failure : napi_ok);
}

/* On the main thread, and only there, it is the env's. */
NR_EXPORT uv_loop_t *uv_default_loop(void) {
  struct nr_channel *channel = nr_channel_current();
  return channel == NULL || channel->worker ? default_loop() : nr_loop_get(channel);
}

/* An addon that turns the loop from inside a call waits for JavaScript too: Node's loop turns, and enters here. */
static int turn_node(struct nr_channel *channel, uv_run_mode mode) {
  Nr__TurnNodeRequest request = NR__TURN_NODE_REQUEST__INIT;
  struct nr_call call = NR_CALL(channel->envs[0], NR_OP_TURN_NODE, &request.base);
  napi_extended_error_info before = call.env->last_error;
  bool pending = call.env->exception_pending;
  nr_loop_tell(channel);
  request.mode = (uint32_t)mode;
  request.state = nr_loop_state(channel);
  channel->state = (uint8_t)request.state;
  napi_status status = nr_call_wait_js(&call);
  int result = status == napi_ok ? ((const Nr__TurnNodeReply *)call.reply)->result : 0;
  nr_call_end(&call, status);
  call.env->last_error = before;
  call.env->exception_pending = pending;
  return result;
}

NR_EXPORT int uv_run(uv_loop_t *loop, uv_run_mode mode) {
  struct nr_channel *channel = nr_channel_current();
  if (channel == NULL || channel->loop == NULL || channel->loop->uv != loop || channel->entry == NULL ||
      channel->env_count == 0 || channel->in_basic) {
    return nr_uv_run(loop, mode);
  }
  return turn_node(channel, mode);
}
