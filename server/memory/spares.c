#include "server/memory/spares.h"

#include <stddef.h>
#include <sys/mman.h>

/* V8 lets go of external buffers in large lots. */
#define NR_SPARES_MAX (UINT64_C(96) << 20)

/* What is no larger will be written whole, and its pages come cheaper together than one by one. Of larger ones there
 * may be little (external buffers of 64 MiB and more). */
#define NR_SPARE_WHOLE (UINT64_C(16) << 20)

/* Lies in the memory that is free. */
struct nr_spare {
  struct nr_spare *next;
  uint64_t size;
};

uint8_t *nr_spares_take(struct nr_spares *spares, uint64_t size) {
  for (struct nr_spare **link = &spares->first; *link != NULL; link = &(*link)->next) {
    struct nr_spare *spare = *link;
    if (spare->size != size) continue;
    *link = spare->next;
    spares->bytes -= size;
    return (uint8_t *)spare;
  }
  int populate = size <= NR_SPARE_WHOLE ? MAP_POPULATE : 0;
  uint8_t *memory =
      mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | populate, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
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
