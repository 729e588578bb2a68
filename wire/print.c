/*
 * Printing messages for traces and reports.
 */
#include "wire/print.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_SHOWN 32u
static const char ellipsis[] = "\u2026";

struct out {
  char *buffer;
  size_t size;
  size_t length;
  bool full;
  const uint8_t *tail;
  size_t tail_length;
  unsigned depth; /* of messages in messages */
  struct nr_print_kept kept;
};

/* Ends the text with an ellipsis, at the edge of a UTF-8 character. */
static void cut(struct out *out) {
  const size_t needed = sizeof ellipsis;
  out->full = true;
  if (out->size < needed) {
    out->length = 0;
  } else {
    if (out->length > out->size - needed) out->length = out->size - needed;
    while (out->length > 0 && ((uint8_t)out->buffer[out->length] & 0xc0) == 0x80) out->length--;
    memcpy(out->buffer + out->length, ellipsis, needed - 1);
    out->length += needed - 1;
  }
  out->buffer[out->length] = '\0';
}

static void put_bytes(struct out *out, const char *bytes, size_t length) {
  if (out->full) return;
  size_t left = out->size - 1 - out->length;
  memcpy(out->buffer + out->length, bytes, length < left ? length : left);
  if (length > left) {
    out->length = out->size - 1;
    /* The byte behind the last one tells cut() whether it is inside of a character. */
    out->buffer[out->length] = '\0';
    cut(out);
    return;
  }
  out->length += length;
  out->buffer[out->length] = '\0';
}

static void put(struct out *out, const char *text) {
  put_bytes(out, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void put_format(struct out *out, const char *format, ...) {
  char text[64];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  put(out, text);
}

/* ---- Text ---- */

/* The length of the UTF-8 character that starts here, 0 when none does. */
static size_t utf8_length(const uint8_t *bytes, size_t available) {
  uint8_t lead = bytes[0];
  size_t length = lead >= 0xf0 && lead <= 0xf4  ? 4
                  : lead >= 0xe0 && lead < 0xf0 ? 3
                  : lead >= 0xc2 && lead < 0xe0 ? 2
                                                : 0;
  if (length == 0 || length > available) return 0;
  for (size_t i = 1; i < length; i++)
    if ((bytes[i] & 0xc0) != 0x80) return 0;
  if ((lead == 0xe0 && bytes[1] < 0xa0) || (lead == 0xed && bytes[1] > 0x9f)) return 0;
  if ((lead == 0xf0 && bytes[1] < 0x90) || (lead == 0xf4 && bytes[1] > 0x8f)) return 0;
  return length;
}

/* Prints one character, escaped when it would disturb a line of a terminal. Returns how many bytes it was. */
static size_t put_character(struct out *out, const uint8_t *bytes, size_t available) {
  uint8_t byte = bytes[0];
  if (byte >= 0x80) {
    size_t length = utf8_length(bytes, available);
    /* U+0080 to U+009F are control characters too. */
    if (length > 0 && !(byte == 0xc2 && bytes[1] < 0xa0)) {
      put_bytes(out, (const char *)bytes, length);
      return length;
    }
  } else if (byte == '"' || byte == '\\') {
    put_format(out, "\\%c", byte);
    return 1;
  } else if (byte == '\n' || byte == '\t' || byte == '\r') {
    put(out, byte == '\n' ? "\\n" : byte == '\t' ? "\\t" : "\\r");
    return 1;
  } else if (byte >= 0x20 && byte < 0x7f) {
    put_bytes(out, (const char *)bytes, 1);
    return 1;
  }
  put_format(out, "\\x%02x", byte);
  return 1;
}

/* kept: of `length` bytes, this many are there. */
static void put_text(struct out *out, const uint8_t *bytes, size_t length, size_t kept) {
  size_t shown = 0;
  put(out, "\"");
  while (shown < kept) {
    size_t next = utf8_length(bytes + shown, kept - shown);
    if (shown + (next > 1 ? next : 1) > TEXT_SHOWN) break;
    shown += put_character(out, bytes + shown, kept - shown);
  }
  put(out, "\"");
  if (shown < length) put_format(out, "%s(%zu)", ellipsis, length);
}

static void put_whole_text(struct out *out, const uint8_t *bytes, size_t length) {
  put_text(out, bytes, length, length);
}

static void put_span(struct out *out, nr_span span) {
  if (span == NR_SPAN_NULL) {
    put(out, "NULL");
    return;
  }
  uint32_t offset = nr_span_offset(span), length = nr_span_length(span);
  if (offset > out->tail_length || length > out->tail_length - offset)
    put_format(out, "outside(%u, %u)", offset, length);
  else if (offset > out->kept.tail)
    put_format(out, "%s(%u)", ellipsis, length);
  else
    put_text(out, out->tail + offset, length, length < out->kept.tail - offset ? length : out->kept.tail - offset);
}

/* ---- Values ---- */

/* The shortest form that reads back as the same number. */
static void put_double(struct out *out, double number) {
  char text[40];
  if (isnan(number) || isinf(number)) {
    put(out, isnan(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  put(out, text);
}

static void put_value(struct out *out, nr_value value) {
  static const char *const specials[] = {"absent", "undefined", "null", "false", "true"};
  static const char *const types[] = {"string", "symbol", "object", "function", "external", "bigint"};
  if (nr_value_is_double(value)) {
    put_double(out, nr_value_to_double(value));
  } else if (nr_value_is_handle(value)) {
    put_format(out, "%s#%s%u", types[nr_value_tag(value) - NR_TAG_STRING], nr_value_is_by_host(value) ? "h" : "",
               nr_value_index(value));
  } else if (nr_value_tag(value) == NR_TAG_SPECIAL && (value & NR_PAYLOAD_MASK) < sizeof specials / sizeof *specials) {
    put(out, specials[value & NR_PAYLOAD_MASK]);
  } else {
    put_format(out, "value 0x%016llx", (unsigned long long)value);
  }
}

static bool ends_in_id(const char *name) {
  size_t length = strlen(name);
  return length > 3 && strcmp(name + length - 3, "_id") == 0;
}

static void put_unsigned(struct out *out, const ProtobufCFieldDescriptor *field, uint64_t number) {
  if (number != 0 && ends_in_id(field->name))
    put_format(out, "#%u.%u", (uint32_t)number - 1, (uint32_t)(number >> 32));
  else
    put_format(out, "%llu", (unsigned long long)number);
}

/* ---- Messages ---- */

static void put_message(struct out *out, const ProtobufCMessage *message);

static void put_enum(struct out *out, const ProtobufCFieldDescriptor *field, int number) {
  const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(field->descriptor, number);
  if (value)
    put(out, value->name);
  else
    put_format(out, "%d", number);
}

static size_t element_size(ProtobufCType type) {
  switch (type) {
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32:
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32:
  case PROTOBUF_C_TYPE_FLOAT: return 4;
  case PROTOBUF_C_TYPE_ENUM: return sizeof(int);
  case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
  case PROTOBUF_C_TYPE_BYTES: return sizeof(ProtobufCBinaryData);
  default: return 8;
  }
}

/* Members are read with the types that the generated structs give them. */
#define READ(type, at) (*(const type *)(at))

static void put_element(struct out *out, const ProtobufCFieldDescriptor *field, const void *at) {
  switch (field->type) {
  case PROTOBUF_C_TYPE_FIXED64: put_value(out, READ(uint64_t, at)); break;
  case PROTOBUF_C_TYPE_SFIXED64: put_span(out, READ(int64_t, at)); break;
  case PROTOBUF_C_TYPE_UINT64: put_unsigned(out, field, READ(uint64_t, at)); break;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64: put_format(out, "%lld", (long long)READ(int64_t, at)); break;
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32: put_format(out, "%u", READ(uint32_t, at)); break;
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32: put_format(out, "%d", READ(int32_t, at)); break;
  case PROTOBUF_C_TYPE_BOOL: put(out, READ(protobuf_c_boolean, at) ? "true" : "false"); break;
  case PROTOBUF_C_TYPE_DOUBLE: put_double(out, READ(double, at)); break;
  case PROTOBUF_C_TYPE_FLOAT: put_double(out, READ(float, at)); break;
  case PROTOBUF_C_TYPE_ENUM: put_enum(out, field, READ(int, at)); break;
  case PROTOBUF_C_TYPE_STRING: put_whole_text(out, READ(uint8_t *, at), strlen(READ(char *, at))); break;
  case PROTOBUF_C_TYPE_BYTES:
    put_whole_text(out, READ(ProtobufCBinaryData, at).data, READ(ProtobufCBinaryData, at).len);
    break;
  case PROTOBUF_C_TYPE_MESSAGE: put_message(out, READ(ProtobufCMessage *, at)); break;
  }
}

static void put_repeated(struct out *out, const ProtobufCFieldDescriptor *field, const uint8_t *elements,
                         size_t count) {
  size_t kept = out->depth > 1 ? count : elements == NULL ? 0 : out->kept.values;
  put(out, "[");
  for (size_t i = 0; i < count && i < kept && !out->full; i++) {
    if (i > 0) put(out, ", ");
    put_element(out, field, elements + i * element_size(field->type));
  }
  if (kept < count) put_format(out, "%s%s(%zu)", kept > 0 ? ", " : "", ellipsis, count);
  put(out, "]");
}

static bool is_zero(const uint8_t *bytes, size_t length) {
  while (length > 0)
    if (bytes[--length] != 0) return false;
  return true;
}

/* Is a single field at its default (or not there at all)? */
static bool is_default(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  const uint8_t *at = (const uint8_t *)message + field->offset;
  if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
    return READ(uint32_t, (const uint8_t *)message + field->quantifier_offset) != field->id;
  if (field->type == PROTOBUF_C_TYPE_STRING) return !READ(char *, at) || *READ(char *, at) == '\0';
  if (field->type == PROTOBUF_C_TYPE_MESSAGE) return !READ(void *, at);
  if (field->type == PROTOBUF_C_TYPE_BYTES) return READ(ProtobufCBinaryData, at).len == 0;
  if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
    return !READ(protobuf_c_boolean, (const uint8_t *)message + field->quantifier_offset);
  }
  return is_zero(at, element_size(field->type));
}

/* A number or a boolean is shown also when it is zero, except in parts of a message, where zero means that there is
 * nothing to tell, and for ids, where it means none. */
static bool is_shown_when_zero(const struct out *out, const ProtobufCFieldDescriptor *field) {
  size_t length = strlen(field->name);
  if (out->depth > 1 || field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_BYTES) return false;
  if (field->type == PROTOBUF_C_TYPE_MESSAGE || field->type == PROTOBUF_C_TYPE_SFIXED64) return false;
  return length < 3 || strcmp(field->name + length - 3, "_id") != 0;
}

/* Was this field of the outermost message cut off? */
static bool is_lost(const struct out *out, const ProtobufCFieldDescriptor *field) {
  if (out->depth > 1 || out->kept.message == SIZE_MAX) return false;
  size_t end = field->label == PROTOBUF_C_LABEL_REPEATED ? field->quantifier_offset + sizeof(size_t)
                                                         : field->offset + element_size(field->type);
  return end > out->kept.message;
}

static void put_message(struct out *out, const ProtobufCMessage *message) {
  bool first = true;
  out->depth++;
  put(out, "{");
  for (unsigned i = 0; i < message->descriptor->n_fields && !out->full; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    const uint8_t *at = (const uint8_t *)message + field->offset;
    bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    if (is_lost(out, field)) {
      put_format(out, "%s%s", first ? "" : ", ", ellipsis);
      break;
    }
    size_t count = repeated ? READ(size_t, (const uint8_t *)message + field->quantifier_offset) : 0;
    if (repeated ? count == 0 : is_default(message, field) && !is_shown_when_zero(out, field)) continue;
    if (!first) put(out, ", ");
    first = false;
    put(out, field->name);
    put(out, "=");
    if (repeated)
      put_repeated(out, field, READ(uint8_t *, at), count);
    else
      put_element(out, field, at);
  }
  put(out, "}");
  out->depth--;
}

size_t nr_print_cut(char *buffer, size_t size, const ProtobufCMessage *message, const uint8_t *tail, size_t tail_length,
                    const struct nr_print_kept *kept) {
  struct out out = {.buffer = buffer, .size = size, .tail = tail, .tail_length = tail_length, .kept = *kept};
  if (size == 0) return 0;
  buffer[0] = '\0';
  if (message)
    put_message(&out, message);
  else
    put(&out, "{}");
  return out.length;
}

size_t nr_print_message(char *buffer, size_t size, const ProtobufCMessage *message, const uint8_t *tail,
                        size_t tail_length) {
  static const struct nr_print_kept all = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
  return nr_print_cut(buffer, size, message, tail, tail_length, &all);
}

uint8_t *nr_print_join(const struct nr_slice *tail, size_t count) {
  size_t length = 0, used = 0;
  for (size_t i = 0; i < count; i++) length += tail[i].length;
  uint8_t *bytes = malloc(length + 1);
  for (size_t i = 0; bytes && i < count; i++) {
    if (tail[i].length > 0) memcpy(bytes + used, tail[i].data, tail[i].length);
    used += tail[i].length;
  }
  return bytes;
}

const char *nr_status_name(unsigned status) {
  static const char *const names[] = {
      "napi_ok",
      "napi_invalid_arg",
      "napi_object_expected",
      "napi_string_expected",
      "napi_name_expected",
      "napi_function_expected",
      "napi_number_expected",
      "napi_boolean_expected",
      "napi_array_expected",
      "napi_generic_failure",
      "napi_pending_exception",
      "napi_cancelled",
      "napi_escape_called_twice",
      "napi_handle_scope_mismatch",
      "napi_callback_scope_mismatch",
      "napi_queue_full",
      "napi_closing",
      "napi_bigint_expected",
      "napi_date_expected",
      "napi_arraybuffer_expected",
      "napi_detachable_arraybuffer_expected",
      "napi_would_deadlock",
      "napi_no_external_buffers_allowed",
      "napi_cannot_run_js",
  };
  static _Thread_local char other[24];
  if (status < sizeof names / sizeof *names) return names[status];
  snprintf(other, sizeof other, "status %u", status);
  return other;
}
