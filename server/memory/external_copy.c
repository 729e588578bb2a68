#include "server/memory/external_copy.h"

#include <string.h>

#include "server/dispatch.h"
#include "server/memory/exchange.h"
#include "server/memory/memory.h"
#include "wire/merge.h"
#include "wire/pages.h"

/* Copied at once from the host; where that fails, page by page. */
#define NR_PIECE (UINT64_C(1) << 20)
#define NR_CHUNK (UINT64_C(64) << 10)

/* A host may claim gigabytes that are not there; once it is dead nobody waits for them. */
static bool is_over(const struct nr_dispatch *d) {
  return nr_port_failure(d->connection->port) < 0;
}

static void copy_pages(struct nr_dispatch *d, uint64_t address, uint8_t *memory, uint64_t length) {
  while (length > 0 && !is_over(d)) {
    uint64_t step = nr_least(NR_PAGE - address % NR_PAGE, length);
    if (!nr_foreign_read(d->connection, address, memory, step)) memset(memory, 0, step);
    address += step;
    memory += step;
    length -= step;
  }
}

static void copy_part(struct nr_dispatch *d, uint64_t address, uint8_t *memory, struct nr_range part) {
  for (uint64_t at = part.from; at < part.to && !is_over(d); at += NR_PIECE) {
    uint64_t length = nr_least(part.to - at, NR_PIECE);
    if (!nr_foreign_read(d->connection, address + at, memory + at, length))
      copy_pages(d, address + at, memory + at, length);
  }
}

void nr_external_copy(struct nr_dispatch *d, uint64_t address, uint8_t *memory, const struct nr_parts *parts) {
  for (size_t i = 0; i < parts->count; i++) copy_part(d, address, memory, parts->ranges[i]);
}

static bool merge(struct nr_dispatch *d, uint64_t address, const struct nr_mirror_window *window, uint64_t at,
                  uint64_t length) {
  uint8_t now[NR_CHUNK];
  if (!nr_foreign_read(d->connection, address + at, now, length)) return false;
  nr_merge(now, window->twin + at, window->bytes + at, length);
  return true;
}

static void merge_part(struct nr_dispatch *d, uint64_t address, const struct nr_mirror_window *window,
                       struct nr_range part) {
  for (uint64_t at = part.from, length; at < part.to && !is_over(d); at += length) {
    length = nr_least(part.to - at, NR_CHUNK);
    if (merge(d, address, window, at, length)) continue;
    length = nr_least(part.to - at, NR_PAGE - (address + at) % NR_PAGE);
    (void)merge(d, address, window, at, length);
  }
}

/* Constants as well: what is there may be another one by now, or none. */
void nr_external_mirror(struct nr_dispatch *d, uint64_t address, const struct nr_mirror_window *window,
                        const struct nr_parts *parts) {
  for (size_t i = 0; i < parts->count; i++) merge_part(d, address, window, parts->ranges[i]);
}
