/*
 * What a dead host leaves with us. Frames of the stack, trampolines and the addon's env hold its connection, the env
 * until the thread ends; what costs descriptors and memory goes as soon as nobody can be in the middle of using it.
 */
#include "server/blocks.h"
#include "server/doorbell.h"
#include "server/server-private.h"

void nr_connection_retire(struct nr_connection *connection) {
  if (connection->retired || connection->entries > 0 || nr_port_failure(connection->port) == 0) return;
  if (!nr_host_death(connection->host).dead) return; /* the watcher still has to tell of it */
  connection->retired = true;
  nr_host_forget(connection->host, connection->port);
  nr_host_conclude(connection->host);
  nr_doorbell_announce(connection);
  nr_port_retire(connection->port);
  nr_blocks_retire(connection->blocks);
  nr_arena_trim(connection->arena);
}

void nr_connections_retire(struct nr_agent *agent) {
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) nr_connection_retire(each);
}
