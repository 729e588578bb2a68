#include "server/memory/spares.h"

#include <stddef.h>
#include <sys/mman.h>

#include "wire/watched.h"

/* V8 lets go of external buffers in large lots. */
#define NR_SPARES_MAX (UINT64_C(96) << 20)

/* What is no larger will be written whole, and its pages come cheaper together than one by one. Of larger ones there
 * may be little (external buffers of 64 MiB and more). */
#define NR_SPARE_WHOLE (UINT64_C(16) << 20)

/* What addons return in external buffers of a size goes on: until V8 collects, which may take hundreds of calls, each
 * takes two new ones. Fresh pages for 448 KiB, twice, are 0.2 ms of the 2.7 that snappy takes for 1 MiB: while native
 * code works, or the loop turns, Node's thread has the time. */
#define NR_READY 2u
#define NR_READY_MAX (UINT64_C(1) << 20)
#define NR_STREAK (2u * NR_READY)

/* Lies in the memory that is free. */
struct nr_spare {
  struct nr_spare *next;
  uint64_t size;
};

static uint8_t *make(uint64_t size) {
  int populate = size <= NR_SPARE_WHOLE ? MAP_POPULATE : 0;
  long faults = nr_watched_populating();
  uint8_t *memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | populate, -1, 0);
  nr_watched_populated(faults, size);
  return memory == MAP_FAILED ? NULL : memory;
}

static void note_size(struct nr_spares *spares, uint64_t size) {
  if (size == spares->size) {
    spares->streak++;
    return;
  }
  spares->size = size;
  spares->streak = 1;
  spares->there = 0;
  for (const struct nr_spare *spare = spares->first; spare != NULL; spare = spare->next)
    spares->there += spare->size == size;
}

uint8_t *nr_spares_take(struct nr_spares *spares, uint64_t size) {
  note_size(spares, size);
  for (struct nr_spare **link = &spares->first; *link != NULL; link = &(*link)->next) {
    struct nr_spare *spare = *link;
    if (spare->size != size) continue;
    *link = spare->next;
    spares->bytes -= size;
    spares->there--;
    return (uint8_t *)spare;
  }
  return make(size);
}

void nr_spares_give(struct nr_spares *spares, uint8_t *memory, uint64_t size) {
  if (size >= NR_SPARE_MAX || spares->bytes + size > NR_SPARES_MAX || spares->closed) {
    munmap(memory, size);
    return;
  }
  struct nr_spare *spare = (struct nr_spare *)memory;
  *spare = (struct nr_spare){.next = spares->first, .size = size};
  spares->first = spare;
  spares->bytes += size;
  spares->there += size == spares->size;
}

bool nr_spares_are_due(const struct nr_spares *spares) {
  return spares->streak >= NR_STREAK && spares->there < NR_READY && spares->size <= NR_READY_MAX && !spares->closed;
}

void nr_spares_get_ready(struct nr_spares *spares) {
  while (nr_spares_are_due(spares)) {
    uint8_t *memory = make(spares->size);
    if (memory == NULL) return;
    nr_spares_give(spares, memory, spares->size);
  }
}

void nr_spares_close(struct nr_spares *spares) {
  spares->closed = true;
  while (spares->first != NULL) {
    struct nr_spare *spare = spares->first;
    spares->first = spare->next;
    munmap(spare, spare->size);
  }
  spares->bytes = 0;
}
