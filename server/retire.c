/*
 * What a dead host leaves with us. Frames of the stack, trampolines and the addon's env hold its connection, the env
 * until the thread ends; what costs descriptors and memory goes as soon as nobody can be in the middle of using it.
 */
#include "server/aside.h"
#include "server/memory/blocks.h"
#include "server/memory/exchange.h"
#include "server/doorbell.h"
#include "server/server-private.h"

static void shrink_handles(struct nr_handles **handles) {
  struct nr_handles *none = nr_handles_create(1);
  if (none == NULL) return;
  nr_handles_destroy(*handles);
  *handles = none;
}

static void shrink_table(struct nr_table **table) {
  struct nr_table *none = nr_table_count(*table) > 0 ? NULL : nr_table_create(1);
  if (none == NULL) return;
  nr_table_destroy(*table);
  *table = none;
}

void nr_connection_shrink(struct nr_connection *connection) {
  if (!connection->retired || connection->entries > 0) return;
  nr_arena_trim(connection->arena); /* once more: what the last call had is free now */
  shrink_handles(&connection->given);
  shrink_handles(&connection->chosen);
  shrink_table(&connection->references_table);
  shrink_table(&connection->deferreds);
  shrink_table(&connection->pairs);
  shrink_table(&connection->hooks);
  shrink_table(&connection->asyncs);
}

void nr_connection_retire(struct nr_connection *connection) {
  if (connection->retired || connection->entries > 0 || nr_port_failure(connection->port) == 0) return;
  if (!nr_host_death(connection->host).dead) return; /* the watcher still has to tell of it */
  connection->retired = true;
  nr_host_forget(connection->host, connection->port);
  nr_host_conclude(connection->host);
  nr_doorbell_announce(connection);
  nr_port_retire(connection->port);
  nr_pairs_drop(connection, true);
  nr_blocks_retire(connection->blocks);
  nr_arena_trim(connection->arena);
  nr_environ_destroy(connection->environ);
  connection->environ = NULL;
  nr_aside_free(connection);
  if (connection->lost) nr_connection_shrink(connection);
}

void nr_connections_retire(struct nr_agent *agent) {
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) nr_connection_retire(each);
}
