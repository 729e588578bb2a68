/*
 * The scopes of a host (scopes.c).
 */
#ifndef NR_SERVER_SCOPES_H
#define NR_SERVER_SCOPES_H

#include <node_api.h>
#include <stdint.h>

#include "wire/value.h"

/* Open ones of a connection. */
#define NR_SCOPES_MAX (UINT32_C(1) << 20)

struct nr_connection;
struct nr_dispatch;

/* Closes the scopes of the host at this level and above. */
void nr_scopes_close(struct nr_connection *connection, uint32_t level);
/* Closes those that the host has closed by now. */
void nr_scopes_settle(struct nr_connection *connection);
/* Closes all of the innermost entry, which has returned, and looks up its result. */
napi_status nr_scopes_leave(struct nr_dispatch *d, nr_value value, napi_value *result);
/* The first place of `chosen` that belongs to the scope right below `level` (of the innermost one for scope_count). */
uint32_t nr_scopes_floor(const struct nr_connection *connection, uint32_t level);

#endif
