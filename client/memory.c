/*
 * Plain memory pairs: the bytes of an ArrayBuffer exist in both processes, here at an address that stays while the
 * object lives. A window is the part that a view shows; windows.c keeps them coherent.
 */
#include "client/windows.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "client/channel.h"

/* From here on blocks are mappings, whose untouched pages cost nothing: a small view on a large ArrayBuffer is common.
 */
#define NR_PAIR_MAPPED (128u << 10)

static struct nr_pair *pair_create(uint64_t length) {
  struct nr_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return NULL;
  pair->length = length;
  pair->ownership = length >= NR_PAIR_MAPPED ? NR_BLOCK_MAPPED : NR_BLOCK_ALLOCATED;
  if (pair->ownership == NR_BLOCK_MAPPED) {
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
  if (pair->ownership == NR_BLOCK_MAPPED) munmap(pair->block, pair->length);
  if (pair->ownership == NR_BLOCK_ALLOCATED) free(pair->block);
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
  nr_windows_forget(channel, pair);
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

bool nr_block_read(const struct nr_pair *pair, uint64_t offset, uint8_t *to, uint64_t length) {
  if (pair->ownership == NR_BLOCK_FOREIGN) return copy_foreign(to, pair->block + offset, length, true);
  memcpy(to, pair->block + offset, length);
  return true;
}

static void write_block(struct nr_pair *pair, uint64_t offset, const uint8_t *bytes, uint64_t length) {
  if (pair->ownership == NR_BLOCK_FOREIGN) {
    copy_foreign(pair->block + offset, bytes, length, false);
  } else {
    memcpy(pair->block + offset, bytes, length);
  }
}

static bool view_is_sound(const struct nr_pair *pair, const Nr__View *view) {
  return view->offset <= pair->length && view->length <= pair->length - view->offset;
}

/* The server's bytes are put in place. */
static void put_bytes(struct nr_channel *channel, struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                      uint64_t length) {
  write_block(pair, offset, bytes, length);
  nr_windows_note(channel, pair, offset, bytes, length);
}

void *nr_memory_view(struct nr_channel *channel, const Nr__View *view, const struct nr_frame *frame) {
  if (view->pair_id == 0) return NULL;
  struct nr_pair *pair = pair_get(channel, view);
  if (pair == NULL || !view_is_sound(pair, view)) return NULL;
  if (view->current) { /* the block has the bytes already */
    nr_window_heat(channel, pair, view);
    return pair->block + view->offset;
  }
  const uint8_t *bytes = frame == NULL ? NULL : nr_frame_bytes(frame, view->bytes);
  if (bytes != NULL && nr_span_length(view->bytes) == view->length) {
    put_bytes(channel, pair, view->offset, bytes, view->length);
    if (view->length > 0 && !nr_window_heat(channel, pair, view) && pair->ownership != NR_BLOCK_FOREIGN) return NULL;
  }
  return pair->block + view->offset;
}

void nr_memory_adopt(struct nr_channel *channel, const Nr__View *view, void *data, bool hot) {
  if (view == NULL || view->pair_id == 0 || data == NULL) return;
  struct nr_pair *pair = calloc(1, sizeof *pair);
  if (pair == NULL) return;
  *pair = (struct nr_pair){.block = data, .length = view->block_length, .ownership = NR_BLOCK_FOREIGN};
  if (!pair_adopt(channel, view->pair_id, pair)) {
    free(pair);
    return;
  }
  if (hot && view->length > 0) nr_window_heat(channel, pair, view);
}

void nr_memory_fill(struct nr_channel *channel, const Nr__FillRequest *request, const struct nr_frame *frame) {
  for (size_t i = 0; i < request->n_views; i++) {
    const Nr__View *view = request->views[i];
    struct nr_pair *pair = nr_table_get(channel->pairs, view->pair_id, NR_SORT_PAIR);
    const uint8_t *bytes = nr_frame_bytes(frame, view->bytes);
    if (pair == NULL || bytes == NULL || nr_span_length(view->bytes) != view->length || !view_is_sound(pair, view))
      continue;
    if (!nr_windows_merge(channel, pair, view->offset, bytes, view->length))
      put_bytes(channel, pair, view->offset, bytes, view->length);
  }
}
