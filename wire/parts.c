#include "wire/parts.h"

#include <stdlib.h>
#include <string.h>

uint32_t nr_parts_from(const struct nr_parts *parts, uint64_t address) {
  uint32_t low = 0, high = parts->count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (parts->items[middle].from < address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

uint32_t nr_parts_near(const struct nr_parts *parts, uint64_t address) {
  uint32_t low = 0, high = parts->count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (parts->items[middle].reach <= address)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* From the part on that is new, or behind one that is gone. */
static void set_reach(struct nr_parts *parts, uint32_t at) {
  uint64_t reach = at == 0 ? 0 : parts->items[at - 1].reach;
  for (uint32_t i = at; i < parts->count; i++) {
    uint64_t end = nr_page_end(parts->items[i].to);
    if (end > reach) reach = end;
    parts->items[i].reach = reach;
  }
}

static bool make_room(struct nr_parts *parts) {
  if (parts->count < parts->room) return true;
  uint32_t room = parts->room == 0 ? 16 : parts->room * 2;
  struct nr_part *items = realloc(parts->items, room * sizeof *items);
  if (items == NULL) return false;
  parts->items = items;
  parts->room = room;
  return true;
}

bool nr_parts_insert(struct nr_parts *parts, struct nr_part part) {
  if (!make_room(parts)) return false;
  uint32_t at = nr_parts_from(parts, part.from);
  memmove(&parts->items[at + 1], &parts->items[at], (parts->count - at) * sizeof part);
  parts->items[at] = part;
  parts->count++;
  set_reach(parts, at);
  return true;
}

void nr_parts_remove(struct nr_parts *parts, uint32_t at) {
  parts->count--;
  memmove(&parts->items[at], &parts->items[at + 1], (parts->count - at) * sizeof *parts->items);
  set_reach(parts, at);
}

bool nr_parts_next_free(const struct nr_parts *parts, uint64_t *from, uint64_t to, struct nr_range *pages) {
  for (uint32_t i = nr_parts_near(parts, *from); i < parts->count && *from < to; i++) {
    uint64_t begin = nr_page_of(parts->items[i].from), end = nr_page_end(parts->items[i].to);
    if (end <= *from) continue;
    if (begin >= to) break;
    if (begin > *from) {
      *pages = (struct nr_range){*from, begin};
      *from = end;
      return true;
    }
    *from = end;
  }
  *pages = (struct nr_range){*from, to};
  *from = to;
  return pages->from < pages->to;
}

bool nr_parts_leave_free(const struct nr_parts *parts, uint64_t from, uint64_t to) {
  struct nr_range pages;
  uint64_t at = from;
  return nr_parts_next_free(parts, &at, to, &pages) && pages.from == from && pages.to == to;
}
