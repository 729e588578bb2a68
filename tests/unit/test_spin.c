/*
 * For how long a wait spins, and where its thread sleeps: told from what the other side's page says.
 */
#include <sched.h>

#include <criterion/criterion.h>

#include "wire/wire-private.h"

/* A port whose pages are on the stack, with two processors. */
struct fixture {
  struct nr_control own, peer;
  struct nr_port port;
};

static struct nr_spin *set_up(struct fixture *fixture, uint32_t peer_processor) {
  *fixture = (struct fixture){.peer.processor = peer_processor};
  fixture->port.own.control = &fixture->own;
  fixture->port.peer.control = &fixture->peer;
  fixture->port.cpus = 2;
  nr_spin_init(&fixture->port);
  return &fixture->port.wait_spin;
}

#define ELSEWHERE (NR_PROCESSOR_KEPT - 1)

/* The test must not be moved between asking for the processor and the code's asking. */
static uint32_t stay_here(cpu_set_t *before) {
  cpu_set_t here;
  cr_assert_eq(sched_getaffinity(0, sizeof *before, before), 0);
  int processor = sched_getcpu();
  CPU_ZERO(&here);
  CPU_SET((size_t)processor, &here);
  cr_assert_eq(sched_setaffinity(0, sizeof here, &here), 0);
  return (uint32_t)processor;
}

Test(spin, not_while_the_peer_is_on_the_same_processor) {
  cpu_set_t before;
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, stay_here(&before));
  cr_assert_eq(nr_spin_budget(&fixture.port, spin), 0);
  nr_spin_lost(&fixture.port, spin, 5000); /* says nothing about spinning */
  fixture.peer.processor = ELSEWHERE;
  uint32_t budget = nr_spin_budget(&fixture.port, spin);
  cr_assert_gt(budget, 0);
  fixture.port.woke_peer = true;
  cr_assert_gt(nr_spin_budget(&fixture.port, spin), budget, "who has woken the other waits for it to get up");
}

Test(spin, a_budget_that_was_lost_comes_back_with_one_quick_answer) {
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, ELSEWHERE);
  while (spin->budget_ns > 0) nr_spin_lost(&fixture.port, spin, 100000);
  nr_spin_paid_at_once(spin);
  cr_assert_gt(nr_spin_budget(&fixture.port, spin), 0);
}

Test(spin, quick_answers_leave_room_for_one_that_takes_longer) {
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, ELSEWHERE);
  for (int i = 0; i < 1000; i++) nr_spin_paid(spin, 200, false);
  cr_assert_geq(nr_spin_budget(&fixture.port, spin), 30000);
  while (spin->budget_ns > 0) nr_spin_lost(&fixture.port, spin, 100000);
  nr_spin_paid(spin, 200, false);
  cr_assert_geq(nr_spin_budget(&fixture.port, spin), 30000, "and one brings it back");
}

Test(spin, a_pause_does_not_use_it_up) {
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, ELSEWHERE);
  for (int i = 0; i < 100; i++) nr_spin_lost(&fixture.port, spin, 30000000);
  cr_assert_gt(nr_spin_budget(&fixture.port, spin), 0);
}

Test(spin, what_is_announced_is_waited_for_until_a_wait_was_in_vain_but_not_beside_the_peer) {
  cpu_set_t before;
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, ELSEWHERE);
  while (spin->budget_ns > 0) nr_spin_lost(&fixture.port, spin, 100000);
  nr_port_expect(&fixture.port);
  cr_assert_gt(nr_spin_budget(&fixture.port, spin), 100000);
  nr_spin_paid(spin, 50000, false); /* a post, say */
  cr_assert_gt(nr_spin_budget(&fixture.port, spin), 100000);
  nr_spin_lost(&fixture.port, spin, 400000);
  cr_assert_eq(nr_spin_budget(&fixture.port, spin), 0);
  fixture.peer.processor = stay_here(&before);
  nr_port_expect(&fixture.port);
  cr_assert_eq(nr_spin_budget(&fixture.port, spin), 0);
}

Test(spin, who_sleeps_is_seen_until_woken) {
  struct fixture fixture;
  set_up(&fixture, ELSEWHERE);
  cr_assert_not(nr_port_peer_sleeps(&fixture.port));
  fixture.peer.sleeping = NR_SLEEP_STEP | NR_SLEEPS_DOORBELL;
  cr_assert(nr_port_peer_sleeps(&fixture.port));
  fixture.port.woken = fixture.peer.sleeping;
  cr_assert_not(nr_port_peer_sleeps(&fixture.port));
  fixture.peer.sleeping += NR_SLEEP_STEP;
  cr_assert(nr_port_peer_sleeps(&fixture.port), "the next sleep");
  fixture.port.peer.control = NULL;
  cr_assert_not(nr_port_peer_sleeps(&fixture.port), "there is no peer any more");
}

Test(spin, sleeps_elsewhere_after_short_sleeps_beside_the_peer) {
  cpu_set_t all, before, others;
  struct fixture fixture;
  uint32_t here = stay_here(&all);
  struct nr_spin *spin = set_up(&fixture, here);
  nr_port_keep_apart(&fixture.port);
  cr_assert_not(nr_processor_choose(&fixture.port, &before, &others));
  for (int i = 0; i < 32; i++) {
    nr_spin_budget(&fixture.port, spin);
    nr_spin_lost(&fixture.port, spin, 5000);
  }
  if (CPU_COUNT(&all) < 2) {
    cr_assert_not(nr_processor_choose(&fixture.port, &before, &others), "there is no other that it may be on");
    return;
  }
  cr_assert_eq(sched_setaffinity(0, sizeof all, &all), 0);
  cr_assert(nr_processor_choose(&fixture.port, &before, &others));
  cr_assert_not(CPU_ISSET(here, &others));
  cr_assert(CPU_EQUAL(&before, &all));
  cr_assert_not(nr_processor_choose(&fixture.port, &before, &others), "once");
}

Test(spin, moves_nobody_who_has_not_said_so) {
  cpu_set_t before, others;
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, stay_here(&before));
  for (int i = 0; i < 32; i++) {
    nr_spin_budget(&fixture.port, spin);
    nr_spin_lost(&fixture.port, spin, 5000);
  }
  cr_assert_not(nr_processor_choose(&fixture.port, &before, &others));
}

/* As after a wake-up of the peer, which slept: as long as it does not come up. */
static struct nr_spin *wake(struct fixture *fixture) {
  struct nr_spin *spin = set_up(fixture, ELSEWHERE);
  fixture->peer.sleeping = fixture->port.woken = NR_SLEEP_STEP | NR_SLEEPS_FUTEX;
  fixture->port.woke_peer = true;
  return spin;
}

Test(spin, makes_room_for_a_peer_that_does_not_come_up) {
  struct fixture fixture;
  struct nr_spin *spin = wake(&fixture);
  uint32_t budget = nr_spin_budget(&fixture.port, spin);
  cr_assert_not(nr_spin_is_in_the_way(&fixture.port, spin, 5000), "it takes its time to get up");
  cr_assert(nr_spin_is_in_the_way(&fixture.port, spin, 30000));
  nr_spin_lost(&fixture.port, spin, 100000);
  cr_assert_eq(nr_spin_budget(&fixture.port, spin), budget, "which says nothing about spinning");
}

Test(spin, goes_on_for_a_peer_that_is_up_or_was_kept_elsewhere) {
  struct fixture fixture;
  struct nr_spin *spin = wake(&fixture);
  fixture.port.woke_peer = false;
  cr_assert_not(nr_spin_is_in_the_way(&fixture.port, spin, 30000));
  spin = wake(&fixture);
  fixture.peer.sleeping = NR_AWAKE;
  cr_assert_not(nr_spin_is_in_the_way(&fixture.port, spin, 30000));
  spin = wake(&fixture);
  fixture.peer.processor |= NR_PROCESSOR_KEPT;
  cr_assert_not(nr_spin_is_in_the_way(&fixture.port, spin, 30000));
}

Test(spin, short_sleeps_around_long_ones_are_no_burst) {
  cpu_set_t all, before, others;
  struct fixture fixture;
  struct nr_spin *spin = set_up(&fixture, stay_here(&all));
  nr_port_keep_apart(&fixture.port);
  for (int i = 0; i < 100; i++) {
    nr_spin_budget(&fixture.port, spin);
    nr_spin_lost(&fixture.port, spin, 5000);
    if (i % 6 == 5) nr_spin_ended(&fixture.port, 5000000);
  }
  cr_assert_not(nr_processor_choose(&fixture.port, &before, &others));
}
