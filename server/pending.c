/*
 * What ends when a host dies, and when its connection does.
 */
#include "server/pending.h"

#include <stdlib.h>

#include "server/failure.h"

static void lose(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)context;
  if (kind == NR_SORT_THREADSAFE) nr_threadsafe_lost(item);
  if (kind == NR_SORT_ASYNC_HOOK) nr_async_hook_lost(item);
  if (kind == NR_SORT_ASYNC) nr_async_lost(item);
}

static void lose_hook(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)kind;
  (void)context;
  nr_hook_lost(item);
}

static void lose_reference(nr_id id, unsigned kind, void *item, void *context) {
  struct nr_connection *connection = context;
  (void)item;
  nr_reference_lost(nr_table_remove(connection->references_table, id, kind));
}

/* ---- what JavaScript hears ------------------------------------------------------------------------------------------
 */

struct rejection {
  struct nr_connection *connection;
  napi_value error;
};

static void reject(nr_id id, unsigned kind, void *item, void *context) {
  struct rejection *rejection = context;
  nr_table_remove(rejection->connection->deferreds, id, kind);
  napi_reject_deferred(rejection->connection->agent->napi, item, rejection->error);
}

/* The promises that the host was to settle are rejected, all with one error. */
static void reject_owed(struct nr_connection *connection, napi_env napi) {
  struct rejection rejection = {.connection = connection};
  if (nr_table_count(connection->deferreds) == 0) return;
  rejection.error = nr_failure_error(connection, napi, "what a promise stands for");
  if (rejection.error != NULL) nr_table_each(connection->deferreds, reject, &rejection);
}

static bool describe(struct nr_connection *connection, napi_env napi, napi_value *argv) {
  char name[32];
  struct nr_death death = nr_host_death(connection->host);
  if (napi_create_uint32(napi, connection->serial, &argv[0]) != napi_ok || napi_get_null(napi, &argv[1]) != napi_ok ||
      napi_get_null(napi, &argv[2]) != napi_ok) {
    return false;
  }
  if (death.dead && death.signal == 0) napi_create_int32(napi, death.code, &argv[1]);
  if (death.signal != 0) {
    napi_create_string_utf8(napi, nr_signal_name(death.signal, name, sizeof name), NAPI_AUTO_LENGTH, &argv[2]);
  }
  return napi_create_string_utf8(napi, nr_death_reason(&death), NAPI_AUTO_LENGTH, &argv[3]) == napi_ok &&
         napi_create_int32(napi, nr_host_pid(connection->host), &argv[4]) == napi_ok;
}

/* As a callback of Node's own: ticks and promises have their turn afterwards, async_hooks do not hear of it, and what a
 * listener throws is an uncaught exception. */
static void tell(struct nr_connection *connection) {
  struct nr_agent *agent = connection->agent;
  napi_env napi = agent->napi;
  napi_handle_scope scope;
  napi_value argv[5], function = NULL, global, exception;
  bool pending = false;
  if (napi_open_handle_scope(napi, &scope) != napi_ok) return;
  reject_owed(connection, napi);
  if (agent->on_exit != NULL && describe(connection, napi, argv) && napi_get_global(napi, &global) == napi_ok &&
      napi_get_reference_value(napi, agent->on_exit, &function) == napi_ok) {
    napi_make_callback(napi, NULL, global, function, 5, argv, NULL);
  }
  if (napi_is_exception_pending(napi, &pending) == napi_ok && pending &&
      napi_get_and_clear_last_exception(napi, &exception) == napi_ok) {
    napi_fatal_exception(napi, exception);
  }
  napi_close_handle_scope(napi, scope);
}

static void give_back_memory(struct nr_connection *connection) {
  int64_t adjusted;
  if (connection->external_memory <= 0) return;
  napi_adjust_external_memory(connection->agent->napi, -connection->external_memory, &adjusted);
  connection->external_memory = 0;
}

void nr_pending_lost(struct nr_connection *connection) {
  if (connection->lost) return;
  connection->lost = true;
  nr_connection_ref(connection);
  nr_table_each(connection->asyncs, lose, NULL);
  nr_table_each(connection->hooks, lose_hook, NULL);
  nr_table_each(connection->references_table, lose_reference, connection);
  if (connection->agent != NULL) {
    give_back_memory(connection);
    tell(connection);
    if (connection->heir != NULL && connection->agent != NULL) nr_connection_unlist(connection);
  }
  nr_connection_shrink(connection);
  nr_connection_unref(connection);
}

/* The others hold the connection: none is left. */
static void drop(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)context;
  if (kind == NR_SORT_ASYNC) nr_async_free(item);
}

void nr_pending_free(struct nr_connection *connection) {
  nr_table_each(connection->asyncs, drop, NULL);
  nr_table_destroy(connection->asyncs);
  free(connection->callback_scopes);
}
