/*
 * External buffers: real external buffers over memory of this side's, so that they are what they are in one process
 * (untransferable, counted as external, finalized when Node does), which holds a copy of the addon's.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "handlers.h"
#include "server/objects.h"

/* From here on a mapping, whose untouched pages cost nothing: the length may be nominal. */
#define NR_EXTERNAL_MAPPED (UINT64_C(128) << 10)

struct external {
  struct nr_wrap *wrap;
  void *memory;
  uint64_t length;
};

static void *memory_create(uint64_t length) {
  if (length < NR_EXTERNAL_MAPPED) return calloc(1, length + 1);
  void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

static void external_free(struct external *external) {
  if (external->memory == NULL || external->length < NR_EXTERNAL_MAPPED) {
    free(external->memory);
  } else {
    munmap(external->memory, external->length);
  }
  free(external);
}

/* Node calls this from its loop, after the collection, also for experimental addons. */
static void finalize(napi_env napi, void *data, void *hint) {
  struct external *external = hint;
  struct nr_wrap *wrap = external->wrap;
  (void)napi;
  (void)data;
  external_free(external);
  nr_wrap_enter(wrap);
}

static struct external *external_create(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request) {
  struct external *external = calloc(1, sizeof *external);
  if (external == NULL) return NULL;
  external->length = request->length;
  external->memory = memory_create(request->length);
  if (external->memory != NULL) external->wrap = nr_wrap_create(d, request->object_id, request->object_id != 0, false);
  if (external->wrap != NULL) return external;
  external_free(external);
  return NULL;
}

static napi_status put_pieces(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request, uint8_t *memory) {
  for (size_t i = 0; i < request->n_pieces; i++) {
    const Nr__Piece *piece = request->pieces[i];
    const char *bytes;
    size_t length;
    NR_TAKE_BYTES(d, piece->bytes, &bytes, &length);
    if (piece->offset > request->length || length > request->length - piece->offset)
      return nr_fault(d, "bytes outside of the buffer");
    if (length > 0) memcpy(memory + piece->offset, bytes, length);
  }
  return napi_ok;
}

static napi_status describe(struct nr_dispatch *d, napi_value value, Nr__View **result) {
  struct nr_describe describe = {.connection = d->connection, .napi = d->napi};
  Nr__View *view = nr_dispatch_alloc(d, sizeof *view);
  if (view == NULL) return napi_generic_failure;
  nr__view__init(view);
  if (!nr_memory_describe_known(&describe, value, view)) return napi_generic_failure;
  *result = view;
  return napi_ok;
}

/* Did the real function, which failed, call the finalizer? It does when it throws. */
static bool is_pending(napi_env napi) {
  bool pending = false;
  return napi_is_exception_pending(napi, &pending) == napi_ok && pending;
}

static napi_status serve(struct nr_dispatch *d, const Nr__CreateExternalMemoryRequest *request, Nr__ViewReply *reply,
                         bool arraybuffer) {
  napi_value result = NULL;
  struct external *external = external_create(d, request);
  if (external == NULL) return napi_generic_failure;
  napi_status status = put_pieces(d, request, external->memory);
  if (status == napi_ok) {
    status =
        arraybuffer
            ? napi_create_external_arraybuffer(d->napi, external->memory, request->length, finalize, external, &result)
            : napi_create_external_buffer(d->napi, request->length, external->memory, finalize, external, &result);
  }
  if (status != napi_ok) {
    if (d->fault || !is_pending(d->napi)) {
      nr_wrap_release(external->wrap);
      external_free(external);
    }
    return status;
  }
  NR_TRY(nr_give(d, request->result, result, &reply->result));
  return describe(d, result, &reply->view);
}

napi_status nr_serve_napi_create_external_buffer(struct nr_dispatch *d, const void *message, void *answer) {
  return serve(d, message, answer, false);
}

napi_status nr_serve_napi_create_external_arraybuffer(struct nr_dispatch *d, const void *message, void *answer) {
  return serve(d, message, answer, true);
}
