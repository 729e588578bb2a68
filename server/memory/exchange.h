/*
 * Bytes that both sides have, as the rest of the server sees them (memory.c): views are described to the host, and what
 * one side has written goes over at each turn.
 */
#ifndef NR_SERVER_EXCHANGE_H
#define NR_SERVER_EXCHANGE_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "napi.pb-c.h"

struct nr_agent;
struct nr_mirror_window;
struct nr_connection;
struct nr_range;

/* Fills `view` for an ArrayBuffer, typed array or DataView, whose bytes the host gets to know: they stay up to date
 * from then on, unless the value shows more than `most`. held: it lives as long as the entry. False: it is none of
 * these. */
bool nr_memory_describe(struct nr_connection *connection, napi_env napi, napi_value value, bool held, uint64_t most,
                        Nr__View *view);
/* May the host have so many bytes more? All that it has made lives in this process: not more than the machine has. */
bool nr_memory_fits(const struct nr_connection *connection, uint64_t length);
/* The same for a Buffer or ArrayBuffer that has just been made for the host. shareable: between nr_birth_begin() and
 * nr_birth_end(). zeros: its bytes are zeros; otherwise they are Node's old memory, which the host does not see. */
bool nr_memory_describe_made(struct nr_connection *connection, napi_env napi, napi_value value, bool shareable,
                             bool zeros, Nr__View *view);
/* The parts of an external buffer that are there: those that may change come first. */
struct nr_parts {
  const struct nr_range *ranges;
  size_t count;
  size_t changing;
  bool shares;                     /* not all of it is there, and others may show some of it */
  struct nr_mirror_window *window; /* which the real one is; NULL: it is none */
};
/* The same for an external buffer of which the host's half is the addon's own memory: these parts of it are there, and
 * have been copied to the real one. owned: that is memory of this side's. tracked: the part of which the host tells
 * what native code writes. */
bool nr_memory_describe_foreign(struct nr_connection *connection, napi_env napi, napi_value value, bool owned,
                                uint64_t address, const struct nr_range *tracked, const struct nr_parts *parts,
                                Nr__View *view);
/* Native code holds a reference, or no more: it will use the address, perhaps from another thread. Its pair is looked
 * at before others. False: it has none. */
bool nr_memory_hold(struct nr_connection *connection, napi_env napi, napi_value value, bool holds);
/* Native code takes it up again, or lets it go: what it did to the bytes meanwhile is to be seen at once, as if it had
 * asked for them in this entry. */
void nr_memory_warm(struct nr_connection *connection, napi_env napi, napi_value value);
/* Arguments of a call of JavaScript: their bytes are to be right, and looked at again afterwards, however much else
 * there is. */
void nr_memory_give(struct nr_connection *connection, napi_env napi, const napi_value *values, size_t count);
/* Before the host gets the turn: what JavaScript has written goes over. turn: it had the turn as such; otherwise it
 * only might have, and soon only what is hot or known to change goes (wire/turns.h). scoped: the handle scope that is
 * open ends with the entry, so handles may stay in it. */
void nr_memory_send(struct nr_connection *connection, bool turn, bool scoped);
/* Before JavaScript gets it: what native code has written comes back. `hot`: what was seen since there were so many is
 * taken in any case; hot_count in the middle of an entry. */
void nr_memory_take(struct nr_connection *connection, bool turn, uint32_t hot);
/* After that, when the program has had a turn: what does it do, and so what is worth tracking? A hundred works that
 * complete bring nothing new, each in several turns, and are no hundred calls that brought nothing. */
void nr_memory_settle(struct nr_connection *connection);
/* What was seen since there were so many is not hot any more. */
void nr_memory_leave(struct nr_connection *connection, uint32_t hot);
void nr_memory_end(struct nr_connection *connection);
/* The host is dead, or the env is about to end: no pair is looked at any more. references: those of the pairs can be
 * deleted; not in a collection. */
void nr_pairs_drop(struct nr_connection *connection, bool references);
/* JavaScript's: there was a collection (server/lib/collections.js). */
napi_value nr_pairs_collected(napi_env napi, napi_callback_info info);

#endif
