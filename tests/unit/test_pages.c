/*
 * Memory on pages of its own (wire/pages.c): what malloc() gives out meanwhile lies on others.
 */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

#include "wire/pages.h"

#define PAGE ((uintptr_t)4096)
#define COUNT 300

static bool touches(const void *memory, size_t length, const void *own, size_t own_length) {
  uintptr_t first = (uintptr_t)own / PAGE, last = ((uintptr_t)own + own_length - 1) / PAGE;
  return ((uintptr_t)memory + length - 1) / PAGE >= first && (uintptr_t)memory / PAGE <= last;
}

static void check(size_t own_length) {
  void *before[COUNT], *after[COUNT];
  for (size_t i = 0; i < COUNT; i++) before[i] = malloc(1 + i * 7 % 900);
  for (size_t i = 0; i < COUNT; i += 3) { /* holes to lie in */
    free(before[i]);
    before[i] = NULL;
  }
  uint8_t *own = nr_pages_calloc(own_length);
  cr_assert_not_null(own);
  for (size_t i = 0; i < own_length; i++) cr_assert_eq(own[i], 0);
  for (size_t i = 0; i < COUNT; i++) after[i] = malloc(1 + i * 7 % 900);
  for (size_t i = 0; i < COUNT; i++) {
    size_t length = 1 + i * 7 % 900;
    cr_assert(before[i] == NULL || !touches(before[i], length, own, own_length));
    cr_assert(!touches(after[i], length, own, own_length));
    free(before[i]);
    free(after[i]);
  }
  free(own);
}

Test(pages, nothing_else_is_there) {
  for (size_t length = 1; length < 20000; length += 777) check(length);
  check(4096);
  check(8192);
}

Test(pages, too_much_is_refused) {
  cr_assert_null(nr_pages_calloc(SIZE_MAX));
  cr_assert_null(nr_pages_malloc(SIZE_MAX - 100));
}
