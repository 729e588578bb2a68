/*
 * Answers that follow a frame.
 */
#include <time.h>

#include "wire/wire-private.h"

/* Looks before the processor is given up: some 20 us. The answer takes one; later it is only when whoever finds it out
 * has lost the processor, perhaps to this thread, or is stopped. No event tells of it: a sleeper that has to be woken
 * would cost more than the whole question. */
#define ANSWER_LOOKS 1000u
#define ANSWER_NAP_NS 20000

bool nr_port_peer_spins(const struct nr_port *port) {
  return port->peer.control != NULL && __atomic_load_n(&port->peer.control->sleeping, __ATOMIC_RELAXED) == NR_AWAKE;
}

void nr_port_tell(struct nr_port *port, uint32_t number, bool answer) {
  __atomic_store_n(&port->own.control->told, number << 1 | answer, __ATOMIC_RELEASE);
}

bool nr_port_await_answer(struct nr_port *port, uint32_t number) {
  for (unsigned looks = 0;; looks++) {
    uint32_t told = __atomic_load_n(&port->peer.control->told, __ATOMIC_ACQUIRE);
    if (told >> 1 == (number & UINT32_MAX >> 1)) return (told & 1) != 0;
    if (looks < ANSWER_LOOKS) {
      nr_relax();
      continue;
    }
    if (nr_port_failure(port) != 0) return false;
    nanosleep(&(struct timespec){.tv_nsec = ANSWER_NAP_NS}, NULL);
  }
}
