#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "client/memory/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Ranges that others have found written; when there are more, the last one takes in the rest. */
#define NR_MISSED 8

/*
 * The bytes of the first or the last page, where that is not all the watch's. What else lies there is the heap's, and
 * may be written all the time: each time that page is protected anew other processors have to forget it, which takes 25
 * us where they are virtual. So once it was found written, its bytes are compared with a copy (0.4 us).
 */
struct edge {
  uint64_t from, to; /* addresses */
  uint8_t *copy;     /* and room for another; NULL: the kernel is asked about the page */
};

/* Where it begins and ends, and the ranges: addresses, in whole pages. */
struct nr_watch {
  struct nr_watch *next, **link;
  struct nr_tracker *tracker;
  void *owner; /* NULL: it may not be moved */
  const void *memory;
  uint64_t length;
  long faults;           /* before the kernel was asked last; -1: it is to be asked */
  struct nr_range pages; /* that the kernel is asked about */
  struct edge edges[2];
  bool sparse;   /* nr_tracker_scan() */
  bool moves;    /* it is about to be */
  bool overlaps; /* ever, with another one */
  int missed_count;
  struct nr_range missed[NR_MISSED];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nr_watch *watches;

static uint64_t address_of(const void *memory) {
  return (uint64_t)(uintptr_t)memory;
}

static struct nr_range whole_pages(uint64_t from, uint64_t to) {
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  return (struct nr_range){from / page * page, (to + page - 1) / page * page};
}

static struct nr_range common(struct nr_range a, struct nr_range b) {
  return (struct nr_range){a.from > b.from ? a.from : b.from, a.to < b.to ? a.to : b.to};
}

static void miss(struct nr_watch *watch, struct nr_range range) {
  if (watch->missed_count < NR_MISSED) {
    watch->missed[watch->missed_count++] = range;
    return;
  }
  struct nr_range *last = &watch->missed[NR_MISSED - 1];
  if (range.from < last->from) last->from = range.from;
  if (range.to > last->to) last->to = range.to;
}

/* What was found of some memory, to all others that have to do with it. */
static void tell(const struct nr_watch *finder, const void *memory, const struct nr_range *ranges, int count) {
  uint64_t begin = address_of(memory);
  for (struct nr_watch *watch = watches; watch != NULL; watch = watch->next) {
    for (int i = 0; i < count && watch->overlaps && watch != finder; i++) {
      struct nr_range part = common(whole_pages(begin + ranges[i].from, begin + ranges[i].to), watch->pages);
      if (part.from < part.to) miss(watch, part);
    }
  }
}

/* What was written before the kernel is asked to begin anew is told to those who have not asked yet. */
static void tell_so_far(struct nr_tracker *tracker, struct nr_watch *fresh) {
  struct nr_range ranges[NR_MISSED];
  for (struct nr_watch *watch = watches; watch != NULL; watch = watch->next) {
    struct nr_range part = common(fresh->pages, watch->pages);
    if (watch == fresh || part.from >= part.to) continue;
    fresh->overlaps = watch->overlaps = true;
    const void *memory = (const void *)(uintptr_t)part.from;
    int count =
        nr_tracker_scan(tracker, memory, part.to - part.from, fresh->sparse && watch->sparse, ranges, NR_MISSED);
    if (count < 0) { /* not watched by this thread, or not any more */
      ranges[0] = (struct nr_range){0, part.to - part.from};
      count = 1;
    }
    tell(fresh, memory, ranges, count);
  }
}

static void free_watch(struct nr_watch *watch) {
  free(watch->edges[0].copy);
  free(watch->edges[1].copy);
  free(watch);
}

static bool start(struct nr_tracker *tracker, struct nr_watch *watch) {
  tell_so_far(tracker, watch);
  watch->missed_count = 0;
  return nr_tracker_add(tracker, watch->memory, watch->length, watch->sparse) == 0;
}

struct nr_watch *nr_watch_start(struct nr_tracker *tracker, const void *memory, uint64_t length, bool sparse,
                                void *owner) {
  struct nr_watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return NULL;
  uint64_t begin = address_of(memory);
  *watch = (struct nr_watch){.tracker = tracker,
                             .owner = owner,
                             .memory = memory,
                             .length = length,
                             .sparse = sparse,
                             .faults = -1,
                             .pages = whole_pages(begin, begin + length)};
  uint64_t front = whole_pages(begin, begin).to, back = whole_pages(begin + length, begin + length).from;
  if (front < back) { /* there are whole pages between them */
    watch->edges[0] = (struct edge){begin, front, NULL};
    watch->edges[1] = (struct edge){back, begin + length, NULL};
  }
  pthread_mutex_lock(&lock);
  bool started = !nr_watched_anywhere(memory, length) && start(tracker, watch);
  if (started) {
    watch->next = watches;
    watch->link = &watches;
    if (watches != NULL) watches->link = &watch->next;
    watches = watch;
  }
  pthread_mutex_unlock(&lock);
  if (started) return watch;
  free_watch(watch);
  return NULL;
}

/* The addon may have made the page inaccessible. */
static bool read_edge(const struct edge *edge, uint8_t *bytes) {
  struct iovec here = {bytes, edge->to - edge->from};
  struct iovec there = {(void *)(uintptr_t)edge->from, edge->to - edge->from};
  return process_vm_readv(getpid(), &here, 1, &there, 1, 0) == (ssize_t)(edge->to - edge->from);
}

/* From now on its bytes are compared, and the kernel is not asked. */
static void take_copy(struct nr_watch *watch, struct edge *edge) {
  struct nr_range page = whole_pages(edge->from, edge->to);
  uint8_t *copy = malloc(2 * (edge->to - edge->from));
  if (copy == NULL || !read_edge(edge, copy)) {
    free(copy);
    return;
  }
  edge->copy = copy;
  if (page.from == watch->pages.from)
    watch->pages.from = page.to;
  else
    watch->pages.to = page.from;
}

/* Those that were found written, which has been told: what is written after they are copied differs. */
static void take_copies(struct nr_watch *watch, const struct nr_range *ranges, int count) {
  uint64_t begin = address_of(watch->memory);
  for (struct edge *edge = watch->edges; edge < watch->edges + 2; edge++) {
    struct nr_range bytes = {edge->from - begin, edge->to - begin};
    for (int i = 0; i < count && edge->copy == NULL && edge->from < edge->to; i++) {
      struct nr_range part = common(ranges[i], bytes);
      if (part.from < part.to) take_copy(watch, edge);
    }
  }
}

static bool has_changed(struct edge *edge) {
  uint64_t length = edge->to - edge->from;
  if (edge->copy == NULL || !read_edge(edge, edge->copy + length)) return false;
  if (memcmp(edge->copy, edge->copy + length, length) == 0) return false;
  memcpy(edge->copy, edge->copy + length, length);
  return true;
}

bool nr_watch_again(struct nr_tracker *tracker, struct nr_watch *watch) {
  pthread_mutex_lock(&lock);
  bool started = start(tracker, watch);
  watch->faults = -1;
  pthread_mutex_unlock(&lock);
  return started;
}

/* What the kernel knows; ranges of the watch. */
static int scan(struct nr_tracker *tracker, struct nr_watch *watch, long faults, struct nr_range *ranges, size_t room) {
  if (faults >= 0 && faults == watch->faults) return 0;
  uint64_t begin = address_of(watch->memory);
  struct nr_range part = common(watch->pages, (struct nr_range){begin, begin + watch->length});
  int count =
      nr_tracker_scan(tracker, (const void *)(uintptr_t)part.from, part.to - part.from, watch->sparse, ranges, room);
  watch->faults = count < 0 ? -1 : faults;
  for (int i = 0; i < count; i++) {
    ranges[i].from += part.from - begin;
    ranges[i].to += part.from - begin;
  }
  return count;
}

int nr_watch_scan(struct nr_tracker *tracker, struct nr_watch *watch, long faults, struct nr_range *ranges, int room) {
  uint64_t begin = address_of(watch->memory);
  pthread_mutex_lock(&lock);
  int count = scan(tracker, watch, faults, ranges, (size_t)(room - NR_MISSED - 2));
  if (count > 0 && watch->overlaps) tell(watch, watch->memory, ranges, count);
  int found = count;
  for (int i = 0; i < watch->missed_count && count >= 0; i++) {
    struct nr_range part = common(watch->missed[i], (struct nr_range){begin, begin + watch->length});
    ranges[count++] = (struct nr_range){part.from - begin, part.to - begin};
  }
  watch->missed_count = 0;
  for (struct edge *edge = watch->edges; edge < watch->edges + 2 && count >= 0; edge++) {
    if (has_changed(edge)) ranges[count++] = (struct nr_range){edge->from - begin, edge->to - begin};
  }
  take_copies(watch, ranges, found);
  pthread_mutex_unlock(&lock);
  return count;
}

static void unlink_watch(struct nr_watch *watch) {
  *watch->link = watch->next;
  if (watch->next != NULL) watch->next->link = watch->link;
}

/* All of it, but pages that are not asked about and others have something on. */
static void forget(struct nr_tracker *tracker, const struct nr_watch *watch) {
  struct nr_range pages = watch->pages;
  for (const struct edge *edge = watch->edges; edge < watch->edges + 2; edge++) {
    const void *memory = (const void *)(uintptr_t)edge->from;
    if (edge->copy == NULL || nr_watched_anywhere(memory, edge->to - edge->from)) continue;
    if (edge->to == watch->pages.from) pages.from = edge->from;
    if (edge->from == watch->pages.to) pages.to = edge->to;
  }
  nr_tracker_remove(tracker, (const void *)(uintptr_t)pages.from, pages.to - pages.from);
}

/* Writes to pages that it shares with others need not fault any more. */
static void doubt_others(const struct nr_watch *watch) {
  for (struct nr_watch *other = watches; watch->overlaps && other != NULL; other = other->next) {
    if (other->overlaps) other->faults = -1;
  }
}

void nr_watch_end(struct nr_tracker *tracker, struct nr_watch *watch) {
  pthread_mutex_lock(&lock);
  unlink_watch(watch);
  if (tracker != NULL) forget(tracker, watch);
  doubt_others(watch);
  pthread_mutex_unlock(&lock);
  free_watch(watch);
}

/* ---- together with others -----------------------------------------------------------------------------------------
 */

/* Chooses those that share pages with these, or with one another. False: one of them has to stay. */
static bool choose(const struct nr_tracker *tracker, struct nr_range pages) {
  bool more = true;
  while (more) {
    more = false;
    for (struct nr_watch *watch = watches; watch != NULL; watch = watch->next) {
      if (watch->moves || watch->pages.from >= pages.to || watch->pages.to <= pages.from) continue;
      if (watch->owner == NULL || watch->tracker != tracker) return false;
      watch->moves = more = true;
      if (watch->pages.from < pages.from) pages.from = watch->pages.from;
      if (watch->pages.to > pages.to) pages.to = watch->pages.to;
    }
  }
  return true;
}

/* Those that were chosen: they go, or stay. */
static void move(struct nr_watched *watched, bool goes, nr_moved *moved, void *context) {
  for (struct nr_watch *watch = watches, *next; watch != NULL; watch = next) {
    next = watch->next;
    if (!watch->moves) continue;
    watch->moves = false;
    if (!goes) continue;
    unlink_watch(watch);
    /* From here on the kernel is asked about the edges as well. */
    bool owed = watch->missed_count > 0 || has_changed(&watch->edges[0]) || has_changed(&watch->edges[1]);
    moved(watch->owner, nr_watched_take_over(watched, watch->memory, watch->length, watch->owner, owed), context);
    free_watch(watch);
  }
}

bool nr_watch_together(struct nr_tracker *tracker, struct nr_watched *watched, const void *memory, uint64_t length,
                       void *owner, nr_moved *moved, void *context) {
  uint64_t begin = address_of(memory);
  pthread_mutex_lock(&lock);
  bool goes = choose(tracker, whole_pages(begin, begin + length));
  move(watched, goes, moved, context);
  bool added = goes && nr_watched_add(watched, memory, length, (struct nr_range){0, 0}, owner);
  pthread_mutex_unlock(&lock);
  return added;
}

bool nr_watch_join(struct nr_tracker *tracker, struct nr_watched *watched, const struct nr_watch *watch,
                   nr_moved *moved, void *context) {
  uint64_t begin = address_of(watch->memory);
  pthread_mutex_lock(&lock);
  bool goes = choose(tracker, whole_pages(begin, begin + watch->length));
  move(watched, goes, moved, context);
  pthread_mutex_unlock(&lock);
  return goes;
}
