/*
 * A histogram of the times of entries: 32 buckets for each power of two, so a time is known to 3 percent. Counted here,
 * since a call of JavaScript for each would take as long as many calls do.
 */
#include "server/times.h"

#include <stdlib.h>

#include "wire/port.h"

#define NR_STEPS 32u
#define NR_BUCKETS (NR_STEPS * 60u)

struct nr_times {
  uint64_t began_ns;
  uint32_t counts[NR_BUCKETS];
};

struct nr_times *nr_times_create(void) {
  return calloc(1, sizeof(struct nr_times));
}

void nr_times_destroy(struct nr_times *times) {
  free(times);
}

void nr_times_begin(struct nr_times *times) {
  times->began_ns = nr_now_ns();
}

/* Below two times NR_STEPS each number has a bucket of its own. */
static unsigned bucket_of(uint64_t ns) {
  unsigned shift = ns < 2 * NR_STEPS ? 0 : 58u - (unsigned)__builtin_clzll(ns);
  unsigned bucket = shift * NR_STEPS + (unsigned)(ns >> shift);
  return bucket < NR_BUCKETS ? bucket : NR_BUCKETS - 1;
}

/* The middle of a bucket. */
static uint64_t time_of(unsigned bucket) {
  if (bucket < 2 * NR_STEPS) return bucket;
  unsigned shift = bucket / NR_STEPS - 1;
  uint64_t least = (uint64_t)(bucket - shift * NR_STEPS) << shift;
  return least + ((UINT64_C(1) << shift) >> 1);
}

void nr_times_end(struct nr_times *times) {
  uint32_t *count = &times->counts[bucket_of(nr_now_ns() - times->began_ns)];
  if (*count < UINT32_MAX) ++*count;
}

napi_value nr_times_take(struct nr_times *times, napi_env napi) {
  napi_value list, value;
  uint32_t length = 0;
  if (napi_create_array(napi, &list) != napi_ok) return NULL;
  for (unsigned bucket = 0; bucket < NR_BUCKETS; bucket++) {
    if (times->counts[bucket] == 0) continue;
    if (napi_create_double(napi, (double)time_of(bucket), &value) != napi_ok ||
        napi_set_element(napi, list, length++, value) != napi_ok ||
        napi_create_uint32(napi, times->counts[bucket], &value) != napi_ok ||
        napi_set_element(napi, list, length++, value) != napi_ok) {
      return NULL;
    }
    times->counts[bucket] = 0;
  }
  return list;
}
