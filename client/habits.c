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

/* Bytes that come along save a question, 0.9 us; those that nobody looks at cost 0.7, and 2.5 where the view is new:
 * they have to be looked at in three cases of four. Who looks at few begins to ask for all of them rarely. */
#define NR_LOOK_CAME 4u
#define NR_LOOK_ASKED 1u
#define NR_LOOK_COST 3u
#define NR_LOOKS_ENOUGH 64u
#define NR_LOOKS_MAX 128u

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
  size_t cost = views * NR_LOOK_COST;
  habits->looks -= cost < habits->looks ? (uint32_t)cost : habits->looks;
}

void nr_habits_looked(struct nr_habits *habits, bool came) {
  habits->looks += came ? NR_LOOK_CAME : NR_LOOK_ASKED;
  if (habits->looks > NR_LOOKS_MAX) habits->looks = NR_LOOKS_MAX;
}
