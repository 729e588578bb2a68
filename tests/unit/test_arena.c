/*
 * The arena: marks, the cap, large blocks, and unpacking within bounds.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "leaks.h"
#include "samples.h"
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

Test(arena, unpack) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  uint64_t args[] = {1, 2, 3};
  struct sample request = sample_make();
  request.sample_id = 7;
  request.n_values = 3;
  request.values = args;
  uint8_t bytes[100];
  size_t length = protobuf_c_message_pack(&request.base, bytes);
  struct sample *copy = nr_arena_unpack(arena, &sample_descriptor, bytes, length);
  cr_assert_not_null(copy);
  cr_assert_eq(copy->sample_id, 7);
  cr_assert_eq(copy->n_values, 3);
  cr_assert_eq(memcmp(copy->values, args, sizeof args), 0);
  cr_assert_not_null(nr_arena_unpack(arena, &sample_descriptor, bytes, 0));
  cr_assert_null(nr_arena_unpack(arena, &sample_descriptor, bytes, length - 1));
  nr_arena_destroy(arena);
}

Test(arena, a_failed_unpack_gives_back) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  static const uint8_t bytes[] = {0xff, 0xff, 0xff};
  void *before = nr_arena_alloc(arena, 16);
  for (int i = 0; i < 100000; i++) cr_assert_null(nr_arena_unpack(arena, &part_descriptor, bytes, sizeof bytes));
  cr_assert_eq((uint8_t *)nr_arena_alloc(arena, 16), (uint8_t *)before + 16);
  nr_arena_destroy(arena);
}

/* How much of the arena an unpack of these bytes takes, or 0 when it is refused. */
static size_t unpacked_size(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length) {
  size_t low = 0, high = 64 * MEGABYTE;
  while (high - low > 65536) {
    size_t cap = (low + high) / 2;
    struct nr_arena *arena = nr_arena_create(cap);
    bool fits = nr_arena_unpack(arena, type, bytes, length) != NULL;
    nr_arena_destroy(arena);
    if (fits)
      high = cap;
    else
      low = cap;
  }
  return high == 64 * MEGABYTE ? 0 : high;
}

Test(arena, a_megabyte_of_empty_messages_is_refused) {
  /* Two bytes each: field 4 (parts), length 0. Unpacked each would take a hundred. */
  uint8_t *bytes = malloc(MEGABYTE);
  for (size_t i = 0; i < MEGABYTE; i += 2) {
    bytes[i] = 4 << 3 | 2;
    bytes[i + 1] = 0;
  }
  struct nr_arena *arena = nr_arena_create(256 * MEGABYTE);
  cr_assert_null(nr_arena_unpack(arena, &sample_descriptor, bytes, MEGABYTE));
  nr_arena_destroy(arena);
  free(bytes);
}

Test(arena, a_megabyte_of_unpacked_arguments_stays_in_bounds) {
  uint8_t *bytes = malloc(MEGABYTE);
  memset(bytes, 0, MEGABYTE);
  for (size_t i = 0; i + 9 <= MEGABYTE; i += 9) bytes[i] = 2 << 3 | 1;
  size_t length = MEGABYTE / 9 * 9;
  cr_assert_leq(unpacked_size(&sample_descriptor, bytes, length), 17 * MEGABYTE);
  free(bytes);
}

Test(arena, honest_messages_of_many_parts_fit) {
  /* The densest messages that we send ourselves: facts with a handle and nothing else. */
  enum { COUNT = 20000 };
  struct part *parts = calloc(COUNT, sizeof *parts);
  struct part **pointers = calloc(COUNT, sizeof *pointers);
  for (int i = 0; i < COUNT; i++) {
    parts[i] = part_make();
    parts[i].value = UINT64_C(0xfffb000100000000) | (unsigned)i;
    parts[i].shape = 1;
    pointers[i] = &parts[i];
  }
  struct sample request = sample_make();
  request.n_parts = COUNT;
  request.parts = pointers;
  size_t length = protobuf_c_message_get_packed_size(&request.base);
  uint8_t *bytes = malloc(length);
  protobuf_c_message_pack(&request.base, bytes);
  struct nr_arena *arena = nr_arena_create(256 * MEGABYTE);
  struct sample *copy = nr_arena_unpack(arena, &sample_descriptor, bytes, length);
  cr_assert_not_null(copy);
  cr_assert_eq(copy->n_parts, COUNT);
  cr_assert_eq(copy->parts[COUNT - 1]->value, parts[COUNT - 1].value);
  nr_arena_destroy(arena);
  free(bytes);
  free(pointers);
  free(parts);
}

Test(arena, many_ids_fit) {
  enum { COUNT = 50000 };
  uint64_t *ids = malloc(COUNT * sizeof *ids);
  for (int i = 0; i < COUNT; i++) ids[i] = (unsigned)i % 100 + 1;
  struct sample request = sample_make();
  request.n_many_id = COUNT;
  request.many_id = ids;
  size_t length = protobuf_c_message_get_packed_size(&request.base);
  cr_assert_leq(length, COUNT + 20, "repeated numbers are packed");
  uint8_t *bytes = malloc(length);
  protobuf_c_message_pack(&request.base, bytes);
  struct nr_arena *arena = nr_arena_create(256 * MEGABYTE);
  cr_assert_not_null(nr_arena_unpack(arena, &sample_descriptor, bytes, length));
  nr_arena_destroy(arena);
  free(bytes);
  free(ids);
}
