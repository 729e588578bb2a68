/*
 * Parts of memory that are compared with a copy (client/memory/beside.c).
 */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/mman.h>

#include "client/memory/beside.c"
#include "tracks.h"

#define PARTS 300

struct world {
  struct nr_beside *beside;
  uint8_t *memory;
  unsigned told[PARTS];
  unsigned count;
};

static void begin(struct world *world, size_t pages) {
  *world = (struct world){.beside = nr_beside_create(100)};
  cr_assert_not_null(world->beside);
  world->memory = map(pages * PAGE);
}

static void end(struct world *world, size_t pages) {
  nr_beside_destroy(world->beside);
  munmap(world->memory, pages * PAGE);
}

static void *owner(unsigned number) {
  return (void *)(uintptr_t)(number + 1);
}

static bool add(struct world *world, unsigned number, size_t at, size_t length) {
  return nr_beside_add(world->beside, world->memory + at, length, owner(number));
}

static void note(void *part, void *context) {
  struct world *world = context;
  world->told[(uintptr_t)part - 1]++;
  world->count++;
}

static bool ask(struct world *world) {
  memset(world->told, 0, sizeof world->told);
  world->count = 0;
  return nr_beside_ask(world->beside, note, world);
}

Test(beside, each_is_told_at_first_and_when_it_has_changed) {
  struct world world;
  begin(&world, 4);
  cr_assert_geq(world.beside->file, 100);
  cr_assert_not(ask(&world));
  cr_assert(add(&world, 0, 10, 100));
  cr_assert(add(&world, 1, 110, 5000));
  cr_assert(ask(&world));
  cr_assert_eq(world.count, 2);
  cr_assert_not(ask(&world));
  world.memory[5] = 1; /* nobody's */
  cr_assert_not(ask(&world));
  world.memory[5109] = 1;
  cr_assert(ask(&world));
  cr_assert_eq(world.told[1], 1);
  cr_assert_eq(world.count, 1);
  cr_assert_not(ask(&world));
  end(&world, 4);
}

Test(beside, the_others_stay_as_they_are_when_one_goes) {
  struct world world;
  begin(&world, 4);
  for (unsigned i = 0; i < 5; i++) cr_assert(add(&world, i, i * 1000, 100 * (i + 1)));
  ask(&world);
  world.memory[3000] = 7; /* what the fourth is not told of yet */
  nr_beside_remove(world.beside, owner(1));
  nr_beside_remove(world.beside, owner(77));
  cr_assert(ask(&world));
  cr_assert_eq(world.told[3], 1);
  cr_assert_eq(world.count, 1);
  world.memory[1000] = 7;
  cr_assert_not(ask(&world), "the second is gone");
  for (unsigned i = 0; i < 5; i++) nr_beside_remove(world.beside, owner(i));
  cr_assert_not(ask(&world));
  end(&world, 4);
}

Test(beside, there_is_room_for_so_many_and_so_much) {
  struct world world;
  begin(&world, 20);
  for (unsigned i = 0; i < NR_BESIDE_PARTS; i++) cr_assert(add(&world, i, i * 100, 100));
  cr_assert_not(add(&world, NR_BESIDE_PARTS, 0, 1));
  nr_beside_remove(world.beside, owner(9));
  cr_assert_not(add(&world, 9, 0, NR_BESIDE_BYTES - 100 * (NR_BESIDE_PARTS - 1) + 1));
  cr_assert(add(&world, 9, 0, NR_BESIDE_BYTES - 100 * (NR_BESIDE_PARTS - 1)));
  cr_assert(ask(&world));
  cr_assert_eq(world.count, NR_BESIDE_PARTS);
  cr_assert_not(ask(&world));
  end(&world, 20);
}

Test(beside, what_cannot_be_read_is_told_until_it_can) {
  struct world world;
  begin(&world, 4);
  cr_assert(add(&world, 0, 0, 100));
  cr_assert(add(&world, 1, PAGE, 100));
  ask(&world);
  cr_assert_eq(mprotect(world.memory + PAGE, PAGE, PROT_NONE), 0);
  for (int i = 0; i < 2; i++) {
    cr_assert(ask(&world));
    cr_assert_eq(world.count, 2);
  }
  cr_assert_eq(mprotect(world.memory + PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
  cr_assert(ask(&world), "what has been written meanwhile is not known");
  cr_assert_not(ask(&world));
  end(&world, 4);
}
