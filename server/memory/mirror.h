/*
 * What large external buffers show of the host's memory, those that are larger than what is there of them
 * (NR_SPARSE_MIN), and not the addon's own as a whole. As a rule such a buffer begins at some pointer and ends nowhere,
 * so most overlap: each is a window on one and the same copy, in a file of this process alone where what the host has
 * at an address is at that place. So JavaScript sees through one what it has written through another, as in one
 * process, and a hundred take no more memory than one (ffi-napi makes one for each pointer that it sees: 20 MB each,
 * before). How many blocks the file has tells whether anything has come to be there, as when JavaScript touches it.
 * Belongs to the agent's thread.
 */
#ifndef NR_SERVER_MIRROR_H
#define NR_SERVER_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/track.h"

/* All zeros: none. Belongs to whoever has the buffer, and stays where it is. */
struct nr_mirror_window {
  uint8_t *bytes;        /* what JavaScript sees; NULL: it is closed */
  uint8_t *twin;         /* as many bytes of the twin of the copy */
  struct nr_range pages; /* the host's addresses, in whole pages */
  size_t place;
};

/* All zeros at first. */
struct nr_mirror {
  bool open;
  bool failed;      /* there can be no more windows */
  int bytes, twins; /* files */
  struct nr_mirror_window **windows;
  size_t count, room;
  uint64_t gone; /* blocks of the first file that were there, and are not */
};

/* A window on so much from that address on. What nobody had a window on is zeros, the twin as well. False: there can be
 * none. */
bool nr_mirror_show(struct nr_mirror *mirror, uint64_t address, uint64_t length, struct nr_mirror_window *window);
/* Closes it, if it is open. Nobody looks through it any more. What no other one shows is forgotten. */
void nr_mirror_close(struct nr_mirror *mirror, struct nr_mirror_window *window);
/* Perhaps nobody looks through it any more: the page tables are let go of. */
void nr_mirror_rest(const struct nr_mirror_window *window);
/* A number that is another one once a page has come to be there, read or written; -1: not known. 0.3 us. */
long nr_mirror_touched(const struct nr_mirror *mirror);
/* Which pages there are, as nr_tracker_present() tells it: ranges of the memory from that address on. */
int nr_mirror_present(const struct nr_mirror *mirror, uint64_t address, uint64_t length,
                      bool (*there)(struct nr_range range, void *context), void *context);
/* Windows that are open stay so. */
void nr_mirror_end(struct nr_mirror *mirror);

#endif
