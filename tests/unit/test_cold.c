/*
 * In which order cold windows are compared (wire/cold.c).
 */
#include <criterion/criterion.h>
#include <string.h>

#include "wire/cold.h"

#define COUNT 1000

struct world {
  struct nr_cold cold;
  struct nr_cold_item items[COUNT];
  uint32_t compared[COUNT];
  bool changes[COUNT];
};

static struct world world;

static bool compare(struct nr_cold_item *item, void *context) {
  struct world *self = context;
  size_t index = (size_t)(item - self->items);
  self->compared[index]++;
  bool changed = self->changes[index];
  self->changes[index] = false;
  return changed;
}

static void set_up(size_t count, uint32_t cost) {
  memset(&world, 0, sizeof world);
  nr_cold_init(&world.cold);
  for (size_t i = 0; i < count; i++) nr_cold_add(&world.cold, &world.items[i], cost);
}

static void visit(int times) {
  for (int i = 0; i < times; i++) nr_cold_visit(&world.cold, 1, compare, &world);
}

Test(cold, few_are_compared_every_time) {
  set_up(10, 300);
  visit(1000);
  for (size_t i = 0; i < 10; i++) cr_assert_eq(world.compared[i], 1000);
}

Test(cold, some_fall_asleep_when_nothing_happens_for_long) {
  set_up(100, 1088);
  visit(2000);
  for (size_t i = 0; i < 100; i++) cr_assert_geq(world.compared[i], 2000);
  visit(2000);
  size_t asleep = 0;
  for (size_t i = 0; i < 100; i++) asleep += world.compared[i] < 3500;
  cr_assert_gt(asleep, 60);
  cr_assert_leq(asleep, 71); /* little enough that is awake stays so */
  /* They still have their turn, and wake up when something has changed. */
  world.changes[99] = world.changes[0] = true;
  visit(200);
  cr_assert(!world.changes[99] && !world.changes[0]);
  uint32_t before = world.compared[0];
  visit(1000);
  cr_assert_eq(world.compared[0], before + 1000);
}

Test(cold, fresh_ones_that_keep_coming_are_not_all_compared_every_time) {
  set_up(0, 0);
  world.cold.mortal = true;
  for (size_t i = 0; i < 200; i++) {
    nr_cold_add(&world.cold, &world.items[i], 1088);
    visit(1);
  }
  uint32_t before = 0, after = 0;
  for (size_t i = 0; i < 200; i++) before += world.compared[i];
  visit(1);
  for (size_t i = 0; i < 200; i++) after += world.compared[i];
  cr_assert_lt(after - before, 40);
  cr_assert_geq(after - before, 8); /* the newest */
  visit(1500);                      /* no more come */
  nr_cold_remove(&world.cold, &world.items[100]);
  nr_cold_add(&world.cold, &world.items[100], 1088); /* in use once more, not new */
  before = world.compared[0];
  visit(10);
  cr_assert_eq(world.compared[0], before + 10);
}

Test(cold, idle_ones_wait_for_a_batch) {
  set_up(COUNT, 4096);
  visit(5000);
  world.cold.batch = 64 << 10;
  uint32_t idle = 0, most = 0;
  memset(world.compared, 0, sizeof world.compared);
  for (int i = 0; i < 4000; i++) {
    uint32_t before = 0, after = 0;
    for (size_t k = 0; k < COUNT; k++) before += world.compared[k];
    visit(1);
    for (size_t k = 0; k < COUNT; k++) after += world.compared[k];
    idle += after == before;
    if (after - before > most) most = after - before;
  }
  cr_assert_gt(idle, 3500);
  cr_assert_geq(most, 16);
  for (size_t i = 0; i < COUNT; i++) cr_assert_gt(world.compared[i], 0);
}

Test(cold, those_that_will_live_are_all_compared_though_more_keep_coming) {
  set_up(0, 0);
  for (uint32_t i = 0; i < 200; i++) {
    cr_assert(nr_cold_takes(&world.cold, 1088));
    nr_cold_add(&world.cold, &world.items[i], 1088);
    visit(1);
    for (uint32_t k = 0; k <= i; k++) cr_assert_eq(world.compared[k], i + 1 - k);
  }
  cr_assert(nr_cold_takes(&world.cold, (256 << 10) - 200 * 1088));
  cr_assert_not(nr_cold_takes(&world.cold, (256 << 10) - 200 * 1088 + 1));
}

Test(cold, many_take_turns) {
  set_up(COUNT, 4096);
  visit(5000);
  for (size_t i = 0; i < COUNT; i++) cr_assert_gt(world.compared[i], 3);
}

Test(cold, one_that_changed_is_compared_every_time_among_many) {
  set_up(COUNT, 4096);
  visit(2000);
  world.changes[500] = true;
  while (world.changes[500]) visit(1);
  uint32_t before = world.compared[500];
  visit(1000);
  cr_assert_eq(world.compared[500], before + 1000);
}

Test(cold, it_stays_so_after_it_was_hot) {
  set_up(COUNT, 4096);
  world.changes[3] = true;
  while (world.changes[3]) visit(1);
  nr_cold_remove(&world.cold, &world.items[3]);
  visit(1);
  nr_cold_add(&world.cold, &world.items[3], 4096);
  uint32_t before = world.compared[3];
  visit(500);
  cr_assert_eq(world.compared[3], before + 500);
}

/* A work that is under way: its Buffer was in use last, and thousands wait for the collector. */
Test(cold, the_newest_are_compared_every_time) {
  set_up(COUNT, 4096);
  for (size_t i = 0; i < COUNT; i++) nr_cold_keep(&world.cold, &world.items[i]);
  visit(5);
  nr_cold_remove(&world.cold, &world.items[400]);
  nr_cold_add(&world.cold, &world.items[400], 4096);
  uint32_t before = world.compared[400];
  visit(100);
  cr_assert_eq(world.compared[400], before + 100);
  visit(100);
  for (size_t i = 0; i < COUNT; i++) cr_assert_gt(world.compared[i], 3);
}

Test(cold, held_ones_are_compared_every_time) {
  set_up(COUNT, 4096);
  nr_cold_hold(&world.cold, &world.items[7], true);
  nr_cold_hold(&world.cold, &world.items[7], true);
  for (size_t i = 100; i < COUNT; i++) nr_cold_keep(&world.cold, &world.items[i]);
  uint32_t before = world.compared[7];
  visit(500);
  cr_assert_eq(world.compared[7], before + 500);
  nr_cold_hold(&world.cold, &world.items[7], false);
  cr_assert_eq(world.items[7].group, NR_COLD_HELD);
  nr_cold_hold(&world.cold, &world.items[7], false);
  nr_cold_hold(&world.cold, &world.items[7], false);
  cr_assert_eq(world.items[7].group, NR_COLD_KEPT);
}

/* Inputs of works that are done are many. */
Test(cold, who_was_held_and_never_changed_is_compared_once_more_before_the_others) {
  set_up(COUNT, 4096);
  for (size_t i = 0; i < COUNT; i++) nr_cold_hold(&world.cold, &world.items[i], true);
  world.changes[5] = true;
  visit(200);
  world.changes[5] = false;
  for (size_t i = 0; i < COUNT; i++) nr_cold_hold(&world.cold, &world.items[i], false);
  cr_assert_eq(world.cold.counts[NR_COLD_KEPT], COUNT);
  memset(world.compared, 0, sizeof world.compared);
  visit(200);
  cr_assert_eq(world.cold.counts[NR_COLD_KEPT], 1);
  cr_assert_eq(world.items[5].group, NR_COLD_KEPT);
  for (size_t i = 0; i < COUNT; i++) cr_assert_gt(world.compared[i], 0);
}

Test(cold, a_large_one_that_is_newest_leaves_the_others_their_turns) {
  set_up(COUNT, 4096);
  for (size_t i = 0; i < COUNT; i++) nr_cold_keep(&world.cold, &world.items[i]);
  nr_cold_remove(&world.cold, &world.items[0]);
  nr_cold_add(&world.cold, &world.items[0], 1 << 20);
  visit(200);
  cr_assert_eq(world.compared[0], 200);
  for (size_t i = 1; i < COUNT; i++) cr_assert_gt(world.compared[i], 3);
}

Test(cold, large_ones_are_not_left_out) {
  set_up(5, 128 << 10);
  visit(3000);
  for (size_t i = 0; i < 5; i++) {
    world.changes[i] = true;
    visit(2000);
    cr_assert_not(world.changes[i]);
  }
}

Test(cold, removed_ones_are_left_alone) {
  set_up(3, 100);
  nr_cold_remove(&world.cold, &world.items[1]);
  nr_cold_remove(&world.cold, &world.items[1]);
  visit(3);
  cr_assert_eq(world.compared[1], 0);
  cr_assert_eq(world.compared[2], 3);
  nr_cold_remove(&world.cold, &world.items[0]);
  nr_cold_remove(&world.cold, &world.items[2]);
  cr_assert(nr_cold_is_empty(&world.cold));
}

/* Between two visits JavaScript only might have the turn. */
Test(cold, all_that_are_awake_when_there_are_not_too_many) {
  set_up(100, 1088);
  visit(10);
  struct nr_cold before = world.cold;
  world.changes[50] = true;
  for (int i = 0; i < 5000; i++) nr_cold_visit_awake(&world.cold, compare, &world);
  for (size_t i = 0; i < 100; i++) {
    cr_assert_eq(world.compared[i], 5010);
    cr_assert_eq(world.items[i].group, i == 50 ? NR_COLD_KEPT : NR_COLD_RECENT); /* nobody has come nearer to sleep */
  }
  cr_assert_eq(world.items[50].unchanged, 0);
  cr_assert_eq(world.cold.awake, before.awake);
  cr_assert_eq(world.cold.churn, before.churn);
  cr_assert_eq(world.cold.credit, before.credit);
}

Test(cold, of_too_many_those_that_are_kept_and_the_newest) {
  set_up(300, 1088);
  world.changes[299] = true; /* the newest have their turn each time */
  visit(1);
  memset(world.compared, 0, sizeof world.compared);
  nr_cold_visit_awake(&world.cold, compare, &world);
  size_t compared = 0;
  for (size_t i = 0; i < 300; i++) compared += world.compared[i];
  for (size_t i = 289; i < 300; i++) cr_assert_eq(world.compared[i], 1);
  cr_assert_eq(compared, 1 + 11); /* half of 24 KiB */
  world.changes[297] = true;
  nr_cold_visit_awake(&world.cold, compare, &world);
  for (size_t i = 0; i < 299; i++) cr_assert_eq(world.items[i].group, i == 297 ? NR_COLD_KEPT : NR_COLD_RECENT);
}

static bool take_out(struct nr_cold_item *item, void *context) {
  bool changed = compare(item, context);
  if (world.compared[item - world.items] == 2) nr_cold_remove(&world.cold, item);
  return changed;
}

Test(cold, each_one_comes_once_and_may_be_taken_out) {
  set_up(100, 100000);
  visit(200); /* some are idle now */
  memset(world.compared, 0, sizeof world.compared);
  world.changes[3] = world.changes[50] = true;
  nr_cold_hold(&world.cold, &world.items[7], true);
  nr_cold_each(&world.cold, take_out, &world);
  for (size_t i = 0; i < 100; i++) cr_assert_eq(world.compared[i], 1, "%zu", i);
  cr_assert_eq(world.items[3].group, NR_COLD_KEPT);
  cr_assert_eq(world.items[3].unchanged, 0);
  cr_assert_eq(world.items[7].group, NR_COLD_HELD);
  nr_cold_each(&world.cold, take_out, &world);
  cr_assert(nr_cold_is_empty(&world.cold));
  for (size_t i = 0; i < 100; i++) cr_assert_eq(world.compared[i], 2);
}

/* There is none while new ones keep coming. */
Test(cold, room) {
  set_up(3, 10 << 10);
  for (int i = 0; i < 2000; i++) visit(1);
  cr_assert(nr_cold_has_room(&world.cold, 2 << 10));
  cr_assert_not(nr_cold_has_room(&world.cold, (2 << 10) + 1));
  nr_cold_add(&world.cold, &world.items[20], 1);
  visit(1);
  cr_assert(nr_cold_has_room(&world.cold, 0));
  world.cold.mortal = true;
  cr_assert_not(nr_cold_has_room(&world.cold, 0), "others will come");
  cr_assert_eq(nr_cold_count(&world.cold), 4);
}

Test(cold, the_newest_have_their_turn_each_time_whatever_comes) {
  const uint32_t cost = 9 << 10;
  set_up(0, 0);
  world.cold.mortal = world.cold.newest = true;
  for (size_t i = 0; i < 200; i++) {
    nr_cold_add(&world.cold, &world.items[i], cost);
    visit(10);
    for (size_t k = i < 2 ? 0 : i - 2; k <= i; k++)
      cr_assert_eq(world.compared[k], 10 * (i - k + 1), "%zu of %zu", k, i);
  }
  cr_assert_lt(world.compared[150], 600, "those before them take turns");
  memset(world.compared, 0, sizeof world.compared);
  visit(1000);
  for (size_t i = 197; i < 200; i++) cr_assert_eq(world.compared[i], 1000);
}

Test(cold, more_that_is_held_than_is_compared_each_time) {
  set_up(10, 25 << 10);
  for (size_t i = 0; i < 10; i++) nr_cold_hold(&world.cold, &world.items[i], true);
  cr_assert(nr_cold_visits_used(&world.cold, 6 << 10));
  cr_assert_not(nr_cold_visits_used(&world.cold, (6 << 10) + 1));
}
