/*
 * Entering the host: the server's half of the turn stack. Sends the entry, serves the host's calls until it returns,
 * and cleans up what the host left open.
 */
#include <errno.h>
#include <string.h>

#include "server/server-private.h"

void nr_enter_begin(struct nr_enter *enter, struct nr_connection *connection, struct nr_env *env, unsigned opcode) {
  memset(enter, 0, sizeof *enter);
  enter->connection = connection;
  enter->env = env;
  enter->opcode = opcode;
  enter->mark = nr_arena_mark(connection->arena);
  enter->given_top = nr_handles_top(connection->given);
  enter->chosen_top = nr_handles_top(connection->chosen);
  enter->scope_base = connection->scope_base;
  enter->entry_floor = connection->entry_floor;
  enter->windows = connection->windows;
  connection->scope_base = connection->scope_count;
  connection->entry_floor = enter->chosen_top;
  nr_connection_ref(connection);
}

static int send(struct nr_enter *enter, uint32_t sequence) {
  struct nr_connection *connection = enter->connection;
  struct nr_frame_header header = {
      .env = enter->env == NULL ? 0 : enter->env->number,
      .sequence = sequence,
      .opcode = (uint16_t)enter->opcode,
      .depth = (uint16_t)connection->depth,
      .kind = NR_KIND_ENTER,
      .flags = enter->flags,
  };
  return nr_port_send(connection->port, &header, enter->request, enter->tail, enter->tail_count);
}

/* The next frame of the host, waiting for it. */
static int receive(struct nr_enter *enter) {
  struct nr_port *port = enter->connection->port;
  for (;;) {
    int status = nr_port_try_receive(port, enter->connection->arena, &enter->frame);
    if (status != -EAGAIN) return status;
    status = nr_port_wait(port, enter->deadline_ns);
    if (status < 0) return status;
  }
}

static int take_return(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  const struct nr_op_info *info = nr_op_info(enter->opcode);
  enter->reply =
      nr_arena_unpack(connection->arena, info->reply, enter->frame.message, enter->frame.header.message_length);
  if (enter->reply == NULL) return nr_connection_fault(connection, "malformed return of %s", info->name);
  return 0;
}

/* Serves the host until the RETURN of this entry is on top. Memory of what has been served is given back at once. */
static int serve_until_return(struct nr_enter *enter, uint32_t sequence) {
  struct nr_connection *connection = enter->connection;
  for (;;) {
    struct nr_arena_mark mark = nr_arena_mark(connection->arena);
    int status = receive(enter);
    if (status < 0) return status;
    const struct nr_frame_header *header = &enter->frame.header;
    if (header->depth != connection->depth - (header->kind == NR_KIND_RETURN ? 1 : 0)) {
      return nr_connection_fault(connection, "a frame of depth %u at depth %u", header->depth, connection->depth);
    }
    if (header->kind == NR_KIND_RETURN) {
      if (header->sequence == sequence && header->opcode == enter->opcode) return take_return(enter);
      return nr_connection_fault(connection, "return of another entry than the innermost");
    }
    if (header->kind != NR_KIND_CALL && header->kind != NR_KIND_POST) {
      return nr_connection_fault(connection, "a %s frame in an entry", nr_kind_name(header->kind));
    }
    status = nr_dispatch(connection, &enter->frame);
    if (status < 0) return status;
    nr_arena_release(connection->arena, mark);
  }
}

int nr_enter_run(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  int status = nr_port_failure(connection->port);
  if (status < 0) return status;
  if (connection->depth >= NR_DEPTH_MAX) return -ELOOP;
  if (connection->release_count > 0) nr_release_flush(connection);
  if (connection->basics.count > 0) nr_release_basics(connection, true);
  uint32_t sequence = ++connection->sequence;
  connection->counts.entries++;
  status = send(enter, sequence);
  if (status < 0) return status;
  connection->depth++;
  connection->entries++;
  status = serve_until_return(enter, sequence);
  connection->entries--;
  connection->depth--;
  return status;
}

void nr_enter_end(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  nr_scopes_close(connection, connection->scope_base); /* V8's scopes must close in order, whatever the host forgot */
  connection->scope_base = enter->scope_base;
  connection->entry_floor = enter->entry_floor;
  nr_memory_leave(connection, enter->windows);
  nr_handles_truncate(connection->given, enter->given_top);
  nr_handles_truncate(connection->chosen, enter->chosen_top);
  nr_arena_release(connection->arena, enter->mark);
  nr_connection_unref(connection);
}

void nr_post(struct nr_connection *connection, unsigned opcode, const ProtobufCMessage *request) {
  struct nr_frame_header header = {
      .opcode = (uint16_t)opcode, .depth = (uint16_t)connection->depth, .kind = NR_KIND_POST};
  nr_port_send(connection->port, &header, request, NULL, 0);
}

napi_value nr_enter_result(struct nr_enter *enter) {
  const Nr__ReturnReply *reply = enter->reply;
  napi_value result = NULL;
  /* What lives in a scope that the host left open ends with it: before the result is looked up, not after. */
  nr_scopes_close(enter->connection, enter->connection->scope_base);
  struct nr_dispatch dispatch = {
      .connection = enter->connection, .env = enter->env, .napi = enter->env->napi, .frame = &enter->frame};
  /* A stale handle is the addon's fault, and undefined for it. */
  return nr_take(&dispatch, reply->result, &result) == napi_ok ? result : NULL;
}
