/*
 * Frames through the ring: wrap-around, every size, a full ring, oversized frames in both directions at once.
 */
#include "ports.h"
#include "wire/message.h"

#define ARGS_MAX 40u
#define ARENA_CAP ((size_t)64 << 20)

/* A frame whose contents follow from its number. */
struct letter {
  struct sample message;
  uint64_t args[ARGS_MAX];
  uint8_t *tail;
  size_t tail_length;
};

static void letter_make(struct letter *letter, uint32_t number, size_t tail_length) {
  uint32_t state = number * 2654435761u + 1;
  letter->message = sample_make();
  letter->message.sample_id = number + 1;
  letter->message.n_values = random_next(&state) % ARGS_MAX;
  letter->message.values = letter->args;
  for (size_t i = 0; i < ARGS_MAX; i++) letter->args[i] = (uint64_t)random_next(&state) << 20;
  letter->tail = malloc(tail_length + 1);
  letter->tail_length = tail_length;
  for (size_t i = 0; i < tail_length; i++) letter->tail[i] = (uint8_t)random_next(&state);
}

static int letter_send(struct nr_port *port, uint32_t number, size_t tail_length) {
  struct letter letter;
  letter_make(&letter, number, tail_length);
  struct nr_frame_header header = {
      .kind = NR_KIND_POST, .opcode = (uint16_t)number, .sequence = number, .env = 5, .depth = 9};
  /* In pieces, one of them empty. */
  struct nr_slice slices[3] = {
      {letter.tail, tail_length / 3}, {NULL, 0}, {letter.tail + tail_length / 3, tail_length - tail_length / 3}};
  int error = nr_port_send(port, &header, &letter.message.base, slices, 3);
  free(letter.tail);
  return error;
}

static void letter_check(struct nr_arena *arena, const struct nr_frame *frame, uint32_t number, size_t tail_length) {
  struct letter letter;
  letter_make(&letter, number, tail_length);
  cr_assert_eq(frame->header.sequence, number);
  cr_assert_eq(frame->header.opcode, (uint16_t)number);
  cr_assert_eq(frame->header.kind, NR_KIND_POST);
  cr_assert_eq(frame->header.env, 5);
  cr_assert_eq(frame->header.depth, 9);
  cr_assert_eq(frame->header.tail_length, tail_length);
  struct sample *message = nr_message_unpack(arena, &sample_descriptor, frame->message, frame->header.message_length);
  cr_assert_not_null(message);
  cr_assert_eq(message->sample_id, letter.message.sample_id);
  cr_assert_eq(message->n_values, letter.message.n_values);
  for (size_t i = 0; i < message->n_values; i++) cr_assert_eq(message->values[i], letter.args[i]);
  cr_assert_eq(memcmp(frame->tail, letter.tail, tail_length), 0);
  if (tail_length > 0) cr_assert_eq((uintptr_t)frame->tail % 8, 0);
  free(letter.tail);
}

static void expect(struct nr_port *port, struct nr_arena *arena, uint32_t number, size_t tail_length) {
  struct nr_arena_mark mark = nr_arena_mark(arena);
  struct nr_frame frame;
  int error;
  while ((error = nr_port_try_receive(port, arena, &frame)) == -EAGAIN) cr_assert_eq(nr_port_wait(port, 0), 0);
  cr_assert_eq(error, 0, "frame %u: %d", number, error);
  letter_check(arena, &frame, number, tail_length);
  nr_arena_release(arena, mark);
}

Test(ring, an_empty_frame) {
  struct pair pair = pair_create(SMALL_RING);
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  struct nr_frame_header header = {
      .kind = NR_KIND_CALL, .flags = NR_FLAG_PLAIN, .status = 7, .reserved = 99, .commit = 99};
  struct nr_frame frame;
  cr_assert_eq(nr_port_try_receive(pair.b, arena, &frame), -EAGAIN);
  cr_assert_eq(nr_port_send(pair.a, &header, NULL, NULL, 0), 0);
  cr_assert_eq(nr_port_try_receive(pair.b, arena, &frame), 0);
  cr_assert_eq(frame.header.kind, NR_KIND_CALL);
  cr_assert_eq(frame.header.flags, NR_FLAG_PLAIN);
  cr_assert_eq(frame.header.status, 7);
  cr_assert_eq(frame.header.message_length, 0);
  cr_assert_eq(frame.header.reserved, 0);
  cr_assert_not_null(frame.message);
  cr_assert_not_null(nr_frame_bytes(&frame, nr_span_make(0, 0)));
  cr_assert_eq(nr_port_try_receive(pair.b, arena, &frame), -EAGAIN);
  cr_assert_eq(nr_port_counts(pair.a).frames_sent, 1);
  cr_assert_eq(nr_port_counts(pair.b).frames_received, 1);
  nr_arena_destroy(arena);
  pair_destroy(pair);
}

Test(ring, all_sizes_around_the_ring) {
  struct pair pair = pair_create(SMALL_RING);
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  uint32_t number = 0;
  for (size_t length = 0; length < 1500; length++, number++) {
    cr_assert_eq(letter_send(pair.a, number, length), 0);
    expect(pair.b, arena, number, length);
  }
  /* Across the size of a piece, and up to three of them, which fit into the ring together. */
  for (size_t length = 1500; length < SMALL_RING / 4 * 3 - 1000; length += 97, number++) {
    cr_assert_eq(letter_send(pair.b, number, length), 0);
    expect(pair.a, arena, number, length);
  }
  for (size_t length = SMALL_RING / 4 - 600; length < SMALL_RING / 4 + 100; length++, number++) {
    cr_assert_eq(letter_send(pair.a, number, length), 0);
    expect(pair.b, arena, number, length);
  }
  nr_arena_destroy(arena);
  pair_destroy(pair);
}

Test(ring, many_at_once_at_every_position) {
  struct pair pair = pair_create(SMALL_RING);
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  uint32_t sent = 0, received = 0, state = 1;
  for (int round = 0; round < 300; round++) {
    unsigned burst = random_next(&state) % 40;
    for (unsigned i = 0; i < burst; i++, sent++) cr_assert_eq(letter_send(pair.a, sent, sent * 31 % 1100), 0);
    for (unsigned i = 0; i < burst; i++, received++) expect(pair.b, arena, received, received * 31 % 1100);
  }
  nr_arena_destroy(arena);
  pair_destroy(pair);
}

Test(ring, too_large) {
  struct pair pair = pair_create(SMALL_RING);
  struct nr_frame_header header = {.kind = NR_KIND_CALL};
  struct nr_slice slices[2] = {{"", NR_TAIL_MAX}, {"", 1}};
  cr_assert_eq(nr_port_send(pair.a, &header, NULL, slices, 2), -EMSGSIZE);
  slices[0].length = SIZE_MAX;
  cr_assert_eq(nr_port_send(pair.a, &header, NULL, slices, 2), -EMSGSIZE);
  cr_assert_eq(nr_port_failure(pair.a), 0, "not the port's fault");
  pair_destroy(pair);
}

Test(ring, the_arena_that_is_too_small) {
  struct pair pair = pair_create(SMALL_RING);
  struct nr_arena *arena = nr_arena_create(4096);
  struct nr_frame frame;
  cr_assert_eq(letter_send(pair.a, 1, 5000), 0);
  cr_assert_eq(nr_port_try_receive(pair.b, arena, &frame), -ENOMEM);
  cr_assert_eq(nr_port_try_receive(pair.b, arena, &frame), -ENOMEM);
  cr_assert_eq(nr_port_failure(pair.b), -ENOMEM);
  nr_arena_destroy(arena);
  pair_destroy(pair);
}

/* ---- Two threads ---- */

struct sender {
  struct nr_port *port;
  uint32_t count;
  size_t (*length)(uint32_t number);
  int result;
};

static void *send_all(void *argument) {
  struct sender *sender = argument;
  for (uint32_t i = 0; i < sender->count && sender->result == 0; i++)
    sender->result = letter_send(sender->port, i, sender->length(i));
  return NULL;
}

static void expect_all(struct nr_port *port, uint32_t count, size_t (*length)(uint32_t number)) {
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  for (uint32_t i = 0; i < count; i++) expect(port, arena, i, length(i));
  nr_arena_destroy(arena);
}

static size_t mixed_length(uint32_t number) {
  return number % 50 == 0 ? number * 13 % 100000 : number * 7 % 900;
}

static size_t kilobyte(uint32_t number) {
  return 1000 + number % 8;
}

static size_t oversized_length(uint32_t number) {
  return (size_t)SMALL_RING * (2 + number % 4) + number;
}

static void one_way(bool spins, uint32_t count, size_t (*length)(uint32_t number), unsigned delay_ms) {
  struct pair pair = pair_create(SMALL_RING);
  struct sender sender = {.port = pair.a, .count = count, .length = length};
  pthread_t thread;
  pair_spins(pair, spins);
  pthread_create(&thread, NULL, send_all, &sender);
  sleep_ms(delay_ms);
  expect_all(pair.b, count, length);
  pthread_join(thread, NULL);
  cr_assert_eq(sender.result, 0);
  pair_destroy(pair);
}

Test(ring, a_stream_of_mixed_sizes, .timeout = 60) {
  one_way(true, 20000, mixed_length, 0);
}

Test(ring, a_stream_without_spinning, .timeout = 60) {
  one_way(false, 5000, mixed_length, 0);
}

Test(ring, a_full_ring_waits_for_its_reader, .timeout = 60) {
  one_way(true, 500, kilobyte, 50);
  one_way(false, 500, kilobyte, 50);
}

Test(ring, oversized_frames, .timeout = 60) {
  one_way(true, 30, oversized_length, 0);
  one_way(false, 30, oversized_length, 20);
}

struct talker {
  struct nr_port *port;
  uint32_t count;
  uint32_t burst;
  size_t (*length)(uint32_t number);
};

/* Sends a burst, then receives one, so that both sides are writing at the same time. */
static void *talk(void *argument) {
  struct talker *talker = argument;
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  for (uint32_t first = 0; first < talker->count; first += talker->burst) {
    for (uint32_t i = first; i < first + talker->burst; i++)
      cr_assert_eq(letter_send(talker->port, i, talker->length(i)), 0);
    for (uint32_t i = first; i < first + talker->burst; i++) expect(talker->port, arena, i, talker->length(i));
  }
  nr_arena_destroy(arena);
  return NULL;
}

static void both_ways(bool spins, uint32_t count, uint32_t burst, size_t (*length)(uint32_t number)) {
  struct pair pair = pair_create(SMALL_RING);
  struct talker here = {pair.a, count, burst, length}, there = {pair.b, count, burst, length};
  pthread_t thread;
  pair_spins(pair, spins);
  pthread_create(&thread, NULL, talk, &there);
  talk(&here);
  pthread_join(thread, NULL);
  pair_destroy(pair);
}

Test(ring, oversized_frames_in_both_directions_at_once, .timeout = 60) {
  both_ways(true, 20, 1, oversized_length);
  both_ways(false, 20, 2, oversized_length);
}

Test(ring, two_senders_do_not_block_each_other, .timeout = 60) {
  both_ways(true, 2000, 500, kilobyte);
  both_ways(false, 2000, 500, kilobyte);
  both_ways(true, 10000, 1000, mixed_length);
}

Test(ring, what_was_announced_has_come_with_any_frame_but_a_post) {
  static const unsigned kinds[] = {NR_KIND_CALL, NR_KIND_REPLY, NR_KIND_POST, NR_KIND_ENTER, NR_KIND_RETURN};
  struct pair pair = pair_create(NR_RING_SIZE_MIN);
  struct nr_arena *arena = nr_arena_create(ARENA_CAP);
  for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    struct nr_frame_header header = {.kind = (uint8_t)kinds[i]};
    struct nr_frame frame;
    nr_port_expect(pair.b);
    cr_assert_eq(nr_port_send(pair.a, &header, NULL, NULL, 0), 0);
    cr_assert_eq(nr_port_try_receive(pair.b, arena, &frame), 0);
    cr_assert_eq(pair.b->expects, kinds[i] == NR_KIND_POST, "%s", nr_kind_name(kinds[i]));
  }
  nr_arena_destroy(arena);
  pair_destroy(pair);
}
