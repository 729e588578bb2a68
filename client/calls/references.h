/*
 * References, for the functions that hand out one beside their own result (references.c).
 */
#ifndef NR_CLIENT_REFERENCES_H
#define NR_CLIENT_REFERENCES_H

#include "client/client-private.h"

/* A new reference id with this count to a value of this tag (0: a primitive). 0: no memory. */
nr_id nr_reference_new(napi_env env, uint32_t count, unsigned tag);
/* The server never heard of it. */
void nr_reference_drop(napi_env env, nr_id id);
/* Meanwhile other threads do not look which channel an env has. */
void nr_references_lock(void);
void nr_references_unlock(void);

#endif
