/*
 * Which pairs are worth tracking while they are not in use: each is some microseconds of work for both processes, and
 * has its share in the price of each question to the kernel.
 */
#include "server/memory/memory.h"
#include "wire/cold.h"

/* Smaller ones are tracked as well, up to so many: where there are thousands nobody keeps their addresses, as a rule,
 * and each has its share in the price of a write to any page that it is on. (With 20,000 of 100 bytes, 8,192 of which
 * were tracked, passing one took 207 us.) */
#define NR_SMALL_MAX 256u

/* Of what is kept so much is compared with each call, and the rest is tracked: to ask about it is a question for each
 * side, 0.7 us, and comparing 16 KiB takes nearly as long. (With one of 4 KiB that is kept noop() takes 0.75 instead of
 * 1.34 us, with one of 8 KiB 0.83.) */
#define NR_COMPARED_MAX (UINT64_C(12) << 10)

/* Those that native code holds, each for a work that is soon done, cost more to track than to compare when they are
 * smaller: 100 of 5,000 bytes in flight 220 and 115 us each, of 11,000 bytes 150 and 290. */
#define NR_HELD_WORTH UINT64_C(8192)

/* Of external ones so much less is left to be compared: to read them takes a microsecond, and 0.2 more for each. */
#define NR_READING (UINT32_C(20) << 10)

bool nr_track_has_room(const struct nr_connection *connection, const struct nr_cold *cold, uint32_t cost) {
  if (cold != &connection->cold_foreign) return nr_cold_has_room(cold, cost);
  /* Where some are tracked all are. */
  return connection->agent->small == 0 && nr_cold_has_room(cold, cost + NR_READING);
}

/* Small ones are when there is too much to compare all of it each time. */
static bool is_enough(const struct nr_connection *connection, const struct nr_pair *pair) {
  const struct nr_cold *cold = nr_cold_kind(connection, pair);
  uint64_t bytes = nr_shown_bytes(pair);
  uint64_t born = pair->born.to - pair->born.from;
  bytes = bytes > born ? bytes - born : 0;
  if (pair->noisy) return bytes >= NR_TRACKED_MIN;
  if (bytes >= NR_TRACK_WORTH) return !pair->compared || !nr_track_may_compare(connection, pair);
  uint32_t cost = pair->item.next != NULL ? 0 : nr_window_cost(connection, pair);
  bool is_young = pair->age < NR_OLD && connection->calm < NR_CALM_SMALL && !pair->fills;
  if (is_young && (cold->mortal || nr_cold_takes(cold, cost))) return false;
  /* Those that wait for it may be large ones. */
  if (connection->agent->small + nr_cold_count(&connection->cold_large) >= NR_SMALL_MAX) return false;
  if (cold->mortal && pair->item.was_kept && nr_cold_keeps(cold, cost)) return false;
  return is_young || !nr_track_has_room(connection, cold, cost);
}

bool nr_track_may_compare(const struct nr_connection *connection, const struct nr_pair *pair) {
  const struct nr_cold *cold = nr_cold_kind(connection, pair);
  if (pair->foreign || pair->block.born || pair->length > NR_COMPARED_MAX) return false;
  if (pair->own_tracks || pair->host_tracks != NR_HOST_SILENT) return false;
  if (connection->agent == NULL || (!pair->fills && nr_track_is_asking(connection->agent))) return false;
  bool is_in = pair->item.next != NULL && pair->item.group <= NR_COLD_KEPT && !pair->large;
  uint32_t cost = nr_window_cost(connection, pair);
  if (cost < NR_COMPARISON + NR_TRACK_WORTH) return false;
  return cold->costs[NR_COLD_HELD] + cold->costs[NR_COLD_KEPT] + (is_in ? 0 : cost) <= NR_COMPARED_MAX;
}

/* Native code has its address, or says that it holds it. */
static bool is_used(const struct nr_pair *pair) {
  return pair->item.was_kept || (pair->item.holds > 0 && pair->length >= NR_HELD_WORTH);
}

/* Those in the list that are not full yet may come to cost so much more. */
#define NR_GROWTH (UINT32_C(24) << 10)

/* What comes next may be on its last page: each write of that would be a question. (Passing Buffer.from(string) with
 * 40, 400, 1,000 characters took 7.4, 6.7 and 11 us.) */
static bool is_filling(const struct nr_connection *connection, const struct nr_pair *pair) {
  if (connection->still >= NR_STILL) return false;
  uint32_t cost = pair->item.next != NULL ? 0 : nr_window_cost(connection, pair);
  return !is_used(pair) || nr_cold_visits_used(&connection->cold_pools, cost + NR_GROWTH);
}

bool nr_track_is_worth(const struct nr_connection *connection, const struct nr_pair *pair) {
  if (connection->agent == NULL || pair->untracked) return false;
  if (pair->foreign && (pair->shared || pair->length >= NR_SPARSE_MIN)) return false;
  bool is_made = pair->foreign || pair->block.born;
  bool is_young = pair->age < NR_OLD, is_short = nr_lifetime_is_short(connection);
  /* It is watched by itself, and a result of that size costs 20 to 50 us to be watched with others. */
  if (pair->foreign && is_young && pair->host_tracks != NR_HOST_SILENT && connection->lifetime != NR_LIFETIME_FOUND &&
      connection->calm < NR_CALM_FOREIGN)
    return false;
  if (is_made && is_young && is_short && connection->calm < NR_CALM_MADE) return false;
  if (is_young && pair->fills) {
    if (is_filling(connection, pair)) return false;
  } else if (is_young && connection->lifetime == NR_LIFETIME_SHORT && connection->calm < NR_CALM && !is_used(pair)) {
    return false;
  }
  return is_enough(connection, pair) && nr_track_is_there(connection->agent);
}
