/*
 * Threads that addons start: each gets a stack for the crash handler, so that one that runs out of its own still leaves
 * where it was. The program's symbols come before libc's, for libraries too.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "client/client.h"

struct start {
  void *(*routine)(void *argument);
  void *argument;
};

static void *run(void *memory) {
  struct start start = *(struct start *)memory;
  free(memory);
  nr_crash_thread();
  return start.routine(start.argument);
}

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                                          void *(*routine)(void *argument), void *argument) {
  static int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
  __typeof__(next) real = __atomic_load_n(&next, __ATOMIC_RELAXED);
  if (real == NULL) {
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    if (real == NULL) return EAGAIN;
    __atomic_store_n(&next, real, __ATOMIC_RELAXED);
  }
  struct start *start = malloc(sizeof *start);
  if (start == NULL) return EAGAIN;
  *start = (struct start){.routine = routine, .argument = argument};
  int error = real(thread, attributes, run, start);
  if (error != 0) free(start);
  return error;
}
