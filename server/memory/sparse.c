/*
 * Large external buffers, most of which may be no memory at all (NR_SPARSE_MIN). What has been seen of them is compared
 * like any other. What JavaScript touches beyond that, the kernel tells: pages that have come to be there. It takes a
 * page fault for that, so without one nobody is asked.
 */
#include <stdlib.h>

#include "server/memory/memory.h"
#include "wire/turns.h"
#include "wire/faults.h"
#include "wire/watched.h"

/* So many that are no windows on the mirror are asked about before a turn: 1.3 us each, and more with what is there: 55
 * us with 1,000 pages here and there in 64 MiB. For so many ranges one is left out once. */
#define NR_SPARSE_TURNS 8u
#define NR_SPARSE_RANGES 256u
#define NR_SPARSE_REST 32u

void nr_sparse_add(struct nr_connection *connection, struct nr_pair *pair) {
  if (connection->sparse_count == connection->sparse_room) {
    uint32_t room = connection->sparse_room == 0 ? 16 : connection->sparse_room * 2;
    struct nr_pair **sparse = realloc(connection->sparse, room * sizeof *sparse);
    if (sparse == NULL) return; /* then it is asked about when it is passed */
    connection->sparse = sparse;
    connection->sparse_room = room;
  }
  connection->sparse[connection->sparse_count++] = pair;
  pair->sparse_at = connection->sparse_count;
  pair->sparse_mark = -1;
}

void nr_sparse_forget(struct nr_connection *connection, struct nr_pair *pair) {
  if (pair->sparse_at == 0) return;
  struct nr_pair *last = connection->sparse[--connection->sparse_count];
  connection->sparse[pair->sparse_at - 1] = last;
  last->sparse_at = pair->sparse_at;
  pair->sparse_at = 0;
}

/* As long as it stays the same nothing has come to be there; -1: not known. It takes a page fault, and of the mirror
 * the blocks are counted. */
static long mark_of(const struct nr_connection *connection, const struct nr_pair *pair, long faults) {
  return pair->window != NULL ? connection->sparse_news : faults;
}

/* Where all of it is watched, what is touched is told as written (nr_window_written()). */
static bool is_due(struct nr_pair *pair, long mark) {
  if (pair->own_tracks && pair->tracked.from == 0 && pair->tracked.to == pair->length) return false;
  if (mark >= 0 && pair->sparse_mark == mark) return false;
  if (pair->window != NULL || pair->sparse_rest == 0) return true;
  pair->sparse_rest--;
  return false;
}

static void ask(struct nr_connection *connection, struct nr_pair *pair, long mark) {
  uint32_t rest = nr_window_seek(connection, pair, 0, pair->length) / NR_SPARSE_RANGES;
  pair->sparse_rest = rest < NR_SPARSE_REST ? rest : NR_SPARSE_REST;
  pair->sparse_mark = mark;
}

/* What this side has brought itself is not left out: a page that a thread of libuv's reads a file into meanwhile would
 * be counted with that, and native code not see it. */
static void look(struct nr_connection *connection) {
  long touched = nr_mirror_touched(&connection->mirror);
  if (touched != connection->sparse_touched) connection->sparse_news++;
  connection->sparse_touched = touched;
}

uint64_t nr_sparse_send(struct nr_connection *connection) {
  uint32_t asked = 0, turns = 0;
  if (connection->sparse_count == 0) return 0;
  bool is_there = nr_track_is_there(connection->agent);
  long faults = nr_faults_now();
  look(connection);
  for (uint32_t i = 0; i < connection->sparse_count && turns < NR_SPARSE_TURNS; i++) {
    if (++connection->sparse_turn >= connection->sparse_count) connection->sparse_turn = 0;
    struct nr_pair *pair = connection->sparse[connection->sparse_turn];
    long mark = mark_of(connection, pair, faults);
    if ((pair->window == NULL && !is_there) || !is_due(pair, mark)) continue;
    ask(connection, pair, mark);
    asked++;
    turns += pair->window == NULL;
  }
  return (1 + (uint64_t)asked) * NR_QUESTION_BYTES;
}

/* What only this one knew of the mirror the others get to know. */
void nr_sparse_close(struct nr_connection *connection, struct nr_mirror_window *window) {
  nr_mirror_close(&connection->mirror, window);
  connection->sparse_news++;
}
