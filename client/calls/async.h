/*
 * Async contexts, async work and cleanup hooks that take their time, as the entries see them (async.c, work.c).
 */
#ifndef NR_CLIENT_ASYNC_H
#define NR_CLIENT_ASYNC_H

#include "client/client-private.h"

/* The entries. Each returns the env of what it ran, NULL when there is no such thing. */
napi_env nr_work_complete(struct nr_channel *channel, nr_id id);
void nr_works_finish(struct nr_channel *channel, napi_env env);
napi_env nr_async_hook_run(struct nr_channel *channel, nr_id id);

#endif
