#include "wire/faults.h"

#include <stdatomic.h>
#include <sys/resource.h>

#include "wire/pages.h"

static atomic_long disturbances;

/* Faults of this thread that have to do with nothing that is watched. */
static _Thread_local long excused;

static long count_faults(int whose) {
  struct rusage usage;
  return getrusage(whose, &usage) == 0 ? usage.ru_minflt + usage.ru_majflt : -1;
}

long nr_faults_populating(void) {
  return count_faults(RUSAGE_THREAD);
}

void nr_faults_populated(long before, size_t length) {
  long now = count_faults(RUSAGE_THREAD);
  /* More than there are pages: a signal handler has made some. */
  if (before >= 0 && now >= before && (size_t)(now - before) <= length / NR_PAGE) excused += now - before;
}

/* The first write to a page that is watched is a fault. Those of all threads count: what another one has written to
 * (with something else on the page) this one writes to without. Before the pages are looked at: what is written
 * meanwhile is for the next time. */
long nr_faults_now(void) {
  long faults = count_faults(RUSAGE_SELF);
  return faults < 0 ? -1 : faults + atomic_load_explicit(&disturbances, memory_order_relaxed) - excused;
}

void nr_faults_disturb(void) {
  atomic_fetch_add_explicit(&disturbances, 1, memory_order_relaxed);
}
