#include "client/shared_pages.h"

#include <pthread.h>
#include <unistd.h>

/* Notes, by page. Two pages that have one in common are found written once too often. */
#define NR_NOTES 4096u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t notes[NR_NOTES];

/* The two ends of some memory: the part of a page that others may have as well. */
struct ends {
  bool shared[2];
  uint32_t *note[2];
  struct nr_range part[2]; /* of the memory */
};

static struct ends ends_of(const void *memory, uint64_t length) {
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  uint64_t begin = (uint64_t)(uintptr_t)memory, end = begin + length;
  struct ends ends = {
      .shared = {begin % page != 0, end % page != 0},
      .note = {&notes[begin / page % NR_NOTES], &notes[end / page % NR_NOTES]},
      .part = {{0, page - begin % page}, {length - end % page, length}},
  };
  if (ends.part[0].to > length) ends.part[0].to = length;
  if (end % page > length) ends.part[1].from = 0;
  return ends;
}

int nr_ends_add(struct nr_tracker *tracker, const void *memory, uint64_t length, struct nr_ends *seen) {
  struct ends ends = ends_of(memory, length);
  pthread_mutex_lock(&lock);
  int status = nr_tracker_add(tracker, memory, length);
  for (int i = 0; i < 2; i++) {
    if (ends.shared[i]) ++*ends.note[i];
  }
  for (int i = 0; i < 2; i++) seen->seen[i] = *ends.note[i];
  pthread_mutex_unlock(&lock);
  return status;
}

static bool is_among(const struct nr_range *part, const struct nr_range *ranges, int count) {
  for (int i = 0; i < count; i++) {
    if (ranges[i].from <= part->from && ranges[i].to >= part->to) return true;
  }
  return false;
}

int nr_ends_scan(struct nr_tracker *tracker, const void *memory, uint64_t length, struct nr_ends *seen,
                 struct nr_range *ranges, int room) {
  struct ends ends = ends_of(memory, length);
  pthread_mutex_lock(&lock);
  int count = nr_tracker_scan(tracker, memory, length, ranges, (size_t)room - 2);
  int found = count;
  for (int i = 0; i < 2 && found >= 0; i++) {
    if (!ends.shared[i]) continue;
    bool written = is_among(&ends.part[i], ranges, found);
    if (written) ++*ends.note[i];
    if (!written && *ends.note[i] != seen->seen[i]) ranges[count++] = ends.part[i];
  }
  for (int i = 0; i < 2; i++) seen->seen[i] = *ends.note[i];
  pthread_mutex_unlock(&lock);
  return count;
}
