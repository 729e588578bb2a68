/*
 * Many parts of memory, asked at once which of them have been written (wire/watched.c): where the kernel can tell.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tracks.h"
#include "wire/faults.h"
#include "wire/watched.h"

#define PARTS 64u
#define NONE ((struct nr_range){0, 0})

struct world {
  struct nr_tracker *tracker;
  struct nr_watched *watched;
  uint8_t *memory;
  size_t length;
  unsigned told[PARTS]; /* by owner */
  struct nr_range last[PARTS];
};

static bool begin_with(struct world *world, size_t pages, bool renews) {
  memset(world, 0, sizeof *world);
  world->tracker = tracker_or_skip();
  if (world->tracker == NULL) return false;
  world->watched = nr_watched_create(world->tracker, renews);
  world->length = pages * PAGE;
  world->memory = map(world->length);
  memset(world->memory, 1, world->length);
  return true;
}

static bool begin(struct world *world, size_t pages) {
  return begin_with(world, pages, false);
}

static void end(struct world *world) {
  nr_watched_destroy(world->watched);
  nr_tracker_destroy(world->tracker);
  munmap(world->memory, world->length);
}

static void *owner(unsigned number) {
  return (void *)(uintptr_t)(number + 1);
}

static void add(struct world *world, unsigned number, size_t at, size_t length) {
  cr_assert(nr_watched_add(world->watched, world->memory + at, length, NONE, owner(number)));
}

static void note(void *part, struct nr_range range, void *context) {
  struct world *world = context;
  size_t number = (size_t)(uintptr_t)part - 1;
  world->told[number]++;
  world->last[number] = range;
}

static bool ask(struct world *world) {
  memset(world->told, 0, sizeof world->told);
  return nr_watched_ask(world->watched, nr_faults_now(), note, world);
}

Test(watched, who_was_written_is_told_once) {
  struct world world;
  if (!begin(&world, 64)) return;
  add(&world, 0, 2 * PAGE, 3 * PAGE);
  add(&world, 1, 30 * PAGE, PAGE);
  add(&world, 2, 8 * PAGE, 2 * PAGE);
  ask(&world);
  cr_assert_eq(world.told[0] + world.told[1] + world.told[2], 0);
  world.memory[9 * PAGE + 5] = 2;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[2], 1);
  cr_assert_eq(world.told[0] + world.told[1], 0);
  cr_assert_eq(world.last[2].from, PAGE);
  cr_assert_eq(world.last[2].to, 2 * PAGE);
  ask(&world);
  cr_assert_eq(world.told[2], 0);
  nr_watched_remove(world.watched, world.memory + 8 * PAGE, 2 * PAGE, owner(2));
  world.memory[9 * PAGE + 5] = 3;
  world.memory[30 * PAGE] = 3;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[1], 1);
  cr_assert_eq(world.told[2], 0);
  end(&world);
}

Test(watched, all_parts_on_a_page_are_told_of_it) {
  struct world world;
  if (!begin(&world, 16)) return;
  add(&world, 0, PAGE + 100, 500);
  add(&world, 1, PAGE + 1000, 3 * PAGE);
  world.memory[PAGE + 1200] = 2; /* before the third comes */
  add(&world, 2, PAGE + 200, 100);
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 1, "what was written before is not forgotten for it");
  cr_assert_eq(world.told[1], 1);
  nr_watched_remove(world.watched, world.memory + PAGE + 1000, 3 * PAGE, owner(1));
  world.memory[PAGE] = 3; /* is no part's, but on their page */
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 1);
  cr_assert_eq(world.last[0].from, 0);
  cr_assert_eq(world.last[0].to, 500);
  cr_assert_eq(world.told[2], 1);
  world.memory[3 * PAGE] = 3; /* was the second's alone */
  ask(&world);
  cr_assert_eq(world.told[1], 0);
  end(&world);
}

/* Two of one place: hosts that have the same ArrayBuffer. */
Test(watched, one_place_may_have_two_owners) {
  struct world world;
  if (!begin(&world, 4)) return;
  add(&world, 0, PAGE, PAGE);
  add(&world, 1, PAGE, PAGE);
  nr_watched_remove(world.watched, world.memory + PAGE, PAGE, owner(0));
  world.memory[PAGE] = 2;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 0);
  cr_assert_eq(world.told[1], 1);
  end(&world);
}

struct other {
  struct world *world;
  _Atomic int turn; /* 1: it may write; 2: it has */
};

static void *write_beside(void *context) {
  struct other *other = context;
  while (other->turn != 1) continue;
  other->world->memory[PAGE] = 9;
  other->turn = 2;
  return NULL;
}

/* Another thread writes something else on the page: this one does so without a fault of its own. */
Test(watched, another_thread_may_have_written_to_the_page_first) {
  struct world world;
  struct other other = {.world = &world};
  pthread_t thread;
  if (!begin(&world, 4)) return;
  add(&world, 0, PAGE + 100, 100);
  cr_assert_eq(pthread_create(&thread, NULL, write_beside, &other), 0);
  ask(&world); /* all that this thread needs is there */
  ask(&world);
  other.turn = 1;
  while (other.turn != 2) continue;
  world.memory[PAGE + 150] = 2;
  bool found = ask(&world);
  cr_assert(found);
  cr_assert_eq(world.told[0], 1);
  pthread_join(thread, NULL);
  end(&world);
}

/* malloc() gives memory back, and takes it anew. */
Test(watched, memory_that_is_mapped_anew_is_watched_anew) {
  struct world world;
  if (!begin(&world, 8)) return;
  add(&world, 0, 2 * PAGE, 2 * PAGE);
  munmap(world.memory + 2 * PAGE, 2 * PAGE);
  cr_assert_eq(
      mmap(world.memory + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
      world.memory + 2 * PAGE);
  add(&world, 1, 2 * PAGE, 2 * PAGE); /* while the first, whose memory is gone, still is in the list */
  ask(&world);
  world.memory[3 * PAGE] = 2;
  cr_assert(ask(&world));
  cr_assert_geq(world.told[1], 1);
  nr_watched_remove(world.watched, world.memory + 2 * PAGE, 2 * PAGE, owner(0));
  world.memory[3 * PAGE] = 3;
  cr_assert(ask(&world));
  cr_assert_geq(world.told[1], 1);
  end(&world);
}

/* Which part lies where: at most one of each owner. */
struct model {
  bool there[PARTS];
  size_t at[PARTS], length[PARTS];
  bool written[PARTS]; /* since it was added, or told */
};

static void model_write(struct model *model, size_t at) {
  for (unsigned i = 0; i < PARTS; i++) {
    size_t from = model->at[i] / PAGE * PAGE, to = (model->at[i] + model->length[i] + PAGE - 1) / PAGE * PAGE;
    if (model->there[i] && at >= from && at < to) model->written[i] = true;
  }
}

/* `field`: where one begins, which takes the rest; no part is in it for a part of it only. */
static void step(struct world *world, struct model *model, size_t field) {
  unsigned number = (unsigned)rand() % PARTS;
  switch (rand() % 4) {
  case 0:
    if (model->there[number]) {
      nr_watched_remove(world->watched, world->memory + model->at[number], model->length[number], owner(number));
      model->there[number] = false;
      break;
    }
    model->length[number] = 1 + (size_t)rand() % (rand() % 2 ? 600 : 20000);
    model->at[number] = (size_t)rand() % (world->length - model->length[number]);
    if (model->at[number] < field && model->at[number] + model->length[number] > field) model->at[number] = field;
    model->written[number] = false;
    model->there[number] = true;
    add(world, number, model->at[number], model->length[number]);
    break;
  case 1:
    ask(world);
    for (unsigned i = 0; i < PARTS; i++) {
      if (!model->there[i]) cr_assert_eq(world->told[i], 0, "part %u is gone", i);
      if (model->there[i] && model->written[i]) cr_assert_gt(world->told[i], 0, "part %u was written", i);
      model->written[i] = false;
    }
    break;
  default: {
    size_t at = (size_t)rand() % world->length;
    world->memory[at]++;
    model_write(model, at);
  }
  }
}

Test(watched, at_random_nothing_is_missed) {
  static struct model model;
  struct world world;
  if (!begin(&world, 64)) return;
  srand(7);
  for (int i = 0; i < 50000; i++) step(&world, &model, world.length);
  end(&world);
}

Test(watched, at_random_in_a_field_nothing_is_missed) {
  static struct model model;
  struct world world;
  if (!begin(&world, 64)) return;
  size_t field = 20 * PAGE;
  cr_assert(nr_watched_field(world.watched, world.memory + field, world.length - field));
  srand(8);
  for (int i = 0; i < 50000; i++) step(&world, &model, field);
  end(&world);
}

/* What is left of a block at its end is looked at, but is no part's. */
Test(watched, parts_of_a_field_that_lie_apart) {
  struct world world;
  if (!begin(&world, 64)) return;
  cr_assert(nr_watched_field(world.watched, world.memory, world.length));
  for (unsigned i = 0; i < 4; i++) add(&world, i, i * 16 * PAGE, 15 * PAGE - 100);
  ask(&world);
  world.memory[15 * PAGE + 5] = 2;
  world.memory[2 * 16 * PAGE + 5] = 2;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0] + world.told[1] + world.told[3], 0);
  cr_assert_eq(world.told[2], 1);
  nr_watched_remove(world.watched, world.memory + 2 * 16 * PAGE, 15 * PAGE, owner(2));
  add(&world, 2, 2 * 16 * PAGE, PAGE);
  world.memory[2 * 16 * PAGE + 6] = 3;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[2], 1);
  for (unsigned i = 0; i < 4; i++) nr_watched_remove(world.watched, world.memory + i * 16 * PAGE, 15 * PAGE, owner(i));
  nr_watched_no_field(world.watched, world.memory);
  add(&world, 0, 0, PAGE);
  world.memory[0] = 4;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 1);
  end(&world);
}

/* It has been watched by itself. */
Test(watched, what_is_taken_over_is_told_from_the_last_question_on) {
  struct world world;
  struct nr_range range;
  if (!begin(&world, 16)) return;
  cr_assert_eq(nr_tracker_add(world.tracker, world.memory + PAGE, 4 * PAGE, false), 0);
  world.memory[PAGE] = 2;
  cr_assert_eq(nr_tracker_scan(world.tracker, world.memory + PAGE, 4 * PAGE, false, &range, 1), 1);
  world.memory[3 * PAGE] = 2;
  cr_assert(nr_watched_take_over(world.watched, world.memory + PAGE, 4 * PAGE, owner(0), false));
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 1);
  cr_assert_eq(world.last[0].from, 2 * PAGE);
  cr_assert_eq(world.last[0].to, 3 * PAGE);
  cr_assert_eq(nr_tracker_add(world.tracker, world.memory + 8 * PAGE, PAGE, false), 0);
  cr_assert(nr_watched_take_over(world.watched, world.memory + 8 * PAGE, PAGE, owner(1), true));
  cr_assert(ask(&world), "that something was written is known already");
  cr_assert_eq(world.told[1], 1);
  cr_assert_eq(world.last[1].to, PAGE);
  ask(&world);
  cr_assert_eq(world.told[1], 0, "and told once");
  nr_watched_owe(world.watched, world.memory + 8 * PAGE, owner(1));
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 0);
  cr_assert_eq(world.told[1], 1);
  cr_assert_eq(world.last[1].to, PAGE);
  end(&world);
}

static uint8_t *map_at(uint8_t *memory, size_t length) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_POPULATE;
  return mmap(memory, length, PROT_READ | PROT_WRITE, flags, -1, 0);
}

Test(watched, a_list_that_renews_goes_on_with_what_is_mapped_anew) {
  struct world world;
  if (!begin_with(&world, 16, true)) return;
  add(&world, 0, 2 * PAGE, 4 * PAGE);
  add(&world, 1, 6 * PAGE, PAGE);
  ask(&world);
  cr_assert_eq(map_at(world.memory + 3 * PAGE, PAGE), world.memory + 3 * PAGE);
  cr_assert(ask(&world), "it may hold anything");
  cr_assert_geq(world.told[0], 1);
  ask(&world);
  ask(&world);
  cr_assert_eq(world.told[0], 0);
  world.memory[3 * PAGE + 7] = 5;
  cr_assert(ask(&world));
  cr_assert_geq(world.told[0], 1);
  cr_assert_eq(world.told[1], 0);
  munmap(world.memory + 3 * PAGE, PAGE); /* nothing is there, and nothing is told */
  ask(&world);
  cr_assert_eq(world.told[0], 0);
  cr_assert_eq(map_at(world.memory + 3 * PAGE, PAGE), world.memory + 3 * PAGE);
  end(&world);
}

Test(watched, a_part_with_a_hole) {
  struct world world;
  if (!begin(&world, 16)) return;
  struct nr_range hole = {3 * PAGE - 100, 6 * PAGE - 100};
  cr_assert(nr_watched_add(world.watched, world.memory + PAGE + 100, 8 * PAGE, hole, owner(0)));
  ask(&world);
  world.memory[4 * PAGE] = world.memory[7 * PAGE - 1] = 2;
  ask(&world);
  cr_assert_eq(world.told[0], 0);
  world.memory[4 * PAGE - 1] = 2;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 1);
  cr_assert_eq(world.last[0].from, 2 * PAGE - 100);
  cr_assert_eq(world.last[0].to, 3 * PAGE - 100);
  world.memory[9 * PAGE] = 2;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[0], 1);
  cr_assert_eq(world.last[0].from, 8 * PAGE - 100);
  cr_assert_eq(world.last[0].to, 8 * PAGE);
  nr_watched_remove(world.watched, world.memory + PAGE + 100, 8 * PAGE, owner(0));
  cr_assert(nr_watched_is_empty(world.watched));
  hole = (struct nr_range){0, PAGE}; /* nothing is left */
  cr_assert_not(nr_watched_add(world.watched, world.memory, PAGE, hole, owner(0)));
  end(&world);
}

Test(watched, whose_pages_they_are) {
  struct world world;
  if (!begin(&world, 16)) return;
  add(&world, 0, PAGE + 100, 5 * PAGE);
  add(&world, 1, 2 * PAGE, 100);
  add(&world, 2, 10 * PAGE + 100, 100);
  cr_assert_null(nr_watched_owner(world.watched, world.memory, PAGE));
  cr_assert_eq(nr_watched_owner(world.watched, world.memory, PAGE + 1), owner(0));
  cr_assert_eq(nr_watched_owner(world.watched, world.memory + 6 * PAGE + 500, 10), owner(0));
  cr_assert_null(nr_watched_owner(world.watched, world.memory + 7 * PAGE, 3 * PAGE));
  cr_assert_eq(nr_watched_owner(world.watched, world.memory + 7 * PAGE, 3 * PAGE + 1), owner(2));
  cr_assert(nr_watched_anywhere(world.memory + 10 * PAGE + 4000, 1));
  cr_assert(!nr_watched_anywhere(world.memory + 11 * PAGE, 5 * PAGE));
  end(&world);
}

Test(watched, a_thousand_parts_side_by_side) {
  struct world world;
  if (!begin(&world, 1100)) return;
  for (size_t i = 0; i < 1000; i++) add(&world, (unsigned)(i % PARTS), i * 4112 + 16, 4096);
  ask(&world);
  world.memory[500 * 4112 + 30] = 2;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[500 % PARTS], 1);
  end(&world);
}

/* Asking forgets what was written, for all. */
Test(watched, no_page_is_in_two_lists) {
  struct world world;
  if (!begin(&world, 8)) return;
  struct nr_tracker *tracker = nr_tracker_create(0);
  struct nr_watched *other = nr_watched_create(tracker, false);
  add(&world, 0, PAGE + 100, 2 * PAGE);
  cr_assert(!nr_watched_add(other, world.memory + 3 * PAGE + 1000, 10, NONE, owner(1)));
  cr_assert(nr_watched_add(other, world.memory + 4 * PAGE, PAGE, NONE, owner(1)));
  nr_watched_remove(world.watched, world.memory + PAGE + 100, 2 * PAGE, owner(0));
  cr_assert(nr_watched_add(other, world.memory + PAGE, PAGE, NONE, owner(2)));
  nr_watched_destroy(other);
  nr_tracker_destroy(tracker);
  end(&world);
}

/* Rows that the kernel is asked about when something was written. */
static uint32_t count_rows(struct world *world, uint8_t *written) {
  uint32_t rows = nr_watched_rows(world->watched);
  ++*written;
  cr_assert(ask(world));
  return nr_watched_rows(world->watched) - rows;
}

/* What lies between them, and is nobody's, the kernel skips. But another thread may have just begun to watch that. */
Test(watched, parts_that_lie_apart_are_one_question_for_the_only_list) {
  struct world world;
  if (!begin(&world, 64)) return;
  for (unsigned i = 0; i < 8; i++) add(&world, i, i * 8 * PAGE + 100, 2 * PAGE);
  ask(&world);
  world.memory[4 * PAGE] = 7; /* nobody's */
  cr_assert_eq(count_rows(&world, world.memory + 8 * PAGE + 200), 1);
  cr_assert_eq(world.told[1], 1);
  for (unsigned i = 0; i < 8; i++) cr_assert_eq(world.told[i], i == 1);
  struct nr_tracker *tracker = nr_tracker_create(0);
  struct nr_watched *other = nr_watched_create(tracker, false);
  cr_assert(nr_watched_add(other, world.memory + 12 * PAGE, PAGE, NONE, owner(20)));
  world.memory[12 * PAGE] = 9;
  cr_assert_eq(count_rows(&world, world.memory + 16 * PAGE + 200), 8);
  cr_assert_eq(world.told[2], 1);
  cr_assert(nr_watched_ask(other, nr_faults_now(), note, &world));
  cr_assert_eq(world.told[20], 1);
  nr_watched_destroy(other);
  nr_tracker_destroy(tracker);
  cr_assert_eq(count_rows(&world, world.memory + 24 * PAGE + 200), 1);
  cr_assert_eq(world.told[3], 1);
  end(&world);
}

/* Where what is mapped anew is the part's, that goes for what lies in the midst of a heap, but for one look in 64. */
Test(watched, parts_of_a_heap_that_lie_apart_are_one_question_for_a_list_that_renews) {
  struct world world;
  if (!begin_with(&world, 64, true)) return;
  for (unsigned i = 0; i < 4; i++) add(&world, i, i * 8 * PAGE + 100, 2 * PAGE);
  for (unsigned i = 4; i < 8; i++) add(&world, i, i * 8 * PAGE, 2 * PAGE);
  ask(&world);
  for (unsigned i = 0; i < 8; i++) {
    cr_assert_eq(count_rows(&world, world.memory + i * 8 * PAGE + 200), 5);
    for (unsigned j = 0; j < 8; j++) cr_assert_eq(world.told[j], i == j);
  }
  cr_assert_eq(map_at(world.memory + 48 * PAGE, PAGE), world.memory + 48 * PAGE);
  cr_assert(ask(&world), "it may hold anything");
  cr_assert_eq(world.told[6], 1);
  cr_assert_eq(map_at(world.memory + 8 * PAGE, PAGE), world.memory + 8 * PAGE);
  unsigned told = 0;
  for (unsigned i = 0; i < 64; i++) {
    world.memory[i % 2 * 40 * PAGE + 300] = (uint8_t)(i + 9);
    ask(&world);
    told += world.told[1];
  }
  cr_assert_geq(told, 1);
  world.memory[8 * PAGE + 300] = 7;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[1], 1, "it is watched again");
  end(&world);
}
