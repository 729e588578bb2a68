#ifndef NR_TESTS_FAKE_NODE_H
#define NR_TESTS_FAKE_NODE_H

#include "fake_napi.h"

/* Doorbells ring, and what wants to turn does. */
void fake_uv_turn(void);
/* Timers that run are over. */
void fake_uv_expire(void);
/* Calls what waits for its closing, and forgets all handles. */
void fake_uv_close(void);

/* The memory of the hosts that will be started. */
extern int fake_host_memfd;
/* The one that was started last. */
void fake_host_die(void);

#endif
