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

static void set(struct nr_connection *connection, enum nr_lifetime lifetime) {
  connection->lifetime = lifetime;
  connection->influx = 0;
  bool mortal = nr_lifetime_is_short(connection);
  connection->cold.mortal = connection->cold_foreign.mortal = connection->cold_large.mortal = mortal;
}

bool nr_lifetime_is_short(const struct nr_connection *connection) {
  return connection->lifetime >= NR_LIFETIME_PRESUMED;
}

void nr_lifetime_learn(struct nr_connection *connection, uint32_t dead, uint32_t alive) {
  if (dead + alive < NR_CENSUS_MIN) return;
  if (dead > alive)
    set(connection, NR_LIFETIME_SHORT);
  else
    set(connection, connection->lifetime == NR_LIFETIME_FOUND ? NR_LIFETIME_FOUND : NR_LIFETIME_UNKNOWN);
}

void nr_lifetime_doubt(struct nr_connection *connection, const struct nr_pair *pair) {
  if (pair->age >= NR_OLD || connection->lifetime == NR_LIFETIME_FOUND) return;
  set(connection, NR_LIFETIME_FOUND);
  connection->doubted = true;
}

void nr_lifetime_survived(struct nr_connection *connection, struct nr_pair *pair) {
  struct nr_cold *cold = nr_cold_of(connection, pair);
  /* Those lie together (cells.h), so that a question is about many; to read 20 from the host takes 13 us. */
  if (pair->owned && nr_track_is_worth(connection, pair)) return;
  if (cold->mortal && nr_cold_keeps(cold, nr_window_cost(connection, pair))) nr_cold_keep(cold, &pair->item);
}

static void ease(struct nr_pair *pair, void *context) {
  if (pair->age < NR_OLD) nr_track_ease(context, pair);
}

static void presume(struct nr_connection *connection) {
  set(connection, NR_LIFETIME_PRESUMED);
  nr_pair_index_each(connection->pair_index, ease, connection);
}

void nr_lifetime_count(struct nr_connection *connection, bool is_new) {
  if (connection->lifetime == NR_LIFETIME_PRESUMED && connection->calm >= NR_CALM_SMALL)
    set(connection, NR_LIFETIME_UNKNOWN);
  if (nr_lifetime_is_short(connection)) return;
  if (is_new)
    connection->influx += NR_INFLUX_ADDED;
  else
    connection->influx -= connection->influx < NR_INFLUX_CALM ? connection->influx : NR_INFLUX_CALM;
  if (connection->influx >= NR_INFLUX_MAX) presume(connection);
}
