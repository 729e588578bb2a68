/*
 * NaN-boxing: every double survives, and nothing that is no double looks like one.
 */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "leaks.h"
#include "wire/value.h"

static const double numbers[] = {
    0.0,
    -0.0,
    1.5,
    -1.5,
    DBL_MIN,
    -DBL_MIN,
    DBL_MAX,
    -DBL_MAX,
    DBL_TRUE_MIN,
    -DBL_TRUE_MIN,
    DBL_EPSILON,
    INFINITY,
    -INFINITY,
    1e308,
    9007199254740991.0,
    -9007199254740992.0,
    4294967296.0,
};

Test(value, doubles_are_themselves) {
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    nr_value value = nr_value_from_double(numbers[i]);
    double back = nr_value_to_double(value);
    cr_assert(nr_value_is_double(value));
    cr_assert_not(nr_value_is_handle(value));
    cr_assert_eq(memcmp(&back, &numbers[i], sizeof back), 0);
  }
}

Test(value, every_nan_becomes_the_canonical_one) {
  static const uint64_t patterns[] = {UINT64_C(0x7ff8000000000000), UINT64_C(0x7ff0000000000001),
                                      UINT64_C(0x7fffffffffffffff), UINT64_C(0xfff8000000000000),
                                      UINT64_C(0xfff0000000000001), UINT64_C(0xfff8000000000004),
                                      UINT64_C(0xfffb800000000003), UINT64_C(0xffffffffffffffff)};
  for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
    double nan;
    memcpy(&nan, &patterns[i], sizeof nan);
    cr_assert_eq(nr_value_from_double(nan), NR_CANONICAL_NAN);
  }
  cr_assert(nr_value_is_double(NR_CANONICAL_NAN));
  cr_assert(isnan(nr_value_to_double(NR_CANONICAL_NAN)));
}

Test(value, negative_signalling_nans_are_still_doubles) {
  /* Just below the tags: what a hostile peer may send and nobody may take for a handle. */
  nr_value value = NR_SPECIAL(0) - 1;
  cr_assert(nr_value_is_double(value));
  cr_assert_not(nr_value_is_handle(value));
  cr_assert(isnan(nr_value_to_double(value)));
  cr_assert(nr_value_is_double(nr_value_from_double(-INFINITY)));
}

Test(value, specials_are_neither_doubles_nor_handles) {
  static const nr_value specials[] = {
      NR_ABSENT, NR_UNDEFINED, NR_NULL, NR_FALSE, NR_TRUE, NR_SPECIAL(5), NR_SPECIAL(NR_PAYLOAD_MASK)};
  for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
    cr_assert_not(nr_value_is_double(specials[i]));
    cr_assert_not(nr_value_is_handle(specials[i]));
    cr_assert_eq(nr_value_tag(specials[i]), NR_TAG_SPECIAL);
  }
  cr_assert_eq(nr_value_from_bool(true), NR_TRUE);
  cr_assert_eq(nr_value_from_bool(false), NR_FALSE);
}

Test(value, the_tag_above_the_last_is_no_handle) {
  cr_assert_not(nr_value_is_handle(UINT64_MAX));
  cr_assert_not(nr_value_is_double(UINT64_MAX));
}

Test(value, handles_keep_their_parts) {
  static const uint32_t indexes[] = {0, 1, 0xffff, 0x10000, 0xffffff, UINT32_MAX};
  static const uint16_t generations[] = {1, 2, 0x7ffe, 0x7fff};
  for (unsigned tag = NR_TAG_STRING; tag <= NR_TAG_BIGINT; tag++) {
    for (size_t i = 0; i < 6 * 4 * 2; i++) {
      bool by_host = i % 2 != 0;
      nr_value value = nr_value_handle((enum nr_tag)tag, by_host, generations[i / 2 % 4], indexes[i / 8]);
      cr_assert(nr_value_is_handle(value));
      cr_assert_not(nr_value_is_double(value));
      cr_assert_eq(nr_value_tag(value), tag);
      cr_assert_eq(nr_value_index(value), indexes[i / 8]);
      cr_assert_eq(nr_value_generation(value), generations[i / 2 % 4]);
      cr_assert_eq(nr_value_is_by_host(value), by_host);
      nr_value other = nr_value_with_tag(value, NR_TAG_EXTERNAL);
      cr_assert_eq(nr_value_tag(other), NR_TAG_EXTERNAL);
      cr_assert_eq(nr_value_with_tag(other, (enum nr_tag)tag), value);
    }
  }
}

Test(value, a_generation_that_is_too_large_does_not_reach_the_flag) {
  nr_value value = nr_value_handle(NR_TAG_OBJECT, false, 0xffff, 1);
  cr_assert_not(nr_value_is_by_host(value));
  cr_assert_eq(nr_value_generation(value), 0x7fff);
}

Test(value, spans_keep_their_parts) {
  static const uint32_t edges[] = {0, 1, 0x7fffffff, 0x80000000, 0xfffffffe};
  for (size_t i = 0; i < 25; i++) {
    nr_span span = nr_span_make(edges[i / 5], edges[i % 5]);
    cr_assert_eq(nr_span_offset(span), edges[i / 5]);
    cr_assert_eq(nr_span_length(span), edges[i % 5]);
    cr_assert_neq(span, NR_SPAN_NULL);
  }
  cr_assert_eq(nr_span_make(UINT32_MAX, UINT32_MAX), NR_SPAN_NULL);
}
