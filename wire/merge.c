#include "wire/merge.h"

#include <string.h>

#include "wire/wire-private.h"

/* Compared in one go before its lines are looked at one by one. (Most is unchanged, and what changed often lies
 * together.) */
#define NR_STRETCH 4096u
/* So far ahead of a line that has changed the other copy's is asked for, to write to it: it may be in the other
 * processor's cache, which read it last, and what changed often lies together. (Buffers that JavaScript fills before
 * each call: 64 KiB 53 us became 25, 128 KiB 62 became 37; with 6 lines 41, with 24 as much.) */
#define NR_AHEAD (UINT64_C(12) * NR_CACHE_LINE)

typedef uint8_t vector __attribute__((vector_size(16), aligned(1), may_alias));
#define VECTORS (NR_CACHE_LINE / sizeof(vector))

/* Two streams at a time would be memcmp() and memcpy(); all three at once leave the bytes in the cache but once. */
static bool merge_line(const uint8_t *from, uint8_t *twin, uint8_t *to) {
  vector now[VECTORS], *before = (vector *)twin, *there = (vector *)to;
  memcpy(now, from, NR_CACHE_LINE);
  /* Not to be read again: the other process may write there. */
  __asm__ volatile("" : : "r"(now) : "memory");
  if (memcmp(now, twin, NR_CACHE_LINE) == 0) return false;
  for (unsigned i = 0; i < VECTORS; i++) {
    vector changed = (vector)(now[i] != before[i]);
    there[i] = (now[i] & changed) | (there[i] & ~changed);
    before[i] = now[i];
  }
  return true;
}

static bool merge_bytes(const uint8_t *from, uint8_t *twin, uint8_t *to, uint64_t length) {
  bool changed = false;
  for (uint64_t i = 0; i < length; i++) {
    uint8_t now = *(const volatile uint8_t *)(from + i);
    if (now == twin[i]) continue;
    to[i] = twin[i] = now;
    changed = true;
  }
  return changed;
}

/* rest: from its beginning to the end of all. */
static bool merge_stretch(const uint8_t *from, uint8_t *twin, uint8_t *to, uint64_t length, uint64_t rest) {
  bool changed = false;
  uint64_t at = 0;
  for (; at + NR_CACHE_LINE <= length; at += NR_CACHE_LINE) {
    if (!merge_line(from + at, twin + at, to + at)) continue;
    changed = true;
    if (at + NR_AHEAD < rest) nr_claim_line(to + at + NR_AHEAD);
  }
  changed |= merge_bytes(from + at, twin + at, to + at, length - at);
  return changed;
}

bool nr_merge(const uint8_t *from, uint8_t *twin, uint8_t *to, uint64_t length) {
  bool changed = false;
  for (uint64_t at = 0; at < length; at += NR_STRETCH) {
    uint64_t step = length - at < NR_STRETCH ? length - at : NR_STRETCH;
    if (memcmp(from + at, twin + at, step) != 0)
      changed |= merge_stretch(from + at, twin + at, to + at, step, length - at);
  }
  return changed;
}
