/*
 * This side's memory of external buffers that are larger than what is there of them (NR_SPARSE_MIN): in a file of this
 * process alone, whose size on disk, as it were, tells whether anything has come to be there. To ask for the page
 * tables of each took 45 us, 36 of 100 in a turn of Node's with the two dozen of ffi-napi. Belongs to the agent's
 * thread.
 */
#ifndef NR_SERVER_SPARSE_MEMORY_H
#define NR_SERVER_SPARSE_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* All zeros at first. */
struct nr_sparse_memory {
  bool open;
  bool failed; /* no more of them are made */
  int fd;
  uint64_t end;  /* so much of the file has been given out: places are not used again */
  uint64_t gone; /* blocks that were there, of memory that was freed */
};

/* Zeros. *place: for when it is freed. NULL: it cannot be had this way, and none from now on. */
uint8_t *nr_sparse_memory_create(struct nr_sparse_memory *sparse, uint64_t length, uint64_t *place);
void nr_sparse_memory_free(struct nr_sparse_memory *sparse, uint8_t *memory, uint64_t length, uint64_t place);
/* A number that is another one once a page has come to be there, read or written; -1: not known. 0.3 us. */
long nr_sparse_memory_touched(const struct nr_sparse_memory *sparse);
/* What has not been freed stays. */
void nr_sparse_memory_end(struct nr_sparse_memory *sparse);

#endif
