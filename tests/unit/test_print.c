/*
 * What messages look like in a trace.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "leaks.h"
#include "samples.h"
#include "wire/print.h"

static char line[4096];

static const char *print(const ProtobufCMessage *message, const char *tail) {
  size_t length = nr_print_message(line, sizeof line, message, (const uint8_t *)tail, strlen(tail));
  cr_assert_eq(length, strlen(line));
  return line;
}

/* What stands behind `name=` in the line, up to the next field. */
static const char *field(const char *text, const char *name) {
  static char found[512];
  const char *start = strstr(text, name);
  cr_assert_not_null(start);
  snprintf(found, sizeof found, "%s", start);
  char *end = strstr(found, name[0] == 'v' ? ", flag=" : "}");
  cr_assert_not_null(end);
  *end = '\0';
  return found;
}

static const char *print_value(nr_value value) {
  struct sample reply = sample_make();
  reply.value = value;
  return field(print(&reply.base, ""), "value=");
}

Test(print, values) {
  cr_assert_str_eq(print_value(nr_value_from_double(1.5)), "value=1.5");
  cr_assert_str_eq(print_value(nr_value_from_double(1920)), "value=1920");
  cr_assert_str_eq(print_value(nr_value_from_double(0.1)), "value=0.1");
  cr_assert_str_eq(print_value(nr_value_from_double(0.1 + 0.2)), "value=0.30000000000000004");
  cr_assert_str_eq(print_value(nr_value_from_double(-0.0)), "value=-0");
  cr_assert_str_eq(print_value(nr_value_from_double((double)NAN)), "value=NaN");
  cr_assert_str_eq(print_value(nr_value_from_double((double)-INFINITY)), "value=-Infinity");
  cr_assert_str_eq(print_value(NR_ABSENT), "value=absent");
  cr_assert_str_eq(print_value(NR_UNDEFINED), "value=undefined");
  cr_assert_str_eq(print_value(NR_NULL), "value=null");
  cr_assert_str_eq(print_value(NR_FALSE), "value=false");
  cr_assert_str_eq(print_value(NR_TRUE), "value=true");
  cr_assert_str_eq(print_value(nr_value_handle(NR_TAG_STRING, false, 4, 3)), "value=string#3");
  cr_assert_str_eq(print_value(nr_value_handle(NR_TAG_OBJECT, true, 4, 12)), "value=object#h12");
  cr_assert_str_eq(print_value(nr_value_handle(NR_TAG_BIGINT, true, 4, 0)), "value=bigint#h0");
  cr_assert_str_eq(print_value(NR_SPECIAL(9)), "value=value 0xfff8000000000009");
  cr_assert_str_eq(print_value(UINT64_MAX), "value=value 0xffffffffffffffff");
}

Test(print, zero_is_shown_but_no_id_text_or_part_that_is_not_there) {
  struct sample request = sample_make();
  cr_assert_str_eq(print(&request.base, ""), "{value=0, flag=false, number=0}");
  cr_assert_str_eq(print(NULL, ""), "{}");
}

Test(print, nested_and_repeated) {
  struct part inner = part_make(), first = part_make(), second = part_make();
  struct part *parts[] = {&first, &second};
  uint64_t values[] = {nr_value_from_double(2), NR_UNDEFINED, nr_value_handle(NR_TAG_FUNCTION, false, 1, 8)};
  struct sample sample = sample_make();
  inner.shape = 1;
  inner.bytes = nr_span_make(0, 3);
  first.value = values[2];
  sample.sample_id = UINT64_C(7) << 32 | 5;
  sample.value = NR_ABSENT;
  sample.n_values = 3;
  sample.values = values;
  sample.n_parts = 2;
  sample.parts = parts;
  sample.part = &inner;
  cr_assert_str_eq(print(&sample.base, "abc"),
                   "{sample_id=#4.7, values=[2, undefined, function#8], value=absent, "
                   "parts=[{value=function#8}, {}], part={shape=1, bytes=\"abc\"}, flag=false, number=0}");
}

static const char *print_span(const char *tail, nr_span span) {
  struct sample request = sample_make();
  request.bytes = span;
  return field(print(&request.base, tail), "bytes=");
}

Test(print, spans) {
  const char *tail = "width 0123456789012345678901234567890123456789";
  cr_assert_str_eq(print_span(tail, nr_span_make(0, 5)), "bytes=\"width\"");
  cr_assert_str_eq(print_span(tail, NR_SPAN_NULL), "bytes=NULL");
  cr_assert_str_eq(print_span(tail, nr_span_make(6, 32)), "bytes=\"01234567890123456789012345678901\"");
  cr_assert_str_eq(print_span(tail, nr_span_make(6, 33)), "bytes=\"01234567890123456789012345678901\"\u2026(33)");
  cr_assert_str_eq(print_span(tail, nr_span_make(40, 7)), "bytes=outside(40, 7)");
  cr_assert_str_eq(print_span(tail, nr_span_make(UINT32_MAX, 7)), "bytes=outside(4294967295, 7)");
}

Test(print, text_that_would_disturb_a_terminal) {
  cr_assert_str_eq(print_span("a\"b\\c\n\t\r\x1b[0m\x7f", nr_span_make(0, 13)),
                   "bytes=\"a\\\"b\\\\c\\n\\t\\r\\x1b[0m\\x7f\"");
  cr_assert_str_eq(print_span("\u00fc\u20ac\U0001f600", nr_span_make(0, 9)), "bytes=\"\u00fc\u20ac\U0001f600\"");
  cr_assert_str_eq(print_span("\xff\xc3\xc2\x9bz\xed\xa0\x80", nr_span_make(0, 8)),
                   "bytes=\"\\xff\\xc3\\xc2\\x9bz\\xed\\xa0\\x80\"");
  cr_assert_str_eq(print_span("0123456789012345678901234567890\u20ac", nr_span_make(0, 34)),
                   "bytes=\"0123456789012345678901234567890\"\u2026(34)", "32 bytes at most");
  cr_assert_str_eq(print_span("\u20ac", nr_span_make(0, 2)), "bytes=\"\\xe2\\x82\"", "cut within a character");
}

Test(print, other_types) {
  struct sample sample = sample_make();
  char text[] = "node \"x\"";
  uint64_t ids[] = {1, 0, UINT64_C(3) << 32 | 2};
  sample.flag = true;
  sample.number = -3;
  sample.text = text;
  sample.n_many_id = 3;
  sample.many_id = ids;
  cr_assert_str_eq(print(&sample.base, ""),
                   "{value=0, many_id=[#0.0, 0, #1.3], flag=true, number=-3, text=\"node \\\"x\\\"\"}");
}

Test(print, cuts_at_the_end_of_the_buffer) {
  struct sample request = sample_make();
  const char *tail = "\u20ac\u20ac\u20ac\u20ac\u20ac";
  char whole[100], part[100];
  request.bytes = nr_span_make(0, 15);
  size_t length = nr_print_message(whole, sizeof whole, &request.base, (const uint8_t *)tail, 15);
  for (size_t size = 0; size <= sizeof part; size++) {
    memset(part, '#', sizeof part);
    size_t got = nr_print_message(part, size, &request.base, (const uint8_t *)tail, 15);
    if (size < sizeof part) cr_assert_eq(part[size], '#');
    if (size == 0) continue;
    cr_assert_lt(got, size);
    cr_assert_eq(strlen(part), got);
    if (size > length) {
      cr_assert_str_eq(part, whole);
    } else if (size > 3) {
      cr_assert_str_eq(part + got - 3, "\u2026");
      cr_assert_eq(strncmp(part, whole, got - 3), 0);
      cr_assert_neq((uint8_t)whole[got - 3] & 0xc0, 0x80, "between characters");
    }
  }
}

Test(print, a_huge_message_is_cut_quickly) {
  static uint64_t args[1000000];
  struct sample request = sample_make();
  request.n_values = 1000000;
  request.values = args;
  char part[50];
  for (int i = 0; i < 1000; i++) cr_assert_lt(nr_print_message(part, sizeof part, &request.base, NULL, 0), sizeof part);
}

Test(print, statuses) {
  cr_assert_str_eq(nr_status_name(0), "napi_ok");
  cr_assert_str_eq(nr_status_name(10), "napi_pending_exception");
  cr_assert_str_eq(nr_status_name(23), "napi_cannot_run_js");
  cr_assert_str_eq(nr_status_name(24), "status 24");
  cr_assert_str_eq(nr_status_name(77), "status 77");
}
