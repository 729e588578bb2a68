/*
 * The choke point: every call of a host passes here. Checks the frame, unpacks it, has it served on the real env, and
 * replies.
 */
#include "server/dispatch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "server/aside.h"
#include "server/calls/facts.h"
#include "server/calls/scopes.h"
#include "server/enter.h"
#include "server/memory/exchange.h"
#include "server/server-private.h"
#include "server/trace.h"
#include "wire/message.h"
#include "wire/turns.h"

/* Calls whose creation failed leave this behind under their id: every later use returns that status. */
static const napi_status absences[] = {
    napi_ok,
    napi_invalid_arg,
    napi_object_expected,
    napi_string_expected,
    napi_name_expected,
    napi_function_expected,
    napi_number_expected,
    napi_boolean_expected,
    napi_array_expected,
    napi_generic_failure,
    napi_pending_exception,
    napi_cancelled,
    napi_escape_called_twice,
    napi_handle_scope_mismatch,
    napi_callback_scope_mismatch,
    napi_queue_full,
    napi_closing,
    napi_bigint_expected,
    napi_date_expected,
    napi_arraybuffer_expected,
    napi_detachable_arraybuffer_expected,
    napi_would_deadlock,
    napi_no_external_buffers_allowed,
    napi_cannot_run_js,
};
#define ABSENCE_COUNT (sizeof absences / sizeof absences[0])

void *nr_absence(napi_status status) {
  return (void *)&absences[(size_t)status < ABSENCE_COUNT ? (size_t)status : (size_t)napi_generic_failure];
}

static bool is_absence(const void *item, napi_status *status) {
  const napi_status *place = item;
  if (place < absences || place >= absences + ABSENCE_COUNT) return false;
  *status = *place;
  return true;
}

napi_status nr_fault(struct nr_dispatch *dispatch, const char *what) {
  dispatch->fault = true;
  nr_connection_fault(dispatch->connection, "%s: %s", nr_op_info(dispatch->frame->header.opcode)->name, what);
  return napi_generic_failure;
}

napi_status nr_lacks(struct nr_dispatch *dispatch, const char *function) {
  (void)dispatch;
  (void)function;
  return napi_generic_failure;
}

static napi_status take_handle(struct nr_dispatch *dispatch, nr_value value, napi_value *result) {
  const struct nr_connection *connection = dispatch->connection;
  const struct nr_handles *handles = nr_value_is_by_host(value) ? connection->chosen : connection->given;
  void *item = nr_handles_get(handles, nr_value_index(value), nr_value_generation(value));
  napi_status status;
  if (item == NULL && nr_value_is_by_host(value)) item = nr_aside_handle(connection, value);
  if (item == NULL) return napi_invalid_arg;
  if (is_absence(item, &status)) return status;
  *result = item;
  return napi_ok;
}

napi_status nr_take(struct nr_dispatch *dispatch, nr_value value, napi_value *result) {
  napi_env napi = dispatch->napi;
  *result = NULL;
  if (nr_value_is_double(value)) return napi_create_double(napi, nr_value_to_double(value), result);
  if (nr_value_is_handle(value)) return take_handle(dispatch, value, result);
  switch (value) {
  case NR_ABSENT: return napi_ok;
  case NR_UNDEFINED: return napi_get_undefined(napi, result);
  case NR_NULL: return napi_get_null(napi, result);
  case NR_FALSE: return napi_get_boolean(napi, false, result);
  case NR_TRUE: return napi_get_boolean(napi, true, result);
  default: return nr_fault(dispatch, "no such value");
  }
}

static enum nr_tag tag_of(napi_valuetype type) {
  switch (type) {
  case napi_string: return NR_TAG_STRING;
  case napi_symbol: return NR_TAG_SYMBOL;
  case napi_function: return NR_TAG_FUNCTION;
  case napi_external: return NR_TAG_EXTERNAL;
  case napi_bigint: return NR_TAG_BIGINT;
  default: return NR_TAG_OBJECT;
  }
}

/* Primitives that travel as themselves; false for those that need a handle. */
static bool give_primitive(napi_env napi, napi_value value, napi_valuetype type, nr_value *result) {
  double number = 0;
  bool truth = false;
  switch (type) {
  case napi_undefined: *result = NR_UNDEFINED; return true;
  case napi_null: *result = NR_NULL; return true;
  case napi_boolean:
    napi_get_value_bool(napi, value, &truth);
    *result = nr_value_from_bool(truth);
    return true;
  case napi_number:
    napi_get_value_double(napi, value, &number);
    *result = nr_value_from_double(number);
    return true;
  default: return false;
  }
}

nr_value nr_give_argument(struct nr_connection *connection, napi_env napi, napi_value value, napi_valuetype *type) {
  nr_value result;
  uint32_t index;
  uint16_t generation;
  double number;
  /* Most arguments are numbers; for the others this costs less than asking for the type first would cost these. */
  if (napi_get_value_double(napi, value, &number) == napi_ok) {
    *type = napi_number;
    return nr_value_from_double(number);
  }
  if (napi_typeof(napi, value, type) != napi_ok) *type = napi_object;
  if (give_primitive(napi, value, *type, &result)) return result;
  if (nr_handles_push(connection->given, value, &index, &generation) < 0) return NR_ABSENT;
  return nr_value_handle(tag_of(*type), false, generation, index);
}

nr_value nr_mark_value(napi_env napi, napi_value value, uint32_t place, napi_valuetype *type) {
  if (napi_typeof(napi, value, type) != napi_ok) *type = napi_object;
  return nr_value_handle(tag_of(*type), false, 0, place);
}

/* Ids that the host chooses must be its own sort, and go to a free place. */
napi_status nr_put_escaped(struct nr_dispatch *dispatch, nr_value id, void *item) {
  if (!nr_value_is_handle(id) || !nr_value_is_by_host(id) || nr_value_generation(id) == 0) {
    return nr_fault(dispatch, "a result under an id that is none");
  }
  int error = nr_handles_put(dispatch->connection->chosen, nr_value_index(id), nr_value_generation(id), item);
  if (error == -EEXIST) return nr_fault(dispatch, "a result under an id that is taken");
  return error == 0 ? napi_ok : napi_generic_failure;
}

/* A handle lives in the innermost scope: under an id of an outer one it would be used after its end. */
static napi_status put_chosen(struct nr_dispatch *dispatch, nr_value id, void *item) {
  struct nr_connection *connection = dispatch->connection;
  if (nr_value_index(id) < nr_scopes_floor(connection, connection->scope_count)) {
    return nr_fault(dispatch, "a result under an id of an outer scope");
  }
  return nr_put_escaped(dispatch, id, item);
}

static napi_status give(struct nr_dispatch *dispatch, nr_value id, napi_value value, nr_value *result,
                        napi_valuetype *type) {
  *type = napi_undefined;
  *result = NR_ABSENT;
  if (value == NULL || id == NR_ABSENT) return napi_ok;
  if (napi_typeof(dispatch->napi, value, type) != napi_ok) *type = napi_object;
  if (give_primitive(dispatch->napi, value, *type, result)) return napi_ok;
  napi_status status = put_chosen(dispatch, id, value);
  if (status == napi_ok) *result = nr_value_with_tag(id, tag_of(*type));
  return status;
}

napi_status nr_give(struct nr_dispatch *dispatch, nr_value id, napi_value value, nr_value *result) {
  napi_valuetype type;
  return give(dispatch, id, value, result, &type);
}

void *nr_dispatch_alloc(struct nr_dispatch *dispatch, size_t size) {
  return nr_arena_alloc(dispatch->connection->arena, size);
}

napi_status nr_give_known(struct nr_dispatch *dispatch, nr_value id, napi_value value, Nr__KnownReply *reply) {
  napi_valuetype type;
  Nr__Fact fact = NR__FACT__INIT;
  NR_TRY(give(dispatch, id, value, &reply->result, &type));
  if (!nr_value_is_handle(reply->result)) return napi_ok;
  struct nr_describe describe = {.connection = dispatch->connection,
                                 .napi = dispatch->napi,
                                 .tail = dispatch->tail,
                                 .tail_count = dispatch->tail_count,
                                 .tail_room = NR_DISPATCH_SLICES,
                                 .tail_length = dispatch->tail_length};
  if (!nr_describe_value(&describe, value, type, true, NR_BYTES_NONE, &fact)) return napi_ok;
  reply->shape = fact.shape;
  reply->text = fact.text;
  reply->wrap_id = fact.wrap_id;
  dispatch->tail_count = describe.tail_count;
  dispatch->tail_length = describe.tail_length;
  return napi_ok;
}

nr_span nr_dispatch_bytes(struct nr_dispatch *dispatch, const void *bytes, size_t length) {
  if (bytes == NULL || dispatch->tail_count == NR_DISPATCH_SLICES || length > NR_TAIL_MAX - dispatch->tail_length) {
    return NR_SPAN_NULL;
  }
  nr_span span = nr_span_make(dispatch->tail_length, (uint32_t)length);
  dispatch->tail[dispatch->tail_count++] = (struct nr_slice){.data = bytes, .length = length};
  dispatch->tail_length += (uint32_t)length;
  return span;
}

/* A posted creation that failed: its id is absent from now on. Only rows whose first result field is called `result`
 * create. */
static void note_absence(struct nr_dispatch *dispatch, napi_status status) {
  const ProtobufCMessage *request = dispatch->request;
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "result");
  if (field == NULL || field->type != PROTOBUF_C_TYPE_FIXED64 || field->label == PROTOBUF_C_LABEL_REPEATED) return;
  nr_value id;
  memcpy(&id, (const char *)request + field->offset, sizeof id);
  if (id != NR_ABSENT && id != 0) put_chosen(dispatch, id, nr_absence(status));
}

static uint8_t reply_flags(struct nr_dispatch *dispatch) {
  bool pending = false;
  uint8_t flags = 0;
  if (napi_is_exception_pending(dispatch->napi, &pending) == napi_ok && pending) flags |= NR_FLAG_EXCEPTION;
  if (!pending) flags |= nr_callback_flags(dispatch->connection, dispatch->napi);
  return flags;
}

static int reply(struct nr_dispatch *dispatch, napi_status status) {
  const struct nr_frame_header *call = &dispatch->frame->header;
  struct nr_frame_header header = {
      .env = call->env,
      .sequence = call->sequence,
      .opcode = call->opcode,
      .depth = call->depth,
      .status = (uint16_t)status,
      .kind = NR_KIND_REPLY,
      .flags = reply_flags(dispatch),
  };
  struct nr_connection *connection = dispatch->connection;
  if (connection->basics.count > 0) nr_release_basics(connection, true);
  int error = nr_port_send(connection->port, &header, dispatch->answer, dispatch->tail, dispatch->tail_count);
  if (error == 0 && (header.flags & NR_FLAG_FOLLOWS) != 0) nr_callback_follow(connection, dispatch->napi);
  return error;
}

/* Unpacks the call and makes room for its reply, all of it in the arena. NULL: the connection has failed. */
static struct nr_dispatch *prepare(struct nr_connection *connection, const struct nr_frame *frame,
                                   const struct nr_handler *handler, const struct nr_op_info *info,
                                   struct nr_env *env) {
  ProtobufCMessage *request =
      nr_message_unpack(connection->arena, info->request, frame->message, frame->header.message_length);
  if (request == NULL) {
    nr_connection_fault(connection, "malformed message of %s", info->name);
    return NULL;
  }
  ProtobufCMessage *answer = nr_arena_alloc(connection->arena, info->reply->sizeof_message);
  struct nr_dispatch *dispatch = nr_arena_alloc(connection->arena, sizeof *dispatch);
  if (answer == NULL || dispatch == NULL) {
    nr_connection_fault(connection, "%s needs more memory than a host may have", info->name);
    return NULL;
  }
  protobuf_c_message_init(info->reply, answer);
  *dispatch = (struct nr_dispatch){.connection = connection,
                                   .env = env,
                                   .napi = env->napi,
                                   .frame = frame,
                                   .handler = handler,
                                   .request = request,
                                   .answer = answer};
  return dispatch;
}

/* Nothing is posted that runs JavaScript, whatever the function may do otherwise. */
static bool may_run_js(const struct nr_dispatch *dispatch) {
  return dispatch->frame->header.kind == NR_KIND_CALL && (dispatch->handler->flags & NR_HANDLER_JS) != 0;
}

static void take(const struct nr_dispatch *dispatch) {
  struct nr_connection *connection = dispatch->connection;
  bool turn = nr_op_gives_turn(dispatch->frame->header.opcode);
  if (nr_op_only_enters(dispatch->frame->header.opcode)) return;
  nr_memory_take(connection, turn, connection->hot_count);
  if (turn) nr_memory_settle(connection);
}

static bool is_set(unsigned opcode) {
  return opcode == NR_OP_NAPI_SET_NAMED_PROPERTY || opcode == NR_OP_NAPI_SET_PROPERTY ||
         opcode == NR_OP_NAPI_SET_ELEMENT;
}

/* Whoever sets properties builds objects, or will, and whoever resolves a promise and waits for that does so with one:
 * next time it is told whether prototypes are plain. */
static bool is_building(const struct nr_frame_header *header) {
  return is_set(header->opcode) || (header->opcode == NR_OP_NAPI_RESOLVE_DEFERRED && header->kind == NR_KIND_CALL);
}

/* The env is gone, but its addon still calls: no fault (one process would crash), no success either. */
static void refuse(struct nr_connection *connection, const struct nr_frame *frame, const struct nr_op_info *info) {
  struct nr_frame_header header = frame->header;
  if (header.kind != NR_KIND_CALL) return;
  ProtobufCMessage *answer = nr_arena_alloc(connection->arena, info->reply->sizeof_message);
  if (answer == NULL) {
    nr_connection_fault(connection, "%s needs more memory than a host may have", info->name);
    return;
  }
  protobuf_c_message_init(info->reply, answer);
  header.kind = NR_KIND_REPLY;
  header.status = napi_closing;
  header.flags = 0;
  nr_port_send(connection->port, &header, answer, NULL, 0);
}

struct nr_dispatch *nr_dispatch_begin(struct nr_connection *connection, const struct nr_frame *frame) {
  const struct nr_handler *handler = nr_handler(frame->header.opcode);
  const struct nr_op_info *info = nr_op_info(frame->header.opcode);
  if (handler == NULL || info == NULL) {
    nr_connection_fault(connection, "opcode %u is no call", frame->header.opcode);
    return NULL;
  }
  struct nr_env *env = nr_connection_env(connection, frame->header.env);
  if (env == NULL) {
    nr_connection_fault(connection, "%s on env %u, which is none", info->name, frame->header.env);
    return NULL;
  }
  bool waits = frame->header.kind == NR_KIND_CALL;
  if (!waits && (handler->flags & NR_HANDLER_POSTS) == 0) {
    nr_connection_fault(connection, "%s has to be waited for", info->name);
    return NULL;
  }
  ++*(waits ? &connection->counts.calls : &connection->counts.posts);
  if (env->napi == NULL) {
    refuse(connection, frame, info);
    return NULL;
  }
  if (frame->header.opcode != NR_OP_CLOSE_SCOPE) nr_scopes_settle(connection);
  if (is_building(&frame->header)) nr_callback_built(connection);
  struct nr_dispatch *dispatch = prepare(connection, frame, handler, info, env);
  if (dispatch == NULL) return NULL;
  connection->depth += waits;
  dispatch->posting = connection->posting;
  connection->posting = !waits && connection->entered != NULL;
  dispatch->outer = connection->doing;
  connection->doing = connection->last = info->name;
  connection->agent->serving++;
  if (connection->left != NULL && (handler->flags & NR_HANDLER_JS) != 0) nr_enter_meet_exception(connection);
  if (may_run_js(dispatch)) take(dispatch);
  return dispatch;
}

/* Hooks of async_hooks may have run for what was only posted, but not for sets. */
static bool ran_js(const struct nr_dispatch *dispatch) {
  const struct nr_frame_header *header = &dispatch->frame->header;
  return (dispatch->handler->flags & NR_HANDLER_JS) != 0 && !dispatch->quiet &&
         (header->kind == NR_KIND_CALL || !is_set(header->opcode));
}

void nr_dispatch_end(struct nr_dispatch *dispatch, napi_status status) {
  struct nr_connection *connection = dispatch->connection;
  const struct nr_frame *frame = dispatch->frame;
  bool waits = frame->header.kind == NR_KIND_CALL;
  if (may_run_js(dispatch)) {
    nr_memory_send(connection, nr_op_gives_turn(frame->header.opcode), false);
    nr_environment_check(connection);
  }
  connection->agent->serving--;
  if (ran_js(dispatch)) {
    connection->agent->plain_known = false;
    if (!waits) connection->sends++; /* what a hook has detached may be freed by now, and nothing was sent since */
  }
  const char *done = connection->doing;
  connection->doing = dispatch->outer;
  connection->posting = dispatch->posting;
  connection->depth -= waits;
  if (nr_port_failure(connection->port) < 0) {
    if (connection->owed == NULL) connection->owed = done;
    return;
  }
  if (NR_SERVER_TRACES) nr_server_trace_call(dispatch, status);
  if (!waits) {
    if (status != napi_ok) note_absence(dispatch, status);
    return;
  }
  /* Without its reply the host would wait for ever, and the two stacks would differ from here on. */
  if (reply(dispatch, status) < 0 && nr_port_failure(connection->port) == 0) {
    nr_connection_fault(connection, "the reply to %s is too large", nr_op_info(frame->header.opcode)->name);
  }
}
