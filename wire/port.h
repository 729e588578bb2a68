/*
 * One end of a channel: the ring that this side writes, the ring that it reads, and how it waits.
 *
 * Each side owns one sealed memfd: a page of control words (its read index for the other's ring, whether it sleeps) and
 * the ring that it writes. The other side maps it read-only. A port belongs to one thread; only nr_port_fail(),
 * nr_port_failure() and nr_port_wake() may be called from any.
 */
#ifndef NR_WIRE_PORT_H
#define NR_WIRE_PORT_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/arena.h"
#include "wire/frame.h"

struct nr_port;
struct pollfd;

#define NR_RING_SIZE (UINT32_C(1) << 20)
/* A frame's message, and its tail: what is larger is a protocol fault. */
#define NR_MESSAGE_MAX (UINT32_C(64) << 20)
#define NR_TAIL_MAX (UINT32_C(3) << 30)

/*
 * Makes this side's memfd (ring_size: a power of two, at least 64 KiB) and maps it. 0 or a negative errno.
 */
int nr_port_create(struct nr_port **port, uint32_t ring_size);

/* This side's memfd, to be sent to the other. It stays the port's. */
int nr_port_memfd(const struct nr_port *port);
/* The other side has it: the mappings stay, the descriptor goes. */
void nr_port_close_memfd(struct nr_port *port);

/*
 * Maps the other side's memfd (read-only; checks its seals, size and magic: -EPROTO) and takes over this side's end of
 * the doorbells, a stream socket (nr_doorbells_create()), and `knob`, the other end, by which this side rings itself;
 * -1: it is not to have it. All are the port's from here on, also on failure; `peer_memfd` is closed.
 */
int nr_port_connect(struct nr_port *port, int peer_memfd, int doorbell, int knob);

/* The doorbells of the two sides: each polls its own end, and rings the other by writing there. 0 or a negative errno.
 */
int nr_doorbells_create(int *first, int *second);

/* Unmaps and closes all that a port which has failed holds, but keeps the failure: every call goes on returning it. No
 * other thread may use it any more. */
void nr_port_retire(struct nr_port *port);
/* Unmaps and closes everything. */
void nr_port_destroy(struct nr_port *port);

/* This side's doorbell, readable when nr_port_sleep_on_doorbell() was on and the other side sent something, and, where
 * this side has the knob, when the port failed or was woken. */
int nr_port_doorbell(const struct nr_port *port);

/*
 * Sends a frame: header (commit, message_length and tail_length are filled in here), message (NULL: empty), tail
 * pieces. A frame larger than a piece of the ring goes out in several. When the ring is full it waits for the other
 * side, and meanwhile moves what arrives into a private backlog, so that two sides that both send cannot block each
 * other. 0, -EMSGSIZE over the maxima, -ENOTCONN before nr_port_connect(), -ENOMEM for a frame of several pieces
 * (nothing was sent then), or the port's failure. No real Node-API call may be made by the caller between preparing and
 * sending.
 */
int nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                 const struct nr_slice *tail, size_t tail_count);

/* Would a frame of this many bytes of message and tail go out without waiting? */
bool nr_port_has_room(struct nr_port *port, size_t payload);

/*
 * Takes the next frame, if one is there, as a private copy in `arena`: 0, -EAGAIN when there is none, -EPROTO for bytes
 * that are no frame (sticky), -ENOMEM when the arena's cap refuses it (sticky), or the port's failure.
 */
int nr_port_try_receive(struct nr_port *port, struct nr_arena *arena, struct nr_frame *frame);

/*
 * Waits until a frame may be there, the port has failed, or the deadline has passed: spins within what it has learned
 * to pay, then sleeps. 0, -ETIMEDOUT, or the port's failure; wakes without a frame are possible. deadline_ns:
 * CLOCK_MONOTONIC nanoseconds, 0: none.
 */
int nr_port_wait(struct nr_port *port, uint64_t deadline_ns);

/* The moment at which also those waits end that are inside of a frame: for the rest of a large one, and for space in
 * the ring. The port has then failed with ETIMEDOUT, since half a frame is none. 0: none. */
void nr_port_set_deadline(struct nr_port *port, uint64_t deadline_ns);

/*
 * The same, but sleeps in poll(2) on the doorbell and on `extra` descriptors (the host's, which watches its loop as
 * well). 1 when one of those has revents (a frame may be there as well). timeout_ms as in poll(2). At most 15 of them,
 * otherwise -EINVAL.
 */
int nr_port_wait_poll(struct nr_port *port, struct pollfd *extra, unsigned extra_count, int timeout_ms);

/*
 * From now on the other side rings the doorbell (true) when it sends, or need not (false). True returns false when a
 * frame is already waiting or the port has failed: look again before going to sleep. It rings once: when the doorbell
 * has been readable, receive what is there and call this again, which also empties the doorbell. nr_port_wait() and
 * nr_port_wait_poll() end it.
 */
bool nr_port_sleep_on_doorbell(struct nr_port *port, bool on);

/* Makes the other side's doorbell readable, whether it sleeps or not: for its event loop. From any thread. */
void nr_port_ring(struct nr_port *port);
/* Empties this side's doorbell: before looking at what it rang for. One that the other side has shut fails the port. */
void nr_port_hear(struct nr_port *port);

/* A frame may go ahead of what its sender still has to find out, a yes or no: that takes as long as the other side
 * takes the frame apart, if it spins. The answers are numbered by both sides, from 1 on. */
bool nr_port_peer_spins(const struct nr_port *port);
void nr_port_tell(struct nr_port *port, uint32_t number, bool answer);
/* For a side that trusts the other one: there is no end to it, but when the port fails; then it is no. */
bool nr_port_await_answer(struct nr_port *port, uint32_t number);

/* Marks the port failed: 0 < error (an errno: EPIPE the peer is gone, EPROTO …). The first one stays. Wakes a sleeping
 * owner, which then gets -error from every call. From any thread. */
void nr_port_fail(struct nr_port *port, int error);
/* Ends a wait of the owner, the present or else the next one, without a frame. From any thread. */
void nr_port_wake(struct nr_port *port);
/* 0, or the negative errno with which the port failed. */
int nr_port_failure(const struct nr_port *port);

/* Does the other side sleep, and has not been woken? Only a hint: it may say what it likes. */
bool nr_port_peer_sleeps(const struct nr_port *port);
/* What has been received announces an entry, or a reply: until it comes, posts may before it, waits do not sleep at
 * once. One that sleeps after all ends that. */
void nr_port_expect(struct nr_port *port);

/* The owner's thread may be moved off the processor that the other side is on, when both sleep in turns there. (Its
 * affinity is as before afterwards.) */
void nr_port_keep_apart(struct nr_port *port);

/* CLOCK_MONOTONIC, nanoseconds. */
uint64_t nr_now_ns(void);

/* Counts for tests, stats and benchmarks. */
struct nr_port_counts {
  uint64_t frames_sent;
  uint64_t frames_received;
  uint64_t sleeps;       /* times the owner went to sleep */
  uint64_t wakeups_sent; /* system calls made to wake the other side */
};
struct nr_port_counts nr_port_counts(const struct nr_port *port);

#endif
