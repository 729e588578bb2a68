/*
 * Reading strings. Short strings came along with their handle and are read here; what would be cut in the middle of a
 * character, and all that is long, the server reads.
 */
#include "client/client-private.h"

enum encoding { LATIN1, UTF8, UTF16 };

/* What napi_get_value_string_*() was asked for. */
struct reading {
  napi_env env;
  unsigned opcode;
  enum encoding encoding;
  nr_value value;
  void *buffer; /* NULL: only the length is wanted */
  size_t size;  /* of it, in units */
  size_t *result;
};

static char16_t unit_at(const struct nr_known *known, uint32_t index) {
  char16_t unit;
  if ((known->shape & NR_SHAPE_WIDE) == 0) return known->text[index];
  memcpy(&unit, known->text + index * sizeof unit, sizeof unit);
  return unit;
}

static bool is_pair(const struct nr_known *known, uint32_t index) {
  return index + 1 < known->text_length && (unit_at(known, index) & 0xfc00) == 0xd800 &&
         (unit_at(known, index + 1) & 0xfc00) == 0xdc00;
}

/* One character as V8 writes it: surrogates without a partner become U+FFFD. Returns the bytes, *units what it took. */
static size_t encode_utf8(const struct nr_known *known, uint32_t index, uint8_t out[4], uint32_t *units) {
  uint32_t point = unit_at(known, index);
  *units = 1;
  if (is_pair(known, index)) {
    point = 0x10000 + ((point & 0x3ff) << 10) + (unit_at(known, index + 1) & 0x3ffu);
    *units = 2;
  } else if (point >= 0xd800 && point <= 0xdfff) {
    point = 0xfffd;
  }
  if (point < 0x80) {
    out[0] = (uint8_t)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (uint8_t)(0xc0 | point >> 6);
    out[1] = (uint8_t)(0x80 | (point & 0x3f));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (uint8_t)(0xe0 | point >> 12);
    out[1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[2] = (uint8_t)(0x80 | (point & 0x3f));
    return 3;
  }
  out[0] = (uint8_t)(0xf0 | point >> 18);
  out[1] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
  out[2] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
  out[3] = (uint8_t)(0x80 | (point & 0x3f));
  return 4;
}

static size_t utf8_length(const struct nr_known *known) {
  if ((known->shape & NR_SHAPE_WIDE) == 0) return known->text_length;
  size_t length = 0;
  uint32_t units;
  uint8_t bytes[4];
  for (uint32_t i = 0; i < known->text_length; i += units) length += encode_utf8(known, i, bytes, &units);
  return length;
}

static size_t length_of(const struct reading *reading, const struct nr_known *known) {
  return reading->encoding == UTF8 ? utf8_length(known) : known->text_length;
}

/* Writes `length` units: all of the string, or the beginning of an ASCII one. */
static void write_text(const struct reading *reading, const struct nr_known *known, size_t length) {
  if (reading->encoding == UTF16) {
    char16_t *out = reading->buffer;
    for (uint32_t i = 0; i < length; i++) out[i] = unit_at(known, i);
    out[length] = 0;
    return;
  }
  uint8_t *out = reading->buffer;
  if ((known->shape & NR_SHAPE_WIDE) == 0) {
    memcpy(out, known->text, length);
  } else if (reading->encoding == LATIN1) {
    for (uint32_t i = 0; i < length; i++) out[i] = (uint8_t)unit_at(known, i);
  } else {
    uint32_t units;
    uint8_t bytes[4];
    uint8_t *end = out;
    for (uint32_t i = 0; i < known->text_length; i += units) {
      size_t count = encode_utf8(known, i, bytes, &units);
      memcpy(end, bytes, count);
      end += count;
    }
  }
  out[length] = 0;
}

/* False: the server has to be asked. */
static bool read_known(struct reading *reading, const struct nr_known *known, Nr__GetValueStringReply *reply) {
  if ((nr_known_shape(reading->env->channel, known) & NR_SHAPE_TEXT) == 0) return false;
  size_t length = length_of(reading, known);
  if (reading->buffer != NULL && reading->size > 0) {
    if (length >= reading->size) {
      if (reading->encoding == UTF8 && (known->shape & NR_SHAPE_WIDE) != 0) return false;
      length = reading->size - 1;
    }
    write_text(reading, known, length);
  } else if (reading->buffer != NULL) {
    length = 0;
  }
  if (reading->result != NULL) *reading->result = length;
  reply->result = length;
  return true;
}

static napi_status ask(struct reading *reading, const Nr__GetValueStringRequest *request) {
  struct nr_call call = NR_CALL(reading->env, reading->opcode, &request->base);
  napi_status status = nr_call_wait(&call);
  if (status != napi_ok) return nr_call_end(&call, status);
  const Nr__GetValueStringReply *reply = call.reply;
  if (reply->fact != NULL) nr_learn(reading->env->channel, reply->fact, &call.frame);
  const uint8_t *text = nr_frame_bytes(&call.frame, reply->text);
  size_t unit = reading->encoding == UTF16 ? sizeof(char16_t) : 1;
  size_t length = reply->result;
  if (text != NULL && reading->buffer != NULL && length < reading->size &&
      nr_span_length(reply->text) == length * unit) {
    memcpy(reading->buffer, text, length * unit);
    memset((uint8_t *)reading->buffer + length * unit, 0, unit);
  }
  if (reading->result != NULL) *reading->result = length;
  return nr_call_end(&call, status);
}

/* Node 20 and 22 take the room without the NUL for an int: what wraps to -1 is no limit, what wraps below is none. */
static size_t size_in_node(size_t size) {
  if (nr_node.major >= 24 || size <= INT32_MAX) return size;
  int32_t room = (int32_t)(uint32_t)(size - 1);
  if (room == -1) return SIZE_MAX;
  return room < 0 ? 1 : (size_t)room + 1;
}

static napi_status read_string(struct reading *reading) {
  reading->size = size_in_node(reading->size);
  Nr__GetValueStringRequest request = NR__GET_VALUE_STRING_REQUEST__INIT;
  request.value = reading->value;
  request.measure = reading->buffer == NULL;
  request.bufsize = reading->size;
  if (nr_value_tag(reading->value) != NR_TAG_STRING) {
    return nr_answer(reading->env, reading->opcode, &request.base, NULL, napi_string_expected);
  }
  if (reading->buffer == NULL && reading->result == NULL) {
    return nr_answer(reading->env, reading->opcode, &request.base, NULL, napi_invalid_arg);
  }
  const struct nr_known *known = nr_known(reading->env->channel, reading->value);
  Nr__GetValueStringReply reply = NR__GET_VALUE_STRING_REPLY__INIT;
  if (known != NULL && read_known(reading, known, &reply)) {
    return nr_answer(reading->env, reading->opcode, &request.base, &reply.base, napi_ok);
  }
  return ask(reading, &request);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_string_latin1(napi_env env, napi_value value, char *buf, size_t bufsize,
                                                              size_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  struct reading reading = {env, NR_OP_NAPI_GET_VALUE_STRING_LATIN1, LATIN1, nr_wire(value), buf, bufsize, result};
  return read_string(&reading);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_string_utf8(napi_env env, napi_value value, char *buf, size_t bufsize,
                                                            size_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  struct reading reading = {env, NR_OP_NAPI_GET_VALUE_STRING_UTF8, UTF8, nr_wire(value), buf, bufsize, result};
  return read_string(&reading);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_value_string_utf16(napi_env env, napi_value value, char16_t *buf,
                                                             size_t bufsize, size_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  struct reading reading = {env, NR_OP_NAPI_GET_VALUE_STRING_UTF16, UTF16, nr_wire(value), buf, bufsize, result};
  return read_string(&reading);
}
