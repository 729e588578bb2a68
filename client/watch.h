/*
 * Parts of memory that the kernel watches for us. They may share pages: external buffers lie side by side on the
 * addon's heap, of this thread or another, and addons that have pointers for values make one of nominally a gigabyte
 * from each. Asking the kernel what was written to one forgets it for all, so who asks tells the others. From any
 * thread.
 */
#ifndef NR_CLIENT_WATCH_H
#define NR_CLIENT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/track.h"

struct nr_watch;

/* NULL: it cannot be watched. */
struct nr_watch *nr_watch_start(struct nr_tracker *tracker, const void *memory, uint64_t length);
/* After a scan that failed. False: it cannot be watched any more. */
bool nr_watch_again(struct nr_tracker *tracker, struct nr_watch *watch);
/* As nr_tracker_scan(), with what others have found. */
int nr_watch_scan(struct nr_tracker *tracker, struct nr_watch *watch, struct nr_range *ranges, int room);
/* tracker: NULL when the kernel need not be told. */
void nr_watch_end(struct nr_tracker *tracker, struct nr_watch *watch);

#endif
