/*
 * What ends when a host dies, and when its connection does.
 */
#include "server/pending.h"

#include <stdlib.h>

static void lose(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)context;
  if (kind == NR_SORT_THREADSAFE) nr_threadsafe_lost(item);
  if (kind == NR_SORT_ASYNC_HOOK) nr_async_hook_lost(item);
}

void nr_pending_lost(struct nr_connection *connection) {
  nr_connection_ref(connection);
  nr_table_each(connection->asyncs, lose, NULL);
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
