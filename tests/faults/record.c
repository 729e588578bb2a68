/*
 * Writes down what this host sends, for the fuzz targets: NAPI_REMOTE_TEST_RECORD names the file for the server's
 * dispatch (tests/fuzz/records.h has the form), the same with .ring the one for the decoders (bytes of a ring).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "opcodes.h"
#include "slots.h"
#include "tests/fuzz/records.h"

#define PAYLOAD_MAX 4096u

static FILE *file, *ring;

__attribute__((constructor)) static void open_record(void) {
  const char *path = getenv("NAPI_REMOTE_TEST_RECORD");
  static const uint8_t control_words[18];
  char ring_path[4096];
  if (path == NULL) return;
  snprintf(ring_path, sizeof ring_path, "%s.ring", path);
  file = fopen(path, "ae");
  ring = fopen(ring_path, "ae");
  if (file == NULL || ring == NULL) _exit(71);
  fwrite(control_words, 1, sizeof control_words, ring);
}

static uint64_t recorded_value(nr_value value) {
  if (nr_value_is_double(value)) return (uint64_t)(int64_t)nr_value_to_double(value) << 3 | NR_RECORDED_DOUBLE;
  if (!nr_value_is_handle(value)) return (value & 7) << 3 | NR_RECORDED_SPECIAL;
  return (uint64_t)nr_value_index(value) << 3 | (nr_value_is_by_host(value) ? NR_RECORDED_CHOSEN : NR_RECORDED_GIVEN);
}

static void note(const ProtobufCFieldDescriptor *field, void *at, void *context) {
  (void)context;
  if (field->type != PROTOBUF_C_TYPE_FIXED64) return;
  uint64_t value;
  memcpy(&value, at, sizeof value);
  value = recorded_value(value);
  memcpy(at, &value, sizeof value);
}

/* Packs the message as it is to be written down; its length. */
static size_t pack_recorded(const ProtobufCMessage *original, uint8_t *packed) {
  size_t length = protobuf_c_message_pack(original, packed);
  ProtobufCMessage *message = protobuf_c_message_unpack(original->descriptor, NULL, length, packed);
  if (message == NULL) abort();
  nr_slots_visit(message, note, NULL);
  length = protobuf_c_message_pack(message, packed);
  protobuf_c_message_free_unpacked(message, NULL);
  return length;
}

/* The frame as it lies in the ring. */
static void write_ring(const struct nr_outgoing *frame, const uint8_t *packed, size_t length, size_t tail) {
  static const uint8_t zeros[NR_CACHE_LINE];
  struct nr_frame_header header = frame->header;
  header.message_length = (uint32_t)length;
  header.tail_length = (uint32_t)tail;
  size_t payload = nr_payload_size(header.message_length, header.tail_length);
  header.commit = nr_ring_lines((uint32_t)payload);
  fwrite(&header, 1, sizeof header, ring);
  fwrite(packed, 1, length, ring);
  fwrite(zeros, 1, payload - length - tail, ring);
  for (size_t i = 0; i < frame->tail_count; i++) fwrite(frame->tail[i].data, 1, frame->tail[i].length, ring);
  fwrite(zeros, 1, (size_t)header.commit * NR_CACHE_LINE - sizeof header - payload, ring);
  fflush(ring);
}

void nr_record(const struct nr_outgoing *frame) {
  const struct nr_frame_header *header = &frame->header;
  uint8_t packed[2 * PAYLOAD_MAX];
  if (file == NULL || frame->message == NULL) return;
  size_t length = protobuf_c_message_get_packed_size(frame->message), tail = 0;
  for (size_t i = 0; i < frame->tail_count; i++) tail += frame->tail[i].length;
  if (length > PAYLOAD_MAX || tail > PAYLOAD_MAX) return;
  protobuf_c_message_pack(frame->message, packed);
  write_ring(frame, packed, length, tail);
  size_t written = pack_recorded(frame->message, packed);
  uint8_t bits = (uint8_t)(header->opcode >> 8 & NR_RECORD_CLASS);
  if (header->kind == NR_KIND_POST) bits |= NR_RECORD_POST;
  if (header->kind == NR_KIND_RETURN) bits |= NR_RECORD_RETURN;
  const uint8_t record[NR_RECORD_HEADER] = {(uint8_t)header->opcode, bits,          (uint8_t)written,
                                            (uint8_t)(written >> 8), (uint8_t)tail, (uint8_t)(tail >> 8)};
  fwrite(record, 1, sizeof record, file);
  fwrite(packed, 1, written, file);
  for (size_t i = 0; i < frame->tail_count; i++) fwrite(frame->tail[i].data, 1, frame->tail[i].length, file);
  /* Where JavaScript goes on: the target reads what it does next. */
  if (header->kind == NR_KIND_RETURN && header->depth == 0 && header->opcode != NR_OP_LOAD) fwrite("\0\0", 1, 2, file);
  fflush(file);
}
