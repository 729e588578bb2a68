/*
 * Ports for tests: two that talk to each other within one process, and one whose other side is raw shared memory in the
 * hands of the test.
 */
#ifndef NR_TESTS_PORTS_H
#define NR_TESTS_PORTS_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "leaks.h"
#include "samples.h"
#include "wire/wire-private.h"

#define SMALL_RING NR_RING_SIZE_MIN
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static inline void sleep_ms(unsigned ms) {
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&time, NULL);
}

static inline uint32_t random_next(uint32_t *state) {
  *state = *state * 1664525u + 1013904223u;
  return *state >> 8;
}

/* Something that is no memfd, and no socket. */
static inline int event_fd(void) {
  return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

struct pair {
  struct nr_port *a, *b;
};

static inline struct pair pair_create(uint32_t ring_size) {
  struct pair pair;
  int bell_a, bell_b;
  cr_assert_eq(nr_doorbells_create(&bell_a, &bell_b), 0);
  cr_assert_eq(nr_port_create(&pair.a, ring_size), 0);
  cr_assert_eq(nr_port_create(&pair.b, ring_size), 0);
  cr_assert_eq(nr_port_connect(pair.a, dup(nr_port_memfd(pair.b)), bell_a, dup(bell_b)), 0);
  cr_assert_eq(nr_port_connect(pair.b, dup(nr_port_memfd(pair.a)), bell_b, -1), 0);
  return pair;
}

static inline void pair_destroy(struct pair pair) {
  nr_port_destroy(pair.a);
  nr_port_destroy(pair.b);
}

static inline void pair_spins(struct pair pair, bool spins) {
  pair.a->cpus = pair.b->cpus = spins ? 2 : 1;
}

/* One port, and the pages that its peer would write. */
struct hostile {
  struct nr_port *port;
  int doorbell; /* the peer's end */
  struct nr_arena *arena;
  int memfd;
  struct nr_control *control;
  uint8_t *ring;
  uint32_t size;
  uint64_t written;
};

static inline int hostile_memfd(size_t size, unsigned seals) {
  int memfd = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  cr_assert_geq(memfd, 0);
  cr_assert_eq(ftruncate(memfd, (off_t)size), 0);
  if (seals != 0) cr_assert_eq(fcntl(memfd, F_ADD_SEALS, seals), 0);
  return memfd;
}

static inline struct nr_control *hostile_map(int memfd, size_t size) {
  void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
  cr_assert_neq(base, MAP_FAILED);
  struct nr_control *control = base;
  control->magic = NR_CONTROL_MAGIC;
  control->version = NR_CONTROL_VERSION;
  control->ring_size = (uint32_t)(size - NR_CONTROL_SIZE);
  return control;
}

static inline struct hostile hostile_create(void) {
  struct hostile hostile = {.size = SMALL_RING};
  size_t size = NR_CONTROL_SIZE + SMALL_RING;
  hostile.memfd = hostile_memfd(size, SEALS);
  hostile.control = hostile_map(hostile.memfd, size);
  hostile.ring = (uint8_t *)hostile.control + NR_CONTROL_SIZE;
  hostile.arena = nr_arena_create(256u << 20);
  cr_assert_eq(nr_port_create(&hostile.port, SMALL_RING), 0);
  int bell;
  cr_assert_eq(nr_doorbells_create(&bell, &hostile.doorbell), 0);
  cr_assert_eq(nr_port_connect(hostile.port, dup(hostile.memfd), bell, dup(hostile.doorbell)), 0);
  return hostile;
}

static inline void hostile_destroy(struct hostile *hostile) {
  nr_port_destroy(hostile->port);
  nr_arena_destroy(hostile->arena);
  munmap(hostile->control, NR_CONTROL_SIZE + hostile->size);
  close(hostile->memfd);
  close(hostile->doorbell);
}

/* Puts a header (with the commit word that it names) at the write position, which goes on by `lines`. */
static inline void hostile_put(struct hostile *hostile, struct nr_frame_header header, uint32_t lines) {
  uint32_t commit = header.commit;
  uint8_t *at = hostile->ring + (hostile->written & (hostile->size - 1));
  uint64_t next = hostile->written + (uint64_t)lines * NR_CACHE_LINE;
  header.commit = 0;
  memcpy(at, &header, sizeof header);
  __atomic_store_n((uint32_t *)(void *)(hostile->ring + (next & (hostile->size - 1))), 0, __ATOMIC_RELAXED);
  __atomic_store_n((uint32_t *)(void *)at, commit, __ATOMIC_RELEASE);
  hostile->written = next;
}

static inline int hostile_receive(struct hostile *hostile, struct nr_frame *frame) {
  return nr_port_try_receive(hostile->port, hostile->arena, frame);
}

#endif
