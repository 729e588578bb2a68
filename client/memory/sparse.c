/* Not all of it may be memory, so the kernel cannot watch it as a whole: it is asked what is there. It takes a page
 * fault for something to come, so without one nobody is asked. */
#include "client/memory/sparse.h"

#include <stdlib.h>

#include "wire/pages.h"

struct nr_sparse {
  struct nr_presence *presence;
  struct nr_presence_item item; /* of that */
  const void *memory;
  uint64_t length;
  struct nr_ranges known; /* what is there, as it was seen last */
  struct nr_ranges now;   /* its room, while that is asked */
  uint64_t version;       /* struct nr_there, then; 0: never asked */
  long faults;            /* of this process, then; < 0: never asked, or nobody knows */
};

static bool know(struct nr_sparse *sparse, Nr__Stretch *const *stretches, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct nr_range range = {stretches[i]->offset, stretches[i]->offset + stretches[i]->length};
    if (!nr_ranges_put(&sparse->known, range)) return false;
  }
  return true;
}

static void free_sparse(struct nr_sparse *sparse) {
  free(sparse->known.ranges);
  free(sparse->now.ranges);
  free(sparse);
}

struct nr_sparse *nr_sparse_create(struct nr_presence *presence, const void *memory, size_t length,
                                   Nr__Stretch *const *stretches, size_t count) {
  struct nr_sparse *sparse = calloc(1, sizeof *sparse);
  if (sparse == NULL) return NULL;
  sparse->presence = presence;
  sparse->memory = memory;
  sparse->length = length;
  sparse->faults = -1;
  if (know(sparse, stretches, count) && nr_presence_add(presence, &sparse->item, memory, length)) return sparse;
  free_sparse(sparse);
  return NULL;
}

void nr_sparse_destroy(struct nr_sparse *sparse) {
  if (sparse == NULL) return;
  nr_presence_remove(sparse->presence, &sparse->item);
  free_sparse(sparse);
}

/* Who tells the server, and what of this range it has heard of so far. */
struct telling {
  void (*tell)(struct nr_range range, void *context);
  void *context;
  struct nr_range range;
  uint64_t told;
};

/* A page more at either end: who writes on from page to page has written there as well, and the server would compare
 * that in its turn. */
static void tell_part(struct telling *telling, uint64_t from, uint64_t to) {
  const struct nr_range *range = &telling->range;
  struct nr_range part = {from - range->from > NR_PAGE ? from - NR_PAGE : range->from,
                          range->to - to > NR_PAGE ? to + NR_PAGE : range->to};
  if (part.from < telling->told) part.from = telling->told;
  if (part.from < part.to) telling->tell(part, telling->context);
  telling->told = part.to;
}

/* What of the range is not among the known ones, of which those before *next end before it. True: something. */
static bool tell_news(struct telling *telling, const struct nr_ranges *known, size_t *next) {
  uint64_t at = telling->range.from;
  bool news = false;
  while (*next < known->count && known->ranges[*next].to <= at) ++*next;
  for (size_t i = *next; at < telling->range.to; i++) {
    uint64_t from = i < known->count ? known->ranges[i].from : telling->range.to;
    if (from > telling->range.to) from = telling->range.to;
    if (from > at) {
      tell_part(telling, at, from);
      news = true;
    }
    at = i < known->count ? known->ranges[i].to : telling->range.to;
  }
  return news;
}

/* Its own share of that, in `now`. False: out of memory. */
static bool take_share(struct nr_sparse *sparse, const struct nr_there *there) {
  uint64_t begin = (uint64_t)(uintptr_t)sparse->memory, end = begin + sparse->length;
  sparse->now.count = 0;
  for (size_t i = 0; i < there->ranges->count && there->ranges->ranges[i].from < end; i++) {
    struct nr_range range = there->ranges->ranges[i];
    if (range.to <= begin) continue;
    if (range.from < begin) range.from = begin;
    if (range.to > end) range.to = end;
    if (!nr_ranges_put(&sparse->now, (struct nr_range){range.from - begin, range.to - begin})) return false;
  }
  return true;
}

bool nr_sparse_ask(struct nr_sparse *sparse, long faults, void (*tell)(struct nr_range range, void *context),
                   void *context) {
  struct telling telling = {.tell = tell, .context = context};
  struct nr_there there;
  size_t next = 0;
  bool news = false;
  if (!nr_presence_ask(sparse->presence, &sparse->item, faults, &there)) return false;
  bool is_same = there.version == sparse->version;
  if (!is_same && !take_share(sparse, &there)) return false;
  sparse->faults = faults;
  if (is_same) return false;
  struct nr_ranges known = sparse->known, now = sparse->now;
  for (size_t i = 0; i < now.count; i++) {
    telling.range = now.ranges[i];
    telling.told = telling.range.from;
    if (tell_news(&telling, &known, &next)) news = true;
  }
  sparse->known = now;
  sparse->now = known;
  sparse->version = there.version;
  return news;
}

bool nr_sparse_is_due(const struct nr_sparse *sparse, long faults) {
  return faults < 0 || sparse->faults != faults;
}
