/*
 * What is thrown for a host that cannot go on (failure.c), and the reports that such errors offer (report.c).
 */
#ifndef NR_SERVER_FAILURE_H
#define NR_SERVER_FAILURE_H

#include <node_api.h>
#include <stddef.h>

struct nr_agent;
struct nr_connection;
struct nr_death;
struct nr_launch;
struct nr_launch_files;

/* Throws ERR_NAPI_REMOTE_HOST_DIED (or _PROTOCOL, _TIMEOUT ...) in `napi` for a connection that has failed; a pending
 * exception becomes its cause. */
void nr_throw_failure(struct nr_connection *connection, napi_env napi, const char *doing);
/* That error. doing: what is not carried out now; NULL: nobody called. NULL: the env is terminating. */
napi_value nr_failure_error(struct nr_connection *connection, napi_env napi, const char *doing);
/* ERR_NAPI_REMOTE_LAUNCH: with what is known of a host that ended at once. */
void nr_throw_launch(napi_env napi, const struct nr_launch *launch, const char *why,
                     const struct nr_launch_files *files);
/* An addon that is not loaded, for a reason with such a code. connection: where it would live; NULL: there is none yet.
 */
void nr_throw_refused(napi_env napi, const char *file, const char *code, const char *text,
                      struct nr_connection *connection);
/* ERR_NAPI_REMOTE_GONE: for what belongs to a host that is dead, and has nothing in its place. NULL as above. */
napi_value nr_gone_error(struct nr_connection *connection, napi_env napi);
void nr_throw_gone(struct nr_connection *connection, napi_env napi);
/* ERR_NAPI_REMOTE_QUOTA: the host goes on. */
void nr_throw_quota(struct nr_connection *connection, napi_env napi, const char *text);
/* In one word, as the `exit` event tells it. */
const char *nr_death_reason(const struct nr_death *death);
/* SIGSEGV; `signal 40` for one without a name. */
const char *nr_signal_name(int number, char *buffer, size_t size);

/* ---- report.c -------------------------------------------------------------------------------------------------------
 */

/* Gives such an error its `report`, which is made when somebody looks. */
void nr_report_offer(struct nr_connection *connection, napi_env napi, napi_value error);
/* The host has died: whoever wants a report of that hears of it, the first time. error: NULL: nobody has called. */
void nr_report_death(struct nr_connection *connection, napi_env napi, napi_value error);
/* What server/lib/report.js configures. */
void nr_report_configure(struct nr_agent *agent, napi_env napi, napi_value options);
/* native.recorded(serial): what is known of a host, dead or alive: what it has left so far, as JSON; what it took; its
 * reason, signal and exit code. undefined for what is not known, or not yet. NULL: without memory. */
napi_value nr_report_facts(napi_env napi, struct nr_connection *connection);

#endif
