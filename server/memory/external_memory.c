/*
 * External buffers: real external buffers over memory of this side's, so that they are what they are in one process
 * (untransferable, counted as external, finalized when Node does), which holds a copy of the addon's. The memory of a
 * SharedArrayBuffer may outlive its thread: external_shared.c.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/calls/objects.h"
#include "server/memory/exchange.h"
#include "server/memory/external_copy.h"
#include "server/memory/external_shared.h"
#include "server/memory/memory.h"
#include "wire/pages.h"

struct external {
  struct nr_connection *connection; /* counted */
  struct nr_wrap *wrap;
  uint8_t *memory; /* NULL: none */
  uint64_t length;
  struct nr_mirror_window window; /* open: that is the memory */
};

/* shares: others may show some of it as well. A window on the mirror then, if there can be one. False: out of memory.
 */
static bool memory_create(struct external *external, uint64_t address, bool shares) {
  struct nr_connection *connection = external->connection;
  uint64_t length = external->length;
  if (shares && nr_mirror_show(&connection->mirror, address, length, &external->window))
    external->memory = external->window.bytes;
  else if (nr_cell_fits(length))
    external->memory = nr_cell_create(&connection->cells, connection->blocks, length);
  else
    external->memory = nr_spare_create(connection->blocks, length);
  return external->memory != NULL;
}

static void memory_free(struct external *external) {
  struct nr_connection *connection = external->connection;
  uint8_t *memory = external->memory;
  nr_memory_disown(connection, memory);
  if (external->window.bytes != NULL)
    nr_sparse_close(connection, &external->window);
  else if (nr_cell_fits(external->length))
    nr_cell_free(&connection->cells, connection->blocks, memory, external->length);
  else
    nr_spare_free(connection->blocks, memory, external->length);
}

static void external_free(struct external *external) {
  if (external->memory != NULL) memory_free(external);
  nr_connection_unref(external->connection);
  free(external);
}

/* Node calls this from its loop, after the collection, also for experimental addons. */
static void finalize(napi_env napi, void *data, void *hint) {
  struct external *external = hint;
  struct nr_wrap *wrap = external->wrap;
  (void)napi;
  (void)data;
  nr_ending_of_bytes(external->connection->agent);
  external_free(external);
  nr_wrap_enter(wrap);
}

static struct external *external_create(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request,
                                        bool shares) {
  struct external *external = calloc(1, sizeof *external);
  if (external == NULL) return NULL;
  external->connection = d->connection;
  nr_connection_ref(d->connection);
  external->length = request->length;
  /* An empty one at NULL has no address in JavaScript's memory either: addons ask for it. */
  bool nowhere = request->address == 0 && request->length == 0;
  if (nowhere || memory_create(external, request->address, shares))
    external->wrap = nr_wrap_create(d, request->object_id, request->object_id != 0, false);
  if (external->wrap != NULL) return external;
  external_free(external);
  return NULL;
}

/* The parts that the host says are there; all of it when it says nothing. NULL: out of memory, more than there
 * may be, or nonsense. */
static const struct nr_range *take_parts(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request,
                                         struct nr_parts *parts) {
  /* Of a large one a host tells what is there: who only claims gigabytes gets none. */
  if (request->address != 0 && request->length >= NR_SPARSE_MIN && request->n_stretches == 0) {
    nr_fault(d, "a large buffer, and nothing about what is there");
    return NULL;
  }
  size_t room = request->n_stretches > 0 ? request->n_stretches : 1, constants = room;
  struct nr_range *ranges = nr_dispatch_alloc(d, room * sizeof *ranges);
  if (ranges == NULL) return NULL;
  ranges[0] = (struct nr_range){0, request->length};
  *parts = (struct nr_parts){.ranges = ranges, .count = room, .changing = request->n_stretches > 0 ? 0 : 1};
  uint64_t bytes = 0, end = 0;
  for (size_t i = 0; i < request->n_stretches; i++) {
    const Nr__Stretch *stretch = request->stretches[i];
    if (stretch->offset > request->length || stretch->length > request->length - stretch->offset) {
      nr_fault(d, "bytes outside of the buffer");
      return NULL;
    }
    if (stretch->offset < end) {
      nr_fault(d, "parts of a buffer that are not in their order");
      return NULL;
    }
    end = stretch->offset + stretch->length;
    size_t place = stretch->constant ? --constants : parts->changing++;
    ranges[place] = (struct nr_range){stretch->offset, stretch->offset + stretch->length};
    bytes += stretch->length;
  }
  if (request->n_stretches == 0) bytes = request->length;
  /* What is the addon's own, all of it, is no window on whatever lies behind a pointer. */
  parts->shares = bytes < request->length && request->tracked_length < request->length;
  if (request->length > INT64_MAX / 4 || !nr_memory_fits(d->connection, 2 * bytes)) return NULL; /* with their twin */
  if (request->tracked_offset > request->length ||
      request->tracked_length > request->length - request->tracked_offset) {
    nr_fault(d, "tracks bytes outside of the buffer");
    return NULL;
  }
  return ranges;
}

static bool is_pending(napi_env napi) {
  bool pending = false;
  return napi_is_exception_pending(napi, &pending) == napi_ok && pending;
}

static napi_status create(struct nr_dispatch *d, struct external *external, bool arraybuffer, napi_value *result) {
  return arraybuffer
             ? napi_create_external_arraybuffer(d->napi, external->memory, external->length, finalize, external, result)
             : napi_create_external_buffer(d->napi, external->length, external->memory, finalize, external, result);
}

/* `owned`: its memory is there until external_free(). That of a SharedArrayBuffer V8 lets go of on any thread. */
static napi_status give(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request, napi_value value,
                        bool owned, const struct nr_parts *parts, Nr__ViewReply *reply) {
  NR_TRY(nr_give(d, request->result, value, &reply->result));
  reply->view = nr_dispatch_alloc(d, sizeof *reply->view);
  if (reply->view == NULL) return napi_generic_failure;
  nr__view__init(reply->view);
  struct nr_range tracked = {request->tracked_offset, request->tracked_offset + request->tracked_length};
  nr_memory_describe_foreign(d->connection, d->napi, value, owned, request->address, &tracked, parts, reply->view);
  return napi_ok;
}

static napi_status serve(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request, Nr__ViewReply *reply,
                         bool arraybuffer) {
  napi_value result = NULL;
  struct nr_parts parts;
  if (is_pending(d->napi)) return napi_pending_exception;
  struct external *external = take_parts(d, request, &parts) == NULL ? NULL : external_create(d, request, parts.shares);
  if (external == NULL) return napi_generic_failure;
  parts.window = external->window.bytes != NULL ? &external->window : NULL;
  if (parts.window != NULL)
    nr_external_mirror(d, request->address, &external->window, &parts);
  else if (request->address != 0)
    nr_external_copy(d, request->address, external->memory, &parts);
  else if (request->length > 0 && request->length < NR_SPARE_MAX) /* Node does not survive it in one process */
    memset(external->memory, 0, request->length);
  napi_status status = create(d, external, arraybuffer, &result);
  if (status != napi_ok) {
    if (!is_pending(d->napi)) { /* the real function calls the finalizer when it throws */
      nr_wrap_release(external->wrap);
      external_free(external);
    }
    return status;
  }
  return give(d, request, result, true, &parts, reply);
}

napi_status nr_serve_napi_create_external_buffer(struct nr_dispatch *d, const void *message, void *answer) {
  return serve(d, message, answer, false);
}

napi_status nr_serve_napi_create_external_arraybuffer(struct nr_dispatch *d, const void *message, void *answer) {
  return serve(d, message, answer, true);
}

napi_status nr_serve_node_api_create_external_sharedarraybuffer(struct nr_dispatch *d, const void *message,
                                                                void *answer) {
  const Nr__CreateExternalMemoryRequest *request = message;
  napi_value result = NULL;
  struct nr_parts parts;
  if (node_api_create_external_sharedarraybuffer == NULL)
    return nr_lacks(d, "node_api_create_external_sharedarraybuffer");
  /* V8 ends the process for bytes at NULL, and for more of them than there can be. */
  if (request->length > (request->address == 0 ? 0 : d->connection->agent->buffer_max)) return napi_invalid_arg;
  if (take_parts(d, request, &parts) == NULL) return napi_generic_failure;
  /* V8 never calls the deleter of bytes at NULL. */
  struct nr_shared *shared = request->address == 0 ? NULL : nr_shared_create(d, request->length, request->object_id);
  if (shared == NULL && request->address != 0) return napi_generic_failure;
  uint8_t *memory = shared == NULL ? NULL : nr_shared_bytes(shared);
  if (shared != NULL) nr_external_copy(d, request->address, memory, &parts);
  napi_status status = node_api_create_external_sharedarraybuffer(
      d->napi, memory, request->length, shared == NULL ? NULL : nr_shared_delete, shared, &result);
  if (status != napi_ok && shared != NULL) nr_shared_drop(shared);
  return status == napi_ok ? give(d, request, result, false, &parts, (Nr__ViewReply *)answer) : status;
}
