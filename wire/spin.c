/*
 * For how long a wait spins before it sleeps: as long as that has been paying, and not at all where it cannot, since
 * both sides are on one processor.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <unistd.h>

#include "wire/wire-private.h"

/* About what a sleep costs both sides: 60 to 100 µs where idle processors have to be woken. Spinning longer than that
 * cannot pay. */
#define SPIN_MAX_NS 60000u
/* What a sleeping peer takes to get going. A wait that began by waking it may last so much longer before it counts
 * against spinning: otherwise two sides that both sleep would never find back to spinning, each finding the other slow.
 */
#define SPIN_WAKE_NS 60000u
/* A peer that was woken and is not up after this has most likely been given the waker's processor, as where the two
 * share no cache that the kernel knows of, and gets it when the waker sleeps. (Elsewhere it is up 5 to 15 µs after the
 * system call that woke it.) */
#define SPIN_UP_NS 20000u
/* A smaller budget is none. */
#define SPIN_MIN_NS 1000u
/* For what the other side has announced. It copies meanwhile, and asks its kernel: 60 to 150 µs for a new Buffer of 128
 * KiB. */
#define SPIN_EXPECTS_NS 240000u
/* A wait that ends within this while spinning is a gain. */
#define SPIN_GAIN_NS 40000u
/* The budget of whoever has a reason to try again. */
#define SPIN_TRIAL_NS 4000u
/* After a sleep of this, the trial is next to nothing, and what comes now may be the first of many. */
#define SPIN_IDLE_NS 1000000u
/* With a small budget every so many waits try the full one, or the budget would never recover: a sleeper wakes so late
 * that even a prompt reply looks slow. */
#define SPIN_PROBE 16u

/* A sleep that is shorter is one of a burst of calls. */
#define CROWDED_NS 200000u
/* So many of them on one processor, and the owner sleeps elsewhere, once. Moving takes 30 µs and the sleep 8 to 15: the
 * completion of an async work is over before that pays. (With 3, @napi-rs/canvas took 2 to 3% longer to decode images;
 * calls in bursts of 300 take 3.8 µs each with 24, 2.8 with 3.) */
#define CROWDED_MAX 24u

void nr_spin_init(struct nr_port *port) {
  port->wait_spin.budget_ns = port->poll_spin.budget_ns = port->space_spin.budget_ns = SPIN_MAX_NS;
}

static bool may_spin(struct nr_port *port) {
  if (NR_UNLIKELY(port->cpus == 0)) {
    cpu_set_t set;
    /* Fails on machines with more processors than the set has room for. */
    port->cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : (int)sysconf(_SC_NPROCESSORS_ONLN);
  }
  return port->cpus > 1;
}

/* Is the peer where this thread is? It may have gone elsewhere since it told. */
static bool is_crowded(const struct nr_port *port) {
  return port->peer.control != NULL &&
         __atomic_load_n(&port->peer.control->processor, __ATOMIC_RELAXED) == (uint32_t)sched_getcpu();
}

static void tell(struct nr_port *port, uint32_t processor) {
  __atomic_store_n(&port->own.control->processor, processor, __ATOMIC_RELAXED);
}

void nr_processor_tell(struct nr_port *port) {
  tell(port, (uint32_t)sched_getcpu());
}

void nr_processor_woke(struct nr_port *port) {
  uint64_t now = nr_now_ns();
  port->paused = now - port->woke_ns >= SPIN_IDLE_NS;
  port->woke_ns = now;
  nr_processor_tell(port);
}

uint32_t nr_spin_budget(struct nr_port *port, struct nr_spin *spin) {
  if (!may_spin(port)) return 0;
  bool was_vain = spin->vain;
  /* The peer gets the processor when we leave it, not before. After a pause it is as likely to get ours as another. */
  spin->vain = is_crowded(port) || port->paused;
  port->paused = false;
  if (NR_UNLIKELY(spin->vain)) return 0;
  if (NR_UNLIKELY(was_vain) && spin->budget_ns < SPIN_TRIAL_NS) spin->budget_ns = SPIN_TRIAL_NS;
  if (NR_UNLIKELY(port->expects)) return SPIN_EXPECTS_NS;
  uint32_t budget = ++spin->waits % SPIN_PROBE == 0 ? SPIN_MAX_NS : spin->budget_ns;
  return budget > 0 && port->woke_peer ? budget + SPIN_WAKE_NS : budget;
}

bool nr_spin_is_in_the_way(const struct nr_port *port, struct nr_spin *spin, uint64_t spun_ns) {
  if (!port->woke_peer || spun_ns < SPIN_UP_NS) return false;
  if (__atomic_load_n(&port->peer.control->sleeping, __ATOMIC_RELAXED) != port->woken) return false;
  if (__atomic_load_n(&port->peer.control->processor, __ATOMIC_RELAXED) & NR_PROCESSOR_KEPT) return false;
  spin->vain = true;
  return true;
}

/*
 * It came while we were spinning. Within a short time that is what spinning is for, and as long as most waits are like
 * that the odd longer one is worth the whole budget: a call that takes 10 µs among some that take one, an interrupt.
 * (Room for twice what a wait had taken had such calls fall asleep, and each sleep made the next ones late.) After a
 * long one a sleep would have cost no more and left the processor to others; on a busy machine perhaps to the peer
 * itself.
 */
void nr_spin_paid(struct nr_spin *spin, uint64_t spun_ns, bool woke_peer) {
  uint32_t wanted = woke_peer ? SPIN_TRIAL_NS : spun_ns <= SPIN_GAIN_NS ? SPIN_MAX_NS : spin->budget_ns;
  if (wanted > spin->budget_ns)
    spin->budget_ns = wanted;
  else
    spin->budget_ns -= (spin->budget_ns - wanted) / 8;
}

void nr_spin_paid_at_once(struct nr_spin *spin) {
  spin->budget_ns = SPIN_MAX_NS;
}

/*
 * The kernel does not take the two apart: where processors share no cache that it knows of, or one that idles counts as
 * taken, as in many virtual machines, it wakes a thread where its waker is, and two that sleep in turns leave one half
 * idle. So in a burst of calls the owner sleeps where the peer is not, and has its affinity back when it is up.
 * Measured for bursts of 300 calls, 30 ms apart: 10 ms each before, 3 ms without spinning in vain, 0.4 ms so.
 */
bool nr_processor_choose(struct nr_port *port, cpu_set_t *before, cpu_set_t *others) {
  if (NR_LIKELY(!port->apart)) return false;
  port->apart = false;
  if (sched_getaffinity(0, sizeof *before, before) != 0) return false;
  uint32_t taken = __atomic_load_n(&port->peer.control->processor, __ATOMIC_RELAXED) & ~NR_PROCESSOR_KEPT;
  uint32_t other = 0;
  *others = *before;
  if (taken < CPU_SETSIZE) CPU_CLR(taken, others);
  while (other < CPU_SETSIZE && !CPU_ISSET(other, others)) other++;
  if (other == CPU_SETSIZE) return false;
  tell(port, (taken == (uint32_t)sched_getcpu() ? other : (uint32_t)sched_getcpu()) | NR_PROCESSOR_KEPT);
  return true;
}

static void note_crowd(struct nr_port *port, uint64_t waited_ns) {
  port->crowded = waited_ns <= CROWDED_NS && is_crowded(port) ? port->crowded + 1 : 0;
  if (port->crowded < CROWDED_MAX) return;
  port->crowded = 0;
  port->apart = true;
}

/* When the whole wait was short all the same, spinning deserves a trial: the peer is quick. */
void nr_spin_lost(struct nr_port *port, struct nr_spin *spin, uint64_t waited_ns) {
  port->expects = false;
  bool idle = waited_ns >= SPIN_IDLE_NS;
  if (port->moves && may_spin(port)) note_crowd(port, waited_ns);
  if (spin->vain) return;
  if (spin->budget_ns < SPIN_TRIAL_NS && (idle || (!port->woke_peer && waited_ns <= SPIN_MAX_NS)))
    spin->budget_ns = SPIN_TRIAL_NS;
  else
    spin->budget_ns /= 2;
  if (idle && spin->budget_ns < SPIN_TRIAL_NS) spin->budget_ns = SPIN_TRIAL_NS;
  if (spin->budget_ns < SPIN_MIN_NS) spin->budget_ns = 0;
}

/* A sleep that others ended is none of a burst, but what was a burst before it may be over. */
void nr_spin_ended(struct nr_port *port, uint64_t waited_ns) {
  port->expects = false;
  if (waited_ns > CROWDED_NS) port->crowded = 0;
}

void nr_port_expect(struct nr_port *port) {
  port->expects = true;
}

void nr_port_keep_apart(struct nr_port *port) {
  port->moves = true;
}
