/*
 * What becomes of the functions of a host that is dead. JavaScript (server/lib/restart.js) has the addon loaded again,
 * into a new host, and names for each old function the new one that takes its place: its successor, which is called
 * instead from then on. What has no successor belongs to a process that is gone.
 */
#include "server/restart.h"

#include <stdlib.h>

#include "server/calls/objects.h"
#include "server/failure.h"

static bool has_exception(napi_env napi) {
  bool pending = false;
  return napi_is_exception_pending(napi, &pending) != napi_ok || pending;
}

/* ---- successors -----------------------------------------------------------------------------------------------------
 */

/* Calls an old function, which is ours or not: ours calls nothing now, and tells who it is. */
static struct nr_callback *probe(struct nr_agent *agent, napi_env napi, napi_value function) {
  napi_value undefined = NULL;
  uintptr_t careful = agent->stack_careful;
  agent->probes = true;
  agent->probed = NULL;
  agent->stack_careful = UINTPTR_MAX; /* so that also callbacks of hosts that live come to nr_restart_probed() */
  if (napi_get_undefined(napi, &undefined) == napi_ok) napi_call_function(napi, undefined, function, 0, NULL, NULL);
  agent->probes = false;
  agent->stack_careful = careful;
  return agent->probed;
}

bool nr_restart_probed(struct nr_agent *agent, struct nr_callback *callback) {
  if (!agent->probes) return false;
  agent->probed = callback;
  return true;
}

void nr_restart_forget(struct nr_callback *callback) {
  if (callback->successor != NULL && callback->env->napi != NULL)
    napi_delete_reference(callback->env->napi, callback->successor);
  callback->successor = NULL;
}

napi_value nr_restart_succeed(napi_env napi, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], result;
  struct nr_agent *agent = nr_agent_current();
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  struct nr_callback *callback = probe(agent, napi, argv[0]);
  if (callback == NULL || callback->env->napi == NULL || nr_port_failure(callback->connection->port) == 0) return NULL;
  nr_restart_forget(callback);
  bool done = napi_create_reference(callback->env->napi, argv[1], 1, &callback->successor) == napi_ok;
  return napi_get_boolean(napi, done, &result) == napi_ok ? result : NULL;
}

/* ---- calls of a function whose host is dead
 * --------------------------------------------------------------------------
 */

static napi_value construct(struct nr_agent *agent, napi_env napi, napi_value next, napi_value new_target, size_t argc,
                            napi_value *argv) {
  napi_value function = NULL, undefined, result = NULL;
  /* The first two places of argv are ours. */
  argv[0] = next;
  argv[1] = new_target;
  if (napi_get_reference_value(agent->napi, agent->construct, &function) != napi_ok ||
      napi_get_undefined(napi, &undefined) != napi_ok ||
      napi_call_function(napi, undefined, function, argc + 2, argv, &result) != napi_ok) {
    return NULL;
  }
  return result;
}

static napi_value forward(struct nr_callback *callback, napi_env napi, napi_callback_info info) {
  size_t argc = 0;
  napi_value this_arg = NULL, new_target = NULL, next = NULL, result = NULL;
  if (napi_get_cb_info(napi, info, &argc, NULL, NULL, NULL) != napi_ok) return NULL;
  napi_value *argv = malloc((argc + 2) * sizeof *argv);
  if (argv == NULL) {
    nr_throw_quota(callback->connection, napi, "Out of memory for the arguments of a call");
    return NULL;
  }
  napi_get_cb_info(napi, info, &argc, argv + 2, &this_arg, NULL);
  napi_get_new_target(napi, info, &new_target);
  if (napi_get_reference_value(callback->env->napi, callback->successor, &next) != napi_ok) next = NULL;
  if (next == NULL) {
    nr_throw_failure(callback->connection, napi, "a call");
  } else if (new_target == NULL) {
    napi_call_function(napi, this_arg, next, argc, argv + 2, &result);
  } else {
    result = construct(callback->connection->agent, napi, next, new_target, argc, argv);
  }
  free(argv);
  return result;
}

/* The one that has its place now; itself when none has. Those in between are let go of. */
static struct nr_connection *latest(struct nr_connection *connection) {
  while (connection->heir != NULL && connection->heir->heir != NULL) {
    struct nr_connection *between = connection->heir;
    connection->heir = between->heir;
    nr_connection_ref(connection->heir);
    nr_connection_unref(between);
  }
  return connection->heir == NULL ? connection : connection->heir;
}

/* JavaScript may start a new host now. */
static void ask(struct nr_connection *connection, napi_env napi) {
  struct nr_agent *agent = connection->agent;
  napi_value function = NULL, undefined, serial;
  if (agent->on_call == NULL || napi_get_reference_value(agent->napi, agent->on_call, &function) != napi_ok ||
      napi_get_undefined(napi, &undefined) != napi_ok ||
      napi_create_uint32(napi, connection->serial, &serial) != napi_ok) {
    return;
  }
  napi_call_function(napi, undefined, function, 1, &serial, NULL);
}

static napi_value succeed(struct nr_callback *callback, napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = callback->connection;
  struct nr_connection *now = latest(connection);
  if (now->restarts && !now->exited && nr_port_failure(now->port) < 0) {
    ask(now, napi);
    if (has_exception(napi)) return NULL;
  }
  if (callback->connection != connection) return nr_callback_invoke(callback, napi, info);
  now = latest(connection);
  if (callback->successor != NULL && nr_port_failure(now->port) == 0) return forward(callback, napi, info);
  if (callback->successor != NULL) {
    /* It would ask once more, and another host might be started for it then: it belonged to the one before. */
    nr_throw_failure(now, napi, "a call");
  } else if (connection->heir != NULL) {
    nr_throw_gone(connection, napi);
  } else {
    nr_throw_failure(connection, napi, "a call");
  }
  return NULL;
}

/* Apart: what it needs would be on the stack of every call. */
__attribute__((noinline)) napi_value nr_restart_call(struct nr_callback *callback, napi_env napi,
                                                     napi_callback_info info) {
  void *data = NULL;
  if (has_exception(napi)) return NULL;
  if (callback == NULL) {
    if (napi_get_cb_info(napi, info, NULL, NULL, NULL, &data) != napi_ok) return NULL;
    callback = data;
  }
  struct nr_connection *connection = callback->connection;
  if (connection->agent == NULL) {
    nr_throw_failure(connection, napi, "a call");
    return NULL;
  }
  if (connection->agent->probes) return NULL;
  nr_connection_ref(connection); /* the callback may come to be another host's */
  napi_value result = succeed(callback, napi, info);
  nr_connection_unref(connection);
  return result;
}

/* Methods of a new class are V8's to refuse for objects of the old one (server/lib/survey.js), before anything of ours
 * is called. */
napi_value nr_restart_gone(napi_env napi, napi_callback_info info) {
  size_t argc = 1;
  napi_value object;
  void *pointer = NULL;
  const struct nr_agent *agent = nr_agent_current();
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, &object, NULL, NULL) != napi_ok) return NULL;
  if (napi_unwrap(napi, object, &pointer) != napi_ok) return NULL;
  const struct nr_wrap *wrap = nr_table_get(agent->objects, (nr_id)(uintptr_t)pointer, NR_SORT_WRAP);
  if (wrap == NULL || nr_port_failure(wrap->connection->port) == 0) return NULL;
  return nr_gone_error(wrap->connection, napi);
}

/* The first is not looked for by its group any more, and goes when it is settled. */
napi_value nr_restart_inherit(napi_env napi, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2];
  uint32_t old = 0, heir = 0;
  struct nr_agent *agent = nr_agent_current();
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  napi_get_value_uint32(napi, argv[0], &old);
  napi_get_value_uint32(napi, argv[1], &heir);
  struct nr_connection *connection = nr_connection_by_serial(agent, old);
  if (connection == NULL || connection->heir != NULL) return NULL;
  connection->heir = nr_connection_by_serial(agent, heir);
  if (connection->heir == NULL || connection->heir == connection) {
    connection->heir = NULL;
    return NULL;
  }
  nr_connection_ref(connection->heir);
  if (connection->lost) nr_connection_unlist(connection);
  return NULL;
}
