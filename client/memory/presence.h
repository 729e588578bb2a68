/*
 * What is there of memory that need not all be there: of all large external buffers of a channel. Most overlap, each
 * over a gigabyte from some pointer on, so the kernel is asked about each place once for all of them (ffi-napi makes
 * two dozen: to ask for each took 35 of 47 us in a turn of the host's). Not thread-safe.
 */
#ifndef NR_CLIENT_PRESENCE_H
#define NR_CLIENT_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/track.h"

struct nr_presence;

/* In their order, apart from each other. Zeros: none. Its owner frees `ranges`. */
struct nr_ranges {
  struct nr_range *ranges;
  size_t count, room;
};

/* Behind all others. False: out of memory. */
bool nr_ranges_put(struct nr_ranges *list, struct nr_range range);

/* One of those that are asked about: its owner's, who may look at `memory` only. */
struct nr_presence_item {
  struct nr_range memory; /* addresses, in whole pages */
  size_t place;
};

/* What is there. */
struct nr_there {
  const struct nr_ranges *ranges; /* addresses */
  uint64_t version;               /* another one than any before, never 0, once something is different */
};

/* NULL: out of memory. */
struct nr_presence *nr_presence_create(struct nr_tracker *tracker);
/* NULL: no effect. */
void nr_presence_destroy(struct nr_presence *presence);

/* False: out of memory, then it is none. */
bool nr_presence_add(struct nr_presence *presence, struct nr_presence_item *item, const void *memory, size_t length);
void nr_presence_remove(struct nr_presence *presence, struct nr_presence_item *item);

/* What is there of the item's memory, and of what others have around it. faults: nr_faults_now() before this: the
 * kernel is not asked again with the same; < 0: nobody knows. *there is good until the next function. False: it cannot
 * be told. */
bool nr_presence_ask(struct nr_presence *presence, const struct nr_presence_item *item, long faults,
                     struct nr_there *there);

#endif
