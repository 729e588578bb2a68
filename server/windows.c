/*
 * Windows, the server's half: what JavaScript changed goes over before the host gets the turn, and what native code
 * changed is put where only it changed. Hot ones belong to an entry that is open; cold ones the host may still have the
 * address of, see wire/cold.h.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/memory.h"

/* What the twins of all cold windows of a connection may take; windows beyond are hot or nothing. */
#define NR_COLD_BYTES_MAX (UINT64_C(64) << 20)
/* Many Buffers share a pool, and what one showed is not looked for when the next one comes: so many at most. */
#define NR_COLD_OF_A_PAIR 64u
/* What finding a window's bytes costs besides comparing them, as bytes. */
#define NR_COMPARISON 512u

/* Larger ones are tracked by the kernel where it can. (glibc's malloc gives such blocks a mapping of their own.) */
#define NR_TRACKED_MIN (UINT64_C(128) << 10)
#define NR_TRACKED_RANGES 64
/* x86-64's. Where pages are larger, edges would have to be as well. */
#define NR_PAGE UINT64_C(4096)

static struct nr_tracker *tracker_of(struct nr_agent *agent) {
  if (agent->tracker == NULL && !agent->no_tracker) {
    agent->tracker = nr_tracker_create(0);
    agent->no_tracker = agent->tracker == NULL;
  }
  return agent->tracker;
}

/* The whole pages of a window, as bytes of it. malloc puts large blocks side by side as well: what lies on a page with
 * another's bytes is compared. */
static struct nr_range inner_of(const uint8_t *bytes, uint64_t length) {
  uint64_t begin = (uint64_t)(uintptr_t)bytes;
  uint64_t from = (begin + NR_PAGE - 1) / NR_PAGE * NR_PAGE, to = (begin + length) / NR_PAGE * NR_PAGE;
  return (struct nr_range){from - begin, to - begin};
}

static void take_edges(struct nr_window *window, const uint8_t *bytes, struct nr_range inner) {
  memcpy(window->edges, bytes, inner.from);
  memcpy(window->edges + inner.from, bytes + inner.to, window->length - inner.to);
}

/* In a collection, too, and after the thread's end. */
static void window_free(struct nr_connection *connection, struct nr_window *window) {
  if (window->tracked && window->pair != NULL) {
    const uint8_t *bytes = (const uint8_t *)window->pair->bytes + window->offset;
    struct nr_range inner = inner_of(bytes, window->length);
    if (connection->agent != NULL && connection->agent->tracker != NULL)
      nr_tracker_remove(connection->agent->tracker, bytes + inner.from, inner.to - inner.from);
    window->pair->tracked = false;
  }
  free(window->edges);
  free(window->twin);
  free(window);
}

/* From now on the kernel watches it, and the host has what is there. */
static bool track(struct nr_connection *connection, struct nr_window *window, const uint8_t *bytes) {
  if (window->tracked) return true;
  struct nr_range inner = inner_of(bytes, window->length);
  if (window->length < NR_TRACKED_MIN || window->pair->tracked || connection->agent == NULL ||
      tracker_of(connection->agent) == NULL)
    return false;
  window->edges = malloc(2 * NR_PAGE);
  if (window->edges == NULL) return false;
  if (nr_tracker_add(connection->agent->tracker, bytes + inner.from, inner.to - inner.from) < 0) {
    free(window->edges);
    window->edges = NULL;
    return false;
  }
  take_edges(window, bytes, inner);
  window->tracked = window->pair->tracked = true;
  free(window->twin);
  window->twin = NULL;
  return true;
}

static void unlink_cold(struct nr_connection *connection, struct nr_window **link) {
  struct nr_window *window = *link;
  *link = window->next;
  nr_cold_remove(&connection->cold, &window->item);
  if (!window->tracked) connection->cold_bytes -= window->length;
}

/* Takes the cold window out of its lists; NULL: there is none. Its twin is not what the host has any more. */
static struct nr_window *warm(struct nr_connection *connection, struct nr_pair *pair, uint64_t offset,
                              uint64_t length) {
  for (struct nr_window **link = &pair->cold; *link != NULL; link = &(*link)->next) {
    struct nr_window *window = *link;
    if (window->offset != offset || window->length != length) continue;
    unlink_cold(connection, link);
    free(window->twin);
    window->twin = NULL;
    return window;
  }
  return NULL;
}

static struct nr_window *find_tracked(struct nr_window *list, const struct nr_pair *pair, uint64_t offset,
                                      uint64_t length) {
  for (struct nr_window *window = list; window != NULL; window = window->next) {
    if (window->tracked && window->pair == pair && window->offset == offset && window->length == length) return window;
  }
  return NULL;
}

void nr_window_heat(struct nr_connection *connection, struct nr_pair *pair, uint64_t offset, uint64_t length) {
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == pair && window->offset == offset && window->length == length) return;
  }
  struct nr_window *window = warm(connection, pair, offset, length);
  if (window == NULL) window = calloc(1, sizeof *window);
  if (window == NULL) return;
  window->pair = pair;
  window->offset = offset;
  window->length = length;
  window->next = connection->windows;
  connection->windows = window;
}

/* What is there now is what the host has: it has just sent what it changed. False: there is nothing to go by. */
static bool take_twin(struct nr_connection *connection, struct nr_window *window) {
  if (window->pair == NULL) return false;
  uint8_t *bytes = nr_pair_bytes(window->pair->napi, window->pair, window->offset, window->length);
  if (bytes == NULL) return false;
  if (track(connection, window, bytes)) return true;
  if (window->twin == NULL) window->twin = malloc(window->length);
  if (window->twin == NULL) return false;
  memcpy(window->twin, bytes, window->length);
  return true;
}

/* What a comparison costs, as bytes. */
static uint32_t cost_of(const struct nr_window *window) {
  return NR_COMPARISON + (window->tracked ? (uint32_t)(4096 + window->length / 512) : (uint32_t)window->length);
}

/* Can it be cold? Then it is tracked, or has a twin. */
static bool may_cool(struct nr_connection *connection, struct nr_window *window) {
  if (window->pair == NULL) return false;
  if (window->tracked) return true;
  if (window->length <= NR_COLD_WINDOW_MAX)
    return connection->cold_bytes + window->length <= NR_COLD_BYTES_MAX && take_twin(connection, window);
  uint8_t *bytes = nr_pair_bytes(window->pair->napi, window->pair, window->offset, window->length);
  return bytes != NULL && track(connection, window, bytes);
}

static void cool(struct nr_connection *connection, struct nr_window *window) {
  struct nr_pair *pair = window->pair;
  if (!may_cool(connection, window)) {
    window_free(connection, window);
    return;
  }
  window->next = pair->cold;
  pair->cold = window;
  if (!window->tracked) connection->cold_bytes += window->length;
  nr_cold_add(&connection->cold, &window->item, cost_of(window));
  uint32_t count = 0;
  for (struct nr_window **link = &pair->cold; *link != NULL; link = &(*link)->next) {
    if (++count <= NR_COLD_OF_A_PAIR) continue;
    window = *link;
    unlink_cold(connection, link);
    window_free(connection, window);
    break;
  }
}

void nr_windows_forget(struct nr_connection *connection, struct nr_pair *pair) {
  while (pair->cold != NULL) {
    struct nr_window *window = pair->cold;
    unlink_cold(connection, &pair->cold);
    window_free(connection, window);
  }
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == pair) window->pair = NULL;
  }
}

void nr_memory_snapshot(struct nr_connection *connection) {
  napi_handle_scope scope;
  if (connection->windows == NULL || napi_open_handle_scope(connection->agent->napi, &scope) != napi_ok) return;
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next)
    take_twin(connection, window);
  napi_close_handle_scope(connection->agent->napi, scope);
}

static void send_fill(struct nr_connection *connection, const struct nr_window *window, const uint8_t *bytes,
                      struct nr_range range) {
  Nr__View view = NR__VIEW__INIT;
  Nr__View *views[1] = {&view};
  Nr__FillRequest request = NR__FILL_REQUEST__INIT;
  view.pair_id = window->pair->id;
  view.block_length = window->pair->length;
  view.offset = window->offset + range.from;
  view.length = range.to - range.from;
  view.bytes = nr_span_make(0, (uint32_t)view.length);
  request.n_views = 1;
  request.views = views;
  struct nr_frame_header header = {.opcode = NR_OP_FILL, .depth = (uint16_t)connection->depth, .kind = NR_KIND_POST};
  struct nr_slice tail = {.data = bytes + range.from, .length = view.length};
  nr_port_send(connection->port, &header, &request.base, &tail, 1);
}

/* Sends an edge when it is not what the host has. */
static bool refresh_edge(struct nr_connection *connection, struct nr_window *window, const uint8_t *bytes,
                         struct nr_range edge, uint8_t *known) {
  uint64_t length = edge.to - edge.from;
  if (length == 0 || memcmp(bytes + edge.from, known, length) == 0) return false;
  memcpy(known, bytes + edge.from, length);
  send_fill(connection, window, bytes, edge);
  return true;
}

/* Sends the pages that were written. */
static bool refresh_tracked(struct nr_connection *connection, struct nr_window *window, const uint8_t *bytes) {
  struct nr_range ranges[NR_TRACKED_RANGES], inner = inner_of(bytes, window->length);
  const uint8_t *whole = bytes + inner.from;
  uint64_t length = inner.to - inner.from;
  int count = nr_tracker_scan(connection->agent->tracker, whole, length, ranges, NR_TRACKED_RANGES);
  if (count < 0) { /* the memory was given back and taken anew: all of it may be other bytes */
    ranges[0] = (struct nr_range){0, length};
    count = 1;
    nr_tracker_add(connection->agent->tracker, whole, length);
  }
  for (int i = 0; i < count; i++) {
    send_fill(connection, window, bytes, (struct nr_range){inner.from + ranges[i].from, inner.from + ranges[i].to});
  }
  bool head = refresh_edge(connection, window, bytes, (struct nr_range){0, inner.from}, window->edges);
  bool tail =
      refresh_edge(connection, window, bytes, (struct nr_range){inner.to, window->length}, window->edges + inner.from);
  return count > 0 || head || tail;
}

/* Sends the window when JavaScript changed it. */
static bool refresh_window(struct nr_connection *connection, struct nr_window *window) {
  uint8_t *bytes = nr_pair_bytes(window->pair->napi, window->pair, window->offset, window->length);
  if (bytes == NULL) return false;
  if (window->tracked) return refresh_tracked(connection, window, bytes);
  if (window->twin == NULL || memcmp(bytes, window->twin, window->length) == 0) return false;
  memcpy(window->twin, bytes, window->length);
  send_fill(connection, window, window->twin, (struct nr_range){0, window->length});
  return true;
}

bool nr_window_renew(struct nr_connection *connection, struct nr_pair *pair, uint64_t offset, uint64_t length) {
  if (!pair->tracked) return false;
  struct nr_window *window = find_tracked(connection->windows, pair, offset, length);
  if (window == NULL && find_tracked(pair->cold, pair, offset, length) != NULL) {
    nr_window_heat(connection, pair, offset, length);
    window = connection->windows;
  }
  if (window != NULL) refresh_window(connection, window);
  return window != NULL;
}

static bool refresh_cold(struct nr_cold_item *item, void *context) {
  return refresh_window(context, (struct nr_window *)item);
}

void nr_memory_refresh(struct nr_connection *connection) {
  napi_handle_scope scope;
  if (connection->windows == NULL && nr_cold_is_empty(&connection->cold)) return;
  /* A loop in native code that calls JavaScript comes by here each time, all in one scope of the addon's. */
  if (napi_open_handle_scope(connection->agent->napi, &scope) != napi_ok) return;
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair != NULL) refresh_window(connection, window);
  }
  if (!nr_cold_is_empty(&connection->cold)) nr_cold_visit(&connection->cold, refresh_cold, connection);
  napi_close_handle_scope(connection->agent->napi, scope);
}

void nr_memory_leave(struct nr_connection *connection, struct nr_window *keep) {
  while (connection->windows != NULL && connection->windows != keep) {
    struct nr_window *window = connection->windows;
    connection->windows = window->next;
    cool(connection, window);
  }
}

static bool covers(const struct nr_window *window, uint64_t offset, uint64_t length) {
  return offset >= window->offset && offset - window->offset <= window->length &&
         length <= window->length - (offset - window->offset);
}

/* Only what a view showed may be written: beside it lie other Buffers of the same pool. */
static bool is_known(const struct nr_connection *connection, const struct nr_pair *pair, uint64_t offset,
                     uint64_t length) {
  for (const struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == pair && covers(window, offset, length)) return true;
  }
  for (const struct nr_window *window = pair->cold; window != NULL; window = window->next) {
    if (covers(window, offset, length)) return true;
  }
  return false;
}

/* The host has these bytes: the twins of all windows that show them say so. */
static void note(struct nr_window *window, uint64_t offset, const uint8_t *bytes, uint64_t length) {
  if (window->twin == NULL) return;
  uint64_t from = offset > window->offset ? offset : window->offset;
  uint64_t to = offset + length < window->offset + window->length ? offset + length : window->offset + window->length;
  if (from < to) memcpy(window->twin + (from - window->offset), bytes + (from - offset), to - from);
}

/* What the host wrote need not go back to it. JavaScript has not written since what is hot went over: the host has the
 * turn. */
static void forget_writes(struct nr_connection *connection, struct nr_window *window, const struct nr_range *patch) {
  const uint8_t *bytes = (const uint8_t *)window->pair->bytes + window->offset;
  struct nr_range inner = inner_of(bytes, window->length), ignored;
  uint64_t from = patch->from > inner.from ? patch->from : inner.from;
  uint64_t to = patch->to < inner.to ? patch->to : inner.to;
  if (from < to) nr_tracker_scan(connection->agent->tracker, bytes + from, to - from, &ignored, 1);
  take_edges(window, bytes, inner);
}

static napi_status apply_patch(struct nr_dispatch *dispatch, const Nr__Patch *patch) {
  const uint8_t *now = nr_frame_bytes(dispatch->frame, patch->bytes);
  const uint8_t *twin = nr_frame_bytes(dispatch->frame, patch->twin);
  uint32_t length = nr_span_length(patch->bytes);
  struct nr_connection *connection = dispatch->connection;
  if (now == NULL || twin == NULL || nr_span_length(patch->twin) != length)
    return nr_fault(dispatch, "a patch without bytes");
  struct nr_pair *pair = nr_table_get(connection->pairs, patch->pair_id, NR_SORT_PAIR);
  if (pair == NULL || !is_known(connection, pair, patch->offset, length)) return napi_ok;
  uint8_t *bytes = nr_pair_bytes(dispatch->napi, pair, patch->offset, length);
  if (bytes == NULL)
    return napi_ok; /* detached or collected meanwhile: in one process, too, the write would have gone nowhere */
  for (uint32_t i = 0; i < length; i++) {
    if (now[i] != twin[i]) bytes[i] = now[i];
  }
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair != pair) continue;
    note(window, patch->offset, now, length);
    if (window->tracked && !pair->shared && covers(window, patch->offset, length)) {
      struct nr_range range = {patch->offset - window->offset, patch->offset - window->offset + length};
      forget_writes(connection, window, &range);
    }
  }
  for (struct nr_window *window = pair->cold; window != NULL; window = window->next) {
    note(window, patch->offset, now, length);
    if (covers(window, patch->offset, length)) nr_cold_keep(&connection->cold, &window->item);
  }
  return napi_ok;
}

napi_status nr_serve_patch_memory(struct nr_dispatch *dispatch, const void *message, void *answer) {
  const Nr__PatchMemoryRequest *request = message;
  (void)answer;
  for (size_t i = 0; i < request->n_patches; i++) NR_TRY(apply_patch(dispatch, request->patches[i]));
  return napi_ok;
}
