/*
 * Pairs (memory.c) and the windows on them (windows.c).
 */
#ifndef NR_CLIENT_WINDOWS_H
#define NR_CLIENT_WINDOWS_H

#include "client/client-private.h"
#include "wire/cold.h"

enum nr_ownership { NR_BLOCK_ALLOCATED, NR_BLOCK_MAPPED, NR_BLOCK_FOREIGN };

/* The host's half of an ArrayBuffer. */
struct nr_pair {
  uint8_t *block;
  uint64_t length;
  enum nr_ownership ownership; /* FOREIGN: an external buffer's, the addon's own */
  struct nr_window *cold;      /* its cold windows */
  bool tracked; /* one of its windows is: two could share a page, and each takes the news from the other */
};

/* The part of a pair that a view shows. Hot: in channel->windows, above those of outer entries; cold: in channel->cold
 * and in its pair's list. */
struct nr_window {
  struct nr_cold_item item;
  struct nr_window *next;
  struct nr_pair *pair; /* NULL: it is gone, only the place in the list is left */
  nr_id pair_id;
  uint64_t offset;
  uint64_t length;
  bool tracked;   /* the kernel knows which pages were written since it was last compared */
  uint8_t twin[]; /* what the server has */
};

/* Copies out of the block; false: the addon has taken the right to read it away. */
bool nr_block_read(const struct nr_pair *pair, uint64_t offset, uint8_t *to, uint64_t length);

/* The view's window is hot until the entry returns. */
bool nr_window_heat(struct nr_channel *channel, struct nr_pair *pair, const Nr__View *view);
/* The server has these bytes now: the twins of all windows that show them say so. */
void nr_windows_note(struct nr_channel *channel, const struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                     uint64_t length);
/* Puts what JavaScript wrote where only it did. False: no window shows these bytes. */
bool nr_windows_merge(struct nr_channel *channel, struct nr_pair *pair, uint64_t offset, const uint8_t *bytes,
                      uint64_t length);
/* The pair is about to go. */
void nr_windows_forget(struct nr_channel *channel, struct nr_pair *pair);

#endif
