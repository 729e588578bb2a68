/*
 * What a host has begun and Node waits for: threadsafe functions, cleanup hooks that take their time, async contexts.
 */
#ifndef NR_SERVER_PENDING_H
#define NR_SERVER_PENDING_H

#include "server/server-private.h"

/* What lives behind an id of connection->asyncs. */
struct nr_async;
struct nr_threadsafe_function;
struct nr_async_hook;
struct nr_hook;
struct nr_reference;

/* The host of this connection is dead: Node is not to wait any more. */
void nr_pending_lost(struct nr_connection *connection);
/* At the end of the connection. */
void nr_pending_free(struct nr_connection *connection);

void nr_async_lost(struct nr_async *async);
void nr_async_free(struct nr_async *async);
void nr_threadsafe_lost(struct nr_threadsafe_function *function);
void nr_async_hook_lost(struct nr_async_hook *hook);
void nr_hook_lost(struct nr_hook *hook);
void nr_reference_lost(struct nr_reference *reference);

/* Callback scopes of the host, from this level on. */
void nr_callback_scopes_close(struct nr_connection *connection, uint32_t level);

#endif
