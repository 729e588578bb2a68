/*
 * Cold windows: memory that the other side has a copy of, which nobody has asked for in the current turn, but whose
 * address may have been kept, and of which the kernel does not tell whether it was written. Whoever gives up the turn
 * compares them with what the other side has. Comparing all of them each time would cost too much (1,000 of 4 KiB:
 * 0.3 ms), so those that changed or were in use lately go first, and the rest take turns, within a budget of bytes. Up
 * to 256 KiB together all are compared every time, until they have stayed as they are for long; up to 32 KiB while new
 * ones keep coming.
 *
 * Lists of items that belong to the caller, in whose memory a struct nr_cold_item lies. Not thread-safe.
 */
#ifndef NR_WIRE_COLD_H
#define NR_WIRE_COLD_H

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are compared, each group within a budget of its own. */
enum nr_cold_group {
  NR_COLD_HELD,   /* somebody says that he holds it, perhaps for a thread that is at it */
  NR_COLD_KEPT,   /* has been found changed: somebody uses the address, and may do so again at any time */
  NR_COLD_RECENT, /* was hot not long ago */
  NR_COLD_IDLE,
  NR_COLD_ASLEEP, /* unchanged for so long that it is not among those that are all compared every time */
  NR_COLD_GROUPS,
};

struct nr_cold_item {
  struct nr_cold_item *next; /* NULL: in no list */
  struct nr_cold_item *previous;
  uint32_t cost;      /* of a comparison, as bytes */
  uint32_t next_cost; /* the same from its next turn on: may be set while items are visited */
  uint32_t unchanged; /* comparisons since it was hot, or last found changed */
  enum nr_cold_group group;
  uint32_t holds;
  bool was_kept;  /* ever; survives that it is removed and added again */
  bool was_added; /* ever */
};

struct nr_cold {
  struct nr_cold_item heads[NR_COLD_GROUPS]; /* of circular lists */
  uint32_t counts[NR_COLD_GROUPS];
  uint64_t costs[NR_COLD_GROUPS]; /* of comparing all that are in a group, as bytes */
  uint64_t awake;                 /* the cost of comparing all that are, as bytes */
  uint64_t asleep;                /* the same of the others */
  uint32_t credit;                /* bytes that the idle and sleeping ones may still cost */
  uint32_t churn;                 /* grows with visits before which there was one that is new, goes down with others */
  uint32_t batch; /* idle ones wait until there is so much credit, unless all are compared. Set by the caller */
  bool has_new;
  bool mortal; /* most that are added are soon gone: churn counts. Set by the caller */
  bool newest; /* the last 32 KiB that were added are recent, however often they were compared. Set by the caller */
};

void nr_cold_init(struct nr_cold *cold);
bool nr_cold_is_empty(const struct nr_cold *cold);
uint32_t nr_cold_count(const struct nr_cold *cold);
/* Adds one that was in use until now. cost: of a comparison, as bytes. */
void nr_cold_add(struct nr_cold *cold, struct nr_cold_item *item, uint32_t cost);
/* The one that is missed least, to make room for others; NULL: there is none. */
struct nr_cold_item *nr_cold_least(const struct nr_cold *cold);
/* The other side has found it changed. */
void nr_cold_keep(struct nr_cold *cold, struct nr_cold_item *item);
/* It is held once more, or once less. */
void nr_cold_hold(struct nr_cold *cold, struct nr_cold_item *item, bool holds);
/* No effect on one that is in no list. */
void nr_cold_remove(struct nr_cold *cold, struct nr_cold_item *item);

/* Will the next visit of this patience be one of them all? */
bool nr_cold_visits_all(const struct nr_cold *cold, uint32_t patience);
/* With so much more, will all be compared in each visit? */
bool nr_cold_takes(const struct nr_cold *cold, uint32_t cost);
/* May so much more stay in the list for long, so that new ones have their room as well? */
bool nr_cold_has_room(const struct nr_cold *cold, uint32_t cost);
/* With so much more that is held or kept, will all of that be compared in each visit? */
bool nr_cold_visits_used(const struct nr_cold *cold, uint32_t cost);
/* May so much more stay among those that are kept, whatever else there is? */
bool nr_cold_keeps(const struct nr_cold *cold, uint32_t cost);
/* Calls `compare` for those whose turn it is: it says whether the item had changed, and may not remove any. patience:
 * times the budgets, 1 or a few, where a comparison costs less than was said. */
void nr_cold_visit(struct nr_cold *cold, uint32_t patience, bool (*compare)(struct nr_cold_item *item, void *context),
                   void *context);

/* Calls `compare` for each item, which it may remove, and put into another list. */
void nr_cold_each(struct nr_cold *cold, bool (*compare)(struct nr_cold_item *item, void *context), void *context);

/* Calls it for all that do not sleep, if that is no more than is compared in each visit anyway; otherwise for those
 * that are held or kept, and for some that were in use last. No visit: nothing is counted, and what is not found
 * changed stays where it is. */
void nr_cold_visit_awake(struct nr_cold *cold, bool (*compare)(struct nr_cold_item *item, void *context),
                         void *context);
/* The same as nr_cold_visit() for those that are held or kept only. */
void nr_cold_visit_kept(struct nr_cold *cold, bool (*compare)(struct nr_cold_item *item, void *context), void *context);

/* Tells which items the next visit of patience 1 will compare; not `whole`: the next one of those that are held
 * or kept. */
void nr_cold_peek(const struct nr_cold *cold, bool whole, void (*tell)(struct nr_cold_item *item, void *context),
                  void *context);

#endif
