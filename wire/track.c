#include "wire/track.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wire/socket.h"

/* Newer than the headers of Debian 12: linux/userfaultfd.h and linux/fs.h of Linux 6.7. */
#define NR_UFFD_USER_MODE_ONLY 1
#define NR_UFFD_FEATURE_WP_UNPOPULATED (UINT64_C(1) << 13)
#define NR_UFFD_FEATURE_WP_ASYNC (UINT64_C(1) << 15)
#define NR_PAGE_IS_WRITTEN (UINT64_C(1) << 1)
#define NR_PAGE_IS_FILE (UINT64_C(1) << 2)
#define NR_PAGE_IS_PRESENT (UINT64_C(1) << 3)
#define NR_PAGE_IS_SWAPPED (UINT64_C(1) << 4)
#define NR_PM_SCAN_WP_MATCHING (UINT64_C(1) << 0)
#define NR_PM_SCAN_CHECK_WPASYNC (UINT64_C(1) << 1)

struct nr_page_region {
  uint64_t start, end, categories;
};
struct nr_pm_scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
  uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};
#define NR_PAGEMAP_SCAN _IOWR('f', 16, struct nr_pm_scan)

#define NR_REGIONS 32
/* What is not there and larger has no page table, or not for long. */
#define NR_HOLE (UINT64_C(4) << 20)

struct nr_tracker {
  int uffd;
  int pagemap;
  uint64_t page; /* bytes */
};

/* For those whose kernel does it wrong, and for tests of what happens without. */
static bool is_unwanted(void) {
  const char *wish = getenv("NAPI_REMOTE_TRACKING");
  return wish != NULL && strcmp(wish, "0") == 0;
}

static bool start(struct nr_tracker *tracker, int base) {
  struct uffdio_api api = {.api = UFFD_API, .features = NR_UFFD_FEATURE_WP_UNPOPULATED | NR_UFFD_FEATURE_WP_ASYNC};
  tracker->uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | NR_UFFD_USER_MODE_ONLY);
  if (tracker->uffd < 0 || ioctl(tracker->uffd, UFFDIO_API, &api) < 0) return false;
  tracker->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (tracker->pagemap < 0) return false;
  if (base > 0) {
    tracker->uffd = nr_fd_move_up(tracker->uffd, base);
    tracker->pagemap = nr_fd_move_up(tracker->pagemap, base);
  }
  return tracker->uffd >= 0 && tracker->pagemap >= 0;
}

struct nr_tracker *nr_tracker_create(int base) {
  struct nr_tracker *tracker = is_unwanted() ? NULL : calloc(1, sizeof *tracker);
  if (tracker == NULL) return NULL;
  tracker->uffd = tracker->pagemap = -1;
  tracker->page = (uint64_t)sysconf(_SC_PAGESIZE);
  if (start(tracker, base)) return tracker;
  nr_tracker_destroy(tracker);
  return NULL;
}

void nr_tracker_destroy(struct nr_tracker *tracker) {
  if (tracker->uffd >= 0) close(tracker->uffd);
  if (tracker->pagemap >= 0) close(tracker->pagemap);
  free(tracker);
}

/* The pages that the memory touches. */
static struct nr_range pages_of(const struct nr_tracker *tracker, const void *memory, size_t length) {
  uint64_t begin = (uint64_t)(uintptr_t)memory;
  return (struct nr_range){begin & ~(tracker->page - 1), (begin + length + tracker->page - 1) & ~(tracker->page - 1)};
}

int nr_tracker_register(struct nr_tracker *tracker, const void *memory, size_t length) {
  struct nr_range pages = pages_of(tracker, memory, length);
  struct uffdio_register request = {.range = {.start = pages.from, .len = pages.to - pages.from},
                                    .mode = UFFDIO_REGISTER_MODE_WP};
  return ioctl(tracker->uffd, UFFDIO_REGISTER, &request) < 0 ? -errno : 0;
}

void nr_tracker_remove(struct nr_tracker *tracker, const void *memory, size_t length) {
  struct nr_range pages = pages_of(tracker, memory, length);
  struct uffdio_range range = {.start = pages.from, .len = pages.to - pages.from};
  (void)ioctl(tracker->uffd, UFFDIO_UNREGISTER, &range);
}

/* What a region shows of the memory. */
static struct nr_range range_of(const struct nr_page_region *region, const void *memory, uint64_t length) {
  uint64_t begin = (uint64_t)(uintptr_t)memory, to = region->end - begin;
  return (struct nr_range){region->start > begin ? region->start - begin : 0, to < length ? to : length};
}

static size_t put_range(struct nr_range *ranges, size_t count, size_t room, struct nr_range range) {
  if (count == room) {
    ranges[room - 1].to = range.to;
    return room;
  }
  ranges[count] = range;
  return count + 1;
}

/* Pages of these categories, written ones and of the others one, in [*from, to); with the flags of PAGEMAP_SCAN: how
 * many regions, or a negative errno. *from: where to go on. */
static int ask(struct nr_tracker *tracker, uint64_t *from, uint64_t to, uint64_t flags, uint64_t categories,
               struct nr_page_region regions[NR_REGIONS]) {
  struct nr_pm_scan request = {.size = sizeof request,
                               .flags = flags,
                               .start = *from,
                               .end = to,
                               .vec = (uint64_t)(uintptr_t)regions,
                               .vec_len = NR_REGIONS,
                               /* The kernel is four times as fast when it is asked for this one only, and so. */
                               .category_mask = categories & NR_PAGE_IS_WRITTEN,
                               .category_anyof_mask = categories & ~NR_PAGE_IS_WRITTEN,
                               .return_mask = categories};
  int found = ioctl(tracker->pagemap, NR_PAGEMAP_SCAN, &request);
  if (found < 0) return -errno;
  *from = request.walk_end > *from ? request.walk_end : to;
  return found;
}

/* What was written, which is not any more then: regions of it in [*from, to), or a negative errno. */
static int ask_written(struct nr_tracker *tracker, uint64_t *from, uint64_t to, uint64_t flags,
                       struct nr_page_region regions[NR_REGIONS]) {
  return ask(tracker, from, to, flags | NR_PM_SCAN_WP_MATCHING, NR_PAGE_IS_WRITTEN, regions);
}

/* The first of these regions, and those behind it that are as small, or as large. */
static struct nr_range take_alike(const struct nr_page_region *regions, int count, bool *large) {
  int last = 0;
  *large = regions[0].end - regions[0].start >= NR_HOLE;
  while (!*large && last + 1 < count && regions[last + 1].end - regions[last + 1].start < NR_HOLE) last++;
  return (struct nr_range){regions[0].start, regions[last].end};
}

/* The same where pages that are not there have not been written. The kernel takes those to be, and marks each of them:
 * page tables for a gigabyte, and a nanosecond a page with every question from then on. So it is asked without
 * consequences first, and the large holes that it tells of are left as they are. (Small ones are marked: to leave them
 * out each time takes longer.) */
static int ask_sparse(struct nr_tracker *tracker, uint64_t *from, uint64_t to, uint64_t flags,
                      struct nr_page_region regions[NR_REGIONS]) {
  int count = 0;
  while (count == 0 && *from < to) {
    uint64_t rest = *from;
    bool large;
    count = ask(tracker, &rest, to, flags, NR_PAGE_IS_WRITTEN, regions);
    if (count < 0) return count;
    if (count == 0) {
      *from = rest;
      continue;
    }
    struct nr_range part = take_alike(regions, count, &large);
    *from = part.from;
    count = ask(tracker, from, part.to, flags | NR_PM_SCAN_WP_MATCHING,
                NR_PAGE_IS_WRITTEN | (large ? NR_PAGE_IS_PRESENT | NR_PAGE_IS_SWAPPED : 0), regions);
  }
  return count;
}

int nr_tracker_scan(struct nr_tracker *tracker, const void *memory, size_t length, bool sparse, struct nr_range *ranges,
                    size_t room) {
  struct nr_page_region regions[NR_REGIONS];
  struct nr_range pages = pages_of(tracker, memory, length);
  size_t count = 0;
  while (pages.from < pages.to) {
    int found = (sparse ? ask_sparse : ask_written)(tracker, &pages.from, pages.to, NR_PM_SCAN_CHECK_WPASYNC, regions);
    if (found < 0) return found;
    for (int i = 0; i < found; i++) count = put_range(ranges, count, room, range_of(&regions[i], memory, length));
  }
  return (int)count;
}

int nr_tracker_add(struct nr_tracker *tracker, const void *memory, size_t length, bool sparse) {
  struct nr_range ignored;
  int status = nr_tracker_register(tracker, memory, length);
  if (status == 0) status = nr_tracker_scan(tracker, memory, length, sparse, &ignored, 1);
  return status < 0 ? status : 0;
}

int nr_tracker_find(struct nr_tracker *tracker, uint64_t from, uint64_t to, bool all, bool sparse,
                    void (*found)(uint64_t from, uint64_t to, void *context), void *context) {
  struct nr_page_region regions[NR_REGIONS];
  uint64_t flags = all ? NR_PM_SCAN_CHECK_WPASYNC : 0;
  while (from < to) {
    int count = (sparse ? ask_sparse : ask_written)(tracker, &from, to, flags, regions);
    if (count < 0) return count;
    for (int i = 0; i < count; i++) found(regions[i].start, regions[i].end, context);
  }
  return 0;
}

/* Pages of these categories are there, in ranges of the memory, until one is answered with false. 0 or a negative
 * errno. */
static int each(struct nr_tracker *tracker, const void *memory, size_t length, uint64_t categories,
                bool (*there)(struct nr_range range, void *context), void *context) {
  struct nr_page_region regions[NR_REGIONS];
  struct nr_range pages = pages_of(tracker, memory, length);
  while (pages.from < pages.to) {
    int found = ask(tracker, &pages.from, pages.to, 0, categories, regions);
    if (found < 0) return found;
    for (int i = 0; i < found; i++) {
      if (!there(range_of(&regions[i], memory, length), context)) return 0;
    }
  }
  return 0;
}

static bool note(struct nr_range range, void *context) {
  (void)range;
  *(bool *)context = true;
  return false;
}

bool nr_tracker_is_of_file(struct nr_tracker *tracker, const void *memory, size_t length) {
  bool is = false;
  return each(tracker, memory, length, NR_PAGE_IS_FILE, note, &is) < 0 || is;
}

int nr_tracker_present(struct nr_tracker *tracker, const void *memory, size_t length,
                       bool (*there)(struct nr_range range, void *context), void *context) {
  return each(tracker, memory, length, NR_PAGE_IS_PRESENT | NR_PAGE_IS_SWAPPED, there, context);
}
