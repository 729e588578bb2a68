/*
 * Where the host's halves of pairs lie (server/memory/blocks.c): apart from each other, used again, and given back.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "server/memory/blocks.c"
#include "server/memory/mappings.c"
#include "server/memory/spares.c"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

struct told {
  int maps, gone;
  uint64_t bytes; /* that are mapped */
};

static void tell(void *context, uint64_t place, uint64_t length, bool map) {
  struct told *told = context;
  (void)place;
  if (map) {
    told->maps++;
    told->bytes += length;
  } else {
    told->gone++;
    told->bytes -= length;
  }
}

static struct nr_blocks *create(struct told *told) {
  int memfd = nr_blocks_memfd();
  cr_assert_geq(memfd, 0);
  struct nr_blocks *blocks = nr_blocks_create(memfd, tell, told);
  cr_assert_not_null(blocks);
  return blocks;
}

Test(blocks, none_lies_on_another) {
  static const uint64_t sizes[] = {0,    1,     63,     64,     65,     1000,   4096,   5000,
                                   8192, 70000, 131072, 200000, 262144, 262145, 3000000};
  enum { COUNT = 300 };
  struct told told = {0};
  struct nr_blocks *blocks = create(&told);
  struct nr_block *all = calloc(COUNT, sizeof *all);
  uint64_t live = 0;
  for (int i = 0; i < COUNT; i++) {
    uint64_t size = sizes[(size_t)i % (sizeof sizes / sizeof *sizes)];
    cr_assert(nr_block_create(blocks, size, &all[i]));
    cr_assert_geq(all[i].size, size);
    cr_assert_eq(all[i].place % 64, 0);
    if (size >= NR_BLOCK_PAGED) cr_assert_eq(all[i].place % 4096, 0);
    memset(all[i].memory, i, size);
    memset(all[i].twin, i + 1, size);
    live += all[i].size;
  }
  cr_assert_eq(nr_blocks_live(blocks), live);
  for (int i = 0; i < COUNT; i++) {
    uint64_t size = sizes[(size_t)i % (sizeof sizes / sizeof *sizes)];
    for (uint64_t k = 0; k < size; k++) {
      cr_assert_eq(all[i].memory[k], (uint8_t)i);
      cr_assert_eq(all[i].twin[k], (uint8_t)(i + 1));
    }
    nr_block_free(blocks, &all[i]);
  }
  cr_assert_eq(nr_blocks_live(blocks), 0);
  free(all);
  nr_blocks_destroy(blocks);
}

Test(blocks, what_is_free_is_used_again) {
  struct told told = {0};
  struct nr_blocks *blocks = create(&told);
  struct nr_block block;
  for (int i = 0; i < 1000; i++) {
    cr_assert(nr_block_create(blocks, i % 2 != 0 ? 100 : 5 * MIB, &block));
    block.memory[0] = 1;
    nr_block_free(blocks, &block);
    nr_blocks_trim(blocks);
  }
  cr_assert_eq(told.maps, 2);
  cr_assert_eq(told.gone, 0);
  nr_blocks_destroy(blocks);
}

/* Of what a program had once it keeps only so much. */
Test(blocks, the_rest_is_given_back) {
  enum { COUNT = 40 };
  struct told told = {0};
  struct nr_blocks *blocks = create(&told);
  struct nr_block all[COUNT];
  for (int i = 0; i < COUNT; i++) cr_assert(nr_block_create(blocks, 8 * MIB, &all[i]));
  for (int i = 0; i < COUNT; i++) nr_block_free(blocks, &all[i]);
  cr_assert_eq(told.gone, 0, "nothing is told where a collection may run");
  nr_blocks_trim(blocks);
  cr_assert_leq(told.bytes, 64 * MIB);
  nr_blocks_destroy(blocks);
}

/* An ArrayBuffer that was transferred keeps its pages when the pair is long gone. */
Test(blocks, what_a_buffer_maps_is_not_used_again) {
  struct told told = {0};
  struct nr_blocks *blocks = create(&told);
  struct nr_block block, other;
  uint64_t length = 48 * MIB;
  uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  cr_assert(nr_block_create_born(blocks, length, 0, &block));
  uint64_t place = block.place;
  cr_assert(nr_block_map(blocks, &block, memory, 0, length));
  memory[5000] = 7;
  cr_assert_eq(block.memory[5000], 7);
  nr_block_free(blocks, &block);
  nr_blocks_trim(blocks);
  cr_assert(nr_block_create(blocks, length, &other));
  cr_assert_neq(other.place, place);
  memset(other.memory, 1, length);
  cr_assert_eq(memory[5000], 7);
  nr_block_free(blocks, &other);
  munmap(memory, length);
  /* It is looked for again when twice as much has come together. */
  for (int i = 0; i < 3; i++) {
    uint8_t *next = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(nr_block_create_born(blocks, length, 0, &other));
    cr_assert(nr_block_map(blocks, &other, next, 0, length));
    nr_block_free(blocks, &other);
    munmap(next, length);
    nr_blocks_trim(blocks);
  }
  cr_assert_leq(told.bytes, 3 * length);
  nr_blocks_destroy(blocks);
}

Test(blocks, memory_of_our_own) {
  struct told told = {0};
  struct nr_blocks *blocks = create(&told);
  uint8_t *memory = nr_spare_create(blocks, MIB);
  cr_assert_not_null(memory);
  memset(memory, 3, MIB);
  nr_spare_free(blocks, memory, MIB);
  cr_assert_eq(nr_spare_create(blocks, MIB), memory);
  uint8_t *large = nr_spare_create(blocks, NR_SPARE_MAX);
  memset(large, 3, NR_SPARE_MAX);
  nr_spare_free(blocks, large, NR_SPARE_MAX);
  large = nr_spare_create(blocks, NR_SPARE_MAX);
  for (uint64_t i = 0; i < NR_SPARE_MAX; i += 4096) cr_assert_eq(large[i], 0);
  nr_spare_free(blocks, large, NR_SPARE_MAX);
  cr_assert_null(nr_spare_create(blocks, UINT64_MAX));
  nr_blocks_destroy(blocks);
}

/* Each size that is kept has a place of its own. */
Test(blocks, sizes_of_memory_of_our_own) {
  uint64_t sizes[NR_SPARE_SIZES] = {0};
  for (uint64_t length = 1; spare_size(length) < NR_SPARE_MAX; length += 60) {
    uint64_t size = spare_size(length);
    uint32_t sort = sort_of(size);
    cr_assert_lt(sort, NR_SPARE_SIZES);
    cr_assert(sizes[sort] == 0 || sizes[sort] == size);
    sizes[sort] = size;
  }
}

/* What fills all the room there is for spares is not what is wanted now. */
static void fill(struct nr_blocks *blocks, uint64_t size) {
  enum { COUNT = 120 };
  uint8_t *memory[COUNT];
  for (int i = 0; i < COUNT; i++) memory[i] = nr_spare_create(blocks, size);
  for (int i = 0; i < COUNT; i++) nr_spare_free(blocks, memory[i], size);
}

Test(blocks, memory_of_our_own_makes_way, .timeout = 30) {
  enum { COUNT = 8 };
  struct told told = {0};
  struct nr_blocks *blocks = create(&told);
  fill(blocks, MIB);
  cr_assert_leq(blocks->spares.bytes, NR_SPARES_MAX);
  cr_assert_gt(blocks->spares.bytes, NR_SPARES_MAX - MIB - NR_PAGE);
  uint8_t *memory[COUNT];
  for (int i = 0; i < COUNT; i++) memory[i] = nr_spare_create(blocks, 300 * KIB);
  cr_assert(nr_blocks_are_due(blocks));
  nr_blocks_get_ready(blocks);
  cr_assert(!nr_blocks_are_due(blocks));
  cr_assert_leq(blocks->spares.bytes, NR_SPARES_MAX);
  for (int i = 0; i < COUNT; i++) nr_spare_free(blocks, memory[i], 300 * KIB);
  /* The newest is taken first, and so are all of them before new memory is. */
  for (int i = COUNT - 1; i >= 0; i--) cr_assert_eq(nr_spare_create(blocks, 300 * KIB), memory[i]);
  for (int i = 0; i < COUNT; i++) nr_spare_free(blocks, memory[i], 300 * KIB);
  /* A large one takes the place of many. */
  uint8_t *large = nr_spare_create(blocks, 15 * MIB);
  nr_spare_free(blocks, large, 15 * MIB);
  cr_assert_leq(blocks->spares.bytes, NR_SPARES_MAX);
  cr_assert_eq(nr_spare_create(blocks, 15 * MIB), large);
  nr_spare_free(blocks, large, 15 * MIB);
  nr_blocks_destroy(blocks);
}
