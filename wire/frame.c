/*
 * Looking into a received frame.
 */
#include "wire/frame.h"

const uint8_t *nr_frame_bytes(const struct nr_frame *frame, nr_span span) {
  if (span == NR_SPAN_NULL) return NULL;
  uint32_t offset = nr_span_offset(span), length = nr_span_length(span), available = frame->header.tail_length;
  if (offset > available || length > available - offset) return NULL;
  return frame->tail + offset;
}

const char *nr_kind_name(unsigned kind) {
  static const char *const names[] = {
      [NR_KIND_CALL] = "call",   [NR_KIND_REPLY] = "reply",   [NR_KIND_POST] = "post",
      [NR_KIND_ENTER] = "enter", [NR_KIND_RETURN] = "return", [NR_KIND_CONTINUE] = "continue",
  };
  if (kind >= sizeof names / sizeof *names || !names[kind]) return "unknown";
  return names[kind];
}
