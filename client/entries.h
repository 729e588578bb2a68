/*
 * What the server enters for (entries.c): load, init, invoke, finalize, cleanup_hook, exit; and what it posts.
 */
#ifndef NR_CLIENT_ENTRIES_H
#define NR_CLIENT_ENTRIES_H

#include "client/client-private.h"

#define NR_SERVED_SLICES 2

/* What an entry came to. */
struct nr_served {
  napi_env env; /* in whose name its memory goes back; NULL: the channel's */
  napi_status status;
  union {
    ProtobufCMessage base;
    Nr__LoadReply load;
    Nr__ReturnReply returned;
    Nr__Empty empty;
  } reply;
  struct nr_slice tail[NR_SERVED_SLICES];
  uint32_t tail_count;
};

/* Runs the entry of `frame`; fills `served`. */
void nr_entry_serve(struct nr_channel *channel, struct nr_entry *entry, const struct nr_frame *frame,
                    struct nr_served *served);
/* Carries out a POST of the server. */
void nr_entry_post(struct nr_channel *channel, const struct nr_frame *frame);

#endif
