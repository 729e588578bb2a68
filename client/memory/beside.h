/*
 * Parts of external buffers on whose pages something else is written all the time: malloc() puts them side by side with
 * all else that it gives out. To watch those is an alarm with each call, and a question about all that is watched; so
 * they are compared with a copy. Each list is for one thread.
 */
#ifndef NR_CLIENT_BESIDE_H
#define NR_CLIENT_BESIDE_H

#include <stdbool.h>
#include <stddef.h>

struct nr_beside;

/* NULL without memory, or descriptors: base, where the new one is to be at least. */
struct nr_beside *nr_beside_create(int base);
/* NULL: none. */
void nr_beside_destroy(struct nr_beside *beside);
/* The part is told of when this is asked next, and from then on when it has changed. False: there are too many, or it
 * is too long. */
bool nr_beside_add(struct nr_beside *beside, const void *memory, size_t length, void *owner);
/* Of asking, as bytes to compare. */
size_t nr_beside_cost(const struct nr_beside *beside);
/* No effect on others. The memory may be gone. */
void nr_beside_remove(struct nr_beside *beside, const void *owner);
/* Tells of those that have changed since they were told of last, and of all when one cannot be read. True: of any. */
bool nr_beside_ask(struct nr_beside *beside, void (*changed)(void *owner, void *context), void *context);

#endif
