/*
 * Memory of external buffers: the addon's own, at an address in the host. The kernel copies (process_vm_readv(2)), and
 * refuses what is not there or may not be touched: an addon may have taken the rights to its memory away, even from
 * itself, or have unmapped it. Both ends of a copy are checked by the kernel, so an address that is a lie harms the
 * host alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/memory/memory.h"
#include "wire/merge.h"
#include "wire/pages.h"

#define NR_CHUNK (UINT64_C(64) << 10)
/* Stretches of changed bytes that go over with one call; a gap of less is not worth another stretch, but may not be
 * written either. */
#define NR_STRETCHES 64
/* Parts that are known to stay as they are. */
#define NR_CONSTANTS 256u
/* Most of it is alike, and comparing much at once is a third of the price. */
#define NR_LEAP UINT64_C(4096)

bool nr_foreign_read(struct nr_connection *connection, uint64_t address, void *to, uint64_t length) {
  struct iovec own = {.iov_base = to, .iov_len = length};
  struct iovec theirs = {.iov_base = (void *)(uintptr_t)address, .iov_len = length};
  return nr_host_copy(connection->host, &own, 1, &theirs, 1, false) == (ssize_t)length;
}

static void drop(struct iovec *piece, size_t length) {
  piece->iov_base = (uint8_t *)piece->iov_base + length;
  piece->iov_len -= length;
}

/* Piece by piece, but for pages that may not be touched: the kernel stops at the first one. (A Buffer need not begin
 * where a page does in both processes, so at the end of the addon's memory a page here may be one and a half there.) */
static void copy_what_is_there(struct nr_connection *connection, struct iovec *own, struct iovec *theirs, size_t count,
                               bool writes) {
  while (count > 0) {
    ssize_t copied = nr_host_copy(connection->host, own, count, theirs, count, writes);
    if (copied < 0 && copied != -EFAULT) return;
    size_t length = copied < 0 ? 0 : (size_t)copied;
    for (; count > 0 && length >= theirs->iov_len; own++, theirs++, count--) length -= theirs->iov_len;
    if (count == 0) return;
    drop(own, length);
    drop(theirs, length);
    size_t page = NR_PAGE - (uintptr_t)theirs->iov_base % NR_PAGE;
    if (page > theirs->iov_len) page = theirs->iov_len;
    drop(own, page);
    drop(theirs, page);
    if (theirs->iov_len == 0) own++, theirs++, count--;
  }
}

/* What cannot be read is as it was. */
static void read_part(struct nr_connection *connection, const struct nr_pair *pair, uint64_t from, uint64_t length,
                      uint8_t *to) {
  if (nr_foreign_read(connection, pair->address + from, to, length)) return;
  memcpy(to, pair->block.twin + from, length);
  struct iovec own = {to, length}, theirs = {(void *)(uintptr_t)(pair->address + from), length};
  copy_what_is_there(connection, &own, &theirs, 1, false);
}

bool nr_foreign_take(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to) {
  uint8_t now[NR_CHUNK];
  bool changed = false;
  if (pair->ahead != NULL && from >= pair->shown[0].from && to <= pair->shown[0].to)
    return nr_merge(pair->ahead + (from - pair->shown[0].from), pair->block.twin + from, bytes + from, to - from);
  while (from < to) {
    uint64_t step = to - from < NR_CHUNK ? to - from : NR_CHUNK;
    read_part(connection, pair, from, step, now);
    changed |= nr_merge(now, pair->block.twin + from, bytes + from, step);
    from += step;
  }
  return changed;
}

/* The next changed bytes from `at` on; false: there are none before `to`. */
static bool next_stretch(const struct nr_pair *pair, const uint8_t *bytes, uint64_t *at, uint64_t to,
                         struct nr_range *stretch) {
  const uint8_t *twin = pair->block.twin;
  uint64_t from = *at;
  while (from + NR_LEAP <= to && memcmp(bytes + from, twin + from, NR_LEAP) == 0) from += NR_LEAP;
  while (from + 64 <= to && memcmp(bytes + from, twin + from, 64) == 0) from += 64;
  while (from < to && bytes[from] == twin[from]) from++;
  if (from == to) return false;
  uint64_t end = from;
  while (end < to && bytes[end] != twin[end]) end++;
  *stretch = (struct nr_range){from, end};
  *at = end;
  return true;
}

bool nr_foreign_send(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                     uint64_t to) {
  struct iovec own[NR_STRETCHES], theirs[NR_STRETCHES];
  struct nr_range stretch;
  bool changed = false, more = true;
  while (more) {
    size_t count = 0;
    while (count < NR_STRETCHES && (more = next_stretch(pair, bytes, &from, to, &stretch))) {
      uint64_t length = stretch.to - stretch.from;
      memcpy(pair->block.twin + stretch.from, bytes + stretch.from, length);
      own[count] = (struct iovec){.iov_base = pair->block.twin + stretch.from, .iov_len = length};
      theirs[count++] =
          (struct iovec){.iov_base = (void *)(uintptr_t)(pair->address + stretch.from), .iov_len = length};
    }
    copy_what_is_there(connection, own, theirs, count, true);
    changed |= count > 0;
  }
  if (changed) nr_track_disturb(connection);
  return changed;
}

void nr_constant_set(struct nr_pair *pair, const struct nr_range *ranges, size_t count) {
  if (count > NR_CONSTANTS) count = NR_CONSTANTS;
  pair->constant = count == 0 ? NULL : calloc(count, sizeof *ranges);
  if (pair->constant == NULL) return; /* then they are compared */
  memcpy(pair->constant, ranges, count * sizeof *ranges);
  pair->constant_count = count;
}

bool nr_constant_skip(const struct nr_pair *pair, uint64_t *from, uint64_t to, struct nr_range *part) {
  const struct nr_range *constant = pair->constant;
  uint64_t begin = *from, end = to;
  for (size_t i = pair->constant_count; i > 0; i--) { /* the first one is the last in the list */
    if (constant[i - 1].from <= begin && constant[i - 1].to > begin) begin = constant[i - 1].to;
  }
  if (begin >= to) return false;
  for (size_t i = 0; i < pair->constant_count; i++) {
    if (constant[i].from > begin && constant[i].from < end) end = constant[i].from;
  }
  *part = (struct nr_range){begin, end};
  *from = end;
  return true;
}
