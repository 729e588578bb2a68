/*
 * Memory of this process' own for external buffers below NR_BLOCK_PAGED: what JavaScript sees of one, and its twin
 * behind that. Not malloc()'s: what else that puts on the page is written all the time, and each such write would be
 * news of all that is tracked there (tracking.c). Small ones share pages with those that were made before and after
 * them, and a page is used again once it is empty: those that live for long lie together, away from what is new.
 */
#ifndef NR_SERVER_CELLS_H
#define NR_SERVER_CELLS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/memory/blocks.h"

struct nr_cell_field;

/* All zeros at first. Belongs to the agent's thread. */
struct nr_cells {
  struct nr_cell_field *with_room; /* those that have an empty page */
  uint8_t *page;                   /* that is being filled; NULL: none is */
  uint64_t filled;                 /* bytes of it */
};

/* Larger ones have a copy and a twin apart from each other, each on pages of its own. */
static inline bool nr_cell_fits(uint64_t length) {
  return length < NR_BLOCK_PAGED;
}

/* Not zeroed, on a multiple of 16 bytes. NULL without memory. */
uint8_t *nr_cell_create(struct nr_cells *cells, struct nr_blocks *blocks, uint64_t length);
/* As many bytes again. */
uint8_t *nr_cell_twin(uint8_t *cell, uint64_t length);
void nr_cell_free(struct nr_cells *cells, struct nr_blocks *blocks, uint8_t *cell, uint64_t length);
/* All have been freed. */
void nr_cells_end(struct nr_cells *cells);

#endif
