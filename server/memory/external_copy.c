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
/* Where others show a constant, so much of its beginning and of its end is compared: it could be another one by now. */
#define NR_SAMPLE 64u
/* ... of so many others, the newest ones. */
#define NR_OTHERS 8u

/* A host may claim gigabytes that are not there; once it is dead nobody waits for them. */
static bool is_over(const struct nr_dispatch *d) {
  return nr_port_failure(d->connection->port) < 0;
}

static uint64_t least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static void copy_pages(struct nr_dispatch *d, uint64_t address, uint8_t *memory, uint64_t length) {
  while (length > 0 && !is_over(d)) {
    uint64_t step = least(NR_PAGE - address % NR_PAGE, length);
    if (!nr_foreign_read(d->connection, address, memory, step)) memset(memory, 0, step);
    address += step;
    memory += step;
    length -= step;
  }
}

static void copy_part(struct nr_dispatch *d, uint64_t address, uint8_t *memory, struct nr_range part) {
  for (uint64_t at = part.from; at < part.to && !is_over(d); at += NR_PIECE) {
    uint64_t length = least(part.to - at, NR_PIECE);
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
    length = least(part.to - at, NR_CHUNK);
    if (merge(d, address, window, at, length)) continue;
    length = least(part.to - at, NR_PAGE - (address + at) % NR_PAGE);
    (void)merge(d, address, window, at, length);
  }
}

/* Is all of it constant in another one? `part`: addresses. */
static bool is_constant_in(const struct nr_pair *pair, struct nr_range part) {
  if (pair->window == NULL || part.from < pair->address || part.to > pair->address + pair->length) return false;
  for (size_t i = 0; i < pair->constant_count; i++) {
    const struct nr_range *constant = &pair->constant[i];
    if (constant->from <= part.from - pair->address && constant->to >= part.to - pair->address) return true;
  }
  return false;
}

static bool is_shown(const struct nr_connection *connection, struct nr_range part) {
  for (uint32_t i = 0; i < connection->sparse_count && i < NR_OTHERS; i++) {
    if (is_constant_in(connection->sparse[connection->sparse_count - 1 - i], part)) return true;
  }
  return false;
}

static bool is_same(struct nr_dispatch *d, uint64_t address, const uint8_t *bytes, uint64_t length) {
  uint8_t now[NR_SAMPLE];
  return nr_foreign_read(d->connection, address, now, length) && memcmp(now, bytes, length) == 0;
}

/* Most are those of libraries, megabytes. */
static void copy_constant(struct nr_dispatch *d, uint64_t address, const struct nr_mirror_window *window,
                          struct nr_range part) {
  uint64_t length = least(part.to - part.from, NR_SAMPLE), end = part.to - length;
  if (is_shown(d->connection, (struct nr_range){address + part.from, address + part.to}) &&
      is_same(d, address + part.from, window->bytes + part.from, length) &&
      is_same(d, address + end, window->bytes + end, length))
    return;
  copy_part(d, address, window->bytes, part);
}

void nr_external_mirror(struct nr_dispatch *d, uint64_t address, const struct nr_mirror_window *window,
                        const struct nr_parts *parts) {
  for (size_t i = 0; i < parts->count; i++)
    (i < parts->changing ? merge_part : copy_constant)(d, address, window, parts->ranges[i]);
}
