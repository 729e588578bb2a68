/*
 * The arena: a stack of chunks. Small pieces are cut from a chunk by moving a mark; what does not fit opens another
 * chunk on top, and a large piece is a mapping of its own, whose pages cost nothing before they are touched.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "wire/arena.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "wire/pages.h"

#if defined(__SANITIZE_ADDRESS__)
#define NR_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NR_ASAN 1
#endif
#endif
#ifdef NR_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(address, length) __asan_poison_memory_region(address, length)
#define UNPOISON(address, length) __asan_unpoison_memory_region(address, length)
#else
#define POISON(address, length) ((void)(address), (void)(length))
#define UNPOISON(address, length) ((void)(address), (void)(length))
#endif

#define CHUNK_SIZE ((size_t)64 << 10)
#define LARGE_SIZE ((size_t)1 << 20)
#define ALIGNMENT ((size_t)16)

struct chunk {
  struct chunk *below;
  size_t size; /* of the bytes behind this struct */
  size_t used;
  bool mapped;
  _Alignas(16) uint8_t bytes[];
};

struct nr_arena {
  struct chunk *top;
  struct chunk
      *spare; /* one chunk of CHUNK_SIZE is kept, or a frame at the edge of a chunk would pay malloc each time */
  size_t cap;
  size_t held; /* sizes of all chunks in the stack */
};

struct nr_arena *nr_arena_create(size_t cap) {
  struct nr_arena *arena = nr_pages_calloc(sizeof *arena);
  if (arena) arena->cap = cap;
  return arena;
}

static void chunk_free(struct chunk *chunk) {
  UNPOISON(chunk->bytes, chunk->size);
  if (chunk->mapped)
    munmap(chunk, sizeof *chunk + chunk->size);
  else
    free(chunk);
}

static void pop(struct nr_arena *arena) {
  struct chunk *chunk = arena->top;
  arena->top = chunk->below;
  arena->held -= chunk->size;
  if (!chunk->mapped && chunk->size == CHUNK_SIZE && !arena->spare) {
    POISON(chunk->bytes, chunk->size);
    arena->spare = chunk;
  } else {
    chunk_free(chunk);
  }
}

void nr_arena_trim(struct nr_arena *arena) {
  if (arena->spare) chunk_free(arena->spare);
  arena->spare = NULL;
}

void nr_arena_destroy(struct nr_arena *arena) {
  if (!arena) return;
  while (arena->top) pop(arena);
  if (arena->spare) chunk_free(arena->spare);
  free(arena);
}

static struct chunk *chunk_create(struct nr_arena *arena, size_t size) {
  struct chunk *chunk = arena->spare;
  if (chunk && size == CHUNK_SIZE) {
    arena->spare = NULL;
    return chunk;
  }
  bool mapped = size >= LARGE_SIZE;
  if (mapped) {
    chunk =
        mmap(NULL, sizeof *chunk + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (chunk == MAP_FAILED) return NULL;
  } else {
    chunk = size == CHUNK_SIZE ? nr_pages_malloc(sizeof *chunk + size) : malloc(sizeof *chunk + size);
    if (!chunk) return NULL;
  }
  chunk->size = size;
  chunk->mapped = mapped;
  return chunk;
}

/* Opens a chunk for at least `size` bytes (a multiple of ALIGNMENT). */
static struct chunk *push(struct nr_arena *arena, size_t size) {
  size_t left = arena->cap - arena->held;
  if (size > left) return NULL;
  if (size < CHUNK_SIZE) size = left < CHUNK_SIZE ? left & ~(ALIGNMENT - 1) : CHUNK_SIZE;
  struct chunk *chunk = chunk_create(arena, size);
  if (!chunk) return NULL;
  POISON(chunk->bytes, chunk->size);
  chunk->below = arena->top;
  chunk->used = 0;
  arena->top = chunk;
  arena->held += size;
  return chunk;
}

void *nr_arena_alloc(struct nr_arena *arena, size_t size) {
  if (size > SIZE_MAX - ALIGNMENT) return NULL;
  /* An empty piece too has an address of its own. */
  size_t rounded = size == 0 ? ALIGNMENT : (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
  struct chunk *chunk = arena->top;
  if (__builtin_expect(!chunk || rounded > chunk->size - chunk->used || rounded >= LARGE_SIZE, 0)) {
    chunk = push(arena, rounded);
    if (!chunk) return NULL;
  }
  void *piece = chunk->bytes + chunk->used;
  chunk->used += rounded;
  UNPOISON(piece, size);
  return piece;
}

struct nr_arena_mark nr_arena_mark(struct nr_arena *arena) {
  return (struct nr_arena_mark){arena->top, arena->top ? arena->top->used : 0};
}

void nr_arena_release(struct nr_arena *arena, struct nr_arena_mark mark) {
  while (arena->top && arena->top != mark.chunk) pop(arena);
  if (!arena->top) return;
  POISON(arena->top->bytes + mark.used, arena->top->used - mark.used);
  arena->top->used = mark.used;
}
