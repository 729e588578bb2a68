/*
 * What server/index.js calls (loading.c).
 */
#ifndef NR_SERVER_LOADING_H
#define NR_SERVER_LOADING_H

#include <node_api.h>

struct nr_agent;

/* Drops what prepare() remembered, if anything. */
void nr_loading_forget(struct nr_agent *agent);

/* configure({hostPath, bufferMax, roomOf, onExit, onCall, construct}) */
napi_value nr_loading_configure(napi_env napi, napi_callback_info info);
/* prepare(file, flags, group, options): the next process.dlopen() of the agent in this thread is for this file. The
 * serial of the host that it is in. */
napi_value nr_loading_prepare(napi_env napi, napi_callback_info info);
/* cancel(): it is not. */
napi_value nr_loading_cancel(napi_env napi, napi_callback_info info);
/* hosts(): [{serial, pid, group, files, alive}] of this thread */
napi_value nr_loading_hosts(napi_env napi, napi_callback_info info);
/* counts(serial): {calls, posts, entries, roundTrips, sleeps, handles, references} */
napi_value nr_loading_counts(napi_env napi, napi_callback_info info);
/* end(serial, signal?): SIGKILL, on behalf of an AbortSignal; true when there was a host that lived */
napi_value nr_loading_end(napi_env napi, napi_callback_info info);
/* times(serial): [nanoseconds, count, ...] of entries since it was asked last */
napi_value nr_loading_times(napi_env napi, napi_callback_info info);
/* streams(serial): descriptors of pipes from stdin (none), stdout and stderr, -1 for none; once */
napi_value nr_loading_streams(napi_env napi, napi_callback_info info);
/* recycle(serial): ends a host that has nothing to do; true when it did */
napi_value nr_loading_recycle(napi_env napi, napi_callback_info info);
/* awaitEnd(serial): waits until a host that was ended is dead; false when that takes too long */
napi_value nr_loading_await_end(napi_env napi, napi_callback_info info);
/* hold(serial, yes): while the host lives, so does the program */
napi_value nr_loading_hold(napi_env napi, napi_callback_info info);
/* recorded(serial): what a report is made of, as nr_report_facts() has it; undefined when there is no such host. */
napi_value nr_loading_recorded(napi_env napi, napi_callback_info info);

#endif
