/*
 * A stack of handles: index -> item, with a generation that tells whether an id is of the handle that lives there now.
 * Closing a scope truncates. Both processes keep two for each channel: one for the ids that the server chooses
 * (arguments), one for those that the host chooses (results). Not thread-safe.
 */
#ifndef NR_WIRE_HANDLES_H
#define NR_WIRE_HANDLES_H

#include <stdint.h>

struct nr_handles;

/* `limit`: the largest number of places, over which push and put fail. Grows in pieces; NULL without memory. */
struct nr_handles *nr_handles_create(uint32_t limit);
void nr_handles_destroy(struct nr_handles *handles);

/* Puts an item on top, in the current generation (always 1 to 0x7fff). 0, or -EDQUOT over the limit, -ENOMEM. */
int nr_handles_push(struct nr_handles *handles, void *item, uint32_t *index, uint16_t *generation);

/*
 * Puts an item at a place that the other side chose: at or above the top, or below it (an escape slot reserved
 * earlier). Places that are skipped hold nothing. -EDQUOT over the limit, -EEXIST when that place holds a live item,
 * -ENOMEM. item must not be NULL.
 */
int nr_handles_put(struct nr_handles *handles, uint32_t index, uint16_t generation, void *item);

/* The item, or NULL when there is none at that place or it is of another generation. */
void *nr_handles_get(const struct nr_handles *handles, uint32_t index, uint16_t generation);

uint32_t nr_handles_top(const struct nr_handles *handles);
/* Forgets everything at and above `top`, and begins a new generation (when anything was dropped). */
void nr_handles_truncate(struct nr_handles *handles, uint32_t top);
/* The generation that the next push will give. */
uint16_t nr_handles_generation(const struct nr_handles *handles);

#endif
