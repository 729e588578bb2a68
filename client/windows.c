/*
 * Windows: what native code changed goes over before JavaScript can look. Hot ones (the addon got to know them in an
 * entry that is still open) are compared every time; cold ones, whose address it may have kept, as wire/cold.h says.
 */
#include "client/windows.h"

#include <stdlib.h>

#include "client/channel.h"

/* Many Buffers share a pool, and what one showed is not looked for when the next one comes: so many at most. */
#define NR_COLD_OF_A_PAIR 64u
/* What looking at a window costs besides, as bytes. */
#define NR_COMPARISON 64u
/* Larger ones are tracked by the kernel where it can. */
#define NR_TRACKED_MIN (UINT64_C(128) << 10)
#define NR_TRACKED_RANGES 64
/* What the twins of all cold windows may take; windows beyond are hot or nothing. */
#define NR_COLD_BYTES_MAX (UINT64_C(256) << 20)

static struct nr_window *window_of(struct nr_cold_item *item) {
  return (struct nr_window *)item; /* its first member */
}

static bool shows(const struct nr_window *window, const struct nr_pair *pair, const Nr__View *view) {
  return window->pair == pair && window->offset == view->offset && window->length == view->length;
}

static void note(struct nr_window *window, uint64_t offset, const uint8_t *bytes, uint64_t length) {
  uint64_t from = offset > window->offset ? offset : window->offset;
  uint64_t to = offset + length < window->offset + window->length ? offset + length : window->offset + window->length;
  if (from < to) memcpy(window->twin + (from - window->offset), bytes + (from - offset), to - from);
}

void nr_windows_note(struct nr_channel *channel, const struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                     uint64_t length) {
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    if (window->pair == pair) note(window, offset, bytes, length);
  }
  for (struct nr_window *window = pair->cold; window != NULL; window = window->next)
    note(window, offset, bytes, length);
}

static void unlink_cold(struct nr_channel *channel, struct nr_window **link) {
  struct nr_window *window = *link;
  *link = window->next;
  nr_cold_remove(&channel->cold, &window->item);
  channel->cold_bytes -= window->length;
}

static void window_free(struct nr_channel *channel, struct nr_window *window) {
  if (window->tracked && window->pair != NULL) {
    nr_tracker_remove(channel->tracker, window->pair->block + window->offset, window->length);
    window->pair->tracked = false;
  }
  free(window);
}

/* Both sides may have written since the twin was taken (threads): of what comes over only the bytes that differ from it
 * are new. */
static void merge(struct nr_window *window, uint64_t offset, const uint8_t *bytes, uint64_t length) {
  uint8_t *block = window->pair->block + offset;
  const uint8_t *twin = window->twin + (offset - window->offset);
  if (memcmp(block, twin, length) == 0) {
    memcpy(block, bytes, length);
    return;
  }
  for (uint64_t i = 0; i < length; i++) {
    if (bytes[i] != twin[i]) block[i] = bytes[i];
  }
}

static bool covers(const struct nr_window *window, const struct nr_pair *pair, uint64_t offset, uint64_t length) {
  return window->pair == pair && offset >= window->offset && offset - window->offset <= window->length &&
         length <= window->length - (offset - window->offset);
}

bool nr_windows_merge(struct nr_channel *channel, struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                      uint64_t length) {
  struct nr_window *window = channel->windows;
  if (pair->ownership == NR_BLOCK_FOREIGN) return false;
  while (window != NULL && !covers(window, pair, offset, length)) window = window->next;
  if (window == NULL) {
    window = pair->cold;
    while (window != NULL && !covers(window, pair, offset, length)) window = window->next;
    if (window != NULL) nr_cold_keep(&channel->cold, &window->item);
  }
  if (window == NULL) return false;
  merge(window, offset, bytes, length);
  nr_windows_note(channel, pair, offset, bytes, length);
  return true;
}

/* Takes the cold window of this view out of its lists; NULL: there is none. */
static struct nr_window *warm(struct nr_channel *channel, struct nr_pair *pair, const Nr__View *view) {
  for (struct nr_window **link = &pair->cold; *link != NULL; link = &(*link)->next) {
    struct nr_window *window = *link;
    if (!shows(window, pair, view)) continue;
    unlink_cold(channel, link);
    return window;
  }
  return NULL;
}

/* Blocks of their own pages only: what else lies on a page would be tracked as well. */
static bool is_worth_tracking(const struct nr_channel *channel, const struct nr_window *window) {
  return channel->tracker != NULL && !window->pair->tracked && window->pair->ownership == NR_BLOCK_MAPPED &&
         window->length >= NR_TRACKED_MIN;
}

bool nr_window_heat(struct nr_channel *channel, struct nr_pair *pair, const Nr__View *view) {
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    if (shows(window, pair, view)) return true;
  }
  struct nr_window *window = warm(channel, pair, view);
  if (window == NULL) {
    window = malloc(sizeof *window + view->length);
    if (window == NULL) return false;
    *window = (struct nr_window){.pair = pair, .offset = view->offset, .length = view->length};
    window->tracked = is_worth_tracking(channel, window) &&
                      nr_tracker_add(channel->tracker, pair->block + view->offset, view->length) == 0;
    pair->tracked |= window->tracked;
    if (!nr_block_read(pair, view->offset, window->twin, view->length)) {
      window_free(channel, window);
      return false;
    }
  }
  window->pair_id = view->pair_id;
  window->next = channel->windows;
  channel->windows = window;
  return true;
}

/* What a comparison costs, as bytes. */
static uint32_t cost_of(const struct nr_window *window) {
  return NR_COMPARISON + (window->tracked ? (uint32_t)(4096 + window->length / 512) : (uint32_t)window->length);
}

/* The twins take memory that the addon does not know of: others go. One may be larger than all of them may be. */
static void make_room(struct nr_channel *channel, uint64_t length) {
  struct nr_cold_item *least;
  while (channel->cold_bytes + length > NR_COLD_BYTES_MAX && (least = nr_cold_least(&channel->cold)) != NULL) {
    struct nr_window *window = window_of(least);
    struct nr_window **link = &window->pair->cold;
    while (*link != window) link = &(*link)->next;
    unlink_cold(channel, link);
    window_free(channel, window);
  }
}

static void cool(struct nr_channel *channel, struct nr_window *window) {
  struct nr_pair *pair = window->pair;
  if (pair == NULL || (window->length > NR_COLD_WINDOW_MAX && !window->tracked)) {
    window_free(channel, window);
    return;
  }
  make_room(channel, window->length);
  window->next = pair->cold;
  pair->cold = window;
  channel->cold_bytes += window->length;
  nr_cold_add(&channel->cold, &window->item, cost_of(window));
  uint32_t count = 0;
  for (struct nr_window **link = &pair->cold; *link != NULL; link = &(*link)->next) {
    if (++count <= NR_COLD_OF_A_PAIR) continue;
    window = *link;
    unlink_cold(channel, link);
    window_free(channel, window);
    break;
  }
}

void nr_windows_forget(struct nr_channel *channel, struct nr_pair *pair) {
  while (pair->cold != NULL) {
    struct nr_window *window = pair->cold;
    unlink_cold(channel, &pair->cold);
    free(window); /* its memory is unmapped next, which ends the tracking as well */
  }
  /* The server releases a pair only when its ArrayBuffer is gone, and arguments keep theirs alive; a window can still
   * be left when the addon deleted the last handle inside this entry. */
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    if (window->pair == pair) window->pair = NULL; /* an outer entry may keep its place in the list */
  }
}

/* The smallest stretch of a range outside of which block and twin are equal, found in steps of a cache line. False:
 * they are equal. */
static bool changed_stretch(const struct nr_window *window, const uint8_t *now, struct nr_range *range) {
  const uint8_t *twin = window->twin;
  if (memcmp(now + range->from, twin + range->from, range->to - range->from) == 0) return false;
  while (range->from + NR_CACHE_LINE <= range->to &&
         memcmp(now + range->from, twin + range->from, NR_CACHE_LINE) == 0) {
    range->from += NR_CACHE_LINE;
  }
  while (now[range->from] == twin[range->from]) range->from++;
  while (range->to - range->from > NR_CACHE_LINE &&
         memcmp(now + range->to - NR_CACHE_LINE, twin + range->to - NR_CACHE_LINE, NR_CACHE_LINE) == 0) {
    range->to -= NR_CACHE_LINE;
  }
  while (now[range->to - 1] == twin[range->to - 1]) range->to--;
  return true;
}

/* In whose name what goes back. */
struct flush {
  struct nr_channel *channel;
  uint32_t env;
};

static bool send_patch(struct flush *flush, struct nr_window *window, const uint8_t *now, struct nr_range range) {
  if (!changed_stretch(window, now, &range)) return false;
  struct nr_channel *channel = flush->channel;
  uint64_t from = range.from;
  uint32_t length = (uint32_t)(range.to - range.from);
  struct nr_slice tail[2] = {{.data = now + from, .length = length}, {.data = window->twin + from, .length = length}};
  Nr__Patch patch = NR__PATCH__INIT;
  Nr__Patch *patches[1] = {&patch};
  patch.pair_id = window->pair_id;
  patch.offset = window->offset + from;
  patch.bytes = nr_span_make(0, length);
  patch.twin = nr_span_make(length, length);
  Nr__PatchMemoryRequest request = NR__PATCH_MEMORY_REQUEST__INIT;
  request.n_patches = 1;
  request.patches = patches;
  struct nr_frame_header header = {
      .env = flush->env, .opcode = NR_OP_PATCH_MEMORY, .depth = (uint16_t)channel->depth, .kind = NR_KIND_POST};
  if (nr_port_send(channel->port, &header, &request.base, tail, 2) < 0) nr_channel_lost(channel);
  /* Other windows may show the same bytes: they have gone over now, once. */
  nr_windows_note(channel, window->pair, window->offset + from, tail[0].data, length);
  return true;
}

static bool flush_tracked(struct flush *flush, struct nr_window *window) {
  struct nr_range ranges[NR_TRACKED_RANGES];
  const uint8_t *now = window->pair->block + window->offset;
  bool changed = false;
  int count = nr_tracker_scan(flush->channel->tracker, now, window->length, ranges, NR_TRACKED_RANGES);
  if (count < 0) { /* cannot be, but then it is compared */
    ranges[0] = (struct nr_range){0, window->length};
    count = 1;
  }
  for (int i = 0; i < count; i++) changed |= send_patch(flush, window, now, ranges[i]);
  return changed;
}

static bool flush_window(struct flush *flush, struct nr_window *window) {
  const struct nr_pair *pair = window->pair;
  const struct nr_range all = {0, window->length};
  if (pair == NULL) return false;
  if (window->tracked) return flush_tracked(flush, window);
  if (pair->ownership != NR_BLOCK_FOREIGN) return send_patch(flush, window, pair->block + window->offset, all);
  uint8_t *now = malloc(window->length);
  bool changed =
      now != NULL && nr_block_read(pair, window->offset, now, window->length) && send_patch(flush, window, now, all);
  free(now);
  return changed;
}

static bool flush_cold(struct nr_cold_item *item, void *context) {
  return flush_window(context, window_of(item));
}

void nr_memory_flush(struct nr_channel *channel, napi_env env) {
  /* Without an env of its own (a load inside an addon's call) any will do: pairs belong to the channel. */
  struct flush flush = {channel, env == NULL ? 1 : env->number};
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    flush_window(&flush, window);
  }
  if (!nr_cold_is_empty(&channel->cold)) nr_cold_visit(&channel->cold, flush_cold, &flush);
}

void nr_memory_leave(struct nr_channel *channel, napi_env env, struct nr_window *keep) {
  nr_memory_flush(channel, env);
  while (channel->windows != NULL && channel->windows != keep) {
    struct nr_window *window = channel->windows;
    channel->windows = window->next;
    cool(channel, window);
  }
}
