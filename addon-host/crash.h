/*
 * What the host writes into the recorder when it is about to die of a signal.
 */
#ifndef NR_HOST_CRASH_H
#define NR_HOST_CRASH_H

#include "wire/recorder.h"

/* Handles the signals of a crash from now on. They still end the process: the handler writes, and lets them. An addon
 * that sets handlers of its own has those, as in Node. */
void nr_crash_prepare(struct nr_crash *crash);
#endif
