/*
 * Handle stacks: stale and foreign indexes, truncation, generations, quotas.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "leaks.h"
#include "wire/handles.h"

#define LIMIT (UINT32_C(1) << 20)

static int items[8];

static struct nr_handles *create(void) {
  struct nr_handles *handles = nr_handles_create(LIMIT);
  cr_assert_not_null(handles);
  return handles;
}

Test(handles, push_and_get) {
  struct nr_handles *handles = create();
  uint32_t index;
  uint16_t generation;
  for (uint32_t i = 0; i < 20000; i++) {
    cr_assert_eq(nr_handles_push(handles, &items[i % 8], &index, &generation), 0);
    cr_assert_eq(index, i);
    cr_assert_eq(generation, nr_handles_generation(handles));
  }
  for (uint32_t i = 0; i < 20000; i++) cr_assert_eq(nr_handles_get(handles, i, generation), &items[i % 8]);
  cr_assert_null(nr_handles_get(handles, 20000, generation));
  cr_assert_null(nr_handles_get(handles, UINT32_MAX, generation));
  cr_assert_null(nr_handles_get(handles, 0, (uint16_t)(generation + 1)));
  cr_assert_null(nr_handles_get(handles, 0, 0));
  nr_handles_destroy(handles);
}

Test(handles, truncation_makes_stale) {
  struct nr_handles *handles = create();
  uint32_t index;
  uint16_t first, second;
  for (int i = 0; i < 3; i++) nr_handles_push(handles, &items[i], &index, &first);
  nr_handles_truncate(handles, 1);
  cr_assert_eq(nr_handles_top(handles), 1);
  cr_assert_eq(nr_handles_get(handles, 0, first), &items[0]);
  cr_assert_null(nr_handles_get(handles, 1, first));
  cr_assert_eq(nr_handles_push(handles, &items[5], &index, &second), 0);
  cr_assert_eq(index, 1);
  cr_assert_neq(first, second);
  cr_assert_null(nr_handles_get(handles, 1, first));
  cr_assert_eq(nr_handles_get(handles, 1, second), &items[5]);
  nr_handles_destroy(handles);
}

Test(handles, truncation_that_drops_nothing_keeps_the_generation) {
  struct nr_handles *handles = create();
  uint32_t index;
  uint16_t generation;
  nr_handles_push(handles, &items[0], &index, &generation);
  nr_handles_truncate(handles, 1);
  nr_handles_truncate(handles, 1000);
  cr_assert_eq(nr_handles_top(handles), 1);
  cr_assert_eq(nr_handles_generation(handles), generation);
  nr_handles_destroy(handles);
}

Test(handles, generations_wrap_without_zero) {
  struct nr_handles *handles = create();
  for (int i = 0; i < 70000; i++) {
    uint32_t index;
    uint16_t generation;
    cr_assert_eq(nr_handles_push(handles, &items[0], &index, &generation), 0);
    cr_assert(generation >= 1 && generation <= 0x7fff);
    nr_handles_truncate(handles, 0);
    cr_assert_null(nr_handles_get(handles, index, generation));
  }
  nr_handles_destroy(handles);
}

Test(handles, put_where_the_other_side_chose) {
  struct nr_handles *handles = create();
  cr_assert_eq(nr_handles_put(handles, 10, 7, &items[1]), 0);
  cr_assert_eq(nr_handles_top(handles), 11);
  for (uint32_t i = 0; i < 10; i++) cr_assert_null(nr_handles_get(handles, i, 7));
  cr_assert_null(nr_handles_get(handles, 0, 0));
  cr_assert_eq(nr_handles_get(handles, 10, 7), &items[1]);
  cr_assert_eq(nr_handles_put(handles, 4, 9, &items[2]), 0, "a place that was skipped is an escape slot");
  cr_assert_eq(nr_handles_get(handles, 4, 9), &items[2]);
  cr_assert_eq(nr_handles_top(handles), 11);
  cr_assert_eq(nr_handles_put(handles, 10, 8, &items[3]), -EEXIST);
  cr_assert_eq(nr_handles_put(handles, 4, 9, &items[3]), -EEXIST);
  cr_assert_eq(nr_handles_get(handles, 10, 7), &items[1]);
  nr_handles_destroy(handles);
}

Test(handles, put_refuses_what_cannot_be) {
  struct nr_handles *handles = create();
  cr_assert_eq(nr_handles_put(handles, 0, 0, &items[0]), -EINVAL);
  cr_assert_eq(nr_handles_put(handles, 0, 0x8000, &items[0]), -EINVAL);
  cr_assert_eq(nr_handles_put(handles, 0, 1, NULL), -EINVAL);
  cr_assert_eq(nr_handles_put(handles, LIMIT, 1, &items[0]), -EDQUOT);
  cr_assert_eq(nr_handles_put(handles, UINT32_MAX, 1, &items[0]), -EDQUOT);
  cr_assert_eq(nr_handles_top(handles), 0);
  nr_handles_destroy(handles);
}

Test(handles, an_escape_slot_is_pushed_empty_and_put_later) {
  struct nr_handles *handles = create();
  uint32_t slot, index;
  uint16_t generation, inner;
  cr_assert_eq(nr_handles_push(handles, NULL, &slot, &generation), 0);
  nr_handles_push(handles, &items[1], &index, &inner);
  cr_assert_null(nr_handles_get(handles, slot, generation));
  cr_assert_eq(nr_handles_put(handles, slot, generation, &items[2]), 0);
  nr_handles_truncate(handles, slot + 1);
  cr_assert_eq(nr_handles_get(handles, slot, generation), &items[2]);
  nr_handles_destroy(handles);
}

Test(handles, skipped_places_are_empty_after_reuse) {
  struct nr_handles *handles = create();
  uint32_t index;
  uint16_t generation;
  for (uint32_t i = 0; i < 10000; i++) nr_handles_push(handles, &items[0], &index, &generation);
  nr_handles_truncate(handles, 3);
  cr_assert_eq(nr_handles_put(handles, 9999, generation, &items[1]), 0);
  for (uint32_t i = 3; i < 9999; i++) cr_assert_null(nr_handles_get(handles, i, generation));
  cr_assert_eq(nr_handles_get(handles, 2, generation), &items[0]);
  nr_handles_destroy(handles);
}

Test(handles, the_limit) {
  struct nr_handles *handles = nr_handles_create(3);
  uint32_t index;
  uint16_t generation;
  for (int i = 0; i < 3; i++) cr_assert_eq(nr_handles_push(handles, &items[i], &index, &generation), 0);
  cr_assert_eq(nr_handles_push(handles, &items[3], &index, &generation), -EDQUOT);
  cr_assert_eq(nr_handles_put(handles, 3, 1, &items[3]), -EDQUOT);
  nr_handles_truncate(handles, 2);
  cr_assert_eq(nr_handles_push(handles, &items[3], &index, &generation), 0);
  nr_handles_destroy(handles);
}

Test(handles, far_places_are_cheap) {
  struct nr_handles *handles = nr_handles_create(UINT32_C(1) << 24);
  for (int i = 0; i < 2000; i++) {
    cr_assert_eq(nr_handles_put(handles, (UINT32_C(1) << 24) - 1, 1, &items[0]), 0);
    nr_handles_truncate(handles, 0);
  }
  cr_assert_eq(nr_handles_top(handles), 0);
  nr_handles_destroy(handles);
}
