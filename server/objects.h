/*
 * What objects.c shares with references.c.
 */
#ifndef NR_SERVER_OBJECTS_H
#define NR_SERVER_OBJECTS_H

#include "server/server-private.h"

/* NODE_API_EXPERIMENTAL_VERSION: an addon that declares it has its finalizers run inside the collection. */
#define NR_API_VERSION_EXPERIMENTAL INT32_MAX

struct nr_wrap;

/* Its finalizer is not to run: the addon deleted the reference that came with it. */
void nr_wrap_silence(struct nr_wrap *wrap);

#endif
