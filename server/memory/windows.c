/*
 * Which parts of its pairs the host has got to know, and how both halves stay alike: what JavaScript wrote goes over
 * before the host gets the turn, what native code wrote comes back before JavaScript does. This side does all of it, in
 * the host's half (blocks.h), against the twin.
 *
 * Windows that an open entry has seen are hot. Of the others, which are cold, the host may have kept the address. When
 * they are looked at is in passes.c.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/enter.h"
#include "server/memory/exchange.h"
#include "server/memory/hot.h"
#include "server/memory/memory.h"
#include "wire/merge.h"
#include "wire/pages.h"

/* An external buffer begins as if it had been visited so often: it is not looked at first for as long as others. */
#define NR_FOREIGN_UNCHANGED 24u

/* What takes long enough to copy for a host that sleeps to get up meanwhile (of 16 KiB, 3 µs, nothing is seen). */
#define NR_ANNOUNCED_MIN (UINT64_C(16) << 10)
/* ... and for one that is awake to fall asleep: in alternation, 96 KiB 88 instead of 109 us a call, 128 KiB 123 and
 * 150. */
#define NR_LONG_MIN (UINT64_C(64) << 10)

/* Node's pool (Node 18 to 22; of a larger one the kernel had better tell), whose parts are less than half of it. With
 * one part, or a larger one, it may be another Buffer of that size, which has a head and a body, say. */
#define NR_POOL (UINT64_C(8) << 10)
#define NR_POOL_PARTS 2u

/* ---- copying ------------------------------------------------------------------------------------------------------
 */

bool nr_window_send_all(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                        uint64_t to) {
  if (pair->block.born && from < pair->born.to && to > pair->born.from) {
    bool changed = nr_window_send_all(connection, pair, bytes, from, pair->born.from);
    return nr_window_send_all(connection, pair, bytes, pair->born.to, to) || changed;
  }
  if (from >= to) return false;
  if (pair->foreign) return nr_foreign_send(connection, pair, bytes, from, to);
  return nr_merge(bytes + from, pair->block.twin + from, pair->block.memory + from, to - from);
}

bool nr_window_take_all(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                        uint64_t to) {
  if (pair->block.born && from < pair->born.to && to > pair->born.from) {
    bool changed = nr_window_take_all(connection, pair, bytes, from, pair->born.from);
    return nr_window_take_all(connection, pair, bytes, pair->born.to, to) || changed;
  }
  if (from >= to) return false;
  if (!(pair->foreign ? nr_foreign_take(connection, pair, bytes, from, to)
                      : nr_merge(pair->block.memory + from, pair->block.twin + from, bytes + from, to - from)))
    return false;
  if (pair->own_tracks) pair->taken = connection->agent->watched_asked;
  return true;
}

bool nr_window_send(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                    uint64_t to) {
  struct nr_range part = {nr_most(from, pair->tracked.from), nr_least(to, pair->tracked.to)};
  if (!pair->own_tracks || part.from >= part.to) return nr_window_send_all(connection, pair, bytes, from, to);
  /* nr_track_send() has seen to what is tracked. */
  bool changed = nr_window_send_all(connection, pair, bytes, from, part.from);
  return nr_window_send_all(connection, pair, bytes, part.to, to) || changed;
}

bool nr_window_take(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                    uint64_t to) {
  struct nr_range part = {nr_most(from, pair->tracked.from), nr_least(to, pair->tracked.to)};
  if (pair->host_tracks != NR_HOST_TRACKS || part.from >= part.to)
    return nr_window_take_all(connection, pair, bytes, from, to);
  bool changed = nr_window_take_all(connection, pair, bytes, from, part.from);
  return nr_window_take_all(connection, pair, bytes, part.to, to) || changed;
}

/* Between the parts that the host has got to know it may hold anything. */
static bool touch_shown(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                        uint64_t to) {
  bool changed = false;
  for (uint32_t i = 0; i < pair->shown_count; i++)
    changed |= nr_window_take_all(connection, pair, bytes, nr_most(from, pair->shown[i].from),
                                  nr_least(to, pair->shown[i].to));
  return changed;
}

/* Of an external buffer it may not have been there before. */
static bool touch_foreign(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                          uint64_t to) {
  bool changed = false;
  struct nr_range part;
  while (nr_constant_skip(pair, &from, to, &part)) {
    changed |= nr_window_take_all(connection, pair, bytes, part.from, part.to);
    if (!nr_shown_has(pair, part.from, part.to)) nr_window_known(connection, pair, bytes, part.from, part.to);
  }
  return changed;
}

bool nr_window_touch(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to) {
  if (pair->hot != NR_NO_HOT) pair->touched += to - from;
  if (!(pair->foreign ? touch_foreign : touch_shown)(connection, pair, bytes, from, to)) return false;
  nr_cold_keep(nr_cold_of(connection, pair), &pair->item);
  if (pair->hot == NR_NO_HOT) nr_lifetime_doubt(connection, pair);
  return true;
}

/* ---- what the host knows ------------------------------------------------------------------------------------------
 */

/* Before it is copied: a file may be read into it right now. What the host knows of it already is compared. */
static void track(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                  uint64_t to) {
  nr_track_host(connection, pair, from, to);
  if (!pair->foreign && pair->tracked.to <= pair->now && nr_track_own(connection, pair, bytes))
    nr_window_written(connection, pair, bytes, pair->tracked.from, pair->tracked.to);
}

/* Before this side copies: a host that sleeps gets up meanwhile, and stays so until the entry comes. One that is awake
 * would fall asleep where all of it is new. */
static void announce(struct nr_connection *connection, const struct nr_pair *pair, uint64_t from, uint64_t to) {
  Nr__Empty request = NR__EMPTY__INIT;
  if (to - from < NR_ANNOUNCED_MIN) return;
  bool is_long = to - from >= NR_LONG_MIN && !nr_shown_has(pair, from, to);
  if (is_long || nr_port_peer_sleeps(connection->port)) nr_post(connection, NR_OP_ATTEND, &request.base);
}

/* A part of it becomes known: small Buffers lie in one of Node's pools of 8 KiB, until that is full. */
static void fill(struct nr_connection *connection, struct nr_pair *pair, uint64_t length) {
  if (pair->foreign || pair->length != NR_POOL || length >= NR_POOL / 2) return;
  if (pair->parts < NR_POOL_PARTS) pair->parts++;
  if (pair->parts < NR_POOL_PARTS) return;
  connection->fills++;
  connection->cold_pools.has_new = true;
  if (pair->fills) return;
  bool is_cold = pair->item.next != NULL;
  nr_cold_remove(nr_cold_of(connection, pair), &pair->item);
  pair->fills = true;
  if (is_cold) nr_window_chill(connection, pair);
}

/* What the host does not know of [from, to) goes over as it is, what it knows where JavaScript changed it. */
static bool show(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to) {
  uint64_t at = from;
  announce(connection, pair, from, to);
  if (to - from >= NR_TRACKED_MIN) track(connection, pair, bytes, from, to);
  for (uint32_t i = 0; i < pair->shown_count && at < to; i++) {
    const struct nr_range *shown = &pair->shown[i];
    if (shown->to <= at) continue;
    if (shown->from > at && !pair->foreign) nr_shown_copy(pair, bytes, at, nr_least(shown->from, to));
    at = nr_most(at, shown->from);
    if (at < to) nr_window_send(connection, pair, bytes, at, nr_least(shown->to, to));
    if (shown->from <= from && shown->to >= to) return true; /* nothing new */
    at = nr_most(at, shown->to);
  }
  if (at < to && !pair->foreign) nr_shown_copy(pair, bytes, at, to);
  if (pair->foreign) { /* its twin is what was there at the beginning */
    nr_window_take_all(connection, pair, bytes, from, to);
    nr_window_send_all(connection, pair, bytes, from, to);
  }
  fill(connection, pair, to - from);
  return nr_shown_add(pair, bytes, from, to);
}

/* ---- hot and cold -------------------------------------------------------------------------------------------------
 */

/* What lies between two windows that are that close is known to the host (nr_shown_add()): they are one. */
static bool heat(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to, bool held) {
  uint64_t gap = pair->foreign ? 0 : NR_SHOWN_GAP - 1;
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = connection->hot[i].below) {
    struct nr_hot *hot = &connection->hot[i];
    if (from > hot->to + gap || to + gap < hot->from) continue;
    if (from < hot->from || to > hot->to) hot->sent = 0;
    nr_hot_changed(connection, i);
    hot->from = nr_least(hot->from, from);
    hot->to = nr_most(hot->to, to);
    return true;
  }
  if (connection->hot_count == connection->hot_room) {
    uint32_t room = connection->hot_room == 0 ? 16 : connection->hot_room * 2;
    struct nr_hot *hot = nr_pages_malloc(room * sizeof *hot);
    if (hot == NULL) return false;
    if (connection->hot_count > 0) memcpy(hot, connection->hot, connection->hot_count * sizeof *hot);
    free(connection->hot);
    connection->hot = hot;
    connection->hot_room = room;
  }
  connection->hot[connection->hot_count] =
      (struct nr_hot){.pair = pair, .from = from, .to = to, .below = pair->hot, .held = held};
  /* An argument goes over right now, and the send before the entry need not look again. */
  if (held) connection->hot[connection->hot_count].sent = connection->sends + 1;
  pair->hot = connection->hot_count++;
  return true;
}

static bool is_all_hot(const struct nr_connection *connection, const struct nr_pair *pair) {
  const struct nr_hot *hot = &connection->hot[pair->hot];
  return pair->shown_count == 1 && hot->from <= pair->shown[0].from && hot->to >= pair->shown[0].to;
}

void nr_window_chill(struct nr_connection *connection, struct nr_pair *pair) {
  if (nr_track_has_all(pair)) return;
  pair->large = nr_track_is_worth(connection, pair);
  nr_cold_add(nr_cold_of(connection, pair), &pair->item, nr_window_cost(connection, pair));
}

static bool heat_shown(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to, bool held) {
  if (!heat(connection, pair, from, to, held)) return false;
  if (is_all_hot(connection, pair)) { /* most are */
    nr_cold_remove(nr_cold_of(connection, pair), &pair->item);
  } else if (pair->item.next == NULL) {
    nr_window_chill(connection, pair);
  } else {
    pair->item.next_cost = nr_window_cost(connection, pair);
  }
  return true;
}

/* But for what nobody can write. fresh: only what the host does not know. */
static bool show_range(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, struct nr_range range,
                       bool fresh) {
  struct nr_range part;
  while (nr_constant_skip(pair, &range.from, range.to, &part)) {
    if (fresh && nr_shown_has(pair, part.from, part.to)) continue;
    if (!show(connection, pair, bytes, part.from, part.to)) return false;
  }
  return true;
}

/* Showing what JavaScript has touched of a part. */
struct showing {
  struct nr_connection *connection;
  struct nr_pair *pair;
  uint8_t *bytes;
  uint64_t from;
  bool fresh;
  bool failed;
  uint32_t there; /* in so many ranges */
};

static bool show_there(struct nr_range range, void *context) {
  struct showing *showing = context;
  range.from += showing->from;
  range.to += showing->from;
  showing->there++;
  showing->failed = !show_range(showing->connection, showing->pair, showing->bytes, range, showing->fresh);
  return !showing->failed;
}

/* Where the kernel does not tell what is there, all that is not fresh is shown. */
static bool show_present(struct showing *showing, uint64_t to) {
  const struct nr_pair *pair = showing->pair;
  uint8_t *bytes = showing->bytes + showing->from;
  uint64_t length = to - showing->from;
  int status = pair->window == NULL ? nr_track_present(showing->connection, bytes, length, show_there, showing)
                                    : nr_mirror_present(&showing->connection->mirror, pair->address + showing->from,
                                                        length, show_there, showing);
  if (status == 0) return !showing->failed;
  if (pair->address > INT64_MAX) return true; /* the kernel's: (void *)-1 stands for something, and nothing is there */
  return !showing->fresh && show(showing->connection, showing->pair, showing->bytes, showing->from, to);
}

uint32_t nr_window_seek(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to) {
  struct showing showing = {.connection = connection, .pair = pair, .bytes = pair->bytes, .from = from, .fresh = true};
  uint64_t before = nr_shown_bytes(pair);
  (void)show_present(&showing, to);
  if (nr_shown_bytes(pair) == before) return showing.there;
  nr_window_cool(connection, pair);
  nr_cold_keep(nr_cold_of(connection, pair), &pair->item); /* JavaScript has the address, and uses it */
  return showing.there;
}

bool nr_window_written(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                       uint64_t to) {
  bool changed = false;
  if (pair->sparse_at != 0 && !nr_shown_has(pair, from, to)) nr_window_seek(connection, pair, from, to);
  for (uint32_t i = 0; i < pair->shown_count; i++)
    changed |= nr_window_send_all(connection, pair, bytes, nr_most(from, pair->shown[i].from),
                                  nr_least(to, pair->shown[i].to));
  if (changed) nr_cold_keep(nr_cold_of(connection, pair), &pair->item);
  return changed;
}

/* Of a large external buffer most may be no memory at all, in the host. What is there has been told, and will be: here
 * only what JavaScript has touched is new. */
static bool show_sparse(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                        uint64_t to, bool held) {
  struct showing showing = {.connection = connection, .pair = pair, .bytes = bytes, .from = from};
  if (!show_present(&showing, to)) return false;
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    struct nr_range part = {nr_most(from, pair->shown[i].from), nr_least(to, pair->shown[i].to)};
    if (part.from < part.to && !heat_shown(connection, pair, part.from, part.to, held)) return false;
  }
  return true;
}

bool nr_window_show(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to,
                    bool held) {
  if (from >= to) return true;
  if (pair->own_tracks) {
    connection->agent->watched_quiet = 0;
    /* Arguments go over before the entry anyway; but what is tracked anew forgets what was written. */
    if (!held || !nr_shown_has(pair, from, to)) nr_track_send(connection->agent, true, false);
  }
  if (pair->foreign && to - from >= NR_SPARSE_MIN) return show_sparse(connection, pair, bytes, from, to, held);
  return show(connection, pair, bytes, from, to) && heat_shown(connection, pair, from, to, held);
}

bool nr_window_known(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to) {
  if (from >= to) return true;
  return nr_shown_add(pair, bytes, from, to) && heat_shown(connection, pair, from, to, false);
}

void nr_window_warm(struct nr_connection *connection, struct nr_pair *pair) {
  for (uint32_t i = 0; i < pair->shown_count; i++)
    heat(connection, pair, pair->shown[i].from, pair->shown[i].to, false);
}

void nr_windows_forget(struct nr_connection *connection, struct nr_pair *pair) {
  nr_cold_remove(nr_cold_of(connection, pair), &pair->item);
  nr_track_forget(connection, pair);
  nr_sparse_forget(connection, pair);
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = connection->hot[i].below) connection->hot[i].pair = NULL;
  if (pair->shown != &pair->first_shown) free(pair->shown);
  free(pair->constant);
}

/* It was in use until now: it is looked at first for a while. */
static void cool(struct nr_connection *connection, struct nr_pair *pair) {
  nr_cold_remove(nr_cold_of(connection, pair), &pair->item);
  nr_window_chill(connection, pair);
  /* Addons that return their results in external buffers make one with each call. */
  if (pair->foreign) pair->item.unchanged = NR_FOREIGN_UNCHANGED;
}

void nr_window_cool(struct nr_connection *connection, struct nr_pair *pair) {
  if (pair->hot == NR_NO_HOT)
    cool(connection, pair);
  else if (pair->item.next == NULL && !is_all_hot(connection, pair))
    nr_window_chill(connection, pair);
}

void nr_memory_leave(struct nr_connection *connection, uint32_t hot) {
  while (connection->hot_count > hot) {
    struct nr_hot *last = &connection->hot[--connection->hot_count];
    struct nr_pair *pair = last->pair;
    if (pair == NULL) continue;
    pair->hot = last->below;
    if (pair->tracked.to > 0) nr_track_leave(connection, pair);
    nr_window_cool(connection, pair);
  }
  if (connection->hot_settled > hot) connection->hot_settled = hot;
}
