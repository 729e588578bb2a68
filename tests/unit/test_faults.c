/*
 * When memory that is watched has to be looked at (wire/faults.c): after a page fault that is not known to have nothing
 * to do with it, and after what is none.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracks.h"
#include "wire/faults.h"
#include "wire/watched.h"

#define PAGES 8

struct world {
  struct nr_tracker *tracker;
  struct nr_watched *watched;
  uint8_t *memory;
  unsigned told;
};

static bool begin(struct world *world) {
  *world = (struct world){.tracker = tracker_or_skip()};
  if (world->tracker == NULL) return false;
  world->watched = nr_watched_create(world->tracker, false);
  world->memory = map(PAGES * PAGE);
  memset(world->memory, 1, PAGES * PAGE);
  return true;
}

static void end(struct world *world) {
  nr_watched_destroy(world->watched);
  nr_tracker_destroy(world->tracker);
  munmap(world->memory, PAGES * PAGE);
}

/* From the second page on. */
static void add(struct world *world, size_t length) {
  cr_assert(nr_watched_add(world->watched, world->memory + PAGE, length, (struct nr_range){0, 0}, world));
}

static void note(void *part, struct nr_range range, void *context) {
  struct world *world = context;
  (void)part, (void)range;
  world->told++;
}

static bool ask(struct world *world) {
  world->told = 0;
  return nr_watched_ask(world->watched, nr_faults_now(), note, world);
}

struct writer {
  int wish[2], done[2];
  pid_t child;
};

/* Another process, which writes when it is asked to: the kernel counts that for it. */
static void start_writer(struct writer *writer, uint8_t *at) {
  pid_t parent = getpid();
  prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
  cr_assert_eq(pipe(writer->wish) + pipe(writer->done), 0);
  if ((writer->child = fork()) != 0) return;
  uint8_t byte = 9;
  struct iovec own = {&byte, 1}, theirs = {at, 1};
  close(writer->wish[1]);
  while (read(writer->wish[0], &byte, 1) == 1) {
    if (process_vm_writev(parent, &own, 1, &theirs, 1, 0) != 1 || write(writer->done[1], &byte, 1) != 1) _exit(1);
  }
  _exit(0);
}

static void have_written(struct writer *writer) {
  char byte = 1;
  if (write(writer->wish[1], &byte, 1) != 1 || read(writer->done[0], &byte, 1) != 1) abort();
}

/* Pages that a fork has left to both are this one's before anything is looked at. */
Test(faults, what_another_process_writes_has_to_be_said) {
  struct world world;
  struct writer writer;
  if (!begin(&world)) return;
  start_writer(&writer, world.memory + PAGE);
  memset(world.memory, 2, PAGES * PAGE);
  add(&world, PAGE);
  for (int i = 0; i < 3; i++) { /* all that this takes is there */
    have_written(&writer);
    ask(&world);
    ask(&world);
  }
  have_written(&writer);
  world.memory[PAGE + 1] = 2; /* without a fault */
  nr_faults_disturb();
  cr_assert(ask(&world));
  cr_assert_eq(world.told, 1);
  int status = 1;
  close(writer.wish[1]);
  cr_assert_eq(waitpid(writer.child, &status, 0), writer.child);
  cr_assert_eq(status, 0);
  end(&world);
}

static uint8_t *populate(size_t length) {
  return mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
}

/* What was written before, or by a signal handler meanwhile, is not taken to be of the new pages' making. */
Test(faults, new_pages_hide_no_write) {
  struct world world;
  if (!begin(&world)) return;
  size_t length = 4 * PAGE;
  add(&world, 5 * PAGE);
  ask(&world);
  world.memory[PAGE] = 2;
  long before = nr_faults_populating();
  uint8_t *fresh = populate(length);
  nr_faults_populated(before, length);
  cr_assert(ask(&world));
  cr_assert_eq(world.told, 1);
  before = nr_faults_populating();
  uint8_t *more = populate(length);
  for (size_t page = 1; page < 6; page++) world.memory[page * PAGE] = 3; /* more than are new, however they came */
  nr_faults_populated(before, length);
  cr_assert(ask(&world));
  cr_assert_eq(world.told, 1);
  munmap(fresh, length);
  munmap(more, length);
  end(&world);
}
