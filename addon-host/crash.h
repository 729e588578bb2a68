/*
 * What the host writes into the recorder when it is about to die of a signal.
 */
#ifndef NR_HOST_CRASH_H
#define NR_HOST_CRASH_H

#include <stdbool.h>
#include <sys/types.h>

#include "wire/recorder.h"

/* Handles the signals of a crash from now on. They still end the process: the handler writes, and lets them. An addon
 * that sets handlers of its own has those, as in Node. */
void nr_crash_prepare(struct nr_crash *crash, int control_socket);
/* Has that thread note what it is doing, shut down this end of the control socket for writing, and stop there: the
 * server is about to end the process. False: it does not hear the question. */
bool nr_crash_ask(pid_t thread);
#endif
