/*
 * Pairs (memory.c), and the kernel's help in finding what native code wrote (tracking.c).
 */
#ifndef NR_CLIENT_MEMORY_H
#define NR_CLIENT_MEMORY_H

#include "client/client-private.h"
#include "client/memory/sparse.h"
#include "wire/cold.h"
#include "wire/track.h"

/* The host's half of an ArrayBuffer. */
struct nr_pair {
  struct nr_cold_item item; /* of those that are tracked */
  nr_id id;
  uint8_t *block;
  uint64_t length;
  struct nr_range tracked;  /* the part that is; to == 0: none */
  bool watched;             /* ... with all others, in the channel's list */
  bool beside;              /* ... by comparing, with others (beside.h) */
  bool foreign;             /* an external buffer's: the block is the addon's own memory */
  struct nr_watch *watch;   /* of that part of an external buffer; NULL: it is not, or cannot be */
  struct nr_sparse *sparse; /* an external buffer's that is larger than what is there of it; NULL: another's */
  bool hot;                 /* an open entry has seen it */
  uint32_t quiet;           /* times it was asked about since, without news */
};

/* The pair of that id, made when it is new. NULL: out of memory. */
struct nr_pair *nr_pair_get(struct nr_channel *channel, nr_id pair_id, uint64_t place, uint64_t length);

/* Whose part is tracked: it is asked about every time as long as the entry lasts. One that is watched with all others
 * is anyway. */
void nr_pair_heat(struct nr_channel *channel, struct nr_pair *pair);
/* More of its memory may come to be there than these parts: that is looked for. */
void nr_pair_sparse(struct nr_channel *channel, struct nr_pair *pair, Nr__Stretch *const *stretches, size_t count);
/* An external buffer is about to be made: the part of its memory is watched from now on, and is what is tracked, if it
 * is worth that and can be. sparse: not all of the memory is there, and what is has pages in common with anything. own:
 * all of it is memory of this process alone. */
void nr_pair_watch(napi_env env, struct nr_pair *pair, struct nr_range part, bool sparse, bool own);
/* It is made, the server has read it. */
void nr_pair_settle(struct nr_channel *channel, struct nr_pair *pair);
/* The pair is about to go. */
void nr_pair_untrack(struct nr_channel *channel, struct nr_pair *pair);

#endif
