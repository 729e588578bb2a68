/*
 * Pairs: the ArrayBuffers of which the host has a half. What goes over and what comes back is in windows.c.
 *
 * An ArrayBuffer is known by the address of its bytes, which is unique among those that live; a weak reference tells
 * whether the one at that address is still the same. Only the window of a view is ever copied or written.
 */
#include "server/memory/hot.h"
#include "server/memory/memory.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/memory/exchange.h"

/* Where the bytes of a value are. */
struct place {
  napi_value buffer;
  uint8_t *bytes; /* of the whole ArrayBuffer; NULL: it has none */
  bool measured;  /* the two below are known */
  bool shared;    /* a SharedArrayBuffer's */
  size_t block_length;
  size_t offset;
  size_t length;
  uint32_t kind;
};

/* Its ArrayBuffer lives and has its bytes where they were: then it is the only one there. (Nothing here may mind an
 * exception that is pending, as napi_strict_equals() does.) `length`: what it has now. */
static bool is_same(napi_env napi, const struct nr_pair *pair, const struct place *place, size_t *length) {
  napi_value buffer = NULL;
  void *bytes = NULL;
  if (napi_get_reference_value(napi, pair->reference, &buffer) != napi_ok || buffer == NULL) return false;
  *length = place->offset + place->length;
  if (pair->shared) return true; /* never detached */
  return napi_get_arraybuffer_info(napi, buffer, &bytes, length) == napi_ok && bytes == pair->bytes;
}

/* Native code keeps the address of one that grows: its half gets room for that. What a pending exception keeps from
 * being asked has room for what is seen. */
static uint64_t room_of(const struct nr_connection *connection, napi_env napi, const struct place *place) {
  const struct nr_agent *agent = connection->agent;
  napi_value function, result;
  double room = 0;
  bool pending = true;
  if (agent->room_of == NULL || napi_is_exception_pending(napi, &pending) != napi_ok || pending ||
      napi_get_reference_value(agent->napi, agent->room_of, &function) != napi_ok ||
      !nr_ask_js(napi, NULL, function, 1, &place->buffer, &result))
    return place->block_length;
  napi_get_value_double(napi, result, &room);
  return room < (double)place->block_length ? place->block_length : (uint64_t)room;
}

/* The pair of what lies there, which is measured by it. */
static struct nr_pair *find_pair(struct nr_connection *connection, napi_env napi, struct place *place) {
  for (struct nr_pair *pair = nr_pair_index_first(connection->pair_index, place->bytes), *next; pair != NULL;
       pair = next) {
    size_t length = 0;
    next = pair->next;
    if (pair->bytes != place->bytes) continue;
    if (!is_same(napi, pair, place, &length)) {
      nr_pair_forget_dead(connection, pair); /* malloc gives the same places again and again */
      continue;
    }
    /* One that has grown since is another block for the host: its native address cannot stay where there is no room.
     * Shared memory of WebAssembly that has grown is another, longer object at the same place. */
    if (pair->length < length || length < place->offset + place->length) continue;
    place->block_length = length;
    place->shared = pair->shared;
    place->measured = true;
    return pair;
  }
  return NULL;
}

/* `address`: of the addon's own memory, when the host's half is that; otherwise 0. `born`: the block, when it is there
 * already; it stays the caller's when this fails. */
static struct nr_pair *make_pair(struct nr_connection *connection, napi_env napi, const struct place *place,
                                 uint64_t address, const struct nr_block *born) {
  nr_pairs_before_more(connection);
  struct nr_pair *pair = nr_pair_create(connection);
  if (pair == NULL) return NULL;
  if (born != NULL) pair->block = *born;
  pair->connection = connection;
  pair->bytes = place->bytes;
  pair->length = born != NULL || address != 0 ? place->block_length : room_of(connection, napi, place);
  pair->now = place->block_length;
  pair->shared = place->shared;
  pair->foreign = address != 0;
  pair->address = address;
  pair->hot = NR_NO_HOT;
  if (born == NULL && !(address != 0 ? nr_block_create_twin(connection->blocks, pair->length, &pair->block)
                                     : nr_block_create(connection->blocks, pair->length, &pair->block)))
    goto fail;
  pair->id = nr_table_add(connection->pairs, NR_SORT_PAIR, pair);
  if (pair->id == 0 || !nr_pair_watch(connection, pair, place->buffer)) goto fail;
  connection->foreign_count += pair->foreign;
  nr_pair_index_add(connection->pair_index, pair);
  return pair;
fail:
  if (pair->id != 0) nr_table_remove(connection->pairs, pair->id, NR_SORT_PAIR);
  if (born == NULL && pair->block.twin != NULL) nr_block_free(connection->blocks, &pair->block);
  nr_pair_free(connection, pair);
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

/* What is nearly always asked about is asked first: each question costs 10 to 20 ns, and a small Buffer is a call's
 * whole argument. */
static bool locate_view(napi_env napi, napi_value value, struct place *place) {
  napi_typedarray_type type = napi_uint8_array;
  size_t count = 0;
  uint8_t *view = NULL;
  if (napi_get_typedarray_info(napi, value, &type, &count, (void **)&view, &place->buffer, &place->offset) == napi_ok) {
    place->kind = (uint32_t)type;
    place->length = count * element_size(type);
  } else if (napi_get_dataview_info(napi, value, &place->length, (void **)&view, &place->buffer, &place->offset) ==
             napi_ok) {
    place->kind = NR_VIEW_DATAVIEW;
  } else {
    return false;
  }
  place->bytes = view == NULL ? NULL : view - place->offset;
  return true;
}

/* False: it is no view, and no buffer. */
static bool locate(napi_env napi, napi_value value, struct place *place) {
  bool is = false;
  memset(place, 0, sizeof *place);
  if (locate_view(napi, value, place)) return true;
  if (napi_get_arraybuffer_info(napi, value, (void **)&place->bytes, &place->block_length) != napi_ok) return false;
  place->kind = napi_is_arraybuffer(napi, value, &is) == napi_ok && is ? NR_VIEW_ARRAYBUFFER : NR_VIEW_SHARED;
  place->buffer = value;
  place->length = place->block_length;
  place->measured = true;
  return true;
}

/* How large the whole ArrayBuffer is. */
static void measure(napi_env napi, struct place *place) {
  void *bytes = NULL;
  if (place->measured) return;
  place->measured = true;
  if (napi_get_arraybuffer_info(napi, place->buffer, &bytes, &place->block_length) == napi_ok) {
    place->bytes = bytes;
    return;
  }
  /* A SharedArrayBuffer, which Node-API cannot ask for its length. It is never detached and never shrinks, so what
   * the view shows of it stays. */
  place->shared = true;
  place->block_length = place->offset + place->length;
}

/* Has it the bytes that it shows? (One that was shrunk may not.) */
static bool is_there(const struct place *place) {
  return place->bytes != NULL && place->offset <= place->block_length &&
         place->length <= place->block_length - place->offset;
}

/* Fills the view. False: no view. */
static bool describe(napi_env napi, napi_value value, Nr__View *view, struct place *place) {
  if (!locate(napi, value, place)) return false;
  view->kind = place->kind;
  view->offset = place->offset;
  view->length = place->length;
  return true;
}

/* Where it is, the host knows from the first time on. */
static void describe_pair(struct nr_pair *pair, Nr__View *view) {
  view->pair_id = pair->id;
  if (pair->told) return;
  pair->told = true;
  view->block_length = pair->length;
  view->place = pair->block.place + 1;
}

bool nr_memory_describe(struct nr_connection *connection, napi_env napi, napi_value value, bool held, uint64_t most,
                        Nr__View *view) {
  struct place place;
  if (!describe(napi, value, view, &place)) return false;
  if (place.length > most) return true;
  struct nr_pair *pair = place.bytes == NULL ? NULL : find_pair(connection, napi, &place);
  if (pair == NULL) measure(napi, &place);
  if (!is_there(&place)) return true;
  if (pair == NULL) pair = make_pair(connection, napi, &place, 0, NULL);
  if (pair == NULL) return true;
  describe_pair(pair, view);
  pair->now = place.block_length;
  view->shown = nr_window_show(connection, pair, place.bytes, place.offset, place.offset + place.length, held);
  return true;
}

/* The pair that the value's bytes have already. Leaves no handle. */
static struct nr_pair *pair_of(struct nr_connection *connection, napi_env napi, napi_value value) {
  struct place place;
  napi_handle_scope scope;
  if (nr_pair_index_count(connection->pair_index) == 0 || napi_open_handle_scope(napi, &scope) != napi_ok) return NULL;
  struct nr_pair *pair =
      locate(napi, value, &place) && place.bytes != NULL ? find_pair(connection, napi, &place) : NULL;
  napi_close_handle_scope(napi, scope);
  return pair;
}

bool nr_memory_hold(struct nr_connection *connection, napi_env napi, napi_value value, bool holds) {
  struct nr_pair *pair = pair_of(connection, napi, value);
  if (pair != NULL) nr_cold_hold(nr_cold_of(connection, pair), &pair->item, holds);
  if (pair != NULL && pair->item.holds == 0) nr_track_ease(connection, pair);
  return pair != NULL;
}

void nr_memory_warm(struct nr_connection *connection, napi_env napi, napi_value value) {
  struct nr_pair *pair = value == NULL || connection->entries == 0 ? NULL : pair_of(connection, napi, value);
  if (pair != NULL) nr_window_warm(connection, pair);
}

void nr_memory_give(struct nr_connection *connection, napi_env napi, const napi_value *values, size_t count) {
  napi_handle_scope scope;
  if (!nr_hot_are_many(connection) || napi_open_handle_scope(napi, &scope) != napi_ok) return;
  for (size_t i = 0; i < count; i++) {
    struct nr_pair *pair = pair_of(connection, napi, values[i]);
    if (pair == NULL) continue;
    for (uint32_t k = 0; k < pair->shown_count; k++) {
      uint64_t from = pair->shown[k].from, to = pair->shown[k].to;
      uint8_t *bytes = nr_pair_part(pair, from, &to);
      if (bytes != NULL) nr_window_touch(connection, pair, bytes, from, to);
    }
    nr_window_warm(connection, pair);
  }
  napi_close_handle_scope(napi, scope);
}

bool nr_memory_fits(const struct nr_connection *connection, uint64_t length) {
  uint64_t most = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);
  return length <= most && connection->made <= most - length;
}

/* Has the host map the memory. NULL: it cannot be. */
static struct nr_pair *make_born(struct nr_connection *connection, napi_env napi, const struct place *place,
                                 bool zeros) {
  struct nr_block block;
  struct nr_range inner;
  if (place->offset != 0 || place->length != place->block_length ||
      !nr_birth_share(connection, place->bytes, place->block_length, zeros, &block, &inner))
    return NULL;
  struct nr_pair *pair = make_pair(connection, napi, place, 0, &block);
  if (pair == NULL) { /* its pages stay where they are */
    nr_block_free(connection->blocks, &block);
    return NULL;
  }
  pair->born = inner;
  return pair;
}

bool nr_memory_describe_made(struct nr_connection *connection, napi_env napi, napi_value value, bool shareable,
                             bool zeros, Nr__View *view) {
  struct place place;
  if (!describe(napi, value, view, &place)) return false;
  measure(napi, &place);
  if (!is_there(&place)) return true;
  struct nr_pair *pair = shareable ? make_born(connection, napi, &place, zeros) : NULL;
  if (pair == NULL) {
    if (!zeros) memset(place.bytes, 0, place.block_length);
    pair = make_pair(connection, napi, &place, 0, NULL);
  }
  if (pair == NULL) return true;
  describe_pair(pair, view);
  pair->made = pair->length;
  connection->made += pair->made;
  view->shown = pair->born.to > 0 ? nr_window_known(connection, pair, place.bytes, 0, place.length)
                                  : nr_window_show(connection, pair, place.bytes, 0, place.length, false);
  return true;
}

/* The twin of a cell lies beside what JavaScript sees, that of a window is another window. */
static struct nr_pair *make_foreign(struct nr_connection *connection, napi_env napi, const struct place *place,
                                    bool owned, uint64_t address, struct nr_mirror_window *window) {
  struct nr_block lent;
  if (window == NULL && (!owned || !nr_cell_fits(place->length)))
    return make_pair(connection, napi, place, address, NULL);
  uint8_t *twin = window != NULL ? window->twin : nr_cell_twin(place->bytes, place->length);
  nr_block_lend(connection->blocks, twin, place->length, &lent);
  struct nr_pair *pair = make_pair(connection, napi, place, address, &lent);
  if (pair == NULL)
    nr_block_free(connection->blocks, &lent);
  else
    pair->window = window;
  return pair;
}

bool nr_memory_describe_foreign(struct nr_connection *connection, napi_env napi, napi_value value, bool owned,
                                uint64_t address, const struct nr_range *tracked, const struct nr_parts *parts,
                                Nr__View *view) {
  struct place place;
  if (!describe(napi, value, view, &place)) return false;
  measure(napi, &place);
  if (!is_there(&place) || address == 0) return true;
  struct nr_pair *pair = make_foreign(connection, napi, &place, owned, address, parts->window);
  if (pair == NULL) return true;
  describe_pair(pair, view);
  view->shown = true;
  pair->owned = owned;
  if (owned && !pair->shared && pair->length >= NR_SPARSE_MIN) nr_sparse_add(connection, pair);
  /* Other threads write to a SharedArrayBuffer while it is looked at. */
  if (tracked->to > tracked->from && !pair->shared) nr_track_foreign(connection, pair, tracked);
  nr_constant_set(pair, parts->ranges + parts->changing, parts->count - parts->changing);
  for (size_t i = 0; i < parts->changing; i++) {
    uint64_t from = parts->ranges[i].from, to = parts->ranges[i].to;
    if (pair->window == NULL) { /* those of the mirror are alike already, and made once */
      memcpy(pair->block.twin + from, place.bytes + from, to - from);
      pair->made += to - from;
      connection->made += to - from;
    }
    view->shown = view->shown && nr_window_known(connection, pair, place.bytes, from, to);
  }
  /* Now, while both sides are alike, not at the end of the entry: until then all of it would be compared at each call.
   */
  nr_track_own(connection, pair, place.bytes);
  return true;
}

void nr_memory_disown(struct nr_connection *connection, const void *bytes) {
  for (struct nr_pair *pair = nr_pair_index_first(connection->pair_index, bytes), *next; pair != NULL; pair = next) {
    next = pair->next;
    if (pair->bytes == bytes) nr_pair_drop(connection, pair);
  }
}

uint8_t *nr_pair_now(const struct nr_pair *pair, uint64_t *length) {
  napi_value buffer = NULL;
  void *bytes = NULL;
  size_t now = 0;
  *length = pair->length;
  if (pair->owned) return pair->bytes;
  if (napi_get_reference_value(pair->napi, pair->reference, &buffer) != napi_ok || buffer == NULL) return NULL;
  if (pair->shared) return pair->bytes;
  if (napi_get_arraybuffer_info(pair->napi, buffer, &bytes, &now) != napi_ok || bytes != pair->bytes) return NULL;
  *length = now;
  return bytes;
}

uint8_t *nr_pair_part(const struct nr_pair *pair, uint64_t from, uint64_t *to) {
  uint64_t now;
  uint8_t *bytes = nr_pair_now(pair, &now);
  if (*to > now && !pair->owned) *to = now;
  return from < *to || pair->owned ? bytes : NULL;
}

/* No reference is deleted: it may be a collection that lets go of the connection. */
void nr_memory_end(struct nr_connection *connection) {
  nr_pairs_drop(connection, false);
  free(connection->hot);
  free(connection->ahead);
  free(connection->sparse);
  nr_cells_end(&connection->cells);
  nr_mirror_end(&connection->mirror);
  if (connection->blocks != NULL) nr_blocks_destroy(connection->blocks);
  nr_pair_index_destroy(connection->pair_index);
}
