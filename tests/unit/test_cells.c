/*
 * This side's memory of small external buffers (server/memory/cells.c): apart from each other, those of one time
 * together, used again, and given back.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/memory/blocks.c"
#include "server/memory/cells.c"
#include "server/memory/mappings.c"
#include "server/memory/spares.c"

static void tell(void *context, uint64_t place, uint64_t length, bool map) {
  (void)context, (void)place, (void)length, (void)map;
}

static struct nr_blocks *create(void) {
  int memfd = nr_blocks_memfd();
  cr_assert_geq(memfd, 0);
  struct nr_blocks *blocks = nr_blocks_create(memfd, tell, NULL);
  cr_assert_not_null(blocks);
  return blocks;
}

/* Bytes of address space of this process. */
static long size_of_all(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  cr_assert_not_null(file);
  cr_assert_eq(fscanf(file, "%ld", &pages), 1);
  fclose(file);
  return pages * (long)NR_PAGE;
}

static void fill(uint8_t *cell, uint64_t length, int value) {
  memset(cell, value, length);
  memset(nr_cell_twin(cell, length), value + 1, length);
}

static bool holds(uint8_t *cell, uint64_t length, int value) {
  const uint8_t *twin = nr_cell_twin(cell, length);
  for (uint64_t i = 0; i < length; i++) {
    if (cell[i] != (uint8_t)value || twin[i] != (uint8_t)(value + 1)) return false;
  }
  return true;
}

Test(cells, none_lies_on_another) {
  enum { COUNT = 500, STEPS = 20000 };
  static const uint64_t sizes[] = {0, 1, 16, 17, 35, 100, 1000, 1008, 1009, 1024, 1025, 5000, 100000};
  struct nr_blocks *blocks = create();
  struct nr_cells cells = {.page = NULL};
  uint8_t *all[COUNT] = {NULL};
  uint64_t lengths[COUNT];
  srand(7);
  for (int step = 0; step < STEPS; step++) {
    int i = rand() % COUNT;
    if (all[i] != NULL) {
      cr_assert(holds(all[i], lengths[i], i));
      nr_cell_free(&cells, blocks, all[i], lengths[i]);
      all[i] = NULL;
      continue;
    }
    lengths[i] = sizes[(size_t)rand() % (sizeof sizes / sizeof *sizes)];
    all[i] = nr_cell_create(&cells, blocks, lengths[i]);
    cr_assert_not_null(all[i]);
    cr_assert_eq((uintptr_t)all[i] % 16, 0);
    cr_assert_eq((uintptr_t)nr_cell_twin(all[i], lengths[i]) % 16, 0);
    fill(all[i], lengths[i], i);
  }
  for (int i = 0; i < COUNT; i++) {
    if (all[i] == NULL) continue;
    cr_assert(holds(all[i], lengths[i], i));
    nr_cell_free(&cells, blocks, all[i], lengths[i]);
  }
  nr_cells_end(&cells);
  nr_blocks_destroy(blocks);
}

/* What is watched for long shares no page with what comes and goes. */
Test(cells, a_page_on_which_one_lives_is_not_used_again) {
  struct nr_cells cells = {.page = NULL};
  uint8_t *first[100];
  for (int i = 0; i < 100; i++) first[i] = nr_cell_create(&cells, NULL, 100);
  for (int i = 0; i < 100; i++) {
    if (i != 50) nr_cell_free(&cells, NULL, first[i], 100);
  }
  for (int i = 0; i < 5000; i++) {
    uint8_t *cell = nr_cell_create(&cells, NULL, 100);
    cr_assert_neq((uintptr_t)cell / NR_PAGE, (uintptr_t)first[50] / NR_PAGE);
    nr_cell_free(&cells, NULL, cell, 100);
  }
  nr_cell_free(&cells, NULL, first[50], 100);
  nr_cells_end(&cells);
}

Test(cells, an_empty_page_is_used_again) {
  struct nr_cells cells = {.page = NULL};
  uint8_t *lowest = NULL, *highest = NULL;
  for (int i = 0; i < 10000; i++) {
    uint8_t *cell[20];
    for (int k = 0; k < 20; k++) {
      cell[k] = nr_cell_create(&cells, NULL, 1000);
      if (lowest == NULL || cell[k] < lowest) lowest = cell[k];
      if (highest == NULL || cell[k] > highest) highest = cell[k];
    }
    for (int k = 0; k < 20; k++) nr_cell_free(&cells, NULL, cell[k], 1000);
  }
  cr_assert_lt(highest - lowest, 64 * 4096);
  nr_cells_end(&cells);
}

Test(cells, what_nobody_needs_is_given_back) {
  enum { COUNT = 100000 };
  struct nr_cells cells = {.page = NULL};
  uint8_t **all = calloc(COUNT, sizeof *all);
  long before = size_of_all();
  for (int i = 0; i < COUNT; i++) all[i] = nr_cell_create(&cells, NULL, 100);
  cr_assert_gt(size_of_all() - before, COUNT * 200);
  for (int i = 0; i < COUNT; i++) nr_cell_free(&cells, NULL, all[i], 100);
  cr_assert_leq(size_of_all() - before, 2 * (long)NR_FIELD);
  nr_cells_end(&cells);
  cr_assert_leq(size_of_all(), before);
  free(all);
}
