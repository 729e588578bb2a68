/*
 * Counts the calls of Node-API functions in a file that the test harness made and shares with all processes that it
 * starts: first the calls that reach a Node, then those that addons make in a host.
 */
#ifndef NR_TEST_COUNT_H
#define NR_TEST_COUNT_H

#define _GNU_SOURCE
#define NAPI_EXPERIMENTAL
#define NODE_API_EXPERIMENTAL_NO_WARNING

#include <errno.h>
#include <fcntl.h>
#include <node_api.h>
#include <proto/experimental.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* NULL while nobody counts. */
static uint64_t *nr_counters;

static inline void nr_count(unsigned function) {
  if (nr_counters) __atomic_fetch_add(&nr_counters[function], 1, __ATOMIC_RELAXED);
}

/* Before the constructors of the addon, which may call napi_module_register(). Whatever fails here: nothing is counted.
 */
__attribute__((constructor(101))) static void nr_start_counting(void) {
  int error = errno;
  const char *file = getenv("NAPI_REMOTE_TEST_COUNTERS");
  int fd = file ? open(file, O_RDWR | O_CLOEXEC) : -1;
  if (fd >= 0) {
    size_t size = 2 * NR_FUNCTIONS * sizeof(uint64_t);
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    bool isolated = strcmp(program_invocation_short_name, "napi-remote-host") == 0;
    if (memory != MAP_FAILED) nr_counters = (uint64_t *)memory + (isolated ? NR_FUNCTIONS : 0);
  }
  errno = error;
}

#endif
