/*
 * Snapshots, and the bytes of views in them, are taken ahead of what native code may ask for. Each callback has its
 * habits: what has been of use is taken again, what has not is given up.
 */
#include "client/habits.h"

#include "client/client-private.h"

/* Reads of one object before it is asked for as a whole, until that has paid. */
#define NR_PATIENCE 2u
/* After so many objects half of what has been learned is forgotten. */
#define NR_FORGIVING 16u
/* Each that has paid is for this many more, and itself, to be taken at the first read. */
#define NR_CREDIT_MAX 8u
#define NR_ROOM 32u

/* A question for bytes costs 1.6 us, those of a view that come along 0.7: from half of them on it pays. */
#define NR_LOOK_WORTH 2u
#define NR_LOOKS_ENOUGH 32u
#define NR_LOOKS_MAX 64u

static struct nr_reading reading_anew(uint32_t room) {
  return (struct nr_reading){.patience = NR_PATIENCE, .room = room};
}

void nr_habits_init(struct nr_habits *habits) {
  *habits = (struct nr_habits){.reading = {reading_anew(NR_ROOM), reading_anew(NR_ELEMENTS)}};
}

struct nr_habits *nr_habits_of(struct nr_channel *channel) {
  struct nr_callback *callback = channel->entry == NULL ? NULL : channel->entry->callback;
  return callback == NULL ? &channel->habits : &callback->habits;
}

void nr_reading_begin(struct nr_reading *reading) {
  if (++reading->objects % NR_FORGIVING != 0) return;
  reading->caution /= 2;
  if (reading->patience > NR_PATIENCE) reading->patience /= 2;
}

/* Where others have paid, some need not. */
void nr_reading_charge(struct nr_reading *reading) {
  if (reading->credit > 0)
    reading->credit--;
  else if (reading->patience < NR_PATIENCE_MAX)
    reading->patience = 2 * reading->patience + 2;
}

void nr_reading_pay(struct nr_reading *reading, uint32_t properties) {
  uint32_t room = 2 * properties < NR_SNAPSHOT_MAX ? 2 * properties : NR_SNAPSHOT_MAX;
  if (reading->room < room) reading->room = room;
  reading->patience = 0;
  reading->caution /= 2;
  reading->credit = reading->credit + 2 < NR_CREDIT_MAX ? reading->credit + 2 : NR_CREDIT_MAX;
}

bool nr_habits_look(const struct nr_habits *habits) {
  return habits->looks >= NR_LOOKS_ENOUGH;
}

void nr_habits_saw(struct nr_habits *habits, size_t views) {
  habits->looks -= views < habits->looks ? (uint32_t)views : habits->looks;
}

void nr_habits_looked(struct nr_habits *habits) {
  habits->looks = habits->looks + NR_LOOK_WORTH < NR_LOOKS_MAX ? habits->looks + NR_LOOK_WORTH : NR_LOOKS_MAX;
}
