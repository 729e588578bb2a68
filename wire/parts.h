/*
 * Parts of memory in the order of their addresses, which may share pages: who touches a page, and which pages nobody
 * touches. Not thread-safe.
 */
#ifndef NR_WIRE_PARTS_H
#define NR_WIRE_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/pages.h"
#include "wire/track.h"

/* Addresses. */
struct nr_part {
  uint64_t from, to;
  uint64_t base;  /* what its owner is told from */
  uint64_t reach; /* the end of the last page of this one and of those before it, whichever is furthest */
  void *owner;
  uint64_t field; /* where it ends that the part is in (wire/watched.h); 0: in none */
  bool owed;      /* all of it is to be told next time */
};

/* Zeros: none. `items`, which may be changed but for where they lie, is to be freed. */
struct nr_parts {
  struct nr_part *items;
  uint32_t count, room;
};

static inline uint64_t nr_page_of(uint64_t address) {
  return address & ~(NR_PAGE - 1);
}
static inline uint64_t nr_page_end(uint64_t address) {
  return (address + NR_PAGE - 1) & ~(NR_PAGE - 1);
}

/* False: out of memory. */
bool nr_parts_insert(struct nr_parts *parts, struct nr_part part);
void nr_parts_remove(struct nr_parts *parts, uint32_t at);
/* The first one that begins there or behind. */
uint32_t nr_parts_from(const struct nr_parts *parts, uint64_t address);
/* The first one that may touch what begins there: those before it end sooner. */
uint32_t nr_parts_near(const struct nr_parts *parts, uint64_t address);
/* The next pages in [*from, to) that none touches; *from goes behind them. False: there are none. */
bool nr_parts_next_free(const struct nr_parts *parts, uint64_t *from, uint64_t to, struct nr_range *pages);
/* Does none touch these pages? */
bool nr_parts_leave_free(const struct nr_parts *parts, uint64_t from, uint64_t to);

#endif
