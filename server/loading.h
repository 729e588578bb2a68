/*
 * What server/index.js calls (loading.c).
 */
#ifndef NR_SERVER_LOADING_H
#define NR_SERVER_LOADING_H

#include <node_api.h>

struct nr_agent;

/* Drops what prepare() remembered, if anything. */
void nr_loading_forget(struct nr_agent *agent);

/* configure({hostPath}) */
napi_value nr_loading_configure(napi_env napi, napi_callback_info info);
/* prepare(file, flags, group): the next process.dlopen() of the agent in this thread is for this file. */
napi_value nr_loading_prepare(napi_env napi, napi_callback_info info);
/* cancel(): it is not. */
napi_value nr_loading_cancel(napi_env napi, napi_callback_info info);
/* hosts(): [{pid, group, files, alive}] of this thread */
napi_value nr_loading_hosts(napi_env napi, napi_callback_info info);
/* counts(group): {calls, posts, entries, roundTrips, sleeps} */
napi_value nr_loading_counts(napi_env napi, napi_callback_info info);
/* kill(group): SIGKILL; true when there was a host */
napi_value nr_loading_kill(napi_env napi, napi_callback_info info);
/* recorded(group): what it has left for a report so far, as JSON; undefined when there is none. */
napi_value nr_loading_recorded(napi_env napi, napi_callback_info info);

#endif
