/*
 * What looking at a cold pair costs; and of those that are large, and only partly somebody's business, which part is
 * looked at.
 */
#include "server/memory/memory.h"

/* What asking the kernel for those of an external buffer costs, among others (ahead.c). */
#define NR_FOREIGN 1024u

struct nr_range nr_window_slice(const struct nr_pair *pair) {
  uint64_t left = NR_SLICE;
  struct nr_range slice = {pair->slice_at, pair->slice_at};
  if (pair->shown_count == 0 || slice.from >= pair->shown[pair->shown_count - 1].to) slice = (struct nr_range){0, 0};
  for (uint32_t i = 0; i < pair->shown_count && left > 0; i++) {
    struct nr_range part = pair->shown[i];
    if (part.to <= slice.from) continue;
    if (part.from < slice.from) part.from = slice.from;
    uint64_t length = nr_least(part.to - part.from, left);
    slice.to = part.from + length;
    left -= length;
  }
  return slice;
}

/* What is to be compared of it, beside what is hot. */
static uint64_t cold_bytes(const struct nr_connection *connection, const struct nr_pair *pair) {
  uint64_t bytes = nr_shown_bytes(pair), hot = 0;
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = connection->hot[i].below)
    hot += connection->hot[i].to - connection->hot[i].from;
  bytes -= nr_least(bytes, pair->born.to - pair->born.from);
  if (pair->own_tracks) bytes -= nr_least(bytes, pair->tracked.to - pair->tracked.from);
  return bytes > hot ? bytes - hot : 0;
}

bool nr_window_is_sliced(const struct nr_connection *connection, const struct nr_pair *pair) {
  if (pair->constant_count == 0 || pair->length < NR_SPARSE_MIN) return false;
  uint64_t share = NR_SLICED / nr_most(connection->sparse_count, 1);
  return cold_bytes(connection, pair) > nr_most(share, NR_SLICE_HEAD + NR_SLICE);
}

uint32_t nr_window_cost(const struct nr_connection *connection, const struct nr_pair *pair) {
  uint64_t bytes = nr_window_is_sliced(connection, pair) ? NR_SLICE_HEAD + NR_SLICE : cold_bytes(connection, pair);
  return NR_COMPARISON + (pair->foreign && pair->host_tracks == NR_HOST_SILENT ? NR_FOREIGN : 0) +
         (uint32_t)nr_least(bytes, UINT32_MAX / 2);
}
