/*
 * Many parts of memory, asked at once which of them have been written (wire/track.h asks about one). As long as nobody
 * has written any for the first time since the last look, that costs one question to the kernel about page faults,
 * however much there is: 0.25 us, 0.4 and more with ten threads. Parts may share pages, with each other and with other
 * memory: what is found on a page is told of all parts there. Each list is for one thread.
 */
#ifndef NR_WIRE_WATCHED_H
#define NR_WIRE_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/track.h"

struct nr_watched;

/* tracker: stays the caller's, and there for longer. renews: what is mapped anew at a part's place is the part's, told
 * and watched; otherwise it is nobody's. NULL without memory. */
struct nr_watched *nr_watched_create(struct nr_tracker *tracker, bool renews);
void nr_watched_destroy(struct nr_watched *watched);
bool nr_watched_is_empty(const struct nr_watched *watched);

/* Pages in which there will be many parts, and nothing that others watch: parts cost less there to add, and those
 * between which little is left, less to ask about. False: out of memory. They may not be unmapped before they are taken
 * back, nor that before the parts are gone. */
bool nr_watched_field(struct nr_watched *watched, const void *memory, size_t length);
void nr_watched_no_field(struct nr_watched *watched, const void *memory);

/* What is written there from now on is told of `owner`, which has no other part. hole: bytes of it, in whole pages,
 * that are left out; to == 0: none. False: the kernel cannot, there are too many in this process, or another list has
 * something on those pages (asking forgets for all). */
bool nr_watched_add(struct nr_watched *watched, const void *memory, size_t length, struct nr_range hole, void *owner);
/* The same for memory that the caller's tracker has watched by itself until now, perhaps: what was written since it was
 * asked is told next time. owed: it is known already that something was, so that all of it is told. */
bool nr_watched_take_over(struct nr_watched *watched, const void *memory, size_t length, void *owner, bool owed);
/* Of this one, which has no hole, something was written before: next time all of it is told. */
void nr_watched_owe(struct nr_watched *watched, const void *memory, void *owner);
/* No effect on one that is not there. The memory may be gone. */
void nr_watched_remove(struct nr_watched *watched, const void *memory, size_t length, void *owner);

/* The owner of a part on the pages that this memory touches; NULL: there is none. */
void *nr_watched_owner(const struct nr_watched *watched, const void *memory, size_t length);
/* Has any list a part there? From any thread. */
bool nr_watched_anywhere(const void *memory, size_t length);

/* `range`: bytes of the part that lie on pages which have been written. Neither adds nor removes any. */
typedef void nr_written(void *owner, struct nr_range range, void *context);
/* Tells of all that was written since it was told last, pages in the order of their addresses. faults: as they were
 * just now. False: nothing was. */
bool nr_watched_ask(struct nr_watched *watched, long faults, nr_written *written, void *context);

/* How many rows of pages the kernel has been asked about, ever: half a microsecond each. */
uint32_t nr_watched_rows(const struct nr_watched *watched);

#endif
