/*
 * The choke point of the server: one call of a host while it is served (dispatch.c), and how its handlers take what
 * came with it and give what goes back (calls/take.c).
 */
#ifndef NR_SERVER_DISPATCH_H
#define NR_SERVER_DISPATCH_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "napi.pb-c.h"
#include "wire/port.h"
#include "wire/table.h"
#include "wire/value.h"

struct nr_connection;
struct nr_env;

#define NR_DISPATCH_SLICES 4

/* One call of the host while it is served. In the connection's arena. */
struct nr_dispatch {
  struct nr_connection *connection;
  struct nr_env *env;
  napi_env napi;
  const struct nr_frame *frame;
  const struct nr_handler *handler;
  const ProtobufCMessage *request;
  ProtobufCMessage *answer;
  struct nr_slice tail[NR_DISPATCH_SLICES];
  uint32_t tail_count;
  uint32_t tail_length;
  const char *outer; /* connection->doing of before */
  bool posting;      /* likewise */
  bool fault;        /* the connection has been failed: no reply */
  bool quiet;        /* it has run no JavaScript although it might have */
};

#define NR_HANDLER_JS 1u    /* may run JavaScript */
#define NR_HANDLER_POSTS 2u /* need not be waited for */

struct nr_handler {
  napi_status (*serve)(struct nr_dispatch *dispatch, const void *message, void *answer);
  unsigned flags;
};

/* Generated: the functions that not every Node exports; NULL where this one does not. */
struct nr_newer {
  const char *name;
  void (*function)(void);
};
extern const struct nr_newer nr_newer_functions[];
extern const size_t nr_newer_count;

/* Generated: the handler of a Waited or Posted row, NULL for another opcode. */
const struct nr_handler *nr_handler(unsigned opcode);

/* Takes one CALL or POST of the host apart: the caller has it served, `handler->serve(dispatch, request, answer)`, and
 * ends it with the status. Two halves, so that nothing but the handler's own frame lies below JavaScript that it runs.
 * NULL: there is nothing to serve, or the connection has failed. */
struct nr_dispatch *nr_dispatch_begin(struct nr_connection *connection, const struct nr_frame *frame);
/* The reply, if one is waited for. */
void nr_dispatch_end(struct nr_dispatch *dispatch, napi_status status);

/* A protocol fault found while serving. Returns a status for the handler to return. */
napi_status nr_fault(struct nr_dispatch *dispatch, const char *what);
/* napi_generic_failure for a function that this Node does not export. */
napi_status nr_lacks(struct nr_dispatch *dispatch, const char *function);

/* The real handle of a value of the host: numbers and specials are made, handles looked up. napi_ok with NULL for
 * NR_ABSENT. A stale or unknown handle is napi_invalid_arg, one whose creation failed has that status. */
napi_status nr_take(struct nr_dispatch *dispatch, nr_value value, napi_value *result);
/* Gives a real value to the host: as it is when it is a primitive, else under the id that the host chose. */
napi_status nr_give(struct nr_dispatch *dispatch, nr_value id, napi_value value, nr_value *result);
/* The same, with what is known about it, but for bytes. */
napi_status nr_give_known(struct nr_dispatch *dispatch, nr_value id, napi_value value, Nr__KnownReply *reply);
/* Bytes for the reply's tail; they must live until the reply is sent (arena, or the JavaScript heap). */
nr_span nr_dispatch_bytes(struct nr_dispatch *dispatch, const void *bytes, size_t length);
void *nr_dispatch_alloc(struct nr_dispatch *dispatch, size_t size);

napi_status nr_take_values(struct nr_dispatch *dispatch, const nr_value *values, size_t count, napi_value **result);
napi_status nr_take_bytes(struct nr_dispatch *dispatch, nr_span span, const char **bytes, size_t *length);
napi_status nr_take_cstring(struct nr_dispatch *dispatch, nr_span span, const char **text);
napi_status nr_take_utf16(struct nr_dispatch *dispatch, nr_span span, const char16_t **text, size_t *length);
napi_status nr_take_deferred(struct nr_dispatch *dispatch, nr_id id, napi_deferred *deferred, bool consume);
/* The deferred is the host's from now on, under the id that it chose. */
napi_status nr_adopt_deferred(struct nr_dispatch *dispatch, nr_id id, napi_deferred deferred);
/* What becomes of a call whose id nr_table_adopt() has refused. */
napi_status nr_refuse_id(struct nr_dispatch *dispatch, int error);

#define NR_TRY(call)                                                                                                   \
  do {                                                                                                                 \
    napi_status nr_try_status = (call);                                                                                \
    if (nr_try_status != napi_ok) return nr_try_status;                                                                \
  } while (0)
#define NR_TAKE(d, value, result) NR_TRY(nr_take(d, value, result))
#define NR_TAKE_BYTES(d, span, bytes, length) NR_TRY(nr_take_bytes(d, span, bytes, length))
#define NR_TAKE_CSTRING(d, span, text) NR_TRY(nr_take_cstring(d, span, text))
#define NR_TAKE_UTF16(d, span, text, length) NR_TRY(nr_take_utf16(d, span, text, length))
#define NR_TAKE_VALUES(d, values, count, result) NR_TRY(nr_take_values(d, values, count, result))

/* Puts an escaped handle under its id (scopes.c has checked the place). */
napi_status nr_put_escaped(struct nr_dispatch *dispatch, nr_value id, void *item);
/* The item for an id that is absent: whoever uses it gets the status. */
void *nr_absence(napi_status status);

#endif
