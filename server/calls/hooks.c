/*
 * Env cleanup hooks: each has a real one on its env, so that their order among all addons and Node's own is Node's.
 */
#include <errno.h>
#include <stdlib.h>

#include "handlers.h"
#include "server/enter.h"
#include "server/pending.h"

struct nr_hook {
  struct nr_connection *connection; /* counted */
  struct nr_env *env;
  nr_id id; /* in the host */
};

static void hook_free(struct nr_hook *hook) {
  nr_connection_unref(hook->connection);
  free(hook);
}

/* Node runs it: the host runs the addon's. */
static void run(void *argument) {
  struct nr_hook *hook = argument;
  Nr__HookRequest request = NR__HOOK_REQUEST__INIT;
  struct nr_agent *agent = hook->connection->agent;
  napi_handle_scope scope;
  nr_ending_begin(agent);
  request.hook_id = hook->id;
  nr_table_remove(hook->connection->hooks, hook->id, NR_SORT_HOOK);
  /* Node runs hooks without one. The addon's env may be gone, when another hook has added this one. */
  if (agent != NULL && napi_open_handle_scope(agent->napi, &scope) == napi_ok) {
    nr_enter_once(hook->connection, hook->env, NR_OP_CLEANUP_HOOK, &request.base);
    napi_close_handle_scope(agent->napi, scope);
  }
  hook_free(hook);
}

/* There is nothing left to run. */
void nr_hook_lost(struct nr_hook *hook) {
  nr_table_remove(hook->connection->hooks, hook->id, NR_SORT_HOOK);
  if (hook->env->napi != NULL) napi_remove_env_cleanup_hook(hook->env->napi, run, hook);
  hook_free(hook);
}

napi_status nr_serve_napi_add_env_cleanup_hook(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__HookRequest *request = message;
  struct nr_hook *hook = calloc(1, sizeof *hook);
  (void)answer;
  if (hook == NULL) return napi_generic_failure;
  *hook = (struct nr_hook){.connection = d->connection, .env = d->env, .id = request->hook_id};
  int error = nr_table_adopt(d->connection->hooks, request->hook_id, NR_SORT_HOOK, hook);
  if (error < 0) {
    free(hook);
    return error == -ENOMEM ? napi_generic_failure : nr_fault(d, "a hook under an id that is taken");
  }
  nr_connection_ref(hook->connection);
  napi_status status = napi_add_env_cleanup_hook(d->napi, run, hook);
  nr_ending_hooked(d->connection->agent);
  if (status == napi_ok) return napi_ok;
  nr_table_remove(d->connection->hooks, request->hook_id, NR_SORT_HOOK);
  hook_free(hook);
  return status;
}

napi_status nr_serve_napi_remove_env_cleanup_hook(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__HookRequest *request = message;
  struct nr_hook *hook = nr_table_get(d->connection->hooks, request->hook_id, NR_SORT_HOOK);
  (void)answer;
  if (hook == NULL || hook->env != d->env) return napi_invalid_arg;
  nr_table_remove(d->connection->hooks, request->hook_id, NR_SORT_HOOK);
  napi_status status = napi_remove_env_cleanup_hook(d->napi, run, hook);
  hook_free(hook);
  return status;
}
