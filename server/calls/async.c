/*
 * Async contexts: those that addons make, and one for each async work. What a completion of a work runs in is what Node
 * opens around it: a handle scope and a callback scope of the work's async context.
 */
#include <stdlib.h>

#include "handlers.h"
#include "server/calls/guards.h"
#include "server/enter.h"
#include "server/pending.h"

struct nr_async {
  struct nr_env *env;
  nr_id id; /* in the host */
  napi_async_context context;
  napi_ref resource; /* of a work, which holds its resource; NULL: none */
  uint32_t open;     /* scopes and callbacks in it: Node 26 does not survive the end of their context */
  bool destroyed;    /* as soon as none is open */
};

void nr_async_free(struct nr_async *async) {
  free(async);
}

static struct nr_async *get(struct nr_dispatch *d, nr_id id) {
  struct nr_async *async = nr_table_get(d->connection->asyncs, id, NR_SORT_ASYNC);
  return async == NULL || async->env != d->env ? NULL : async;
}

/* A work is initialised with an object for a resource, like a context; its own status is the context's. */
static napi_status init(struct nr_dispatch *d, const Nr__AsyncInitRequest *request, bool holds) {
  napi_value resource, name, object = NULL;
  struct nr_async *async = calloc(1, sizeof *async);
  napi_status status = napi_generic_failure;
  if (async == NULL) return status;
  async->env = d->env;
  async->id = request->async_id;
  status = nr_take(d, request->async_resource, &resource);
  if (status == napi_ok) status = nr_take(d, request->async_resource_name, &name);
  if (status == napi_ok) status = nr_guard_async_names(d, resource, &name);
  if (status != napi_ok) goto failed;
  if (resource != NULL && holds && napi_coerce_to_object(d->napi, resource, &object) == napi_ok) resource = object;
  status = napi_async_init(d->napi, resource, name, &async->context);
  if (status != napi_ok) goto failed;
  if (object != NULL) napi_create_reference(d->napi, object, 1, &async->resource);
  int error = nr_table_adopt(d->connection->asyncs, request->async_id, NR_SORT_ASYNC, async);
  if (error == 0) return napi_ok;
  status = nr_refuse_id(d, error);
  napi_async_destroy(d->napi, async->context);
  if (async->resource != NULL) napi_delete_reference(d->napi, async->resource);
failed:
  free(async);
  return status;
}

static napi_status end(struct nr_async *async) {
  napi_env napi = async->env->napi;
  napi_status status = napi_async_destroy(napi, async->context);
  if (async->resource != NULL) napi_delete_reference(napi, async->resource);
  free(async);
  return status;
}

void nr_async_lost(struct nr_async *async) {
  nr_table_remove(async->env->connection->asyncs, async->id, NR_SORT_ASYNC);
  async->destroyed = true;
  if (async->open == 0) end(async);
}

static void leave(struct nr_async *async) {
  if (--async->open == 0 && async->destroyed) end(async);
}

static napi_status destroy(struct nr_dispatch *d, nr_id id) {
  struct nr_async *async = get(d, id);
  if (async == NULL) return napi_invalid_arg;
  nr_table_remove(d->connection->asyncs, id, NR_SORT_ASYNC);
  if (async->open == 0) return end(async);
  async->destroyed = true;
  return napi_ok;
}

napi_status nr_serve_napi_async_init(struct nr_dispatch *d, const void *message, void *answer) {
  (void)answer;
  return init(d, message, false);
}

napi_status nr_serve_napi_create_async_work(struct nr_dispatch *d, const void *message, void *answer) {
  (void)answer;
  nr_ending_awaits(d->env);
  return init(d, message, true);
}

napi_status nr_serve_napi_async_destroy(struct nr_dispatch *d, const void *message, void *answer) {
  (void)answer;
  return destroy(d, ((const Nr__AsyncRequest *)message)->async_id);
}

napi_status nr_serve_napi_delete_async_work(struct nr_dispatch *d, const void *message, void *answer) {
  (void)answer;
  return destroy(d, ((const Nr__AsyncRequest *)message)->async_id);
}

napi_status nr_serve_napi_make_callback(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__MakeCallbackRequest *request = message;
  Nr__KnownReply *reply = answer;
  napi_value recv, func, result = NULL, *argv;
  struct nr_async *async = request->async_id == 0 ? NULL : get(d, request->async_id);
  if (request->async_id != 0 && async == NULL) return napi_invalid_arg;
  NR_TAKE(d, request->recv, &recv);
  NR_TAKE(d, request->func, &func);
  NR_TAKE_VALUES(d, request->argv, request->n_argv, &argv);
  if (async != NULL) async->open++;
  napi_status status =
      napi_make_callback(d->napi, async == NULL ? NULL : async->context, recv, func, request->n_argv, argv, &result);
  if (async != NULL) leave(async);
  return status != napi_ok ? status : nr_give_known(d, request->result, result, reply);
}

/* ---- callback scopes ------------------------------------------------------------------------------------------------
 */

#define NR_CALLBACK_SCOPES_MAX 4096u

static bool make_room(struct nr_connection *connection) {
  if (connection->callback_scope_count < connection->callback_scope_room) return true;
  uint32_t room = connection->callback_scope_room == 0 ? 8 : connection->callback_scope_room * 2;
  if (room > NR_CALLBACK_SCOPES_MAX) return false;
  struct nr_callback_scope *scopes = realloc(connection->callback_scopes, room * sizeof *scopes);
  if (scopes == NULL) return false;
  connection->callback_scopes = scopes;
  connection->callback_scope_room = room;
  return true;
}

napi_status nr_serve_napi_open_callback_scope(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CallbackScopeRequest *request = message;
  struct nr_connection *connection = d->connection;
  struct nr_async *async = get(d, request->async_id);
  struct nr_callback_scope scope = {.napi = d->napi, .async = async};
  (void)answer;
  if (async == NULL) return napi_invalid_arg; /* Node does not survive it */
  if (request->level != connection->callback_scope_count) return nr_fault(d, "not the next level");
  if (!make_room(connection)) return napi_generic_failure;
  NR_TRY(napi_open_callback_scope(d->napi, NULL, async->context, &scope.real));
  async->open++;
  connection->callback_scopes[connection->callback_scope_count++] = scope;
  return napi_ok;
}

static napi_status close_innermost(struct nr_connection *connection) {
  struct nr_callback_scope scope = connection->callback_scopes[--connection->callback_scope_count];
  napi_status status = napi_close_callback_scope(scope.napi, scope.real);
  leave(scope.async);
  return status;
}

napi_status nr_serve_napi_close_callback_scope(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CallbackScopeRequest *request = message;
  struct nr_connection *connection = d->connection;
  (void)answer;
  if (request->level < connection->callback_scope_base || request->level + 1 != connection->callback_scope_count) {
    return nr_fault(d, "not the innermost callback scope of the entry");
  }
  return close_innermost(connection);
}

void nr_callback_scopes_close(struct nr_connection *connection, uint32_t level) {
  while (connection->callback_scope_count > level) close_innermost(connection);
}

/* ---- completions ----------------------------------------------------------------------------------------------------
 */

/* Nothing lies below a completion that could catch what it throws. */
static void report_exception(napi_env napi) {
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(napi, &pending) != napi_ok || !pending) return;
  if (napi_get_and_clear_last_exception(napi, &exception) == napi_ok) napi_fatal_exception(napi, exception);
}

static void enter(struct nr_dispatch *d, nr_id id) {
  Nr__CompleteRequest request = NR__COMPLETE_REQUEST__INIT;
  request.async_id = id;
  nr_enter_once(d->connection, d->env, NR_OP_COMPLETE_WORK, &request.base);
}

/* The completion may delete the work. */
napi_status nr_serve_run_completion(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CompleteRequest *request = message;
  struct nr_async *async = get(d, request->async_id);
  napi_handle_scope scope;
  napi_callback_scope callback_scope;
  napi_value resource = NULL;
  (void)answer;
  if (async == NULL) return napi_invalid_arg;
  NR_TRY(napi_open_handle_scope(d->napi, &scope));
  if (async->resource != NULL) napi_get_reference_value(d->napi, async->resource, &resource);
  napi_status status = napi_open_callback_scope(d->napi, resource, async->context, &callback_scope);
  if (status == napi_ok) {
    async->open++;
    enter(d, request->async_id);
    report_exception(d->napi);
    napi_close_callback_scope(d->napi, callback_scope);
    leave(async);
  }
  napi_close_handle_scope(d->napi, scope);
  return status;
}
