/*
 * Plain memory pairs: the bytes of an ArrayBuffer exist in both processes, here at an address that stays while the
 * object lives. A window (the part that a view shows) is hot while an entry lasts in which the addon got to know it:
 * what native code changed in it goes back before JavaScript can look.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/channel.h"
#include "client/client-private.h"

enum ownership { ALLOCATED, MAPPED, FOREIGN };

struct nr_pair {
  uint8_t *block;
  uint64_t length;
  enum ownership ownership; /* FOREIGN: an external buffer's, the addon's own */
};

struct nr_window {
  struct nr_window *next;
  struct nr_pair *pair;
  nr_id pair_id;
  uint64_t offset;
  uint64_t length;
  uint8_t twin[]; /* what the server has */
};

/* From here on blocks are mappings, whose untouched pages cost nothing: a small view on a large ArrayBuffer is common.
 */
#define NR_PAIR_MAPPED (128u << 10)

static struct nr_pair *pair_create(uint64_t length) {
  struct nr_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return NULL;
  pair->length = length;
  pair->ownership = length >= NR_PAIR_MAPPED ? MAPPED : ALLOCATED;
  if (pair->ownership == MAPPED) {
    pair->block = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pair->block == MAP_FAILED) pair->block = NULL;
  } else {
    pair->block = calloc(1, length > 0 ? length : 1);
  }
  if (pair->block == NULL) {
    free(pair);
    return NULL;
  }
  return pair;
}

static void pair_free(struct nr_pair *pair) {
  if (pair->ownership == MAPPED) munmap(pair->block, pair->length);
  if (pair->ownership == ALLOCATED) free(pair->block);
  free(pair);
}

/* The server may use a slot again before it has told that the pair which was there is gone. */
static bool pair_adopt(struct nr_channel *channel, nr_id pair_id, struct nr_pair *pair) {
  nr_id before = nr_table_tenant(channel->pairs, pair_id);
  if (before != 0) nr_memory_release(channel, before);
  return nr_table_adopt(channel->pairs, pair_id, NR_SORT_PAIR, pair) == 0;
}

static struct nr_pair *pair_get(struct nr_channel *channel, const Nr__View *view) {
  struct nr_pair *pair = nr_table_get(channel->pairs, view->pair_id, NR_SORT_PAIR);
  if (pair != NULL) return pair;
  pair = pair_create(view->block_length);
  if (pair == NULL || pair_adopt(channel, view->pair_id, pair)) return pair;
  pair_free(pair);
  return NULL;
}

void nr_memory_release(struct nr_channel *channel, nr_id pair_id) {
  struct nr_pair *pair = nr_table_remove(channel->pairs, pair_id, NR_SORT_PAIR);
  if (pair == NULL) return;
  /* The server releases a pair only when its ArrayBuffer is gone, and arguments keep theirs alive; a window can still
   * be left when the addon deleted the last handle inside this entry. */
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    if (window->pair == pair) window->pair = NULL; /* an outer entry may keep its place in the list */
  }
  pair_free(pair);
}

/* An addon may have taken the rights to its own memory away, even from itself (sodium_mprotect_noaccess()): asking the
 * kernel to copy gives an error where touching it would be the end. Where the kernel does not do this, it is touched.
 */
static bool copy_foreign(void *to, const void *from, uint64_t length, bool reads) {
  struct iovec own = {.iov_base = reads ? to : (void *)(uintptr_t)from, .iov_len = length};
  struct iovec foreign = {.iov_base = reads ? (void *)(uintptr_t)from : to, .iov_len = length};
  ssize_t copied = reads ? process_vm_readv(getpid(), &own, 1, &foreign, 1, 0)
                         : process_vm_writev(getpid(), &own, 1, &foreign, 1, 0);
  if (copied < 0 && (errno == ENOSYS || errno == EPERM)) {
    memcpy(to, from, length);
    return true;
  }
  return copied >= 0 && (uint64_t)copied == length;
}

static bool read_block(const struct nr_pair *pair, uint64_t offset, uint8_t *to, uint64_t length) {
  if (pair->ownership == FOREIGN) return copy_foreign(to, pair->block + offset, length, true);
  memcpy(to, pair->block + offset, length);
  return true;
}

static void write_block(struct nr_pair *pair, uint64_t offset, const uint8_t *bytes, uint64_t length) {
  if (pair->ownership == FOREIGN) {
    copy_foreign(pair->block + offset, bytes, length, false);
  } else {
    memcpy(pair->block + offset, bytes, length);
  }
}

static bool view_is_sound(const struct nr_pair *pair, const Nr__View *view) {
  return view->offset <= pair->length && view->length <= pair->length - view->offset;
}

/* The server has these bytes now: the twins of all windows that show them say so. */
static void put_twins(struct nr_channel *channel, const struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                      uint64_t length) {
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    if (window->pair != pair) continue;
    uint64_t from = offset > window->offset ? offset : window->offset;
    uint64_t to = offset + length < window->offset + window->length ? offset + length : window->offset + window->length;
    if (from < to) memcpy(window->twin + (from - window->offset), bytes + (from - offset), to - from);
  }
}

/* The server's bytes are put in place. */
static void put_bytes(struct nr_channel *channel, struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                      uint64_t length) {
  write_block(pair, offset, bytes, length);
  put_twins(channel, pair, offset, bytes, length);
}

static bool make_hot(struct nr_channel *channel, struct nr_pair *pair, const Nr__View *view) {
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    if (window->pair == pair && window->offset == view->offset && window->length == view->length) return true;
  }
  struct nr_window *window = malloc(sizeof *window + view->length);
  if (window == NULL) return false;
  window->pair = pair;
  window->pair_id = view->pair_id;
  window->offset = view->offset;
  window->length = view->length;
  if (!read_block(pair, view->offset, window->twin, view->length)) {
    free(window);
    return false;
  }
  window->next = channel->windows;
  channel->windows = window;
  return true;
}

void *nr_memory_view(struct nr_channel *channel, const Nr__View *view, const struct nr_frame *frame) {
  if (view->pair_id == 0) return NULL;
  struct nr_pair *pair = pair_get(channel, view);
  if (pair == NULL || !view_is_sound(pair, view)) return NULL;
  const uint8_t *bytes = frame == NULL ? NULL : nr_frame_bytes(frame, view->bytes);
  if (bytes != NULL && nr_span_length(view->bytes) == view->length) {
    put_bytes(channel, pair, view->offset, bytes, view->length);
    if (view->length > 0 && !make_hot(channel, pair, view) && pair->ownership != FOREIGN) return NULL;
  }
  return pair->block + view->offset;
}

void nr_memory_adopt(struct nr_channel *channel, const Nr__View *view, void *data, bool hot) {
  if (view == NULL || view->pair_id == 0 || data == NULL) return;
  struct nr_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return;
  *pair = (struct nr_pair){.block = data, .length = view->block_length, .ownership = FOREIGN};
  if (!pair_adopt(channel, view->pair_id, pair)) {
    free(pair);
    return;
  }
  if (hot && view->length > 0) make_hot(channel, pair, view);
}

void nr_memory_fill(struct nr_channel *channel, const Nr__FillRequest *request, const struct nr_frame *frame) {
  for (size_t i = 0; i < request->n_views; i++) {
    const Nr__View *view = request->views[i];
    struct nr_pair *pair = nr_table_get(channel->pairs, view->pair_id, NR_SORT_PAIR);
    const uint8_t *bytes = nr_frame_bytes(frame, view->bytes);
    if (pair == NULL || bytes == NULL || nr_span_length(view->bytes) != view->length || !view_is_sound(pair, view))
      continue;
    put_bytes(channel, pair, view->offset, bytes, view->length);
  }
}

/* The smallest stretch outside of which block and twin are equal, found in steps of a cache line. False: they are
 * equal. */
static bool changed_stretch(const struct nr_window *window, const uint8_t *now, uint64_t *from, uint64_t *to) {
  if (memcmp(now, window->twin, window->length) == 0) return false;
  uint64_t first = 0, last = window->length;
  while (first + NR_CACHE_LINE <= last && memcmp(now + first, window->twin + first, NR_CACHE_LINE) == 0)
    first += NR_CACHE_LINE;
  while (now[first] == window->twin[first]) first++;
  while (last - first > NR_CACHE_LINE &&
         memcmp(now + last - NR_CACHE_LINE, window->twin + last - NR_CACHE_LINE, NR_CACHE_LINE) == 0) {
    last -= NR_CACHE_LINE;
  }
  while (now[last - 1] == window->twin[last - 1]) last--;
  *from = first;
  *to = last;
  return true;
}

static void send_patch(struct nr_channel *channel, uint32_t env, struct nr_window *window, const uint8_t *now) {
  uint64_t from, to;
  if (!changed_stretch(window, now, &from, &to)) return;
  uint32_t length = (uint32_t)(to - from);
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
      .env = env, .opcode = NR_OP_PATCH_MEMORY, .depth = (uint16_t)channel->depth, .kind = NR_KIND_POST};
  if (nr_port_send(channel->port, &header, &request.base, tail, 2) < 0) nr_channel_lost(channel);
  /* Other windows may show the same bytes: they have gone over now, once. */
  put_twins(channel, window->pair, window->offset + from, tail[0].data, length);
}

static void flush_window(struct nr_channel *channel, uint32_t env, struct nr_window *window) {
  const struct nr_pair *pair = window->pair;
  if (pair == NULL) return;
  if (pair->ownership != FOREIGN) {
    send_patch(channel, env, window, pair->block + window->offset);
    return;
  }
  uint8_t *now = malloc(window->length);
  if (now != NULL && read_block(pair, window->offset, now, window->length)) send_patch(channel, env, window, now);
  free(now);
}

void nr_memory_flush(struct nr_channel *channel, napi_env env) {
  /* Without an env of its own (a load inside an addon's call) any will do: pairs belong to the channel. */
  uint32_t number = env == NULL ? 1 : env->number;
  for (struct nr_window *window = channel->windows; window != NULL; window = window->next) {
    flush_window(channel, number, window);
  }
}

void nr_memory_leave(struct nr_channel *channel, napi_env env, struct nr_window *keep) {
  nr_memory_flush(channel, env);
  while (channel->windows != NULL && channel->windows != keep) {
    struct nr_window *window = channel->windows;
    channel->windows = window->next;
    free(window);
  }
}
