/*
 * What the files of wire/ share: the layout of the shared pages and the inside of a port.
 *
 * Rules for shared words: the own pages are only ever written (the other process might map them writable and scribble
 * there, so what we need to remember is kept in the port), the peer's are only ever read, each word once, and
 * checked after it was copied. All of them through __atomic builtins.
 */
#ifndef NR_WIRE_PRIVATE_H
#define NR_WIRE_PRIVATE_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/port.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "futexes on the low half of an index, protobuf-c's fixed64");

#define NR_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define NR_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* After copying from shared memory: keeps the compiler from reading the original again in place of the checked copy. */
#define NR_COPIED() __asm__ volatile("" ::: "memory")

/*
 * Asks for a cache line to write to it. The other side polls the line that we are about to write and still has the next
 * one from the last lap: asking for both before the message is packed hides most of what a frame costs (measured: 630
 * ns a round trip without, 380 with). gcc and clang make a plain prefetch of __builtin_prefetch() unless told that
 * every x86-64 knows this one.
 */
static inline void nr_claim_line(const void *line) {
#if defined(__x86_64__)
  __asm__ volatile("prefetchw %0" : : "m"(*(const char *)line));
#else
  __builtin_prefetch(line, 1, 3);
#endif
}

#define NR_CONTROL_MAGIC UINT32_C(0x6e725249)
#define NR_CONTROL_VERSION 2u
/* The control words take one page, of the largest size that any supported kernel uses; untouched memory costs nothing.
 */
#define NR_CONTROL_SIZE 65536u
#define NR_RING_SIZE_MIN (UINT32_C(1) << 16)
#define NR_RING_SIZE_MAX (UINT32_C(1) << 28)

/* How many frames and bytes may wait in the backlog before another one is refused. */
#define NR_BACKLOG_FRAMES 65536u
#define NR_BACKLOG_BYTES (UINT64_C(64) << 20)

/* Low bits of `sleeping`. Above them a number that changes with each sleep, so that the other side wakes once per
 * sleep. */
enum { NR_AWAKE = 0, NR_SLEEPS_FUTEX = 1, NR_SLEEPS_DOORBELL = 2, NR_SLEEP_MODE = 3, NR_SLEEP_STEP = 4 };

/* In `processor`: the owner sleeps with an affinity that keeps it away from the other side's. */
#define NR_PROCESSOR_KEPT (UINT32_C(1) << 31)

struct nr_control {
  _Alignas(NR_CACHE_LINE) uint32_t magic;
  uint32_t version;
  uint32_t ring_size;
  _Alignas(NR_CACHE_LINE) uint64_t read_index; /* bytes of the other side's ring that are consumed */
  _Alignas(NR_CACHE_LINE) uint32_t sleeping;   /* the owner of this page waits for a frame, see above */
  uint32_t processor;                          /* that it was on when it last slept, or woke the other side */
  _Alignas(NR_CACHE_LINE) uint32_t starved; /* it waits for space in its ring; odd: asleep, changes with each sleep */
  _Alignas(NR_CACHE_LINE) uint32_t told;    /* the number of the last answer, and it in the lowest bit (answer.c) */
};
_Static_assert(sizeof(struct nr_control) <= 4096, "the control words fit the smallest page");

/* A memfd in memory: the control page, then the ring twice, back to back, so that a frame is contiguous wherever it
 * starts. */
struct nr_mapping {
  struct nr_control *control;
  uint8_t *ring;
  uint32_t size; /* of the ring */
};

/* What spinning is believed to pay, learned by one sort of wait (spin.c). */
struct nr_spin {
  uint32_t budget_ns;
  uint32_t waits;
  bool vain; /* the present wait does not spin, and says nothing about it */
};

/* A received frame that nobody asked for yet; the last one may still be incomplete. */
struct nr_parcel {
  struct nr_parcel *next;
  struct nr_frame_header header;
  size_t total;    /* bytes of payload */
  size_t received; /* of these are here */
  uint8_t *bytes;
};

struct nr_port {
  /* The sender's half. */
  struct nr_mapping own;
  uint64_t written;   /* bytes ever written to the own ring */
  uint64_t peer_read; /* of these the peer had consumed when last asked */
  uint32_t woken;     /* the peer's `sleeping` for which it has been woken already */
  bool woke_peer;     /* since the last wait: what follows begins with its getting up */

  /* The receiver's half. */
  struct nr_mapping peer;
  uint64_t read;       /* bytes ever consumed of the peer's ring */
  uint32_t fed;        /* the peer's `starved` for which it has been woken already */
  uint32_t sleep_word; /* number of the last sleep, in steps of NR_SLEEP_STEP */
  uint32_t starved_word;
  struct nr_parcel *backlog;
  struct nr_parcel *backlog_last;
  uint32_t backlog_frames;
  uint64_t backlog_bytes;
  uint64_t piece_deadline_ns; /* for the rest of an oversized frame, and for space; 0: as long as it takes */

  struct nr_spin wait_spin, poll_spin, space_spin;
  int cpus;         /* that the owner may use; 0: not asked yet */
  bool moves;       /* the owner need not be where the peer is */
  uint64_t woke_ns; /* when it last woke the peer */
  bool paused;      /* ... which was after a pause */
  bool expects;     /* something has been announced, and has not come: no post is that */
  bool apart;       /* its next sleep is to be elsewhere */
  uint32_t crowded; /* sleeps in a row that were short, with the peer on the same processor */
  int memfd;
  int doorbell;
  int knob; /* the other end of it; -1: `self` instead */
  int self; /* an eventfd, polled beside the doorbell */
  bool doorbell_armed;
  struct nr_port_counts counts;

  /* Touched by other threads too. */
  _Alignas(NR_CACHE_LINE) int failure; /* 0 or a negative errno */
  uint32_t wake_pending;               /* nr_port_wake() was called */
  uintptr_t waiting; /* futex word on which the owner sleeps or is about to; | 1: nr_port_wake() does not end it */
};

/* ring.c */
int nr_mapping_create(struct nr_mapping *mapping, uint32_t ring_size, int *memfd);
int nr_mapping_open(struct nr_mapping *mapping, int memfd);
void nr_mapping_close(struct nr_mapping *mapping);

/* The most bytes of payload that one piece carries, header excluded. */
static inline uint32_t nr_ring_room(const struct nr_mapping *mapping) {
  return mapping->size / 4 - (uint32_t)sizeof(struct nr_frame_header);
}
static inline uint32_t nr_ring_lines(uint32_t payload) {
  return (payload + (uint32_t)sizeof(struct nr_frame_header) + NR_CACHE_LINE - 1) / NR_CACHE_LINE;
}
static inline uint32_t *nr_ring_word(const struct nr_mapping *mapping, uint64_t position) {
  return (uint32_t *)(void *)(mapping->ring + (position & (mapping->size - 1)));
}

/* Where `lines` cache lines can be written, or NULL when there is no space as far as is known. */
uint8_t *nr_ring_reserve(struct nr_port *port, uint32_t lines);
/* Asks how far the peer has read. 0, or -EPROTO for an index that cannot be. */
int nr_ring_refresh(struct nr_port *port);
/* Hands the reserved lines to the peer. The caller wakes it. */
void nr_ring_commit(struct nr_port *port, uint32_t lines);
/* The commit word at the read position, 0 when there is no frame. */
static inline uint32_t nr_ring_peek(const struct nr_port *port) {
  return __atomic_load_n(nr_ring_word(&port->peer, port->read), __ATOMIC_ACQUIRE);
}
/* Gives the lines back to the peer, and wakes it when it waits for space. */
void nr_ring_consume(struct nr_port *port, uint32_t lines);

/* wait.c */
/* True when somebody was woken. */
bool nr_futex_wake(const uint32_t *word);
/* Wakes the peer when it sleeps; `committed` is the commit word just written. */
void nr_wake_peer(struct nr_port *port, const uint32_t *committed);
/* Waits until the peer's ring has something at the read position. 0, -ETIMEDOUT or the port's failure. callable:
 * nr_port_wake() ends it too. */
int nr_wait_for_piece(struct nr_port *port, uint64_t deadline_ns, bool callable);
/* Waits until the peer's read index is no longer what it was when last asked. */
int nr_wait_for_space(struct nr_port *port);

/* spin.c */
void nr_spin_init(struct nr_port *port);
/* For how long to spin now, nanoseconds. */
uint32_t nr_spin_budget(struct nr_port *port, struct nr_spin *spin);
/* Has the peer, which the owner woke, not come up in `spun_ns`, probably for want of the owner's processor? Then the
 * wait is to sleep. */
bool nr_spin_is_in_the_way(const struct nr_port *port, struct nr_spin *spin, uint64_t spun_ns);
/* What was waited for came while spinning; before the clock was read. */
void nr_spin_paid(struct nr_spin *spin, uint64_t spun_ns, bool woke_peer);
void nr_spin_paid_at_once(struct nr_spin *spin);
/* It came after a sleep. */
void nr_spin_lost(struct nr_port *port, struct nr_spin *spin, uint64_t waited_ns);
/* It did not come, something else did. */
void nr_spin_ended(struct nr_port *port, uint64_t waited_ns);
/* The peer gets to know which processor the owner is on. */
void nr_processor_tell(struct nr_port *port);
/* The same; the owner is about to wake it. */
void nr_processor_woke(struct nr_port *port);
/* Is the owner to sleep where the peer is not? Then these are its affinity, and the one to sleep with; the peer has
 * been told. */
bool nr_processor_choose(struct nr_port *port, cpu_set_t *before, cpu_set_t *others);

/* bell.c */
/* Takes over the descriptors (nr_port_connect()). 0 or a negative errno. */
int nr_doorbell_adopt(struct nr_port *port, int doorbell, int knob);
/* Rings this side's own, from any thread. */
void nr_doorbell_ring_self(struct nr_port *port);
/* Empties it. */
void nr_doorbell_drain(struct nr_port *port);
/* Closes what it has for ringing. */
void nr_doorbell_release(struct nr_port *port);

/* port.c */
static inline int nr_port_check(const struct nr_port *port) {
  return __atomic_load_n(&port->failure, __ATOMIC_RELAXED);
}
/* Marks the port failed, by its owner. Returns the failure that counts. error: negative. */
int nr_port_break(struct nr_port *port, int error);

/* receive.c */
/* The size of what follows the header: the message and, when there is a tail, padding to a multiple of 8 and the tail.
 */
static inline size_t nr_payload_size(uint32_t message_length, uint32_t tail_length) {
  return tail_length == 0 ? message_length : (((size_t)message_length + 7) & ~(size_t)7) + tail_length;
}
/* Moves a piece that has arrived into the backlog: 1, 0 when there is none, or the port's failure. */
int nr_backlog_take(struct nr_port *port);
void nr_backlog_free(struct nr_port *port);

/* Between two looks at a word. */
static inline void nr_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield" ::: "memory");
#endif
}

#endif
