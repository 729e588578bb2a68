/*
 * What the host tells of itself: where native code has written, as its kernel knows (client/memory/tracking.c).
 */
#include "handlers.h"
#include "server/memory/memory.h"

/* The host cannot: from now on its half is compared. */
static void give_up(struct nr_connection *connection, struct nr_pair *pair) {
  pair->host_tracks = NR_HOST_SILENT;
  pair->untracked = true;
  uint64_t to = pair->tracked.to;
  uint8_t *bytes = nr_pair_part(pair, pair->tracked.from, &to);
  if (!pair->foreign || pair->host_together) {
    pair->host_together = false;
    if (bytes != NULL) nr_window_touch(connection, pair, bytes, pair->tracked.from, to);
    nr_window_cool(connection, pair);
  } else if (bytes != NULL && pair->hot != NR_NO_HOT) {
    nr_window_take(connection, pair, bytes, pair->tracked.from, to);
  }
}

napi_status nr_serve_touch_memory(struct nr_dispatch *dispatch, const void *message, void *answer) {
  const Nr__TouchMemoryRequest *request = message;
  struct nr_connection *connection = dispatch->connection;
  struct nr_pair *pair = nr_table_get(connection->pairs, request->pair_id, NR_SORT_PAIR);
  napi_handle_scope scope;
  (void)answer;
  if (pair == NULL) return napi_ok; /* collected meanwhile */
  /* It was told to stop, but has not come to that; and of an external buffer more may have come to be there. */
  bool stops = !pair->foreign && pair->host_tracks == NR_HOST_SILENT;
  struct nr_range part = stops || pair->foreign ? (struct nr_range){0, pair->length} : pair->tracked;
  if (request->offset < part.from || request->offset > part.to || request->length > part.to - request->offset)
    return nr_fault(dispatch, "memory that is not tracked");
  if (stops && request->length == 0) return napi_ok;
  if (napi_open_handle_scope(dispatch->napi, &scope) != napi_ok) return napi_ok;
  if (request->length == 0) {
    give_up(connection, pair);
  } else {
    uint64_t to = request->offset + request->length;
    uint8_t *bytes = nr_pair_part(pair, request->offset, &to);
    bool noise = bytes != NULL && !nr_window_touch(connection, pair, bytes, request->offset, to);
    if (noise && nr_noise_hear(pair, request->offset, to)) connection->host_waits = pair->host_waits = true;
  }
  return napi_close_handle_scope(dispatch->napi, scope);
}
