/*
 * The doorbell of a host, and the turns of its loop: entries that start from callbacks of libuv, with no JavaScript
 * below them (unless somebody turns Node's loop from inside a call, and then that is what is wanted).
 */
#include <stdlib.h>
#include <uv.h>

#include "handlers.h"
#include "server/doorbell.h"
#include "server/pending.h"

#define NR_EACH_TURN (NR_FLAG_TURNS | NR_FLAG_BEFORE | NR_FLAG_SPINS)

struct nr_doorbell {
  uv_loop_t *loop;
  /* Of the size that Node's libuv says, not the one of our header. */
  uv_poll_t *bell;
  /* For a host that wants to turn with Node's loop: one of them at a time. */
  uv_check_t *behind;
  uv_prepare_t *before;
  uv_idle_t *always;
  uint8_t state;
};

static void turn(struct nr_connection *connection) {
  Nr__Empty request = NR__EMPTY__INIT;
  napi_handle_scope scope;
  if (connection->agent == NULL || connection->exited) return;
  napi_env napi = connection->agent->napi;
  if (napi_open_handle_scope(napi, &scope) != napi_ok) return;
  nr_connection_ref(connection);
  nr_enter_once(connection, NULL, NR_OP_TURN_LOOP, &request.base);
  nr_connection_unref(connection);
  napi_close_handle_scope(napi, scope);
}

void nr_doorbell_lost(struct nr_connection *connection) {
  /* It turns for a call that is over: until nothing is left to do it could turn for ever. */
  if (connection->turning > 0 && connection->doorbell != NULL) uv_stop(connection->doorbell->loop);
  nr_doorbell_close(connection);
  nr_pending_lost(connection);
}

/* The host broke the protocol, and is being ended, or is dead: then the watcher has rung (once more). */
static void lost(struct nr_connection *connection) {
  nr_doorbell_state(connection, 0);
  if (!nr_host_death(connection->host).dead) return;
  nr_connection_ref(connection);
  nr_doorbell_lost(connection);
  nr_connection_retire(connection);
  nr_connection_unref(connection);
}

static void on_bell(uv_poll_t *bell, int status, int events) {
  struct nr_connection *connection = bell->data;
  (void)status;
  (void)events;
  nr_port_hear(connection->port);
  if (nr_port_failure(connection->port) < 0) {
    lost(connection);
  } else if ((connection->doorbell->state & NR_EACH_TURN) == 0) { /* else it comes in this turn anyway, once */
    turn(connection);
  }
}

static void on_check(uv_check_t *handle) {
  turn(handle->data);
}

static void on_prepare(uv_prepare_t *handle) {
  turn(handle->data);
}

static void on_idle(uv_idle_t *handle) {
  turn(handle->data);
}

static void on_close(uv_handle_t *handle) {
  free(handle);
}

static void close_handle(void *handle) {
  if (handle != NULL) uv_close(handle, on_close);
}

static void *make_handle(uv_handle_type type, struct nr_connection *connection) {
  uv_handle_t *handle = calloc(1, uv_handle_size(type));
  if (handle != NULL) handle->data = connection;
  return handle;
}

/* Those three cannot fail. */
static bool make_turners(struct nr_doorbell *doorbell, struct nr_connection *connection) {
  doorbell->behind = make_handle(UV_CHECK, connection);
  doorbell->before = make_handle(UV_PREPARE, connection);
  doorbell->always = make_handle(UV_IDLE, connection);
  if (doorbell->behind != NULL) uv_check_init(doorbell->loop, doorbell->behind);
  if (doorbell->before != NULL) uv_prepare_init(doorbell->loop, doorbell->before);
  if (doorbell->always != NULL) uv_idle_init(doorbell->loop, doorbell->always);
  if (doorbell->behind == NULL || doorbell->before == NULL || doorbell->always == NULL) return false;
  uv_unref((uv_handle_t *)doorbell->behind);
  uv_unref((uv_handle_t *)doorbell->before);
  uv_unref((uv_handle_t *)doorbell->always);
  return true;
}

static bool make_bell(struct nr_doorbell *doorbell, struct nr_connection *connection) {
  uv_poll_t *bell = make_handle(UV_POLL, connection);
  if (bell == NULL || uv_poll_init(doorbell->loop, bell, nr_port_doorbell(connection->port)) != 0) {
    free(bell);
    return false;
  }
  doorbell->bell = bell;
  uv_unref((uv_handle_t *)bell);
  return uv_poll_start(bell, UV_READABLE, on_bell) == 0;
}

bool nr_doorbell_open(struct nr_connection *connection) {
  struct nr_doorbell *doorbell = calloc(1, sizeof *doorbell);
  if (doorbell == NULL) return false;
  connection->doorbell = doorbell;
  if (napi_get_uv_event_loop(connection->agent->napi, &doorbell->loop) == napi_ok &&
      make_turners(doorbell, connection) && make_bell(doorbell, connection)) {
    return true;
  }
  nr_doorbell_close(connection);
  return false;
}

void nr_doorbell_close(struct nr_connection *connection) {
  struct nr_doorbell *doorbell = connection->doorbell;
  if (doorbell == NULL) return;
  connection->doorbell = NULL;
  close_handle(doorbell->bell);
  close_handle(doorbell->behind);
  close_handle(doorbell->before);
  close_handle(doorbell->always);
  free(doorbell);
}

static void set_turner(struct nr_doorbell *doorbell, uint8_t state) {
  bool always = (state & NR_FLAG_SPINS) != 0, behind = !always && (state & NR_FLAG_TURNS) != 0;
  uv_idle_stop(doorbell->always);
  uv_check_stop(doorbell->behind);
  uv_prepare_stop(doorbell->before);
  if (always) {
    uv_idle_start(doorbell->always, on_idle);
  } else if (behind) {
    uv_check_start(doorbell->behind, on_check);
  } else if ((state & NR_FLAG_BEFORE) != 0) {
    uv_prepare_start(doorbell->before, on_prepare);
  }
}

void nr_doorbell_state(struct nr_connection *connection, uint8_t state) {
  struct nr_doorbell *doorbell = connection->doorbell;
  state &= NR_LOOP_STATE;
  if (doorbell == NULL || state == doorbell->state) return;
  if (((state ^ doorbell->state) & NR_EACH_TURN) != 0) set_turner(doorbell, state);
  doorbell->state = state;
  if ((state & NR_FLAG_ALIVE) != 0) {
    uv_ref((uv_handle_t *)doorbell->bell);
  } else {
    uv_unref((uv_handle_t *)doorbell->bell);
  }
}

/* An addon turns the loop from inside a call. */
napi_status nr_serve_turn_node(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__TurnNodeRequest *request = message;
  Nr__TurnNodeReply *reply = answer;
  uv_loop_t *loop = NULL;
  if (request->mode > UV_RUN_NOWAIT) return nr_fault(d, "no such mode");
  NR_TRY(napi_get_uv_event_loop(d->napi, &loop));
  nr_doorbell_state(d->connection, (uint8_t)request->state);
  d->connection->turning++;
  reply->result = uv_run(loop, (uv_run_mode)request->mode);
  d->connection->turning--;
  return napi_ok;
}
