/*
 * Messages as bytes: within bounds, and nothing else than what nr_message_pack() writes. (test_messages.c: what all
 * those of the table are, compared with protobuf-c.)
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "leaks.h"
#include "samples.h"
#include "wire/message.h"

#define MEGABYTE ((size_t)1 << 20)

Test(message, what_is_packed_comes_back) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  uint64_t args[] = {1, 2, 3};
  struct sample request = sample_make();
  request.sample_id = 7;
  request.n_values = 3;
  request.values = args;
  uint8_t bytes[100];
  size_t length = nr_message_pack(&request.base, bytes);
  struct sample *copy = nr_message_unpack(arena, &sample_descriptor, bytes, length);
  cr_assert_not_null(copy);
  cr_assert_eq(copy->sample_id, 7);
  cr_assert_eq(copy->n_values, 3);
  cr_assert_eq(memcmp(copy->values, args, sizeof args), 0);
  cr_assert_not_null(nr_message_unpack(arena, &sample_descriptor, bytes, 0));
  cr_assert_null(nr_message_unpack(arena, &sample_descriptor, bytes, length - 1));
  nr_arena_destroy(arena);
}

Test(message, a_failed_unpack_gives_back) {
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  static const uint8_t bytes[] = {0xff, 0xff, 0xff};
  void *before = nr_arena_alloc(arena, 16);
  for (int i = 0; i < 100000; i++) cr_assert_null(nr_message_unpack(arena, &part_descriptor, bytes, sizeof bytes));
  cr_assert_eq((uint8_t *)nr_arena_alloc(arena, 16), (uint8_t *)before + 16);
  nr_arena_destroy(arena);
}

/* How much of the arena an unpack of these bytes takes, or 0 when it is refused. */
static size_t unpacked_size(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t length) {
  size_t low = 0, high = 64 * MEGABYTE;
  while (high - low > 65536) {
    size_t cap = (low + high) / 2;
    struct nr_arena *arena = nr_arena_create(cap);
    bool fits = nr_message_unpack(arena, type, bytes, length) != NULL;
    nr_arena_destroy(arena);
    if (fits)
      high = cap;
    else
      low = cap;
  }
  return high == 64 * MEGABYTE ? 0 : high;
}

Test(message, a_megabyte_of_empty_messages_is_refused) {
  /* Two bytes each: field 4 (parts), length 0. Unpacked each would take a hundred. */
  uint8_t *bytes = malloc(MEGABYTE);
  for (size_t i = 0; i < MEGABYTE; i += 2) {
    bytes[i] = 4 << 3 | 2;
    bytes[i + 1] = 0;
  }
  struct nr_arena *arena = nr_arena_create(256 * MEGABYTE);
  cr_assert_null(nr_message_unpack(arena, &sample_descriptor, bytes, MEGABYTE));
  nr_arena_destroy(arena);
  free(bytes);
}

Test(message, a_megabyte_of_packed_numbers_stays_in_bounds) {
  /* One byte each becomes eight. */
  uint8_t *bytes = calloc(1, MEGABYTE);
  static const uint8_t head[] = {6 << 3 | 2, 0xfc, 0xff, 0x3f}; /* field 6 (many_id), length 0xffffc */
  memcpy(bytes, head, sizeof head);
  size_t size = unpacked_size(&sample_descriptor, bytes, MEGABYTE);
  cr_assert_gt(size, 0);
  cr_assert_leq(size, 17 * MEGABYTE);
  free(bytes);
}

Test(message, honest_messages_of_many_parts_fit) {
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
  size_t length = nr_message_size(&request.base);
  uint8_t *bytes = malloc(length);
  nr_message_pack(&request.base, bytes);
  struct nr_arena *arena = nr_arena_create(256 * MEGABYTE);
  struct sample *copy = nr_message_unpack(arena, &sample_descriptor, bytes, length);
  cr_assert_not_null(copy);
  cr_assert_eq(copy->n_parts, COUNT);
  cr_assert_eq(copy->parts[COUNT - 1]->value, parts[COUNT - 1].value);
  nr_arena_destroy(arena);
  free(bytes);
  free(pointers);
  free(parts);
}

Test(message, many_ids_fit) {
  enum { COUNT = 50000 };
  uint64_t *ids = malloc(COUNT * sizeof *ids);
  for (int i = 0; i < COUNT; i++) ids[i] = (unsigned)i % 100 + 1;
  struct sample request = sample_make();
  request.n_many_id = COUNT;
  request.many_id = ids;
  size_t length = nr_message_size(&request.base);
  cr_assert_leq(length, COUNT + 20, "repeated numbers are packed");
  uint8_t *bytes = malloc(length);
  nr_message_pack(&request.base, bytes);
  struct nr_arena *arena = nr_arena_create(256 * MEGABYTE);
  cr_assert_not_null(nr_message_unpack(arena, &sample_descriptor, bytes, length));
  nr_arena_destroy(arena);
  free(bytes);
  free(ids);
}

/* ---- What is refused: bytes of a sample, written by hand ---- */

static bool is_taken(const uint8_t *bytes, size_t length) {
  uint8_t *copy = malloc(length); /* a block of its own, exactly as long: reading past its end is seen */
  memcpy(copy, bytes, length);
  struct nr_arena *arena = nr_arena_create(MEGABYTE);
  bool is = nr_message_unpack(arena, &sample_descriptor, copy, length) != NULL;
  nr_arena_destroy(arena);
  free(copy);
  return is;
}

#define TAKEN(...) is_taken((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define VARINT(id) (id) << 3
#define EIGHT(id) (id) << 3 | 1
#define LENGTH(id) (id) << 3 | 2

Test(message, fields_come_in_order_and_once) {
  cr_assert(TAKEN(VARINT(1), 5, VARINT(7), 1));
  cr_assert_not(TAKEN(VARINT(7), 1, VARINT(1), 5), "out of order");
  cr_assert_not(TAKEN(VARINT(1), 5, VARINT(1), 5), "twice");
  cr_assert_not(TAKEN(LENGTH(6), 1, 5, LENGTH(6), 1, 5), "packed numbers twice");
  cr_assert(TAKEN(LENGTH(4), 0, LENGTH(4), 2, VARINT(2), 1, LENGTH(5), 0), "messages are repeated");
  cr_assert_not(TAKEN(LENGTH(4), 0, LENGTH(5), 0, LENGTH(4), 0), "not one behind the other");
  cr_assert_not(TAKEN(LENGTH(5), 0, LENGTH(5), 0), "one that is not repeated");
}

Test(message, fields_that_are_not_there) {
  cr_assert_not(TAKEN(VARINT(0), 1));
  cr_assert_not(TAKEN(VARINT(11), 1));
  cr_assert_not(TAKEN(0xf8, 0x01, 1), "field 31, a tag of two bytes");
  cr_assert_not(TAKEN(LENGTH(5), 2, VARINT(5), 1), "in a message");
}

Test(message, another_form_than_the_field_has) {
  cr_assert_not(TAKEN(EIGHT(1), 0, 0, 0, 0, 0, 0, 0, 0));
  cr_assert_not(TAKEN(LENGTH(1), 0));
  cr_assert_not(TAKEN(VARINT(3), 1));
  cr_assert_not(TAKEN(VARINT(4), 0));
  cr_assert_not(TAKEN(EIGHT(2), 0, 0, 0, 0, 0, 0, 0, 0), "repeated numbers are packed");
  cr_assert_not(TAKEN(VARINT(6), 0), "repeated numbers are packed");
  cr_assert_not(TAKEN(VARINT(9), 0));
  for (unsigned form = 3; form < 8; form++) cr_assert_not(TAKEN((uint8_t)(1 << 3 | form), 0, 0, 0, 0, 0, 0, 0, 0));
}

Test(message, what_ends_too_soon) {
  cr_assert_not(TAKEN(VARINT(1)));
  cr_assert_not(TAKEN(VARINT(1), 0x80));
  cr_assert_not(TAKEN(VARINT(1), 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0), "more than 64 bits");
  cr_assert_not(TAKEN(EIGHT(3), 0, 0, 0, 0, 0, 0, 0));
  cr_assert_not(TAKEN(LENGTH(2), 8, 0, 0, 0, 0, 0, 0, 0));
  cr_assert_not(TAKEN(LENGTH(2), 7, 0, 0, 0, 0, 0, 0, 0), "seven bytes of eight");
  cr_assert_not(TAKEN(LENGTH(4), 1), "the first of several messages");
  cr_assert_not(TAKEN(LENGTH(4), 0, LENGTH(4), 1), "the second");
  cr_assert_not(TAKEN(LENGTH(4), 0, LENGTH(4)), "its length");
  cr_assert_not(TAKEN(LENGTH(5), 1, VARINT(2), 1), "what a message has goes no further than it");
  cr_assert_not(TAKEN(LENGTH(6), 2, 1, 0x80), "packed numbers");
  cr_assert_not(TAKEN(LENGTH(9), 2, 'a'));
  cr_assert_not(TAKEN(LENGTH(9), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), "a length of 2^64 - 1");
}
