/*
 * The choke point: every Node-API call of the addon passes here, whether it is answered locally, posted, or waits for
 * the server.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/channel.h"
#include "client/client-private.h"
#include "client/snapshots.h"
#include "wire/message.h"
#include "wire/turns.h"

/* A call can be carried out only on the channel's own thread, inside an entry: elsewhere nobody holds the turn. */
static const char *why_not_here(const struct nr_channel *channel) {
  if (nr_channel_current() != channel) return "called on another thread than the env's";
  if (channel->entry == NULL) return "called outside of any callback of this env";
  return NULL;
}

static void set_text(napi_env env, napi_status status, const char *text) {
  nr_set_last_error(env, status);
  env->text = text;
}

/* False: it is larger than any frame may be. */
static bool send(struct nr_call *call, unsigned kind, uint32_t sequence) {
  struct nr_channel *channel = call->env->channel;
  struct nr_frame_header header = {
      .env = call->env->number,
      .sequence = sequence,
      .opcode = (uint16_t)call->opcode,
      .depth = (uint16_t)channel->depth,
      .kind = (uint8_t)kind,
  };
  int error = nr_port_send(channel->port, &header, call->request, call->tail, call->tail_count);
  if (NR_LIKELY(error == 0)) return true;
  if (error != -EMSGSIZE) nr_channel_lost(channel);
  call->text = "the arguments are larger than what one call can carry";
  return false;
}

/* The status of a call that cannot even begin; napi_ok otherwise. */
static napi_status refuse_early(struct nr_call *call) {
  call->text = call->env->channel->in_basic ? "called in a finalizer that runs inside a collection"
                                            : why_not_here(call->env->channel);
  if (call->text == NULL && call->out_of_memory) call->text = "out of memory, or of handles";
  return call->text == NULL ? napi_ok : napi_generic_failure;
}

bool nr_call_is_open(struct nr_call *call) {
  return !call->env->channel->last && refuse_early(call) == napi_ok;
}

bool nr_call_js_runs(struct nr_call *call) {
  return !call->env->channel->worker && nr_call_is_open(call);
}

/* Calls that are about an object, and neither give it to JavaScript nor make another handle of it. */
static bool leaves_fresh(unsigned opcode) {
  switch (opcode) {
  case NR_OP_NAPI_IS_ARRAY:
  case NR_OP_NAPI_IS_BUFFER:
  case NR_OP_NAPI_IS_ARRAYBUFFER:
  case NR_OP_NAPI_IS_TYPEDARRAY:
  case NR_OP_NAPI_STRICT_EQUALS:
  case NR_OP_NAPI_CHECK_OBJECT_TYPE_TAG: return true;
  default: return false;
  }
}

/* What this call gets of fresh objects is not fresh any more. */
static void show_fresh(struct nr_call *call) {
  struct nr_channel *channel = call->env->channel;
  const ProtobufCMessageDescriptor *descriptor = call->request->descriptor;
  for (unsigned i = 0; channel->fresh_any && i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    const char *place = (const char *)call->request + field->offset;
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE) nr_fresh_clear(channel); /* whatever is in there */
    if (field->type != PROTOBUF_C_TYPE_FIXED64) continue;
    const nr_value *values = is_list ? *(nr_value *const *)place : (const nr_value *)place;
    size_t count = is_list ? *(const size_t *)((const char *)call->request + field->quantifier_offset) : 1;
    for (size_t k = 0; k < count; k++) nr_fresh_show(channel, values[k]);
  }
}

napi_status nr_call_wait(struct nr_call *call) {
  napi_env env = call->env;
  struct nr_channel *channel = env->channel;
  napi_status status = refuse_early(call);
  if (NR_UNLIKELY(status != napi_ok)) return status;
  nr_scopes_announce(channel, env);
  if (channel->fresh_any && !leaves_fresh(call->opcode)) show_fresh(call);
  call->mark = nr_arena_mark(channel->arena);
  call->marked = true;
  nr_record_call(call);
  uint32_t sequence = ++channel->sequence;
  if (NR_UNLIKELY(!send(call, NR_KIND_CALL, sequence))) return napi_generic_failure;
  channel->depth++;
  nr_channel_await_reply(channel, sequence, call->opcode, call->js, &call->frame);
  channel->depth--;
  if (NR_UNLIKELY(channel->deferred != NULL)) nr_deferred_send(channel);
  const struct nr_op_info *info = nr_op_info(call->opcode);
  call->reply = nr_message_unpack(channel->arena, info->reply, call->frame.message, call->frame.header.message_length);
  if (NR_UNLIKELY(call->reply == NULL)) nr_channel_lost(channel);
  nr_channel_take_plain(channel, call->frame.header.flags);
  env->exception_pending = (call->frame.header.flags & NR_FLAG_EXCEPTION) != 0;
  return (napi_status)call->frame.header.status;
}

napi_status nr_call_wait_js(struct nr_call *call) {
  struct nr_channel *channel = call->env->channel;
  napi_status status = refuse_early(call);
  if (NR_UNLIKELY(status != napi_ok)) return status;
  if (!nr_op_only_enters(call->opcode)) nr_memory_flush(channel, call->env, nr_op_gives_turn(call->opcode));
  nr_environment_check(channel);
  call->js = true;
  channel->js_epoch++;
  status = nr_call_wait(call);
  channel->js_epoch++;
  return status;
}

napi_status nr_call_settle(struct nr_call *call) {
  return call->env->channel->in_basic ? nr_call_post(call) : nr_call_wait(call);
}

napi_status nr_call_post(struct nr_call *call) {
  struct nr_channel *channel = call->env->channel;
  if (NR_UNLIKELY(channel->in_basic) && nr_channel_current() == channel && !call->out_of_memory) return nr_defer(call);
  napi_status status = refuse_early(call);
  if (NR_UNLIKELY(status != napi_ok)) return status;
  nr_scopes_announce(channel, call->env);
  return send(call, NR_KIND_POST, 0) ? napi_ok : napi_generic_failure;
}

napi_status nr_call_post_js(struct nr_call *call) {
  return NR_UNLIKELY(call->env->channel->last) ? nr_call_wait(call) : nr_call_post(call);
}

napi_status nr_call_post_hooked(struct nr_call *call) {
  if (!nr_call_js_runs(call)) return nr_call_wait_js(call);
  call->env->channel->js_epoch++; /* a hook may have detached what is known, or taken a snapshot of */
  show_fresh(call);
  return nr_call_post(call);
}

void nr_call_drop(struct nr_call *call, napi_status status) {
  nr_record_call_end(call, status);
  if (call->marked) nr_arena_release(call->env->channel->arena, call->mark);
}

napi_status nr_call_end(struct nr_call *call, napi_status status) {
  if (NR_UNLIKELY(call->text != NULL)) {
    set_text(call->env, status, call->text);
  } else if (status != napi_ok || !call->keeps_last_error) {
    nr_set_last_error(call->env, status);
  }
  nr_record_call_end(call, status);
  if (NR_UNLIKELY(nr_tap_on)) nr_tap(call, status);
  if (NR_UNLIKELY(call->tail != NULL && call->tail != call->own_tail)) free(call->tail);
  if (NR_UNLIKELY(call->values != NULL && call->values != call->own_values)) free(call->values);
  if (call->marked) nr_arena_release(call->env->channel->arena, call->mark);
  return status;
}

nr_value nr_call_result_tagged(struct nr_call *call, enum nr_tag tag) {
  struct nr_channel *channel = call->env->channel;
  if (NR_UNLIKELY(nr_channel_current() != channel)) return NR_ABSENT; /* the call itself will be refused */
  if (NR_UNLIKELY(channel->chosen_top >= NR_HANDLES_MAX)) {
    call->out_of_memory = true;
    return NR_ABSENT;
  }
  return nr_value_handle(tag, true, channel->chosen_generation, channel->chosen_top++);
}

static bool grow_tail(struct nr_call *call) {
  uint32_t room = call->tail_room * 2;
  struct nr_slice *tail = malloc(room * sizeof *tail);
  if (tail == NULL) return false;
  memcpy(tail, call->tail, call->tail_count * sizeof *tail);
  if (call->tail != call->own_tail) free(call->tail);
  call->tail = tail;
  call->tail_room = room;
  return true;
}

nr_span nr_call_bytes(struct nr_call *call, const void *bytes, size_t length) {
  if (bytes == NULL) return NR_SPAN_NULL;
  if (call->tail == NULL) {
    call->tail = call->own_tail;
    call->tail_room = NR_CALL_SLICES;
  }
  if (length > NR_TAIL_MAX - call->tail_length || (call->tail_count == call->tail_room && !grow_tail(call))) {
    call->out_of_memory = true;
    return NR_SPAN_NULL;
  }
  nr_span span = nr_span_make(call->tail_length, (uint32_t)length);
  call->tail[call->tail_count++] = (struct nr_slice){.data = bytes, .length = length};
  call->tail_length += (uint32_t)length;
  return span;
}

nr_span nr_call_cstring(struct nr_call *call, const char *text) {
  return nr_call_bytes(call, text, text == NULL ? 0 : strlen(text));
}

/* Room for the values on the wire; NULL without memory. */
static nr_value *make_values(struct nr_call *call, size_t count) {
  call->values = count <= NR_CALL_VALUES ? call->own_values : calloc(count, sizeof *call->values);
  if (call->values == NULL) call->out_of_memory = true;
  return call->values;
}

nr_value *nr_call_values(struct nr_call *call, const napi_value *values, size_t count) {
  if (count == 0 || values == NULL || make_values(call, count) == NULL) return NULL;
  for (size_t i = 0; i < count; i++) call->values[i] = nr_wire(values[i]);
  return call->values;
}

nr_value *nr_call_pairs(struct nr_call *call, const napi_value *names, const napi_value *values, size_t count) {
  if (count == 0) return NULL;
  if (count > SIZE_MAX / 2) call->out_of_memory = true;
  if (call->out_of_memory || make_values(call, 2 * count) == NULL) return NULL;
  for (size_t i = 0; i < count; i++) {
    call->values[i] = nr_wire(names[i]);
    call->values[count + i] = nr_wire(values[i]);
  }
  return call->values;
}

napi_status nr_refuse(napi_env env, const char *function, napi_status status) {
  nr_set_last_error(env, status);
  nr_tell_refused(env, function, status);
  return status;
}

napi_status nr_refuse_js(napi_env env, const char *function, napi_status status) {
  Nr__Empty request = NR__EMPTY__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_MAY_RUN_JS, &request.base);
  if (!nr_call_js_runs(&call) && refuse_early(&call) == napi_ok) {
    napi_status may = nr_call_end(&call, nr_call_wait(&call));
    if (may != napi_ok) status = may;
  }
  return nr_refuse(env, function, status);
}

napi_status nr_refuse_text(napi_env env, const char *function, napi_status status, const char *text) {
  set_text(env, status, text);
  nr_tell_refused(env, function, status);
  return status;
}

size_t nr_length16(const char16_t *text, size_t length) {
  if (length != NAPI_AUTO_LENGTH) return length;
  if (text == NULL) return 0;
  size_t count = 0;
  while (text[count] != 0) count++;
  return count;
}

napi_value nr_local_known(struct nr_call *call, const Nr__KnownReply *reply) {
  if (reply->shape != 0) {
    Nr__Fact fact = NR__FACT__INIT;
    fact.value = reply->result;
    fact.shape = reply->shape & ~(uint32_t)NR_SHAPE_FRESH;
    fact.text = reply->text;
    fact.wrap_id = reply->wrap_id;
    nr_learn(call->env->channel, &fact, &call->frame);
    if ((reply->shape & NR_SHAPE_FRESH) != 0) nr_fresh_add(call->env->channel, reply->result, false);
  }
  return nr_unwire(reply->result);
}
