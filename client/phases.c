/*
 * The phases of a loop's turn. Node's loop enters this process in the phase in which it would run the addon's callbacks
 * were they its own. libuv turns a loop as a whole, so what belongs to other phases is taken out of its lists for the
 * while, and what is polled is changed for something that never has events. Only timers that are due come in any phase:
 * libuv has no list of those that they could be taken out of and put back into.
 */
#include "client/phases.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "wire/frame.h"
#include "wire/protocol.h"
#include "wire/socket.h"

/* libuv's queues are rings of two pointers, next and previous, in all versions: an empty one points to itself. */
static bool is_empty(const void *queue) {
  return *(const void *const *)queue == queue;
}

static void link_items(void *before, void *behind) {
  ((void **)before)[0] = behind;
  ((void **)behind)[1] = before;
}

/* Behind those of `to`, all of `from`. */
static void append(void *to, void *from) {
  if (is_empty(from)) return;
  void *first = ((void **)from)[0], *last = ((void **)from)[1];
  link_items(((void **)to)[1], first);
  link_items(last, to);
  link_items(from, from);
}

/* libuv closes first what was closed last. */
static void append_closing(uv_handle_t **to, uv_handle_t *from) {
  while (*to != NULL) to = &(*to)->next_closing;
  *to = from;
}

/* ---- One phase ---- */

/* The last check of a turn: what has been closed in it is for Node's closing phase. */
static void keep_closing(uv_check_t *last) {
  struct nr_phases *phases = last->data;
  append_closing(&phases->uv->closing_handles, phases->closing);
  phases->closing = phases->uv->closing_handles;
  phases->uv->closing_handles = NULL;
}

/* Nothing runs between these two but libuv's polling. */
static void before_poll(uv_prepare_t *before) {
  struct nr_phases *phases = before->data;
  phases->polled = phases->uv->backend_fd;
  phases->uv->backend_fd = phases->silent;
  append(phases->watchers, &phases->uv->watcher_queue);
}

static void behind_poll(uv_check_t *behind) {
  struct nr_phases *phases = behind->data;
  if (phases->polled < 0) return;
  append(&phases->uv->watcher_queue, phases->watchers);
  phases->uv->backend_fd = phases->polled;
  phases->polled = -1;
}

/* libuv runs first what was started last. */
static void start_own(struct nr_phases *phases) {
  uv_loop_t *uv = phases->uv;
  void *others[2];
  link_items(others, others);
  if (phases->phase != NR_PHASE_CLOSE) {
    append(others, &uv->check_handles);
    uv_check_start(&phases->last, keep_closing);
    append(others, &uv->check_handles);
    append(&uv->check_handles, others);
  }
  if (phases->phase == NR_PHASE_POLL) return;
  append(others, &uv->prepare_handles);
  uv_prepare_start(&phases->before, before_poll);
  append(others, &uv->prepare_handles);
  append(&uv->prepare_handles, others);
  uv_check_start(&phases->behind, behind_poll);
}

static void take_others(struct nr_phases *phases) {
  uv_loop_t *uv = phases->uv;
  if (phases->phase != NR_PHASE_IDLE) append(phases->idle, &uv->idle_handles);
  if (phases->phase != NR_PHASE_PREPARE) append(phases->prepare, &uv->prepare_handles);
  if (phases->phase != NR_PHASE_CHECK) append(phases->check, &uv->check_handles);
  if (phases->phase != NR_PHASE_CLOSE) {
    phases->closing = uv->closing_handles;
    uv->closing_handles = NULL;
  }
  start_own(phases);
}

static void give_back(struct nr_phases *phases) {
  uv_loop_t *uv = phases->uv;
  uv_check_stop(&phases->last);
  uv_check_stop(&phases->behind);
  uv_prepare_stop(&phases->before);
  append(&uv->idle_handles, phases->idle);
  append(&uv->prepare_handles, phases->prepare);
  append(&uv->check_handles, phases->check);
  append_closing(&uv->closing_handles, phases->closing);
  phases->closing = NULL;
}

int nr_phases_init(struct nr_phases *phases, uv_loop_t *uv) {
  phases->uv = uv;
  phases->phase = NR_PHASE_NONE;
  phases->closing = NULL;
  link_items(phases->idle, phases->idle);
  link_items(phases->prepare, phases->prepare);
  link_items(phases->check, phases->check);
  link_items(phases->watchers, phases->watchers);
  phases->polled = -1;
  int silent = epoll_create1(EPOLL_CLOEXEC);
  if (silent < 0) return -errno;
  phases->silent = nr_fd_move_up(silent, NR_HOST_FD_BASE);
  if (phases->silent < 0) return phases->silent;
  uv_check_init(uv, &phases->last);
  uv_check_init(uv, &phases->behind);
  uv_prepare_init(uv, &phases->before);
  phases->last.data = phases->behind.data = phases->before.data = phases;
  uv_unref((uv_handle_t *)&phases->last);
  uv_unref((uv_handle_t *)&phases->behind);
  uv_unref((uv_handle_t *)&phases->before);
  return 0;
}

void nr_phases_end(struct nr_phases *phases) {
  uv_close((uv_handle_t *)&phases->last, NULL);
  uv_close((uv_handle_t *)&phases->behind, NULL);
  uv_close((uv_handle_t *)&phases->before, NULL);
  close(phases->silent);
}

void nr_phases_run(struct nr_phases *phases, uint32_t phase, int (*run)(uv_loop_t *, uv_run_mode)) {
  uint32_t outer = phases->phase; /* one below which somebody turns Node's loop */
  if (outer != NR_PHASE_NONE) give_back(phases);
  phases->phase = phase;
  take_others(phases);
  run(phases->uv, UV_RUN_NOWAIT);
  give_back(phases);
  phases->phase = outer;
  if (outer != NR_PHASE_NONE) take_others(phases);
}

/* ---- What there is ---- */

/* Any but our own? */
static bool has_others(const void *queue, const void *one, const void *other) {
  for (const void *at = *(void *const *)queue; at != queue; at = *(void *const *)at)
    if (at != one && at != other) return true;
  return false;
}

uint8_t nr_phases_state(const struct nr_phases *phases) {
  const uv_loop_t *uv = phases->uv;
  bool closes = uv->closing_handles != NULL || phases->closing != NULL;
  uint8_t state = uv_loop_alive(uv) || closes ? NR_FLAG_ALIVE : 0;
  const void *last = phases->last.queue, *behind = phases->behind.queue, *before = phases->before.queue;
  if (has_others(&uv->check_handles, last, behind) || !is_empty(phases->check)) state |= NR_FLAG_TURNS;
  if (has_others(&uv->prepare_handles, before, before) || !is_empty(phases->prepare)) state |= NR_FLAG_BEFORE;
  if (!is_empty(&uv->idle_handles) || !is_empty(phases->idle)) state |= NR_FLAG_SPINS;
  if (closes) state |= NR_FLAG_CLOSES;
  return state;
}

/* With something idle, closing, or new to the kernel, libuv says 0. */
uint64_t nr_phases_timer(struct nr_phases *phases) {
  uv_loop_t *uv = phases->uv;
  uv_handle_t *closing = uv->closing_handles;
  void *idle[2], *watchers[2];
  link_items(idle, idle);
  link_items(watchers, watchers);
  append(idle, &uv->idle_handles);
  append(watchers, &uv->watcher_queue);
  uv->closing_handles = NULL;
  int timeout = uv_backend_timeout(uv);
  uv->closing_handles = closing;
  append(&uv->watcher_queue, watchers);
  append(&uv->idle_handles, idle);
  return timeout < 0 ? NR_NO_TIMER : uv_now(uv) + (uint64_t)timeout;
}

bool nr_phases_polls(const struct nr_phases *phases) {
  const uv_loop_t *uv = phases->uv;
  const void *end = &uv->async_handles;
  /* New watchers are known to the kernel only after a turn. */
  if (!is_empty(&uv->watcher_queue) || !is_empty(&uv->pending_queue)) return true;
  for (const void *at = *(void *const *)end; at != end; at = *(void *const *)at) {
    const uv_async_t *async = (const void *)((const char *)at - offsetof(uv_async_t, queue));
    if (__atomic_load_n(&async->pending, __ATOMIC_ACQUIRE) != 0) return true;
  }
  return false;
}
