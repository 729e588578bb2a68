/*
 * Pages at the ends of external buffers, which they share with whatever malloc() put beside them: other external
 * buffers perhaps, of this thread or another. Asking the kernel what was written to one forgets it for both, so who
 * asks leaves a note here. From any thread.
 */
#ifndef NR_CLIENT_SHARED_PAGES_H
#define NR_CLIENT_SHARED_PAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/track.h"

/* The ends of a tracked part, and what has been noted for them when it was asked about last. */
struct nr_ends {
  uint32_t seen[2];
};

/* As nr_tracker_add(). */
int nr_ends_add(struct nr_tracker *tracker, const void *memory, uint64_t length, struct nr_ends *ends);
/* As nr_tracker_scan(), with what others have found at the ends. */
int nr_ends_scan(struct nr_tracker *tracker, const void *memory, uint64_t length, struct nr_ends *ends,
                 struct nr_range *ranges, int room);

#endif
