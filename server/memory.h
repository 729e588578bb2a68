/*
 * Pairs (memory.c) and the windows on them (windows.c).
 */
#ifndef NR_SERVER_MEMORY_H
#define NR_SERVER_MEMORY_H

#include "server/server-private.h"
#include "wire/cold.h"

/* An ArrayBuffer of which the host has a copy. */
struct nr_pair {
  nr_id id;
  void *bytes; /* the address that it is indexed by */
  uint64_t length;
  bool shared;                      /* a SharedArrayBuffer, of which this much is known */
  napi_ref reference;               /* weak, of the ArrayBuffer */
  napi_env napi;                    /* of the reference */
  struct nr_connection *connection; /* counted by the finalizer */
  struct nr_pair *next;             /* in its bucket */
  struct nr_window *cold;           /* its cold windows */
  bool tracked;                     /* one of its windows is: two could share a page */
};

/* The part of an ArrayBuffer that the host got to know. Hot: in connection->windows while the entry lasts; cold: in
 * connection->cold and in its pair's list. */
struct nr_window {
  struct nr_cold_item item;
  struct nr_window *next;
  struct nr_pair *pair; /* NULL: it is gone, only the place in the list is left */
  uint64_t offset;
  uint64_t length;
  uint8_t *twin;  /* what the host has; NULL: not taken, or tracked */
  bool tracked;   /* the kernel knows which of its whole pages were written since they last went over */
  uint8_t *edges; /* tracked: what the host has of the pages that are not whole, and may belong to others as well */
};

struct nr_pair_index *nr_pair_index_create(void);
/* The bytes of a pair's ArrayBuffer now; NULL when it is gone, detached, or shorter than the window. */
uint8_t *nr_pair_bytes(napi_env napi, const struct nr_pair *pair, uint64_t offset, uint64_t length);

void nr_window_heat(struct nr_connection *connection, struct nr_pair *pair, uint64_t offset, uint64_t length);
/* Makes a window that is tracked hot, after what changed has gone ahead: the host then has its bytes. False: there is
 * none like this. */
bool nr_window_renew(struct nr_connection *connection, struct nr_pair *pair, uint64_t offset, uint64_t length);
/* The pair is about to go. */
void nr_windows_forget(struct nr_connection *connection, struct nr_pair *pair);

/* Bytes for the tail of what is being described; NR_SPAN_NULL when there is no room. They must live until it is sent.
 */
nr_span nr_describe_bytes(struct nr_describe *describe, const void *bytes, size_t length);

#endif
