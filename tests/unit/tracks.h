/*
 * For tests of what the kernel tells about writes.
 */
#ifndef NR_TESTS_TRACKS_H
#define NR_TESTS_TRACKS_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <sys/mman.h>

#include "wire/track.h"

#define PAGE ((size_t)4096)

static inline uint8_t *map(size_t length) {
  uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  cr_assert_neq(memory, MAP_FAILED);
  return memory;
}

/* The kernel of whoever runs this may not have it: then there is nothing to test but that it says so. */
static inline struct nr_tracker *tracker_or_skip(void) {
  struct nr_tracker *tracker = nr_tracker_create(0);
  if (tracker == NULL) fprintf(stderr, "this kernel does not track writes\n");
  return tracker;
}

#endif
