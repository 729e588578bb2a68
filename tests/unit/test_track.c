/*
 * Which memory was written (wire/track.c): where the kernel can tell.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tracks.h"

Test(track, writes_show_once) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  uint8_t *memory = map(64 * PAGE);
  struct nr_range ranges[4];
  memset(memory, 1, 64 * PAGE);
  cr_assert_eq(nr_tracker_add(tracker, memory, 64 * PAGE, false), 0);
  cr_assert_eq(nr_tracker_scan(tracker, memory, 64 * PAGE, false, ranges, 4), 0);
  memory[5 * PAGE + 7] = 2;
  memory[6 * PAGE] = 2;
  memory[20 * PAGE] = 2;
  cr_assert_eq(nr_tracker_scan(tracker, memory, 64 * PAGE, false, ranges, 4), 2);
  cr_assert_eq(ranges[0].from, 5 * PAGE);
  cr_assert_eq(ranges[0].to, 7 * PAGE);
  cr_assert_eq(ranges[1].from, 20 * PAGE);
  cr_assert_eq(ranges[1].to, 21 * PAGE);
  cr_assert_eq(nr_tracker_scan(tracker, memory, 64 * PAGE, false, ranges, 4), 0);
  munmap(memory, 64 * PAGE);
  nr_tracker_destroy(tracker);
}

Test(track, ranges_are_clipped_to_what_was_asked_about) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  uint8_t *memory = map(8 * PAGE);
  struct nr_range ranges[4];
  cr_assert_eq(nr_tracker_add(tracker, memory + 100, 3 * PAGE, false), 0);
  memory[101] = 1;
  memory[3 * PAGE + 50] = 1;
  cr_assert_eq(nr_tracker_scan(tracker, memory + 100, 3 * PAGE, false, ranges, 4), 2);
  cr_assert_eq(ranges[0].from, 0);
  cr_assert_eq(ranges[0].to, PAGE - 100);
  cr_assert_eq(ranges[1].from, 3 * PAGE - 100);
  cr_assert_eq(ranges[1].to, 3 * PAGE);
  munmap(memory, 8 * PAGE);
  nr_tracker_destroy(tracker);
}

Test(track, more_ranges_than_room_become_one) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  uint8_t *memory = map(200 * PAGE);
  struct nr_range ranges[2];
  cr_assert_eq(nr_tracker_add(tracker, memory, 200 * PAGE, false), 0);
  for (size_t i = 0; i < 200; i += 2) memory[i * PAGE] = 1;
  cr_assert_eq(nr_tracker_scan(tracker, memory, 200 * PAGE, false, ranges, 2), 2);
  cr_assert_eq(ranges[0].to, PAGE);
  cr_assert_eq(ranges[1].from, 2 * PAGE);
  cr_assert_eq(ranges[1].to, 199 * PAGE);
  munmap(memory, 200 * PAGE);
  nr_tracker_destroy(tracker);
}

Test(track, the_kernel_s_own_writes_show) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  uint8_t *memory = map(4 * PAGE);
  struct nr_range ranges[2];
  int zero = open("/dev/zero", O_RDONLY);
  cr_assert_eq(nr_tracker_add(tracker, memory, 4 * PAGE, false), 0);
  cr_assert_eq(read(zero, memory + PAGE, 10), 10);
  cr_assert_eq(nr_tracker_scan(tracker, memory, 4 * PAGE, false, ranges, 2), 1);
  cr_assert_eq(ranges[0].from, PAGE);
  close(zero);
  munmap(memory, 4 * PAGE);
  nr_tracker_destroy(tracker);
}

Test(track, unmapped_memory_is_an_error_not_a_crash) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  uint8_t *memory = map(4 * PAGE);
  struct nr_range ranges[2];
  cr_assert_eq(nr_tracker_add(tracker, memory, 4 * PAGE, false), 0);
  munmap(memory, 4 * PAGE);
  memory = mmap(memory, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  cr_assert_lt(nr_tracker_scan(tracker, memory, 4 * PAGE, false, ranges, 2), 0);
  nr_tracker_remove(tracker, memory, 4 * PAGE);
  munmap(memory, 4 * PAGE);
  nr_tracker_destroy(tracker);
}

/* KiB of them, of this process. */
static long page_tables(void) {
  char line[256];
  long size = -1;
  FILE *status = fopen("/proc/self/status", "re");
  while (status != NULL && size < 0 && fgets(line, sizeof line, status) != NULL) sscanf(line, "VmPTE: %ld", &size);
  if (status != NULL) fclose(status);
  return size;
}

struct there {
  struct nr_range ranges[4];
  size_t count;
  size_t room;
};

static bool note_there(struct nr_range range, void *context) {
  struct there *there = context;
  there->ranges[there->count++] = range;
  return there->count < there->room;
}

/* What is there of a mapping, whether it is watched or not; holes are not. */
Test(track, what_is_there) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  struct there all = {.room = 4}, first = {.room = 1}, none = {.room = 4};
  uint8_t *memory = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  memory[3 * PAGE] = memory[4 * PAGE] = memory[60 * PAGE] = 1;
  munmap(memory + 30 * PAGE, 4 * PAGE);
  cr_assert_eq(nr_tracker_present(tracker, memory, 64 * PAGE, note_there, &all), 0);
  cr_assert_eq(all.count, 2);
  cr_assert_eq(all.ranges[0].from, 3 * PAGE);
  cr_assert_eq(all.ranges[0].to, 5 * PAGE);
  cr_assert_eq(all.ranges[1].from, 60 * PAGE);
  cr_assert_eq(nr_tracker_present(tracker, memory, 64 * PAGE, note_there, &first), 0);
  cr_assert_eq(first.count, 1);
  cr_assert_eq(nr_tracker_present(tracker, memory + 31 * PAGE, 2 * PAGE, note_there, &none), 0);
  cr_assert_eq(none.count, 0);
  nr_tracker_destroy(tracker);
}

static void find(uint64_t from, uint64_t to, void *context) {
  *(uint64_t *)context += to - from;
}

/* A gigabyte of which nothing is there costs no page tables, and what is written is found, again and again. */
Test(track, most_is_not_there) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  const size_t length = (size_t)1 << 30;
  uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  uint64_t begin = (uint64_t)(uintptr_t)memory, told = 0;
  long before = page_tables();
  cr_assert_eq(nr_tracker_add(tracker, memory, length, true), 0);
  cr_assert_lt(page_tables() - before, 256, "%ld KiB", page_tables() - before);
  for (int round = 1; round < 4; round++) {
    struct nr_range ranges[64];
    for (size_t at = 0; at < length; at += length / 16) memory[at + 5 * PAGE] = (uint8_t)round;
    int count = nr_tracker_scan(tracker, memory, length, true, ranges, 64);
    cr_assert_geq(count, 16);
    for (int i = 0; i < 16; i++) {
      bool found = false;
      for (int j = 0; j < count && !found; j++) {
        uint64_t at = length / 16 * (uint64_t)i + 5 * PAGE;
        found = ranges[j].from <= at && ranges[j].to > at && ranges[j].to - ranges[j].from < length / 16;
      }
      cr_assert(found, "round %d, place %d", round, i);
    }
  }
  /* What lies beside what is there may be told, once. */
  cr_assert_eq(nr_tracker_find(tracker, begin, begin + length, true, true, find, &told), 0);
  cr_assert_leq(told, 16 * 512 * PAGE);
  told = 0;
  cr_assert_eq(nr_tracker_find(tracker, begin, begin + length, true, true, find, &told), 0);
  cr_assert_eq(told, 0);
  munmap(memory, length);
  nr_tracker_destroy(tracker);
}

/* Others write to files, and to what processes share. Pages that nobody has touched are neither. */
Test(track, what_is_of_a_file) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  int file = memfd_create("shared", MFD_CLOEXEC);
  cr_assert_eq(ftruncate(file, (off_t)PAGE), 0);
  uint8_t *memory = map(4 * PAGE);
  cr_assert_not(nr_tracker_is_of_file(tracker, memory, 4 * PAGE));
  int flags = MAP_SHARED | MAP_FIXED | MAP_POPULATE;
  cr_assert_eq(mmap(memory + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE, flags, file, 0), memory + 2 * PAGE);
  cr_assert(nr_tracker_is_of_file(tracker, memory, 4 * PAGE));
  cr_assert(nr_tracker_is_of_file(tracker, memory, 2 * PAGE + 1));
  cr_assert_not(nr_tracker_is_of_file(tracker, memory, 2 * PAGE));
  close(file);
  munmap(memory, 4 * PAGE);
  nr_tracker_destroy(tracker);
}
