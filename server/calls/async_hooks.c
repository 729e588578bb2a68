/*
 * Cleanup hooks that take their time: a real one each, so that Node waits for it as long as it waits for any.
 */
#include <errno.h>
#include <stdlib.h>

#include "handlers.h"
#include "server/enter.h"
#include "server/pending.h"

struct nr_async_hook {
  struct nr_connection *connection; /* counted */
  struct nr_env *env;
  nr_id id; /* in the host */
  napi_async_cleanup_hook_handle real;
};

static napi_status end(struct nr_async_hook *hook) {
  nr_table_remove(hook->connection->asyncs, hook->id, NR_SORT_ASYNC_HOOK);
  napi_status status = napi_remove_async_cleanup_hook(hook->real);
  nr_connection_unref(hook->connection);
  free(hook);
  return status;
}

void nr_async_hook_lost(struct nr_async_hook *hook) {
  end(hook);
}

/* Node runs it: the host runs the addon's, which may remove it at once, or later, or never. */
static void run(napi_async_cleanup_hook_handle handle, void *data) {
  struct nr_async_hook *hook = data;
  struct nr_connection *connection = hook->connection;
  Nr__HookRequest request = NR__HOOK_REQUEST__INIT;
  napi_env napi = hook->env->napi;
  nr_id id = hook->id;
  napi_handle_scope scope;
  (void)handle;
  nr_ending_begin(connection->agent);
  request.hook_id = id;
  nr_connection_ref(connection);
  if (napi_open_handle_scope(napi, &scope) == napi_ok) {
    nr_enter_once(connection, hook->env, NR_OP_ASYNC_HOOK, &request.base);
    napi_close_handle_scope(napi, scope);
  }
  hook = nr_table_get(connection->asyncs, id, NR_SORT_ASYNC_HOOK);
  if (hook != NULL && nr_port_failure(connection->port) < 0) end(hook);
  nr_connection_unref(connection);
}

napi_status nr_serve_napi_add_async_cleanup_hook(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__HookRequest *request = message;
  (void)answer;
  if (d->env->ending) return napi_closing; /* a finalizer: Node itself would call into the env when that is gone */
  struct nr_async_hook *hook = calloc(1, sizeof *hook);
  if (hook == NULL) return napi_generic_failure;
  *hook = (struct nr_async_hook){.connection = d->connection, .env = d->env, .id = request->hook_id};
  int error = nr_table_adopt(d->connection->asyncs, hook->id, NR_SORT_ASYNC_HOOK, hook);
  if (error < 0) {
    free(hook);
    return nr_refuse_id(d, error);
  }
  nr_connection_ref(hook->connection);
  napi_status status = napi_add_async_cleanup_hook(d->napi, run, hook, &hook->real);
  nr_ending_hooked(d->connection->agent);
  if (status == napi_ok) return napi_ok;
  nr_table_remove(d->connection->asyncs, hook->id, NR_SORT_ASYNC_HOOK);
  nr_connection_unref(hook->connection);
  free(hook);
  return status;
}

napi_status nr_serve_napi_remove_async_cleanup_hook(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__HookRequest *request = message;
  struct nr_async_hook *hook = nr_table_get(d->connection->asyncs, request->hook_id, NR_SORT_ASYNC_HOOK);
  (void)answer;
  if (hook == NULL) return napi_invalid_arg;
  return end(hook);
}
