/*
 * What the native code behind a callback has done so far, by which is told what it will do (habits.c).
 */
#ifndef NR_CLIENT_HABITS_H
#define NR_CLIENT_HABITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nr_channel;

/* Where nothing has paid, so many reads of one object come before it is asked for as a whole. */
#define NR_PATIENCE_MAX 64u
/* Elements of an array that are asked for at first. */
#define NR_ELEMENTS 16u

/* Has it paid to take snapshots (snapshots.c)? */
struct nr_reading {
  uint32_t patience; /* reads of one object that come first */
  uint32_t caution;  /* the same, since one was far too large */
  uint32_t room;     /* properties at most */
  uint32_t credit;   /* snapshots that need not pay */
  uint32_t objects;  /* that were read */
};

struct nr_habits {
  struct nr_reading reading[2]; /* of objects, of arrays */
  bool sizes;                   /* it has asked for the bytes of a view after its size */
  uint32_t looks;               /* into views that it has read: more the more it does, less with those that come */
};

void nr_habits_init(struct nr_habits *habits);
/* Those of the callback that is open, or of what else runs here. */
struct nr_habits *nr_habits_of(struct nr_channel *channel);

/* One more object is read. */
void nr_reading_begin(struct nr_reading *reading);
/* A snapshot has cost something, and may never pay. */
void nr_reading_charge(struct nr_reading *reading);
/* One of an object with so many properties has paid. */
void nr_reading_pay(struct nr_reading *reading, uint32_t properties);

/* Shall the bytes of views come with a snapshot? */
bool nr_habits_look(const struct nr_habits *habits);
/* So many have. */
void nr_habits_saw(struct nr_habits *habits, size_t views);
/* It asks for those of a value that it has read from a snapshot, for the first time. came: they have. */
void nr_habits_looked(struct nr_habits *habits, bool came);

#endif
