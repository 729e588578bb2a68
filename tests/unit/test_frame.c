/*
 * Spans of a frame's tail, and the names of kinds.
 */
#include <criterion/criterion.h>

#include "leaks.h"
#include "wire/frame.h"

static const uint8_t bytes[16];

static struct nr_frame frame_of(uint32_t tail_length) {
  return (struct nr_frame){.header = {.tail_length = tail_length}, .message = bytes, .tail = bytes};
}

Test(frame, spans_within_the_tail) {
  struct nr_frame frame = frame_of(16);
  cr_assert_eq(nr_frame_bytes(&frame, nr_span_make(0, 16)), bytes);
  cr_assert_eq(nr_frame_bytes(&frame, nr_span_make(3, 13)), bytes + 3);
  cr_assert_eq(nr_frame_bytes(&frame, nr_span_make(15, 1)), bytes + 15);
}

Test(frame, empty_spans_are_not_null) {
  struct nr_frame frame = frame_of(16);
  cr_assert_eq(nr_frame_bytes(&frame, nr_span_make(16, 0)), bytes + 16);
  frame = frame_of(0);
  cr_assert_eq(nr_frame_bytes(&frame, nr_span_make(0, 0)), bytes);
}

Test(frame, spans_outside_of_the_tail) {
  struct nr_frame frame = frame_of(16);
  cr_assert_null(nr_frame_bytes(&frame, NR_SPAN_NULL));
  cr_assert_null(nr_frame_bytes(&frame, nr_span_make(0, 17)));
  cr_assert_null(nr_frame_bytes(&frame, nr_span_make(16, 1)));
  cr_assert_null(nr_frame_bytes(&frame, nr_span_make(17, 0)));
  cr_assert_null(nr_frame_bytes(&frame, nr_span_make(8, UINT32_MAX - 4)));
  cr_assert_null(nr_frame_bytes(&frame, nr_span_make(UINT32_MAX, 2)));
}

Test(frame, kinds_have_names) {
  static const char *const names[] = {"unknown", "call", "reply", "post", "enter", "return", "continue", "unknown"};
  for (unsigned kind = 0; kind < 8; kind++) cr_assert_str_eq(nr_kind_name(kind), names[kind]);
  cr_assert_str_eq(nr_kind_name(UINT32_MAX), "unknown");
}
