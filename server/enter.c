/*
 * Entering the host: the server's half of the turn stack. Sends the entry, serves the host's calls until it returns,
 * and cleans up what the host left open.
 */
#include "server/enter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/aside.h"
#include "server/calls/scopes.h"
#include "server/dispatch.h"
#include "server/doorbell.h"
#include "server/failure.h"
#include "server/memory/blocks.h"
#include "server/memory/exchange.h"
#include "server/memory/external_shared.h"
#include "server/node_info.h"
#include "server/pending.h"
#include "server/server-private.h"
#include "server/times.h"
#include "wire/message.h"

void nr_enter_begin(struct nr_enter *enter, struct nr_connection *connection, struct nr_env *env, unsigned opcode) {
  memset(enter, 0, sizeof *enter);
  enter->connection = connection;
  enter->env = env;
  enter->opcode = opcode;
  if (connection->posting) enter->aside = nr_aside_begin(connection);
  enter->mark = nr_arena_mark(connection->arena);
  enter->given_top = nr_handles_top(connection->given);
  enter->chosen_top = nr_handles_top(connection->chosen);
  enter->scope_base = connection->scope_base;
  enter->callback_scope_base = connection->callback_scope_base;
  enter->entry_floor = connection->entry_floor;
  enter->hot = connection->hot_count;
  nr_scopes_settle(connection);
  connection->scope_base = connection->scope_count;
  connection->callback_scope_base = connection->callback_scope_count;
  connection->entry_floor = enter->chosen_top;
  if (connection->agent != NULL) connection->agent->plain_known = false;
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
      .flags = enter->flags | (nr_ending_deadline(connection->agent) != 0 ? NR_FLAG_LAST : 0),
  };
  return nr_port_send(connection->port, &header, enter->request, enter->tail, enter->tail_count);
}

/* What the kernel may take to end a host, so that the error can tell all of it. */
#define NR_DEATH_MILLISECONDS 200u

/* Has the entry taken longer than load() was told? */
static bool is_late(const struct nr_connection *connection) {
  return connection->deadline_ns != 0 && nr_now_ns() >= connection->deadline_ns;
}

static int end_late(struct nr_connection *connection) {
  char limit[32];
  snprintf(limit, sizeof limit, "%u ms", connection->limit_ms);
  nr_host_hear(connection->host, connection->port);
  nr_host_condemn(connection->host, NR_VERDICT_TIMEOUT, limit);
  nr_host_await_death(connection->host, NR_DEATH_MILLISECONDS);
  nr_port_fail(connection->port, EPIPE);
  return nr_port_failure(connection->port);
}

/* A wait inside of a frame has ended by its deadline, and the port with it. */
static int give_up(struct nr_connection *connection) {
  if (is_late(connection)) return end_late(connection);
  nr_connection_abandon(connection);
  return nr_port_failure(connection->port);
}

/* How often a Worker looks whether it has been terminated. */
#define NR_LOOK_NS UINT64_C(500000000)

/* At the end of a program, or of a Worker, nothing may take for ever. Node's main thread cannot be terminated. */
static uint64_t look_up_at(const struct nr_enter *enter) {
  const struct nr_agent *agent = enter->connection->agent;
  return enter->deadline_ns != 0 || agent == NULL || !agent->worker ? enter->deadline_ns : nr_now_ns() + NR_LOOK_NS;
}

/* Nothing has come. False: it takes longer than it may. */
static bool is_patient(const struct nr_enter *enter) {
  struct nr_agent *agent = enter->connection->agent;
  uint64_t deadline_ns = enter->deadline_ns != 0 || agent == NULL ? enter->deadline_ns : nr_ending_patience(agent);
  return deadline_ns == 0 || nr_now_ns() < deadline_ns;
}

/* Native code that has taken so long will take longer. */
#define NR_LEISURE_NS UINT64_C(100000)

/* A short wait first, when there is something to do during a long one. */
static int await(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  uint64_t until = look_up_at(enter);
  if (!nr_blocks_are_due(connection->blocks)) return nr_port_wait(connection->port, until);
  uint64_t leisure = nr_now_ns() + NR_LEISURE_NS;
  if (until != 0 && until <= leisure) return nr_port_wait(connection->port, until);
  int status = nr_port_wait(connection->port, leisure);
  if (status != -ETIMEDOUT) return status;
  nr_blocks_get_ready(connection->blocks);
  return nr_port_wait(connection->port, until);
}

/* What was put aside comes first. One that calls and calls is late as well. */
int nr_enter_receive(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  for (;;) {
    int status = nr_aside_receive(connection, &enter->frame);
    enter->late = status == 0;
    if (status == -EAGAIN) status = nr_port_try_receive(connection->port, connection->arena, &enter->frame);
    if (status != -EAGAIN && status != 0) return status;
    if (is_late(connection)) return end_late(connection);
    if (status == 0) return 0;
    status = await(enter);
    if (status == -ETIMEDOUT && !is_late(connection) && !is_patient(enter)) nr_connection_abandon(connection);
    if (status < 0 && status != -ETIMEDOUT) return status;
  }
}

static int take_return(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  const struct nr_op_info *info = nr_op_info(enter->opcode);
  enter->reply =
      nr_message_unpack(connection->arena, info->reply, enter->frame.message, enter->frame.header.message_length);
  if (enter->reply == NULL) return nr_connection_fault(connection, "malformed return of %s", info->name);
  return 0;
}

/* 0: a call or post is there to be served; 1: the entry has returned; or the connection's failure. */
static int take_frame(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  int status = nr_enter_receive(enter);
  if (status < 0) return status;
  const struct nr_frame_header *header = &enter->frame.header;
  if (header->depth != connection->depth - (header->kind == NR_KIND_RETURN ? 1 : 0)) {
    return nr_connection_fault(connection, "a frame of depth %u at depth %u", header->depth, connection->depth);
  }
  if (header->kind == NR_KIND_RETURN) {
    uint32_t env = enter->env == NULL ? 0 : enter->env->number;
    if (header->sequence != enter->sequence || header->opcode != enter->opcode || header->env != env) {
      return nr_connection_fault(connection, "return of another entry than the innermost");
    }
    uint8_t flags = enter->opcode == NR_OP_INVOKE ? NR_LOOP_STATE | NR_FLAG_LOOKED : NR_LOOP_STATE;
    if ((header->flags & ~flags) != 0 || header->status > napi_cannot_run_js) {
      return nr_connection_fault(connection, "a return with status %u and flags %u", header->status, header->flags);
    }
    status = take_return(enter);
    enter->looked = (header->flags & NR_FLAG_LOOKED) != 0;
    if (!enter->late) nr_doorbell_state(connection, header->flags & NR_LOOP_STATE);
    return status < 0 ? status : 1;
  }
  if (header->kind != NR_KIND_CALL && header->kind != NR_KIND_POST) {
    return nr_connection_fault(connection, "a %s frame in an entry", nr_kind_name(header->kind));
  }
  if (header->flags != 0 || header->status != 0) {
    return nr_connection_fault(connection, "a call with status %u and flags %u", header->status, header->flags);
  }
  return 0;
}

/* The next call of the host; NULL: the entry has returned, or failed. Memory of what was served before is given back.
 */
static __attribute__((noinline)) struct nr_dispatch *next(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  for (;;) {
    int status = take_frame(enter);
    if (status != 0) {
      if (status < 0) enter->failure = status;
      return NULL;
    }
    struct nr_dispatch *dispatch = nr_dispatch_begin(connection, &enter->frame);
    if (dispatch != NULL) return dispatch;
    enter->failure = nr_port_failure(connection->port);
    if (enter->failure < 0) return NULL;
    nr_arena_release(connection->arena, enter->served);
  }
}

static __attribute__((noinline)) void end(struct nr_enter *enter, struct nr_dispatch *dispatch, napi_status status) {
  struct nr_connection *connection = enter->connection;
  nr_dispatch_end(dispatch, status);
  enter->failure = nr_port_failure(connection->port);
  nr_arena_release(connection->arena, enter->served);
}

/* The outermost entry has the time that load() was given, and all that is nested in it no other. */
static uint64_t find_deadline(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  uint64_t end = nr_ending_deadline(connection->agent);
  if (connection->entries == 0) {
    if (connection->times != NULL) nr_times_begin(connection->times);
    bool load = enter->opcode == NR_OP_LOAD || enter->opcode == NR_OP_INIT;
    connection->limit_ms = load ? connection->load_ms : connection->call_ms;
    connection->deadline_ns = connection->limit_ms == 0 ? 0 : nr_now_ns() + connection->limit_ms * UINT64_C(1000000);
  }
  uint64_t own = connection->deadline_ns;
  return own == 0 || (end != 0 && end < own) ? end : own;
}

/* A collection is followed by hundreds of finalizers, between which JavaScript does not run, as a rule, and which say
 * nothing about what the program does. */
static bool is_turn(const struct nr_enter *enter) {
  return enter->opcode != NR_OP_FINALIZE;
}

/* False: it could not be sent. */
static __attribute__((noinline)) bool start(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  enter->failure = connection->agent == NULL ? -EPIPE : nr_port_failure(connection->port);
  if (enter->failure < 0) return false;
  enter->deadline_ns = find_deadline(enter);
  nr_port_set_deadline(connection->port, enter->deadline_ns);
  if (connection->depth >= NR_DEPTH_MAX) {
    enter->failure = -ELOOP;
    return false;
  }
  if (connection->release_count > 0) nr_release_flush(connection);
  nr_blocks_trim(connection->blocks);
  nr_memory_send(connection, is_turn(enter), enter->opcode == NR_OP_INVOKE); /* V8 closes a scope behind callbacks */
  nr_environment_check(connection);
  nr_shared_flush(connection);
  if (connection->basics.count > 0) nr_release_basics(connection, true);
  enter->sequence = ++connection->sequence;
  connection->counts.entries++;
  enter->failure = send(enter, enter->sequence);
  if (enter->failure == -ETIMEDOUT) enter->failure = give_up(connection);
  if (enter->failure < 0) {
    nr_connection_failed(connection);
    return false;
  }
  if ((enter->flags & NR_FLAG_FOLLOWS) != 0) nr_callback_follow(connection, enter->env->napi);
  enter->served = nr_arena_mark(connection->arena);
  connection->depth++;
  connection->entries++;
  enter->outer_in_call = connection->in_call;
  enter->outer = connection->entered;
  connection->entered = enter;
  connection->in_call = enter->opcode == NR_OP_INVOKE;
  return true;
}

static void take(const struct nr_enter *enter) {
  nr_memory_take(enter->connection, is_turn(enter), enter->hot);
  if (is_turn(enter)) nr_memory_settle(enter->connection);
}

static __attribute__((noinline)) void stop(struct nr_enter *enter) {
  if (enter->failure == -ETIMEDOUT) enter->failure = give_up(enter->connection);
  if (enter->failure == 0)
    take(enter);
  else
    nr_connection_failed(enter->connection);
  enter->connection->in_call = enter->outer_in_call;
  enter->connection->entered = enter->outer;
  if (--enter->connection->entries == 0 && enter->connection->times != NULL) nr_times_end(enter->connection->times);
  enter->connection->depth--;
}

/* Nested calls share the stack with JavaScript, and V8 counts it: this function and a handler are all that lies between
 * two callbacks, everything else is in the arena. (With 620 bytes in between, a recursion got 76% as deep as in one
 * process.) */
int nr_enter_run(struct nr_enter *enter) {
  struct nr_dispatch *dispatch;
  if (!start(enter)) return enter->failure;
  while ((dispatch = next(enter)) != NULL) {
    end(enter, dispatch, dispatch->handler->serve(dispatch, dispatch->request, dispatch->answer));
    if (enter->failure < 0) break;
  }
  stop(enter);
  return enter->failure;
}

static void forget_left(struct nr_connection *connection) {
  napi_delete_reference(connection->left_in, connection->left);
  connection->left = NULL;
}

void nr_enter_meet_exception(struct nr_connection *connection) {
  if (nr_node_major() >= 22) forget_left(connection);
}

void nr_enter_leave_exception(struct nr_connection *connection, napi_env napi, napi_value exception) {
  napi_value holder; /* of what may be no object, and could have no reference */
  if (exception == NULL || napi_create_array(napi, &holder) != napi_ok ||
      napi_set_element(napi, holder, 0, exception) != napi_ok)
    return;
  if (connection->left != NULL) forget_left(connection);
  connection->left_in = napi;
  if (napi_create_reference(napi, holder, 1, &connection->left) != napi_ok) connection->left = NULL;
}

static void throw_left(struct nr_connection *connection) {
  napi_env napi = connection->left_in;
  napi_value holder = NULL, exception;
  if (napi_get_reference_value(napi, connection->left, &holder) == napi_ok && holder != NULL &&
      napi_get_element(napi, holder, 0, &exception) == napi_ok)
    napi_throw(napi, exception);
  forget_left(connection);
}

void nr_enter_end(struct nr_enter *enter) {
  struct nr_connection *connection = enter->connection;
  if (connection->left != NULL) throw_left(connection);
  nr_callback_scopes_close(connection, connection->callback_scope_base);
  nr_scopes_close(connection, connection->scope_base); /* V8's scopes must close in order, whatever the host forgot */
  connection->scope_base = enter->scope_base;
  connection->callback_scope_base = enter->callback_scope_base;
  connection->entry_floor = enter->entry_floor;
  nr_memory_leave(connection, enter->hot);
  nr_handles_truncate(connection->given, enter->given_top);
  nr_handles_truncate(connection->chosen, enter->chosen_top);
  nr_arena_release(connection->arena, enter->mark);
  nr_aside_end(connection, enter->aside);
  if (enter->failure < 0) nr_connection_retire(connection);
  nr_connection_unref(connection);
}

/* Results are put together where works are completed and threads heard. At the end of an env nobody could tell. */
static bool may_build(const struct nr_env *env, unsigned opcode) {
  return (opcode == NR_OP_COMPLETE_WORK || opcode == NR_OP_THREADSAFE) && env->napi != NULL && !env->ending;
}

void nr_enter_once(struct nr_connection *connection, struct nr_env *env, unsigned opcode,
                   const ProtobufCMessage *request) {
  struct nr_enter enter;
  struct nr_callback *outer = connection->callback;
  nr_enter_begin(&enter, connection, env, opcode);
  enter.request = request;
  connection->callback = nr_callback_background(connection);
  if (may_build(env, opcode)) enter.flags |= nr_callback_flags(connection, env->napi);
  (void)nr_enter_run(&enter);
  connection->callback = outer;
  nr_enter_end(&enter);
}

void nr_post(struct nr_connection *connection, unsigned opcode, const ProtobufCMessage *request) {
  struct nr_frame_header header = {
      .opcode = (uint16_t)opcode, .depth = (uint16_t)connection->depth, .kind = NR_KIND_POST};
  nr_port_send(connection->port, &header, request, NULL, 0);
}

/* Where an exception is pending Node does not look at what the addon returns, which may be anything. */
static nr_value returned(const struct nr_enter *enter) {
  const Nr__ReturnReply *reply = enter->reply;
  bool pending = false;
  if (nr_value_is_valid(reply->result)) return reply->result;
  return napi_is_exception_pending(enter->env->napi, &pending) == napi_ok && pending ? NR_ABSENT : reply->result;
}

napi_value nr_enter_result(struct nr_enter *enter, const char *doing) {
  napi_value result = NULL;
  struct nr_dispatch dispatch = {
      .connection = enter->connection, .env = enter->env, .napi = enter->env->napi, .frame = &enter->frame};
  /* A stale handle is the addon's fault, and undefined for it. What is no value at all is the host's. */
  napi_status status = nr_scopes_leave(&dispatch, returned(enter), &result);
  if (!dispatch.fault) return status == napi_ok ? result : NULL;
  enter->failure = nr_port_failure(enter->connection->port);
  nr_throw_failure(enter->connection, enter->env->napi, doing);
  return NULL;
}
