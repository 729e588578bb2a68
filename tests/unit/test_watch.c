/*
 * Memory that is watched part by part (client/memory/watch.c), and how such a part comes to be watched with others:
 * where the kernel can tell.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "client/memory/watch.c"
#include "wire/faults.h"
#include "tracks.h"

#define PAGES 32
#define ROOM 64
/* Asks the kernel whatever has happened. */
#define ALWAYS (-1)

struct world {
  struct nr_tracker *tracker;
  struct nr_watched *watched;
  uint8_t *memory;
  struct nr_range ranges[ROOM];
  unsigned moved, added;
  unsigned told; /* bytes */
};

static bool begin(struct world *world) {
  memset(world, 0, sizeof *world);
  world->tracker = tracker_or_skip();
  if (world->tracker == NULL) return false;
  world->watched = nr_watched_create(world->tracker, true);
  world->memory = map(PAGES * PAGE);
  memset(world->memory, 1, PAGES * PAGE);
  return true;
}

static void end(struct world *world) {
  nr_watched_destroy(world->watched);
  nr_tracker_destroy(world->tracker);
  munmap(world->memory, PAGES * PAGE);
}

static struct nr_watch *watch_part(struct world *world, size_t at, size_t length) {
  struct nr_watch *watch = nr_watch_start(world->tracker, world->memory + at, length, false, world->memory + at);
  cr_assert_not_null(watch);
  return watch;
}

/* Two that have a page in common, between them 100 bytes of nobody. */
struct neighbours {
  struct nr_watch *one, *other;
};

/* How many bytes are told of. */
static size_t count_written(struct world *world, struct nr_watch *watch, long faults) {
  int count = nr_watch_scan(world->tracker, watch, faults, world->ranges, ROOM);
  size_t bytes = 0;
  cr_assert_geq(count, 0);
  for (int i = 0; i < count; i++) bytes += world->ranges[i].to - world->ranges[i].from;
  return bytes;
}

/* Nothing has been written to either yet. */
static struct neighbours watch_two(struct world *world) {
  struct neighbours both = {watch_part(world, 0, 4 * PAGE + 100), watch_part(world, 4 * PAGE + 200, 4 * PAGE)};
  cr_assert_eq(count_written(world, both.one, ALWAYS) + count_written(world, both.other, ALWAYS), 0);
  return both;
}

static void note_moved(void *owner, bool added, void *context) {
  struct world *world = context;
  cr_assert_not_null(owner);
  world->moved++;
  world->added += added;
}

static void note_written(void *owner, struct nr_range range, void *context) {
  struct world *world = context;
  cr_assert_not_null(owner);
  world->told += (unsigned)(range.to - range.from);
}

static bool join(struct world *world, const struct nr_watch *watch) {
  return nr_watch_join(world->tracker, world->watched, watch, note_moved, world);
}

/* Of those that are watched together. */
static unsigned ask(struct world *world) {
  world->told = 0;
  nr_watched_ask(world->watched, nr_faults_now(), note_written, world);
  return world->told;
}

Test(watch, the_kernel_is_asked_after_a_page_fault) {
  struct world world;
  if (!begin(&world)) return;
  struct nr_watch *watch = watch_part(&world, 0, 8 * PAGE);
  cr_assert_eq(count_written(&world, watch, nr_faults_now()), 0);
  world.memory[2 * PAGE + 7] = 2;
  cr_assert_eq(count_written(&world, watch, nr_faults_now()), PAGE);
  cr_assert_eq(world.ranges[0].from, 2 * PAGE);
  long faults = nr_faults_now();
  cr_assert_eq(count_written(&world, watch, faults), 0);
  world.memory[3 * PAGE] = 2;
  cr_assert_neq(nr_faults_now(), faults, "the first write to a page that is watched is a fault");
  cr_assert_eq(count_written(&world, watch, faults), 0, "not asked: nothing is known to have happened");
  cr_assert_eq(count_written(&world, watch, nr_faults_now()), PAGE);
  nr_faults_disturb();
  world.memory[4 * PAGE] = 2;
  cr_assert_eq(count_written(&world, watch, nr_faults_now()), PAGE);
  nr_watch_end(world.tracker, watch);
  end(&world);
}

Test(watch, what_shares_a_page_with_one_that_ends_is_asked_about_anew) {
  struct world world;
  if (!begin(&world)) return;
  struct neighbours both = watch_two(&world);
  long faults = nr_faults_now();
  cr_assert_eq(count_written(&world, both.one, faults) + count_written(&world, both.other, faults), 0);
  nr_watch_end(world.tracker, both.other);
  world.memory[4 * PAGE + 50] = 2;
  int count = nr_watch_scan(world.tracker, both.one, faults, world.ranges, ROOM);
  cr_assert_neq(count, 0, "told, or that it cannot be any more");
  nr_watch_end(world.tracker, both.one);
  end(&world);
}

Test(watch, what_joins_others_brings_along_what_was_written) {
  struct world world;
  if (!begin(&world)) return;
  struct nr_watch *watch = watch_part(&world, 0, 8 * PAGE);
  cr_assert_eq(count_written(&world, watch, ALWAYS), 0);
  world.memory[5 * PAGE + 9] = 2;
  cr_assert(join(&world, watch));
  cr_assert_eq(world.moved, 1);
  cr_assert_eq(world.added, 1);
  cr_assert_eq(ask(&world), PAGE, "the page that was written, and nothing else");
  cr_assert_eq(ask(&world), 0);
  world.memory[PAGE] = 2;
  cr_assert_eq(ask(&world), PAGE);
  end(&world);
}

Test(watch, what_shares_a_page_with_one_that_joins_comes_along) {
  struct world world;
  if (!begin(&world)) return;
  struct neighbours both = watch_two(&world);
  watch_part(&world, 20 * PAGE, 2 * PAGE);
  world.memory[6 * PAGE] = 2;
  cr_assert(join(&world, both.one));
  cr_assert_eq(world.moved, 2);
  cr_assert_eq(ask(&world), PAGE);
  end(&world);
}

/* What one question has made the kernel forget was told to the other, which has not been asked since. */
Test(watch, what_others_have_found_is_brought_along) {
  struct world world;
  if (!begin(&world)) return;
  struct neighbours both = watch_two(&world);
  world.memory[4 * PAGE + 50] = 2;
  cr_assert_gt(count_written(&world, both.other, ALWAYS), 0);
  cr_assert(join(&world, both.one));
  cr_assert_geq(ask(&world), 100);
  end(&world);
}

/* The last page has been found written, so that its bytes are compared; another one's question makes the kernel forget
 * that they are written again. */
Test(watch, bytes_that_are_compared_are_looked_at_before_the_kernel_is_asked_about_them) {
  struct world world;
  if (!begin(&world)) return;
  struct neighbours both = watch_two(&world);
  world.memory[4 * PAGE + 150] = 2; /* between the two */
  cr_assert_gt(count_written(&world, both.one, ALWAYS), 0);
  cr_assert_eq(count_written(&world, both.one, ALWAYS), 0);
  world.memory[4 * PAGE + 50] = 3;
  count_written(&world, both.other, ALWAYS);
  cr_assert(join(&world, both.one));
  cr_assert_geq(ask(&world), 100);
  end(&world);
}
