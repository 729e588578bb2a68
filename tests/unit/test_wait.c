/*
 * Waiting and waking: frames, failures, deadlines and doorbells, while spinning, in a futex, in poll and for space.
 */
#include <poll.h>
#include <sys/resource.h>

#include "ports.h"

static const struct nr_frame_header post = {.kind = NR_KIND_POST};

static int receive(struct nr_port *port) {
  struct nr_arena *arena = nr_arena_create(1 << 20);
  struct nr_frame frame;
  int error = nr_port_try_receive(port, arena, &frame);
  nr_arena_destroy(arena);
  return error;
}

/* ---- What another thread does after a while ---- */

struct later {
  struct nr_port *port;
  void (*act)(struct nr_port *port);
  unsigned delay_ms;
  pthread_t thread;
};

static void *later_run(void *argument) {
  struct later *later = argument;
  sleep_ms(later->delay_ms);
  later->act(later->port);
  return NULL;
}

static void later_start(struct later *later) {
  pthread_create(&later->thread, NULL, later_run, later);
}

static void later_join(struct later *later) {
  pthread_join(later->thread, NULL);
}

static void act_send(struct nr_port *port) {
  cr_assert_eq(nr_port_send(port, &post, NULL, NULL, 0), 0);
}

static void act_fail(struct nr_port *port) {
  nr_port_fail(port, EPIPE);
}

/* ---- nr_port_wait ---- */

static void wakes_for_a_frame(bool spins) {
  struct pair pair = pair_create(SMALL_RING);
  struct later later = {.port = pair.a, .act = act_send, .delay_ms = 20};
  pair_spins(pair, spins);
  later_start(&later);
  int error;
  do {
    cr_assert_eq(nr_port_wait(pair.b, 0), 0);
    error = receive(pair.b);
  } while (error == -EAGAIN);
  cr_assert_eq(error, 0);
  later_join(&later);
  cr_assert_geq(nr_port_counts(pair.b).sleeps, 1);
  cr_assert_eq(nr_port_counts(pair.a).wakeups_sent, 1);
  pair_destroy(pair);
}

Test(wait, wakes_for_a_frame, .timeout = 20) {
  wakes_for_a_frame(true);
  wakes_for_a_frame(false);
}

Test(wait, returns_at_once_when_a_frame_is_there, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  act_send(pair.a);
  cr_assert_eq(nr_port_wait(pair.b, 0), 0);
  cr_assert_eq(nr_port_wait_poll(pair.b, NULL, 0, -1), 0);
  cr_assert_eq(nr_port_counts(pair.b).sleeps, 0);
  cr_assert_eq(nr_port_counts(pair.a).wakeups_sent, 0);
  pair_destroy(pair);
}

Test(wait, sees_its_deadline, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  for (int spins = 0; spins < 2; spins++) {
    pair_spins(pair, spins);
    uint64_t start = nr_now_ns();
    cr_assert_eq(nr_port_wait(pair.b, start + 30000000), -ETIMEDOUT);
    cr_assert_geq(nr_now_ns(), start + 30000000);
    cr_assert_eq(nr_port_wait(pair.b, 1), -ETIMEDOUT);
    cr_assert_eq(nr_port_wait_poll(pair.b, NULL, 0, 20), -ETIMEDOUT);
    cr_assert_eq(nr_port_wait_poll(pair.b, NULL, 0, 0), -ETIMEDOUT);
  }
  pair_destroy(pair);
}

Test(wait, an_unconnected_port_does_not_wait, .timeout = 20) {
  struct nr_port *port;
  cr_assert_eq(nr_port_create(&port, SMALL_RING), 0);
  cr_assert_eq(nr_port_wait(port, 0), -ENOTCONN);
  cr_assert_eq(nr_port_wait_poll(port, NULL, 0, -1), -ENOTCONN);
  cr_assert_eq(receive(port), -ENOTCONN);
  cr_assert_eq(nr_port_send(port, &post, NULL, NULL, 0), -ENOTCONN);
  cr_assert_not(nr_port_sleep_on_doorbell(port, true));
  nr_port_fail(port, EPIPE);
  cr_assert_eq(nr_port_wait(port, 0), -EPIPE);
  nr_port_destroy(port);
}

Test(wait, an_idle_port_costs_no_time, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  cr_assert_eq(nr_port_wait(pair.b, nr_now_ns() + 300000000), -ETIMEDOUT);
  cr_assert_eq(nr_port_wait_poll(pair.b, NULL, 0, 300), -ETIMEDOUT);
  getrusage(RUSAGE_SELF, &after);
  long used_us =
      (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec - before.ru_utime.tv_usec;
  cr_assert_lt(used_us, 30000);
  pair_destroy(pair);
}

Test(wait, one_wake_up_for_one_sleep, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  cr_assert(nr_port_sleep_on_doorbell(pair.b, true));
  for (int i = 0; i < 100; i++) act_send(pair.a);
  cr_assert_eq(nr_port_counts(pair.a).wakeups_sent, 1);
  pair_destroy(pair);
}

/*
 * Between a commit and the look at `sleeping` the peer can take the frame and go to sleep behind it. The wake-up for
 * that frame then meets nobody, and must not count as the one that this sleep is owed.
 */
Test(wait, a_wake_up_that_nobody_got_is_repeated, .timeout = 20) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  hostile.control->sleeping = NR_SLEEP_STEP | NR_SLEEPS_FUTEX;
  for (unsigned i = 1; i <= 3; i++) {
    act_send(hostile.port);
    cr_assert_eq(nr_port_counts(hostile.port).wakeups_sent, i);
  }
  hostile.control->sleeping = NR_AWAKE;
  hostile.control->starved = 3;
  for (unsigned i = 4; i <= 6; i++) {
    hostile_put(&hostile, (struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST}, 1);
    cr_assert_eq(hostile_receive(&hostile, &frame), 0);
    cr_assert_eq(nr_port_counts(hostile.port).wakeups_sent, i);
  }
  hostile_destroy(&hostile);
}

/* ---- Failures ---- */

static int wait_futex(struct nr_port *port) {
  int result;
  while ((result = nr_port_wait(port, 0)) == 0) cr_assert_eq(receive(port), -EAGAIN);
  return result;
}

static int wait_poll(struct nr_port *port) {
  int result;
  while ((result = nr_port_wait_poll(port, NULL, 0, -1)) == 0) cr_assert_eq(receive(port), -EAGAIN);
  return result;
}

static int wait_space(struct nr_port *port) {
  int result;
  while ((result = nr_port_send(port, &post, NULL, NULL, 0)) == 0) {
  }
  return result;
}

/* In the middle of a frame of several pieces, whose sender has stopped. */
static int wait_piece(struct nr_port *port) {
  return receive(port);
}

static void fails(int (*wait)(struct nr_port *port), bool spins) {
  struct pair pair = pair_create(SMALL_RING);
  struct later later = {.port = pair.a, .act = act_fail, .delay_ms = 30};
  pair_spins(pair, spins);
  if (wait == wait_piece) {
    static const uint8_t bytes[SMALL_RING / 2];
    struct nr_slice tail = {bytes, sizeof bytes};
    cr_assert_eq(nr_port_send(pair.b, &post, NULL, &tail, 1), 0);
    /* As if the second piece had not been written yet. */
    uint8_t *second = pair.b->own.ring + SMALL_RING / 4;
    __atomic_store_n((uint32_t *)(void *)second, 0, __ATOMIC_SEQ_CST);
  }
  later_start(&later);
  cr_assert_eq(wait(pair.a), -EPIPE);
  cr_assert_eq(wait(pair.a), -EPIPE, "it is sticky");
  later_join(&later);
  cr_assert_eq(nr_port_failure(pair.a), -EPIPE);
  nr_port_fail(pair.a, EPROTO);
  cr_assert_eq(nr_port_failure(pair.a), -EPIPE, "the first one stays");
  cr_assert_eq(nr_port_send(pair.a, &post, NULL, NULL, 0), -EPIPE);
  cr_assert_eq(receive(pair.a), -EPIPE);
  cr_assert_eq(nr_port_wait(pair.a, 0), -EPIPE);
  cr_assert_eq(nr_port_wait_poll(pair.a, NULL, 0, -1), -EPIPE);
  cr_assert_not(nr_port_sleep_on_doorbell(pair.a, true));
  pair_destroy(pair);
}

Test(wait, fails_in_a_futex, .timeout = 20) {
  fails(wait_futex, false);
}

Test(wait, fails_in_poll, .timeout = 20) {
  fails(wait_poll, false);
}

Test(wait, fails_for_space, .timeout = 20) {
  fails(wait_space, false);
  fails(wait_space, true);
}

Test(wait, fails_within_a_frame, .timeout = 20) {
  fails(wait_piece, false);
  fails(wait_piece, true);
}

Test(wait, fails_after_spinning, .timeout = 20) {
  fails(wait_futex, true);
  fails(wait_poll, true);
}

struct prompt {
  struct nr_port *port;
  uint32_t spins;
};

static void *fail_promptly(void *argument) {
  struct prompt *prompt = argument;
  for (volatile uint32_t i = 0; i < prompt->spins; i = i + 1) {
  }
  nr_port_fail(prompt->port, EPIPE);
  return NULL;
}

/* The failure meets the owner at any point on its way to sleep, and no wake-up may be lost: it would cost a second. */
Test(wait, failures_at_any_moment, .timeout = 60) {
  uint32_t state = 7;
  for (int round = 0; round < 400; round++) {
    struct pair pair = pair_create(SMALL_RING);
    struct prompt prompt = {pair.a, random_next(&state) % 60000};
    pthread_t thread;
    pair_spins(pair, round % 2 != 0);
    uint64_t start = nr_now_ns();
    pthread_create(&thread, NULL, fail_promptly, &prompt);
    cr_assert_eq(round % 3 == 0 ? wait_poll(pair.a) : round % 3 == 1 ? wait_futex(pair.a) : wait_space(pair.a), -EPIPE);
    pthread_join(thread, NULL);
    cr_assert_lt(nr_now_ns() - start, UINT64_C(900000000));
    pair_destroy(pair);
  }
}

/* ---- nr_port_wake ---- */

static void wakes(int (*wait)(struct nr_port *port)) {
  struct pair pair = pair_create(SMALL_RING);
  struct later later = {.port = pair.a, .act = nr_port_wake, .delay_ms = 20};
  pair_spins(pair, false);
  later_start(&later);
  cr_assert_eq(wait(pair.a), 0);
  later_join(&later);
  nr_port_wake(pair.a);
  cr_assert_eq(wait(pair.a), 0, "one that came before the wait");
  cr_assert_eq(nr_port_wait(pair.a, nr_now_ns() + 10000000), -ETIMEDOUT, "and it counts once");
  pair_destroy(pair);
}

static int once_futex(struct nr_port *port) {
  return nr_port_wait(port, 0);
}

static int once_poll(struct nr_port *port) {
  return nr_port_wait_poll(port, NULL, 0, -1);
}

Test(wait, can_be_woken_without_a_frame, .timeout = 20) {
  wakes(once_futex);
  wakes(once_poll);
}

/* ---- Doorbells ---- */

static bool is_readable(int fd) {
  struct pollfd set = {.fd = fd, .events = POLLIN};
  return poll(&set, 1, 0) == 1;
}

Test(wait, the_doorbell_of_an_event_loop, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  int bell = nr_port_doorbell(pair.b);
  act_send(pair.a);
  cr_assert_not(is_readable(bell), "nobody asked for it");
  cr_assert_not(nr_port_sleep_on_doorbell(pair.b, true), "a frame is there");
  cr_assert_eq(receive(pair.b), 0);
  cr_assert(nr_port_sleep_on_doorbell(pair.b, true));
  cr_assert_not(is_readable(bell));
  act_send(pair.a);
  cr_assert(is_readable(bell));
  cr_assert_not(nr_port_sleep_on_doorbell(pair.b, true));
  cr_assert_not(is_readable(bell), "drained");
  cr_assert_eq(receive(pair.b), 0);
  cr_assert(nr_port_sleep_on_doorbell(pair.b, true));
  cr_assert(nr_port_sleep_on_doorbell(pair.b, false));
  act_send(pair.a);
  cr_assert_not(is_readable(bell), "switched off");
  pair_destroy(pair);
}

Test(wait, a_wait_ends_the_doorbell, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  cr_assert(nr_port_sleep_on_doorbell(pair.b, true));
  cr_assert_eq(nr_port_wait(pair.b, nr_now_ns() + 1000000), -ETIMEDOUT);
  act_send(pair.a);
  cr_assert_not(is_readable(nr_port_doorbell(pair.b)));
  cr_assert_eq(receive(pair.b), 0);
  pair_destroy(pair);
}

Test(wait, a_failure_rings_the_doorbell, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  cr_assert(nr_port_sleep_on_doorbell(pair.a, true));
  nr_port_fail(pair.a, EPIPE);
  cr_assert(is_readable(nr_port_doorbell(pair.a)));
  cr_assert_not(nr_port_sleep_on_doorbell(pair.a, true));
  pair_destroy(pair);
}

Test(wait, poll_watches_other_descriptors, .timeout = 20) {
  struct pair pair = pair_create(SMALL_RING);
  int pipe_ends[2];
  cr_assert_eq(pipe(pipe_ends), 0);
  struct pollfd extra[16] = {{.fd = pipe_ends[0], .events = POLLIN, .revents = 77}};
  cr_assert_eq(nr_port_wait_poll(pair.b, extra, 1, 10), -ETIMEDOUT);
  cr_assert_eq(extra[0].revents, 0);
  cr_assert_eq(write(pipe_ends[1], "x", 1), 1);
  cr_assert_eq(nr_port_wait_poll(pair.b, extra, 1, -1), 1);
  cr_assert_eq(extra[0].revents, POLLIN);
  cr_assert_eq(nr_port_wait_poll(pair.b, extra, 1, 0), 1);
  cr_assert_eq(nr_port_wait_poll(pair.b, extra, 16, 0), -EINVAL);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  pair_destroy(pair);
}

/* ---- A long conversation with pauses: no wake-up gets lost ---- */

static void *echo(void *argument) {
  struct nr_port *port = argument;
  struct nr_arena *arena = nr_arena_create(1 << 20);
  struct nr_frame frame;
  for (unsigned count = 0;;) {
    struct nr_arena_mark mark = nr_arena_mark(arena);
    int error = nr_port_try_receive(port, arena, &frame);
    if (error == -EAGAIN)
      error = count % 2 != 0 ? nr_port_wait(port, 0) : nr_port_wait_poll(port, NULL, 0, -1);
    else if (error == 0) {
      count++;
      error = nr_port_send(port, &post, NULL, NULL, 0);
    }
    nr_arena_release(arena, mark);
    if (error < 0) break;
  }
  nr_arena_destroy(arena);
  return NULL;
}

static void ping_pong(bool spins, unsigned rounds) {
  struct pair pair = pair_create(SMALL_RING);
  uint32_t state = 3;
  pthread_t thread;
  pair_spins(pair, spins);
  pthread_create(&thread, NULL, echo, pair.b);
  for (unsigned i = 0; i < rounds; i++) {
    act_send(pair.a);
    uint64_t start = nr_now_ns();
    while (receive(pair.a) == -EAGAIN) cr_assert_eq(nr_port_wait(pair.a, start + UINT64_C(800000000)), 0);
    for (volatile uint32_t j = random_next(&state) % 20000; j > 0; j = j - 1) {
    }
  }
  nr_port_fail(pair.b, EPIPE);
  pthread_join(thread, NULL);
  pair_destroy(pair);
}

Test(wait, a_conversation, .timeout = 60) {
  ping_pong(true, 10000);
  ping_pong(false, 5000);
}

/* ---- The same in bursts: full rings, frames of several pieces, and every way to wait ---- */

#define BUSY_FRAMES 30000u
#define BUSY_TAIL 50000u
#define STALLED_NS UINT64_C(800000000)

struct busy {
  struct nr_port *port;
  uint32_t state;
  unsigned sent;
  unsigned received;
};

static void busy_pause(struct busy *busy) {
  for (volatile uint32_t i = random_next(&busy->state) % (busy->sent % 8 == 0 ? 20000 : 100); i > 0; i = i - 1) {
  }
}

/* The last frame of a burst says so; it is the other side's turn then. */
static void busy_burst(struct busy *busy) {
  static const uint8_t bytes[BUSY_TAIL];
  unsigned count = random_next(&busy->state) % 10 == 0 ? 200 : 1 + random_next(&busy->state) % 3;
  for (unsigned i = 1; i <= count; i++) {
    struct nr_frame_header header = {.kind = NR_KIND_POST, .sequence = busy->sent++, .flags = i == count};
    uint32_t length = random_next(&busy->state) % (busy->sent % 50 == 0 ? BUSY_TAIL : 300);
    struct nr_slice tail = {bytes, length};
    uint64_t start = nr_now_ns();
    cr_assert_eq(nr_port_send(busy->port, &header, NULL, &tail, 1), 0);
    cr_assert_lt(nr_now_ns() - start, STALLED_NS, "a wake-up for space was lost");
  }
}

static void busy_wait(struct busy *busy) {
  uint64_t start = nr_now_ns();
  struct pollfd bell = {.fd = nr_port_doorbell(busy->port), .events = POLLIN};
  unsigned way = random_next(&busy->state) % 3;
  if (way == 0)
    cr_assert_eq(nr_port_wait(busy->port, 0), 0);
  else if (way == 1)
    cr_assert_eq(nr_port_wait_poll(busy->port, NULL, 0, -1), 0);
  else if (nr_port_sleep_on_doorbell(busy->port, true))
    cr_assert_eq(poll(&bell, 1, 1000), 1);
  cr_assert_lt(nr_now_ns() - start, STALLED_NS, "a wake-up was lost");
}

/* Both sides stop when they have answered the turn in which this many frames had been received. */
static void *busy_run(void *argument) {
  struct busy *busy = argument;
  struct nr_arena *arena = nr_arena_create(4 << 20);
  struct nr_frame frame = {.header = {.flags = 0}};
  bool ended = false;
  while (!ended) {
    struct nr_arena_mark mark = nr_arena_mark(arena);
    int error = nr_port_try_receive(busy->port, arena, &frame);
    nr_arena_release(arena, mark);
    if (error == -EAGAIN) {
      busy_wait(busy);
      continue;
    }
    cr_assert_eq(error, 0);
    cr_assert_eq(frame.header.sequence, busy->received++);
    ended = frame.header.flags == 2;
    if (frame.header.flags != 1) continue;
    busy_pause(busy);
    if (busy->received < BUSY_FRAMES) {
      busy_burst(busy);
      continue;
    }
    struct nr_frame_header last = {.kind = NR_KIND_POST, .sequence = busy->sent++, .flags = 2};
    cr_assert_eq(nr_port_send(busy->port, &last, NULL, NULL, 0), 0);
    ended = true;
  }
  nr_arena_destroy(arena);
  return NULL;
}

static void busy_conversation(bool spins, uint32_t seed) {
  struct pair pair = pair_create(SMALL_RING);
  struct busy here = {.port = pair.a, .state = seed}, there = {.port = pair.b, .state = seed + 100};
  pthread_t thread;
  pair_spins(pair, spins);
  pthread_create(&thread, NULL, busy_run, &there);
  busy_burst(&here);
  busy_run(&here);
  pthread_join(thread, NULL);
  pair_destroy(pair);
}

Test(wait, a_busy_conversation, .timeout = 120) {
  for (uint32_t seed = 1; seed <= 4; seed++) busy_conversation(seed % 2 != 0, seed);
}
