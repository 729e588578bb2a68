/*
 * Two functions of V8's and Node's C++: addons that are made with Node-API otherwise find their thread's loop by them
 * (deasync does). The isolate that they get is only good for that. An addon that wants any other function of these
 * libraries is not loaded (server/elf.c, which knows these two).
 */
#include "client/channel.h"
#include "client/client-private.h"
#include "client/loop.h"

NR_EXPORT void *nr_current_isolate(void) __asm__("_ZN2v87Isolate10GetCurrentEv");
NR_EXPORT uv_loop_t *nr_loop_of_isolate(void *isolate) __asm__("_ZN4node19GetCurrentEventLoopEPN2v87IsolateE");

/* NULL on threads that are not JavaScript's, as there. */
void *nr_current_isolate(void) {
  return nr_channel_current();
}

/* NULL without an env, as there: that of another thread is none here. */
uv_loop_t *nr_loop_of_isolate(void *isolate) {
  return isolate == NULL || isolate != nr_channel_current() ? NULL : nr_loop_get(isolate);
}
