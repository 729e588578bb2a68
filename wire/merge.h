/*
 * Bytes of which two sides have each a copy. The twin is what both had last: where one side's copy differs from it,
 * that side has written.
 */
#ifndef NR_WIRE_MERGE_H
#define NR_WIRE_MERGE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Puts into `to`, and into the twin, the bytes of `from` that differ from the twin; the others of `to` stay. False:
 * none did. Another process may be writing to `from` or `to` meanwhile: each byte of `from` is looked at once.
 */
bool nr_merge(const uint8_t *from, uint8_t *twin, uint8_t *to, uint64_t length);

#endif
