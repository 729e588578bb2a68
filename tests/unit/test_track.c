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
  cr_assert_eq(nr_tracker_add(tracker, memory, 64 * PAGE), 0);
  cr_assert_eq(nr_tracker_scan(tracker, memory, 64 * PAGE, ranges, 4), 0);
  memory[5 * PAGE + 7] = 2;
  memory[6 * PAGE] = 2;
  memory[20 * PAGE] = 2;
  cr_assert_eq(nr_tracker_scan(tracker, memory, 64 * PAGE, ranges, 4), 2);
  cr_assert_eq(ranges[0].from, 5 * PAGE);
  cr_assert_eq(ranges[0].to, 7 * PAGE);
  cr_assert_eq(ranges[1].from, 20 * PAGE);
  cr_assert_eq(ranges[1].to, 21 * PAGE);
  cr_assert_eq(nr_tracker_scan(tracker, memory, 64 * PAGE, ranges, 4), 0);
  munmap(memory, 64 * PAGE);
  nr_tracker_destroy(tracker);
}

Test(track, ranges_are_clipped_to_what_was_asked_about) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  uint8_t *memory = map(8 * PAGE);
  struct nr_range ranges[4];
  cr_assert_eq(nr_tracker_add(tracker, memory + 100, 3 * PAGE), 0);
  memory[101] = 1;
  memory[3 * PAGE + 50] = 1;
  cr_assert_eq(nr_tracker_scan(tracker, memory + 100, 3 * PAGE, ranges, 4), 2);
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
  cr_assert_eq(nr_tracker_add(tracker, memory, 200 * PAGE), 0);
  for (size_t i = 0; i < 200; i += 2) memory[i * PAGE] = 1;
  cr_assert_eq(nr_tracker_scan(tracker, memory, 200 * PAGE, ranges, 2), 2);
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
  cr_assert_eq(nr_tracker_add(tracker, memory, 4 * PAGE), 0);
  cr_assert_eq(read(zero, memory + PAGE, 10), 10);
  cr_assert_eq(nr_tracker_scan(tracker, memory, 4 * PAGE, ranges, 2), 1);
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
  cr_assert_eq(nr_tracker_add(tracker, memory, 4 * PAGE), 0);
  munmap(memory, 4 * PAGE);
  memory = mmap(memory, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  cr_assert_lt(nr_tracker_scan(tracker, memory, 4 * PAGE, ranges, 2), 0);
  nr_tracker_remove(tracker, memory, 4 * PAGE);
  munmap(memory, 4 * PAGE);
  nr_tracker_destroy(tracker);
}

/* What is there of a mapping, whether it is watched or not; holes are not. */
Test(track, what_is_there) {
  struct nr_tracker *tracker = tracker_or_skip();
  if (tracker == NULL) return;
  struct nr_range ranges[4];
  uint8_t *memory = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  memory[3 * PAGE] = memory[4 * PAGE] = memory[60 * PAGE] = 1;
  munmap(memory + 30 * PAGE, 4 * PAGE);
  cr_assert_eq(nr_tracker_present(tracker, memory, 64 * PAGE, ranges, 4), 2);
  cr_assert_eq(ranges[0].from, 3 * PAGE);
  cr_assert_eq(ranges[0].to, 5 * PAGE);
  cr_assert_eq(ranges[1].from, 60 * PAGE);
  cr_assert_eq(nr_tracker_present(tracker, memory + 31 * PAGE, 2 * PAGE, ranges, 4), 0);
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
