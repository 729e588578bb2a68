/*
 * Which hot windows a pass looks at. All of them, as a rule: those that were found changed lately, or not looked at
 * often yet, in any case. But native code that makes thousands of Buffers in one go does not pay for each of them at
 * each call. A window that was found unchanged for long is left alone when it is not among the newest: while a property
 * is read, say, which only might run JavaScript (wire/turns.h), soon; when JavaScript gets the turn as such, only where
 * there are very many, and then they take turns. At the end of an entry all that it has seen is looked at.
 *
 * So that those cost nothing at all, not even the question, it is known how many of the oldest have settled.
 */
#include "server/memory/hot.h"

/* Visits without a change after which a window has settled. */
#define NR_QUIET 16u
/* While JavaScript only might run: large ones are left alone wherever they are, small ones but for the newest. Rows of
 * a query may have a Buffer each, and their properties are set one by one. */
#define NR_QUIET_BYTES 8192u
#define NR_QUIET_NEWEST 64u
/* When it gets the turn. */
#define NR_HOT_NEWEST 4096u
/* How many of the others have their turn in a pass. */
#define NR_HOT_TURNS 64u

static bool is_settled(const struct nr_hot *hot) {
  return hot->pair == NULL || hot->quiet >= NR_QUIET;
}

static uint32_t oldest_of(uint32_t count, uint32_t newest) {
  return count > newest ? count - newest : 0;
}

struct nr_hot_choice nr_hot_choose(struct nr_connection *connection, bool whole, bool takes, uint32_t always) {
  uint32_t newest = oldest_of(connection->hot_count, whole ? NR_HOT_NEWEST : NR_QUIET_NEWEST);
  struct nr_hot_choice choice = {
      .connection = connection, .whole = whole, .exact = whole && takes, .newest = newest, .always = always};
  choice.first = connection->hot_settled < newest ? connection->hot_settled : newest;
  if (whole) {
    choice.turn = connection->hot_turn < choice.first ? connection->hot_turn : 0;
    choice.turn_end = choice.first - choice.turn > NR_HOT_TURNS ? choice.turn + NR_HOT_TURNS : choice.first;
  }
  if (choice.exact) choice.first = 0;
  if (always < choice.first) choice.first = always;
  return choice;
}

static bool is_due(const struct nr_hot_choice *choice, uint32_t index) {
  const struct nr_hot *hot = &choice->connection->hot[index];
  if (index >= choice->always || !is_settled(hot)) return true;
  if (choice->exact && hot->pair != NULL && !hot->pair->foreign) return true;
  if (index >= choice->turn && index < choice->turn_end) return true;
  return index >= choice->newest && (choice->whole || hot->to - hot->from < NR_QUIET_BYTES);
}

uint32_t nr_hot_before(const struct nr_hot_choice *choice, uint32_t index) {
  while (index > choice->first) {
    if (is_due(choice, --index)) return index;
  }
  if (index > choice->turn_end) index = choice->turn_end;
  return index > choice->turn ? index - 1 : NR_NO_HOT;
}

bool nr_hot_are_many(const struct nr_connection *connection) {
  return connection->hot_count > NR_HOT_NEWEST;
}

void nr_hot_changed(struct nr_connection *connection, uint32_t index) {
  connection->hot[index].quiet = 0;
  if (index < connection->hot_settled) connection->hot_settled = index;
}

void nr_hot_chosen(const struct nr_hot_choice *choice) {
  struct nr_connection *connection = choice->connection;
  if (choice->whole && !choice->exact) connection->hot_turn = choice->turn_end;
  while (connection->hot_settled < connection->hot_count && is_settled(&connection->hot[connection->hot_settled]))
    connection->hot_settled++;
}
