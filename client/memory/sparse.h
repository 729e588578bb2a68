/*
 * Large external buffers, most of which may be no memory at all (NR_SPARSE_MIN): what comes to be there. Not
 * thread-safe.
 */
#ifndef NR_CLIENT_SPARSE_H
#define NR_CLIENT_SPARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "client/memory/presence.h"
#include "napi.pb-c.h"

struct nr_sparse;

/* stretches: the parts of the memory that the server knows to be there, in their order. The presence has to be there
 * for as long. NULL: out of memory. */
struct nr_sparse *nr_sparse_create(struct nr_presence *presence, const void *memory, size_t length,
                                   Nr__Stretch *const *stretches, size_t count);
/* NULL: no effect. */
void nr_sparse_destroy(struct nr_sparse *sparse);
/* Has there been a page fault since it was asked last? faults: nr_faults_now(), now. */
bool nr_sparse_is_due(const struct nr_sparse *sparse, long faults);
/* Tells which parts of the memory have come to be there since it was asked last, and a page of what was there before
 * on either side of them. True: some have. */
bool nr_sparse_ask(struct nr_sparse *sparse, long faults, void (*tell)(struct nr_range range, void *context),
                   void *context);

#endif
