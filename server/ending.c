/*
 * The end of a thread. Async works complete before anything goes that they may use; then come the envs of addons, of
 * which some take their time, with hooks that finish later and threadsafe functions that close, and Node turns its loop
 * until they are done; the agent is last. What a host does not finish within a limit ends with it: Node's exit is not
 * held up.
 */
#include <stdlib.h>
#include <uv.h>

#include "handlers.h"
#include "server/doorbell.h"
#include "server/enter.h"
#include "server/place.h"
#include "server/server-private.h"

#define NR_ENDING_MILLISECONDS 10000u

struct nr_ending {
  struct nr_agent *agent;
  napi_async_cleanup_hook_handle hook;
  uv_timer_t *limit;
  uint64_t milliseconds;
  uint64_t deadline_ns; /* 0: the end has not begun */
  uint64_t patience_ns; /* of a Worker that has been terminated in the middle of a call; 0: it has not */
};

static void on_closed(uv_handle_t *limit) {
  struct nr_ending *ending = limit->data;
  napi_remove_async_cleanup_hook(ending->hook);
  free(ending);
  free(limit);
}

static void finish_works(void *data);

/* Node would call it after the agent is gone. */
static void forget_works(struct nr_agent *agent) {
  if (agent->works) napi_remove_env_cleanup_hook(agent->napi, finish_works, agent);
  agent->works = false;
}

static void end(struct nr_ending *ending) {
  struct nr_agent *agent = ending->agent;
  forget_works(agent);
  nr_connections_exit(agent, 0);
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) nr_doorbell_close(each);
  uv_close((uv_handle_t *)ending->limit, on_closed);
  nr_agent_gone(agent);
}

static void on_limit(uv_timer_t *limit) {
  struct nr_ending *ending = limit->data;
  for (struct nr_connection *each = ending->agent->connections; each != NULL; each = each->next) {
    nr_connection_abandon(each);
    nr_doorbell_lost(each);
  }
}

void nr_ending_begin(struct nr_agent *agent) {
  struct nr_ending *ending = agent == NULL ? NULL : agent->ending;
  if (ending == NULL || ending->deadline_ns != 0) return;
  ending->deadline_ns = nr_now_ns() + ending->milliseconds * 1000000u;
  uv_update_time(ending->limit->loop);
  uv_timer_start(ending->limit, on_limit, ending->milliseconds, 0);
}

uint64_t nr_ending_deadline(const struct nr_agent *agent) {
  return agent->ending->deadline_ns;
}

/* What functions that might run JavaScript begin with. */
static napi_status may_run_js(napi_env napi) {
  napi_handle_scope scope;
  napi_value value;
  napi_status status = napi_open_handle_scope(napi, &scope);
  if (status != napi_ok) return status;
  status = napi_get_undefined(napi, &value);
  if (status == napi_ok) status = napi_coerce_to_bool(napi, value, &value);
  napi_close_handle_scope(napi, scope);
  return status;
}

/* A call without an argument that it needs was refused in the host, but not for the first reason that Node has. */
napi_status nr_serve_may_run_js(struct nr_dispatch *d, const void *message, void *answer) {
  (void)message;
  (void)answer;
  return may_run_js(d->napi);
}

uint64_t nr_ending_patience(struct nr_agent *agent) {
  struct nr_ending *ending = agent->ending;
  /* Nobody tells that the thread is being terminated: but then no JavaScript may run. */
  if (ending->patience_ns == 0 && may_run_js(agent->napi) != napi_ok)
    ending->patience_ns = nr_now_ns() + ending->milliseconds * 1000000u;
  return ending->patience_ns;
}

/* ---- async works ----------------------------------------------------------------------------------------------------
 */

static void finish(struct nr_env *env) {
  Nr__Empty request = NR__EMPTY__INIT;
  napi_handle_scope scope;
  if (!env->works || env->napi == NULL || napi_open_handle_scope(env->napi, &scope) != napi_ok) return;
  nr_enter_once(env->connection, env, NR_OP_FINISH_WORKS, &request.base);
  napi_close_handle_scope(env->napi, scope);
}

/* A hook, but not only. Works that others make meanwhile are waited for as well; a hook must not be added twice. */
static void finish_works(void *data) {
  struct nr_agent *agent = data;
  nr_ending_begin(agent);
  for (struct nr_place *place = agent->places; place != NULL; place = place->next)
    for (struct nr_env *env = place->envs; env != NULL; env = env->next) finish(env);
  forget_works(agent);
}

void nr_ending_awaits(struct nr_env *env) {
  struct nr_agent *agent = env->connection->agent;
  env->works = true;
  if (!agent->works) agent->works = napi_add_env_cleanup_hook(agent->napi, finish_works, agent) == napi_ok;
}

void nr_ending_hooked(struct nr_agent *agent) {
  if (agent == NULL || !agent->works) return;
  napi_remove_env_cleanup_hook(agent->napi, finish_works, agent);
  agent->works = napi_add_env_cleanup_hook(agent->napi, finish_works, agent) == napi_ok;
}

void nr_ending_of_bytes(struct nr_agent *agent) {
  if (agent == NULL || (agent->ending->deadline_ns != 0 && !agent->works) || may_run_js(agent->napi) == napi_ok) return;
  nr_ending_begin(agent); /* the host is to know that no JavaScript may run */
  if (agent->works) finish_works(agent);
}

/* ---- the agent ------------------------------------------------------------------------------------------------------
 */

/* Hooks that hooks have added, works that they have made, and envs that wait for something: a threadsafe function, a
 * hook that takes its time. */
static bool is_done(const struct nr_agent *agent) {
  size_t left = agent->envs + agent->works;
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) {
    left += nr_table_count(each->hooks);
  }
  return left == 0;
}

/*
 * Registered before any addon's env was made, hence the last of a round of Node's. Not to be done while something is
 * left would hold up just that: Node first waits for all that a round has begun. So this takes part in the next one.
 */
static void on_env_end(napi_async_cleanup_hook_handle hook, void *data) {
  struct nr_ending *ending = data;
  struct nr_agent *agent = ending->agent;
  nr_ending_begin(agent);
  if (is_done(agent) || nr_now_ns() >= ending->deadline_ns ||
      napi_add_async_cleanup_hook(agent->napi, on_env_end, ending, &ending->hook) != napi_ok) {
    end(ending);
  } else {
    napi_remove_async_cleanup_hook(hook);
  }
}

static uint64_t limit_wanted(void) {
  const char *text = getenv("NAPI_REMOTE_TEARDOWN_MILLISECONDS");
  char *end = NULL;
  unsigned long wanted = text == NULL ? 0 : strtoul(text, &end, 10);
  return wanted > 0 && *end == '\0' && wanted <= UINT32_MAX ? wanted : NR_ENDING_MILLISECONDS;
}

bool nr_ending_prepare(struct nr_agent *agent) {
  uv_loop_t *loop = NULL;
  struct nr_ending *ending = calloc(1, sizeof *ending);
  /* Of the size that Node's libuv says, not the one of our header. */
  uv_timer_t *limit = calloc(1, uv_handle_size(UV_TIMER));
  if (ending == NULL || limit == NULL || napi_get_uv_event_loop(agent->napi, &loop) != napi_ok ||
      napi_add_async_cleanup_hook(agent->napi, on_env_end, ending, &ending->hook) != napi_ok) {
    free(ending);
    free(limit);
    return false;
  }
  *ending = (struct nr_ending){.agent = agent, .hook = ending->hook, .limit = limit, .milliseconds = limit_wanted()};
  uv_timer_init(loop, limit);
  limit->data = ending;
  agent->ending = ending;
  return true;
}
