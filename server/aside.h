/*
 * Entries that begin while something is served for which the host does not wait (aside.c).
 */
#ifndef NR_SERVER_ASIDE_H
#define NR_SERVER_ASIDE_H

#include "wire/value.h"

struct nr_connection;
struct nr_frame;

/* Hooks of async_hooks run for what the host has only posted, and may call its addons. The host goes on meanwhile:
 * waits until it listens, which is when it calls or returns, and puts all of that aside. What begins then finds
 * handles and scopes as the host has them. NULL: the connection has failed. */
struct nr_aside *nr_aside_begin(struct nr_connection *connection);
/* Handles and scopes are those of before; what was put aside comes next. `aside` may be NULL. */
void nr_aside_end(struct nr_connection *connection, struct nr_aside *aside);

/* A handle of the entries below, which native code may have kept while they are open; NULL: none. */
void *nr_aside_handle(const struct nr_connection *connection, nr_value value);

/* The next frame that was put aside, in the connection's arena. 0; -EAGAIN: there is none; or the connection's
 * failure. */
int nr_aside_receive(struct nr_connection *connection, struct nr_frame *frame);
void nr_aside_free(struct nr_connection *connection);

#endif
