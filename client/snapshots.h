/*
 * What objects hold, known without asking (snapshots.c), and the functions that read it (reads.c).
 */
#ifndef NR_CLIENT_SNAPSHOTS_H
#define NR_CLIENT_SNAPSHOTS_H

#include "client/client-private.h"

enum nr_answer {
  NR_ANSWER_ASK,    /* nothing is known: JavaScript may run */
  NR_ANSWER_FOUND,  /* this is it */
  NR_ANSWER_THERE,  /* the object has it by itself, its value has to be asked for */
  NR_ANSWER_ABSENT, /* there is no such property, not from its prototypes either, but for Object.prototype's own */
};

/* Reads a property of that name, taking a snapshot when it is time for one. `found`: with NR_ANSWER_FOUND, valid until
 * the next call. */
enum nr_answer nr_snapshot_named(struct nr_call *call, nr_value object, const char *name, size_t length,
                                 struct nr_property *found);
enum nr_answer nr_snapshot_element(struct nr_call *call, nr_value array, uint32_t index, struct nr_property *found);
/* Has the object no other properties, and nobody who could notice that they are looked at? */
bool nr_snapshot_is_all(struct nr_call *call, nr_value object);
bool nr_snapshot_length(struct nr_call *call, nr_value array, uint32_t *length);

void nr_snapshots_free(struct nr_channel *channel);

#endif
