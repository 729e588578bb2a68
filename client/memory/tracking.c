/*
 * Of large parts of a pair the server does not look for what native code wrote by comparing: the kernel tells here
 * which pages were written, before the turn goes back: of all that lie in shared memory at once (wire/watched.h), and
 * with them of external buffers that the server takes to live. Of large new ones those that an open entry has seen are
 * asked about every time, the others as wire/cold.h says: most are results, dead before the next collection.
 */
#include "client/memory/memory.h"

#include <stdlib.h>

#include "client/channel.h"
#include "client/memory/beside.h"
#include "wire/pages.h"
#include "wire/turns.h"
#include "wire/faults.h"
#include "wire/watched.h"

#define NR_TRACKED_RANGES 64
/* An external buffer's memory is watched from its beginning when it is so large. */
#define NR_TRACKED_MIN (UINT64_C(128) << 10)
#define NR_SCAN NR_QUESTION_BYTES
/* After so many questions without news a pair is left alone, once asking has cost enough, until JavaScript gets the
 * turn as such (wire/turns.h), or the entry ends. */
#define NR_QUIET 8u

void nr_pair_sparse(struct nr_channel *channel, struct nr_pair *pair, Nr__Stretch *const *stretches, size_t count) {
  if (channel->tracker != NULL && channel->presence == NULL) channel->presence = nr_presence_create(channel->tracker);
  if (channel->presence == NULL) return;
  pair->sparse = nr_sparse_create(channel->presence, pair->block, pair->length, stretches, count);
  if (pair->sparse != NULL && pair->item.next == NULL) nr_cold_add(&channel->tracked, &pair->item, NR_SCAN);
}

/* Is all of it watched, also what is not there yet? */
static bool is_whole(const struct nr_pair *pair) {
  return pair->watch != NULL && pair->tracked.from == 0 && pair->tracked.to == pair->length;
}

/* What asking about a part costs, as bytes to compare. Of a sparse one it depends on what is there; it is asked about
 * each time, as those are that are watched together. */
static uint32_t cost_of(const struct nr_pair *pair) {
  uint64_t bytes = pair->sparse != NULL && is_whole(pair) ? 0 : pair->tracked.to - pair->tracked.from;
  return (uint32_t)(NR_SCAN + bytes / 512);
}

void nr_pair_heat(struct nr_channel *channel, struct nr_pair *pair) {
  if (pair->watched) channel->watched_quiet = 0;
  if (pair->beside) channel->beside_quiet = 0;
  if (pair->hot || pair->watched || pair->beside) return;
  if (channel->entry == NULL) { /* the entry that is to see it comes next */
    if (pair->item.next == NULL) nr_cold_add(&channel->tracked, &pair->item, cost_of(pair));
    return;
  }
  if (channel->hot_count == channel->hot_room) {
    uint32_t room = channel->hot_room == 0 ? 16 : channel->hot_room * 2;
    struct nr_pair **hot = realloc(channel->hot, room * sizeof *hot);
    if (hot == NULL) return; /* then its turn comes with the others */
    channel->hot = hot;
    channel->hot_room = room;
  }
  channel->hot[channel->hot_count++] = pair;
  pair->hot = true;
  pair->quiet = 0;
  nr_cold_remove(&channel->tracked, &pair->item);
}

void nr_pair_untrack(struct nr_channel *channel, struct nr_pair *pair) {
  if (pair->watch != NULL) nr_watch_end(channel->tracker, pair->watch);
  pair->watch = NULL;
  if (pair->watched)
    nr_watched_remove(channel->watched, pair->block + pair->tracked.from, pair->tracked.to - pair->tracked.from, pair);
  if (pair->beside) nr_beside_remove(channel->beside, pair);
  pair->watched = pair->beside = false;
  pair->tracked = (struct nr_range){0, 0};
  nr_cold_remove(&channel->tracked, &pair->item);
  for (uint32_t i = 0; pair->hot && i < channel->hot_count; i++) {
    if (channel->hot[i] == pair) channel->hot[i] = NULL; /* its place stays: outer entries count from the front */
  }
  pair->hot = false;
}

static void send_range(struct nr_channel *channel, uint32_t env, const struct nr_pair *pair, struct nr_range range) {
  Nr__TouchMemoryRequest request = NR__TOUCH_MEMORY_REQUEST__INIT;
  request.pair_id = pair->id;
  request.offset = range.from;
  request.length = range.to - range.from;
  struct nr_frame_header header = {
      .env = env, .opcode = NR_OP_TOUCH_MEMORY, .depth = (uint16_t)channel->depth, .kind = NR_KIND_POST};
  if (nr_port_send(channel->port, &header, &request.base, NULL, 0) < 0) nr_channel_lost(channel);
}

/* `range`: of what is tracked. */
static void send_touch(struct nr_channel *channel, uint32_t env, const struct nr_pair *pair, struct nr_range range) {
  range.from += pair->tracked.from;
  range.to += pair->tracked.from;
  send_range(channel, env, pair, range);
}

/* ---- external buffers ----------------------------------------------------------------------------------------------
 */

static void note_moved(void *owner, bool added, void *context) {
  struct nr_channel *channel = context;
  struct nr_pair *pair = owner;
  pair->watch = NULL;
  pair->watched = added; /* not: the server hears of it when it is asked about next */
  if (added) nr_cold_remove(&channel->tracked, &pair->item);
}

static bool watch_together(struct nr_channel *channel, struct nr_pair *pair, struct nr_range part) {
  return channel->watched != NULL && nr_watch_together(channel->tracker, channel->watched, pair->block + part.from,
                                                       part.to - part.from, pair, note_moved, channel);
}

/* Those that are watched together there no longer are: the server compares them. */
static void make_way(struct nr_channel *channel, uint32_t env, const void *memory, uint64_t length) {
  struct nr_pair *pair;
  while (channel->watched != NULL && (pair = nr_watched_owner(channel->watched, memory, length)) != NULL) {
    nr_pair_untrack(channel, pair);
    if (pair->id != 0) send_range(channel, env, pair, (struct nr_range){0, 0});
  }
}

void nr_pair_watch(napi_env env, struct nr_pair *pair, struct nr_range part, bool sparse, bool own) {
  struct nr_channel *channel = env->channel;
  const uint8_t *memory = pair->block + part.from;
  uint64_t length = part.to - part.from;
  if (length < NR_TRACKED_MIN || channel->tracker == NULL) return;
  if (!sparse && channel->watched != NULL && nr_watched_owner(channel->watched, memory, length) != NULL)
    pair->watched = watch_together(channel, pair, part);
  if (!pair->watched) {
    make_way(channel, env->number, memory, length);
    pair->watch = nr_watch_start(channel->tracker, memory, length, sparse && own, sparse ? NULL : pair);
  }
  if (pair->watched || pair->watch != NULL) pair->tracked = part;
}

/* Other processes write to files, and to memory that they share, which this one's kernel does not tell of. What there
 * is of that is there by now, since the server has read it. */
static bool is_of_file(const struct nr_channel *channel, const struct nr_pair *pair, struct nr_range part) {
  return nr_tracker_is_of_file(channel->tracker, pair->block + part.from, part.to - part.from);
}

void nr_pair_settle(struct nr_channel *channel, struct nr_pair *pair) {
  if (is_of_file(channel, pair, pair->tracked)) {
    struct nr_range part = pair->tracked;
    nr_pair_untrack(channel, pair);
    pair->tracked = part; /* the server hears of it when it is asked about */
  }
  nr_pair_heat(channel, pair);
}

/* But for what both sides map. */
static bool add_around(struct nr_channel *channel, struct nr_pair *pair, const Nr__TrackMemoryRequest *request) {
  struct nr_range hole = {0, 0};
  if (request->hole_length > 0) {
    if (request->hole_offset < request->offset) return false;
    hole.from = request->hole_offset - request->offset;
    if (hole.from > request->length || request->hole_length > request->length - hole.from) return false;
    hole.to = hole.from + request->hole_length;
  }
  return nr_watched_add(channel->watched, pair->block + request->offset, request->length, hole, pair);
}

/* An external buffer's, watched by itself until now, or moved with one that has a page in common with it: nothing of
 * what has not been told yet is forgotten. */
static bool join(struct nr_channel *channel, struct nr_pair *pair, const Nr__TrackMemoryRequest *request) {
  if (!pair->foreign || request->offset != pair->tracked.from ||
      request->length != pair->tracked.to - pair->tracked.from)
    return false;
  if (is_of_file(channel, pair, pair->tracked)) return false;
  return pair->watched || (pair->watch != NULL && channel->watched != NULL &&
                           nr_watch_join(channel->tracker, channel->watched, pair->watch, note_moved, channel));
}

/* What is watched is compared from now on, if there is room for it. */
static void compare(struct nr_channel *channel, struct nr_pair *pair) {
  const uint8_t *memory = pair->block + pair->tracked.from;
  uint64_t length = pair->tracked.to - pair->tracked.from;
  if (!pair->foreign || !pair->watched) return;
  if (channel->beside == NULL) channel->beside = nr_beside_create(NR_HOST_FD_BASE);
  if (channel->beside == NULL || !nr_beside_add(channel->beside, memory, length, pair)) return;
  nr_watched_remove(channel->watched, memory, length, pair);
  pair->watched = false;
  pair->beside = true;
}

void nr_memory_track(struct nr_channel *channel, const Nr__TrackMemoryRequest *request) {
  struct nr_pair *pair = nr_pair_get(channel, request->pair_id, request->place, request->block_length);
  if (pair == NULL) return;
  if (join(channel, pair, request)) {
    if (request->beside) compare(channel, pair);
    nr_pair_heat(channel, pair);
    return;
  }
  bool forgets = pair->foreign && (pair->watch != NULL || pair->watched || pair->beside);
  nr_pair_untrack(channel, pair);
  if (pair->sparse != NULL) nr_cold_add(&channel->tracked, &pair->item, NR_SCAN);
  if (request->length == 0 || request->offset > pair->length || request->length > pair->length - request->offset)
    return;
  pair->tracked = (struct nr_range){request->offset, request->offset + request->length};
  if (!pair->foreign) {
    pair->watched = channel->watched != NULL && add_around(channel, pair, request);
  } else if (!is_of_file(channel, pair, pair->tracked)) {
    pair->watched = watch_together(channel, pair, pair->tracked);
  }
  /* Other threads may have written since that was told last. (To tell it now would be out of turn.) */
  if (forgets && pair->watched) nr_watched_owe(channel->watched, pair->block + pair->tracked.from, pair);
  if (request->beside) compare(channel, pair);
  nr_pair_heat(channel, pair); /* or the server hears that it cannot be */
}

/* In whose name it is told. */
struct asking {
  struct nr_channel *channel;
  uint32_t env;
  bool whole; /* all is asked about; otherwise only what is hot or known to change */
  bool counted;
  uint64_t cost; /* as bytes to compare */
  long faults;   /* nr_faults_now(), then */
};

/* Before the kernel is asked about any. */
static long faults_of(struct asking *asking) {
  if (!asking->counted) asking->faults = nr_faults_now();
  asking->counted = true;
  return asking->faults;
}

/* A range without length: the server has to compare. */
static void give_up(struct asking *asking, struct nr_pair *pair) {
  send_touch(asking->channel, asking->env, pair, (struct nr_range){0, 0});
  pair->tracked.to = pair->tracked.from;
}

struct sending {
  struct asking *asking;
  const struct nr_pair *pair;
  uint64_t from; /* of what is tracked */
};

static bool send_there(struct nr_range range, void *context) {
  const struct sending *sending = context;
  send_touch(sending->asking->channel, sending->asking->env, sending->pair,
             (struct nr_range){sending->from + range.from, sending->from + range.to});
  return true;
}

/* Of a sparse pair what is not there may be told as well (nr_tracker_scan()), once, and the last range may be all the
 * rest. */
static void send_present(struct asking *asking, const struct nr_pair *pair, struct nr_range range) {
  struct sending sending = {asking, pair, range.from};
  const uint8_t *memory = pair->block + pair->tracked.from + range.from;
  if (range.to - range.from <= NR_PAGE ||
      nr_tracker_present(asking->channel->tracker, memory, range.to - range.from, send_there, &sending) < 0)
    send_touch(asking->channel, asking->env, pair, range);
}

/* True: something was written. */
static bool ask(struct asking *asking, struct nr_pair *pair) {
  struct nr_range ranges[NR_TRACKED_RANGES];
  struct nr_channel *channel = asking->channel;
  uint64_t length = pair->tracked.to - pair->tracked.from;
  if (length == 0 || pair->watched || pair->beside) return false;
  if (pair->watch == NULL) {
    give_up(asking, pair);
    return false;
  }
  asking->cost += NR_SCAN;
  int count = nr_watch_scan(channel->tracker, pair->watch, faults_of(asking), ranges, NR_TRACKED_RANGES);
  if (count < 0) { /* an external buffer's memory that was unmapped, and perhaps mapped anew */
    if (!nr_watch_again(channel->tracker, pair->watch)) {
      nr_watch_end(NULL, pair->watch);
      pair->watch = NULL; /* next time the server hears of it */
    }
    ranges[0] = (struct nr_range){0, length};
    count = 1;
  }
  for (int i = 0; i < count; i++) {
    if (pair->sparse != NULL)
      send_present(asking, pair, ranges[i]);
    else
      send_touch(channel, asking->env, pair, ranges[i]);
  }
  return count > 0;
}

static void tell_there(struct nr_range range, void *context) {
  const struct sending *sending = context;
  send_range(sending->asking->channel, sending->asking->env, sending->pair, range);
}

static bool ask_sparse(struct asking *asking, struct nr_pair *pair) {
  if (!nr_sparse_is_due(pair->sparse, faults_of(asking))) return false;
  struct sending sending = {asking, pair, 0};
  asking->cost += NR_SCAN;
  return nr_sparse_ask(pair->sparse, asking->faults, tell_there, &sending);
}

/* Where all of it is watched, what comes to be there is told as written. */
static bool ask_pair(struct asking *asking, struct nr_pair *pair) {
  bool news = pair->sparse != NULL && !is_whole(pair) && ask_sparse(asking, pair);
  return ask(asking, pair) || news;
}

static bool ask_cold(struct nr_cold_item *item, void *context) {
  struct asking *asking = context;
  if (!asking->whole && item->unchanged >= NR_QUIET) return false;
  return ask_pair(asking, (struct nr_pair *)item); /* its first member */
}

static void tell_written(void *owner, struct nr_range range, void *context) {
  const struct asking *asking = context;
  send_touch(asking->channel, asking->env, owner, range);
}

static void tell_beside(void *owner, void *context) {
  const struct nr_pair *pair = owner;
  tell_written(owner, (struct nr_range){0, pair->tracked.to - pair->tracked.from}, context);
}

static void ask_beside(struct asking *asking) {
  struct nr_channel *channel = asking->channel;
  if (channel->beside == NULL || (!asking->whole && channel->beside_quiet >= NR_QUIET)) return;
  asking->cost += nr_beside_cost(channel->beside);
  if (nr_beside_ask(channel->beside, tell_beside, asking))
    channel->beside_quiet = 0;
  else
    channel->beside_quiet++;
}

static void ask_watched(struct asking *asking) {
  struct nr_channel *channel = asking->channel;
  if (channel->watched == NULL || nr_watched_is_empty(channel->watched) ||
      (!asking->whole && channel->watched_quiet >= NR_QUIET))
    return;
  uint32_t rows = nr_watched_rows(channel->watched);
  if (nr_watched_ask(channel->watched, faults_of(asking), tell_written, asking))
    channel->watched_quiet = 0;
  else
    channel->watched_quiet++;
  asking->cost += (1 + (uint64_t)(nr_watched_rows(channel->watched) - rows)) * NR_SCAN;
}

void nr_memory_flush(struct nr_channel *channel, napi_env env, bool turn) {
  bool whole = turn || channel->might_left > 0;
  /* Without an env of its own (a load inside an addon's call) any will do: pairs belong to the channel. */
  struct asking asking = {.channel = channel, .env = env == NULL ? 1 : env->number, .whole = whole};
  ask_watched(&asking);
  ask_beside(&asking);
  for (uint32_t i = 0; i < channel->hot_count; i++) {
    struct nr_pair *pair = channel->hot[i];
    if (pair == NULL || (!whole && pair->quiet >= NR_QUIET)) continue;
    pair->quiet = ask_pair(&asking, pair) ? 0 : pair->quiet + 1;
  }
  if (!nr_cold_is_empty(&channel->tracked)) {
    if (turn)
      nr_cold_visit(&channel->tracked, 1, ask_cold, &asking);
    else
      (whole ? nr_cold_visit_awake : nr_cold_visit_kept)(&channel->tracked, ask_cold, &asking);
  }
  channel->might_left = turn ? NR_MIGHT_BYTES : nr_might_less(channel->might_left, asking.cost);
}

void nr_memory_leave(struct nr_channel *channel, napi_env env, uint32_t hot) {
  nr_memory_flush(channel, env, true);
  while (channel->hot_count > hot) {
    struct nr_pair *pair = channel->hot[--channel->hot_count];
    if (pair == NULL) continue;
    pair->hot = false;
    bool alone = !pair->watched && !pair->beside;
    if ((pair->tracked.to > pair->tracked.from && alone) || pair->sparse != NULL)
      nr_cold_add(&channel->tracked, &pair->item, cost_of(pair));
  }
}
