/* Which of the hot windows, those that open entries have seen, a pass looks at. */
#ifndef NR_SERVER_MEMORY_HOT_H
#define NR_SERVER_MEMORY_HOT_H

#include "server/memory/memory.h"

struct nr_hot_choice {
  struct nr_connection *connection;
  bool whole;              /* JavaScript gets the turn, or had it; otherwise it only might */
  bool exact;              /* whatever native code has written comes back, but for external buffers */
  uint32_t always;         /* from here on all are due */
  uint32_t newest;         /* from here on those that have settled may be */
  uint32_t first;          /* before this one only those are whose turn it is: */
  uint32_t turn, turn_end; /* these */
};

struct nr_hot_choice nr_hot_choose(struct nr_connection *connection, bool whole, bool takes, uint32_t always);
/* So many that some may be left alone when JavaScript gets the turn. */
bool nr_hot_are_many(const struct nr_connection *connection);
/* The next one, newest first, that is due and older than `index`, which is hot_count to begin with; NR_NO_HOT: no more.
 */
uint32_t nr_hot_before(const struct nr_hot_choice *choice, uint32_t index);
/* The pass is over. */
void nr_hot_chosen(const struct nr_hot_choice *choice);
/* It was found changed, or is asked for again. */
void nr_hot_changed(struct nr_connection *connection, uint32_t index);

#endif
