/*
 * Resizable ArrayBuffers that have become shorter than what is tracked of them. What was written behind their end the
 * kernel tells of, and forgets, while nobody can see it: that is compared when they have grown again.
 */
#include "handlers.h"
#include "server/memory/memory.h"

bool nr_cut_note(struct nr_agent *agent, struct nr_pair *pair) {
  uint64_t now;
  if (nr_pair_now(pair, &now) == NULL) return false;
  if (now >= pair->tracked.to) return true;
  if (!pair->is_cut) {
    pair->next_cut = agent->cut;
    agent->cut = pair;
    pair->is_cut = true;
    pair->cut_at = now;
  }
  if (now < pair->cut_at) pair->cut_at = now;
  return true;
}

void nr_cut_forget(struct nr_agent *agent, struct nr_pair *pair) {
  if (!pair->is_cut) return;
  struct nr_pair **link = &agent->cut;
  while (*link != pair) link = &(*link)->next_cut;
  *link = pair->next_cut;
  pair->is_cut = false;
}

/* True: it still is shorter. */
static bool look_at(struct nr_pair *pair) {
  uint64_t now;
  uint8_t *bytes = nr_pair_now(pair, &now);
  if (bytes == NULL) return false;
  uint64_t from = pair->cut_at > pair->tracked.from ? pair->cut_at : pair->tracked.from;
  uint64_t to = now < pair->tracked.to ? now : pair->tracked.to;
  if (from < to) {
    nr_window_written(pair->connection, pair, bytes, from, to);
    nr_window_touch(pair->connection, pair, bytes, from, to);
  }
  pair->cut_at = now;
  return now < pair->tracked.to;
}

void nr_cut_look(struct nr_agent *agent) {
  napi_handle_scope scope;
  if (agent->cut == NULL || napi_open_handle_scope(agent->napi, &scope) != napi_ok) return;
  for (struct nr_pair **link = &agent->cut, *pair; (pair = *link) != NULL;) {
    if (look_at(pair)) {
      link = &pair->next_cut;
    } else {
      *link = pair->next_cut;
      pair->is_cut = false;
    }
  }
  napi_close_handle_scope(agent->napi, scope);
}
