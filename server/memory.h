/*
 * What memory.c shares with its neighbours beside server-private.h.
 */
#ifndef NR_SERVER_MEMORY_H
#define NR_SERVER_MEMORY_H

#include "server/server-private.h"

struct nr_pair_index *nr_pair_index_create(void);

/* Bytes for the tail of what is being described; NR_SPAN_NULL when there is no room. They must live until it is sent.
 */
nr_span nr_describe_bytes(struct nr_describe *describe, const void *bytes, size_t length);

#endif
