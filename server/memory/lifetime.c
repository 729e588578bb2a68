/*
 * How long do new pairs live? What is kept has to be looked at in every call; results, and Buffers that are made for
 * one call, wait by the hundred for the collector, and nobody will hear of them again. It is taken that they live,
 * until a collection has shown otherwise, or hundreds have come, one with each call.
 */
#include "server/memory/memory.h"
#include "wire/cold.h"

/* New pairs of which a collection tells. */
#define NR_CENSUS_MIN 64u
/* What an entry that brings some adds, and what one without takes away; and when small ones, and what native code
 * makes, are presumed to be short-lived: after some 260. Until then passing fresh ones of 16 bytes takes up to 90 us a
 * call, since those that are tracked lie on the pages of the others; afterwards 5. */
#define NR_INFLUX_ADDED 16u
#define NR_INFLUX_CALM 8u
#define NR_INFLUX_MAX 4096u

static void set(struct nr_connection *connection, bool mortal, bool presumed) {
  connection->mortal = mortal;
  connection->presumed = presumed;
  connection->cold.mortal = connection->cold_foreign.mortal = connection->cold_large.mortal = mortal || presumed;
}

void nr_lifetime_learn(struct nr_connection *connection, uint32_t dead, uint32_t alive) {
  if (dead + alive < NR_CENSUS_MIN) return;
  connection->influx = 0;
  connection->lives = connection->lives && dead <= alive;
  set(connection, dead > alive, false);
}

void nr_lifetime_doubt(struct nr_connection *connection, const struct nr_pair *pair) {
  if (pair->age >= NR_OLD || connection->lives) return;
  connection->influx = 0;
  connection->lives = connection->doubted = true;
  set(connection, false, false);
}

static void ease(struct nr_pair *pair, void *context) {
  if (pair->age < NR_OLD) nr_track_ease(context, pair);
}

void nr_lifetime_count(struct nr_connection *connection, bool is_new) {
  if (connection->presumed && connection->calm >= NR_CALM_SMALL) set(connection, false, false);
  if (!is_new) connection->influx -= connection->influx < NR_INFLUX_CALM ? connection->influx : NR_INFLUX_CALM;
  if (!is_new || connection->mortal || connection->presumed) return;
  connection->influx += NR_INFLUX_ADDED;
  if (connection->influx < NR_INFLUX_MAX) return;
  connection->influx = 0;
  connection->lives = false;
  set(connection, false, true);
  nr_pair_index_each(connection->pair_index, ease, connection);
}
