/*
 * What a host has left: its recorder (wire/recorder.h), and after its death what was in it, as text, without a
 * descriptor. From any thread.
 */
#ifndef NR_SERVER_LEFT_H
#define NR_SERVER_LEFT_H

#include <stdbool.h>

struct nr_left;

/* Takes the recorder's memfd over. NULL: out of memory. */
struct nr_left *nr_left_create(int memfd);
/* NULL: no effect. */
void nr_left_free(struct nr_left *left);
/* As JSON, to be freed; NULL: nothing, or dropped since it is of a death too long ago. */
char *nr_left_read(struct nr_left *left);
/* The host is dead: what there is is read for good. */
void nr_left_conclude(struct nr_left *left);

#endif
