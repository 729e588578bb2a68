/*
 * The memory that a host sends with, made and written by a fuzz target: there is no host.
 */
#ifndef NR_TESTS_HOST_RING_H
#define NR_TESTS_HOST_RING_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "wire/wire-private.h"

struct host_ring {
  int memfd;
  struct nr_control *control;
  uint8_t *bytes;
};

static inline struct host_ring host_ring_create(uint32_t size) {
  size_t all = NR_CONTROL_SIZE + (size_t)size;
  struct host_ring ring = {.memfd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (ring.memfd < 0 || ftruncate(ring.memfd, (off_t)all) != 0) abort();
  if (fcntl(ring.memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) abort();
  ring.control = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, ring.memfd, 0);
  if (ring.control == MAP_FAILED) abort();
  ring.bytes = (uint8_t *)ring.control + NR_CONTROL_SIZE;
  ring.control->magic = NR_CONTROL_MAGIC;
  ring.control->version = NR_CONTROL_VERSION;
  ring.control->ring_size = size;
  return ring;
}

#endif
