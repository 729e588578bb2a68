/*
 * Pairs: the bytes of an ArrayBuffer exist in both processes, here at an address that stays while the object lives. Our
 * half lies in memory that the server shares with us (server/memory/blocks.h), and the server alone copies; an external
 * buffer's is the addon's own.
 */
#include "client/memory/memory.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/channel.h"
#include "client/memory/beside.h"
#include "wire/watched.h"

/* A part of the shared memory, as it is mapped here. */
struct nr_extent {
  uint64_t place;
  uint64_t length;
  uint8_t *memory; /* NULL: it could not be mapped, and what lies there has no address */
};

static void extent_remove(struct nr_channel *channel, uint64_t place) {
  for (uint32_t i = 0; i < channel->extent_count; i++) {
    struct nr_extent *extent = &channel->extents[i];
    if (extent->place != place) continue;
    if (extent->memory != NULL && channel->watched != NULL) nr_watched_no_field(channel->watched, extent->memory);
    if (extent->memory != NULL) munmap(extent->memory, extent->length);
    memmove(extent, extent + 1, (--channel->extent_count - i) * sizeof *extent);
    return;
  }
}

void nr_memory_map(struct nr_channel *channel, const Nr__MapMemoryRequest *request) {
  if (request->gone) {
    extent_remove(channel, request->place);
    return;
  }
  if (channel->extent_count == channel->extent_room) {
    uint32_t room = channel->extent_room == 0 ? 16 : channel->extent_room * 2;
    struct nr_extent *extents = realloc(channel->extents, room * sizeof *extents);
    if (extents == NULL) return;
    channel->extents = extents;
    channel->extent_room = room;
  }
  void *memory = mmap(NULL, request->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, channel->memory,
                      (off_t)request->place);
  if (memory != MAP_FAILED && channel->watched != NULL) nr_watched_field(channel->watched, memory, request->length);
  /* Places only grow: the list stays sorted. */
  channel->extents[channel->extent_count++] = (struct nr_extent){
      .place = request->place, .length = request->length, .memory = memory == MAP_FAILED ? NULL : memory};
}

/* The address of a block; NULL: it is not mapped. */
static uint8_t *address_of(const struct nr_channel *channel, uint64_t place, uint64_t length) {
  uint32_t low = 0, high = channel->extent_count;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    const struct nr_extent *extent = &channel->extents[middle];
    if (place < extent->place) {
      high = middle;
    } else if (place - extent->place >= extent->length) {
      low = middle + 1;
    } else {
      uint64_t offset = place - extent->place;
      return extent->memory == NULL || length > extent->length - offset ? NULL : extent->memory + offset;
    }
  }
  return NULL;
}

/* The server may use a slot again before it has told that the pair which was there is gone. */
static bool pair_enter(struct nr_channel *channel, nr_id pair_id, struct nr_pair *pair) {
  nr_id before = nr_table_tenant(channel->pairs, pair_id);
  if (before != 0) nr_memory_release(channel, before);
  pair->id = pair_id;
  return nr_table_adopt(channel->pairs, pair_id, NR_SORT_PAIR, pair) == 0;
}

static struct nr_pair *pair_add(struct nr_channel *channel, nr_id pair_id, uint8_t *block, uint64_t length) {
  struct nr_pair *pair = block == NULL ? NULL : calloc(1, sizeof *pair);
  if (pair == NULL) return NULL;
  *pair = (struct nr_pair){.block = block, .length = length};
  if (pair_enter(channel, pair_id, pair)) return pair;
  free(pair);
  return NULL;
}

struct nr_pair *nr_pair_get(struct nr_channel *channel, nr_id pair_id, uint64_t place, uint64_t length) {
  struct nr_pair *pair = nr_table_get(channel->pairs, pair_id, NR_SORT_PAIR);
  if (pair != NULL || place == 0) return pair;
  return pair_add(channel, pair_id, address_of(channel, place - 1, length), length);
}

void nr_memory_drop(struct nr_channel *channel, struct nr_pair *pair) {
  nr_pair_untrack(channel, pair);
  nr_sparse_destroy(pair->sparse);
  free(pair);
}

void nr_memory_release(struct nr_channel *channel, nr_id pair_id) {
  struct nr_pair *pair = nr_table_remove(channel->pairs, pair_id, NR_SORT_PAIR);
  if (pair != NULL) nr_memory_drop(channel, pair);
}

static void end_pair(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)kind;
  nr_memory_drop(context, item);
}

void nr_memory_end(struct nr_channel *channel) {
  nr_table_each(channel->pairs, end_pair, channel);
  nr_table_destroy(channel->pairs);
  if (channel->watched != NULL) nr_watched_destroy(channel->watched);
  nr_beside_destroy(channel->beside);
  nr_presence_destroy(channel->presence);
  if (channel->tracker != NULL) nr_tracker_destroy(channel->tracker);
  for (uint32_t i = 0; i < channel->extent_count; i++) {
    if (channel->extents[i].memory != NULL) munmap(channel->extents[i].memory, channel->extents[i].length);
  }
  free(channel->extents);
  free(channel->hot);
  close(channel->memory);
}

void *nr_memory_view(struct nr_channel *channel, const Nr__View *view) {
  if (view->pair_id == 0) return NULL;
  struct nr_pair *pair = nr_pair_get(channel, view->pair_id, view->place, view->block_length);
  if (pair == NULL || view->offset > pair->length || view->length > pair->length - view->offset) return NULL;
  if (pair->tracked.to > 0) nr_pair_heat(channel, pair);
  return pair->block + view->offset;
}

struct nr_pair *nr_memory_foreign(napi_env env, void *data, uint64_t length, struct nr_range part, bool sparse,
                                  bool own) {
  struct nr_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return NULL;
  *pair = (struct nr_pair){.block = data, .length = length, .foreign = true};
  if (data != NULL) nr_pair_watch(env, pair, part, sparse, own);
  return pair;
}

void nr_memory_adopt(struct nr_channel *channel, const Nr__View *view, struct nr_pair *pair,
                     Nr__Stretch *const *stretches, size_t count) {
  if (view == NULL || view->pair_id == 0 || !pair_enter(channel, view->pair_id, pair)) {
    nr_memory_drop(channel, pair);
    return;
  }
  if (count > 0) nr_pair_sparse(channel, pair, stretches, count);
  if (pair->tracked.to > 0) nr_pair_settle(channel, pair);
}
