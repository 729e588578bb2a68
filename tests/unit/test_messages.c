/*
 * Every message of the table, found through its descriptor: what is packed comes back the same, and what is cut or
 * corrupted is refused or read, but never more than that (the sanitizers watch).
 */
#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "leaks.h"
#include "napi.pb-c.h"
#include "opcodes.h"
#include "wire/arena.h"
#include "wire/frame.h"
#include "wire/message.h"
#include "wire/print.h"
#include "wire/protocol.h"
#include "wire/value.h"

#define ARENA_CAP ((size_t)16 << 20)
#define OPCODES 0x400u
#define REPEATED_MAX 4u
#define TEXT_MAX 12u

/* ---- Filling a message ---- */

struct filler {
  struct nr_arena *arena;
  uint32_t state;
};

static uint32_t next32(struct filler *filler) {
  filler->state = filler->state * 1664525u + 1013904223u;
  return filler->state ^ filler->state >> 15;
}

/* Small numbers, edges and anything between them. */
static uint64_t next64(struct filler *filler) {
  static const uint64_t edges[] = {
      0, 1, 127, 128, 0x7fffffff, 0x80000000, UINT32_MAX, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
  uint32_t choice = next32(filler) % 16;
  if (choice < sizeof edges / sizeof *edges) return edges[choice];
  return (uint64_t)next32(filler) << 32 | next32(filler);
}

static ProtobufCMessage *fill(struct filler *filler, const ProtobufCMessageDescriptor *type);

static size_t element_size(const ProtobufCFieldDescriptor *field) {
  switch (field->type) {
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE: return 8;
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
  case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
  default: return 4;
  }
}

static void fill_element(struct filler *filler, const ProtobufCFieldDescriptor *field, uint8_t *at) {
  uint64_t number = next64(filler);
  uint32_t length = next32(filler) % TEXT_MAX;
  char *text;
  switch (field->type) {
  case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)at = number % 2 != 0; break;
  case PROTOBUF_C_TYPE_MESSAGE: *(ProtobufCMessage **)(void *)at = fill(filler, field->descriptor); break;
  case PROTOBUF_C_TYPE_STRING:
    text = nr_arena_alloc(filler->arena, length + 1);
    for (uint32_t i = 0; i < length; i++) text[i] = (char)(next32(filler) % 255 + 1);
    text[length] = '\0';
    *(char **)(void *)at = text;
    break;
  case PROTOBUF_C_TYPE_BYTES: cr_assert_fail("%s: bytes belong into the tail", field->name); break;
  case PROTOBUF_C_TYPE_DOUBLE: /* protobuf-c takes -0 for 0 */
    if (number == (uint64_t)1 << 63) number = 1;
    memcpy(at, &number, sizeof number);
    break;
  default: memcpy(at, &number, element_size(field));
  }
}

static void fill_field(struct filler *filler, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message) {
  uint8_t *at = (uint8_t *)message + field->offset;
  if (field->label == PROTOBUF_C_LABEL_REPEATED) {
    uint32_t count = next32(filler) % REPEATED_MAX;
    uint8_t *elements = nr_arena_alloc(filler->arena, count * element_size(field));
    for (uint32_t i = 0; i < count; i++) fill_element(filler, field, elements + i * element_size(field));
    *(uint8_t **)(void *)at = elements;
    *(size_t *)(void *)((uint8_t *)message + field->quantifier_offset) = count;
    return;
  }
  if (field->type == PROTOBUF_C_TYPE_MESSAGE && next32(filler) % 4 == 0) return;
  fill_element(filler, field, at);
}

static ProtobufCMessage *fill(struct filler *filler, const ProtobufCMessageDescriptor *type) {
  ProtobufCMessage *message = nr_arena_alloc(filler->arena, type->sizeof_message);
  cr_assert_not_null(message);
  protobuf_c_message_init(type, message);
  for (unsigned i = 0; i < type->n_fields; i++) fill_field(filler, &type->fields[i], message);
  return message;
}

/* ---- What is done to each ---- */

struct packed {
  uint8_t *bytes;
  size_t length;
};

/* In a block of its own, exactly as long as needed: reading past its end is seen. */
static struct packed pack(const ProtobufCMessage *message) {
  struct packed packed = {.length = nr_message_size(message)};
  packed.bytes = malloc(packed.length);
  cr_assert_eq(nr_message_pack(message, packed.bytes), packed.length);
  return packed;
}

/* The same by protobuf-c. */
static struct packed pack_reference(const ProtobufCMessage *message) {
  struct packed packed = {.length = protobuf_c_message_get_packed_size(message)};
  packed.bytes = malloc(packed.length);
  cr_assert_eq(protobuf_c_message_pack(message, packed.bytes), packed.length);
  return packed;
}

/* Gives both back. */
static bool are_alike(struct packed one, struct packed other) {
  bool alike = one.length == other.length && (one.length == 0 || memcmp(one.bytes, other.bytes, one.length) == 0);
  free(one.bytes);
  free(other.bytes);
  return alike;
}

/* What is taken, protobuf-c takes for the same. */
static void check_reference(const ProtobufCMessage *message, const uint8_t *bytes, size_t length) {
  ProtobufCMessage *reference = protobuf_c_message_unpack(message->descriptor, NULL, length, bytes);
  cr_assert_not_null(reference, "%s", message->descriptor->name);
  cr_assert(are_alike(pack_reference(message), pack_reference(reference)), "%s", message->descriptor->name);
  protobuf_c_message_free_unpacked(reference, NULL);
}

static void unpack_and_print(struct nr_arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                             size_t length) {
  static const uint8_t tail[] = "some tail";
  char text[300];
  struct nr_arena_mark mark = nr_arena_mark(arena);
  ProtobufCMessage *message = nr_message_unpack(arena, type, bytes, length);
  if (message) {
    cr_assert_eq(message->descriptor, type);
    check_reference(message, bytes, length);
    cr_assert_lt(nr_print_message(text, sizeof text, message, tail, sizeof tail), sizeof text);
  }
  nr_arena_release(arena, mark);
}

static void check_round_trip(struct nr_arena *arena, const ProtobufCMessage *message) {
  struct packed packed = pack(message);
  ProtobufCMessage *copy = nr_message_unpack(arena, message->descriptor, packed.bytes, packed.length);
  cr_assert_not_null(copy, "%s", message->descriptor->name);
  cr_assert(are_alike(packed, pack(copy)), "%s", message->descriptor->name);
  cr_assert(are_alike(pack(copy), pack_reference(message)), "%s", message->descriptor->name);
}

static void check_prefixes(struct nr_arena *arena, const ProtobufCMessage *message) {
  struct packed packed = pack(message);
  for (size_t length = 0; length < packed.length; length++) {
    uint8_t *prefix = malloc(length);
    if (length > 0) memcpy(prefix, packed.bytes, length);
    unpack_and_print(arena, message->descriptor, prefix, length);
    free(prefix);
  }
  free(packed.bytes);
}

static void check_corruption(struct nr_arena *arena, const ProtobufCMessage *message) {
  static const uint8_t masks[] = {0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff};
  struct packed packed = pack(message);
  for (size_t at = 0; at < packed.length; at++) {
    uint8_t right = packed.bytes[at];
    for (size_t i = 0; i < sizeof masks; i++) {
      packed.bytes[at] = right ^ masks[i];
      unpack_and_print(arena, message->descriptor, packed.bytes, packed.length);
    }
    packed.bytes[at] = right;
  }
  free(packed.bytes);
}

static void for_each_type(void (*check)(struct nr_arena *arena, const ProtobufCMessage *message), unsigned rounds) {
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  unsigned rows = 0;
  for (unsigned opcode = 0; opcode < OPCODES; opcode++) {
    const struct nr_op_info *info = nr_op_info(opcode);
    if (!info) continue;
    rows++;
    for (unsigned round = 0; round < rounds; round++) {
      struct filler filler = {arena, opcode << 8 | round};
      struct nr_arena_mark mark = nr_arena_mark(arena);
      check(arena, fill(&filler, info->request));
      check(arena, fill(&filler, info->reply));
      nr_arena_release(arena, mark);
    }
  }
  cr_assert_geq(rows, 100);
  nr_arena_destroy(arena);
}

Test(messages, what_is_packed_comes_back_and_is_what_protobuf_c_makes_of_it, .timeout = 60) {
  for_each_type(check_round_trip, 50);
}

Test(messages, every_prefix, .timeout = 60) {
  for_each_type(check_prefixes, 5);
}

Test(messages, every_corrupted_byte, .timeout = 120) {
  for_each_type(check_corruption, 3);
}

/* ---- The table itself ---- */

Test(messages, names_are_unique_and_unknown_opcodes_have_none) {
  for (unsigned opcode = 0; opcode < OPCODES; opcode++) {
    const struct nr_op_info *info = nr_op_info(opcode);
    if (!info) continue;
    cr_assert_gt(strlen(info->name), 0);
    for (unsigned other = 0; other < opcode; other++)
      if (nr_op_info(other)) cr_assert_str_neq(info->name, nr_op_info(other)->name);
  }
  cr_assert_null(nr_op_info(0x0ff));
  cr_assert_null(nr_op_info(OPCODES));
  cr_assert_null(nr_op_info(UINT32_MAX));
}

/* Two bytes a number would become forty: unpacked they would not fit nr_message_unpack()'s bounds. */
Test(messages, repeated_numbers_are_packed) {
  for (unsigned opcode = 0; opcode < OPCODES; opcode++) {
    const struct nr_op_info *info = nr_op_info(opcode);
    for (unsigned i = 0; info && i < info->request->n_fields; i++) {
      const ProtobufCFieldDescriptor *field = &info->request->fields[i];
      if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type == PROTOBUF_C_TYPE_MESSAGE) continue;
      cr_assert_neq(field->flags & PROTOBUF_C_FIELD_FLAG_PACKED, 0, "%s.%s", info->name, field->name);
    }
  }
}

/* protobuf-c has no limit of depth: a message that contains itself would let a peer overflow our stack. */
static bool is_recursive(const ProtobufCMessageDescriptor *type, unsigned depth) {
  if (depth == 0) return true;
  for (unsigned i = 0; i < type->n_fields; i++)
    if (type->fields[i].type == PROTOBUF_C_TYPE_MESSAGE && is_recursive(type->fields[i].descriptor, depth - 1))
      return true;
  return false;
}

Test(messages, no_message_contains_itself) {
  for (unsigned opcode = 0; opcode < OPCODES; opcode++) {
    const struct nr_op_info *info = nr_op_info(opcode);
    if (!info) continue;
    cr_assert_not(is_recursive(info->request, 10), "%s", info->name);
    cr_assert_not(is_recursive(info->reply, 10), "%s", info->name);
  }
}

/* ---- What shall stay small ---- */

/* As in a program with a few thousand callbacks and pairs. */
static size_t frame_size(uint64_t *values, size_t value_count, uint64_t *view, uint64_t *shape) {
  Nr__InvokeRequest request = NR__INVOKE_REQUEST__INIT;
  request.callback_id = (uint64_t)1 << 32 | 2000;
  request.values = values;
  request.n_values = value_count;
  request.views = view;
  request.n_views = view == NULL ? 0 : NR_VIEW_NUMBERS;
  request.shapes = shape;
  request.n_shapes = shape == NULL ? 0 : NR_SHAPE_NUMBERS;
  return sizeof(struct nr_frame_header) + protobuf_c_message_get_packed_size(&request.base);
}

Test(messages, common_calls_are_one_cache_line) {
  uint64_t values[3] = {nr_value_handle(NR_TAG_OBJECT, false, 1, 0), nr_value_handle(NR_TAG_OBJECT, false, 1, 1),
                        nr_value_from_double(1.5)};
  cr_assert_leq(frame_size(values, 3, NULL, NULL), NR_CACHE_LINE, "two numbers");
  uint64_t small[NR_VIEW_NUMBERS] = {nr_view_code(1, 1), 4000, 0, 64};
  cr_assert_leq(frame_size(values, 2, small, NULL), NR_CACHE_LINE, "a small Buffer");
  uint64_t longer[NR_VIEW_NUMBERS] = {nr_view_code(1, 1), 100, 0, 16000};
  cr_assert_leq(frame_size(values, 2, longer, NULL), NR_CACHE_LINE, "a longer Buffer");
  uint32_t bare = NR_SHAPE_NO_VIEW | NR_SHAPE_NO_ARRAY | NR_SHAPE_WRAP | NR_SHAPE_BARE;
  uint64_t object[NR_SHAPE_NUMBERS] = {nr_shape_code(1, bare), 0};
  cr_assert_leq(frame_size(values, 2, NULL, object), NR_CACHE_LINE, "an object");
  uint64_t wrapped[NR_SHAPE_NUMBERS] = {nr_shape_code(0, NR_SHAPE_NO_ARRAY | NR_SHAPE_WRAP), (uint64_t)1 << 32 | 9000};
  cr_assert_leq(frame_size(values, 2, NULL, wrapped), NR_CACHE_LINE, "a method with one argument");
}

Test(messages, view_codes_are_read_as_they_were_written) {
  static const uint32_t others[] = {NR_VIEW_DATAVIEW, NR_VIEW_ARRAYBUFFER, NR_VIEW_SHARED};
  for (uint32_t i = 0; i < 15; i++) {
    uint32_t kind = i < 12 ? i : others[i - 12];
    for (uint64_t place = 0; place < 1000; place += 37) {
      uint64_t code = nr_view_code(place, kind);
      cr_assert_eq(nr_view_code_place(code), place);
      cr_assert_eq(nr_view_code_kind(code), kind);
    }
  }
}

Test(messages, shape_codes_are_read_as_they_were_written) {
  for (uint32_t shape = 0; shape < 256; shape += 5) {
    for (uint64_t place = 0; place < 1000; place += 37) {
      uint64_t code = nr_shape_code(place, shape);
      cr_assert_eq(nr_shape_code_place(code), place);
      cr_assert_eq(nr_shape_code_shape(code), shape);
    }
  }
}

Test(messages, text_codes_are_read_as_they_were_written) {
  for (uint64_t place = 0; place < 1000; place += 37) {
    for (int wide = 0; wide < 2; wide++) {
      uint64_t code = nr_text_code(place, wide != 0);
      cr_assert_eq(nr_text_code_place(code), place);
      cr_assert_eq(nr_text_code_wide(code), wide != 0);
    }
  }
}
