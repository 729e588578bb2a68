/*
 * What need not be compared: the kernel knows which pages were written (wire/track.h), here by JavaScript, in the host
 * by native code, which tells. That is large parts of pairs, and smaller ones that have lived for a while and are not
 * in use (passes.c); here all connections' are asked about at once (wire/watched.h). A first write to a page that is
 * watched costs nearly a microsecond, so what is written whole each time is compared after all.
 */
#include <errno.h>

#include "handlers.h"
#include "server/enter.h"
#include "server/memory/memory.h"
#include "wire/pages.h"
#include "wire/turns.h"
#include "wire/faults.h"
#include "wire/watched.h"

/* Found written for the most part so often, one time after the other: not watched until it is found unchanged. */
#define NR_REWRITTEN 2u
/* After so many questions without news none is asked while a property is read, say, which only might run JavaScript. */
#define NR_QUIET 16u
static void start(struct nr_agent *agent) {
  agent->tracker = nr_tracker_create(0);
  agent->watched = agent->tracker == NULL ? NULL : nr_watched_create(agent->tracker, false);
  agent->no_tracker = agent->watched == NULL;
}

bool nr_track_is_there(struct nr_agent *agent) {
  if (agent == NULL) return false;
  if (agent->watched == NULL && !agent->no_tracker) start(agent);
  return agent->watched != NULL;
}

bool nr_track_is_asking(const struct nr_agent *agent) {
  return agent->watched != NULL && !nr_watched_is_empty(agent->watched);
}

/* ---- what the host is told ----------------------------------------------------------------------------------------
 */

/* Before the host watches it: from then on what this side writes has to be told. */
static void count_watched(struct nr_connection *connection, struct nr_pair *pair, bool is) {
  if (pair->host_counts == is) return;
  pair->host_counts = is;
  nr_host_watch(connection->host, is);
}

/* What both sides map of the tracked part, from its beginning on. */
static struct nr_range hole_of(const struct nr_pair *pair) {
  uint64_t from = pair->born.from > pair->tracked.from ? pair->born.from : pair->tracked.from;
  uint64_t to = pair->born.to < pair->tracked.to ? pair->born.to : pair->tracked.to;
  if (from >= to) return (struct nr_range){0, 0};
  return (struct nr_range){from - pair->tracked.from, to - pair->tracked.from};
}

static void post_track(struct nr_connection *connection, struct nr_pair *pair) {
  Nr__TrackMemoryRequest request = NR__TRACK_MEMORY_REQUEST__INIT;
  if (pair->foreign) {
    count_watched(connection, pair, true);
    pair->host_together = pair->host_tracks != NR_HOST_SILENT;
  }
  request.pair_id = pair->id;
  request.place = pair->foreign ? 0 : pair->block.place + 1;
  request.block_length = pair->length;
  if (pair->host_tracks != NR_HOST_SILENT) {
    request.offset = pair->tracked.from;
    request.length = pair->tracked.to - pair->tracked.from;
    struct nr_range hole = hole_of(pair);
    request.hole_offset = hole.to > 0 ? pair->tracked.from + hole.from : 0;
    request.hole_length = hole.to - hole.from;
    request.beside = pair->beside > 0;
  }
  /* A pair that is gone may have had the same memory: the host must not ask the kernel in its name. */
  if (connection->release_count > 0) nr_release_flush(connection);
  nr_post(connection, NR_OP_TRACK_MEMORY, &request.base);
}

/* Pages of one buffer hold parts of others, perhaps of another thread's: all of the host's are told of. */
void nr_track_disturb(struct nr_connection *connection) {
  Nr__Empty request = NR__EMPTY__INIT;
  if (nr_host_is_watching(connection->host)) nr_post(connection, NR_OP_DISTURB_MEMORY, &request.base);
}

/* What can be tracked of a part. malloc() puts Buffers on the same pages as what else it gives out: when that is
 * written all the time the pair has only those that are its own. */
static struct nr_range trackable(const struct nr_pair *pair, uint64_t from, uint64_t to) {
  uint64_t begin = (uint64_t)(uintptr_t)pair->bytes;
  if (!pair->noisy) return (struct nr_range){from, to};
  struct nr_range inner = {(begin + from + NR_PAGE - 1) / NR_PAGE * NR_PAGE - begin,
                           (begin + to) / NR_PAGE * NR_PAGE - begin};
  return inner.from < inner.to ? inner : (struct nr_range){0, 0};
}

void nr_track_host(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to) {
  struct nr_range part = trackable(pair, from, to);
  if (pair->foreign || pair->untracked || part.to - part.from <= pair->tracked.to - pair->tracked.from) return;
  nr_track_end(connection, pair);
  pair->tracked = part;
  /* Nobody there has known the address of one that is new: nothing has been written. */
  pair->host_tracks = pair->shown_count == 0 ? NR_HOST_TRACKS : NR_HOST_ASKED;
  post_track(connection, pair);
}

/* Its real memory is pages of its own. A part that does not begin on one is tracked with what lies before it: found
 * written, it is compared. */
void nr_track_foreign(struct nr_connection *connection, struct nr_pair *pair, const struct nr_range *part) {
  count_watched(connection, pair, true);
  pair->tracked = *part;
  pair->host_tracks = NR_HOST_TRACKS;
}

/* Does another host map the bytes? What it writes there this process does not see as its own. */
static bool is_born_elsewhere(const struct nr_agent *agent, const struct nr_pair *pair) {
  for (const struct nr_connection *each = agent->connections; each != NULL; each = each->next) {
    for (struct nr_pair *other = nr_pair_index_first(each->pair_index, pair->bytes); other != NULL;
         other = other->next) {
      if (other != pair && other->bytes == pair->bytes && other->block.born) return true;
    }
  }
  return false;
}

bool nr_track_own(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes) {
  uint64_t length = pair->tracked.to - pair->tracked.from;
  if (length == 0 || pair->own_tracks || pair->rewritten >= NR_REWRITTEN) return false;
  if (pair->noisy > 0) {
    struct nr_range inner = trackable(pair, pair->tracked.from, pair->tracked.to);
    if (inner.to - inner.from < NR_TRACKED_MIN) return false;
  }
  if (!nr_track_is_there(connection->agent) || is_born_elsewhere(connection->agent, pair)) return false;
  pair->own_tracks =
      nr_watched_add(connection->agent->watched, bytes + pair->tracked.from, length, hole_of(pair), pair);
  if (pair->own_tracks && length < NR_TRACK_WORTH) connection->agent->small++;
  return pair->own_tracks;
}

void nr_track_forget(struct nr_connection *connection, struct nr_pair *pair) {
  nr_track_end(connection, pair);
  count_watched(connection, pair, false);
  nr_noise_end(pair);
}

/* In a collection, too, and after the thread's end. */
void nr_track_end(struct nr_connection *connection, struct nr_pair *pair) {
  if (!pair->own_tracks) return;
  pair->own_tracks = false;
  if (connection->agent == NULL) return;
  if (pair->tracked.to - pair->tracked.from < NR_TRACK_WORTH) connection->agent->small--;
  nr_cut_forget(connection->agent, pair);
  nr_watched_remove(connection->agent->watched, (const uint8_t *)pair->bytes + pair->tracked.from,
                    pair->tracked.to - pair->tracked.from, pair);
}

/* Only pages of its own from now on. */
static void narrow(struct nr_connection *connection, struct nr_pair *pair) {
  struct nr_range inner = trackable(pair, pair->tracked.from, pair->tracked.to);
  if (inner.to - inner.from < NR_TRACKED_MIN) return; /* few pages: it is compared */
  pair->tracked = inner;
  if (pair->host_tracks == NR_HOST_SILENT) return;
  pair->host_tracks = NR_HOST_ASKED;
  post_track(connection, pair);
}

/* ---- what JavaScript wrote ----------------------------------------------------------------------------------------
 */

struct question {
  struct nr_agent *agent;
  bool scoped;             /* handles may stay in the scope that is open: another one is malloc()'s */
  napi_handle_scope scope; /* NULL: not needed yet */
  struct nr_pair *ending;  /* the first of those; NULL: none */
};

/* The kernel is not asked about it any more; when that is over. */
static void note_ending(struct question *question, struct nr_pair *pair) {
  if (pair->ending != NULL) return;
  pair->ending = question->ending == NULL ? pair : question->ending;
  question->ending = pair;
}

/* Is most of it written each time? Then comparing costs less, and for small ones in use it always does. */
static void count_rewritten(struct question *question, struct nr_pair *pair, uint64_t length) {
  uint64_t all = pair->tracked.to - pair->tracked.from;
  uint32_t asked = question->agent->watched_asked;
  if (pair->asked != asked) {
    if (pair->asked + 1 != asked || pair->written * 2 <= all) pair->rewritten = 0;
    pair->asked = asked;
    pair->written = 0;
  }
  bool mostly = pair->written * 2 > all;
  pair->written += length;
  if (!mostly && pair->written * 2 > all) pair->rewritten++;
  if (pair->hot != NR_NO_HOT && all < NR_TRACKED_MIN) pair->rewritten = NR_REWRITTEN;
  if (pair->rewritten >= NR_REWRITTEN) note_ending(question, pair);
}

static void send_written(void *owner, struct nr_range range, void *context) {
  struct question *question = context;
  struct nr_pair *pair = owner;
  uint64_t from = pair->tracked.from + range.from, end = pair->tracked.from + range.to, to = end;
  if (!question->scoped && question->scope == NULL &&
      napi_open_handle_scope(question->agent->napi, &question->scope) != napi_ok)
    return;
  const uint8_t *bytes = nr_pair_part(pair, from, &to);
  if ((bytes == NULL || to < end) && !nr_cut_note(question->agent, pair)) {
    pair->untracked = true;
    note_ending(question, pair);
  }
  if (bytes == NULL) return;
  if (nr_window_written(pair->connection, pair, bytes, from, to))
    count_rewritten(question, pair, to - from);
  else if (nr_noise_count(question->agent, pair, from, to))
    note_ending(question, pair);
}

/* Neither side tells of it any more. */
static void give_back(struct nr_connection *connection, struct nr_pair *pair) {
  if (pair->host_tracks == NR_HOST_SILENT) return;
  pair->host_tracks = NR_HOST_SILENT;
  if (nr_port_failure(connection->port) == 0) post_track(connection, pair);
}

static void end_tracking(struct nr_pair *pair) {
  struct nr_connection *connection = pair->connection;
  nr_track_end(connection, pair);
  if (pair->untracked)
    give_back(connection, pair);
  else if (pair->noisy)
    narrow(connection, pair);
  nr_window_cool(connection, pair);
}

uint64_t nr_track_send(struct nr_agent *agent, bool whole, bool scoped) {
  if (agent == NULL || agent->watched == NULL || nr_watched_is_empty(agent->watched)) return 0;
  if (!whole && agent->watched_quiet >= NR_QUIET) return 0;
  nr_cut_look(agent);
  struct question question = {.agent = agent, .scoped = scoped};
  agent->watched_asked++;
  uint32_t rows = nr_watched_rows(agent->watched);
  if (nr_watched_ask(agent->watched, nr_faults_now(), send_written, &question))
    agent->watched_quiet = 0;
  else
    agent->watched_quiet++;
  if (question.scope != NULL) napi_close_handle_scope(agent->napi, question.scope);
  for (struct nr_pair *pair = question.ending, *next; pair != NULL; pair = next) {
    next = pair->ending == pair ? NULL : pair->ending;
    pair->ending = NULL;
    /* What was collected has others on its pages soon. */
    if (pair->untracked && nr_pair_forget_dead(pair->connection, pair)) continue;
    end_tracking(pair);
  }
  return (1 + (uint64_t)(nr_watched_rows(agent->watched) - rows)) * NR_QUESTION_BYTES;
}

int nr_track_present(struct nr_connection *connection, const uint8_t *bytes, uint64_t length,
                     bool (*there)(struct nr_range range, void *context), void *context) {
  if (!nr_track_is_there(connection->agent)) return -ENOSYS;
  return nr_tracker_present(connection->agent->tracker, bytes, length, there, context);
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

/* `to`: how far it goes at present. */
static void begin_own(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t to) {
  if (!nr_track_own(connection, pair, bytes)) return;
  nr_window_written(connection, pair, bytes, pair->tracked.from, to);
  if (to < pair->tracked.to) nr_cut_note(connection->agent, pair);
}

void nr_track_leave(struct nr_connection *connection, struct nr_pair *pair) {
  napi_handle_scope scope;
  if (connection->agent == NULL || nr_port_failure(connection->port) < 0) return;
  if (pair->host_tracks == NR_HOST_TRACKS) count_touched(connection, pair);
  if (pair->own_tracks || pair->rewritten >= NR_REWRITTEN) return;
  if (napi_open_handle_scope(connection->agent->napi, &scope) != napi_ok) return;
  uint64_t to = pair->tracked.to;
  const uint8_t *bytes = nr_pair_part(pair, pair->tracked.from, &to);
  if (bytes != NULL) begin_own(connection, pair, bytes, to);
  napi_close_handle_scope(connection->agent->napi, scope);
}

void nr_track_again(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes) {
  if (pair->tracked.to == 0) return;
  pair->rewritten = pair->host_rewritten = 0;
  uint64_t to = pair->tracked.to;
  if (nr_pair_part(pair, pair->tracked.from, &to) == NULL) return;
  begin_own(connection, pair, bytes, to);
  if (pair->host_tracks != NR_HOST_SILENT || pair->untracked) return;
  pair->host_tracks = NR_HOST_ASKED;
  post_track(connection, pair);
}

/* ---- what is not in use -------------------------------------------------------------------------------------------
 */

static struct nr_range wanted(const struct nr_pair *pair) {
  return trackable(pair, pair->shown[0].from, pair->shown[pair->shown_count - 1].to);
}

static void wait_no_more(struct nr_pair *pair, void *context) {
  if (pair->host_waits && pair->host_together && pair->host_tracks != NR_HOST_SILENT) post_track(context, pair);
  pair->host_waits = false;
}

void nr_track_beside(struct nr_connection *connection) {
  nr_noise_try(connection);
  if (!connection->host_waits) return;
  connection->host_waits = false;
  nr_pair_index_each(connection->pair_index, wait_no_more, connection);
}

static bool covers(const struct nr_pair *pair, struct nr_range part) {
  return pair->tracked.from <= part.from && pair->tracked.to >= part.to;
}

static bool covers_shown(const struct nr_pair *pair) {
  return covers(pair, (struct nr_range){pair->shown[0].from, pair->shown[pair->shown_count - 1].to});
}

bool nr_track_is_told(const struct nr_pair *pair) {
  return pair->host_tracks == NR_HOST_TRACKS && pair->foreign == pair->host_together && pair->shown_count > 0 &&
         covers_shown(pair);
}

bool nr_track_has_all(const struct nr_pair *pair) {
  return pair->own_tracks && nr_track_is_told(pair);
}

bool nr_track_is_settled(const struct nr_pair *pair) {
  return pair->own_tracks && pair->host_tracks == NR_HOST_TRACKS && pair->foreign == pair->host_together &&
         covers(pair, wanted(pair));
}

bool nr_track_all(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes) {
  struct nr_range part = wanted(pair);
  bool host_had = false;
  if (!covers(pair, part)) {
    nr_track_end(connection, pair);
    host_had = pair->host_tracks != NR_HOST_SILENT;
    pair->tracked = part;
    pair->host_tracks = NR_HOST_SILENT;
  }
  /* Watched by itself until now: the host keeps what it has not told of yet. */
  bool joins = pair->foreign && !pair->host_together && pair->host_tracks == NR_HOST_TRACKS;
  bool is_new = nr_track_own(connection, pair, bytes);
  if (!pair->own_tracks && pair->rewritten < NR_REWRITTEN) pair->untracked = true; /* there are too many, say */
  if (joins && pair->untracked) pair->host_tracks = NR_HOST_SILENT;
  bool asks = !pair->untracked && pair->host_tracks == NR_HOST_SILENT && pair->host_rewritten < NR_REWRITTEN;
  if (asks) pair->host_tracks = NR_HOST_ASKED;
  if (asks || host_had || (joins && !pair->untracked)) post_track(connection, pair);
  return is_new;
}

void nr_track_ease(struct nr_connection *connection, struct nr_pair *pair) {
  bool is = pair->own_tracks || pair->large; /* or is about to be */
  if (!is || pair->tracked.to - pair->tracked.from >= NR_TRACKED_MIN || nr_track_is_worth(connection, pair)) return;
  nr_track_end(connection, pair);
  give_back(connection, pair);
  pair->tracked = (struct nr_range){0, 0}; /* or it would be again as soon as it is found unchanged */
  nr_window_cool(connection, pair);
}
