/* Not all of it may be memory, so the kernel cannot watch it as a whole: it is asked what is there. It takes a page
 * fault for something to come, so without one nobody is asked. */
#include "client/memory/sparse.h"

#include <stdlib.h>

#include "wire/pages.h"

struct list {
  struct nr_range *ranges; /* in their order, apart from each other */
  size_t count;
  size_t room;
};

struct nr_sparse {
  struct list known; /* what is there, as it was seen last */
  struct list now;   /* its room, while that is asked */
  long faults;       /* of this process, then; < 0: never asked, or nobody knows */
};

static bool list_put(struct list *list, struct nr_range range) {
  if (list->count > 0 && list->ranges[list->count - 1].to == range.from) {
    list->ranges[list->count - 1].to = range.to;
    return true;
  }
  if (list->count == list->room) {
    size_t room = list->room == 0 ? 16 : list->room * 2;
    struct nr_range *ranges = realloc(list->ranges, room * sizeof *ranges);
    if (ranges == NULL) return false;
    list->ranges = ranges;
    list->room = room;
  }
  list->ranges[list->count++] = range;
  return true;
}

struct nr_sparse *nr_sparse_create(Nr__Stretch *const *stretches, size_t count) {
  struct nr_sparse *sparse = calloc(1, sizeof *sparse);
  if (sparse == NULL) return NULL;
  sparse->faults = -1;
  for (size_t i = 0; i < count; i++) {
    if (list_put(&sparse->known, (struct nr_range){stretches[i]->offset, stretches[i]->offset + stretches[i]->length}))
      continue;
    nr_sparse_destroy(sparse);
    return NULL;
  }
  return sparse;
}

void nr_sparse_destroy(struct nr_sparse *sparse) {
  if (sparse == NULL) return;
  free(sparse->known.ranges);
  free(sparse->now.ranges);
  free(sparse);
}

static bool note_there(struct nr_range range, void *context) {
  return list_put(context, range);
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
static bool tell_news(struct telling *telling, const struct list *known, size_t *next) {
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

bool nr_sparse_ask(struct nr_sparse *sparse, struct nr_tracker *tracker, const void *memory, size_t length, long faults,
                   void (*tell)(struct nr_range range, void *context), void *context) {
  struct telling telling = {.tell = tell, .context = context};
  struct list now = sparse->now, known = sparse->known;
  size_t next = 0;
  bool news = false;
  now.count = 0;
  int status = nr_tracker_present(tracker, memory, length, note_there, &now);
  sparse->now = now;
  if (status < 0) return false;
  for (size_t i = 0; i < now.count; i++) {
    telling.range = now.ranges[i];
    telling.told = telling.range.from;
    if (tell_news(&telling, &known, &next)) news = true;
  }
  sparse->known = now;
  sparse->now = known;
  sparse->faults = faults;
  return news;
}

bool nr_sparse_is_due(const struct nr_sparse *sparse, long faults) {
  return faults < 0 || sparse->faults != faults;
}
