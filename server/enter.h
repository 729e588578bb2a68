/*
 * Entries into a host, and messages to it that nothing answers (enter.c).
 */
#ifndef NR_SERVER_ENTER_H
#define NR_SERVER_ENTER_H

#include <node_api.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/arena.h"
#include "wire/port.h"

struct nr_connection;
struct nr_env;

/* An entry into the host. Lives on the stack. */
struct nr_enter {
  struct nr_connection *connection;
  struct nr_env *env; /* NULL: the channel itself */
  unsigned opcode;
  const ProtobufCMessage *request;
  const struct nr_slice *tail;
  size_t tail_count;
  uint8_t flags;
  uint64_t deadline_ns; /* 0: none */
  /* out */
  void *reply;
  struct nr_frame frame;
  bool looked; /* a callback has asked what its arguments wrap */
  bool late;   /* the frame was put aside: the host has told more since */
  /* in between */
  int failure;
  uint32_t sequence;
  struct nr_arena_mark served; /* what has been served goes back to here */
  struct nr_arena_mark mark;
  uint32_t given_top;
  uint32_t chosen_top;
  uint32_t scope_base;
  uint32_t callback_scope_base;
  uint32_t entry_floor;
  uint32_t hot;
  bool outer_in_call;
  struct nr_enter *outer;
  struct nr_aside *aside; /* what the host had sent when this began (aside.h); NULL: it was listening */
};

/* Notes where handles, scopes and windows stand: before the first argument is given a handle. */
void nr_enter_begin(struct nr_enter *enter, struct nr_connection *connection, struct nr_env *env, unsigned opcode);
/* Sends it and serves the host until it returns. 0 and `reply`, or a negative errno: the connection's failure. */
int nr_enter_run(struct nr_enter *enter);
/* The next frame of the host, into `enter`: 0, or the connection's failure. */
int nr_enter_receive(struct nr_enter *enter);
/* Back to where nr_enter_begin() stood; also after a failure. The reply and the handles of the entry are gone. */
void nr_enter_end(struct nr_enter *enter);
/* The exception is thrown when the entry that is open ends, unless there is another one then, or a later one is left;
 * until then nobody sees it. NULL: no effect. */
void nr_enter_leave_exception(struct nr_connection *connection, napi_env napi, napi_value exception);
/* There is one, and native code calls a function that may run JavaScript: V8's of Node 22 and newer forget it then. */
void nr_enter_meet_exception(struct nr_connection *connection);
/* After nr_enter_run() of an init or invoke: what was returned, NULL for nothing, or with an exception that tells that
 * `doing` failed. */
napi_value nr_enter_result(struct nr_enter *enter, const char *doing);
/* All of that for an entry whose return says nothing. A dead host has nothing left to do for it. */
void nr_enter_once(struct nr_connection *connection, struct nr_env *env, unsigned opcode,
                   const ProtobufCMessage *request);
/* Sends a message that nothing answers. Never blocks on a dead host. */
void nr_post(struct nr_connection *connection, unsigned opcode, const ProtobufCMessage *request);

#endif
