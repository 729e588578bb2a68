/*
 * Pages that a tracked pair has in common with other memory: malloc() puts Buffers beside all else that it gives out.
 * Where that is written all the time each write is an alarm, and the pair keeps only those pages that are its own; the
 * rest is compared (trackable() in tracking.c). So it is with the memory of external buffers on the addon's heap, of
 * which the host tells: a call that wrote beside one of 200, 20,000, 200,000 bytes took 10, 25, 15 us, now 3, 6, 4, and
 * up to 120 us where the kernel was asked about 250 others with it.
 */
#include "server/memory/memory.h"
#include "wire/pages.h"

/* Something else was written on its pages: that counts so much, and goes down with every question. With so much they
 * are hot for others: where it happens each time after 68, with every tenth question after 127. (It costs as much as
 * comparing 8 KiB 20 times.) */
#define NR_ALARM 20u
#define NR_ALARMS 1280u
/* So much is compared for that, in all, and as much for each host: more costs more than the questions that it spares.
 */
#define NR_NOISY_MAX (UINT32_C(80) << 10)
/* Questions after which they need not be any more. */
#define NR_FORGIVING 2000u

/* Does it lie on the first or the last page of the tracked part, where that shares it with other memory? bytes: where
 * the pair begins. */
static bool is_at_edge(const struct nr_pair *pair, uint64_t bytes, uint64_t from, uint64_t to) {
  uint64_t first = (bytes + pair->tracked.from + NR_PAGE - 1) / NR_PAGE * NR_PAGE;
  uint64_t last = (bytes + pair->tracked.to) / NR_PAGE * NR_PAGE;
  return bytes + to <= first || bytes + from >= last;
}

/* One more. True: it is too loud. now: questions so far. */
static bool raise_alarm(struct nr_alarms *alarms, uint32_t now) {
  uint32_t calm = now - alarms->at;
  if (calm == 0) return false;
  alarms->level = (alarms->level > calm ? alarms->level - calm : 0) + NR_ALARM;
  if (alarms->level > NR_ALARMS) alarms->level = NR_ALARMS;
  alarms->at = now;
  return alarms->level == NR_ALARMS;
}

/* What of the account is spent for the pair. False: enough is compared already. */
static bool silence(struct nr_pair *pair, uint32_t *spent) {
  uint64_t length = pair->tracked.to - pair->tracked.from;
  uint32_t noisy = NR_COMPARISON + (length < NR_TRACKED_MIN ? (uint32_t)length : 2 * (uint32_t)NR_PAGE);
  if (noisy > NR_NOISY_MAX - *spent) return false;
  *spent += pair->noisy = noisy;
  pair->item.was_kept = true; /* compared every time, whatever else there is */
  return true;
}

static uint32_t *account_of(const struct nr_pair *pair) {
  return pair->host_noisy ? &pair->connection->host_noisy : &pair->connection->agent->noisy;
}

/* The making of others writes on its pages as well. */
static bool is_among_new(const struct nr_pair *pair) {
  return pair->age < NR_OLD && pair->connection->calm == 0;
}

bool nr_noise_count(struct nr_agent *agent, struct nr_pair *pair, uint64_t from, uint64_t to) {
  uint32_t asked = agent->watched_asked;
  if (pair->noisy > 0 || !is_at_edge(pair, (uint64_t)(uintptr_t)pair->bytes, from, to)) return false;
  if (pair->taken + 1 == asked || is_among_new(pair)) return false; /* or this side has written what native code had */
  return raise_alarm(&pair->alarms, asked) && silence(pair, &agent->noisy);
}

bool nr_noise_hear(struct nr_pair *pair, uint64_t from, uint64_t to) {
  struct nr_connection *connection = pair->connection;
  if (!pair->host_together || pair->hot != NR_NO_HOT || connection->agent == NULL) return false;
  if (pair->noisy > 0 || !is_at_edge(pair, pair->address, from, to) || is_among_new(pair)) return false;
  if (!raise_alarm(&pair->host_alarms, connection->sends)) return false;
  return pair->host_noisy = silence(pair, &connection->host_noisy);
}

void nr_noise_end(struct nr_pair *pair) {
  if (pair->noisy > 0 && pair->connection->agent != NULL) *account_of(pair) -= pair->noisy;
  pair->noisy = pair->alarms.level = pair->host_alarms.level = 0;
  pair->host_noisy = false;
}

void nr_noise_forgive(struct nr_connection *connection, struct nr_pair *pair) {
  struct nr_agent *agent = connection->agent;
  if (pair->noisy == 0 || agent == NULL) return;
  uint32_t calm = pair->host_noisy ? connection->sends - pair->host_alarms.at : agent->watched_asked - pair->alarms.at;
  if (calm < NR_FORGIVING) return;
  nr_noise_end(pair);
  nr_window_cool(connection, pair);
}
