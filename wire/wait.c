/*
 * Waiting: spinning for as long as that has been paying, then a futex in the peer's pages or poll(2) on the doorbell;
 * and waking, of the peer and of the port's own thread.
 *
 * Whoever sleeps announces it in its control page and then looks once more; whoever writes looks at the announcement
 * afterwards. Both in sequentially consistent order, so one of the two notices, and a writer makes a system call only
 * for a sleeper.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "wire/wire-private.h"

/* Looks before the clock is read at all, and between two readings. */
#define SPIN_LOOKS 64u

/* No sleep is longer than this without another look at the failure, see nr_port_fail(). */
#define NAP_NS UINT64_C(1000000000)
/* For how long nr_port_fail() and nr_port_wake() repeat their wake-up. */
#define WAKE_PATIENCE_NS UINT64_C(100000000)

#define POLL_EXTRA_MAX 15u

uint64_t nr_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Not FUTEX_PRIVATE_FLAG: the word is in memory that two processes share. A read-only mapping is enough. */
static int futex_wait(const uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
  struct timespec until = {.tv_sec = (time_t)(deadline_ns / 1000000000u), .tv_nsec = (long)(deadline_ns % 1000000000u)};
  long result = syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &until, NULL, FUTEX_BITSET_MATCH_ANY);
  return result == 0 ? 0 : -errno;
}

bool nr_futex_wake(const uint32_t *word) {
  return syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) > 0;
}

bool nr_port_peer_sleeps(const struct nr_port *port) {
  uint32_t state =
      port->peer.control == NULL ? NR_AWAKE : __atomic_load_n(&port->peer.control->sleeping, __ATOMIC_RELAXED);
  return state != NR_AWAKE && state != port->woken;
}

void nr_wake_peer(struct nr_port *port, const uint32_t *committed) {
  uint32_t state = __atomic_load_n(&port->peer.control->sleeping, __ATOMIC_SEQ_CST);
  if (NR_LIKELY(state == NR_AWAKE) || state == port->woken) return;
  port->woke_peer = true;
  port->counts.wakeups_sent++;
  nr_processor_woke(port);
  /* That sleep needs no other wake-up, but only if somebody got this one: between our commit and here the peer may have
   * taken the frame, and have gone to sleep on the next one's word. */
  if ((state & NR_SLEEP_MODE) == NR_SLEEPS_FUTEX && !nr_futex_wake(committed)) return;
  port->woken = state;
  if ((state & NR_SLEEP_MODE) == NR_SLEEPS_DOORBELL) nr_port_ring(port);
}

/* ---- Waiting for a word of the peer's to change ---- */

struct wait {
  struct nr_port *port;
  struct nr_spin *spin;
  const uint32_t *word;
  uint32_t expected;
  bool for_space; /* announced as starved, not as sleeping */
  bool callable;  /* nr_port_wake() ends it */
  uint64_t deadline_ns;
  uint64_t started_ns;
};

static inline bool has_changed(const struct wait *wait) {
  return __atomic_load_n(wait->word, __ATOMIC_ACQUIRE) != wait->expected;
}

/* Something other than the word wants attention: a failure, or somebody called nr_port_wake(). */
static bool is_called(const struct wait *wait) {
  if (__atomic_load_n(&wait->port->failure, __ATOMIC_SEQ_CST) != 0) return true;
  return wait->callable && __atomic_load_n(&wait->port->wake_pending, __ATOMIC_SEQ_CST) != 0;
}

static int answer_call(const struct wait *wait) {
  int failure = nr_port_check(wait->port);
  if (failure == 0) __atomic_store_n(&wait->port->wake_pending, 0, __ATOMIC_SEQ_CST);
  return failure;
}

/* 0: changed, 1: not within the budget, or the negative failure. */
static int spin_until_changed(struct wait *wait) {
  uint32_t budget = nr_spin_budget(wait->port, wait->spin);
  if (budget > 0) {
    for (unsigned look = 0; look < SPIN_LOOKS; look++) {
      if (has_changed(wait)) {
        nr_spin_paid_at_once(wait->spin);
        return 0;
      }
      nr_relax();
    }
  }
  uint64_t now = wait->started_ns = nr_now_ns();
  while (now - wait->started_ns < budget) {
    for (unsigned look = 0; look < SPIN_LOOKS; look++) {
      if (has_changed(wait)) {
        nr_spin_paid(wait->spin, now - wait->started_ns, wait->port->woke_peer);
        return 0;
      }
      nr_relax();
    }
    if (is_called(wait)) return answer_call(wait);
    now = nr_now_ns();
    if (wait->deadline_ns != 0 && now >= wait->deadline_ns) return -ETIMEDOUT;
    if (nr_spin_is_in_the_way(wait->port, wait->spin, now - wait->started_ns)) break;
  }
  return 1;
}

static void announce_sleep(struct nr_port *port, uint32_t mode) {
  port->sleep_word += NR_SLEEP_STEP;
  __atomic_store_n(&port->own.control->sleeping, port->sleep_word | mode, __ATOMIC_SEQ_CST);
}

/* A sleep on another processor than the peer's. Moving there takes longer than a wake-up: it is announced first, so
 * that the peer waits as for a sleeper. */
struct bed {
  bool elsewhere;
  cpu_set_t before;
  cpu_set_t others;
};

static void lie_down(struct nr_port *port, struct bed *bed, uint32_t mode) {
  nr_processor_tell(port);
  bed->elsewhere = nr_processor_choose(port, &bed->before, &bed->others);
  announce_sleep(port, mode);
  if (NR_UNLIKELY(bed->elsewhere)) sched_setaffinity(0, sizeof bed->others, &bed->others);
}

static void get_up(const struct bed *bed) {
  if (NR_UNLIKELY(bed->elsewhere)) sched_setaffinity(0, sizeof bed->before, &bed->before);
}

static void announce_awake(struct nr_port *port) {
  __atomic_store_n(&port->own.control->sleeping, NR_AWAKE, __ATOMIC_RELEASE);
}

static void announce_starved(struct nr_port *port, bool starved) {
  if (starved) port->starved_word += 2;
  __atomic_store_n(&port->own.control->starved, starved ? port->starved_word | 1 : 0, __ATOMIC_SEQ_CST);
}

/* One sleep. Returns after any wake-up, the caller looks why. */
static int sleep_once(struct wait *wait) {
  struct nr_port *port = wait->port;
  uint64_t until = nr_now_ns() + NAP_NS;
  if (wait->deadline_ns != 0 && wait->deadline_ns < until) until = wait->deadline_ns;
  struct bed bed = {.elsewhere = false};
  __atomic_store_n(&port->waiting, (uintptr_t)wait->word | !wait->callable, __ATOMIC_SEQ_CST);
  if (wait->for_space)
    announce_starved(port, true);
  else
    lie_down(port, &bed, NR_SLEEPS_FUTEX);
  int result = 0;
  if (!is_called(wait) && __atomic_load_n(wait->word, __ATOMIC_SEQ_CST) == wait->expected) {
    port->counts.sleeps++;
    result = futex_wait(wait->word, wait->expected, until);
  }
  if (wait->for_space)
    announce_starved(port, false);
  else
    announce_awake(port);
  __atomic_store_n(&port->waiting, 0, __ATOMIC_SEQ_CST);
  get_up(&bed);
  /* A peer can make its page unusable (EFAULT). Not to sleep then would be to spin for ever. */
  if (result != 0 && result != -EAGAIN && result != -EINTR && result != -ETIMEDOUT) return nr_port_break(port, -EPROTO);
  return 0;
}

static int wait_until_changed(struct wait *wait) {
  int result = spin_until_changed(wait);
  if (result != 1) {
    wait->port->woke_peer = false;
    return result;
  }
  for (;;) {
    result = sleep_once(wait);
    if (result != 0) return result;
    if (has_changed(wait)) break;
    if (is_called(wait)) return answer_call(wait);
    if (wait->deadline_ns != 0 && nr_now_ns() >= wait->deadline_ns) return -ETIMEDOUT;
  }
  nr_spin_lost(wait->port, wait->spin, nr_now_ns() - wait->started_ns);
  wait->port->woke_peer = false;
  return 0;
}

int nr_wait_for_piece(struct nr_port *port, uint64_t deadline_ns, bool callable) {
  struct wait wait = {.port = port, .spin = &port->wait_spin, .deadline_ns = deadline_ns, .callable = callable};
  wait.word = nr_ring_word(&port->peer, port->read);
  return wait_until_changed(&wait);
}

int nr_wait_for_space(struct nr_port *port) {
  struct wait wait = {
      .port = port, .spin = &port->space_spin, .for_space = true, .deadline_ns = port->piece_deadline_ns};
  wait.word = (const uint32_t *)(const void *)&port->peer.control->read_index;
  wait.expected = (uint32_t)port->peer_read;
  int error = wait_until_changed(&wait);
  return error == -ETIMEDOUT ? nr_port_break(port, error) : error;
}

void nr_port_set_deadline(struct nr_port *port, uint64_t deadline_ns) {
  port->piece_deadline_ns = deadline_ns;
}

/* ---- The public waits ---- */

static bool is_ready(const struct nr_port *port) {
  return port->backlog != NULL || nr_ring_peek(port) != 0;
}

/* The doorbell serves the event loop of the owner; while the owner itself waits here nobody needs to ring. */
static void disarm_doorbell(struct nr_port *port) {
  if (NR_LIKELY(!port->doorbell_armed)) return;
  announce_awake(port);
  port->doorbell_armed = false;
  nr_doorbell_drain(port);
}

int nr_port_wait(struct nr_port *port, uint64_t deadline_ns) {
  int failure = nr_port_check(port);
  if (NR_UNLIKELY(failure != 0)) return failure;
  if (!port->peer.control) return -ENOTCONN;
  if (is_ready(port)) return 0;
  disarm_doorbell(port);
  return nr_wait_for_piece(port, deadline_ns, true);
}

/* Sleeps in poll(2) until somebody rings; the failure of the port rings too. */
static int poll_once(struct nr_port *port, struct pollfd *extra, unsigned extra_count, int timeout_ms) {
  struct pollfd set[POLL_EXTRA_MAX + 2];
  struct pollfd *bells = set + extra_count;
  if (extra_count > 0) memcpy(set, extra, extra_count * sizeof *extra);
  bells[0] = (struct pollfd){.fd = port->doorbell, .events = POLLIN};
  bells[1] = (struct pollfd){.fd = port->self, .events = POLLIN};
  port->counts.sleeps++;
  int ready = poll(set, extra_count + 2, timeout_ms);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  if (bells[0].revents != 0 || bells[1].revents != 0) {
    nr_doorbell_drain(port);
    ready -= (bells[0].revents != 0) + (bells[1].revents != 0);
  } else if (ready == 0) {
    return -ETIMEDOUT;
  }
  for (unsigned i = 0; i < extra_count; i++) extra[i].revents = set[i].revents;
  return ready > 0 ? 1 : 0;
}

int nr_port_wait_poll(struct nr_port *port, struct pollfd *extra, unsigned extra_count, int timeout_ms) {
  struct wait wait = {.port = port, .spin = &port->poll_spin, .callable = true};
  int result = nr_port_check(port);
  if (NR_UNLIKELY(result != 0)) return result;
  if (!port->peer.control) return -ENOTCONN;
  if (extra_count > POLL_EXTRA_MAX) return -EINVAL;
  for (unsigned i = 0; i < extra_count; i++) extra[i].revents = 0;
  if (is_ready(port)) return 0;
  disarm_doorbell(port);
  wait.word = nr_ring_word(&port->peer, port->read);
  if (timeout_ms != 0) {
    result = spin_until_changed(&wait);
    if (result != 1) {
      port->woke_peer = false;
      return result;
    }
  }
  struct bed bed;
  lie_down(port, &bed, NR_SLEEPS_DOORBELL);
  if (is_called(&wait))
    result = answer_call(&wait);
  else if (__atomic_load_n(wait.word, __ATOMIC_SEQ_CST) != 0)
    result = 0;
  else
    result = poll_once(port, extra, extra_count, timeout_ms);
  announce_awake(port);
  get_up(&bed);
  if (timeout_ms != 0) {
    uint64_t waited_ns = nr_now_ns() - wait.started_ns;
    if (has_changed(&wait))
      nr_spin_lost(port, wait.spin, waited_ns);
    else
      nr_spin_ended(port, waited_ns);
  }
  port->woke_peer = false;
  if (nr_port_check(port) != 0) return nr_port_check(port);
  if (result >= 0 && is_called(&wait)) answer_call(&wait);
  return result;
}

bool nr_port_sleep_on_doorbell(struct nr_port *port, bool on) {
  disarm_doorbell(port);
  if (!on) return true;
  if (nr_port_check(port) != 0 || !port->peer.control) return false;
  nr_processor_tell(port);
  announce_sleep(port, NR_SLEEPS_DOORBELL);
  port->doorbell_armed = true;
  const struct wait wait = {.port = port, .callable = true};
  bool called = is_called(&wait);
  if (called) answer_call(&wait);
  if (!called && !port->backlog && __atomic_load_n(nr_ring_word(&port->peer, port->read), __ATOMIC_SEQ_CST) == 0)
    return true;
  announce_awake(port);
  return false;
}

/* ---- Waking the owner, from any thread ---- */

/*
 * The owner may have made its last check and not yet be asleep, and the futex word is the peer's, so we cannot change
 * it: a single wake-up could be lost. So it is repeated until the owner is seen to be up. Should it not run at all for
 * so long that we give up (a busy machine), its sleep ends by itself after NAP_NS at the latest.
 */
static void wake_owner(struct nr_port *port, const uint32_t *pending) {
  nr_doorbell_ring_self(port);
  uint64_t give_up = 0;
  struct timespec pause = {.tv_nsec = 20000};
  for (;;) {
    uintptr_t waiting = __atomic_load_n(&port->waiting, __ATOMIC_SEQ_CST);
    if (waiting == 0) return;
    if (pending && ((waiting & 1) || __atomic_load_n(pending, __ATOMIC_SEQ_CST) == 0)) return;
    nr_futex_wake((const uint32_t *)(waiting & ~(uintptr_t)1));
    uint64_t now = nr_now_ns();
    if (give_up == 0) give_up = now + WAKE_PATIENCE_NS;
    if (now >= give_up) return;
    nanosleep(&pause, NULL);
    if (pause.tv_nsec < 1000000) pause.tv_nsec *= 2;
  }
}

void nr_port_fail(struct nr_port *port, int error) {
  nr_port_break(port, -error);
  wake_owner(port, NULL);
}

void nr_port_wake(struct nr_port *port) {
  __atomic_store_n(&port->wake_pending, 1, __ATOMIC_SEQ_CST);
  wake_owner(port, &port->wake_pending);
}
