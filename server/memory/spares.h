/*
 * Memory of this process' own that is kept for the next who wants as much: fresh pages cost seven times what copying to
 * them does.
 */
#ifndef NR_SERVER_SPARES_H
#define NR_SERVER_SPARES_H

#include <stdbool.h>
#include <stdint.h>

/* From here on nothing is kept. */
#define NR_SPARE_MAX (UINT64_C(16) << 20)

/* Up to eight pages, then four sizes to each power of two. */
#define NR_SPARE_SIZES 45u

struct nr_spare;

/* Spares lie in pages that nobody has touched for long, so none is looked at but the one that is taken, and its
 * neighbours. */
struct nr_spares {
  struct nr_spare *first, *last;            /* newest first */
  struct nr_spare *of_size[NR_SPARE_SIZES]; /* the newest of each */
  uint32_t counts[NR_SPARE_SIZES];
  uint64_t bytes;
  uint64_t size;   /* that was taken last */
  uint32_t streak; /* so many times in a row */
  bool closed;     /* nobody will want any */
};

/* Memory that begins on a page and may hold what it held before: from NR_SPARE_MAX on it is all zeros. `size`: at least
 * what is wanted, of a class of sizes, in pages. NULL: out of memory. */
uint8_t *nr_spares_take(struct nr_spares *spares, uint64_t size);
/* Keeps it; of what is kept the oldest goes when that is too much. */
void nr_spares_give(struct nr_spares *spares, uint8_t *memory, uint64_t size);
/* One size is taken again and again, and there is none left: whoever has to wait anyway may get some ready, which takes
 * a quarter of a millisecond at most. */
bool nr_spares_are_due(const struct nr_spares *spares);
void nr_spares_get_ready(struct nr_spares *spares);
/* Gives all of it back, and what comes from now on at once. */
void nr_spares_close(struct nr_spares *spares);

#endif
