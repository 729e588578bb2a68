/*
 * The entries: what runs in the host when the server has given it the turn.
 */
#include "client/entries.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/calls/async.h"
#include "client/channel.h"
#include "client/loader.h"
#include "client/loop.h"
#include "client/snapshots.h"
#include "client/calls/threadsafe.h"
#include "wire/message.h"
#include "wire/faults.h"

bool nr_exit_asked;

static noreturn void nonsense(struct nr_channel *channel) {
  nr_port_fail(channel->port, EPROTO);
  nr_channel_lost(channel);
}

static napi_env env_get(struct nr_channel *channel, uint32_t number) {
  if (number == 0 || number > channel->env_count || channel->envs[number - 1] == NULL) nonsense(channel);
  return channel->envs[number - 1];
}

/* A NUL-terminated copy in the arena. */
static char *text_of(struct nr_channel *channel, const struct nr_frame *frame, nr_span span) {
  const uint8_t *bytes = nr_frame_bytes(frame, span);
  char *text = nr_arena_alloc(channel->arena, nr_span_length(span) + 1u);
  if (bytes == NULL || text == NULL) nonsense(channel);
  memcpy(text, bytes, nr_span_length(span));
  text[nr_span_length(span)] = '\0';
  return text;
}

#define NR_ERROR_SIZE 4096

static void serve_load(struct nr_channel *channel, const struct nr_frame *frame, const Nr__LoadRequest *request,
                       struct nr_served *served) {
  char *error = nr_arena_alloc(channel->arena, NR_ERROR_SIZE);
  if (error == NULL) nonsense(channel);
  nr__load_reply__init(&served->reply.load);
  struct nr_module *module =
      nr_module_load(text_of(channel, frame, request->file), request->flags, error, NR_ERROR_SIZE);
  if (module == NULL) {
    size_t length = strlen(error);
    served->tail[0] = (struct nr_slice){.data = error, .length = length};
    served->tail_count = 1;
    served->reply.load.error = nr_span_make(0, (uint32_t)length);
    return;
  }
  served->reply.load.module_id = nr_table_add(channel->modules, NR_SORT_MODULE, module);
  served->reply.load.api_version = nr_module_api_version(module);
  if (served->reply.load.module_id == 0) served->reply.load.error = NR_SPAN_NULL;
}

static napi_env env_create(struct nr_channel *channel, uint32_t number, int32_t api_version, const char *filename) {
  if (number != channel->env_count + 1) nonsense(channel);
  napi_env *envs = realloc(channel->envs, number * sizeof *envs);
  if (envs == NULL) return NULL;
  channel->envs = envs;
  napi_env env = calloc(1, sizeof *env);
  if (env == NULL) return NULL;
  env->channel = channel;
  env->number = number;
  env->api_version = api_version;
  env->filename = strdup(filename);
  if (env->filename == NULL) {
    free(env);
    return NULL;
  }
  channel->envs[channel->env_count++] = env;
  return env;
}

static void serve_init(struct nr_channel *channel, const struct nr_frame *frame, const Nr__InitRequest *request,
                       struct nr_served *served) {
  struct nr_module *module = nr_table_get(channel->modules, request->module_id, NR_SORT_MODULE);
  if (module == NULL) nonsense(channel);
  nr__return_reply__init(&served->reply.returned);
  served->reply.returned.result = NR_ABSENT;
  served->env = env_create(channel, request->env, request->api_version, text_of(channel, frame, request->filename));
  if (served->env == NULL) {
    served->status = napi_generic_failure;
    return;
  }
  napi_addon_register_func init = nr_module_init(module);
  if (init ==
      NULL) /* napi_module_register() with a struct that has none: node_api.cc, napi_module_register_by_symbol() */
    napi_throw_error(served->env, NULL, "Module has no declared entry point.");
  else
    served->reply.returned.result = nr_wire(init(served->env, nr_unwire(request->exports)));
}

/* The places of the handles that something is known about. */
struct places {
  uint32_t first, last;
};

static void widen(struct places *places, nr_value value) {
  uint32_t index = nr_value_index(value);
  if (index < places->first) places->first = index;
  if (index >= places->last) places->last = index + 1;
}

/* The argument that a view or a shape is about. */
static nr_value argument_at(struct nr_channel *channel, const Nr__InvokeRequest *request, uint64_t place) {
  if (place >= request->n_values) nonsense(channel);
  return request->values[place];
}

static nr_value viewed(struct nr_channel *channel, const Nr__InvokeRequest *request, size_t i) {
  return argument_at(channel, request, nr_view_code_place(request->views[i]));
}

static nr_value shaped(struct nr_channel *channel, const Nr__InvokeRequest *request, size_t i) {
  return argument_at(channel, request, nr_shape_code_place(request->shapes[i]));
}

static nr_value texted(struct nr_channel *channel, const Nr__InvokeRequest *request, size_t i) {
  return argument_at(channel, request, nr_text_code_place(request->text_places[i]));
}

static void take_shape(struct nr_channel *channel, struct nr_known *known, nr_value value,
                       const uint64_t numbers[NR_SHAPE_NUMBERS]) {
  Nr__Fact fact = NR__FACT__INIT;
  fact.value = value;
  fact.shape = nr_shape_code_shape(numbers[0]) & ~(uint32_t)(NR_SHAPE_TEXT | NR_SHAPE_VIEW); /* which are elsewhere */
  fact.wrap_id = numbers[1];
  nr_known_set(channel, known, &fact, NULL);
}

static void take_text(struct nr_channel *channel, struct nr_known *known, nr_value value, nr_span text, bool wide,
                      const struct nr_frame *frame) {
  Nr__Fact fact = NR__FACT__INIT;
  fact.value = value;
  fact.shape = NR_SHAPE_TEXT | (wide ? NR_SHAPE_WIDE : 0);
  fact.text = text;
  nr_known_set(channel, known, &fact, frame);
}

/* Facts of arguments are found by the place of their handle (known.c). */
static void take_facts(struct nr_channel *channel, struct nr_entry *entry, const struct nr_frame *frame,
                       const Nr__InvokeRequest *request) {
  struct places places = {UINT32_MAX, 0};
  for (size_t i = 0; i < request->n_facts; i++) widen(&places, request->facts[i]->value);
  if (request->n_views % NR_VIEW_NUMBERS != 0 || request->n_shapes % NR_SHAPE_NUMBERS != 0 ||
      request->n_texts != request->n_text_places)
    nonsense(channel);
  for (size_t i = 0; i < request->n_texts; i++) widen(&places, texted(channel, request, i));
  for (size_t i = 0; i < request->n_shapes; i += NR_SHAPE_NUMBERS) widen(&places, shaped(channel, request, i));
  for (size_t i = 0; i < request->n_views; i += NR_VIEW_NUMBERS) widen(&places, viewed(channel, request, i));
  if (places.last - places.first > request->n_values + 1) nonsense(channel);
  entry->given_base = places.first;
  entry->given_count = places.last - places.first;
  entry->facts = nr_arena_alloc(channel->arena, entry->given_count * sizeof *entry->facts);
  if (entry->facts == NULL) nonsense(channel);
  memset(entry->facts, 0, entry->given_count * sizeof *entry->facts);
  for (size_t i = 0; i < request->n_facts; i++) {
    const Nr__Fact *fact = request->facts[i];
    nr_known_set(channel, &entry->facts[nr_value_index(fact->value) - places.first], fact, frame);
  }
  for (size_t i = 0; i < request->n_shapes; i += NR_SHAPE_NUMBERS) {
    nr_value value = shaped(channel, request, i);
    take_shape(channel, &entry->facts[nr_value_index(value) - places.first], value, &request->shapes[i]);
  }
  for (size_t i = 0; i < request->n_texts; i++) {
    nr_value value = texted(channel, request, i);
    take_text(channel, &entry->facts[nr_value_index(value) - places.first], value, request->texts[i],
              nr_text_code_wide(request->text_places[i]), frame);
  }
  for (size_t i = 0; i < request->n_views; i += NR_VIEW_NUMBERS) {
    nr_value value = viewed(channel, request, i);
    nr_known_set_view(channel, &entry->facts[nr_value_index(value) - places.first], value, &request->views[i]);
  }
}

static void serve_invoke(struct nr_channel *channel, struct nr_entry *entry, const struct nr_frame *frame,
                         const Nr__InvokeRequest *request, struct nr_served *served) {
  struct nr_callback *callback = nr_table_get(channel->callbacks, request->callback_id, NR_SORT_CALLBACK);
  if (callback == NULL || request->n_values == 0) nonsense(channel);
  nr__return_reply__init(&served->reply.returned);
  served->env = callback->env;
  entry->invoke = request;
  entry->callback = callback;
  if (request->n_facts + request->n_views + request->n_shapes + request->n_texts > 0)
    take_facts(channel, entry, frame, request);
  nr_clear_last_error(callback->env);
  callback->env->exception_pending = false;
  served->reply.returned.result = nr_wire(callback->function(callback->env, (napi_callback_info)entry));
}

static void serve_finalize(struct nr_channel *channel, const Nr__FinalizeRequest *request, struct nr_served *served) {
  struct nr_object *object = nr_table_remove(channel->objects, request->finalizer_id, NR_SORT_OBJECT);
  nr__empty__init(&served->reply.empty);
  if (object == NULL) return;
  served->env = object->env;
  nr_clear_last_error(served->env);
  served->env->exception_pending = false;
  channel->unwrap_epoch++;
  if (object->finalize != NULL) object->finalize(served->env, object->data, object->hint);
  free(object);
}

/* A collection calls it, perhaps while native code below waits for a reply. */
static void finalize_in_gc(struct nr_channel *channel, const struct nr_frame *frame,
                           const Nr__FinalizeRequest *request) {
  struct nr_object *object = nr_table_remove(channel->objects, request->finalizer_id, NR_SORT_OBJECT);
  if (object == NULL) return;
  napi_env env = object->env;
  struct nr_open_record recorded = nr_record_entry(channel, frame, &request->base);
  bool outer_finalizer = env->in_gc_finalizer, outer_basic = channel->in_basic;
  nr_clear_last_error(env);
  env->in_gc_finalizer = env->api_version == NR_API_VERSION_EXPERIMENTAL;
  channel->in_basic = true;
  channel->unwrap_epoch++;
  if (object->finalize != NULL) object->finalize(request->orphan ? NULL : env, object->data, object->hint);
  channel->in_basic = outer_basic;
  env->in_gc_finalizer = outer_finalizer;
  nr_record_end(&recorded, napi_ok, NULL);
  free(object);
}

/* What is run by its id: nothing comes back. */
static void serve_by_id(struct nr_channel *channel, const struct nr_frame *frame, const void *request,
                        struct nr_served *served) {
  nr__empty__init(&served->reply.empty);
  switch (frame->header.opcode) {
  case NR_OP_COMPLETE_WORK:
    served->env = nr_work_complete(channel, ((const Nr__CompleteRequest *)request)->async_id);
    break;
  case NR_OP_FINISH_WORKS:
    served->env = env_get(channel, frame->header.env);
    nr_works_finish(channel, served->env);
    break;
  case NR_OP_ASYNC_HOOK: served->env = nr_async_hook_run(channel, ((const Nr__HookRequest *)request)->hook_id); break;
  default: served->env = nr_threadsafe_serve(channel, request); break;
  }
}

static void serve_cleanup_hook(struct nr_channel *channel, const struct nr_frame *frame, const Nr__HookRequest *request,
                               struct nr_served *served) {
  nr__empty__init(&served->reply.empty);
  served->env = env_get(channel, frame->header.env);
  nr_hook_run(channel, request->hook_id);
}

static void close_module(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)kind;
  (void)context;
  nr_module_close(item);
}

/* As process.exit() in one process: C destructors and atexit() run, below whatever is on the stack. A Worker's thread
 * only closes what it has opened. */
static void serve_exit(struct nr_channel *channel, const Nr__ExitRequest *request, struct nr_served *served) {
  if (!request->thread) {
    nr_exit_asked = true;
    exit(request->code);
  }
  nr__empty__init(&served->reply.empty);
  nr_table_each(channel->modules, close_module, NULL);
  nr_snapshots_free(channel);
  channel->ends = true;
}

void nr_entry_serve(struct nr_channel *channel, struct nr_entry *entry, const struct nr_frame *frame,
                    struct nr_served *served) {
  const struct nr_op_info *info = nr_op_info(frame->header.opcode);
  if (info == NULL) nonsense(channel);
  void *request = nr_message_unpack(channel->arena, info->request, frame->message, frame->header.message_length);
  if (request == NULL) nonsense(channel);
  struct nr_open_record recorded = nr_record_entry(channel, frame, request);
  if (NR_UNLIKELY(nr_tap_on)) nr_tap_entry(channel, frame, request);
  served->status = napi_ok;
  switch (frame->header.opcode) {
  case NR_OP_INVOKE: serve_invoke(channel, entry, frame, request, served); break;
  case NR_OP_FINALIZE: serve_finalize(channel, request, served); break;
  case NR_OP_TURN_LOOP:
    nr__empty__init(&served->reply.empty);
    nr_loop_turn(channel, ((const Nr__TurnLoopRequest *)request)->phase);
    break;
  case NR_OP_COMPLETE_WORK:
  case NR_OP_ASYNC_HOOK:
  case NR_OP_FINISH_WORKS:
  case NR_OP_THREADSAFE: serve_by_id(channel, frame, request, served); break;
  case NR_OP_DRAIN: nr__empty__init(&served->reply.empty); break; /* what was deferred has gone out already */
  case NR_OP_LOAD: serve_load(channel, frame, request, served); break;
  case NR_OP_INIT: serve_init(channel, frame, request, served); break;
  case NR_OP_CLEANUP_HOOK: serve_cleanup_hook(channel, frame, request, served); break;
  case NR_OP_EXIT: serve_exit(channel, request, served); break;
  default: nonsense(channel);
  }
  nr_record_end(&recorded, served->status, NULL);
}

static void release(struct nr_channel *channel, const Nr__ReleaseRequest *request) {
  for (size_t i = 0; i < request->n_callback_id; i++) {
    free(nr_table_remove(channel->callbacks, request->callback_id[i], NR_SORT_CALLBACK));
  }
  for (size_t i = 0; i < request->n_object_id; i++) {
    free(nr_table_remove(channel->objects, request->object_id[i], NR_SORT_OBJECT));
  }
  for (size_t i = 0; i < request->n_pair_id; i++) nr_memory_release(channel, request->pair_id[i]);
}

static void set_variable(struct nr_channel *channel, const struct nr_frame *frame, const Nr__VariableRequest *request) {
  const char *name = text_of(channel, frame, request->name);
  nr_environment_set(channel, name, request->value == NR_SPAN_NULL ? NULL : text_of(channel, frame, request->value));
}

void nr_entry_post(struct nr_channel *channel, const struct nr_frame *frame) {
  const struct nr_op_info *info = nr_op_info(frame->header.opcode);
  if (info == NULL) nonsense(channel);
  void *request = nr_message_unpack(channel->arena, info->request, frame->message, frame->header.message_length);
  if (request == NULL) nonsense(channel);
  switch (frame->header.opcode) {
  case NR_OP_RELEASE: release(channel, request); break;
  case NR_OP_MAP_MEMORY: nr_memory_map(channel, request); break;
  case NR_OP_TRACK_MEMORY: nr_memory_track(channel, request); break;
  case NR_OP_DISTURB_MEMORY: nr_faults_disturb(); break;
  case NR_OP_ATTEND: nr_port_expect(channel->port); break;
  case NR_OP_FINALIZE: finalize_in_gc(channel, frame, request); break;
  case NR_OP_SET_VARIABLE: set_variable(channel, frame, request); break;
  default: nonsense(channel);
  }
}
