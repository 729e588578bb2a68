/*
 * What a hostile peer can put into its pages: every lie ends in -EPROTO, once and for good.
 */
#include "ports.h"

#include <poll.h>
#include <sys/socket.h>

#define PIECE_LINES (SMALL_RING / 4 / NR_CACHE_LINE)
#define PIECE_ROOM (SMALL_RING / 4 - 32)

static void refused(struct nr_frame_header header) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  hostile_put(&hostile, header, 1);
  cr_assert_eq(hostile_receive(&hostile, &frame), -EPROTO);
  cr_assert_eq(hostile_receive(&hostile, &frame), -EPROTO, "it is sticky");
  cr_assert_eq(nr_port_failure(hostile.port), -EPROTO);
  hostile_destroy(&hostile);
}

Test(hostile, an_honest_frame_is_taken) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  hostile_put(&hostile,
              (struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .message_length = 3, .tail_length = 24}, 1);
  cr_assert_eq(hostile_receive(&hostile, &frame), 0);
  cr_assert_eq(frame.header.tail_length, 24);
  cr_assert_eq(frame.tail, frame.message + 8);
  cr_assert_eq(hostile_receive(&hostile, &frame), -EAGAIN);
  hostile_destroy(&hostile);
}

Test(hostile, commit_words) {
  refused((struct nr_frame_header){.commit = 2, .kind = NR_KIND_POST});
  refused((struct nr_frame_header){.commit = PIECE_LINES, .kind = NR_KIND_POST});
  refused((struct nr_frame_header){.commit = PIECE_LINES + 1, .kind = NR_KIND_POST, .message_length = PIECE_ROOM + 1});
  refused((struct nr_frame_header){
      .commit = SMALL_RING / NR_CACHE_LINE + 1, .kind = NR_KIND_POST, .tail_length = SMALL_RING});
  refused((struct nr_frame_header){.commit = UINT32_MAX, .kind = NR_KIND_POST});
  refused((struct nr_frame_header){.commit = UINT32_C(1) << 31, .kind = NR_KIND_POST});
}

Test(hostile, lengths) {
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .message_length = 33});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .message_length = 25, .tail_length = 1});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .message_length = NR_MESSAGE_MAX + 1});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .message_length = UINT32_MAX});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .tail_length = UINT32_MAX});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .tail_length = NR_TAIL_MAX + 1});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .tail_length = NR_TAIL_MAX});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .message_length = UINT32_MAX, .tail_length = 1});
}

Test(hostile, kinds_and_reserved) {
  refused((struct nr_frame_header){.commit = 1, .kind = 0});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_CONTINUE + 1});
  refused((struct nr_frame_header){.commit = 1, .kind = 255});
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST, .reserved = 1});
}

Test(hostile, a_continuation_without_a_start) {
  refused((struct nr_frame_header){.commit = 1, .kind = NR_KIND_CONTINUE, .message_length = 8});
}

/* The second piece of a frame of PIECE_ROOM + 100 bytes. */
static void refused_second(struct nr_frame_header second) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  hostile_put(&hostile,
              (struct nr_frame_header){.commit = PIECE_LINES, .kind = NR_KIND_CALL, .message_length = PIECE_ROOM + 100},
              PIECE_LINES);
  hostile_put(&hostile, second, 3);
  cr_assert_eq(hostile_receive(&hostile, &frame), -EPROTO);
  hostile_destroy(&hostile);
}

Test(hostile, wrong_continuations) {
  refused_second((struct nr_frame_header){.commit = 3, .kind = NR_KIND_CALL, .message_length = 100});
  refused_second((struct nr_frame_header){.commit = 3, .kind = NR_KIND_CONTINUE, .message_length = 99});
  refused_second((struct nr_frame_header){.commit = 3, .kind = NR_KIND_CONTINUE, .message_length = 101});
  refused_second((struct nr_frame_header){.commit = 1, .kind = NR_KIND_CONTINUE});
  refused_second((struct nr_frame_header){.commit = 3, .kind = NR_KIND_CONTINUE, .message_length = UINT32_MAX});
  refused_second((struct nr_frame_header){.commit = 2, .kind = NR_KIND_CONTINUE, .message_length = 100});
  refused_second((struct nr_frame_header){.commit = PIECE_LINES + 1, .kind = NR_KIND_CONTINUE, .message_length = 100});
  refused_second(
      (struct nr_frame_header){.commit = 3, .kind = NR_KIND_CONTINUE, .message_length = 100, .tail_length = 1});
}

Test(hostile, a_right_continuation) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  hostile_put(&hostile,
              (struct nr_frame_header){.commit = PIECE_LINES, .kind = NR_KIND_CALL, .message_length = PIECE_ROOM + 100},
              PIECE_LINES);
  hostile_put(&hostile, (struct nr_frame_header){.commit = 3, .kind = NR_KIND_CONTINUE, .message_length = 100}, 3);
  cr_assert_eq(hostile_receive(&hostile, &frame), 0);
  cr_assert_eq(frame.header.message_length, PIECE_ROOM + 100);
  hostile_destroy(&hostile);
}

Test(hostile, a_claim_of_three_gigabytes_costs_nothing, .timeout = 20) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  nr_arena_destroy(hostile.arena);
  hostile.arena = nr_arena_create((size_t)4 << 30);
  hostile.port->piece_deadline_ns = nr_now_ns() + 50000000;
  hostile_put(&hostile,
              (struct nr_frame_header){.commit = PIECE_LINES, .kind = NR_KIND_CALL, .tail_length = NR_TAIL_MAX},
              PIECE_LINES);
  cr_assert_eq(hostile_receive(&hostile, &frame), -ETIMEDOUT);
  hostile_destroy(&hostile);
}

/* ---- The control words ---- */

static int send_until_full(struct hostile *hostile) {
  static const uint8_t bytes[4096];
  const struct nr_frame_header header = {.kind = NR_KIND_POST};
  const struct nr_slice tail = {bytes, sizeof bytes};
  int error = 0;
  for (unsigned i = 0; i < SMALL_RING / 4096 && error == 0; i++)
    error = nr_port_send(hostile->port, &header, NULL, &tail, 1);
  return error;
}

Test(hostile, read_indexes) {
  static const uint64_t indexes[] = {
      1, 32, SMALL_RING, SMALL_RING * 2, UINT64_MAX, UINT64_C(1) << 63, UINT64_C(0) - 64};
  for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
    struct hostile hostile = hostile_create();
    hostile.control->read_index = indexes[i];
    cr_assert_eq(send_until_full(&hostile), -EPROTO, "%zu", i);
    hostile_destroy(&hostile);
  }
}

Test(hostile, a_read_index_that_goes_back) {
  struct hostile hostile = hostile_create();
  const struct nr_frame_header header = {.kind = NR_KIND_POST};
  for (int i = 0; i < 100; i++) cr_assert_eq(nr_port_send(hostile.port, &header, NULL, NULL, 0), 0);
  hostile.control->read_index = 6400;
  cr_assert_eq(nr_ring_refresh(hostile.port), 0);
  hostile.control->read_index = 6336;
  cr_assert_eq(nr_ring_refresh(hostile.port), -EPROTO);
  hostile_destroy(&hostile);
}

Test(hostile, sleeping_and_starved_words_are_harmless) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  const struct nr_frame_header header = {.kind = NR_KIND_POST};
  for (uint32_t word = 0; word < 200; word++) {
    hostile.control->sleeping = word * 0x1234567;
    hostile.control->starved = word * 0x7654321;
    cr_assert_eq(nr_port_send(hostile.port, &header, NULL, NULL, 0), 0);
    hostile_put(&hostile, (struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST}, 1);
    cr_assert_eq(hostile_receive(&hostile, &frame), 0);
  }
  hostile_destroy(&hostile);
}

Test(hostile, scribbling_over_our_pages_is_harmless) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  /* A peer may map our memfd writable as well. */
  size_t size = NR_CONTROL_SIZE + SMALL_RING;
  uint8_t *ours = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, nr_port_memfd(hostile.port), 0);
  cr_assert_neq(ours, MAP_FAILED);
  const struct nr_frame_header header = {.kind = NR_KIND_POST};
  for (int i = 0; i < 100; i++) {
    memset(ours, 0xff - i, size);
    cr_assert_eq(nr_port_send(hostile.port, &header, NULL, NULL, 0), 0);
    hostile_put(&hostile, (struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST}, 1);
    cr_assert_eq(hostile_receive(&hostile, &frame), 0);
  }
  munmap(ours, size);
  hostile_destroy(&hostile);
}

/* ---- The doorbells ---- */

Test(hostile, doorbells_that_the_peer_makes_blocking_do_not_block_us, .timeout = 20) {
  struct hostile hostile = hostile_create();
  fcntl(hostile.doorbell, F_SETFL, fcntl(hostile.doorbell, F_GETFL) & ~O_NONBLOCK);
  for (int i = 0; i < 10000; i++) nr_port_ring(hostile.port); /* until it is full */
  nr_port_hear(hostile.port);                                 /* nobody has rung */
  for (int i = 0; i < 10000; i++) nr_port_wake(hostile.port);
  cr_assert_eq(nr_port_wait_poll(hostile.port, NULL, 0, -1), 0);
  cr_assert_eq(nr_port_failure(hostile.port), 0);
  hostile_destroy(&hostile);
}

Test(hostile, a_doorbell_that_the_peer_shuts_fails_the_port) {
  struct hostile hostile = hostile_create();
  shutdown(hostile.doorbell, SHUT_WR);
  nr_port_hear(hostile.port);
  cr_assert_eq(nr_port_failure(hostile.port), -EPROTO);
  hostile_destroy(&hostile);
}

Test(hostile, a_doorbell_that_the_peer_floods_is_heard_in_bounded_time, .timeout = 20) {
  struct hostile hostile = hostile_create();
  static const char noise[1 << 16];
  while (send(hostile.doorbell, noise, sizeof noise, MSG_DONTWAIT) > 0) continue;
  nr_port_hear(hostile.port);
  cr_assert_eq(nr_port_failure(hostile.port), 0);
  struct pollfd poll_fd = {.fd = nr_port_doorbell(hostile.port), .events = POLLIN};
  cr_assert_eq(poll(&poll_fd, 1, 0), 1, "what is left rings again");
  hostile_destroy(&hostile);
}

Test(hostile, a_port_that_has_failed_is_retired) {
  struct hostile hostile = hostile_create();
  struct nr_frame frame;
  const struct nr_frame_header header = {.kind = NR_KIND_POST};
  nr_port_fail(hostile.port, EPIPE);
  nr_port_retire(hostile.port);
  nr_port_retire(hostile.port);
  cr_assert_eq(nr_port_doorbell(hostile.port), -1);
  cr_assert_eq(nr_port_send(hostile.port, &header, NULL, NULL, 0), -EPIPE);
  cr_assert_eq(hostile_receive(&hostile, &frame), -EPIPE);
  cr_assert_eq(nr_port_wait(hostile.port, 0), -EPIPE);
  cr_assert_eq(nr_port_wait_poll(hostile.port, NULL, 0, -1), -EPIPE);
  cr_assert(!nr_port_has_room(hostile.port, 1));
  cr_assert(!nr_port_sleep_on_doorbell(hostile.port, true));
  nr_port_ring(hostile.port);
  nr_port_wake(hostile.port);
  hostile_destroy(&hostile);
}

/* ---- A peer that sends and never reads ---- */

struct flood {
  struct hostile *hostile;
  int result;
};

static void *send_blocked(void *argument) {
  struct flood *flood = argument;
  flood->result = send_until_full(flood->hostile);
  if (flood->result == 0) flood->result = send_until_full(flood->hostile);
  return NULL;
}

Test(hostile, a_flood_while_we_wait_for_space, .timeout = 60) {
  struct hostile hostile = hostile_create();
  struct flood flood = {.hostile = &hostile};
  const struct nr_control *control = hostile_map(dup(nr_port_memfd(hostile.port)), NR_CONTROL_SIZE + SMALL_RING);
  pthread_t thread;
  pthread_create(&thread, NULL, send_blocked, &flood);
  uint64_t sent = 0;
  uint32_t woken = 0;
  while (nr_port_failure(hostile.port) == 0 && sent < NR_BACKLOG_FRAMES * 2) {
    /* A port that sleeps looks when our read index moves: by a line at a time, so that there is hardly ever space for
     * it. */
    if (hostile.written - __atomic_load_n(&control->read_index, __ATOMIC_ACQUIRE) > SMALL_RING / 2) {
      uint32_t starved = __atomic_load_n(&control->starved, __ATOMIC_ACQUIRE);
      if (starved % 2 != 0 && starved != woken) {
        woken = starved;
        __atomic_add_fetch(&hostile.control->read_index, NR_CACHE_LINE, __ATOMIC_SEQ_CST);
        nr_futex_wake((const uint32_t *)(const void *)&hostile.control->read_index);
      }
      sched_yield();
      continue;
    }
    hostile_put(&hostile, (struct nr_frame_header){.commit = 1, .kind = NR_KIND_POST}, 1);
    sent++;
  }
  pthread_join(thread, NULL);
  cr_assert_eq(flood.result, -EPROTO);
  cr_assert_geq(sent, NR_BACKLOG_FRAMES);
  hostile_destroy(&hostile);
}

/* ---- memfds ---- */

static int connect_to(int memfd) {
  struct nr_port *port;
  cr_assert_eq(nr_port_create(&port, SMALL_RING), 0);
  int ends[2];
  cr_assert_eq(nr_doorbells_create(&ends[0], &ends[1]), 0);
  int error = nr_port_connect(port, memfd, ends[0], ends[1]);
  nr_port_destroy(port);
  return error;
}

Test(hostile, seals) {
  size_t size = NR_CONTROL_SIZE + SMALL_RING;
  static const unsigned seals[] = {0, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_GROW | F_SEAL_SEAL};
  for (size_t i = 0; i < sizeof seals / sizeof *seals; i++) {
    int memfd = hostile_memfd(size, seals[i]);
    munmap(hostile_map(memfd, size), size);
    cr_assert_eq(connect_to(memfd), -EPROTO);
  }
  int memfd = hostile_memfd(size, SEALS);
  munmap(hostile_map(memfd, size), size);
  cr_assert_eq(connect_to(memfd), 0);
}

Test(hostile, sizes) {
  static const size_t sizes[] = {0,
                                 1,
                                 4096,
                                 NR_CONTROL_SIZE,
                                 NR_CONTROL_SIZE + SMALL_RING - 4096,
                                 NR_CONTROL_SIZE + SMALL_RING + 4096,
                                 NR_CONTROL_SIZE + (size_t)NR_RING_SIZE_MAX * 2,
                                 (size_t)1 << 40};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    int memfd = hostile_memfd(sizes[i], SEALS);
    if (sizes[i] >= NR_CONTROL_SIZE) {
      struct nr_control *control = hostile_map(memfd, NR_CONTROL_SIZE);
      control->ring_size = (uint32_t)(sizes[i] - NR_CONTROL_SIZE);
      munmap(control, NR_CONTROL_SIZE);
    }
    cr_assert_eq(connect_to(memfd), -EPROTO, "%zu", sizes[i]);
  }
}

Test(hostile, magic_version_and_ring_size) {
  size_t size = NR_CONTROL_SIZE + SMALL_RING;
  for (int i = 0; i < 4; i++) {
    int memfd = hostile_memfd(size, SEALS);
    struct nr_control *control = hostile_map(memfd, size);
    if (i == 0) control->magic++;
    if (i == 1) control->version++;
    if (i == 2) control->ring_size *= 2;
    if (i == 3) control->ring_size = 0;
    munmap(control, size);
    cr_assert_eq(connect_to(memfd), -EPROTO);
  }
}

Test(hostile, things_that_are_no_memfd) {
  cr_assert_eq(connect_to(open("/dev/zero", O_RDWR)), -EPROTO);
  cr_assert_eq(connect_to(event_fd()), -EPROTO);
  cr_assert_eq(connect_to(open("/proc/self/exe", O_RDONLY)), -EPROTO);
  cr_assert_eq(connect_to(-1), -EPROTO);
}

Test(hostile, bad_ring_sizes_of_our_own) {
  struct nr_port *port;
  cr_assert_eq(nr_port_create(&port, 0), -EINVAL);
  cr_assert_eq(nr_port_create(&port, SMALL_RING / 2), -EINVAL);
  cr_assert_eq(nr_port_create(&port, SMALL_RING + 64), -EINVAL);
  cr_assert_eq(nr_port_create(&port, UINT32_C(1) << 31), -EINVAL);
  cr_assert_null(port);
}

Test(hostile, a_port_is_connected_once) {
  struct pair pair = pair_create(SMALL_RING);
  cr_assert_eq(nr_port_connect(pair.a, dup(nr_port_memfd(pair.b)), event_fd(), event_fd()), -EISCONN);
  pair_destroy(pair);
}
