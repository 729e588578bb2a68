/*
 * What is there of memory that need not be, asked for once for all that overlap (client/memory/presence.c): where the
 * kernel can tell.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "client/memory/presence.c"
#include "tracks.h"

#define PAGES 64
#define ALWAYS (-1)

struct world {
  struct nr_tracker *tracker;
  struct nr_presence *presence;
  uint8_t *memory;
};

static bool begin(struct world *world) {
  memset(world, 0, sizeof *world);
  world->tracker = tracker_or_skip();
  if (world->tracker == NULL) return false;
  world->memory = map(PAGES * PAGE);
  world->presence = nr_presence_create(world->tracker);
  return true;
}

static void end(struct world *world) {
  nr_presence_destroy(world->presence);
  nr_tracker_destroy(world->tracker);
  munmap(world->memory, PAGES * PAGE);
}

static void touch(struct world *world, unsigned page) {
  world->memory[page * PAGE + 7] = 1;
}

static void add(struct world *world, struct nr_presence_item *item, unsigned from, unsigned to) {
  cr_assert(nr_presence_add(world->presence, item, world->memory + from * PAGE + 100, (to - from) * PAGE - 200));
}

/* The version; *pages: of all that is told. */
static uint64_t ask(struct world *world, const struct nr_presence_item *item, long faults, uint64_t *pages) {
  struct nr_there there;
  *pages = 0;
  cr_assert(nr_presence_ask(world->presence, item, faults, &there));
  for (size_t i = 0; i < there.ranges->count; i++) {
    struct nr_range range = there.ranges->ranges[i];
    for (unsigned page = 0; page < PAGES; page++) {
      uint64_t at = (uint64_t)(uintptr_t)world->memory + page * PAGE;
      if (at >= range.from && at < range.to) *pages |= UINT64_C(1) << page;
    }
  }
  return there.version;
}

/* One question for those that overlap, another for the rest. */
Test(presence, once_for_all_that_overlap) {
  struct world world;
  struct nr_presence_item first, second, apart;
  uint64_t pages;
  if (!begin(&world)) return;
  add(&world, &apart, 40, 60);
  add(&world, &second, 10, 30);
  add(&world, &first, 0, 20);
  touch(&world, 5);
  touch(&world, 25);
  touch(&world, 50);
  uint64_t version = ask(&world, &first, 1, &pages);
  cr_assert_eq(pages, UINT64_C(1) << 5 | UINT64_C(1) << 25);
  touch(&world, 12);
  cr_assert_eq(ask(&world, &second, 1, &pages), version); /* no page fault, it is told */
  cr_assert_eq(pages, UINT64_C(1) << 5 | UINT64_C(1) << 25);
  cr_assert_neq(ask(&world, &second, 2, &pages), version);
  cr_assert_eq(pages, UINT64_C(1) << 5 | UINT64_C(1) << 12 | UINT64_C(1) << 25);
  ask(&world, &apart, 2, &pages);
  cr_assert_eq(pages, UINT64_C(1) << 50);
  end(&world);
}

Test(presence, same_version_while_nothing_changes) {
  struct world world;
  struct nr_presence_item item;
  uint64_t pages;
  if (!begin(&world)) return;
  add(&world, &item, 0, PAGES);
  uint64_t version = ask(&world, &item, ALWAYS, &pages);
  cr_assert_neq(version, 0);
  cr_assert_eq(ask(&world, &item, ALWAYS, &pages), version);
  touch(&world, 9);
  cr_assert_neq(ask(&world, &item, ALWAYS, &pages), version);
  cr_assert_eq(pages, UINT64_C(1) << 9);
  end(&world);
}

/* What an older question was about says nothing of others. */
Test(presence, others_come_and_go) {
  struct world world;
  struct nr_presence_item items[3];
  uint64_t pages;
  if (!begin(&world)) return;
  for (unsigned page = 0; page < PAGES; page += 8) touch(&world, page);
  add(&world, &items[0], 0, 10);
  uint64_t version = ask(&world, &items[0], 1, &pages);
  cr_assert_eq(pages, UINT64_C(0x101));
  add(&world, &items[1], 30, 40);
  add(&world, &items[2], 8, 35);
  cr_assert_neq(ask(&world, &items[0], 1, &pages), version);
  cr_assert_eq(pages, UINT64_C(0x101010101));
  nr_presence_remove(world.presence, &items[0]);
  ask(&world, &items[2], 1, &pages);
  cr_assert_eq(pages, UINT64_C(0x101010100));
  nr_presence_remove(world.presence, &items[2]);
  ask(&world, &items[1], 1, &pages);
  cr_assert_eq(pages, UINT64_C(0x100000000));
  end(&world);
}

/* A gigabyte from the end of the stack on lies beyond what a process has. */
Test(presence, beyond_the_end_of_memory) {
  struct world world;
  struct nr_presence_item item, other, nowhere;
  struct nr_there there;
  if (!begin(&world)) return;
  volatile char here = 1;
  cr_assert(nr_presence_add(world.presence, &item, (const void *)&here, UINT64_C(1) << 46));
  add(&world, &other, 0, PAGES);
  cr_assert(nr_presence_ask(world.presence, &item, ALWAYS, &there));
  cr_assert_gt(there.ranges->count, 0);
  /* What addons make of (void *)-1, RTLD_NEXT: the end lies before the beginning. */
  cr_assert(nr_presence_add(world.presence, &nowhere, (const void *)UINTPTR_MAX, UINT64_C(1) << 30));
  cr_assert(nr_presence_ask(world.presence, &nowhere, ALWAYS, &there));
  cr_assert_eq(there.ranges->count, 0);
  end(&world);
}
