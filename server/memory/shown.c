/*
 * Which parts of a pair the host has got to know.
 */
#include <stdlib.h>
#include <string.h>

#include "server/memory/memory.h"

/* Parts of a pair: those that lie closest become one when there are more. */
#define NR_SHOWN_MAX 64u
/* Copied in steps that stay in the first cache: from there the second copy is made. */
#define NR_COPY_STEP (UINT64_C(8) << 10)

void nr_shown_copy(struct nr_pair *pair, const uint8_t *bytes, uint64_t from, uint64_t to) {
  while (from < to) {
    uint64_t step = to - from < NR_COPY_STEP ? to - from : NR_COPY_STEP;
    memcpy(pair->block.twin + from, bytes + from, step);
    memcpy(pair->block.memory + from, pair->block.twin + from, step);
    from += step;
  }
}

uint64_t nr_shown_bytes(const struct nr_pair *pair) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < pair->shown_count; i++) bytes += pair->shown[i].to - pair->shown[i].from;
  return bytes;
}

bool nr_shown_has(const struct nr_pair *pair, uint64_t from, uint64_t to) {
  for (uint32_t i = 0; i < pair->shown_count; i++) {
    if (pair->shown[i].from <= from && pair->shown[i].to >= to) return true;
  }
  return false;
}

/* What lies between two parts. A SharedArrayBuffer has both (`now` is what was seen of it last); of another that has
 * shrunk there may be nothing to copy. Whatever the block held before must not be taken for what native code wrote. */
static void fill_gap(struct nr_pair *pair, const uint8_t *bytes, uint64_t from, uint64_t to) {
  uint64_t there = pair->shared ? to : nr_most(from, nr_least(to, pair->now));
  nr_shown_copy(pair, bytes, from, there);
  memset(pair->block.twin + there, 0, to - there);
  memset(pair->block.memory + there, 0, to - there);
}

/* Takes parts [first, last] together, with what lies between them. */
static void unite(struct nr_pair *pair, const uint8_t *bytes, uint32_t first, uint32_t last) {
  for (uint32_t i = first; i < last && !pair->foreign; i++)
    fill_gap(pair, bytes, pair->shown[i].to, pair->shown[i + 1].from);
  pair->shown[first].to = pair->shown[last].to;
  memmove(&pair->shown[first + 1], &pair->shown[last + 1], (pair->shown_count - last - 1) * sizeof *pair->shown);
  pair->shown_count -= last - first;
}

/* The two that lie closest. */
static void unite_closest(struct nr_pair *pair, const uint8_t *bytes) {
  uint32_t closest = 0;
  for (uint32_t i = 1; i + 1 < pair->shown_count; i++) {
    if (pair->shown[i + 1].from - pair->shown[i].to < pair->shown[closest + 1].from - pair->shown[closest].to)
      closest = i;
  }
  unite(pair, bytes, closest, closest + 1);
}

/* Room for more: the first one has its place in the pair. */
static bool grow(struct nr_pair *pair) {
  if (pair->shown_room == 0) {
    pair->shown = &pair->first_shown;
    pair->shown_room = 1;
    return true;
  }
  struct nr_range *before = pair->shown == &pair->first_shown ? NULL : pair->shown;
  struct nr_range *shown = realloc(before, pair->shown_room * 4 * sizeof *shown);
  if (shown == NULL) return false;
  if (before == NULL) *shown = pair->first_shown;
  pair->shown = shown;
  pair->shown_room *= 4;
  return true;
}

static bool insert(struct nr_pair *pair, uint32_t at, struct nr_range range) {
  if (pair->shown_count == pair->shown_room && !grow(pair)) return false;
  memmove(&pair->shown[at + 1], &pair->shown[at], (pair->shown_count - at) * sizeof *pair->shown);
  pair->shown[at] = range;
  pair->shown_count++;
  return true;
}

bool nr_shown_add(struct nr_pair *pair, const uint8_t *bytes, uint64_t from, uint64_t to) {
  uint32_t first = 0, last;
  while (first < pair->shown_count && pair->shown[first].to < from) first++;
  last = first;
  while (last < pair->shown_count && pair->shown[last].from <= to) last++;
  if (first == last) {
    if (!insert(pair, first, (struct nr_range){from, to})) return false;
  } else {
    uint64_t begin = nr_least(from, pair->shown[first].from), end = nr_most(to, pair->shown[last - 1].to);
    memmove(&pair->shown[first + 1], &pair->shown[last], (pair->shown_count - last) * sizeof *pair->shown);
    pair->shown_count -= last - first - 1;
    pair->shown[first] = (struct nr_range){begin, end};
  }
  if (!pair->foreign && first + 1 < pair->shown_count &&
      pair->shown[first + 1].from - pair->shown[first].to < NR_SHOWN_GAP)
    unite(pair, bytes, first, first + 1);
  if (!pair->foreign && first > 0 && pair->shown[first].from - pair->shown[first - 1].to < NR_SHOWN_GAP)
    unite(pair, bytes, first - 1, first);
  if (pair->shown_count > NR_SHOWN_MAX) unite_closest(pair, bytes);
  return true;
}
