/*
 * Large parts of a pair are not compared: the kernel knows which pages were written (wire/track.h), here by JavaScript,
 * in the host by native code. A first write to a page that is watched costs nearly a microsecond, so what is written
 * whole each time is compared after all.
 */
#include <errno.h>

#include "handlers.h"
#include "server/enter.h"
#include "server/memory/memory.h"

/* x86-64's. Where pages are larger, edges would have to be as well. */
#define NR_PAGE UINT64_C(4096)
/* Found written for the most part so often, one time after the other: not watched until it is found unchanged. */
#define NR_REWRITTEN 2u

static struct nr_tracker *tracker_of(struct nr_agent *agent) {
  if (agent == NULL) return NULL;
  if (agent->tracker == NULL && !agent->no_tracker) {
    agent->tracker = nr_tracker_create(0);
    agent->no_tracker = agent->tracker == NULL;
  }
  return agent->tracker;
}

static void post_track(struct nr_connection *connection, const struct nr_pair *pair) {
  Nr__TrackMemoryRequest request = NR__TRACK_MEMORY_REQUEST__INIT;
  request.pair_id = pair->id;
  request.place = pair->block.place + 1;
  request.block_length = pair->length;
  if (pair->host_tracks != NR_HOST_SILENT) {
    request.offset = pair->tracked.from;
    request.length = pair->tracked.to - pair->tracked.from;
  }
  /* A pair that is gone may have had the same memory: the host must not ask the kernel in its name. */
  if (connection->release_count > 0) nr_release_flush(connection);
  nr_post(connection, NR_OP_TRACK_MEMORY, &request.base);
}

/* The whole pages of a part. malloc puts large blocks side by side as well: what lies on a page with another's bytes is
 * compared. */
static struct nr_range inner_of(const uint8_t *bytes, uint64_t from, uint64_t to) {
  uint64_t begin = (uint64_t)(uintptr_t)bytes;
  return (struct nr_range){(begin + from + NR_PAGE - 1) / NR_PAGE * NR_PAGE - begin,
                           (begin + to) / NR_PAGE * NR_PAGE - begin};
}

void nr_track_host(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to) {
  struct nr_range inner = inner_of(pair->bytes, from, to);
  if (pair->shared || pair->foreign || pair->untracked ||
      inner.to - inner.from <= pair->tracked.to - pair->tracked.from)
    return;
  if (pair->own_tracks) nr_track_end(connection, pair);
  pair->tracked = inner;
  /* Nobody there has known the address of a part that is new: nothing has been written. */
  pair->host_tracks = NR_HOST_TRACKS;
  post_track(connection, pair);
}

/* Its real memory is pages of its own. A part that does not begin on one is tracked with what lies before it: found
 * written, it is compared. */
void nr_track_foreign(struct nr_pair *pair, const struct nr_range *part) {
  pair->tracked = *part;
  pair->host_tracks = NR_HOST_TRACKS;
}

void nr_track_own(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes) {
  if (pair->tracked.to == 0 || pair->own_tracks || pair->rewritten >= NR_REWRITTEN) return;
  struct nr_tracker *tracker = tracker_of(connection->agent);
  pair->own_tracks = tracker != NULL &&
                     nr_tracker_add(tracker, bytes + pair->tracked.from, pair->tracked.to - pair->tracked.from) == 0;
}

/* In a collection, too, and after the thread's end. */
void nr_track_end(struct nr_connection *connection, struct nr_pair *pair) {
  if (!pair->own_tracks) return;
  pair->own_tracks = false;
  if (connection->agent == NULL || connection->agent->tracker == NULL) return;
  nr_tracker_remove(connection->agent->tracker, (const uint8_t *)pair->bytes + pair->tracked.from,
                    pair->tracked.to - pair->tracked.from);
}

/* Is most of it written each time? */
static void count_rewritten(struct nr_pair *pair, struct nr_range part, const struct nr_range *ranges, int count) {
  uint64_t written = 0;
  for (int i = 0; i < count; i++) written += ranges[i].to - ranges[i].from;
  if (written * 2 <= part.to - part.from) {
    pair->rewritten = 0;
  } else if (pair->rewritten < NR_REWRITTEN) {
    pair->rewritten++;
  }
}

int nr_track_ask(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, struct nr_range part,
                 struct nr_range *ranges, int room) {
  struct nr_tracker *tracker = connection->agent->tracker;
  int count = nr_tracker_scan(tracker, bytes + part.from, part.to - part.from, ranges, (size_t)room);
  if (count < 0) { /* the memory was given back and taken anew: all of it may be other bytes */
    ranges[0] = (struct nr_range){0, part.to - part.from};
    count = 1;
    nr_track_end(connection, pair);
  }
  count_rewritten(pair, part, ranges, count);
  if (pair->rewritten >= NR_REWRITTEN) nr_track_end(connection, pair);
  for (int i = 0; i < count; i++) {
    ranges[i].from += part.from;
    ranges[i].to += part.from;
  }
  return count;
}

int nr_track_present(struct nr_connection *connection, const uint8_t *bytes, uint64_t length, struct nr_range *ranges,
                     int room) {
  struct nr_tracker *tracker = tracker_of(connection->agent);
  return tracker == NULL ? -ENOSYS : nr_tracker_present(tracker, bytes, length, ranges, (size_t)room);
}

/* Counts up where most of it was written. */
static void count_touched(struct nr_connection *connection, struct nr_pair *pair) {
  uint64_t most = (pair->tracked.to - pair->tracked.from) / 2;
  pair->host_rewritten = pair->touched <= most ? 0 : (uint8_t)(pair->host_rewritten + 1);
  pair->touched = 0;
  if (pair->host_rewritten < NR_REWRITTEN || pair->host_tracks == NR_HOST_SILENT) return;
  pair->host_rewritten = NR_REWRITTEN;
  pair->host_tracks = NR_HOST_SILENT;
  post_track(connection, pair);
}

void nr_track_leave(struct nr_connection *connection, struct nr_pair *pair) {
  napi_handle_scope scope;
  if (connection->agent == NULL || nr_port_failure(connection->port) < 0) return;
  if (pair->host_tracks == NR_HOST_TRACKS) count_touched(connection, pair);
  if (pair->own_tracks || pair->rewritten >= NR_REWRITTEN) return;
  if (napi_open_handle_scope(connection->agent->napi, &scope) != napi_ok) return;
  const uint8_t *bytes = nr_pair_bytes(pair, pair->tracked.from, pair->tracked.to - pair->tracked.from);
  if (bytes != NULL) nr_track_own(connection, pair, bytes);
  napi_close_handle_scope(connection->agent->napi, scope);
}

void nr_track_again(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes) {
  if (pair->tracked.to == 0) return;
  pair->rewritten = pair->host_rewritten = 0;
  nr_track_own(connection, pair, bytes);
  if (pair->host_tracks != NR_HOST_SILENT || pair->untracked) return;
  pair->host_tracks = NR_HOST_ASKED;
  post_track(connection, pair);
}

/* The host cannot: from now on its half is compared. */
static void give_up(struct nr_connection *connection, struct nr_pair *pair) {
  pair->host_tracks = NR_HOST_SILENT;
  pair->untracked = true;
  if (pair->hot == NR_NO_HOT) return;
  uint8_t *bytes = nr_pair_bytes(pair, 0, 0);
  if (bytes != NULL) nr_window_take(connection, pair, bytes, pair->tracked.from, pair->tracked.to);
}

napi_status nr_serve_touch_memory(struct nr_dispatch *dispatch, const void *message, void *answer) {
  const Nr__TouchMemoryRequest *request = message;
  struct nr_connection *connection = dispatch->connection;
  struct nr_pair *pair = nr_table_get(connection->pairs, request->pair_id, NR_SORT_PAIR);
  napi_handle_scope scope;
  (void)answer;
  if (pair == NULL) return napi_ok; /* collected meanwhile */
  /* Of an external buffer more may have come to be there. */
  struct nr_range part = pair->foreign ? (struct nr_range){0, pair->length} : pair->tracked;
  if (request->offset < part.from || request->offset > part.to || request->length > part.to - request->offset)
    return nr_fault(dispatch, "memory that is not tracked");
  if (!pair->foreign && pair->host_tracks == NR_HOST_SILENT) return napi_ok; /* not any more */
  if (napi_open_handle_scope(dispatch->napi, &scope) != napi_ok) return napi_ok;
  if (request->length == 0) {
    give_up(connection, pair);
  } else {
    uint8_t *bytes = nr_pair_bytes(pair, request->offset, request->length);
    if (bytes != NULL) nr_window_touch(connection, pair, bytes, request->offset, request->offset + request->length);
  }
  return napi_close_handle_scope(dispatch->napi, scope);
}
