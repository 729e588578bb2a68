/*
 * The arena: marks, the cap, large blocks.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "leaks.h"
#include "wire/arena.h"

#define MEGABYTE ((size_t)1 << 20)

Test(arena, pieces_are_aligned_and_apart) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  uint8_t *last = NULL;
  for (size_t size = 0; size < 300; size++) {
    uint8_t *piece = nr_arena_alloc(arena, size);
    cr_assert_not_null(piece);
    cr_assert_eq((uintptr_t)piece % _Alignof(max_align_t), 0);
    cr_assert_neq(piece, last);
    memset(piece, (int)size, size);
    if (size > 1) cr_assert_eq(last[size - 2], (uint8_t)(size - 1));
    last = piece;
  }
  nr_arena_destroy(arena);
}

Test(arena, release_gives_back) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  void *first = nr_arena_alloc(arena, 100);
  struct nr_arena_mark mark = nr_arena_mark(arena);
  void *second = nr_arena_alloc(arena, 100);
  for (int i = 0; i < 5; i++) cr_assert_not_null(nr_arena_alloc(arena, 100000));
  nr_arena_release(arena, mark);
  cr_assert_eq(nr_arena_alloc(arena, 100), second);
  memset(first, 1, 100);
  nr_arena_destroy(arena);
}

Test(arena, marks_nest) {
  struct nr_arena *arena = nr_arena_create(64 * MEGABYTE);
  struct nr_arena_mark marks[200];
  void *pieces[200];
  for (int i = 0; i < 200; i++) {
    marks[i] = nr_arena_mark(arena);
    pieces[i] = nr_arena_alloc(arena, (size_t)(i * 977 % 70000));
    memset(pieces[i], i, (size_t)(i * 977 % 70000));
  }
  for (int i = 199; i >= 0; i--) {
    if (i * 977 % 70000 > 0) cr_assert_eq(*(uint8_t *)pieces[i], (uint8_t)i);
    nr_arena_release(arena, marks[i]);
  }
  nr_arena_destroy(arena);
}

Test(arena, a_mark_of_the_empty_arena) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  struct nr_arena_mark mark = nr_arena_mark(arena);
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 10; i++) cr_assert_not_null(nr_arena_alloc(arena, 60000));
    nr_arena_release(arena, mark);
  }
  nr_arena_destroy(arena);
}

Test(arena, the_cap) {
  struct nr_arena *arena = nr_arena_create(1000);
  cr_assert_null(nr_arena_alloc(arena, 1001));
  cr_assert_null(nr_arena_alloc(arena, SIZE_MAX));
  cr_assert_null(nr_arena_alloc(arena, SIZE_MAX - 20));
  struct nr_arena_mark mark = nr_arena_mark(arena);
  cr_assert_not_null(nr_arena_alloc(arena, 900));
  cr_assert_null(nr_arena_alloc(arena, 200));
  nr_arena_release(arena, mark);
  cr_assert_not_null(nr_arena_alloc(arena, 200));
  nr_arena_destroy(arena);
}

Test(arena, the_cap_counts_what_is_held_only) {
  struct nr_arena *arena = nr_arena_create(8 * MEGABYTE);
  for (int i = 0; i < 100; i++) {
    struct nr_arena_mark mark = nr_arena_mark(arena);
    cr_assert_not_null(nr_arena_alloc(arena, 5 * MEGABYTE));
    cr_assert_null(nr_arena_alloc(arena, 5 * MEGABYTE));
    cr_assert_not_null(nr_arena_alloc(arena, 100));
    nr_arena_release(arena, mark);
  }
  nr_arena_destroy(arena);
}

Test(arena, large_blocks_cost_what_is_touched) {
  struct nr_arena *arena = nr_arena_create((size_t)64 << 30);
  struct nr_arena_mark mark = nr_arena_mark(arena);
  for (int i = 0; i < 8; i++) {
    uint8_t *block = nr_arena_alloc(arena, (size_t)3 << 30);
    cr_assert_not_null(block);
    block[0] = block[((size_t)3 << 30) - 1] = 1;
  }
  nr_arena_release(arena, mark);
  nr_arena_destroy(arena);
}
