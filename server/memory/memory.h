/*
 * Pairs (memory.c), what of them is known to the host and how it is kept up to date (windows.c, tracking.c), and memory
 * that is the addon's own (foreign.c).
 */
#ifndef NR_SERVER_MEMORY_H
#define NR_SERVER_MEMORY_H

#include "server/memory/blocks.h"
#include "server/server-private.h"
#include "wire/cold.h"
#include "wire/frame.h"
#include "wire/track.h"

static inline uint64_t nr_least(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}
static inline uint64_t nr_most(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

#define NR_NO_HOT UINT32_MAX
/* What finding a pair's bytes costs besides comparing them, as bytes. */
#define NR_COMPARISON 1024u
enum nr_host_tracks {
  NR_HOST_SILENT, /* no */
  NR_HOST_ASKED,  /* it will, but what was written before is not known: all is compared once more */
  NR_HOST_TRACKS,
};

/* An ArrayBuffer of which the host has a half. What each visit of a cold one looks at comes first, in two cache lines
 * (a program that passes fresh Buffers has thousands until they are collected). */
struct nr_pair {
  _Alignas(NR_CACHE_LINE) struct nr_cold_item item;
  struct nr_block block;
  struct nr_range *shown; /* the parts that the host has got to know: sorted, apart */
  uint32_t shown_count;
  uint32_t shown_room;
  struct nr_range first_shown;     /* where they are as long as there is one, as a rule */
  enum nr_host_tracks host_tracks; /* does the host tell what native code wrote in the tracked part? */
  bool shared;                     /* a SharedArrayBuffer's */
  bool foreign;                    /* the host's half is at `address`, the addon's own memory */
  bool owned;                      /* ... and the real bytes are this side's: there until nr_memory_disown() */
  bool host_together;              /* ... and is watched there with others, or about to be */
  bool host_counts;                /* ... and may be watched at all (nr_host_watch()) */
  bool own_tracks;                 /* this kernel is asked what JavaScript wrote in the tracked part */
  bool large;                      /* in the list of those that are worth tracking, or would be */
  bool compared;                   /* it was to be tracked, but is compared with each call: there is little */
  bool fills;                      /* part by part: it may be one of Node's pools of small Buffers */
  uint8_t parts;                   /* ... so many, up to where that is taken to be */
  uint8_t age;                     /* collections that it has survived, up to NR_OLD */
  struct nr_connection *connection;
  napi_ref reference; /* weak, of the ArrayBuffer */
  napi_env napi;      /* of the reference: the agent's */
  void *bytes;        /* the address that it is indexed by */
  uint64_t length;    /* that it may come to have */
  uint32_t hot;       /* the innermost hot window on it: an index; NR_NO_HOT: none */
  bool told;          /* the host knows where its half is */
  bool untracked;     /* one of the sides cannot tell what was written, or not for sure */
  /* How often most of what is tracked was found written, one time after the other, by JavaScript and by native code. */
  uint8_t rewritten, host_rewritten;
  struct nr_range tracked; /* the part of which the kernel knows what JavaScript wrote; to == 0: none */
  struct nr_range born;    /* the part that both sides map: nothing is copied there; to == 0: none */
  nr_id id;
  uint64_t now;              /* the length that it had when it was seen last */
  uint64_t address;          /* in the host, of a foreign one */
  const uint8_t *ahead;      /* what the host has of what is shown, as of this pass; NULL: not read yet */
  struct nr_pair *next;      /* in the index; of those that are free */
  uint64_t made;             /* what it counts towards what its host has made */
  struct nr_range *constant; /* of an external buffer: parts that nobody can write */
  size_t constant_count;
  uint64_t touched;     /* bytes that the host told of in this entry */
  uint64_t written;     /* bytes that JavaScript was found to have written, */
  uint32_t asked;       /* ... when the kernel was asked that often */
  uint32_t taken;       /* ... and native code to have, when it had been asked that often */
  uint32_t alarmed;     /* the same of something else on its pages, */
  uint32_t alarms;      /* ... so often lately: NR_ALARM each, less the questions since */
  uint32_t noisy;       /* too often: so many bytes are compared instead, until nr_noise_forgive(); 0: none */
  uint32_t heard;       /* the same of something else on the host's pages, after so many turns, */
  uint32_t host_alarms; /* ... so often lately */
  uint32_t beside;      /* too often: so many bytes are compared there; 0: none */
  bool host_waits;      /* ... of which it has not been told yet */
  uint64_t slice_at;    /* where the next slice begins */
  uint32_t sparse_at;   /* its place in the list of those of which little may be there (sparse.c); 0: it is none */
  uint32_t sparse_rest; /* so often it is left out */
  struct nr_mirror_window *window; /* that its bytes are; NULL: they are none */
  long sparse_mark;                /* when the kernel was asked last what has come to be there (sparse.c); -1: never */
  uint64_t cut_at;                 /* the length that it was cut to (cut.c) */
  struct nr_pair *next_cut;
  bool is_cut;            /* it is in the agent's list of those */
  struct nr_pair *ending; /* the next of those that are not to be tracked any more; itself: the last; NULL: none */
};

/* The part of a pair that an open entry has seen. */
struct nr_hot {
  struct nr_pair *pair; /* NULL: it is gone, only the place in the list is left */
  uint64_t from, to;
  uint32_t below; /* the next outer one on the same pair */
  uint32_t pass;  /* that has visited it */
  uint32_t quiet; /* visits since it was last found changed */
  uint32_t sent;  /* the number of nr_memory_send() before which, or in which, it went over */
  bool held;      /* an argument's: it lives as long as the entry, and only JavaScript could detach it */
};

/* The list for its kind, where those wait that are not worth tracking. */
static inline const struct nr_cold *nr_cold_kind(const struct nr_connection *connection, const struct nr_pair *pair) {
  if (pair->foreign) return &connection->cold_foreign;
  return pair->fills ? &connection->cold_pools : &connection->cold;
}

/* The list that the pair is in while it is cold. */
static inline struct nr_cold *nr_cold_of(struct nr_connection *connection, const struct nr_pair *pair) {
  return pair->large ? &connection->cold_large : (struct nr_cold *)nr_cold_kind(connection, pair);
}

/* ---- pair_index.c -------------------------------------------------------------------------------------------------
 */

struct nr_pair_index *nr_pair_index_create(void);
void nr_pair_index_destroy(struct nr_pair_index *index);
void nr_pair_index_add(struct nr_pair_index *index, struct nr_pair *pair);
void nr_pair_index_remove(struct nr_pair_index *index, struct nr_pair *pair);
/* Those whose bytes may be there: the first of a chain of `next`. */
struct nr_pair *nr_pair_index_first(const struct nr_pair_index *index, const void *bytes);
uint32_t nr_pair_index_count(const struct nr_pair_index *index);
/* `visit` may remove the pair that it is called with. */
void nr_pair_index_each(struct nr_pair_index *index, void (*visit)(struct nr_pair *pair, void *context), void *context);
/* About `count` of them, those whose turn it is. */
void nr_pair_index_some(struct nr_pair_index *index, uint32_t count, void (*visit)(struct nr_pair *pair, void *context),
                        void *context);

/* ---- collected.c --------------------------------------------------------------------------------------------------
 */

/* Zeros; NULL without memory. */
struct nr_pair *nr_pair_create(struct nr_connection *connection);
/* What it points to is the caller's. */
void nr_pair_free(struct nr_connection *connection, struct nr_pair *pair);
/* The pair has a weak reference to its ArrayBuffer from now on, and goes some time after that. False: without memory.
 */
bool nr_pair_watch(struct nr_connection *connection, struct nr_pair *pair, napi_value buffer);
/* Frees the pair: its bytes are about to go. Not in a collection. */
void nr_pair_drop(struct nr_connection *connection, struct nr_pair *pair);
/* Frees the pair if its ArrayBuffer is gone. Not in a collection. */
bool nr_pair_forget_dead(struct nr_connection *connection, struct nr_pair *pair);
/* Another pair is about to be made: frees dead ones when there are many. */
void nr_pairs_before_more(struct nr_connection *connection);
/* Now and then: was there a collection? Then dead ones are freed, of all connections. */
void nr_pairs_look(struct nr_connection *connection);

/* ---- memory.c -----------------------------------------------------------------------------------------------------
 */

/* The memory of an external buffer is about to go. */
void nr_memory_disown(struct nr_connection *connection, const void *bytes);
/* Where the bytes of the pair's ArrayBuffer are, those from `from` on; *to is brought down to what is there of them (it
 * may have been resized). NULL: it is gone or detached, or there are none. */
uint8_t *nr_pair_part(const struct nr_pair *pair, uint64_t from, uint64_t *to);
/* The bytes, and how many there are at present; NULL: detached, or gone. Makes handles as well. */
uint8_t *nr_pair_now(const struct nr_pair *pair, uint64_t *length);

/* Parts that lie closer are one: small Buffers of Node's pool begin at multiples of this, so nothing lies in between.
 * Not of external buffers. */
#define NR_SHOWN_GAP 8u

/* ---- shown.c: all with `bytes`, where those of the ArrayBuffer are now ------------------------------------------- */

/* The host gets bytes that it did not know. */
void nr_shown_copy(struct nr_pair *pair, const uint8_t *bytes, uint64_t from, uint64_t to);
/* Adds a part, all of whose bytes the host has. Parts that touch become one. False: out of memory. */
bool nr_shown_add(struct nr_pair *pair, const uint8_t *bytes, uint64_t from, uint64_t to);
bool nr_shown_has(const struct nr_pair *pair, uint64_t from, uint64_t to);
/* How much it is. */
uint64_t nr_shown_bytes(const struct nr_pair *pair);

/* ---- slices.c -----------------------------------------------------------------------------------------------------
 */

/* Nominally a gigabyte, with all such ones two megabytes or more of it there, and some of that constant: it is the heap
 * and the libraries behind a pointer, of which somebody may want the beginning. That is looked at each time, and a
 * slice of the rest. (Two dozen of them, which ffi-napi makes, a megabyte each, added 2 ms to a call, twice.) */
#define NR_SLICED (UINT64_C(2) << 20)
#define NR_SLICE_HEAD (UINT64_C(64) << 10)
#define NR_SLICE (UINT64_C(32) << 10)
bool nr_window_is_sliced(const struct nr_connection *connection, const struct nr_pair *pair);
/* The slice whose turn it is. */
struct nr_range nr_window_slice(const struct nr_pair *pair);
/* What looking at a cold one costs, as bytes to compare. */
uint32_t nr_window_cost(const struct nr_connection *connection, const struct nr_pair *pair);

/* ---- windows.c: most with `bytes`, where those of the ArrayBuffer are now -----------------------------------------
 */

/* The host gets to know this part, and sees what JavaScript has written there; until the entry returns it is hot.
 * False: out of memory. */
bool nr_window_show(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to,
                    bool held);
/* The host has got to know this part in another way: both halves and the twin are alike there. */
bool nr_window_known(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to);
/* What JavaScript has touched of this part of a sparse one, and the host does not know yet, goes over. How much is
 * there, in ranges. */
uint32_t nr_window_seek(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to);
/* All that the host knows of it is hot until the entry returns. */
void nr_window_warm(struct nr_connection *connection, struct nr_pair *pair);
/* Into the list in which its kind waits to be looked at, unless the kernel tells of all of it. It is in none. */
void nr_window_chill(struct nr_connection *connection, struct nr_pair *pair);
/* It may not be tracked any more: what is not hot of it is looked at from now on. */
void nr_window_cool(struct nr_connection *connection, struct nr_pair *pair);
/* JavaScript wrote there. True: it did change something. */
bool nr_window_written(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                       uint64_t to);
/* The pair is about to go. In a collection, too. */
void nr_windows_forget(struct nr_connection *connection, struct nr_pair *pair);
/* Copies what one side has written: JavaScript, or native code. True: something was. Not of what is tracked: the kernel
 * tells of that, and the host. */
bool nr_window_send(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                    uint64_t to);
bool nr_window_take(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from, uint64_t to);
/* The same of all of it, tracked or not. */
bool nr_window_send_all(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                        uint64_t to);
bool nr_window_take_all(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                        uint64_t to);

/* The host has told that it wrote here. True: it did change something. */
bool nr_window_touch(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to);

/* ---- noise.c ------------------------------------------------------------------------------------------------------
 */

/* What was found written there is nothing of the pair's. True: that is so often the case that it is compared from now
 * on. */
bool nr_noise_count(struct nr_agent *agent, struct nr_pair *pair, uint64_t from, uint64_t to);
/* The same of what the host has found written: of an external buffer, on the addon's heap. True: it is to be compared
 * there. */
bool nr_noise_hear(struct nr_pair *pair, uint64_t from, uint64_t to);
/* Some may not be noisy there any more. */
void nr_noise_try(struct nr_connection *connection);
/* The pair is about to go. */
void nr_noise_end(struct nr_pair *pair);
/* A collection later: what was written beside it may not be any more. */
void nr_noise_forgive(struct nr_connection *connection, struct nr_pair *pair);

/* ---- tracking.c ---------------------------------------------------------------------------------------------------
 */

/* Smaller parts are compared while they are in use. */
#define NR_TRACKED_MIN NR_BLOCK_PAGED
/* Parts of so many bytes are worth it when they are not in use. */
#define NR_TRACK_WORTH UINT64_C(4096)

/* Does this side's kernel tell of writes? */
bool nr_track_is_there(struct nr_agent *agent);
/* Is it asked before each turn of a host? */
bool nr_track_is_asking(const struct nr_agent *agent);

/* Native code is about to get a part: what it writes there is to be told. Before it is added to what is shown. */
void nr_track_host(struct nr_connection *connection, struct nr_pair *pair, uint64_t from, uint64_t to);
/* The host has told of itself that it tells of this part of an external buffer, as long as that is new. */
void nr_track_foreign(struct nr_connection *connection, struct nr_pair *pair, const struct nr_range *part);
/* What JavaScript writes to the tracked part is to be known from now on. True: it is since now. What other threads of
 * Node's wrote until then has to be found by comparing afterwards. */
bool nr_track_own(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes);
void nr_track_end(struct nr_connection *connection, struct nr_pair *pair);
/* The same, and the pair is about to go. */
void nr_track_forget(struct nr_connection *connection, struct nr_pair *pair);
/* An entry that has seen the pair has returned. */
void nr_track_leave(struct nr_connection *connection, struct nr_pair *pair);
/* Neither side has written it for a while: it is worth tracking, even if it was not lately. */
void nr_track_again(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes);
/* Sends what JavaScript has written of all that is tracked, of all connections: each host may get it at any time, since
 * asking forgets it. whole: not only when something was written lately; scoped: handles may stay in the scope that is
 * open. Returns what it cost, as bytes to compare. */
uint64_t nr_track_send(struct nr_agent *agent, bool whole, bool scoped);
/* From now on all that the host knows of it is tracked on both sides, as far as it can be. True: on this side it was
 * not until now, what JavaScript has written so far is to be found by comparing. */
bool nr_track_all(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes);
/* Is it? Then it need not be looked at. */
bool nr_track_has_all(const struct nr_pair *pair);
/* Is as much of it as can be? Then only the rest need. */
bool nr_track_is_settled(const struct nr_pair *pair);
/* It is compared again, if it is tracked and not worth that any more: it is not held, or will not live long. Not of
 * what is tracked while it is in use. */
void nr_track_ease(struct nr_connection *connection, struct nr_pair *pair);
/* Does the host tell of all that native code writes there? */
bool nr_track_is_told(const struct nr_pair *pair);
/* Tells the host of those that it is to compare from now on, or to watch again. Before it gets the turn. */
void nr_track_beside(struct nr_connection *connection);
/* This side has written to memory of the host's. */
void nr_track_disturb(struct nr_connection *connection);

/* Which pages of the real bytes are there, JavaScript having touched them: nr_tracker_present(). */
int nr_track_present(struct nr_connection *connection, const uint8_t *bytes, uint64_t length,
                     bool (*there)(struct nr_range range, void *context), void *context);

/* ---- sparse.c -----------------------------------------------------------------------------------------------------
 */

/* An external buffer of NR_SPARSE_MIN and more, whose bytes here stay where they are until it is forgotten. */
void nr_sparse_add(struct nr_connection *connection, struct nr_pair *pair);
/* No effect on others. In a collection, too. */
void nr_sparse_forget(struct nr_connection *connection, struct nr_pair *pair);
/* Before the host gets the turn: sends what JavaScript has come to touch. What that cost, as bytes to compare. */
uint64_t nr_sparse_send(struct nr_connection *connection);
/* Nobody has the buffer any more whose window it is. */
void nr_sparse_close(struct nr_connection *connection, struct nr_mirror_window *window);

/* ---- lifetime.c ---------------------------------------------------------------------------------------------------
 */

/* Is it taken that small ones, and what native code makes, will soon be gone? */
bool nr_lifetime_is_short(const struct nr_connection *connection);
/* What a collection has shown of pairs that had seen none before. */
void nr_lifetime_learn(struct nr_connection *connection, uint32_t dead, uint32_t alive);
/* One has become old where others die: it is looked at every time, as long as there are few. The kernel would be asked
 * about the page that it shares with those that come and go: 16 of 200 bytes added 25 us to a work of snappy's. */
void nr_lifetime_survived(struct nr_connection *connection, struct nr_pair *pair);
/* One whose turn came has been found written: it is in use, and so may be others. */
void nr_lifetime_doubt(struct nr_connection *connection, const struct nr_pair *pair);
/* An entry is over. is_new: it has brought pairs. */
void nr_lifetime_count(struct nr_connection *connection, bool is_new);

/* ---- worth.c ------------------------------------------------------------------------------------------------------
 */

/* One may be in use just now. */
#define NR_OLD 2u
/* Entries that bring no new pair, after which even those are worth tracking that will not live long by experience; */
#define NR_CALM 4u
/* ... what native code has made, which may be results, dead before the next collection; */
#define NR_CALM_MADE 16u
/* ... large external buffers that are watched by themselves, as long as nobody knows whether they live; */
#define NR_CALM_FOREIGN 2u
/* ... and small ones. */
#define NR_CALM_SMALL 64u
/* ... and those that fill: calls that bring no new part of one. */
#define NR_STILL 16u
/* May small ones of so much more be left in this list, to be compared in each pass, for long? */
bool nr_track_has_room(const struct nr_connection *connection, const struct nr_cold *cold, uint32_t cost);
/* Is it small enough to be compared with each call after all, together with all others that are, and is the kernel not
 * asked anyway? */
bool nr_track_may_compare(const struct nr_connection *connection, const struct nr_pair *pair);
/* Is it worth tracking, and can it be? */
bool nr_track_is_worth(const struct nr_connection *connection, const struct nr_pair *pair);

/* ---- birth.c ------------------------------------------------------------------------------------------------------
 */

#define NR_BIRTH_CHUNKS 32u
/* On the stack, from begin to end. */
struct nr_birth {
  uint64_t length;
  void *chunks[NR_BIRTH_CHUNKS]; /* of malloc()'s heap, which it shall not give to others now */
  uint32_t count;
  bool begun;
};
/* Before and after the real function makes a Buffer or ArrayBuffer of so many bytes. False: it cannot be shared. */
bool nr_birth_begin(struct nr_birth *birth, uint64_t length);
void nr_birth_end(struct nr_birth *birth);
/* Has the host map the pages `inner` of memory that has just been made; what is left at both ends, the host has. zeros:
 * the bytes are, and stay so. False: nothing has changed. */
bool nr_birth_share(struct nr_connection *connection, uint8_t *bytes, uint64_t length, bool zeros,
                    struct nr_block *block, struct nr_range *inner);

/* ---- ahead.c ------------------------------------------------------------------------------------------------------
 */

/* The pair is about to be looked at, for what native code wrote. No effect on most. */
void nr_ahead_add(struct nr_connection *connection, struct nr_pair *pair);
/* Reads all that were added; nr_ahead_end() after the pass. */
void nr_ahead_read(struct nr_connection *connection);
void nr_ahead_end(struct nr_connection *connection);

/* ---- foreign.c ----------------------------------------------------------------------------------------------------
 */

/* Copies between this process and memory of the host. False: not all of it is there, or may be read. */
bool nr_foreign_read(struct nr_connection *connection, uint64_t address, void *to, uint64_t length);
/* As nr_merge() between the real bytes and the addon's memory. */
bool nr_foreign_send(struct nr_connection *connection, struct nr_pair *pair, const uint8_t *bytes, uint64_t from,
                     uint64_t to);
bool nr_foreign_take(struct nr_connection *connection, struct nr_pair *pair, uint8_t *bytes, uint64_t from,
                     uint64_t to);
/* These parts of it stay as they are: what is nowhere else shown of them need not be compared. */
void nr_constant_set(struct nr_pair *pair, const struct nr_range *ranges, size_t count);
/* Cuts off the front of [from, to) what is constant: the next part that is not; false: there is none. */
bool nr_constant_skip(const struct nr_pair *pair, uint64_t *from, uint64_t to, struct nr_range *part);

/* ---- cut.c --------------------------------------------------------------------------------------------------------
 */

/* What is tracked of it may end behind its end. False: it has no bytes any more. Makes handles. */
bool nr_cut_note(struct nr_agent *agent, struct nr_pair *pair);
void nr_cut_forget(struct nr_agent *agent, struct nr_pair *pair);
/* Compares what has come back of those, both ways. */
void nr_cut_look(struct nr_agent *agent);

#endif
