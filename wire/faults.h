/*
 * Page faults of this process: who watches memory for writes (wire/watched.h) need not ask about any of it as long as
 * there has been none.
 */
#ifndef NR_WIRE_FAULTS_H
#define NR_WIRE_FAULTS_H

#include <stddef.h>

/* Another process has written to this one's memory, by the kernel: no page fault of ours tells of that, nor of what is
 * written to those pages from then on. All lists look when they are asked next. From any thread. */
void nr_faults_disturb(void);

/* A number that is another one once this process has had a page fault, or was disturbed: as long as it is the same,
 * nobody has written for the first time to what is watched. Of this thread: faults that do not count are left out for
 * it alone. -1: not known. */
long nr_faults_now(void);

/* Around the making of new pages in one thread (`length` bytes), which does nothing else: the page faults of that are
 * no reason to look at what is watched, 50 us with 100 large Buffers. Costs two questions, 0.2 us each. */
long nr_faults_populating(void);
void nr_faults_populated(long before, size_t length);

#endif
