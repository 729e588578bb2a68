/*
 * What comes to be there of memory that is not all there (client/memory/sparse.c): where the kernel can tell.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "client/memory/presence.c"
#include "client/memory/sparse.c"
#include "tracks.h"

#define PAGES 1000
/* Asks the kernel whatever has happened. */
#define ALWAYS (-1)

struct world {
  struct nr_tracker *tracker;
  struct nr_presence *presence;
  struct nr_sparse *sparse;
  uint8_t *memory;
  bool told[PAGES];
};

static void note_told(struct nr_range range, void *context) {
  struct world *world = context;
  cr_assert_leq(range.to, PAGES * PAGE);
  for (uint64_t at = range.from; at < range.to; at += PAGE) world->told[at / PAGE] = true;
}

static bool ask(struct world *world) {
  memset(world->told, 0, sizeof world->told);
  return nr_sparse_ask(world->sparse, ALWAYS, note_told, world);
}

static unsigned count_told(const struct world *world) {
  unsigned count = 0;
  for (unsigned i = 0; i < PAGES; i++) count += world->told[i];
  return count;
}

static void touch(struct world *world, unsigned page) {
  world->memory[page * PAGE + 7] = 1;
}

/* Pages 100 to 199 are there, and known to be. */
static bool begin(struct world *world) {
  Nr__Stretch stretch = NR__STRETCH__INIT, *stretches[] = {&stretch};
  memset(world, 0, sizeof *world);
  world->tracker = tracker_or_skip();
  if (world->tracker == NULL) return false;
  world->memory = map(PAGES * PAGE);
  stretch.offset = 100 * PAGE;
  stretch.length = 100 * PAGE;
  for (unsigned i = 100; i < 200; i++) touch(world, i);
  world->presence = nr_presence_create(world->tracker);
  world->sparse = nr_sparse_create(world->presence, world->memory, PAGES * PAGE, stretches, 1);
  return true;
}

static void end(struct world *world) {
  nr_sparse_destroy(world->sparse);
  nr_presence_destroy(world->presence);
  nr_tracker_destroy(world->tracker);
  munmap(world->memory, PAGES * PAGE);
}

Test(sparse, what_is_known_is_no_news) {
  struct world world;
  if (!begin(&world)) return;
  cr_assert_not(ask(&world));
  cr_assert_eq(count_told(&world), 0);
  touch(&world, 150);
  cr_assert_not(ask(&world));
  end(&world);
}

/* More than any fixed number of them, and each once. */
Test(sparse, every_other_page) {
  struct world world;
  if (!begin(&world)) return;
  for (unsigned i = 300; i < 900; i += 2) touch(&world, i);
  cr_assert(ask(&world));
  cr_assert_eq(count_told(&world), 300);
  for (unsigned i = 300; i < 900; i += 2) cr_assert(world.told[i]);
  cr_assert_not(ask(&world));
  touch(&world, 501);
  cr_assert(ask(&world));
  cr_assert_eq(count_told(&world), 3); /* what lies beside it, as well */
  cr_assert(world.told[500] && world.told[501] && world.told[502]);
  end(&world);
}

/* Before what was there, behind it, and in the midst of what has gone. */
Test(sparse, grows_and_shrinks) {
  struct world world;
  if (!begin(&world)) return;
  touch(&world, 98);
  touch(&world, 99);
  touch(&world, 200);
  cr_assert(ask(&world));
  cr_assert_eq(count_told(&world), 5);
  cr_assert(world.told[98] && world.told[99] && world.told[100] && world.told[199] && world.told[200]);
  cr_assert_eq(madvise(world.memory + 120 * PAGE, 40 * PAGE, MADV_DONTNEED), 0);
  cr_assert_not(ask(&world));
  touch(&world, 140);
  cr_assert(ask(&world));
  cr_assert_eq(count_told(&world), 1);
  cr_assert(world.told[140]);
  end(&world);
}

Test(sparse, due_after_a_page_fault) {
  struct world world;
  if (!begin(&world)) return;
  cr_assert(nr_sparse_is_due(world.sparse, 5));
  (void)nr_sparse_ask(world.sparse, 5, note_told, &world);
  cr_assert_not(nr_sparse_is_due(world.sparse, 5));
  cr_assert(nr_sparse_is_due(world.sparse, 6));
  cr_assert(nr_sparse_is_due(world.sparse, ALWAYS));
  end(&world);
}
