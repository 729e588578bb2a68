/*
 * The doorbell of a host, and the turns of its loop: entries that start from callbacks of libuv, with no JavaScript
 * below them (unless somebody turns Node's loop from inside a call, and then that is what is wanted).
 */
#include <poll.h>
#include <stdlib.h>
#include <uv.h>

#include "handlers.h"
#include "server/doorbell.h"
#include "server/memory/blocks.h"
#include "server/enter.h"
#include "server/failure.h"
#include "server/pending.h"

struct nr_doorbell {
  uv_loop_t *loop;
  /* Of the size that Node's libuv says, not the one of our header. */
  uv_poll_t *bell;
  uv_async_t *ahead; /* of Node's threadsafe functions, which it makes later */
  uv_check_t *over;  /* the part of a turn in which it is heard */
  uv_timer_t *timer; /* for the next one of the host's */
  /* For a host that wants to turn with Node's loop. */
  uv_check_t *behind;
  uv_prepare_t *before;
  uv_idle_t *always;
  uint8_t state;
  uint8_t had;   /* NR_FLAG bits: what the host has run in this turn already */
  uint8_t phase; /* enum nr_phase: the host is entered for it, 0: for none */
  bool closing;  /* something is being closed, for what the host closes */
  bool held;
  bool heard;       /* in this turn of Node's loop */
  uv_timer_t *news; /* of its death, when nobody has heard yet */
};

static void turn(struct nr_connection *connection, enum nr_phase phase) {
  Nr__TurnLoopRequest request = NR__TURN_LOOP_REQUEST__INIT;
  napi_handle_scope scope;
  if (connection->agent == NULL || connection->exited) return;
  napi_env napi = connection->agent->napi;
  if (napi_open_handle_scope(napi, &scope) != napi_ok) return;
  uint8_t outer = connection->doorbell->phase;
  request.phase = connection->doorbell->phase = phase;
  nr_connection_ref(connection);
  nr_enter_once(connection, NULL, NR_OP_TURN_LOOP, &request.base);
  if (connection->doorbell != NULL) connection->doorbell->phase = outer;
  nr_blocks_get_ready(connection->blocks); /* completions have been called, and what they want next is under way */
  nr_connection_unref(connection);
  napi_close_handle_scope(napi, scope);
}

/* It turns for a call that is over: until nothing is left to do it could turn for ever. */
static void stop_turning(struct nr_connection *connection) {
  if (connection->turning > 0 && connection->doorbell != NULL) uv_stop(connection->doorbell->loop);
}

static void tell(struct nr_connection *connection) {
  nr_pending_lost(connection);
  if (connection->agent != NULL) nr_report_death(connection, connection->agent->napi, NULL);
}

void nr_doorbell_lost(struct nr_connection *connection) {
  stop_turning(connection);
  nr_doorbell_close(connection);
  tell(connection);
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

static void on_over(uv_check_t *over) {
  struct nr_connection *connection = over->data;
  connection->doorbell->heard = false;
  uv_check_stop(over);
}

/* Once in a turn of Node's loop. What comes later rings again in the next one, as libuv completes what has come while
 * it completed others. But who turns the loop from inside a call waits for all that comes. */
static void hear(struct nr_connection *connection) {
  struct nr_doorbell *doorbell = connection->doorbell;
  if (doorbell->heard && connection->turning == 0) return;
  doorbell->heard = true;
  uv_check_start(doorbell->over, on_over);
  nr_port_hear(connection->port);
  if (nr_port_failure(connection->port) < 0) {
    lost(connection);
  } else {
    turn(connection, NR_PHASE_POLL);
  }
}

static void on_bell(uv_poll_t *bell, int status, int events) {
  (void)status;
  (void)events;
  hear(bell->data);
}

/* In a loop of its own libuv completes works before it looks at what else threads have sent. */
static void on_ahead(uv_async_t *ahead) {
  struct nr_connection *connection = ahead->data;
  struct pollfd bell = {.fd = nr_port_doorbell(connection->port), .events = POLLIN};
  if (!connection->doorbell->heard && poll(&bell, 1, 0) > 0) hear(connection);
}

void nr_doorbell_look_ahead(struct nr_connection *connection) {
  if (connection->doorbell != NULL && connection->doorbell->ahead != NULL) uv_async_send(connection->doorbell->ahead);
}

static void on_timer(uv_timer_t *handle) {
  turn(handle->data, NR_PHASE_TIMERS);
}

static void turn_each(struct nr_connection *connection, enum nr_phase phase, uint8_t flag) {
  struct nr_doorbell *doorbell = connection->doorbell;
  bool had = (doorbell->had & flag) != 0;
  doorbell->had &= (uint8_t)~flag;
  if (!had) turn(connection, phase);
}

static void on_check(uv_check_t *handle) {
  turn_each(handle->data, NR_PHASE_CHECK, NR_FLAG_TURNS);
}

static void on_prepare(uv_prepare_t *handle) {
  turn_each(handle->data, NR_PHASE_PREPARE, NR_FLAG_BEFORE);
}

static void on_idle(uv_idle_t *handle) {
  turn_each(handle->data, NR_PHASE_IDLE, NR_FLAG_SPINS);
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

/* Those cannot fail but for memory. */
static bool make_turners(struct nr_doorbell *doorbell, struct nr_connection *connection) {
  doorbell->behind = make_handle(UV_CHECK, connection);
  doorbell->before = make_handle(UV_PREPARE, connection);
  doorbell->always = make_handle(UV_IDLE, connection);
  doorbell->over = make_handle(UV_CHECK, connection);
  doorbell->timer = make_handle(UV_TIMER, connection);
  if (doorbell->timer != NULL) uv_timer_init(doorbell->loop, doorbell->timer);
  if (doorbell->behind != NULL) uv_check_init(doorbell->loop, doorbell->behind);
  if (doorbell->over != NULL) uv_check_init(doorbell->loop, doorbell->over);
  if (doorbell->before != NULL) uv_prepare_init(doorbell->loop, doorbell->before);
  if (doorbell->always != NULL) uv_idle_init(doorbell->loop, doorbell->always);
  if (doorbell->timer == NULL || doorbell->behind == NULL || doorbell->over == NULL || doorbell->before == NULL ||
      doorbell->always == NULL) {
    return false;
  }
  uv_unref((uv_handle_t *)doorbell->timer);
  uv_unref((uv_handle_t *)doorbell->behind);
  uv_unref((uv_handle_t *)doorbell->over);
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

static bool make_ahead(struct nr_doorbell *doorbell, struct nr_connection *connection) {
  uv_async_t *ahead = make_handle(UV_ASYNC, connection);
  if (ahead == NULL || uv_async_init(doorbell->loop, ahead, on_ahead) != 0) {
    free(ahead);
    return false;
  }
  doorbell->ahead = ahead;
  uv_unref((uv_handle_t *)ahead);
  return true;
}

bool nr_doorbell_open(struct nr_connection *connection) {
  struct nr_doorbell *doorbell = calloc(1, sizeof *doorbell);
  if (doorbell == NULL) return false;
  connection->doorbell = doorbell;
  if (napi_get_uv_event_loop(connection->agent->napi, &doorbell->loop) == napi_ok &&
      make_turners(doorbell, connection) && make_bell(doorbell, connection) && make_ahead(doorbell, connection)) {
    return true;
  }
  nr_doorbell_close(connection);
  return false;
}

static void silence(struct nr_doorbell *doorbell) {
  close_handle(doorbell->bell);
  close_handle(doorbell->ahead);
  close_handle(doorbell->timer);
  close_handle(doorbell->behind);
  close_handle(doorbell->over);
  close_handle(doorbell->before);
  close_handle(doorbell->always);
  doorbell->bell = NULL;
  doorbell->ahead = NULL;
}

void nr_doorbell_close(struct nr_connection *connection) {
  struct nr_doorbell *doorbell = connection->doorbell;
  if (doorbell == NULL) return;
  connection->doorbell = NULL;
  if (doorbell->bell != NULL) silence(doorbell);
  close_handle(doorbell->news);
  free(doorbell);
}

static void on_news(uv_timer_t *handle) {
  struct nr_connection *connection = handle->data;
  nr_connection_ref(connection);
  nr_doorbell_close(connection);
  tell(connection);
  nr_connection_unref(connection);
}

void nr_doorbell_announce(struct nr_connection *connection) {
  struct nr_doorbell *doorbell = connection->doorbell;
  if (doorbell == NULL || doorbell->bell == NULL) return;
  stop_turning(connection);
  doorbell->news = make_handle(UV_TIMER, connection);
  if (doorbell->news == NULL) {
    nr_doorbell_lost(connection);
    return;
  }
  silence(doorbell);
  uv_timer_init(doorbell->loop, doorbell->news);
  uv_timer_start(doorbell->news, on_news, 0, 0);
}

/* What is started in a phase before its own, the host's loop runs in the same turn. */
static bool starts(struct nr_doorbell *doorbell, uint8_t state, uint8_t flag, enum nr_phase phase) {
  bool starts = (state & flag) != 0;
  if (starts && doorbell->phase != 0 && doorbell->phase < phase)
    doorbell->had |= flag;
  else
    doorbell->had &= (uint8_t)~flag;
  return starts;
}

static void set_turners(struct nr_doorbell *doorbell, uint8_t state) {
  uint8_t changed = state ^ doorbell->state;
  if ((changed & NR_FLAG_SPINS) != 0) {
    if (starts(doorbell, state, NR_FLAG_SPINS, NR_PHASE_IDLE))
      uv_idle_start(doorbell->always, on_idle);
    else
      uv_idle_stop(doorbell->always);
  }
  if ((changed & NR_FLAG_BEFORE) != 0) {
    if (starts(doorbell, state, NR_FLAG_BEFORE, NR_PHASE_PREPARE))
      uv_prepare_start(doorbell->before, on_prepare);
    else
      uv_prepare_stop(doorbell->before);
  }
  if ((changed & NR_FLAG_TURNS) != 0) {
    if (starts(doorbell, state, NR_FLAG_TURNS, NR_PHASE_CHECK))
      uv_check_start(doorbell->behind, on_check);
    else
      uv_check_stop(doorbell->behind);
  }
}

/* ---- What the host closes is closed when Node's loop closes what it has at that time ---- */

static void on_closing(uv_handle_t *handle) {
  struct nr_connection *connection = handle->data;
  free(handle);
  if (connection->doorbell != NULL) {
    connection->doorbell->closing = false;
    turn(connection, NR_PHASE_CLOSE);
  }
  nr_connection_unref(connection);
}

static void close_with_it(struct nr_connection *connection) {
  uv_idle_t *handle = make_handle(UV_IDLE, connection);
  if (handle == NULL) return;
  uv_idle_init(connection->doorbell->loop, handle);
  nr_connection_ref(connection);
  connection->doorbell->closing = true;
  uv_close((uv_handle_t *)handle, on_closing);
}

napi_status nr_serve_loop_timer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__LoopTimerRequest *request = message;
  struct nr_doorbell *doorbell = d->connection->doorbell;
  (void)answer;
  if (doorbell == NULL || doorbell->bell == NULL) return napi_ok;
  if (request->due == NR_NO_TIMER) {
    uv_timer_stop(doorbell->timer);
  } else {
    /* Both processes have the same clock. */
    uint64_t now = uv_now(doorbell->loop);
    uv_timer_start(doorbell->timer, on_timer, request->due > now ? request->due - now : 0, 0);
  }
  return napi_ok;
}

static void keep(struct nr_doorbell *doorbell) {
  if (doorbell->bell == NULL) return; /* what there is to tell keeps it going */
  if (doorbell->held || (doorbell->state & NR_FLAG_ALIVE) != 0) {
    uv_ref((uv_handle_t *)doorbell->bell);
  } else {
    uv_unref((uv_handle_t *)doorbell->bell);
  }
}

void nr_doorbell_state(struct nr_connection *connection, uint8_t state) {
  struct nr_doorbell *doorbell = connection->doorbell;
  if (doorbell == NULL || doorbell->bell == NULL) return;
  if ((state & NR_FLAG_CLOSES) != 0 && !doorbell->closing) close_with_it(connection);
  state &= (uint8_t)~NR_FLAG_CLOSES;
  if (state == doorbell->state) return;
  set_turners(doorbell, state);
  doorbell->state = state;
  keep(doorbell);
}

bool nr_doorbell_is_alive(const struct nr_connection *connection) {
  return connection->doorbell != NULL && (connection->doorbell->state & NR_FLAG_ALIVE) != 0;
}

void nr_doorbell_hold(struct nr_connection *connection, bool holds) {
  if (connection->doorbell == NULL) return;
  connection->doorbell->held = holds;
  keep(connection->doorbell);
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
