/*
 * Pages that a tracked pair has in common with other memory: malloc() puts Buffers beside all else that it gives out.
 * Where that is written all the time each write is an alarm, and the pair keeps only those pages that are its own; the
 * rest is compared (trackable() in tracking.c).
 */
#include "server/memory/memory.h"
#include "wire/pages.h"

/* Something else was written on its pages: that counts so much, and goes down with every question. With so much they
 * are hot for others: where it happens each time after 68, with every tenth question after 127. (It costs as much as
 * comparing 8 KiB 20 times.) */
#define NR_ALARM 20u
#define NR_ALARMS 1280u
/* So much is compared for that, in all: more costs more than the questions that it spares. */
#define NR_NOISY_MAX (UINT32_C(80) << 10)
/* Questions after which they need not be any more. */
#define NR_FORGIVING 2000u

/* Does it lie on the first or the last page of the tracked part, where that shares it with other memory? */
static bool is_at_edge(const struct nr_pair *pair, uint64_t from, uint64_t to) {
  uint64_t begin = (uint64_t)(uintptr_t)pair->bytes + pair->tracked.from;
  uint64_t end = (uint64_t)(uintptr_t)pair->bytes + pair->tracked.to;
  uint64_t first = (begin + NR_PAGE - 1) / NR_PAGE * NR_PAGE, last = end / NR_PAGE * NR_PAGE;
  from += (uint64_t)(uintptr_t)pair->bytes;
  to += (uint64_t)(uintptr_t)pair->bytes;
  return to <= first || from >= last;
}

bool nr_noise_count(struct nr_agent *agent, struct nr_pair *pair, uint64_t from, uint64_t to) {
  uint32_t asked = agent->watched_asked;
  if (pair->alarmed == asked || pair->noisy > 0 || !is_at_edge(pair, from, to)) return false;
  if (pair->taken + 1 == asked) return false;                          /* this side has written what native code had */
  if (pair->age < NR_OLD && pair->connection->calm == 0) return false; /* the making of others has */
  uint32_t calm = asked - pair->alarmed;
  pair->alarms = (pair->alarms > calm ? pair->alarms - calm : 0) + NR_ALARM;
  if (pair->alarms > NR_ALARMS) pair->alarms = NR_ALARMS;
  pair->alarmed = asked;
  uint64_t length = pair->tracked.to - pair->tracked.from;
  uint32_t noisy = NR_COMPARISON + (length < NR_TRACKED_MIN ? (uint32_t)length : 2 * (uint32_t)NR_PAGE);
  if (pair->alarms < NR_ALARMS || noisy > NR_NOISY_MAX - agent->noisy) return false;
  agent->noisy += pair->noisy = noisy;
  pair->item.was_kept = true; /* compared every time, whatever else there is */
  return true;
}

void nr_noise_forgive(struct nr_connection *connection, struct nr_pair *pair) {
  struct nr_agent *agent = connection->agent;
  if (pair->noisy == 0 || agent == NULL || agent->watched_asked - pair->alarmed < NR_FORGIVING) return;
  agent->noisy -= pair->noisy;
  pair->noisy = pair->alarms = 0;
  nr_window_cool(connection, pair);
}
