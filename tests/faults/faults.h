/*
 * A host that fails on purpose: napi-remote-host with its nr_port_send() wrapped by the linker. The test names a file
 * that both map (struct nr_plan); at the frame that it names, this host does what it names.
 */
#ifndef NR_TESTS_FAULTS_H
#define NR_TESTS_FAULTS_H

#include "wire/wire-private.h"

/* tests/faults/plan.js has the same names in the same order. */
enum nr_mode {
  NR_MODE_NONE,
  /* Ends, before the frame, behind it, or with a part of it in the ring. */
  NR_MODE_EXIT,
  NR_MODE_KILL,
  NR_MODE_SEGV,
  NR_MODE_ABORT,
  NR_MODE_EXIT_BEHIND,
  NR_MODE_KILL_BEHIND,
  NR_MODE_EXIT_UNCOMMITTED,
  NR_MODE_KILL_PARTWAY, /* of a frame of several pieces */
  /* Stands still. */
  NR_MODE_HANG,
  NR_MODE_HANG_BEHIND,
  NR_MODE_STOP,
  NR_MODE_LOSE,    /* the frame, and goes on */
  NR_MODE_ENDLESS, /* frames that are right, without end */
  /* Lies in the header. */
  NR_MODE_KIND,
  NR_MODE_OPCODE,
  NR_MODE_DEPTH,
  NR_MODE_SEQUENCE,
  NR_MODE_ENV,
  NR_MODE_FLAGS,
  NR_MODE_STATUS,
  NR_MODE_RESERVED,
  NR_MODE_COMMIT,
  NR_MODE_LENGTHS,
  NR_MODE_CLAIM, /* of bytes that never come */
  /* Lies in the message and the tail. */
  NR_MODE_SHORT,
  NR_MODE_LONG,
  NR_MODE_BITS,
  NR_MODE_TAIL,
  NR_MODE_NONSENSE, /* values that are none */
  NR_MODE_VALUE,
  NR_MODE_ID,
  NR_MODE_SPAN,
  NR_MODE_NUMBER,
  /* Frames that are not due. */
  NR_MODE_TWICE,
  NR_MODE_UNASKED,
  NR_MODE_NOISE,
  NR_MODE_FLOOD,
  /* Lies beside the frames. */
  NR_MODE_READ_INDEX,
  NR_MODE_SLEEPING,
  NR_MODE_CONTROL,
  NR_MODE_SCRIBBLE,
  NR_MODE_DOORBELL,
  /* What is left for the report is garbage, with or without a crash that is handled. */
  NR_MODE_RECORDER_KILL,
  NR_MODE_RECORDER_SEGV,
  /* At the Nth message on the control socket, the first of which is the answer to the handshake. */
  NR_MODE_SOCKET_EXIT,
  NR_MODE_SOCKET_EXIT_BEHIND,
  NR_MODE_SOCKET_HANG,
  NR_MODE_SOCKET_STOP,
  NR_MODE_SOCKET_LOSE,
  NR_MODE_SOCKET_GARBAGE,
  NR_MODE_SOCKET_LARGE,
  NR_MODE_SOCKET_TWICE,
  NR_MODE_SOCKET_NUMBERS, /* of the message: protocol, pid, thread, error */
  NR_MODE_SOCKET_NO_MEMORY,
  NR_MODE_SOCKET_MANY_FDS,
  NR_MODE_SOCKET_WRONG_FD, /* no memfd, or one that is too small or can shrink */
  NR_MODE_COUNT
};

/* In a file that the test and this host map. */
struct nr_plan {
  uint32_t mode;
  uint32_t frame; /* or message on the socket: the first is 1; counted over all threads of the host */
  uint32_t seed;
  /* out */
  uint32_t sent;
  uint64_t fired_ns; /* CLOCK_MONOTONIC; 0: not yet */
  uint32_t opcode;   /* of the frame at which it did it */
  uint32_t kind;
};

/* NULL: there is none. */
extern struct nr_plan *nr_plan;
/* Is this the moment for it? */
bool nr_plan_is_due(bool socket);

/* A frame that is about to be sent. */
struct nr_outgoing {
  struct nr_port *port;
  struct nr_frame_header header;
  const ProtobufCMessage *message;
  const struct nr_slice *tail;
  size_t tail_count;
  uint32_t seed;
};

int __real_nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                        const struct nr_slice *tail, size_t tail_count);
/* As it is. */
int nr_send(const struct nr_outgoing *frame);
/* The next of the plan's random numbers. */
uint32_t nr_random(struct nr_outgoing *frame);
uint64_t nr_random_wide(struct nr_outgoing *frame);
/* A number that is likely to be wrong in a place that has `right`. */
uint64_t nr_wrong_number(struct nr_outgoing *frame, uint64_t right);

/* header.c, content.c, beside.c: sends the frame with that lie. */
int nr_lie_in_header(struct nr_outgoing *frame, enum nr_mode mode);
int nr_lie_in_content(struct nr_outgoing *frame, enum nr_mode mode);
int nr_lie_beside(struct nr_outgoing *frame, enum nr_mode mode);
/* socket.c: ends, with noise in the recorder. */
_Noreturn void nr_spoil_recorder(struct nr_outgoing *frame, enum nr_mode mode);
/* record.c: writes the frame down, if that is wanted. */
void nr_record(const struct nr_outgoing *frame);
/* Puts bytes of whatever sort where the next frame goes: header (its commit word included), payload, and so many lines
 * of it. */
int nr_send_raw(struct nr_outgoing *frame, const struct nr_frame_header *header, const void *payload, size_t length);

/* The other side's memory, as it came (beside.c notes it). */
extern int nr_peer_memfd;

#endif
