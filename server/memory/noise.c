/*
 * Pages that a tracked pair has in common with other memory: malloc() puts Buffers beside all else that it gives out.
 * Where that is written all the time each write is an alarm, and the pair keeps only those pages that are its own; the
 * rest is compared (trackable() in tracking.c). Small external buffers lie so on the addon's heap: the host compares
 * those for a while (client/memory/beside.h). Until it did, a free() beside one was a fault, a question about all that
 * is watched and a message in each call: 10 us, up to 240 with 250 others, in a third of the runs of one program and
 * for good.
 */
#include "server/memory/memory.h"
#include "wire/pages.h"
#include "wire/protocol.h"

/* Something else was written on its pages: that counts so much, and goes down with every question. With so much they
 * are hot for others: where it happens each time after 68, with every tenth question after 127. (It costs as much as
 * comparing 8 KiB 20 times.) */
#define NR_ALARM 20u
#define NR_ALARMS 1280u
/* So much is compared for that, in all: more costs more than the questions that it spares. */
#define NR_NOISY_MAX (UINT32_C(80) << 10)
/* After so many turns the host tries again to watch those that it compares: where nothing is written beside them any
 * more that costs nothing. Otherwise so many alarms are enough. */
#define NR_PROBATION 2048u
#define NR_PROBATION_ALARMS 8u
/* Of larger ones what is written on their edges is told all the same. */
#define NR_BESIDE_MAX (UINT64_C(32) << 10)
/* Questions after which they need not be any more. */
#define NR_FORGIVING 2000u

/* Does it lie on the first or the last page of the tracked part, where that shares it with other memory? bytes: where
 * the pair begins. */
static bool is_at_edge(const struct nr_pair *pair, uint64_t bytes, uint64_t from, uint64_t to) {
  uint64_t first = (bytes + pair->tracked.from + NR_PAGE - 1) / NR_PAGE * NR_PAGE;
  uint64_t last = (bytes + pair->tracked.to) / NR_PAGE * NR_PAGE;
  return bytes + to <= first || bytes + from >= last;
}

/* The making of others writes on its pages as well. */
static bool is_among_new(const struct nr_pair *pair) {
  return pair->age < NR_OLD && pair->connection->calm == 0;
}

/* One more, `calm` questions after the last one. True: too many. */
static bool raise_alarm(uint32_t *alarms, uint32_t calm) {
  *alarms = (*alarms > calm ? *alarms - calm : 0) + NR_ALARM;
  if (*alarms > NR_ALARMS) *alarms = NR_ALARMS;
  return *alarms == NR_ALARMS;
}

bool nr_noise_count(struct nr_agent *agent, struct nr_pair *pair, uint64_t from, uint64_t to) {
  uint32_t asked = agent->watched_asked, calm = asked - pair->alarmed;
  if (calm == 0 || pair->noisy > 0 || !is_at_edge(pair, (uint64_t)(uintptr_t)pair->bytes, from, to)) return false;
  if (pair->taken + 1 == asked || is_among_new(pair)) return false; /* or this side has written what native code had */
  pair->alarmed = asked;
  bool loud = raise_alarm(&pair->alarms, calm);
  uint64_t length = pair->tracked.to - pair->tracked.from;
  uint32_t noisy = NR_COMPARISON + (length < NR_TRACKED_MIN ? (uint32_t)length : 2 * (uint32_t)NR_PAGE);
  if (!loud || noisy > NR_NOISY_MAX - agent->noisy) return false;
  agent->noisy += pair->noisy = noisy;
  pair->item.was_kept = true; /* compared every time, whatever else there is */
  return true;
}

bool nr_noise_hear(struct nr_pair *pair, uint64_t from, uint64_t to) {
  struct nr_connection *connection = pair->connection;
  uint32_t calm = connection->sends - pair->heard;
  if (calm == 0 || pair->beside > 0 || !pair->host_together || !is_at_edge(pair, pair->address, from, to)) return false;
  if (is_among_new(pair)) return false;
  pair->heard = connection->sends;
  uint64_t length = pair->tracked.to - pair->tracked.from;
  if (!raise_alarm(&pair->host_alarms, calm) || length == 0 || length > NR_BESIDE_MAX ||
      connection->beside == NR_BESIDE_PARTS || length > NR_BESIDE_BYTES - connection->beside_bytes)
    return false;
  if (connection->beside++ == 0) connection->beside_tried = connection->sends;
  connection->beside_bytes += length;
  pair->beside = (uint32_t)length;
  return true;
}

static void compare_no_more(struct nr_pair *pair) {
  pair->connection->beside -= pair->beside > 0;
  pair->connection->beside_bytes -= pair->beside;
  pair->beside = 0;
}

static void try_again(struct nr_pair *pair, void *context) {
  struct nr_connection *connection = context;
  if (pair->beside == 0) return;
  compare_no_more(pair);
  pair->host_alarms = NR_ALARMS - NR_PROBATION_ALARMS * NR_ALARM;
  pair->heard = connection->sends;
  connection->host_waits = pair->host_waits = true;
}

void nr_noise_try(struct nr_connection *connection) {
  if (connection->beside == 0 || connection->sends - connection->beside_tried < NR_PROBATION) return;
  connection->beside_tried = connection->sends;
  nr_pair_index_each(connection->pair_index, try_again, connection);
}

void nr_noise_end(struct nr_pair *pair) {
  if (pair->connection->agent != NULL) pair->connection->agent->noisy -= pair->noisy;
  pair->noisy = 0;
  compare_no_more(pair);
}

void nr_noise_forgive(struct nr_connection *connection, struct nr_pair *pair) {
  struct nr_agent *agent = connection->agent;
  if (pair->noisy == 0 || agent == NULL || agent->watched_asked - pair->alarmed < NR_FORGIVING) return;
  agent->noisy -= pair->noisy;
  pair->noisy = pair->alarms = 0;
  nr_window_cool(connection, pair);
}
