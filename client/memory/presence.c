#include "client/memory/presence.h"

#include <stdlib.h>
#include <string.h>

#include "wire/pages.h"

/* Where the memory of a process ends, unless it asks for more: buffers of a gigabyte over the stack reach beyond. */
#define NR_MEMORY_END ((UINT64_C(1) << 47) - NR_PAGE)

/* Memory of items that overlap. */
struct area {
  struct nr_range memory;
  struct nr_ranges there;
  uint64_t version; /* 0: nobody has asked yet */
  long faults;
};

struct nr_presence {
  struct nr_tracker *tracker;
  struct nr_presence_item **items;
  size_t count, room;
  struct area *areas; /* by their addresses */
  size_t area_count;
  bool changed;     /* which items there are, since the areas were made */
  uint64_t version; /* the last one of any */
  struct nr_ranges spare;
};

bool nr_ranges_put(struct nr_ranges *list, struct nr_range range) {
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

struct nr_presence *nr_presence_create(struct nr_tracker *tracker) {
  struct nr_presence *presence = calloc(1, sizeof *presence);
  if (presence != NULL) presence->tracker = tracker;
  return presence;
}

static void free_areas(struct nr_presence *presence) {
  for (size_t i = 0; i < presence->area_count; i++) free(presence->areas[i].there.ranges);
  free(presence->areas);
  presence->areas = NULL;
  presence->area_count = 0;
}

void nr_presence_destroy(struct nr_presence *presence) {
  if (presence == NULL) return;
  free_areas(presence);
  free(presence->items);
  free(presence->spare.ranges);
  free(presence);
}

static struct nr_range pages_of(const void *memory, size_t length) {
  uint64_t from = (uint64_t)(uintptr_t)memory, to = from + length;
  if (from < NR_MEMORY_END && to > NR_MEMORY_END) to = NR_MEMORY_END;
  return (struct nr_range){from / NR_PAGE * NR_PAGE, (to + NR_PAGE - 1) / NR_PAGE * NR_PAGE};
}

bool nr_presence_add(struct nr_presence *presence, struct nr_presence_item *item, const void *memory, size_t length) {
  if (presence->count == presence->room) {
    size_t room = presence->room == 0 ? 16 : presence->room * 2;
    struct nr_presence_item **items = realloc(presence->items, room * sizeof *items);
    if (items == NULL) return false;
    presence->items = items;
    presence->room = room;
  }
  *item = (struct nr_presence_item){.memory = pages_of(memory, length), .place = presence->count};
  presence->items[presence->count++] = item;
  presence->changed = true;
  return true;
}

void nr_presence_remove(struct nr_presence *presence, struct nr_presence_item *item) {
  struct nr_presence_item *last = presence->items[--presence->count];
  presence->items[item->place] = last;
  last->place = item->place;
  presence->changed = true;
}

static int by_address(const void *a, const void *b) {
  const struct area *left = a, *right = b;
  return left->memory.from < right->memory.from ? -1 : left->memory.from > right->memory.from;
}

/* False: out of memory. */
static bool make_areas(struct nr_presence *presence) {
  free_areas(presence);
  struct area *areas = calloc(presence->count + 1, sizeof *areas);
  if (areas == NULL) return false;
  for (size_t i = 0; i < presence->count; i++) areas[i].memory = presence->items[i]->memory;
  qsort(areas, presence->count, sizeof *areas, by_address);
  size_t count = 0;
  for (size_t i = 0; i < presence->count; i++) {
    struct nr_range *last = count == 0 ? NULL : &areas[count - 1].memory;
    if (last == NULL || areas[i].memory.from > last->to)
      areas[count++].memory = areas[i].memory;
    else if (areas[i].memory.to > last->to)
      last->to = areas[i].memory.to;
  }
  presence->areas = areas;
  presence->area_count = count;
  presence->changed = false;
  return true;
}

static struct area *area_of(const struct nr_presence *presence, const struct nr_presence_item *item) {
  size_t low = 0, high = presence->area_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    *(presence->areas[middle].memory.from <= item->memory.from ? &low : &high) = middle;
  }
  return &presence->areas[low];
}

struct asking {
  struct nr_ranges *ranges;
  uint64_t from; /* of the area */
  bool failed;
};

static bool note_there(struct nr_range range, void *context) {
  struct asking *asking = context;
  asking->failed =
      !nr_ranges_put(asking->ranges, (struct nr_range){asking->from + range.from, asking->from + range.to});
  return !asking->failed;
}

static bool is_alike(const struct nr_ranges *a, const struct nr_ranges *b) {
  return a->count == b->count && (a->count == 0 || memcmp(a->ranges, b->ranges, a->count * sizeof *a->ranges) == 0);
}

/* False: it cannot be told. */
static bool refresh(struct nr_presence *presence, struct area *area, long faults) {
  struct asking asking = {.ranges = &presence->spare, .from = area->memory.from};
  const void *memory = (const void *)(uintptr_t)area->memory.from;
  presence->spare.count = 0;
  if (nr_tracker_present(presence->tracker, memory, area->memory.to - area->memory.from, note_there, &asking) < 0 ||
      asking.failed)
    return false;
  if (area->version == 0 || !is_alike(&area->there, &presence->spare)) {
    struct nr_ranges before = area->there;
    area->there = presence->spare;
    presence->spare = before;
    area->version = ++presence->version;
  }
  area->faults = faults;
  return true;
}

bool nr_presence_ask(struct nr_presence *presence, const struct nr_presence_item *item, long faults,
                     struct nr_there *there) {
  if (presence->changed && !make_areas(presence)) return false;
  struct area *area = area_of(presence, item);
  bool is_known = area->version != 0 && faults >= 0 && area->faults == faults;
  if (!is_known && !refresh(presence, area, faults)) return false;
  *there = (struct nr_there){.ranges = &area->there, .version = area->version};
  return true;
}
