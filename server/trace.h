/*
 * NAPI_REMOTE_TRACE=server (or both): what this side sees, one line each on stderr. The host prints its own
 * (client/trace.c).
 */
#ifndef NR_SERVER_TRACE_H
#define NR_SERVER_TRACE_H

#include "server/server-private.h"

struct nr_dispatch;
struct nr_enter;

/* Read on every call: set once, from the environment, when the first agent is loaded. */
extern bool nr_server_traces;
#define NR_SERVER_TRACES __builtin_expect(nr_server_traces, 0)

/* Does NAPI_REMOTE_TRACE ask for this side's ("server", "both") or the host's ("1", "host", "both") view? */
bool nr_trace_wanted(const char *side);
void nr_server_trace_enter(const struct nr_enter *enter);
void nr_server_trace_call(const struct nr_dispatch *dispatch, napi_status status);

#endif
