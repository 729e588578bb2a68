#include "server/memory/sparse_memory.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/pages.h"

static uint64_t size_of(uint64_t length) {
  return (length + NR_PAGE - 1) / NR_PAGE * NR_PAGE;
}

static bool open_file(struct nr_sparse_memory *sparse) {
  if (sparse->open || sparse->failed) return sparse->open;
  sparse->fd = memfd_create("napi-remote-sparse", MFD_CLOEXEC);
  sparse->open = sparse->fd >= 0;
  return sparse->open;
}

/* A limit to the size of files (RLIMIT_FSIZE; Node ignores the signal) is one to what can be had. */
static uint8_t *map_more(struct nr_sparse_memory *sparse, uint64_t size) {
  if (sparse->end > (uint64_t)INT64_MAX - size || ftruncate(sparse->fd, (off_t)(sparse->end + size)) < 0) return NULL;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, sparse->fd, (off_t)sparse->end);
  return memory == MAP_FAILED ? NULL : memory;
}

uint8_t *nr_sparse_memory_create(struct nr_sparse_memory *sparse, uint64_t length, uint64_t *place) {
  uint8_t *memory = open_file(sparse) && !sparse->failed ? map_more(sparse, size_of(length)) : NULL;
  if (memory == NULL) {
    sparse->failed = true;
    return NULL;
  }
  *place = sparse->end;
  sparse->end += size_of(length);
  return memory;
}

static long blocks_of(const struct nr_sparse_memory *sparse) {
  struct stat status;
  return fstat(sparse->fd, &status) < 0 ? -1 : (long)status.st_blocks;
}

void nr_sparse_memory_free(struct nr_sparse_memory *sparse, uint8_t *memory, uint64_t length, uint64_t place) {
  munmap(memory, size_of(length));
  if (!sparse->open) return; /* all of it goes with the last mapping */
  long before = blocks_of(sparse);
  (void)fallocate(sparse->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)place, (off_t)size_of(length));
  long after = blocks_of(sparse);
  if (before > after && after >= 0) sparse->gone += (uint64_t)(before - after);
}

long nr_sparse_memory_touched(const struct nr_sparse_memory *sparse) {
  long blocks = sparse->open ? blocks_of(sparse) : -1;
  return blocks < 0 ? -1 : (long)sparse->gone + blocks;
}

void nr_sparse_memory_end(struct nr_sparse_memory *sparse) {
  if (sparse->open) close(sparse->fd);
  sparse->open = false;
  sparse->failed = true;
}
