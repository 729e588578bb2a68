/*
 * How long entries took, for hosts of which somebody wants to know it (times.c).
 */
#ifndef NR_SERVER_TIMES_H
#define NR_SERVER_TIMES_H

#include <node_api.h>
#include <stdint.h>

struct nr_times;

/* NULL without memory. */
struct nr_times *nr_times_create(void);
void nr_times_destroy(struct nr_times *times);
void nr_times_begin(struct nr_times *times);
void nr_times_end(struct nr_times *times);
/* [nanoseconds, count, nanoseconds, count, ...] since it was asked last; NULL with an exception. */
napi_value nr_times_take(struct nr_times *times, napi_env napi);

#endif
