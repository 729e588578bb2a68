/*
 * The passes over what both sides have, one before each turn of the host and one behind: what JavaScript wrote goes
 * over, or what native code wrote comes back. Hot windows are looked at every time (hot.h), of the others those that
 * the kernel does not tell of (tracking.c), as wire/cold.h says.
 */
#include <string.h>

#include "handlers.h"
#include "server/memory/exchange.h"
#include "server/memory/hot.h"
#include "server/memory/memory.h"
#include "wire/turns.h"

/* Whether native code has written is seen without a look at the ArrayBuffer: so many times as fast. */
#define NR_TAKE_PATIENCE 4u
/* Cold windows of so many bytes, found unchanged so often, are left alone while a property is read, say, which only
 * might run JavaScript, once that has cost enough: until something gives it the turn as such (wire/turns.h), or the
 * entry ends. */
#define NR_QUIET 16u
#define NR_QUIET_BYTES 8192u
/* Visits without a change after which what was written lately is taken to be settled. */
#define NR_UNCHANGED 4u

/* Passes without a change after which what has seen no collection is tracked after all, and how much of that is
 * compared in a pass (1,000 of 4 KiB). */
#define NR_YOUNG_PATIENCE 8u
#define NR_YOUNG_BYTES (UINT32_C(6) << 20)
/* Passes between two looks at lists that are too long, and one more for each in them: 20 ns. */
#define NR_RELIEF_EACH 64u
/* That are begun to be tracked in a pass: some microseconds each. */
#define NR_PROMOTED 256u

/* One pass over what changed: `copy` is nr_window_send() or nr_window_take(). */
struct pass {
  struct nr_connection *connection;
  bool takes;
  bool back;   /* the other way, beside one: the turn has not changed */
  bool turn;   /* JavaScript gets it as such, or had it; otherwise it only might */
  bool whole;  /* all is looked at; otherwise only what is hot or known to change */
  bool all;    /* every cold pair is visited each time */
  bool scoped; /* handles may stay in the scope that is open */
  uint32_t number;
  uint32_t spent;          /* bytes of comparisons, of what is worth tracking */
  uint32_t promoted;       /* of that */
  uint64_t cost;           /* of all comparisons, as bytes */
  napi_handle_scope scope; /* NULL: not needed yet */
};

/* A loop in native code that calls JavaScript comes by here each time, all in one scope of the addon's: what is looked
 * up gets a scope of its own (25 ns). Bytes of this side's are not looked up. */
static uint8_t *find_bytes(struct pass *pass, const struct nr_pair *pair, uint64_t from, uint64_t *to) {
  if (!pass->scoped && pass->scope == NULL && !pair->owned &&
      napi_open_handle_scope(pass->connection->agent->napi, &pass->scope) != napi_ok)
    return NULL;
  return nr_pair_part(pair, from, to);
}

static bool copy(const struct pass *pass, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to) {
  if (!pass->takes) return nr_window_send(pass->connection, pair, bytes, from, to);
  bool changed = nr_window_take(pass->connection, pair, bytes, from, to);
  /* The host was asked to tell before it got the turn that ends here, and this was the last comparison. */
  if (pair->host_tracks == NR_HOST_ASKED && !pass->back && from <= pair->tracked.from && to >= pair->tracked.to)
    pair->host_tracks = NR_HOST_TRACKS;
  return changed;
}

/* Where its bytes are; NULL: nowhere, or there is nothing to do. */
static uint8_t *bytes_of(struct pass *pass, struct nr_hot *hot, uint64_t *to) {
  uint32_t sends = pass->connection->sends;
  if (hot->pair == NULL || (!pass->takes && hot->sent == sends)) return NULL;
  /* JavaScript has not run since it was looked at last. */
  if (pass->takes && hot->held && hot->sent == sends) return hot->pair->bytes;
  uint8_t *bytes = find_bytes(pass, hot->pair, hot->from, to);
  if (bytes != NULL && !pass->takes && *to == hot->to) hot->sent = sends;
  return bytes;
}

/* Has native code written none of it? Only for pairs whose half is here and compared. The ArrayBuffer need not be
 * found. */
static bool is_untouched(const struct nr_pair *pair, uint64_t from, uint64_t to) {
  if (pair->foreign || pair->host_tracks != NR_HOST_SILENT || pair->block.born) return false;
  return memcmp(pair->block.memory + from, pair->block.twin + from, to - from) == 0;
}

static bool is_all_untouched(const struct nr_pair *pair) {
  if (nr_track_is_told(pair)) return true;
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    if (!is_untouched(pair, pair->shown[i].from, pair->shown[i].to)) return false;
  }
  return true;
}

/* Of what the kernel, or the host, does not tell. */
static uint64_t cost_of(const struct pass *pass, const struct nr_hot *hot) {
  const struct nr_pair *pair = hot->pair;
  bool told = pass->takes ? pair->host_tracks == NR_HOST_TRACKS : pair->own_tracks;
  uint64_t bytes = hot->to - hot->from, tracked = told ? pair->tracked.to - pair->tracked.from : 0;
  return NR_COMPARISON + (bytes > tracked ? bytes - tracked : 0);
}

static void visit_hot(struct pass *pass, const struct nr_hot_choice *choice) {
  struct nr_connection *connection = pass->connection;
  for (uint32_t i = connection->hot_count; (i = nr_hot_before(choice, i)) != NR_NO_HOT;) {
    struct nr_hot *hot = &connection->hot[i];
    hot->pass = pass->number;
    hot->quiet++;
    if (hot->pair != NULL) pass->cost += cost_of(pass, hot);
    if (pass->takes && hot->pair != NULL && is_untouched(hot->pair, hot->from, hot->to)) continue;
    uint64_t to = hot->to;
    uint8_t *bytes = bytes_of(pass, hot, &to);
    if (bytes != NULL && copy(pass, hot->pair, bytes, hot->from, to)) nr_hot_changed(connection, i);
  }
}

static bool is_done(const struct pass *pass, const struct nr_pair *pair, const struct nr_range *shown) {
  for (uint32_t i = pair->hot; i != NR_NO_HOT; i = pass->connection->hot[i].below) {
    const struct nr_hot *hot = &pass->connection->hot[i];
    if (hot->pass == pass->number && hot->from <= shown->from && hot->to >= shown->to) return true;
  }
  return false;
}

static const struct nr_range all = {0, UINT64_MAX};

/* What of the pair lies there, in the pass's direction; one whose turn comes seldom may always have it on the same way,
 * and so goes both. *bytes: where, if anything was looked at. */
static bool visit_part(struct pass *pass, struct nr_pair *pair, struct nr_range part, bool seldom, uint8_t **bytes) {
  bool changed = false;
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    struct nr_range shown = pair->shown[i];
    if (shown.from < part.from) shown.from = part.from;
    if (shown.to > part.to) shown.to = part.to;
    if (shown.from >= shown.to || is_done(pass, pair, &shown)) continue;
    uint8_t *found = find_bytes(pass, pair, shown.from, &shown.to);
    if (found == NULL) continue;
    *bytes = found;
    changed |= copy(pass, pair, found, shown.from, shown.to);
    if (!seldom) continue;
    struct pass back = {.connection = pass->connection, .takes = !pass->takes, .back = true};
    changed |= copy(&back, pair, found, shown.from, shown.to);
  }
  return changed;
}

/* Of one that has megabytes of what is no memory of its own, as a rule (windows.c). */
static bool visit_slice(struct pass *pass, struct nr_pair *pair, bool seldom, uint8_t **bytes) {
  struct nr_range slice = nr_window_slice(pair);
  bool changed = visit_part(pass, pair, (struct nr_range){0, NR_SLICE_HEAD}, seldom, bytes);
  changed |= visit_part(pass, pair, slice, seldom, bytes);
  if (pass->takes) pair->slice_at = slice.to;
  return changed;
}

/* One part, in memory that both processes map, of which nobody else tells: most small ones. */
static bool is_plain(const struct nr_pair *pair) {
  return pair->shown_count == 1 && pair->host_tracks == NR_HOST_SILENT && pair->hot == NR_NO_HOT &&
         pair->tracked.to == 0 && !pair->foreign && !pair->block.born && pair->length <= INT32_MAX;
}

/* Most of those have not changed, and every call comes by: with 16 of 64 bytes that are kept, noop() takes 1.13 instead
 * of 1.43 us. */
static bool is_unchanged(struct pass *pass, struct nr_pair *pair) {
  struct nr_range part = *pair->shown;
  uint64_t to = part.to;
  const uint8_t *bytes = pass->takes ? pair->block.memory : find_bytes(pass, pair, part.from, &to);
  if (bytes == NULL || memcmp(bytes + part.from, pair->block.twin + part.from, to - part.from) != 0) return false;
  pair->item.next_cost = NR_COMPARISON + (uint32_t)(part.to - part.from);
  return true;
}

static bool visit_cold(struct nr_cold_item *item, void *context) {
  struct pass *pass = context;
  struct nr_connection *connection = pass->connection;
  struct nr_pair *pair = (struct nr_pair *)item; /* its first member */
  uint8_t *bytes = NULL;
  bool changed = false;
  if (!pass->whole && item->unchanged >= NR_QUIET && item->cost >= NR_QUIET_BYTES) return false;
  pass->cost += item->cost;
  bool seldom = item->group == NR_COLD_ASLEEP || (item->group == NR_COLD_IDLE && !pass->all);
  if (!seldom && is_plain(pair) && is_unchanged(pass, pair)) return false;
  if (pass->takes && !seldom && is_all_untouched(pair)) return false;
  if (nr_window_is_sliced(connection, pair))
    changed = visit_slice(pass, pair, seldom, &bytes);
  else
    changed = visit_part(pass, pair, all, seldom, &bytes);
  if (!changed && bytes != NULL && !pass->takes && item->unchanged >= NR_UNCHANGED)
    nr_track_again(connection, pair, bytes);
  item->next_cost = nr_window_cost(connection, pair);
  if (changed && !pass->all) nr_lifetime_doubt(connection, pair);
  return changed;
}

/* Tracked from now on, and compared both ways, since it may not have been looked at for long. `end`: of its bytes, as
 * they are now. */
static bool promote(struct pass *pass, struct nr_pair *pair, uint8_t *bytes, uint64_t end) {
  struct nr_connection *connection = pass->connection;
  bool changed = false;
  if (pair->item.unchanged >= NR_UNCHANGED) pair->rewritten = pair->host_rewritten = 0;
  bool is_new = nr_track_all(connection, pair, bytes), told = pair->host_tracks == NR_HOST_TRACKS;
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    uint64_t from = pair->shown[i].from, to = pair->shown[i].to < end ? pair->shown[i].to : end;
    changed |= (is_new ? nr_window_send_all : nr_window_send)(connection, pair, bytes, from, to);
    changed |= (told ? nr_window_take : nr_window_take_all)(connection, pair, bytes, from, to);
  }
  if (pair->own_tracks && end < pair->tracked.to) nr_cut_note(connection->agent, pair);
  pass->promoted++;
  return changed;
}

/* Is it time to track it? What has seen no collection yet may not live long. */
static bool is_ripe(const struct pass *pass, const struct nr_pair *pair) {
  if (pair->hot != NR_NO_HOT || pass->promoted >= NR_PROMOTED || nr_track_is_settled(pair)) return false;
  return pair->age >= NR_OLD || pair->foreign || pair->block.born || pair->item.unchanged >= NR_YOUNG_PATIENCE;
}

/* It is looked at with each call from now on, whatever else there is: among those that are kept. */
static bool compare_from_now(struct pass *pass, struct nr_pair *pair) {
  uint8_t *bytes = NULL;
  pair->compared = pair->item.was_kept = true;
  nr_window_cool(pass->connection, pair);
  return visit_part(pass, pair, all, false, &bytes);
}

/* One that is worth tracking: until it is, it is compared. */
static bool settle(struct nr_cold_item *item, void *context) {
  struct pass *pass = context;
  struct nr_connection *connection = pass->connection;
  struct nr_pair *pair = (struct nr_pair *)item; /* its first member */
  bool asked = pair->host_tracks == NR_HOST_ASKED;
  if (pair->age < NR_OLD && pass->spent > NR_YOUNG_BYTES) return false;
  pass->spent += item->cost;
  uint64_t to = pair->shown[pair->shown_count - 1].to;
  bool is_time = is_ripe(pass, pair);
  if (is_time && nr_track_may_compare(connection, pair)) return compare_from_now(pass, pair);
  uint8_t *bytes = is_time ? find_bytes(pass, pair, pair->shown[0].from, &to) : NULL;
  bool promotes = bytes != NULL;
  bool changed = promotes ? promote(pass, pair, bytes, to) : visit_part(pass, pair, all, false, &bytes);
  /* It was asked before it got the turn that has ended, and this was all of it. (Asked just now, its other threads may
   * write before it begins to watch.) */
  if (asked && promotes && pass->takes && pair->host_tracks == NR_HOST_ASKED) pair->host_tracks = NR_HOST_TRACKS;
  if (pair->hot == NR_NO_HOT && (pair->untracked || nr_track_has_all(pair))) {
    nr_cold_remove(&connection->cold_large, item);
    nr_window_chill(connection, pair);
  }
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
  if (pass->turn)
    nr_cold_visit(cold, patience, visit_cold, pass);
  else
    (pass->whole ? nr_cold_visit_awake : nr_cold_visit_kept)(cold, visit_cold, pass);
}

/* All of them, if this entry has brought none: a program that passes a fresh one with each call has hundreds of which
 * nobody will hear again, and those take turns. */
static void visit_large(struct pass *pass) {
  struct nr_connection *connection = pass->connection;
  if (nr_cold_is_empty(&connection->cold_large)) return;
  /* New ones that will not live long are in the other list. */
  if (connection->cold_large.churn < connection->cold.churn) connection->cold_large.churn = connection->cold.churn;
  bool calm = connection->pairs_made == connection->pairs_seen;
  if (pass->turn && calm)
    nr_cold_each(&connection->cold_large, settle, pass);
  else
    visit_list(pass, &connection->cold_large, 1);
}

/* `always`: hot windows from there on are looked at in any case. */
static void run_pass(struct pass *pass, uint32_t always) {
  struct nr_connection *connection = pass->connection;
  bool foreign = connection->foreign_count > 0;
  if (connection->hot_count == 0 && nr_cold_is_empty(&connection->cold) && nr_cold_is_empty(&connection->cold_large) &&
      nr_cold_is_empty(&connection->cold_pools) && !foreign)
    return;
  pass->number = ++connection->passes;
  struct nr_hot_choice choice = nr_hot_choose(connection, pass->whole, pass->takes, always);
  if (pass->takes && foreign) read_ahead(pass, &choice);
  visit_hot(pass, &choice);
  nr_hot_chosen(&choice);
  visit_list(pass, &connection->cold, pass->takes ? NR_TAKE_PATIENCE : 1);
  visit_list(pass, &connection->cold_pools, pass->takes ? NR_TAKE_PATIENCE : 1);
  visit_large(pass);
  if (foreign) {
    visit_list(pass, &connection->cold_foreign, 1);
    nr_ahead_end(connection);
  }
  if (pass->scope != NULL) napi_close_handle_scope(connection->agent->napi, pass->scope);
}

static void count_cost(const struct pass *pass) {
  uint32_t *left = &pass->connection->might_left;
  *left = pass->turn ? NR_MIGHT_BYTES : nr_might_less(*left, pass->cost);
}

/* Where new ones keep coming, old ones are about to be collected: a handle that stays in the scope of a call would have
 * V8 keep them, and move them to where it seldom looks again. (Of Node's pools one more stayed with each collection.)
 */
static bool may_leave(const struct nr_connection *connection) {
  return connection->calm >= NR_CALM_SMALL && connection->still >= NR_CALM_SMALL;
}

void nr_memory_send(struct nr_connection *connection, bool turn, bool scoped) {
  scoped = scoped && may_leave(connection);
  struct pass pass = {
      .connection = connection, .turn = turn, .whole = turn || connection->might_left > 0, .scoped = scoped};
  connection->sends++;
  nr_pairs_look(connection);
  nr_track_beside(connection);
  pass.cost = nr_track_send(connection->agent, pass.whole, scoped);
  pass.cost += nr_sparse_send(connection);
  run_pass(&pass, connection->hot_count);
  count_cost(&pass);
}

static bool lift(struct nr_cold_item *item, void *context) {
  struct nr_pair *pair = (struct nr_pair *)item; /* its first member */
  if (nr_track_is_worth(context, pair)) nr_window_cool(context, pair);
  return false;
}

static void count_calm(struct nr_connection *connection) {
  bool is_new = connection->pairs_made != connection->pairs_seen;
  if (connection->fills != connection->fills_seen) connection->still = 0;
  connection->fills_seen = connection->fills;
  if (!is_new && !connection->in_call) return;
  bool is_still = connection->in_call && ++connection->still == NR_STILL;
  connection->calm = is_new ? 0 : connection->calm + 1;
  connection->pairs_seen = connection->pairs_made;
  nr_lifetime_count(connection, is_new);
  if (is_still) nr_cold_each(&connection->cold_pools, lift, connection);
  bool calm = connection->calm == NR_CALM_MADE;
  if (calm || (connection->calm == NR_CALM && connection->lifetime == NR_LIFETIME_SHORT))
    nr_cold_each(&connection->cold, lift, connection);
  /* Where they die soon there may be hundreds, none of them worth it yet. */
  if (calm || (connection->calm == NR_CALM_FOREIGN && !nr_lifetime_is_short(connection)))
    nr_cold_each(&connection->cold_foreign, lift, connection);
}

/* There is nearly more than is compared in a pass, or the kernel is asked anyway, so that to compare a few kilobytes
 * spares nothing: what has come to be worth tracking meanwhile is. */
static void relieve(struct nr_connection *connection) {
  struct nr_cold *lists[] = {&connection->cold, &connection->cold_pools, &connection->cold_foreign};
  uint32_t count = 0;
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) count += nr_cold_count(lists[i]);
  bool is_time = ++connection->takes - connection->relieved >= NR_RELIEF_EACH + count || connection->doubted;
  connection->doubted = false;
  if (count == 0 || (!is_time && connection->calm != NR_CALM_SMALL)) return;
  connection->relieved = connection->takes;
  if (connection->agent == NULL) return;
  bool is_asking = nr_track_is_asking(connection->agent);
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    if (is_asking || !nr_track_has_room(connection, lists[i], 0)) nr_cold_each(lists[i], lift, connection);
  }
}

void nr_memory_take(struct nr_connection *connection, bool turn, uint32_t hot) {
  struct pass pass = {
      .connection = connection, .takes = true, .turn = turn, .whole = turn || connection->might_left > 0};
  run_pass(&pass, hot);
  count_cost(&pass);
}

void nr_memory_settle(struct nr_connection *connection) {
  count_calm(connection);
  relieve(connection);
}
