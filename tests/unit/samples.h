/*
 * Messages for the tests of wire/, which knows no message of the table, so that the table can change without them. As protoc-c
 * would make them of:
 *
 *   message Part {
 *     fixed64 value = 1; uint32 shape = 2; sfixed64 bytes = 3; uint64 part_id = 4;
 *   }
 *   message Sample {
 *     uint64 sample_id = 1; repeated fixed64 values = 2; fixed64 value = 3; repeated Part parts = 4; Part part = 5;
 *     repeated uint64 many_id = 6; bool flag = 7; int32 number = 8; string text = 9; sfixed64 bytes = 10;
 *   }
 */
#ifndef NR_TESTS_SAMPLES_H
#define NR_TESTS_SAMPLES_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

struct part {
  ProtobufCMessage base;
  uint64_t value;
  uint32_t shape;
  int64_t bytes;
  uint64_t part_id;
};

struct sample {
  ProtobufCMessage base;
  uint64_t sample_id;
  size_t n_values;
  uint64_t *values;
  uint64_t value;
  size_t n_parts;
  struct part **parts;
  struct part *part;
  size_t n_many_id;
  uint64_t *many_id;
  protobuf_c_boolean flag;
  int32_t number;
  char *text;
  int64_t bytes;
};

#define FIELD(message, id, member, kind)                                                                               \
  {                                                                                                                    \
#member, id, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_##kind, 0, offsetof(struct message, member), NULL, NULL, 0, 0, \
        NULL, NULL                                                                                                     \
  }
#define REPEATED(message, id, member, kind, of, flags)                                                                 \
  {                                                                                                                    \
#member, id, PROTOBUF_C_LABEL_REPEATED, PROTOBUF_C_TYPE_##kind, offsetof(struct message, n_##member),              \
        offsetof(struct message, member), of, NULL, flags, 0, NULL, NULL                                               \
  }
#define DESCRIPTOR(type, count)                                                                                        \
  {                                                                                                                    \
    PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC, #type, #type, #type, "", sizeof(struct type), count, type##_fields,          \
        type##_by_name, 1, type##_ranges, type##_init_message, NULL, NULL, NULL                                        \
  }

static inline void part_init_message(ProtobufCMessage *message);
static const ProtobufCFieldDescriptor part_fields[] = {
    FIELD(part, 1, value, FIXED64),
    FIELD(part, 2, shape, UINT32),
    FIELD(part, 3, bytes, SFIXED64),
    FIELD(part, 4, part_id, UINT64),
};
static const unsigned part_by_name[] = {2, 3, 1, 0};
static const ProtobufCIntRange part_ranges[] = {{1, 0}, {0, 4}};
static const ProtobufCMessageDescriptor part_descriptor = DESCRIPTOR(part, 4);

static inline void part_init_message(ProtobufCMessage *message) {
  *(struct part *)message = (struct part){.base = {&part_descriptor, 0, NULL}};
}

static inline void sample_init_message(ProtobufCMessage *message);
static const ProtobufCFieldDescriptor sample_fields[] = {
    FIELD(sample, 1, sample_id, UINT64),
    REPEATED(sample, 2, values, FIXED64, NULL, PROTOBUF_C_FIELD_FLAG_PACKED),
    FIELD(sample, 3, value, FIXED64),
    REPEATED(sample, 4, parts, MESSAGE, &part_descriptor, 0),
    {"part", 5, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_MESSAGE, 0, offsetof(struct sample, part), &part_descriptor,
     NULL, 0, 0, NULL, NULL},
    REPEATED(sample, 6, many_id, UINT64, NULL, PROTOBUF_C_FIELD_FLAG_PACKED),
    FIELD(sample, 7, flag, BOOL),
    FIELD(sample, 8, number, INT32),
    {"text", 9, PROTOBUF_C_LABEL_NONE, PROTOBUF_C_TYPE_STRING, 0, offsetof(struct sample, text), NULL,
     &protobuf_c_empty_string, 0, 0, NULL, NULL},
    FIELD(sample, 10, bytes, SFIXED64),
};
static const unsigned sample_by_name[] = {9, 6, 5, 7, 4, 3, 0, 8, 2, 1};
static const ProtobufCIntRange sample_ranges[] = {{1, 0}, {0, 10}};
static const ProtobufCMessageDescriptor sample_descriptor = DESCRIPTOR(sample, 10);

static inline void sample_init_message(ProtobufCMessage *message) {
  *(struct sample *)message =
      (struct sample){.base = {&sample_descriptor, 0, NULL}, .text = (char *)protobuf_c_empty_string};
}

static inline struct part part_make(void) {
  struct part part;
  part_init_message(&part.base);
  return part;
}

static inline struct sample sample_make(void) {
  struct sample sample;
  sample_init_message(&sample.base);
  return sample;
}

#endif
