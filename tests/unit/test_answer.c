/*
 * Answers that follow a frame (wire/answer.c).
 */
#include "ports.h"

struct other {
  struct nr_port *port;
  _Atomic int turn; /* 1: the answer is waited for, or about to be */
};

static void *tell(void *context) {
  struct other *other = context;
  while (other->turn != 1) continue;
  nr_port_tell(other->port, 2, true);
  return NULL;
}

static void *fail(void *context) {
  struct other *other = context;
  while (other->turn != 1) continue;
  nr_port_fail(other->port, EPIPE);
  return NULL;
}

static bool await_of(struct nr_port *port, struct nr_port *acted_on, void *(*act)(void *context), uint32_t number) {
  struct other other = {.port = acted_on};
  pthread_t thread;
  cr_assert_eq(pthread_create(&thread, NULL, act, &other), 0);
  other.turn = 1;
  bool answer = nr_port_await_answer(port, number);
  pthread_join(thread, NULL);
  return answer;
}

Test(answer, that_of_the_number_is_waited_for) {
  struct pair pair = pair_create(SMALL_RING);
  nr_port_tell(pair.a, 1, false);
  cr_assert(!nr_port_await_answer(pair.b, 1));
  cr_assert(await_of(pair.b, pair.a, tell, 2), "not the one before");
  pair_destroy(pair);
}

Test(answer, without_a_peer_it_is_no) {
  struct pair pair = pair_create(SMALL_RING);
  cr_assert(!await_of(pair.b, pair.b, fail, 1));
  pair_destroy(pair);
}

Test(answer, numbers_come_round) {
  struct pair pair = pair_create(SMALL_RING);
  nr_port_tell(pair.a, UINT32_C(0x80000003), true);
  cr_assert(nr_port_await_answer(pair.b, UINT32_C(0x80000003)));
  pair_destroy(pair);
}
