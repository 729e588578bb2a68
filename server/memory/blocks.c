#include "server/memory/blocks.h"
#include "server/memory/mappings.h"
#include "wire/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Blocks up to here share extents. */
#define NR_SMALL_MAX (UINT64_C(256) << 10)
#define NR_SMALL_EXTENT (UINT64_C(4) << 20)
/* A block begins on a cache line: two threads of the host do not meet on it. */
#define NR_GRAIN UINT64_C(64)
/* Sizes in steps of a quarter of a power of two: 64, 128, ... 256, 320, 384, 448, 512, 640, ... */
#define NR_CLASSES 44u
/* Larger ones may be wanted for little of them. */
#define NR_POPULATED (UINT64_C(16) << 20)
/* What the free extents of large blocks may keep, and those of small ones. */
#define NR_FREE_MAX (UINT64_C(64) << 20)

/* So much at least is looked for in the list of the process' mappings at a time: reading that takes a millisecond. */
#define NR_LIMBO_MIN (UINT64_C(32) << 20)

struct nr_extent {
  struct nr_extent *next, *previous; /* small: with room, of its class; large: free */
  uint64_t place;
  uint64_t length;
  uint8_t *memory;
  uint8_t *twin;
  uint64_t block_size;
  uint32_t class; /* NR_CLASSES: a large one */
  uint32_t used;  /* blocks */
  uint32_t begun; /* blocks that have been in use at some time: from the front */
  uint32_t free;  /* the first free one of those + 1; their twins hold the next; 0: none */
};

struct nr_blocks {
  int memfd;
  uint64_t live;                           /* bytes of all blocks */
  uint64_t end;                            /* of the file */
  struct nr_extent *with_room[NR_CLASSES]; /* each with at least one block to give */
  struct nr_extent *free_large;            /* newest first */
  struct nr_extent *doomed;                /* to go when the host can be told */
  struct nr_extent *limbo;                 /* free, but perhaps still mapped by a Buffer that outlived its pair */
  uint64_t limbo_bytes;
  uint64_t limbo_patience; /* bytes until it is worth while to look */
  struct nr_spares spares;
  uint64_t free_bytes;
  uint64_t empty_bytes; /* of extents of small blocks without any */
  nr_extent_told *tell;
  void *context;
};

int nr_blocks_memfd(void) {
  int memfd = memfd_create("napi-remote-bytes", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (memfd < 0) return -errno;
  if (fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL) == 0) return memfd;
  int error = -errno;
  close(memfd);
  return error;
}

struct nr_blocks *nr_blocks_create(int memfd, nr_extent_told *tell, void *context) {
  struct nr_blocks *blocks = calloc(1, sizeof *blocks);
  if (blocks == NULL) {
    close(memfd);
    return NULL;
  }
  *blocks = (struct nr_blocks){.memfd = memfd, .tell = tell, .context = context, .limbo_patience = NR_LIMBO_MIN};
  return blocks;
}

/* The class of a size, and the size of its blocks. */
static uint32_t class_of(uint64_t length, uint64_t *block_size) {
  uint64_t grains = length <= NR_GRAIN ? 1 : (length + NR_GRAIN - 1) / NR_GRAIN;
  if (grains <= 4) {
    *block_size = grains * NR_GRAIN;
    return (uint32_t)grains - 1;
  }
  uint32_t power = 63 - (uint32_t)__builtin_clzll(grains - 1); /* 2^power < grains <= 2^(power + 1) */
  uint64_t step = (UINT64_C(1) << power) / 4;
  uint64_t steps = (grains - (UINT64_C(1) << power) + step - 1) / step; /* 1 to 4 */
  *block_size = ((UINT64_C(1) << power) + steps * step) * NR_GRAIN;
  return 4 + (power - 2) * 4 + (uint32_t)steps - 1;
}

static uint8_t *map(uint64_t length, int flags, int fd, uint64_t place) {
  uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, fd, (off_t)place);
  return memory == MAP_FAILED ? NULL : memory;
}

static void extent_unmap(struct nr_extent *extent) {
  if (extent->memory != NULL) munmap(extent->memory, extent->length);
  if (extent->twin != NULL) munmap(extent->twin, extent->length);
  free(extent);
}

static struct nr_extent *extent_create(struct nr_blocks *blocks, uint64_t length) {
  struct nr_extent *extent = calloc(1, sizeof *extent);
  if (extent == NULL) return NULL;
  extent->place = blocks->end;
  extent->length = length;
  if (ftruncate(blocks->memfd, (off_t)(blocks->end + length)) == 0) {
    extent->memory = map(length, MAP_SHARED, blocks->memfd, extent->place);
    extent->twin = map(length, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (extent->memory == NULL || extent->twin == NULL) {
    extent_unmap(extent);
    return NULL;
  }
  blocks->end += length;
  blocks->tell(blocks->context, extent->place, length, true);
  return extent;
}

static void link_first(struct nr_extent **head, struct nr_extent *extent) {
  extent->previous = NULL;
  extent->next = *head;
  if (*head != NULL) (*head)->previous = extent;
  *head = extent;
}

static void unlink_extent(struct nr_extent **head, struct nr_extent *extent) {
  if (extent->next != NULL) extent->next->previous = extent->previous;
  if (extent->previous != NULL) {
    extent->previous->next = extent->next;
  } else {
    *head = extent->next;
  }
  extent->next = extent->previous = NULL;
}

/* Not at once: it may be a collection that frees the last block, and nothing is sent from there. */
static void doom(struct nr_blocks *blocks, struct nr_extent *extent) {
  link_first(&blocks->doomed, extent);
}

static uint64_t per_extent(const struct nr_extent *extent) {
  return extent->length / extent->block_size;
}

static bool has_room(const struct nr_extent *extent) {
  return extent->free != 0 || extent->begun < per_extent(extent);
}

static void set_block(struct nr_blocks *blocks, struct nr_block *block, struct nr_extent *extent, uint64_t offset) {
  blocks->live += extent->block_size;
  *block = (struct nr_block){.memory = extent->memory + offset,
                             .twin = extent->twin + offset,
                             .place = extent->place + offset,
                             .size = extent->block_size,
                             .extent = extent};
}

static bool create_small(struct nr_blocks *blocks, uint32_t class, uint64_t block_size, struct nr_block *block) {
  struct nr_extent *extent = blocks->with_room[class];
  bool is_new = extent == NULL;
  if (is_new) {
    extent = extent_create(blocks, NR_SMALL_EXTENT);
    if (extent == NULL) return false;
    /* A huge page for the first small block would be memory for nothing. */
    madvise(extent->twin, extent->length, MADV_NOHUGEPAGE);
    extent->class = class;
    extent->block_size = block_size;
    link_first(&blocks->with_room[class], extent);
  }
  uint32_t index = extent->begun;
  if (extent->free != 0) {
    index = extent->free - 1;
    memcpy(&extent->free, extent->twin + index * block_size, sizeof extent->free);
  } else {
    extent->begun++;
  }
  if (extent->used++ == 0 && !is_new) blocks->empty_bytes -= extent->length;
  if (!has_room(extent)) unlink_extent(&blocks->with_room[class], extent);
  set_block(blocks, block, extent, index * block_size);
  return true;
}

static bool is_retired(const struct nr_blocks *blocks) {
  return blocks->memfd < 0;
}

static void free_small(struct nr_blocks *blocks, struct nr_extent *extent, const struct nr_block *block) {
  bool had_room = has_room(extent);
  uint64_t offset = block->place - extent->place;
  memcpy(extent->twin + offset, &extent->free, sizeof extent->free);
  extent->free = (uint32_t)(offset / extent->block_size) + 1;
  extent->used--;
  if (!had_room) link_first(&blocks->with_room[extent->class], extent);
  if (extent->used > 0) return;
  if (is_retired(blocks)) {
    unlink_extent(&blocks->with_room[extent->class], extent);
    extent_unmap(extent);
    return;
  }
  blocks->empty_bytes += extent->length;
  /* One of a class is kept: a program that makes one Buffer after the other comes by here each time. */
  if (blocks->empty_bytes <= NR_FREE_MAX || (extent->next == NULL && extent->previous == NULL)) return;
  blocks->empty_bytes -= extent->length;
  unlink_extent(&blocks->with_room[extent->class], extent);
  doom(blocks, extent);
}

static void drop_free(struct nr_blocks *blocks, struct nr_extent *extent) {
  unlink_extent(&blocks->free_large, extent);
  blocks->free_bytes -= extent->length;
  doom(blocks, extent);
}

static bool create_large(struct nr_blocks *blocks, uint64_t block_size, struct nr_block *block) {
  struct nr_extent *extent = blocks->free_large;
  while (extent != NULL && extent->length != block_size) extent = extent->next;
  bool fresh = extent == NULL;
  if (!fresh) {
    unlink_extent(&blocks->free_large, extent);
    blocks->free_bytes -= extent->length;
  } else {
    extent = extent_create(blocks, block_size);
    if (extent == NULL) return false;
    extent->class = NR_CLASSES;
    extent->block_size = block_size;
  }
  set_block(blocks, block, extent, 0);
  block->fresh = fresh;
  return true;
}

static void free_large(struct nr_blocks *blocks, struct nr_extent *extent) {
  if (is_retired(blocks)) {
    extent_unmap(extent);
    return;
  }
  link_first(&blocks->free_large, extent);
  blocks->free_bytes += extent->length;
  while (blocks->free_bytes > NR_FREE_MAX) {
    struct nr_extent *oldest = blocks->free_large;
    while (oldest->next != NULL) oldest = oldest->next;
    drop_free(blocks, oldest);
  }
}

bool nr_block_create(struct nr_blocks *blocks, uint64_t length, struct nr_block *block) {
  uint64_t block_size;
  *block = (struct nr_block){.memory = NULL};
  if (length > INT64_MAX / 4) return false;
  uint32_t class = class_of(length, &block_size);
  if (block_size <= NR_SMALL_MAX) return create_small(blocks, class, block_size, block);
  return create_large(blocks, (block_size + NR_PAGE - 1) / NR_PAGE * NR_PAGE, block);
}

bool nr_block_create_twin(struct nr_blocks *blocks, uint64_t length, struct nr_block *block) {
  *block = (struct nr_block){.size = length, .twin = nr_spare_create(blocks, length)};
  if (block->twin != NULL) blocks->live += length;
  return block->twin != NULL;
}

void nr_block_lend(struct nr_blocks *blocks, uint8_t *twin, uint64_t length, struct nr_block *block) {
  *block = (struct nr_block){.size = length, .twin = twin, .lent = true};
  blocks->live += length;
}

/* ---- memory that a Buffer maps as well -----------------------------------------------------------------------------
 */

bool nr_block_create_born(struct nr_blocks *blocks, uint64_t length, uint64_t offset, struct nr_block *block) {
  uint64_t size;
  class_of(length + offset, &size);
  if (!create_large(blocks, (size + NR_PAGE - 1) / NR_PAGE * NR_PAGE, block)) return false;
  block->born = true;
  block->memory += offset;
  block->twin += offset;
  block->place += offset;
  return true;
}

bool nr_block_map(struct nr_blocks *blocks, const struct nr_block *block, uint8_t *bytes, uint64_t from, uint64_t to) {
  int flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE | (to - from <= NR_POPULATED ? MAP_POPULATE : 0);
  return mmap(bytes + from, to - from, PROT_READ | PROT_WRITE, flags, blocks->memfd, (off_t)(block->place + from)) !=
         MAP_FAILED;
}

/* Marks the extents in limbo that this mapping of the memfd belongs to, unless it is our own of it. */
static void mark_mapped(uint64_t address, uint64_t place, uint64_t length, void *context) {
  const struct nr_blocks *blocks = context;
  for (struct nr_extent *extent = blocks->limbo; extent != NULL; extent = extent->next) {
    if (place >= extent->place + extent->length || place + length <= extent->place) continue;
    uint64_t own = (uint64_t)(uintptr_t)extent->memory;
    if (address + (extent->place - place) != own) extent->used = 1;
  }
}

/* What no Buffer maps any more can be used again. */
static void leave_limbo(struct nr_blocks *blocks) {
  for (struct nr_extent *extent = blocks->limbo; extent != NULL; extent = extent->next) extent->used = 0;
  bool known = nr_mappings_of(blocks->memfd, mark_mapped, blocks);
  for (struct nr_extent *extent = blocks->limbo, *next; known && extent != NULL; extent = next) {
    next = extent->next;
    if (extent->used != 0) continue;
    unlink_extent(&blocks->limbo, extent);
    blocks->limbo_bytes -= extent->length;
    free_large(blocks, extent);
  }
  blocks->limbo_patience = 2 * blocks->limbo_bytes > NR_LIMBO_MIN ? 2 * blocks->limbo_bytes : NR_LIMBO_MIN;
}

void nr_blocks_trim(struct nr_blocks *blocks) {
  if (blocks->limbo_bytes >= blocks->limbo_patience) leave_limbo(blocks);
  while (blocks->doomed != NULL) {
    struct nr_extent *extent = blocks->doomed;
    unlink_extent(&blocks->doomed, extent);
    blocks->tell(blocks->context, extent->place, extent->length, false);
    /* Its place in the file is not used again. */
    (void)fallocate(blocks->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)extent->place,
                    (off_t)extent->length);
    extent_unmap(extent);
  }
}

/* ---- memory of our own ---------------------------------------------------------------------------------------------
 */

static uint64_t spare_size(uint64_t length) {
  uint64_t size;
  class_of(length, &size);
  return (size + NR_PAGE - 1) / NR_PAGE * NR_PAGE;
}

uint8_t *nr_spare_create(struct nr_blocks *blocks, uint64_t length) {
  return length > INT64_MAX / 4 ? NULL : nr_spares_take(&blocks->spares, spare_size(length));
}

void nr_spare_free(struct nr_blocks *blocks, uint8_t *memory, uint64_t length) {
  if (memory != NULL) nr_spares_give(&blocks->spares, memory, spare_size(length));
}

bool nr_blocks_are_due(const struct nr_blocks *blocks) {
  return nr_spares_are_due(&blocks->spares);
}

void nr_blocks_get_ready(struct nr_blocks *blocks) {
  nr_spares_get_ready(&blocks->spares);
}

uint64_t nr_blocks_live(const struct nr_blocks *blocks) {
  return blocks->live;
}

void nr_block_free(struct nr_blocks *blocks, struct nr_block *block) {
  blocks->live -= block->size;
  struct nr_extent *extent = block->extent;
  if (extent == NULL) {
    if (!block->lent) nr_spare_free(blocks, block->twin, block->size);
  } else if (block->born && !is_retired(blocks)) {
    link_first(&blocks->limbo, extent);
    blocks->limbo_bytes += extent->length;
  } else if (extent->class == NR_CLASSES) {
    free_large(blocks, extent);
  } else {
    free_small(blocks, extent, block);
  }
  *block = (struct nr_block){.memory = NULL};
}

static void unmap_all(struct nr_extent **head) {
  while (*head != NULL) {
    struct nr_extent *extent = *head;
    *head = extent->next;
    extent_unmap(extent);
  }
}

void nr_blocks_retire(struct nr_blocks *blocks) {
  if (is_retired(blocks)) return;
  close(blocks->memfd);
  blocks->memfd = -1;
  unmap_all(&blocks->free_large);
  unmap_all(&blocks->doomed);
  unmap_all(&blocks->limbo); /* a Buffer that maps such memory has a mapping of its own */
  blocks->limbo_bytes = 0;
  nr_spares_close(&blocks->spares);
  for (uint32_t class = 0; class < NR_CLASSES; class ++) {
    for (struct nr_extent *extent = blocks->with_room[class], *next; extent != NULL; extent = next) {
      next = extent->next;
      if (extent->used > 0) continue;
      unlink_extent(&blocks->with_room[class], extent);
      extent_unmap(extent);
    }
  }
}

void nr_blocks_destroy(struct nr_blocks *blocks) {
  nr_blocks_retire(blocks);
  for (uint32_t class = 0; class < NR_CLASSES; class ++) unmap_all(&blocks->with_room[class]);
  free(blocks);
}
