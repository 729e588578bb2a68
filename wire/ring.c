/*
 * The shared pages: making, checking and mapping a memfd, and the positions in its ring.
 *
 * A frame is ready when its commit word is. The writer zeroes the commit word behind a frame before it commits
 * that frame, so a reader never takes an old byte for a commit; that costs one line of space.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wire/wire-private.h"

#define NEEDED_SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static bool is_ring_size(uint32_t size) {
  return size >= NR_RING_SIZE_MIN && size <= NR_RING_SIZE_MAX && (size & (size - 1)) == 0;
}

static size_t mapped_size(uint32_t ring_size) {
  return NR_CONTROL_SIZE + 2 * (size_t)ring_size;
}

/* Maps control page, ring, and the ring once more behind itself. */
static int map_mirrored(struct nr_mapping *mapping, int memfd, uint32_t ring_size, int protection) {
  uint8_t *base = mmap(NULL, mapped_size(ring_size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return -errno;
  uint8_t *mirror = base + NR_CONTROL_SIZE + ring_size;
  if (mmap(base, NR_CONTROL_SIZE + (size_t)ring_size, protection, MAP_SHARED | MAP_FIXED, memfd, 0) == MAP_FAILED ||
      mmap(mirror, ring_size, protection, MAP_SHARED | MAP_FIXED, memfd, NR_CONTROL_SIZE) == MAP_FAILED) {
    int error = -errno;
    munmap(base, mapped_size(ring_size));
    return error;
  }
  mapping->control = (struct nr_control *)(void *)base;
  mapping->ring = base + NR_CONTROL_SIZE;
  mapping->size = ring_size;
  return 0;
}

int nr_mapping_create(struct nr_mapping *mapping, uint32_t ring_size, int *memfd) {
  if (!is_ring_size(ring_size)) return -EINVAL;
  int fd = memfd_create("napi-remote", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -errno;
  int error = 0;
  if (ftruncate(fd, (off_t)(NR_CONTROL_SIZE + (size_t)ring_size)) != 0 || fcntl(fd, F_ADD_SEALS, NEEDED_SEALS) != 0)
    error = -errno;
  if (error == 0) error = map_mirrored(mapping, fd, ring_size, PROT_READ | PROT_WRITE);
  if (error != 0) {
    close(fd);
    return error;
  }
  mapping->control->version = NR_CONTROL_VERSION;
  mapping->control->ring_size = ring_size;
  __atomic_store_n(&mapping->control->magic, NR_CONTROL_MAGIC, __ATOMIC_RELEASE);
  *memfd = fd;
  return 0;
}

/* Without the seals the other side could shrink the file under our feet, and reading would be SIGBUS. */
static bool is_sealed(int memfd) {
  int seals = fcntl(memfd, F_GET_SEALS);
  return seals >= 0 && (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) == (F_SEAL_SHRINK | F_SEAL_GROW);
}

int nr_mapping_open(struct nr_mapping *mapping, int memfd) {
  struct stat status;
  if (!is_sealed(memfd) || fstat(memfd, &status) != 0) return -EPROTO;
  if (status.st_size < (off_t)(NR_CONTROL_SIZE + NR_RING_SIZE_MIN)) return -EPROTO;
  if (status.st_size > (off_t)(NR_CONTROL_SIZE + (size_t)NR_RING_SIZE_MAX)) return -EPROTO;
  uint32_t ring_size = (uint32_t)((uint64_t)status.st_size - NR_CONTROL_SIZE);
  if (!is_ring_size(ring_size)) return -EPROTO;
  int error = map_mirrored(mapping, memfd, ring_size, PROT_READ);
  if (error != 0) return error == -ENOMEM ? error : -EPROTO;
  const struct nr_control *control = mapping->control;
  if (__atomic_load_n(&control->magic, __ATOMIC_ACQUIRE) == NR_CONTROL_MAGIC &&
      __atomic_load_n(&control->version, __ATOMIC_RELAXED) == NR_CONTROL_VERSION &&
      __atomic_load_n(&control->ring_size, __ATOMIC_RELAXED) == ring_size)
    return 0;
  nr_mapping_close(mapping);
  return -EPROTO;
}

void nr_mapping_close(struct nr_mapping *mapping) {
  if (mapping->control) munmap(mapping->control, mapped_size(mapping->size));
  *mapping = (struct nr_mapping){0};
}

uint8_t *nr_ring_reserve(struct nr_port *port, uint32_t lines) {
  uint64_t needed = ((uint64_t)lines + 1) * NR_CACHE_LINE;
  if (NR_UNLIKELY(port->written - port->peer_read + needed > port->own.size)) return NULL;
  return (uint8_t *)nr_ring_word(&port->own, port->written);
}

int nr_ring_refresh(struct nr_port *port) {
  uint64_t index = __atomic_load_n(&port->peer.control->read_index, __ATOMIC_SEQ_CST);
  if (index - port->peer_read > port->written - port->peer_read || index % NR_CACHE_LINE != 0) return -EPROTO;
  port->peer_read = index;
  return 0;
}

void nr_ring_commit(struct nr_port *port, uint32_t lines) {
  uint32_t *commit = nr_ring_word(&port->own, port->written);
  port->written += (uint64_t)lines * NR_CACHE_LINE;
  __atomic_store_n(nr_ring_word(&port->own, port->written), 0, __ATOMIC_RELAXED);
  /* Sequentially consistent with the load of `sleeping` that follows: either we see that the peer sleeps, or it sees
   * the frame before it does. It is also the release that publishes the frame. */
  __atomic_store_n(commit, lines, __ATOMIC_SEQ_CST);
}

void nr_ring_consume(struct nr_port *port, uint32_t lines) {
  port->read += (uint64_t)lines * NR_CACHE_LINE;
  /* The same bargain for a peer that waits for space. */
  __atomic_store_n(&port->own.control->read_index, port->read, __ATOMIC_SEQ_CST);
  uint32_t starved = __atomic_load_n(&port->peer.control->starved, __ATOMIC_SEQ_CST);
  if (NR_LIKELY((starved & 1) == 0) || starved == port->fed) return;
  port->counts.wakeups_sent++;
  /* As in nr_wake_peer(): a wake-up that nobody got was for a wait before this one. */
  if (nr_futex_wake((const uint32_t *)(const void *)&port->own.control->read_index)) port->fed = starved;
}
