/*
 * Id tables: stale, foreign and wrong-kind ids are recognised.
 */
#include <criterion/criterion.h>
#include <errno.h>

#include "leaks.h"
#include "wire/table.h"

#define LIMIT (UINT32_C(1) << 20)
enum { KIND_REFERENCE = 1, KIND_CALLBACK = 2 };

static int items[8];

Test(table, add_get_remove) {
  struct nr_table *table = nr_table_create(LIMIT);
  nr_id id = nr_table_add(table, KIND_REFERENCE, &items[0]);
  cr_assert_neq(id, 0);
  cr_assert_eq(nr_table_get(table, id, KIND_REFERENCE), &items[0]);
  cr_assert_eq(nr_table_count(table), 1);
  cr_assert_eq(nr_table_remove(table, id, KIND_REFERENCE), &items[0]);
  cr_assert_eq(nr_table_count(table), 0);
  cr_assert_null(nr_table_get(table, id, KIND_REFERENCE));
  cr_assert_null(nr_table_remove(table, id, KIND_REFERENCE));
  nr_table_destroy(table);
}

Test(table, wrong_kinds) {
  struct nr_table *table = nr_table_create(LIMIT);
  nr_id id = nr_table_add(table, KIND_REFERENCE, &items[0]);
  cr_assert_null(nr_table_get(table, id, KIND_CALLBACK));
  cr_assert_null(nr_table_remove(table, id, KIND_CALLBACK));
  cr_assert_null(nr_table_get(table, id, 0));
  cr_assert_null(nr_table_get(table, id, 256 + KIND_REFERENCE));
  cr_assert_eq(nr_table_get(table, id, KIND_REFERENCE), &items[0]);
  cr_assert_eq(nr_table_add(table, 0, &items[0]), 0);
  cr_assert_eq(nr_table_add(table, 256, &items[0]), 0);
  nr_table_destroy(table);
}

Test(table, stale_ids) {
  struct nr_table *table = nr_table_create(LIMIT);
  nr_id old = nr_table_add(table, KIND_REFERENCE, &items[0]);
  nr_table_remove(table, old, KIND_REFERENCE);
  for (int i = 0; i < 1000; i++) {
    nr_id id = nr_table_add(table, KIND_REFERENCE, &items[1]);
    cr_assert_eq((uint32_t)id, (uint32_t)old, "the slot is used again");
    cr_assert_neq(id, old);
    cr_assert_null(nr_table_get(table, old, KIND_REFERENCE));
    cr_assert_null(nr_table_remove(table, old, KIND_REFERENCE));
    nr_table_remove(table, id, KIND_REFERENCE);
    old = id;
  }
  nr_table_destroy(table);
}

Test(table, foreign_ids) {
  struct nr_table *table = nr_table_create(LIMIT);
  nr_id id = nr_table_add(table, KIND_REFERENCE, &items[0]);
  static const nr_id foreign[] = {0, 1, 2, UINT64_MAX, UINT64_C(1) << 32, UINT64_C(0xffffffff), UINT64_C(0x1ffffffff)};
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
    if (foreign[i] != id) cr_assert_null(nr_table_get(table, foreign[i], KIND_REFERENCE));
  cr_assert_null(nr_table_get(table, id + 1, KIND_REFERENCE));
  cr_assert_null(nr_table_get(table, id + (UINT64_C(1) << 32), KIND_REFERENCE));
  nr_table_destroy(table);
}

Test(table, the_limit) {
  struct nr_table *table = nr_table_create(3);
  nr_id ids[3];
  for (int i = 0; i < 3; i++) cr_assert_neq(ids[i] = nr_table_add(table, KIND_REFERENCE, NULL), 0);
  cr_assert_eq(nr_table_add(table, KIND_REFERENCE, NULL), 0);
  nr_table_remove(table, ids[1], KIND_REFERENCE);
  cr_assert_neq(nr_table_add(table, KIND_REFERENCE, NULL), 0);
  nr_table_destroy(table);
}

Test(table, adopt) {
  struct nr_table *ours = nr_table_create(LIMIT), *theirs = nr_table_create(LIMIT);
  for (int i = 0; i < 5000; i++) {
    nr_id id = nr_table_add(theirs, KIND_CALLBACK, NULL);
    cr_assert_eq(nr_table_adopt(ours, id, KIND_CALLBACK, &items[i % 8]), 0);
    cr_assert_eq(nr_table_adopt(ours, id, KIND_CALLBACK, &items[0]), -EEXIST);
    cr_assert_eq(nr_table_get(ours, id, KIND_CALLBACK), &items[i % 8]);
    if (i % 3 == 0) {
      cr_assert_eq(nr_table_remove(ours, id, KIND_CALLBACK), &items[i % 8]);
      nr_table_remove(theirs, id, KIND_CALLBACK);
    }
  }
  cr_assert_eq(nr_table_count(ours), nr_table_count(theirs));
  nr_table_destroy(ours);
  nr_table_destroy(theirs);
}

Test(table, adopt_refuses_what_cannot_be) {
  struct nr_table *table = nr_table_create(LIMIT);
  const nr_id first = UINT64_C(1) << 32 | 1;
  cr_assert_eq(nr_table_adopt(table, 0, KIND_CALLBACK, NULL), -EINVAL);
  cr_assert_eq(nr_table_adopt(table, UINT64_C(5) << 32, KIND_CALLBACK, NULL), -EINVAL, "no slot");
  cr_assert_eq(nr_table_adopt(table, 1, KIND_CALLBACK, NULL), -EINVAL, "no generation");
  cr_assert_eq(nr_table_adopt(table, first, 0, NULL), -EINVAL);
  cr_assert_eq(nr_table_adopt(table, first, 256, NULL), -EINVAL);
  cr_assert_eq(nr_table_adopt(table, UINT64_C(1) << 32 | (LIMIT + 1), KIND_CALLBACK, NULL), -EDQUOT);
  cr_assert_eq(nr_table_adopt(table, UINT64_MAX, KIND_CALLBACK, NULL), -EDQUOT);
  cr_assert_eq(nr_table_adopt(table, UINT64_C(1) << 32 | LIMIT, KIND_CALLBACK, NULL), 0, "the last slot");
  nr_table_destroy(table);
}

struct seen {
  struct nr_table *table;
  unsigned count;
  uint32_t last;
};

static void remove_odd(nr_id id, unsigned kind, void *item, void *context) {
  struct seen *seen = context;
  cr_assert_eq(item, &items[kind]);
  cr_assert_gt((uint32_t)id, seen->last);
  seen->last = (uint32_t)id;
  seen->count++;
  if ((uint32_t)id % 2 != 0) nr_table_remove(seen->table, id, kind);
}

Test(table, each_in_order_and_removing) {
  struct nr_table *table = nr_table_create(LIMIT);
  struct seen seen = {.table = table};
  for (uint32_t slot = 0; slot < 9000; slot += 7) {
    unsigned kind = slot % 2 + 1;
    cr_assert_eq(nr_table_adopt(table, UINT64_C(3) << 32 | (slot + 1), kind, &items[kind]), 0);
  }
  nr_table_each(table, remove_odd, &seen);
  cr_assert_eq(seen.count, 1286);
  cr_assert_eq(nr_table_count(table), 643);
  nr_table_destroy(table);
}
