/*
 * Frames whose message or tail lies: cut, padded, with other bits, or well-formed with one wrong field.
 */
#include <stdlib.h>
#include <string.h>

#include "faults.h"
#include "slots.h"

#define SLOTS_MAX 256

/* The scalar fields of a message, also of those inside it. */
struct slots {
  struct slot {
    ProtobufCType type;
    void *at;
  } list[SLOTS_MAX];
  size_t count;
  enum nr_mode mode;
};

static bool is_wanted(ProtobufCType type, enum nr_mode mode) {
  switch (mode) {
  case NR_MODE_NONSENSE:
  case NR_MODE_VALUE: return type == PROTOBUF_C_TYPE_FIXED64;
  case NR_MODE_ID: return type == PROTOBUF_C_TYPE_UINT64;
  case NR_MODE_SPAN: return type == PROTOBUF_C_TYPE_SFIXED64;
  default: return type != PROTOBUF_C_TYPE_FIXED64 && type != PROTOBUF_C_TYPE_SFIXED64;
  }
}

static void add(const ProtobufCFieldDescriptor *field, void *at, void *context) {
  struct slots *slots = context;
  if (slots->count < SLOTS_MAX && is_wanted(field->type, slots->mode))
    slots->list[slots->count++] = (struct slot){field->type, at};
}

static uint64_t wrong_value(struct nr_outgoing *frame, uint64_t right) {
  switch (nr_random(frame) % 9) {
  case 0: return NR_ABSENT + nr_random(frame) % 8;
  case 1: return right + 1;
  case 2: return right - 1;
  case 3: return right ^ NR_HANDLE_BY_HOST;
  case 4: return right + (UINT64_C(1) << 32);
  case 5: return nr_value_with_tag(right, NR_TAG_STRING + nr_random(frame) % 6);
  case 6:
    return nr_value_handle(NR_TAG_STRING + nr_random(frame) % 6, nr_random(frame) % 2, nr_value_generation(right),
                           nr_random(frame) % 64);
  case 7: return (uint64_t)NR_TAG_SPECIAL << NR_TAG_SHIFT | nr_random_wide(frame);
  default: return nr_random_wide(frame);
  }
}

static int64_t wrong_span(struct nr_outgoing *frame, int64_t right) {
  uint32_t offset = nr_span_offset(right), length = nr_span_length(right);
  switch (nr_random(frame) % 6) {
  case 0: return nr_span_make(offset, length + 1);
  case 1: return nr_span_make(offset + 1, length);
  case 2: return nr_span_make(UINT32_MAX - 1, length);
  case 3: return nr_span_make(offset, UINT32_MAX);
  case 4: return nr_span_make(nr_random(frame), nr_random(frame));
  default: return right == NR_SPAN_NULL ? nr_span_make(0, 1) : NR_SPAN_NULL;
  }
}

static void spoil(struct nr_outgoing *frame, const struct slot *slot) {
  uint64_t value = 0;
  size_t size = nr_slot_size(slot->type);
  memcpy(&value, slot->at, size);
  if (slot->type == PROTOBUF_C_TYPE_FIXED64) {
    value = wrong_value(frame, value);
  } else if (slot->type == PROTOBUF_C_TYPE_SFIXED64) {
    value = (uint64_t)wrong_span(frame, (int64_t)value);
  } else if (slot->type == PROTOBUF_C_TYPE_BOOL) {
    value = !value;
  } else {
    value = nr_wrong_number(frame, value);
  }
  memcpy(slot->at, &value, size);
}

/* The message as it would be, with one wrong field; without such a field as it is. */
static int send_spoiled(struct nr_outgoing *frame, const uint8_t *packed, size_t length, enum nr_mode mode) {
  struct slots slots = {.mode = mode};
  ProtobufCMessage *message = protobuf_c_message_unpack(frame->message->descriptor, NULL, length, packed);
  if (message == NULL) abort();
  nr_slots_visit(message, add, &slots);
  for (size_t i = 0; mode == NR_MODE_NONSENSE && i < slots.count; i++)
    memcpy(slots.list[i].at, &(nr_value){NR_SPECIAL(77)}, sizeof(nr_value));
  if (mode != NR_MODE_NONSENSE && slots.count > 0) spoil(frame, &slots.list[nr_random(frame) % slots.count]);
  frame->message = message;
  int error = nr_send(frame);
  protobuf_c_message_free_unpacked(message, NULL);
  return error;
}

static int send_bytes(struct nr_outgoing *frame, const uint8_t *bytes, size_t length) {
  struct nr_frame_header header = frame->header;
  if (length > nr_ring_room(&frame->port->own)) return nr_send(frame);
  header.message_length = (uint32_t)length;
  header.commit = nr_ring_lines(header.message_length);
  return nr_send_raw(frame, &header, bytes, length);
}

/* Shorter, longer or with other bits; the tail is left out. `bytes` has room for 64 more. */
static int send_other_bytes(struct nr_outgoing *frame, uint8_t *bytes, size_t length, enum nr_mode mode) {
  if (mode == NR_MODE_SHORT) return send_bytes(frame, bytes, length == 0 ? 0 : nr_random(frame) % length);
  if (mode == NR_MODE_LONG) {
    size_t more = 1 + nr_random(frame) % 64;
    for (size_t i = 0; i < more; i++) bytes[length + i] = (uint8_t)nr_random(frame);
    return send_bytes(frame, bytes, length + more);
  }
  for (unsigned i = 0; length > 0 && i < 3; i++) {
    uint32_t random = nr_random(frame);
    bytes[random / 8 % length] ^= (uint8_t)(1u << random % 8);
  }
  return send_bytes(frame, bytes, length);
}

int nr_lie_in_content(struct nr_outgoing *frame, enum nr_mode mode) {
  size_t length = frame->message == NULL ? 0 : protobuf_c_message_get_packed_size(frame->message);
  if (mode == NR_MODE_TAIL) {
    frame->tail_count = frame->tail_count == 0 ? 0 : nr_random(frame) % frame->tail_count;
    return nr_send(frame);
  }
  uint8_t *packed = malloc(length + 64);
  if (packed == NULL || frame->message == NULL) abort();
  protobuf_c_message_pack(frame->message, packed);
  int error = mode >= NR_MODE_NONSENSE ? send_spoiled(frame, packed, length, mode)
                                       : send_other_bytes(frame, packed, length, mode);
  free(packed);
  return error;
}
