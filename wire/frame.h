/*
 * Frames: the unit in which the two processes talk. A frame is a header of 32 bytes, one protobuf message (which
 * one the opcode says) and a raw tail for strings and bytes, which begins at a multiple of 8 bytes behind the header.
 * Frames start on cache lines.
 */
#ifndef NR_WIRE_FRAME_H
#define NR_WIRE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "wire/value.h"

#define NR_CACHE_LINE 64u

enum nr_kind {
  NR_KIND_CALL = 1,     /* host to server: a Node-API call that waits for NR_KIND_REPLY */
  NR_KIND_REPLY = 2,    /* server to host: answers the CALL on top of the stack */
  NR_KIND_POST = 3,     /* either way: nothing answers it */
  NR_KIND_ENTER = 4,    /* server to host: run addon code; waits for NR_KIND_RETURN */
  NR_KIND_RETURN = 5,   /* host to server: answers the ENTER on top of the stack */
  NR_KIND_CONTINUE = 6, /* more bytes of the frame before, which was larger than one piece */
};

enum nr_flag {
  NR_FLAG_EXCEPTION = 1, /* REPLY: an exception is pending in the env of this frame */
  NR_FLAG_PLAIN =
      2, /* ENTER, REPLY: Object.prototype and Array.prototype are as they were made, see docs/protocol.md */
  NR_FLAG_FOLLOWS = 4, /* ENTER, REPLY: whether that holds is told behind the frame, nr_port_tell() */
  /* RETURN: the state of the host's loop. */
  NR_FLAG_ALIVE = 4,   /* it would keep a program running */
  NR_FLAG_TURNS = 8,   /* it wants to turn with every turn of Node's loop, behind what Node polls for */
  NR_FLAG_BEFORE = 16, /* ... before Node polls */
  NR_FLAG_SPINS = 32,  /* ... before that, and Node's loop must not sleep meanwhile */
  NR_FLAG_CLOSES = 64, /* handles of it are to be closed at the end of this turn of Node's loop */
  NR_FLAG_LAST = 128,  /* ENTER: the thread's envs end, no JavaScript runs any more */
  NR_FLAG_LOOKED = 1,  /* RETURN of a callback: what an argument wraps was asked for */
};
#define NR_LOOP_STATE (NR_FLAG_ALIVE | NR_FLAG_TURNS | NR_FLAG_BEFORE | NR_FLAG_SPINS | NR_FLAG_CLOSES)

/*
 * `commit` is written last, with release order: it is zero until the whole frame is in place, then the number of cache
 * lines that the frame takes. The writer zeroes the commit word behind a frame before it commits the frame.
 * `message_length` and `tail_length` are the whole frame's, also when the rest follows in NR_KIND_CONTINUE
 * frames (whose own `message_length` is the length of their piece).
 */
struct nr_frame_header {
  uint32_t commit;
  uint32_t message_length;
  uint32_t tail_length;
  uint32_t env;      /* which env of the channel, 0: the channel itself */
  uint32_t sequence; /* CALL and ENTER count up, each side its own; REPLY and RETURN repeat theirs */
  uint16_t opcode;   /* enum nr_opcode, generated from proto/napi.proto */
  uint16_t depth;    /* how many CALLs and ENTERs are open below this one */
  uint16_t status;   /* REPLY and RETURN: a napi_status */
  uint8_t kind;
  uint8_t flags;
  uint32_t reserved; /* zero */
};
_Static_assert(sizeof(struct nr_frame_header) == 32, "the header is half a cache line");

/* A received frame: a private copy, its bytes in the arena that it was received into. */
struct nr_frame {
  struct nr_frame_header header;
  const uint8_t *message;
  const uint8_t *tail;
};

/* A piece of the tail to send. */
struct nr_slice {
  const void *data;
  size_t length;
};

/* The bytes of a span, or NULL when it does not lie within the frame's tail (or is NR_SPAN_NULL). */
const uint8_t *nr_frame_bytes(const struct nr_frame *frame, nr_span span);

/* "call", "reply" …; "kind 9" never: unknown kinds are "unknown". */
const char *nr_kind_name(unsigned kind);

#endif
