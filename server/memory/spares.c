#include "server/memory/spares.h"

#include <stddef.h>
#include <sys/mman.h>

#include "wire/pages.h"
#include "wire/faults.h"

/* V8 lets go of external buffers in large lots. What there is beyond goes, the oldest first: an addon that now returns
 * other sizes than it did would never find any. */
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
  struct nr_spare *next, *previous; /* older, newer */
  struct nr_spare *below, *above;   /* the same of its size */
  uint64_t size;
};

/* The place of a size that is kept. */
static uint32_t sort_of(uint64_t size) {
  uint64_t pages = (size + NR_PAGE - 1) / NR_PAGE;
  if (pages <= 8) return (uint32_t)pages;
  uint32_t power = 63 - (uint32_t)__builtin_clzll(pages - 1); /* 2^power < pages <= 2^(power + 1) */
  uint64_t quarter = (pages - 1 - (UINT64_C(1) << power)) * 4 >> power;
  return 9 + (power - 3) * 4 + (uint32_t)quarter;
}

static uint8_t *make(uint64_t size) {
  int populate = size <= NR_SPARE_WHOLE ? MAP_POPULATE : 0;
  long faults = nr_faults_populating();
  uint8_t *memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | populate, -1, 0);
  nr_faults_populated(faults, size);
  return memory == MAP_FAILED ? NULL : memory;
}

static void note_size(struct nr_spares *spares, uint64_t size) {
  spares->streak = size == spares->size ? spares->streak + 1 : 1;
  spares->size = size;
}

static void put_first(struct nr_spares *spares, struct nr_spare *spare) {
  uint32_t sort = sort_of(spare->size);
  *(spare->next == NULL ? &spares->last : &spare->next->previous) = spare;
  spares->first = spare;
  spare->below = spares->of_size[sort];
  if (spare->below != NULL) spare->below->above = spare;
  spares->of_size[sort] = spare;
  spares->counts[sort]++;
  spares->bytes += spare->size;
}

static void unlink_spare(struct nr_spares *spares, struct nr_spare *spare) {
  uint32_t sort = sort_of(spare->size);
  *(spare->previous == NULL ? &spares->first : &spare->previous->next) = spare->next;
  *(spare->next == NULL ? &spares->last : &spare->next->previous) = spare->previous;
  *(spare->above == NULL ? &spares->of_size[sort] : &spare->above->below) = spare->below;
  if (spare->below != NULL) spare->below->above = spare->above;
  spares->counts[sort]--;
  spares->bytes -= spare->size;
}

static void drop_last(struct nr_spares *spares) {
  struct nr_spare *spare = spares->last;
  unlink_spare(spares, spare);
  munmap(spare, spare->size);
}

uint8_t *nr_spares_take(struct nr_spares *spares, uint64_t size) {
  note_size(spares, size);
  struct nr_spare *spare = size < NR_SPARE_MAX ? spares->of_size[sort_of(size)] : NULL;
  if (spare == NULL || spare->size != size) return make(size);
  unlink_spare(spares, spare);
  return (uint8_t *)spare;
}

void nr_spares_give(struct nr_spares *spares, uint8_t *memory, uint64_t size) {
  if (size >= NR_SPARE_MAX || spares->closed) {
    munmap(memory, size);
    return;
  }
  while (spares->bytes + size > NR_SPARES_MAX) drop_last(spares);
  struct nr_spare *spare = (struct nr_spare *)memory;
  *spare = (struct nr_spare){.next = spares->first, .size = size};
  put_first(spares, spare);
}

bool nr_spares_are_due(const struct nr_spares *spares) {
  return spares->streak >= NR_STREAK && spares->size <= NR_READY_MAX &&
         spares->counts[sort_of(spares->size)] < NR_READY && !spares->closed;
}

void nr_spares_get_ready(struct nr_spares *spares) {
  for (uint32_t i = 0; i < NR_READY && nr_spares_are_due(spares); i++) {
    uint8_t *memory = make(spares->size);
    if (memory == NULL) return;
    nr_spares_give(spares, memory, spares->size);
  }
}

void nr_spares_close(struct nr_spares *spares) {
  spares->closed = true;
  while (spares->last != NULL) drop_last(spares);
}
