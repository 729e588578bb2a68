/*
 * A JavaScript value in 64 bits, as it travels in a frame (`fixed64` in proto/napi.proto).
 *
 * NaN-boxed: every double is itself (NaN in its one canonical form). What is left of the negative
 * quiet NaNs carries a tag in the upper 16 bits and 48 bits of payload: the specials (absent, undefined,
 * null, false, true), or a handle with its `typeof`. So numbers and booleans never need a handle, and
 * `napi_typeof` never needs the other process.
 */
#ifndef NR_WIRE_VALUE_H
#define NR_WIRE_VALUE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t nr_value;

enum nr_tag {
  NR_TAG_SPECIAL = 0xfff8,
  NR_TAG_STRING = 0xfff9,
  NR_TAG_SYMBOL = 0xfffa,
  NR_TAG_OBJECT = 0xfffb,
  NR_TAG_FUNCTION = 0xfffc,
  NR_TAG_EXTERNAL = 0xfffd,
  NR_TAG_BIGINT = 0xfffe,
};

#define NR_TAG_SHIFT 48
#define NR_PAYLOAD_MASK ((UINT64_C(1) << NR_TAG_SHIFT) - 1)
#define NR_SPECIAL(payload) (((nr_value)NR_TAG_SPECIAL << NR_TAG_SHIFT) | (payload))

/* No value: a NULL napi_value, an optional argument that is left out, the result of a call that failed. */
#define NR_ABSENT NR_SPECIAL(0)
#define NR_UNDEFINED NR_SPECIAL(1)
#define NR_NULL NR_SPECIAL(2)
#define NR_FALSE NR_SPECIAL(3)
#define NR_TRUE NR_SPECIAL(4)
#define NR_CANONICAL_NAN UINT64_C(0x7ff8000000000000)

static inline bool nr_value_is_double(nr_value value) {
  return value < NR_SPECIAL(0);
}

static inline nr_value nr_value_from_double(double number) {
  nr_value value;
  if (number != number) return NR_CANONICAL_NAN;
  memcpy(&value, &number, sizeof value);
  return value;
}

/* Only for a value of which nr_value_is_double() holds. */
static inline double nr_value_to_double(nr_value value) {
  double number;
  memcpy(&number, &value, sizeof number);
  return number;
}

static inline nr_value nr_value_from_bool(bool truth) {
  return truth ? NR_TRUE : NR_FALSE;
}

static inline unsigned nr_value_tag(nr_value value) {
  return (unsigned)(value >> NR_TAG_SHIFT);
}

/*
 * A handle's payload: who chose the id (the host's calls choose the ids of their results, the server
 * those of arguments), a generation that tells a live handle from a stale one in the same place, and the
 * place in the chooser's handle stack (wire/handles.h).
 */
#define NR_HANDLE_BY_HOST (UINT64_C(1) << 47)
#define NR_HANDLE_GENERATION_MASK 0x7fffu

static inline bool nr_value_is_handle(nr_value value) {
  unsigned tag = nr_value_tag(value);
  return tag >= NR_TAG_STRING && tag <= NR_TAG_BIGINT;
}

static inline nr_value nr_value_handle(enum nr_tag tag, bool by_host, uint16_t generation, uint32_t index) {
  return ((nr_value)tag << NR_TAG_SHIFT) | (by_host ? NR_HANDLE_BY_HOST : 0) |
         ((nr_value)(generation & NR_HANDLE_GENERATION_MASK) << 32) | index;
}

/* Is it any value at all? */
static inline bool nr_value_is_valid(nr_value value) {
  return value <= NR_TRUE || nr_value_is_handle(value);
}

static inline uint32_t nr_value_index(nr_value value) {
  return (uint32_t)value;
}

static inline uint16_t nr_value_generation(nr_value value) {
  return (uint16_t)((value >> 32) & NR_HANDLE_GENERATION_MASK);
}

static inline bool nr_value_is_by_host(nr_value value) {
  return (value & NR_HANDLE_BY_HOST) != 0;
}

/* The same handle under another tag: a call's result is asked for before its type is known. */
static inline nr_value nr_value_with_tag(nr_value value, enum nr_tag tag) {
  return ((nr_value)tag << NR_TAG_SHIFT) | (value & NR_PAYLOAD_MASK);
}

/*
 * A stretch of a frame's tail (`sfixed64` in the schema): offset in the upper 32 bits, length in the lower.
 * -1 stands for a NULL pointer.
 */
typedef int64_t nr_span;
#define NR_SPAN_NULL ((nr_span)-1)

static inline nr_span nr_span_make(uint32_t offset, uint32_t length) {
  return (nr_span)(((uint64_t)offset << 32) | length);
}

static inline uint32_t nr_span_offset(nr_span span) {
  return (uint32_t)((uint64_t)span >> 32);
}

static inline uint32_t nr_span_length(nr_span span) {
  return (uint32_t)span;
}

#endif
