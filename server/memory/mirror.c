#include "server/memory/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/pages.h"

/* Of the files: behind all addresses of a process, with a buffer of a gigabyte from the last one on. */
#define NR_MIRROR_SIZE (UINT64_C(1) << 48)
/* Two mappings each, and a process may have 65,530. V8 collects long before, a gigabyte being counted for each. */
#define NR_MIRROR_WINDOWS 8192u

static int open_file(const char *name) {
  int fd = memfd_create(name, MFD_CLOEXEC);
  if (fd >= 0 && ftruncate(fd, (off_t)NR_MIRROR_SIZE) == 0) return fd; /* not with a limit to the size of files */
  if (fd >= 0) close(fd);
  return -1;
}

static bool open_files(struct nr_mirror *mirror) {
  if (mirror->open || mirror->failed) return mirror->open;
  mirror->failed = true;
  mirror->bytes = open_file("napi-remote-mirror");
  if (mirror->bytes < 0) return false;
  mirror->twins = open_file("napi-remote-twins");
  if (mirror->twins < 0) {
    close(mirror->bytes);
    return false;
  }
  mirror->failed = false;
  return mirror->open = true;
}

static uint64_t size_of(struct nr_range range) {
  return range.to - range.from;
}

static uint8_t *map(int fd, struct nr_range pages) {
  void *memory = mmap(NULL, size_of(pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, (off_t)pages.from);
  return memory == MAP_FAILED ? NULL : memory;
}

static bool map_both(const struct nr_mirror *mirror, struct nr_mirror_window *window) {
  window->bytes = map(mirror->bytes, window->pages);
  if (window->bytes == NULL) return false;
  window->twin = map(mirror->twins, window->pages);
  if (window->twin != NULL) return true;
  munmap(window->bytes, size_of(window->pages));
  window->bytes = NULL;
  return false;
}

static bool make_room(struct nr_mirror *mirror) {
  if (mirror->count >= NR_MIRROR_WINDOWS) return false;
  if (mirror->count < mirror->room) return true;
  size_t room = mirror->room == 0 ? 32 : mirror->room * 2;
  struct nr_mirror_window **windows = realloc(mirror->windows, room * sizeof *windows);
  if (windows == NULL) return false;
  mirror->windows = windows;
  mirror->room = room;
  return true;
}

bool nr_mirror_show(struct nr_mirror *mirror, uint64_t address, uint64_t length, struct nr_mirror_window *window) {
  if (address >= NR_MIRROR_SIZE || length > NR_MIRROR_SIZE - address || length == 0) return false;
  if (!open_files(mirror) || !make_room(mirror)) return false;
  window->pages = (struct nr_range){address / NR_PAGE * NR_PAGE, (address + length + NR_PAGE - 1) / NR_PAGE * NR_PAGE};
  if (!map_both(mirror, window)) return false;
  window->bytes += address % NR_PAGE;
  window->twin += address % NR_PAGE;
  window->place = mirror->count;
  mirror->windows[mirror->count++] = window;
  return true;
}

static long blocks_of(const struct nr_mirror *mirror) {
  struct stat status;
  return fstat(mirror->bytes, &status) < 0 ? -1 : (long)status.st_blocks;
}

static void forget(struct nr_mirror *mirror, struct nr_range pages) {
  int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  long before = blocks_of(mirror);
  (void)fallocate(mirror->bytes, mode, (off_t)pages.from, (off_t)size_of(pages));
  (void)fallocate(mirror->twins, mode, (off_t)pages.from, (off_t)size_of(pages));
  long after = blocks_of(mirror);
  if (before > after && after >= 0) mirror->gone += (uint64_t)(before - after);
}

/* Where a window ends that shows this place; the place itself: none does. *next: where the next one begins. */
static uint64_t shown_until(const struct nr_mirror *mirror, uint64_t place, uint64_t *next) {
  uint64_t until = place;
  for (size_t i = 0; i < mirror->count; i++) {
    const struct nr_range *pages = &mirror->windows[i]->pages;
    if (pages->from <= place && pages->to > until) until = pages->to;
    if (pages->from > place && pages->from < *next) *next = pages->from;
  }
  return until;
}

static uint8_t *page_of(uint8_t *bytes) {
  return bytes - (uintptr_t)bytes % NR_PAGE;
}

void nr_mirror_rest(const struct nr_mirror_window *window) {
  if (window->bytes == NULL) return;
  (void)madvise(page_of(window->bytes), size_of(window->pages), MADV_DONTNEED);
  (void)madvise(page_of(window->twin), size_of(window->pages), MADV_DONTNEED);
}

void nr_mirror_close(struct nr_mirror *mirror, struct nr_mirror_window *window) {
  if (window->bytes == NULL) return;
  munmap(page_of(window->bytes), size_of(window->pages));
  munmap(page_of(window->twin), size_of(window->pages));
  window->bytes = window->twin = NULL;
  if (!mirror->open) return; /* all of it goes with the last window */
  struct nr_mirror_window *last = mirror->windows[--mirror->count];
  mirror->windows[window->place] = last;
  last->place = window->place;
  for (uint64_t at = window->pages.from; at < window->pages.to;) {
    uint64_t next = window->pages.to, until = shown_until(mirror, at, &next);
    if (until == at) forget(mirror, (struct nr_range){at, until = next});
    at = until;
  }
}

long nr_mirror_touched(const struct nr_mirror *mirror) {
  long blocks = mirror->open ? blocks_of(mirror) : -1;
  return blocks < 0 ? -1 : (long)mirror->gone + blocks;
}

int nr_mirror_present(const struct nr_mirror *mirror, uint64_t address, uint64_t length,
                      bool (*there)(struct nr_range range, void *context), void *context) {
  uint64_t end = address + length, at = address / NR_PAGE * NR_PAGE;
  while (at < end) {
    off_t from = lseek(mirror->bytes, (off_t)at, SEEK_DATA);
    if (from < 0) return errno == ENXIO ? 0 : -errno;
    off_t to = lseek(mirror->bytes, from, SEEK_HOLE);
    if (to < 0) return -errno;
    struct nr_range range = {(uint64_t)from > address ? (uint64_t)from - address : 0,
                             (uint64_t)to < end ? (uint64_t)to - address : length};
    if ((uint64_t)from >= end || !there(range, context)) return 0;
    at = (uint64_t)to;
  }
  return 0;
}

void nr_mirror_end(struct nr_mirror *mirror) {
  if (mirror->open) {
    close(mirror->bytes);
    close(mirror->twins);
  }
  free(mirror->windows);
  *mirror = (struct nr_mirror){.failed = true};
}
