/*
 * What a host is started with, as load() was told (server/lib/options.js has checked it).
 */
#ifndef NR_SERVER_LAUNCH_H
#define NR_SERVER_LAUNCH_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>

struct nr_launch {
  char *group;
  uint32_t call_ms; /* 0: as long as it takes */
  uint32_t load_ms;
  bool again;    /* in the place of a dead one */
  bool restarts; /* a call after its death may start another */
};

/* Takes what `options` has apart, but for the group. False with an exception. */
bool nr_launch_take(napi_env napi, napi_value options, struct nr_launch *launch);
/* Frees what is in it. */
void nr_launch_free(struct nr_launch *launch);

#endif
