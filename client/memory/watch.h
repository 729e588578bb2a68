/*
 * Parts of memory that the kernel watches for us, each asked about by itself. They may share pages: external buffers
 * lie side by side on the addon's heap, of this thread or another, and addons that have pointers for values make one of
 * nominally a gigabyte from each. Asking the kernel what was written to one forgets it for all, so who asks tells the
 * others. From any thread.
 */
#ifndef NR_CLIENT_WATCH_H
#define NR_CLIENT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/track.h"
#include "wire/watched.h"

struct nr_watch;

/* owner: whose it is, when it may be moved by nr_watch_together(); otherwise NULL. NULL: it cannot be watched. */
struct nr_watch *nr_watch_start(struct nr_tracker *tracker, const void *memory, uint64_t length, bool sparse,
                                void *owner);
/* After a scan that failed. False: it cannot be watched any more. */
bool nr_watch_again(struct nr_tracker *tracker, struct nr_watch *watch);
/* As nr_tracker_scan(), with what others have found. faults: as they were just now (nr_faults_now()); when they are
 * what they were last time the kernel need not be asked. */
int nr_watch_scan(struct nr_tracker *tracker, struct nr_watch *watch, long faults, struct nr_range *ranges, int room);
/* The memory goes to the list of what is watched together (wire/watched.h), with all that shares pages with it: of
 * those `moved` tells, whose `watch` is gone. added: it could be added; otherwise it is not watched any more. What was
 * written to those since the last question is told with the next one, what was to the memory before is not. False: it
 * cannot be, or shares pages with what may not be moved. */
typedef void nr_moved(void *owner, bool added, void *context);
bool nr_watch_together(struct nr_tracker *tracker, struct nr_watched *watched, const void *memory, uint64_t length,
                       void *owner, nr_moved *moved, void *context);
/* The same for one that is watched: it is moved itself, as are all that share pages with it. */
bool nr_watch_join(struct nr_tracker *tracker, struct nr_watched *watched, const struct nr_watch *watch,
                   nr_moved *moved, void *context);
/* tracker: NULL when the kernel need not be told. */
void nr_watch_end(struct nr_tracker *tracker, struct nr_watch *watch);

#endif
