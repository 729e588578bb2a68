/*
 * Plain memory pairs, the server's half: which ArrayBuffers the host has a copy of, what goes over, and what comes
 * back.
 *
 * An ArrayBuffer is known by the address of its bytes, which is unique among those that live; a weak reference tells
 * whether the one at that address is still the same. Only the window of a view is ever copied or written.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/memory.h"

struct nr_pair {
  nr_id id;
  void *bytes; /* the address that it is indexed by */
  uint64_t length;
  bool shared;                      /* a SharedArrayBuffer, of which this much is known */
  napi_ref reference;               /* weak, of the ArrayBuffer */
  napi_env napi;                    /* of the reference */
  struct nr_connection *connection; /* counted by the finalizer */
  struct nr_pair *next;             /* in its bucket */
};

#define NR_PAIR_BUCKETS 1024u

struct nr_pair_index {
  struct nr_pair *buckets[NR_PAIR_BUCKETS];
};

struct nr_pair_index *nr_pair_index_create(void) {
  return calloc(1, sizeof(struct nr_pair_index));
}

static struct nr_pair **bucket_of(struct nr_pair_index *index, const void *bytes) {
  uint64_t hash = ((uint64_t)(uintptr_t)bytes >> 4) * UINT64_C(0x9e3779b97f4a7c15);
  return &index->buckets[hash >> 54];
}

static void unlink_pair(struct nr_connection *connection, struct nr_pair *pair) {
  for (struct nr_pair **link = bucket_of(connection->pair_index, pair->bytes); *link != NULL; link = &(*link)->next) {
    if (*link != pair) continue;
    *link = pair->next;
    return;
  }
}

static void forget_pair(struct nr_connection *connection, struct nr_pair *pair) {
  unlink_pair(connection, pair);
  nr_table_remove(connection->pairs, pair->id, NR_SORT_PAIR);
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == pair) window->pair = NULL;
  }
  nr_release(connection, NR_RELEASED_PAIR, pair->id);
}

/* The ArrayBuffer was collected. A pair that took its place at the same address has a finalizer of its own. */
static void finalize_pair(napi_env napi, void *data, void *hint) {
  struct nr_pair *pair = data;
  (void)hint;
  napi_delete_reference(napi, pair->reference);
  forget_pair(pair->connection, pair);
  nr_connection_unref(pair->connection);
  free(pair);
}

/* Its ArrayBuffer lives and has its bytes where they were: then it is the only one there. (Nothing here may mind an
 * exception that is pending, as napi_strict_equals() does.) */
static bool is_same(napi_env napi, const struct nr_pair *pair) {
  napi_value buffer = NULL;
  void *bytes = NULL;
  if (napi_get_reference_value(napi, pair->reference, &buffer) != napi_ok || buffer == NULL) return false;
  if (pair->shared) return true; /* never detached */
  return napi_get_arraybuffer_info(napi, buffer, &bytes, NULL) == napi_ok && bytes == pair->bytes;
}

/* Where the bytes of a value are. False: it has none, or is no view at all. */
struct place {
  napi_value buffer;
  uint8_t *bytes; /* of the whole ArrayBuffer */
  uint8_t *view;  /* where the view begins, as Node-API says */
  bool shared;    /* a SharedArrayBuffer's */
  size_t block_length;
  size_t offset;
  size_t length;
  uint32_t kind;
};

static struct nr_pair *find_pair(struct nr_connection *connection, napi_env napi, const struct place *place) {
  for (struct nr_pair *pair = *bucket_of(connection->pair_index, place->bytes); pair != NULL; pair = pair->next) {
    /* One that has grown since is another block for the host: its native address cannot stay where there is no room. */
    if (pair->bytes == place->bytes && pair->length >= place->block_length && is_same(napi, pair)) return pair;
  }
  return NULL;
}

static struct nr_pair *make_pair(struct nr_connection *connection, napi_env napi, const struct place *place) {
  struct nr_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return NULL;
  pair->bytes = place->bytes;
  pair->length = place->block_length;
  pair->shared = place->shared;
  pair->napi = napi;
  pair->connection = connection;
  pair->id = nr_table_add(connection->pairs, NR_SORT_PAIR, pair);
  /* The finalizer's own reference: it may be deleted in the finalizer also when that runs inside a collection, which
   * Node does not survive for another reference to the same object. */
  if (pair->id == 0 || napi_add_finalizer(napi, place->buffer, pair, finalize_pair, NULL, &pair->reference) != napi_ok)
    goto fail;
  nr_connection_ref(connection);
  struct nr_pair **bucket = bucket_of(connection->pair_index, place->bytes);
  pair->next = *bucket;
  *bucket = pair;
  return pair;
fail:
  if (pair->id != 0) nr_table_remove(connection->pairs, pair->id, NR_SORT_PAIR);
  free(pair);
  return NULL;
}

static size_t element_size(napi_typedarray_type type) {
  switch (type) {
  case napi_int16_array:
  case napi_uint16_array:
  case napi_float16_array: return 2;
  case napi_int32_array:
  case napi_uint32_array:
  case napi_float32_array: return 4;
  case napi_float64_array:
  case napi_bigint64_array:
  case napi_biguint64_array: return 8;
  default: return 1;
  }
}

static bool locate_typedarray(napi_env napi, napi_value value, struct place *place) {
  napi_typedarray_type type = napi_uint8_array;
  size_t count = 0;
  if (napi_get_typedarray_info(napi, value, &type, &count, (void **)&place->view, &place->buffer, &place->offset) !=
      napi_ok)
    return false;
  place->kind = (uint32_t)type;
  place->length = count * element_size(type);
  return true;
}

static bool locate(napi_env napi, napi_value value, struct place *place) {
  bool is = false;
  memset(place, 0, sizeof *place);
  if (napi_is_typedarray(napi, value, &is) == napi_ok && is) {
    if (!locate_typedarray(napi, value, place)) return false;
  } else if (napi_get_arraybuffer_info(napi, value, NULL, NULL) == napi_ok) {
    place->kind = napi_is_arraybuffer(napi, value, &is) == napi_ok && is ? NR_VIEW_ARRAYBUFFER : NR_VIEW_SHARED;
    place->buffer = value;
  } else if (napi_is_dataview(napi, value, &is) == napi_ok && is) {
    place->kind = NR_VIEW_DATAVIEW;
    if (napi_get_dataview_info(napi, value, &place->length, (void **)&place->view, &place->buffer, &place->offset) !=
        napi_ok)
      return false;
  } else {
    return false;
  }
  if (napi_get_arraybuffer_info(napi, place->buffer, (void **)&place->bytes, &place->block_length) != napi_ok) {
    /* A SharedArrayBuffer, which Node-API cannot ask for its length. It is never detached and never shrinks, so what
     * the view shows of it stays. */
    place->shared = true;
    place->bytes = place->view == NULL ? NULL : place->view - place->offset;
    place->block_length = place->offset + place->length;
  }
  if (place->buffer == value) place->length = place->block_length;
  return true;
}

static void make_hot(struct nr_connection *connection, struct nr_pair *pair, const struct place *place) {
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == pair && window->offset == place->offset && window->length == place->length) return;
  }
  struct nr_window *window = malloc(sizeof *window);
  if (window == NULL) return;
  *window = (struct nr_window){
      .next = connection->windows, .pair = pair, .offset = place->offset, .length = place->length, .twin = NULL};
  connection->windows = window;
}

/* Fills the view; `place` says where its bytes are, `pair` stays NULL when there are none. False: no view. */
static bool describe(struct nr_describe *describe, napi_value value, Nr__View *view, struct place *place,
                     struct nr_pair **pair) {
  *pair = NULL;
  if (!locate(describe->napi, value, place)) return false;
  view->kind = place->kind;
  view->block_length = place->block_length;
  view->offset = place->offset;
  view->length = place->length;
  view->bytes = NR_SPAN_NULL;
  if (place->bytes == NULL || place->offset > place->block_length ||
      place->length > place->block_length - place->offset)
    return true;
  *pair = find_pair(describe->connection, describe->napi, place);
  if (*pair == NULL) *pair = make_pair(describe->connection, describe->napi, place);
  if (*pair == NULL) return true;
  view->pair_id = (*pair)->id;
  view->block_length = (*pair)->length;
  return true;
}

bool nr_memory_describe(struct nr_describe *to, napi_value value, bool bytes, Nr__View *view) {
  struct place place;
  struct nr_pair *pair;
  if (!describe(to, value, view, &place, &pair)) return false;
  if (pair == NULL || !bytes) return true;
  view->bytes = nr_describe_bytes(to, place.bytes + place.offset, place.length);
  if (view->bytes != NR_SPAN_NULL && place.length > 0) make_hot(to->connection, pair, &place);
  return true;
}

bool nr_memory_describe_known(struct nr_describe *to, napi_value value, Nr__View *view) {
  struct place place;
  struct nr_pair *pair;
  if (!describe(to, value, view, &place, &pair)) return false;
  if (pair != NULL && place.length > 0) make_hot(to->connection, pair, &place);
  return true;
}

/* The bytes of a pair's ArrayBuffer now; NULL when it is gone, detached, or shorter than the window. */
static uint8_t *bytes_of(napi_env napi, const struct nr_pair *pair, uint64_t offset, uint64_t length) {
  napi_value buffer = NULL;
  void *bytes = NULL;
  size_t now = 0;
  if (pair == NULL || napi_get_reference_value(napi, pair->reference, &buffer) != napi_ok || buffer == NULL)
    return NULL;
  if (pair->shared) {
    bytes = pair->bytes;
    now = pair->length;
  } else if (napi_get_arraybuffer_info(napi, buffer, &bytes, &now) != napi_ok || bytes == NULL) {
    return NULL;
  }
  if (offset > now || length > now - offset) return NULL;
  return (uint8_t *)bytes + offset;
}

void nr_memory_snapshot(struct nr_connection *connection) {
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == NULL) continue;
    uint8_t *bytes = bytes_of(window->pair->napi, window->pair, window->offset, window->length);
    if (bytes == NULL) continue;
    if (window->twin == NULL) window->twin = malloc(window->length);
    if (window->twin != NULL) memcpy(window->twin, bytes, window->length);
  }
}

static void refresh_window(struct nr_connection *connection, struct nr_window *window) {
  uint8_t *bytes = bytes_of(window->pair->napi, window->pair, window->offset, window->length);
  if (bytes == NULL || memcmp(bytes, window->twin, window->length) == 0) return;
  memcpy(window->twin, bytes, window->length);
  Nr__View view = NR__VIEW__INIT;
  Nr__View *views[1] = {&view};
  Nr__FillRequest request = NR__FILL_REQUEST__INIT;
  view.pair_id = window->pair->id;
  view.block_length = window->pair->length;
  view.offset = window->offset;
  view.length = window->length;
  view.bytes = nr_span_make(0, (uint32_t)window->length);
  request.n_views = 1;
  request.views = views;
  struct nr_frame_header header = {.opcode = NR_OP_FILL, .depth = (uint16_t)connection->depth, .kind = NR_KIND_POST};
  struct nr_slice tail = {.data = bytes, .length = window->length};
  nr_port_send(connection->port, &header, &request.base, &tail, 1);
}

void nr_memory_refresh(struct nr_connection *connection) {
  for (struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair != NULL && window->twin != NULL) refresh_window(connection, window);
  }
}

void nr_memory_leave(struct nr_connection *connection, struct nr_window *keep) {
  while (connection->windows != NULL && connection->windows != keep) {
    struct nr_window *window = connection->windows;
    connection->windows = window->next;
    free(window->twin);
    free(window);
  }
}

/* Only what a view showed may be written: beside it lie other Buffers of the same pool. */
static bool is_hot(const struct nr_connection *connection, const struct nr_pair *pair, uint64_t offset,
                   uint64_t length) {
  for (const struct nr_window *window = connection->windows; window != NULL; window = window->next) {
    if (window->pair == pair && offset >= window->offset && offset - window->offset <= window->length &&
        length <= window->length - (offset - window->offset)) {
      return true;
    }
  }
  return false;
}

static napi_status apply_patch(struct nr_dispatch *dispatch, const Nr__Patch *patch) {
  const uint8_t *now = nr_frame_bytes(dispatch->frame, patch->bytes);
  const uint8_t *twin = nr_frame_bytes(dispatch->frame, patch->twin);
  uint32_t length = nr_span_length(patch->bytes);
  if (now == NULL || twin == NULL || nr_span_length(patch->twin) != length)
    return nr_fault(dispatch, "a patch without bytes");
  struct nr_pair *pair = nr_table_get(dispatch->connection->pairs, patch->pair_id, NR_SORT_PAIR);
  if (pair == NULL || !is_hot(dispatch->connection, pair, patch->offset, length)) return napi_ok;
  uint8_t *bytes = bytes_of(dispatch->napi, pair, patch->offset, length);
  if (bytes == NULL)
    return napi_ok; /* detached or collected meanwhile: in one process, too, the write would have gone nowhere */
  for (uint32_t i = 0; i < length; i++) {
    if (now[i] != twin[i]) bytes[i] = now[i];
  }
  return napi_ok;
}

napi_status nr_serve_patch_memory(struct nr_dispatch *dispatch, const void *message, void *answer) {
  const Nr__PatchMemoryRequest *request = message;
  (void)answer;
  for (size_t i = 0; i < request->n_patches; i++) NR_TRY(apply_patch(dispatch, request->patches[i]));
  return napi_ok;
}

/* Pairs count their connection, so none is left here. */
void nr_memory_end(struct nr_connection *connection) {
  nr_memory_leave(connection, NULL);
  free(connection->pair_index);
}
