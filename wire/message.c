/*
 * A message is walked by protobuf-c's own description of it, field by field. Fields have numbers below 16, so that a
 * tag is one byte, and repeated numbers have 64 bits. What the table does not have is neither written nor read:
 * test_messages.c compares all messages of the table with what protobuf-c makes of them.
 */
#include "wire/message.h"

#include <stdbool.h>
#include <string.h>

enum form { FORM_VARINT = 0, FORM_EIGHT = 1, FORM_LENGTH = 2 };

static inline uint8_t tag_of(const ProtobufCFieldDescriptor *field, enum form form) {
  return (uint8_t)(field->id << 3 | form);
}

static inline bool is_eight(ProtobufCType type) {
  return type == PROTOBUF_C_TYPE_FIXED64 || type == PROTOBUF_C_TYPE_SFIXED64 || type == PROTOBUF_C_TYPE_DOUBLE;
}

static inline const void *at_field(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  return (const char *)message + field->offset;
}

/* A repeated field. */
struct items {
  const void *first;
  size_t count;
};

static inline struct items items_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  const char *quantifier = (const char *)message + field->quantifier_offset;
  return (struct items){*(const void *const *)at_field(message, field), *(const size_t *)(const void *)quantifier};
}

/* What is no text is not sent: that is the default. */
static inline const char *text_of(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  const char *text = *(const char *const *)at_field(message, field);
  return text == NULL ? "" : text;
}

static inline const ProtobufCMessage *message_of(const ProtobufCMessage *message,
                                                 const ProtobufCFieldDescriptor *field) {
  return *(const ProtobufCMessage *const *)at_field(message, field);
}

/* ---- Varints: seven bits a byte, the lowest first -----------------------------------------------------------------
 */

static inline size_t varint_size(uint64_t number) {
  unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);
  return (bits + 6) / 7;
}

static inline uint8_t *put_varint(uint8_t *to, uint64_t number) {
  while (number >= 0x80) {
    *to++ = (uint8_t)(number | 0x80);
    number >>= 7;
  }
  *to++ = (uint8_t)number;
  return to;
}

static size_t varints_size(struct items items) {
  const uint64_t *numbers = items.first;
  size_t size = 0;
  for (size_t i = 0; i < items.count; i++) size += varint_size(numbers[i]);
  return size;
}

/* What a number is as a varint. */
static inline uint64_t read_number(ProtobufCType type, const void *at) {
  switch (type) {
  case PROTOBUF_C_TYPE_BOOL: return *(const protobuf_c_boolean *)at != 0;
  case PROTOBUF_C_TYPE_UINT32: return *(const uint32_t *)at;
  case PROTOBUF_C_TYPE_INT32: return (uint64_t)(int64_t) * (const int32_t *)at;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_UINT64: return *(const uint64_t *)at;
  default: return 0;
  }
}

/* ---- How long it is -----------------------------------------------------------------------------------------------
 */

/* With its tag and its length before it. */
static inline size_t whole(size_t length) {
  return 1 + varint_size(length) + length;
}

static size_t repeated_size(const ProtobufCFieldDescriptor *field, struct items items) {
  if (is_eight(field->type)) return whole(items.count * 8);
  if (field->type != PROTOBUF_C_TYPE_MESSAGE) return whole(varints_size(items));
  ProtobufCMessage *const *messages = items.first;
  size_t size = 0;
  for (size_t i = 0; i < items.count; i++) size += whole(nr_message_size(messages[i]));
  return size;
}

static size_t single_size(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    const ProtobufCMessage *inner = message_of(message, field);
    return inner == NULL ? 0 : whole(nr_message_size(inner));
  }
  if (field->type == PROTOBUF_C_TYPE_STRING) {
    size_t length = strlen(text_of(message, field));
    return length == 0 ? 0 : whole(length);
  }
  uint64_t number = read_number(field->type, at_field(message, field));
  return number == 0 ? 0 : 1 + varint_size(number);
}

size_t nr_message_size(const ProtobufCMessage *message) {
  const ProtobufCMessageDescriptor *type = message->descriptor;
  size_t size = 0;
  for (unsigned i = 0; i < type->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &type->fields[i];
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
      struct items items = items_of(message, field);
      if (items.count > 0) size += repeated_size(field, items);
    } else if (is_eight(field->type)) {
      if (*(const uint64_t *)at_field(message, field) != 0) size += 9;
    } else {
      size += single_size(message, field);
    }
  }
  return size;
}

/* ---- Packing ------------------------------------------------------------------------------------------------------
 */

static uint8_t *pack(const ProtobufCMessage *message, uint8_t *to);

static inline uint8_t *put_head(uint8_t *to, const ProtobufCFieldDescriptor *field, size_t length) {
  *to++ = tag_of(field, FORM_LENGTH);
  return put_varint(to, length);
}

static inline uint8_t *put_bytes(uint8_t *to, const ProtobufCFieldDescriptor *field, const void *bytes, size_t length) {
  to = put_head(to, field, length);
  memcpy(to, bytes, length);
  return to + length;
}

static uint8_t *put_message(uint8_t *to, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
  return pack(message, put_head(to, field, nr_message_size(message)));
}

static uint8_t *put_repeated(uint8_t *to, const ProtobufCFieldDescriptor *field, struct items items) {
  if (is_eight(field->type)) return put_bytes(to, field, items.first, items.count * 8);
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    ProtobufCMessage *const *messages = items.first;
    for (size_t i = 0; i < items.count; i++) to = put_message(to, field, messages[i]);
    return to;
  }
  const uint64_t *numbers = items.first;
  to = put_head(to, field, varints_size(items));
  for (size_t i = 0; i < items.count; i++) to = put_varint(to, numbers[i]);
  return to;
}

static uint8_t *put_single(uint8_t *to, const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message) {
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
    const ProtobufCMessage *inner = message_of(message, field);
    return inner == NULL ? to : put_message(to, field, inner);
  }
  if (field->type == PROTOBUF_C_TYPE_STRING) {
    const char *text = text_of(message, field);
    return *text == '\0' ? to : put_bytes(to, field, text, strlen(text));
  }
  uint64_t number = read_number(field->type, at_field(message, field));
  if (number == 0) return to;
  *to++ = tag_of(field, FORM_VARINT);
  return put_varint(to, number);
}

static inline uint8_t *put_eight(uint8_t *to, const ProtobufCFieldDescriptor *field, const uint64_t *number) {
  if (*number == 0) return to;
  *to++ = tag_of(field, FORM_EIGHT);
  memcpy(to, number, 8);
  return to + 8;
}

static uint8_t *pack(const ProtobufCMessage *message, uint8_t *to) {
  const ProtobufCMessageDescriptor *type = message->descriptor;
  for (unsigned i = 0; i < type->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &type->fields[i];
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
      struct items items = items_of(message, field);
      if (items.count > 0) to = put_repeated(to, field, items);
    } else if (is_eight(field->type)) {
      to = put_eight(to, field, at_field(message, field));
    } else {
      to = put_single(to, field, message);
    }
  }
  return to;
}

size_t nr_message_pack(const ProtobufCMessage *message, uint8_t *to) {
  return (size_t)(pack(message, to) - to);
}

/* ---- Unpacking: of bytes of a process that may be hostile (a copy: nobody changes them meanwhile) -----------------
 */

/* Bytes from `at` on: what is read moves it. */
struct reader {
  struct nr_arena *arena;
  size_t budget;
  const uint8_t *at, *end;
};

static inline void *take_memory(struct reader *reader, size_t size) {
  if (size > reader->budget) return NULL;
  reader->budget -= size;
  return nr_arena_alloc(reader->arena, size);
}

static inline bool get_varint(struct reader *reader, uint64_t *to) {
  uint64_t number = 0;
  for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
    uint8_t byte = *reader->at++;
    number |= (uint64_t)(byte & 0x7f) << shift;
    if (byte >= 0x80) continue;
    *to = number;
    return true;
  }
  return false;
}

/* Of what follows, all of which is there. */
static inline bool get_length(struct reader *reader, size_t *length) {
  uint64_t number;
  if (!get_varint(reader, &number) || number > (size_t)(reader->end - reader->at)) return false;
  *length = (size_t)number;
  return true;
}

static ProtobufCMessage *get_fields(struct reader *reader, const ProtobufCMessageDescriptor *type);

/* The schema has no recursion. */
static ProtobufCMessage *get_message(struct reader *reader, const ProtobufCMessageDescriptor *type) {
  size_t length;
  if (!get_length(reader, &length)) return NULL;
  const uint8_t *end = reader->end;
  reader->end = reader->at + length;
  ProtobufCMessage *message = get_fields(reader, type);
  reader->end = end;
  return message;
}

/* One behind the other with the same tag, of which the first has been read. 0: they are not all there. */
static size_t count_messages(struct reader ahead, uint8_t tag) {
  size_t count = 0, length;
  do {
    if (!get_length(&ahead, &length)) return 0;
    ahead.at += length;
    count++;
  } while (ahead.at < ahead.end && *ahead.at++ == tag);
  return count;
}

static bool get_messages(struct reader *reader, const ProtobufCFieldDescriptor *field, struct items *items) {
  size_t count = count_messages(*reader, tag_of(field, FORM_LENGTH));
  ProtobufCMessage **messages = count == 0 ? NULL : take_memory(reader, count * sizeof *messages);
  if (messages == NULL) return false;
  for (size_t i = 0; i < count; i++) {
    if (i > 0) reader->at++;
    messages[i] = get_message(reader, field->descriptor);
    if (messages[i] == NULL) return false;
  }
  *items = (struct items){messages, count};
  return true;
}

static bool get_eights(struct reader *reader, struct items *items) {
  size_t length;
  if (!get_length(reader, &length) || length % 8 != 0) return false;
  void *numbers = take_memory(reader, length);
  if (numbers == NULL) return false;
  memcpy(numbers, reader->at, length);
  reader->at += length;
  *items = (struct items){numbers, length / 8};
  return true;
}

static bool get_varints(struct reader *reader, struct items *items) {
  size_t length, count = 0;
  if (!get_length(reader, &length)) return false;
  const uint8_t *end = reader->at + length;
  for (const uint8_t *at = reader->at; at < end; at++) count += *at < 0x80;
  uint64_t *numbers = take_memory(reader, count * sizeof *numbers);
  if (numbers == NULL) return false;
  for (size_t i = 0; i < count; i++) {
    if (!get_varint(reader, &numbers[i])) return false;
  }
  *items = (struct items){numbers, count};
  return reader->at == end;
}

static bool get_repeated(struct reader *reader, const ProtobufCFieldDescriptor *field, ProtobufCMessage *message) {
  struct items items;
  bool is = field->type == PROTOBUF_C_TYPE_MESSAGE  ? get_messages(reader, field, &items)
            : is_eight(field->type)                 ? get_eights(reader, &items)
            : field->type == PROTOBUF_C_TYPE_UINT64 ? get_varints(reader, &items)
                                                    : false;
  if (!is) return false;
  *(const void **)(void *)((char *)message + field->offset) = items.first;
  *(size_t *)(void *)((char *)message + field->quantifier_offset) = items.count;
  return true;
}

static bool get_eight(struct reader *reader, void *to) {
  if (reader->end - reader->at < 8) return false;
  memcpy(to, reader->at, 8);
  reader->at += 8;
  return true;
}

static bool get_text(struct reader *reader, char **to) {
  size_t length;
  if (!get_length(reader, &length)) return false;
  char *text = take_memory(reader, length + 1);
  if (text == NULL) return false;
  memcpy(text, reader->at, length);
  text[length] = '\0';
  reader->at += length;
  *to = text;
  return true;
}

static bool get_number(struct reader *reader, ProtobufCType type, void *to) {
  uint64_t number;
  if (!get_varint(reader, &number)) return false;
  switch (type) {
  case PROTOBUF_C_TYPE_BOOL: *(protobuf_c_boolean *)to = number != 0; return true;
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_UINT32: *(uint32_t *)to = (uint32_t)number; return true;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_UINT64: *(uint64_t *)to = number; return true;
  default: return false;
  }
}

static bool get_single(struct reader *reader, const ProtobufCFieldDescriptor *field, enum form form, void *to) {
  if (is_eight(field->type)) return form == FORM_EIGHT && get_eight(reader, to);
  if (field->type == PROTOBUF_C_TYPE_MESSAGE)
    return form == FORM_LENGTH && (*(ProtobufCMessage **)to = get_message(reader, field->descriptor)) != NULL;
  if (field->type == PROTOBUF_C_TYPE_STRING) return form == FORM_LENGTH && get_text(reader, to);
  return form == FORM_VARINT && get_number(reader, field->type, to);
}

/* All up to the end. */
static ProtobufCMessage *get_fields(struct reader *reader, const ProtobufCMessageDescriptor *type) {
  ProtobufCMessage *message = take_memory(reader, type->sizeof_message);
  if (message == NULL) return NULL;
  protobuf_c_message_init(type, message);
  for (unsigned next = 0; reader->at < reader->end; next++) {
    uint8_t tag = *reader->at++;
    while (next < type->n_fields && type->fields[next].id < tag >> 3) next++;
    if (next == type->n_fields || type->fields[next].id != tag >> 3) return NULL;
    const ProtobufCFieldDescriptor *field = &type->fields[next];
    enum form form = (enum form)(tag & 7);
    bool is = field->label == PROTOBUF_C_LABEL_REPEATED
                  ? form == FORM_LENGTH && get_repeated(reader, field, message)
                  : get_single(reader, field, form, (char *)message + field->offset);
    if (!is) return NULL;
  }
  return message;
}

void *nr_message_unpack(struct nr_arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                        size_t length) {
  if (length > (SIZE_MAX - 4096) / 16) return NULL;
  struct reader reader = {.arena = arena, .budget = length * 16 + 4096, .at = bytes, .end = bytes + length};
  struct nr_arena_mark mark = nr_arena_mark(arena);
  ProtobufCMessage *message = get_fields(&reader, type);
  if (message == NULL) nr_arena_release(arena, mark);
  return message;
}
