/*
 * Threadsafe functions, as the rest of the client sees them (threadsafe.c).
 */
#ifndef NR_CLIENT_THREADSAFE_H
#define NR_CLIENT_THREADSAFE_H

#include "client/client-private.h"

/* Tells the server what threads have done with threadsafe functions. On the channel's thread, inside an entry. */
void nr_threadsafe_flush(struct nr_channel *channel);
/* The entry: what Node does with one of them. Returns its env, NULL when there is no such function. */
napi_env nr_threadsafe_serve(struct nr_channel *channel, const Nr__ThreadsafeRequest *request);

#endif
