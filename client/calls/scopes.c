/*
 * Handle scopes. They cost nothing until something is sent inside them: only then does the server open a real one.
 */
#include <stdlib.h>

#include "client/client-private.h"

/* What addons hold as napi_handle_scope: the level and a serial, so that a scope that is closed is recognised. */
static void *scope_handle(const struct nr_channel *channel, uint32_t level) {
  return (void *)(uintptr_t)(((uint64_t)channel->scopes[level].serial << 32) | (level + 1));
}

static struct nr_scope *scope_of(struct nr_channel *channel, const void *handle, uint32_t *level) {
  uint64_t bits = (uint64_t)(uintptr_t)handle;
  *level = (uint32_t)bits - 1;
  uint32_t base = channel->entry == NULL ? 0 : channel->entry->scope_base;
  if (*level < base || *level >= channel->scope_count) return NULL;
  struct nr_scope *scope = &channel->scopes[*level];
  return scope->serial == (uint32_t)(bits >> 32) ? scope : NULL;
}

static void post(struct nr_channel *channel, napi_env env, unsigned opcode, const ProtobufCMessage *message) {
  struct nr_frame_header header = {
      .env = env->number, .opcode = (uint16_t)opcode, .depth = (uint16_t)channel->depth, .kind = NR_KIND_POST};
  nr_port_send(channel->port, &header, message, NULL, 0); /* a failure shows at the next receive */
}

void nr_scopes_announce(struct nr_channel *channel, napi_env env) {
  while (channel->scopes_on_server < channel->scope_count) {
    uint32_t level = channel->scopes_on_server++;
    Nr__OpenScopeRequest request = NR__OPEN_SCOPE_REQUEST__INIT;
    request.level = level;
    request.escapable = channel->scopes[level].escapable;
    request.top = channel->scopes[level].top;
    post(channel, env, NR_OP_OPEN_SCOPE, &request.base);
  }
}

static void drop_handles(struct nr_channel *channel, uint32_t top) {
  if (channel->chosen_top == top) return;
  channel->chosen_top = top;
  channel->chosen_generation = (uint16_t)(channel->chosen_generation % NR_HANDLE_GENERATION_MASK + 1);
  if (channel->chosen_generation == 1) nr_known_forget(channel);
}

void nr_scopes_truncate(struct nr_channel *channel, uint32_t scope_count, uint32_t chosen_top) {
  channel->scope_count = scope_count;
  if (channel->scopes_on_server > scope_count) channel->scopes_on_server = scope_count;
  drop_handles(channel, chosen_top);
}

static napi_status open_scope(struct nr_call *call, bool escapable, void **result) {
  struct nr_channel *channel = call->env->channel;
  if (channel->scope_count == channel->scope_room) {
    uint32_t room = channel->scope_room == 0 ? 16 : channel->scope_room * 2;
    struct nr_scope *scopes = realloc(channel->scopes, room * sizeof *scopes);
    if (scopes == NULL) return napi_generic_failure;
    channel->scopes = scopes;
    channel->scope_room = room;
  }
  nr_value slot = escapable ? nr_call_result(call) : NR_ABSENT;
  channel->scopes[channel->scope_count] = (struct nr_scope){
      .top = channel->chosen_top, .serial = ++channel->scope_serial, .escapable = escapable, .slot = slot};
  *result = scope_handle(channel, channel->scope_count++);
  return napi_ok;
}

/* Scopes close in the reverse order in which they were opened; closing one closes those that were left open inside. */
static napi_status close_scope(napi_env env, const void *handle, bool escapable) {
  struct nr_channel *channel = env->channel;
  uint32_t level;
  struct nr_scope *scope = scope_of(channel, handle, &level);
  if (scope == NULL || scope->escapable != escapable) return napi_handle_scope_mismatch;
  if (level < channel->scopes_on_server) {
    Nr__CloseScopeRequest request = NR__CLOSE_SCOPE_REQUEST__INIT;
    request.level = level;
    post(channel, env, NR_OP_CLOSE_SCOPE, &request.base);
  }
  nr_scopes_truncate(channel, level, scope->top);
  return napi_ok;
}

static bool on_channel(napi_env env) {
  return nr_channel_current() == env->channel && env->channel->entry != NULL;
}

NR_EXPORT napi_status NAPI_CDECL napi_open_handle_scope(napi_env env, napi_handle_scope *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__Empty request = NR__EMPTY__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_OPEN_HANDLE_SCOPE, &request.base);
  if (!on_channel(env)) return nr_call_end(&call, napi_generic_failure);
  return nr_call_end(&call, open_scope(&call, false, (void **)result));
}

NR_EXPORT napi_status NAPI_CDECL napi_close_handle_scope(napi_env env, napi_handle_scope scope) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, scope);
  Nr__Empty request = NR__EMPTY__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CLOSE_HANDLE_SCOPE, &request.base);
  if (!on_channel(env)) return nr_call_end(&call, napi_generic_failure);
  return nr_call_end(&call, close_scope(env, scope, false));
}

NR_EXPORT napi_status NAPI_CDECL napi_open_escapable_handle_scope(napi_env env, napi_escapable_handle_scope *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__Empty request = NR__EMPTY__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_OPEN_ESCAPABLE_HANDLE_SCOPE, &request.base);
  if (!on_channel(env)) return nr_call_end(&call, napi_generic_failure);
  return nr_call_end(&call, open_scope(&call, true, (void **)result));
}

NR_EXPORT napi_status NAPI_CDECL napi_close_escapable_handle_scope(napi_env env, napi_escapable_handle_scope scope) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, scope);
  Nr__Empty request = NR__EMPTY__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CLOSE_ESCAPABLE_HANDLE_SCOPE, &request.base);
  if (!on_channel(env)) return nr_call_end(&call, napi_generic_failure);
  return nr_call_end(&call, close_scope(env, scope, true));
}

NR_EXPORT napi_status NAPI_CDECL napi_escape_handle(napi_env env, napi_escapable_handle_scope scope, napi_value escapee,
                                                    napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, scope);
  NR_CHECK_ARG(env, escapee);
  NR_CHECK_ARG(env, result);
  Nr__EscapeHandleRequest request = NR__ESCAPE_HANDLE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ESCAPE_HANDLE, &request.base);
  struct nr_scope *open = on_channel(env) ? scope_of(env->channel, scope, &request.level) : NULL;
  if (open == NULL || !open->escapable) return nr_call_end(&call, napi_invalid_arg);
  if (open->escaped) return nr_call_end(&call, napi_escape_called_twice);
  open->escaped = true;
  request.escapee = nr_wire(escapee);
  if (!nr_value_is_handle(request.escapee)) { /* numbers and booleans have no scope */
    *result = escapee;
    return nr_call_end(&call, napi_ok);
  }
  request.result = nr_value_with_tag(open->slot, (enum nr_tag)nr_value_tag(request.escapee));
  napi_status status = nr_call_post(&call);
  if (status == napi_ok) {
    *result = nr_unwire(request.result);
    nr_fresh_move(env->channel, request.escapee, request.result);
  }
  return nr_call_end(&call, status);
}
