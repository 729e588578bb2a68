/*
 * Which parts of its pairs the host has got to know, and how both halves stay alike: what JavaScript wrote goes over
 * before the host gets the turn, what native code wrote comes back before JavaScript does. This side does all of it, in
 * the host's half (blocks.h), against the twin.
 *
 * Hot windows, which an open entry has seen, are looked at every time; of the others the host may have kept the
 * address: wire/cold.h says whose turn it is.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/memory/exchange.h"
#include "server/memory/hot.h"
#include "server/memory/memory.h"
#include "wire/merge.h"

/* What finding a pair's bytes costs besides comparing them, as bytes. */
#define NR_COMPARISON 1024u
/* What asking the kernel for those of an external buffer costs, among others (ahead.c). */
#define NR_FOREIGN 3072u
/* Whether native code has written is seen without a look at the ArrayBuffer: so many times as fast. */
#define NR_TAKE_PATIENCE 4u
/* What asking the kernel about what is tracked costs. */
#define NR_SCAN 8192u
/* Cold windows of so many bytes, found unchanged so often, are left alone while a property is read, say, which only
 * might run JavaScript: until something gives it the turn as such (wire/turns.h), or the entry ends. */
#define NR_QUIET 16u
#define NR_QUIET_BYTES 8192u
/* Visits without a change after which what was written lately is taken to be settled. */
#define NR_UNCHANGED 4u
/* An external buffer begins as if it had been visited so often: it is not looked at first for as long as others. */
#define NR_FOREIGN_UNCHANGED 24u

/* Parts of a large external buffer that are looked at by themselves. */
#define NR_PRESENT_RANGES 32

/* ---- copying ------------------------------------------------------------------------------------------------------
 */

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}
static uint64_t most(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

static bool send(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                 uint64_t to) {
  if (pair->block.born && from < pair->born.to && to > pair->born.from) {
    bool changed = send(connection, pair, bytes, from, pair->born.from);
    return send(connection, pair, bytes, pair->born.to, to) || changed;
  }
  if (from >= to) return false;
  if (pair->foreign) return nr_foreign_send(connection, pair, bytes, from, to);
  return nr_merge(bytes + from, pair->block.twin + from, pair->block.memory + from, to - from);
}

static bool take(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to) {
  if (pair->block.born && from < pair->born.to && to > pair->born.from) {
    bool changed = take(connection, pair, bytes, from, pair->born.from);
    return take(connection, pair, bytes, pair->born.to, to) || changed;
  }
  if (from >= to) return false;
  if (pair->foreign) return nr_foreign_take(connection, pair, bytes, from, to);
  return nr_merge(pair->block.memory + from, pair->block.twin + from, bytes + from, to - from);
}

bool nr_window_send(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                    uint64_t to) {
  struct nr_range ranges[64];
  struct nr_range part = {most(from, pair->tracked.from), least(to, pair->tracked.to)};
  if (!pair->own_tracks || part.from >= part.to) return send(connection, pair, bytes, from, to);
  bool changed = send(connection, pair, bytes, from, part.from);
  int count = nr_track_ask(connection, pair, bytes, part, ranges, 64);
  for (int i = 0; i < count; i++) changed |= send(connection, pair, bytes, ranges[i].from, ranges[i].to);
  return send(connection, pair, bytes, part.to, to) || changed;
}

bool nr_window_take(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                    uint64_t to) {
  struct nr_range part = {most(from, pair->tracked.from), least(to, pair->tracked.to)};
  if (pair->host_tracks != NR_HOST_TRACKS || part.from >= part.to) {
    /* The host has been asked before it got the turn that ends here. */
    if (pair->host_tracks == NR_HOST_ASKED && part.from <= pair->tracked.from && part.to >= pair->tracked.to)
      pair->host_tracks = NR_HOST_TRACKS;
    return take(connection, pair, bytes, from, to);
  }
  bool changed = take(connection, pair, bytes, from, part.from);
  return take(connection, pair, bytes, part.to, to) || changed;
}

static void touch(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to) {
  if (pair->hot != NR_NO_HOT) pair->touched += to - from;
  if (take(connection, pair, bytes, from, to)) nr_cold_keep(nr_cold_of(connection, pair), &pair->item);
  /* Of an external buffer it may not have been there before. */
  if (pair->foreign && !nr_shown_has(pair, from, to)) nr_window_known(connection, pair, bytes, from, to);
}

void nr_window_touch(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to) {
  struct nr_range part;
  while (nr_constant_skip(pair, &from, to, &part)) touch(connection, pair, bytes, part.from, part.to);
}

/* ---- what the host knows ------------------------------------------------------------------------------------------
 */

/* What the host does not know of [from, to) goes over as it is, what it knows where JavaScript changed it. */
static bool show(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to) {
  uint64_t at = from;
  for (uint32_t i = 0; i < pair->shown_count && at < to; i++) {
    const struct nr_range *shown = &pair->shown[i];
    if (shown->to <= at) continue;
    if (shown->from > at && !pair->foreign) nr_shown_copy(pair, bytes, at, least(shown->from, to));
    at = most(at, shown->from);
    if (at < to) nr_window_send(connection, pair, bytes, at, least(shown->to, to));
    if (shown->from <= from && shown->to >= to) return true; /* nothing new */
    at = most(at, shown->to);
  }
  if (at < to && !pair->foreign) nr_shown_copy(pair, bytes, at, to);
  if (pair->foreign) { /* its twin is what was there at the beginning */
    take(connection, pair, bytes, from, to);
    send(connection, pair, bytes, from, to);
  }
  if (!nr_shown_add(pair, bytes, from, to)) return false;
  if (to - from >= NR_TRACKED_MIN) nr_track_host(connection, pair, from, to);
  return true;
}

/* ---- hot and cold -------------------------------------------------------------------------------------------------
 */

/* What looking at a pair costs, as bytes, beside what is hot of it. */
static uint32_t cost_of(const struct nr_connection *connection, const struct nr_pair *pair) {
  uint64_t bytes = 0, hot = 0;
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = connection->hot[i].below)
    hot += connection->hot[i].to - connection->hot[i].from;
  for (uint32_t i = 0; i < pair->shown_count; i++) bytes += pair->shown[i].to - pair->shown[i].from;
  bytes -= least(bytes, pair->born.to - pair->born.from);
  if (pair->own_tracks) {
    uint64_t tracked = pair->tracked.to - pair->tracked.from;
    bytes = NR_SCAN + tracked / 512 + (bytes > tracked ? bytes - tracked : 0);
  }
  bytes = bytes > hot ? bytes - hot : 0;
  return NR_COMPARISON + (pair->foreign ? NR_FOREIGN : 0) + (uint32_t)least(bytes, UINT32_MAX / 2);
}

static bool heat(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to, bool held) {
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = connection->hot[i].below) {
    struct nr_hot *hot = &connection->hot[i];
    if (from > hot->to || to < hot->from) continue;
    if (from < hot->from || to > hot->to) hot->sent = 0;
    nr_hot_changed(connection, i);
    hot->from = least(hot->from, from);
    hot->to = most(hot->to, to);
    return true;
  }
  if (connection->hot_count == connection->hot_room) {
    uint32_t room = connection->hot_room == 0 ? 16 : connection->hot_room * 2;
    struct nr_hot *hot = realloc(connection->hot, room * sizeof *hot);
    if (hot == NULL) return false;
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

static bool heat_shown(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to, bool held) {
  if (!heat(connection, pair, from, to, held)) return false;
  if (is_all_hot(connection, pair)) { /* most are */
    nr_cold_remove(nr_cold_of(connection, pair), &pair->item);
  } else if (pair->item.next == NULL) {
    nr_cold_add(nr_cold_of(connection, pair), &pair->item, cost_of(connection, pair));
  } else {
    pair->item.next_cost = cost_of(connection, pair);
  }
  return true;
}

/* Of a large external buffer most may be no memory at all, in the host. What is there has been told, and will be: here
 * only what JavaScript has touched is new. */
static bool show_sparse(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                        uint64_t to, bool held) {
  struct nr_range ranges[NR_PRESENT_RANGES];
  int count = nr_track_present(connection, bytes + from, to - from, ranges, NR_PRESENT_RANGES);
  if (count < 0) return show(connection, pair, bytes, from, to) && heat_shown(connection, pair, from, to, held);
  for (int i = 0; i < count; i++) {
    uint64_t at = from + ranges[i].from, end = from + ranges[i].to;
    struct nr_range part;
    while (nr_constant_skip(pair, &at, end, &part)) {
      if (!show(connection, pair, bytes, part.from, part.to)) return false;
    }
  }
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    struct nr_range part = {most(from, pair->shown[i].from), least(to, pair->shown[i].to)};
    if (part.from < part.to && !heat_shown(connection, pair, part.from, part.to, held)) return false;
  }
  return true;
}

bool nr_window_show(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to,
                    bool held) {
  if (from >= to) return true;
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
  nr_track_end(connection, pair);
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = connection->hot[i].below) connection->hot[i].pair = NULL;
  if (pair->shown != &pair->first_shown) free(pair->shown);
  free(pair->constant);
}

/* One pass over what changed: `copy` is nr_window_send() or nr_window_take(). */
struct pass {
  struct nr_connection *connection;
  bool takes;
  bool whole;  /* JavaScript gets the turn, or had it; otherwise it only might */
  bool all;    /* every cold pair is visited each time */
  bool scoped; /* handles may stay in the scope that is open */
  uint32_t number;
  napi_handle_scope scope; /* NULL: not needed yet */
};

/* A loop in native code that calls JavaScript comes by here each time, all in one scope of the addon's: what is looked
 * up gets a scope of its own (25 ns). */
static uint8_t *find_bytes(struct pass *pass, const struct nr_pair *pair, uint64_t from, uint64_t to) {
  if (!pass->scoped && pass->scope == NULL &&
      napi_open_handle_scope(pass->connection->agent->napi, &pass->scope) != napi_ok)
    return NULL;
  return nr_pair_bytes(pair, from, to - from);
}

static bool copy(const struct pass *pass, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to) {
  return pass->takes ? nr_window_take(pass->connection, pair, bytes, from, to)
                     : nr_window_send(pass->connection, pair, bytes, from, to);
}

/* Where its bytes are; NULL: nowhere, or there is nothing to do. */
static uint8_t *bytes_of(struct pass *pass, struct nr_hot *hot) {
  uint32_t sends = pass->connection->sends;
  if (hot->pair == NULL || (!pass->takes && hot->sent == sends)) return NULL;
  /* JavaScript has not run since it was looked at last. */
  if (pass->takes && hot->held && hot->sent == sends) return hot->pair->bytes;
  uint8_t *bytes = find_bytes(pass, hot->pair, hot->from, hot->to);
  if (bytes != NULL && !pass->takes) hot->sent = sends;
  return bytes;
}

/* Has native code written none of it? Only for pairs whose half is here and compared. The ArrayBuffer need not be
 * found. */
static bool is_untouched(const struct nr_pair *pair, uint64_t from, uint64_t to) {
  if (pair->foreign || pair->host_tracks != NR_HOST_SILENT || pair->block.born) return false;
  return memcmp(pair->block.memory + from, pair->block.twin + from, to - from) == 0;
}

static bool is_all_untouched(const struct nr_pair *pair) {
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    if (!is_untouched(pair, pair->shown[i].from, pair->shown[i].to)) return false;
  }
  return true;
}

static void visit_hot(struct pass *pass, const struct nr_hot_choice *choice) {
  struct nr_connection *connection = pass->connection;
  for (uint32_t i = connection->hot_count; (i = nr_hot_before(choice, i)) != NR_NO_HOT;) {
    struct nr_hot *hot = &connection->hot[i];
    hot->pass = pass->number;
    hot->quiet++;
    if (pass->takes && hot->pair != NULL && is_untouched(hot->pair, hot->from, hot->to)) continue;
    uint8_t *bytes = bytes_of(pass, hot);
    if (bytes != NULL && copy(pass, hot->pair, bytes, hot->from, hot->to)) nr_hot_changed(connection, i);
  }
}

static bool is_done(const struct pass *pass, const struct nr_pair *pair, const struct nr_range *shown) {
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = pass->connection->hot[i].below) {
    const struct nr_hot *hot = &pass->connection->hot[i];
    if (hot->pass == pass->number && hot->from <= shown->from && hot->to >= shown->to) return true;
  }
  return false;
}

static bool visit_cold(struct nr_cold_item *item, void *context) {
  struct pass *pass = context;
  struct nr_connection *connection = pass->connection;
  struct nr_pair *pair = (struct nr_pair *)item; /* its first member */
  uint8_t *bytes = NULL;
  bool changed = false;
  if (!pass->whole && item->unchanged >= NR_QUIET && item->cost >= NR_QUIET_BYTES) return false;
  bool seldom = item->group == NR_COLD_ASLEEP || (item->group == NR_COLD_IDLE && !pass->all);
  if (pass->takes && !seldom && is_all_untouched(pair)) return false;
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    const struct nr_range *shown = &pair->shown[i];
    if (is_done(pass, pair, shown)) continue;
    if (bytes == NULL || shown->to > pair->length) bytes = find_bytes(pass, pair, shown->from, shown->to);
    if (bytes == NULL) continue;
    changed |= copy(pass, pair, bytes, shown->from, shown->to);
    /* One whose turn comes seldom may always have it on the same way. */
    if (seldom) {
      struct pass back = {.connection = connection, .takes = !pass->takes};
      changed |= copy(&back, pair, bytes, shown->from, shown->to);
    }
  }
  if (!changed && bytes != NULL && !pass->takes && item->unchanged >= NR_UNCHANGED)
    nr_track_again(connection, pair, bytes);
  item->next_cost = cost_of(connection, pair);
  return changed;
}

static void tell_ahead(struct nr_cold_item *item, void *context) {
  nr_ahead_add(context, (struct nr_pair *)item); /* its first member */
}

static void read_ahead(const struct pass *pass, const struct nr_hot_choice *choice) {
  struct nr_connection *connection = pass->connection;
  for (uint32_t i = connection->hot_count; (i = nr_hot_before(choice, i)) != NR_NO_HOT;) {
    if (connection->hot[i].pair != NULL) nr_ahead_add(connection, connection->hot[i].pair);
  }
  nr_cold_peek(&connection->cold_foreign, pass->whole, tell_ahead, connection);
  nr_ahead_read(connection);
}

static void visit_list(struct pass *pass, struct nr_cold *cold, uint32_t patience) {
  if (nr_cold_is_empty(cold)) return;
  pass->all = nr_cold_visits_all(cold, 1); /* in both directions */
  if (pass->whole)
    nr_cold_visit(cold, patience, visit_cold, pass);
  else
    nr_cold_visit_kept(cold, visit_cold, pass);
}

/* `always`: hot windows from there on are looked at in any case. */
static void run_pass(struct pass *pass, uint32_t always) {
  struct nr_connection *connection = pass->connection;
  bool foreign = connection->foreign_count > 0;
  if (connection->hot_count == 0 && nr_cold_is_empty(&connection->cold) && !foreign) return;
  pass->number = ++connection->passes;
  struct nr_hot_choice choice = nr_hot_choose(connection, pass->whole, pass->takes, always);
  if (pass->takes && foreign) read_ahead(pass, &choice);
  visit_hot(pass, &choice);
  nr_hot_chosen(&choice);
  visit_list(pass, &connection->cold, pass->takes ? NR_TAKE_PATIENCE : 1);
  if (foreign) {
    visit_list(pass, &connection->cold_foreign, 1);
    nr_ahead_end(connection);
  }
  if (pass->scope != NULL) napi_close_handle_scope(connection->agent->napi, pass->scope);
}

void nr_memory_send(struct nr_connection *connection, bool whole, bool scoped) {
  struct pass pass = {.connection = connection, .whole = whole, .scoped = scoped};
  connection->sends++;
  run_pass(&pass, connection->hot_count);
}

void nr_memory_take(struct nr_connection *connection, bool whole, uint32_t hot) {
  struct pass pass = {.connection = connection, .takes = true, .whole = whole};
  run_pass(&pass, hot);
}

/* It was in use until now: it is looked at first for a while. */
static void cool(struct nr_connection *connection, struct nr_pair *pair) {
  nr_cold_remove(nr_cold_of(connection, pair), &pair->item);
  nr_cold_add(nr_cold_of(connection, pair), &pair->item, cost_of(connection, pair));
  /* Addons that return their results in external buffers make one with each call. */
  if (pair->foreign) pair->item.unchanged = NR_FOREIGN_UNCHANGED;
}

void nr_memory_leave(struct nr_connection *connection, uint32_t hot) {
  while (connection->hot_count > hot) {
    struct nr_hot *last = &connection->hot[--connection->hot_count];
    struct nr_pair *pair = last->pair;
    if (pair == NULL) continue;
    pair->hot = last->below;
    if (pair->tracked.to > 0) nr_track_leave(connection, pair);
    if (pair->hot == NR_NO_HOT) cool(connection, pair);
  }
  if (connection->hot_settled > hot) connection->hot_settled = hot;
}
