/*
 * This thread's connections to hosts: made when an addon is loaded, counted by everything that may outlive the host,
 * failed for good when it dies or breaks the protocol.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/aside.h"
#include "server/calls/references.h"
#include "server/doorbell.h"
#include "server/enter.h"
#include "server/failure.h"
#include "server/hosts/launch.h"
#include "server/memory/exchange.h"
#include "server/memory/external_shared.h"
#include "server/memory/memory.h"
#include "server/pending.h"
#include "server/times.h"
#include "wire/pages.h"

/* What one host may make this side hold in frames and messages at once; large strings and buffers pass through here
 * whole. */
#define NR_ARENA_CAP ((size_t)NR_TAIL_MAX + NR_MESSAGE_MAX * 17)
/* Small external buffers that are idle have their turn together: reading eight takes 2 us, one 0.9. */
#define NR_FOREIGN_BATCH (UINT32_C(16) << 10)

static void destroy(struct nr_connection *connection) {
  nr_doorbell_close(connection);
  nr_memory_end(connection);
  if (connection->host != NULL) {
    nr_host_forget(connection->host, connection->port);
    nr_host_unref(connection->host);
  }
  if (connection->port != NULL) nr_port_destroy(connection->port);
  if (connection->arena != NULL) nr_arena_destroy(connection->arena);
  if (connection->given != NULL) nr_handles_destroy(connection->given);
  if (connection->chosen != NULL) nr_handles_destroy(connection->chosen);
  if (connection->references_table != NULL) nr_references_end(connection);
  if (connection->deferreds != NULL) nr_table_destroy(connection->deferreds);
  if (connection->pairs != NULL) nr_table_destroy(connection->pairs);
  if (connection->hooks != NULL) nr_table_destroy(connection->hooks);
  if (connection->asyncs != NULL) nr_pending_free(connection);
  for (uint32_t i = 0; i < connection->env_count; i++) nr_env_destroy(connection->envs[i]);
  free(connection->envs);
  nr_shared_close(connection->shared);
  nr_release_end(connection);
  if (connection->heir != NULL) nr_connection_unref(connection->heir);
  for (int i = 0; i < 3; i++) {
    if (connection->streams[i] >= 0) close(connection->streams[i]);
  }
  nr_times_destroy(connection->times);
  nr_environ_destroy(connection->environ);
  free(connection->scopes);
  nr_aside_free(connection);
  free(connection->file);
  free(connection);
}

void nr_connection_ref(struct nr_connection *connection) {
  connection->references++;
}

void nr_connection_unref(struct nr_connection *connection) {
  if (--connection->references == 0) destroy(connection);
}

static bool create_tables(struct nr_connection *connection) {
  struct nr_table **tables[] = {&connection->references_table, &connection->deferreds, &connection->pairs,
                                &connection->hooks, &connection->asyncs};
  for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
    if ((*tables[i] = nr_table_create(NR_IDS_MAX)) == NULL) return false;
  }
  return true;
}

static struct nr_connection *create(struct nr_agent *agent) {
  struct nr_connection *connection = nr_pages_calloc(sizeof *connection);
  if (connection == NULL) return NULL;
  connection->references = 1;
  connection->closing = UINT32_MAX;
  connection->streams[0] = connection->streams[1] = connection->streams[2] = -1;
  connection->agent = agent;
  nr_cold_init(&connection->cold);
  nr_cold_init(&connection->cold_large);
  nr_cold_init(&connection->cold_pools);
  connection->cold_pools.mortal = connection->cold_pools.newest = true; /* there is a new one every few calls */
  nr_cold_init(&connection->cold_foreign);
  connection->cold_foreign.batch = NR_FOREIGN_BATCH;
  connection->arena = nr_arena_create(NR_ARENA_CAP);
  connection->given = nr_handles_create(NR_HANDLES_MAX);
  connection->chosen = nr_handles_create(NR_HANDLES_MAX);
  connection->pair_index = nr_pair_index_create();
  if (create_tables(connection) && connection->arena != NULL && connection->given != NULL &&
      connection->chosen != NULL && connection->pair_index != NULL) {
    return connection;
  }
  destroy(connection);
  return NULL;
}

static void tell_of_extent(void *context, uint64_t place, uint64_t length, bool map) {
  struct nr_connection *connection = context;
  Nr__MapMemoryRequest request = NR__MAP_MEMORY_REQUEST__INIT;
  request.place = place;
  request.length = length;
  request.gone = !map;
  nr_post(connection, NR_OP_MAP_MEMORY, &request.base);
}

/* The host, and the memory that this thread shares with it. 0 or a negative errno with a sentence in `why`. */
static int join_host(struct nr_connection *connection, const struct nr_launch *launch, struct nr_launch_files *files,
                     char *why, size_t why_size) {
  int memfd = nr_blocks_memfd();
  if (memfd < 0) {
    snprintf(why, why_size, "no shared memory: %s", strerror(-memfd));
    return memfd;
  }
  const struct nr_agent *agent = connection->agent;
  int error = nr_host_join(agent->host_path, launch, files, agent->worker, memfd, &connection->host, &connection->port,
                           why, why_size);
  if (error < 0) {
    close(memfd);
    return error;
  }
  if (!agent->worker) connection->environ = nr_host_take_environ(connection->host);
  connection->blocks = nr_blocks_create(memfd, tell_of_extent, connection);
  return connection->blocks == NULL ? -ENOMEM : 0;
}

static struct nr_connection *start(struct nr_agent *agent, napi_env napi, const struct nr_launch *launch) {
  char why[512] = "out of memory";
  struct nr_launch_files files = {.child = {-1, -1, -1}, .own = {-1, -1, -1}};
  nr_connections_retire(agent);
  struct nr_connection *connection = create(agent);
  if (connection == NULL || join_host(connection, launch, &files, why, sizeof why) < 0 ||
      !nr_doorbell_open(connection)) {
    nr_throw_launch(napi, launch, why, &files);
    nr_launch_close_own(&files);
    if (connection != NULL) destroy(connection);
    return NULL;
  }
  memcpy(connection->streams, files.own, sizeof connection->streams);
  connection->serial = ++agent->serials;
  connection->call_ms = launch->call_ms;
  connection->load_ms = launch->load_ms;
  connection->restarts = launch->restarts;
  connection->apart = launch->apart;
  if (launch->times) connection->times = nr_times_create();
  connection->next = agent->connections;
  agent->connections = connection;
  return connection;
}

/* One that lives, if there is one. */
static struct nr_connection *find(struct nr_agent *agent, const char *group) {
  struct nr_connection *dead = NULL;
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) {
    if (each->heir != NULL || strcmp(nr_host_group(each->host), group) != 0) continue;
    if (nr_port_failure(each->port) == 0) return each;
    dead = each;
  }
  return dead;
}

struct nr_connection *nr_connection_by_serial(struct nr_agent *agent, uint32_t serial) {
  struct nr_connection *connection = agent->connections;
  while (connection != NULL && connection->serial != serial) connection = connection->next;
  return connection;
}

void nr_connection_unlist(struct nr_connection *connection) {
  struct nr_connection **link = &connection->agent->connections;
  while (*link != NULL && *link != connection) link = &(*link)->next;
  if (*link == NULL) return; /* it was done before */
  *link = connection->next;
  nr_pairs_drop(connection, true);
  nr_connection_unref(connection);
}

struct nr_connection *nr_connection_get(struct nr_agent *agent, napi_env napi, const struct nr_launch *launch) {
  struct nr_connection *connection = find(agent, launch->group);
  if (connection == NULL) return start(agent, napi, launch);
  if (nr_port_failure(connection->port) == 0) return connection;
  if (launch->again) return start(agent, napi, launch);
  nr_throw_failure(connection, napi, "the load");
  return NULL;
}

int nr_connection_fault(struct nr_connection *connection, const char *format, ...) {
  char text[160];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  nr_host_condemn(connection->host, NR_VERDICT_PROTOCOL, text);
  nr_port_fail(connection->port, EPROTO);
  return nr_port_failure(connection->port);
}

void nr_connection_abandon(struct nr_connection *connection) {
  connection->exited = true;
  connection->leaves = !nr_host_abandon(connection->host, connection->port);
}

void nr_connection_failed(struct nr_connection *connection) {
  int failure = nr_port_failure(connection->port);
  if (failure == 0 || failure == -EPIPE || failure == -ETIMEDOUT) return;
  nr_host_condemn(connection->host, NR_VERDICT_PROTOCOL,
                  failure == -EPROTO ? "bytes that are no frames" : strerror(-failure));
}

/* What all hosts of a thread together may take to exit, and what the kernel may take to end those that did not. */
#define NR_EXIT_MILLISECONDS 2000u

/* Of a host that others use only their thread ends. Node's main thread is never without the whole process. */
static void ask_to_exit(struct nr_connection *connection, int code) {
  Nr__ExitRequest request = NR__EXIT_REQUEST__INIT;
  bool last = nr_host_retire(connection->host, connection->port);
  request.thread = !last && connection->agent->worker;
  request.code = code;
  struct nr_frame_header header = {.sequence = ++connection->sequence,
                                   .opcode = NR_OP_EXIT,
                                   .depth = (uint16_t)connection->depth,
                                   .kind = NR_KIND_ENTER};
  connection->exited = true;
  connection->leaves = request.thread;
  nr_connection_failed(connection);
  if (!nr_port_has_room(connection->port, NR_CACHE_LINE)) return; /* it has not read for long: it is hung */
  nr_port_send(connection->port, &header, &request.base, NULL, 0);
}

static unsigned left_until(uint64_t deadline_ns) {
  uint64_t now = nr_now_ns();
  return now < deadline_ns ? (unsigned)((deadline_ns - now) / 1000000u) : 0;
}

/* The return of that last entry: what else comes is of nobody's interest. False: not within the time. */
static bool await_return(struct nr_connection *connection, uint64_t deadline_ns) {
  for (;;) {
    struct nr_frame frame;
    struct nr_arena_mark mark = nr_arena_mark(connection->arena);
    int status = nr_port_try_receive(connection->port, connection->arena, &frame);
    nr_arena_release(connection->arena, mark);
    if (status == 0 && frame.header.kind == NR_KIND_RETURN && frame.header.sequence == connection->sequence)
      return true;
    if (status == -EAGAIN) status = nr_port_wait(connection->port, deadline_ns);
    if (status == -ETIMEDOUT) return false;
    if (status < 0 || nr_now_ns() >= deadline_ns) return status < 0; /* it is dead: that is as good */
  }
}

static bool has_left(struct nr_connection *connection, uint64_t deadline_ns) {
  if (connection->leaves) return await_return(connection, deadline_ns);
  return nr_host_await_death(connection->host, left_until(deadline_ns));
}

void nr_connections_exit(struct nr_agent *agent, int code) {
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) {
    if (!each->exited) ask_to_exit(each, code);
  }
  uint64_t deadline_ns = nr_now_ns() + NR_EXIT_MILLISECONDS * UINT64_C(1000000);
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) {
    if (has_left(each, deadline_ns)) continue;
    if (each->leaves) {
      nr_connection_abandon(each);
    } else {
      nr_host_kill(each->host);
    }
  }
  for (struct nr_connection *each = agent->connections; each != NULL; each = each->next) {
    if (!each->leaves) nr_host_await_death(each->host, NR_EXIT_MILLISECONDS);
  }
}

struct nr_env *nr_connection_env(struct nr_connection *connection, uint32_t number) {
  return number == 0 || number > connection->env_count ? NULL : connection->envs[number - 1];
}
