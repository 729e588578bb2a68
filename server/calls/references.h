/*
 * References of the host (references.c).
 */
#ifndef NR_SERVER_REFERENCES_H
#define NR_SERVER_REFERENCES_H

#include "server/server-private.h"

struct nr_dispatch;
struct nr_reference;
struct nr_wrap;

/* Puts a reference that napi_wrap() or napi_add_finalizer() made under the host's id. NULL: without memory, or a fault.
 */
struct nr_reference *nr_reference_adopt(struct nr_dispatch *dispatch, nr_id id, napi_ref real, struct nr_wrap *wrap);
/* The connection goes, after all envs: with what the addon has not deleted. */
void nr_references_end(struct nr_connection *connection);
/* The wrap of this reference is gone: finalized or removed. */
void nr_reference_unwrapped(struct nr_reference *reference);

#endif
