/*
 * Feeds a hostile ring to a port. The input becomes the bytes of the peer's ring, wherever the port reads them first,
 * behind a few control words; then frames are received, unpacked and printed until the port has had enough.
 *
 * Input: read index (8 bytes), sleeping, starved (4 each), starting line (2), then the ring's contents.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host_ring.h"
#include "opcodes.h"
#include "wire/message.h"
#include "wire/print.h"
#include "wire/wire-private.h"

#define ARENA_CAP ((size_t)64 << 20)

static struct host_ring ring;
static struct nr_arena *arena;

static void set_up(void) {
  ring = host_ring_create(NR_RING_SIZE_MIN);
  arena = nr_arena_create(ARENA_CAP);
}

static struct nr_port *port_create(void) {
  struct nr_port *port;
  if (nr_port_create(&port, NR_RING_SIZE_MIN) != 0) abort();
  int doorbell, knob;
  if (nr_doorbells_create(&doorbell, &knob) != 0) abort();
  if (nr_port_connect(port, dup(ring.memfd), doorbell, knob) != 0) abort();
  port->cpus = 1;
  /* A frame that never ends must not stop the fuzzer: this moment has passed already. */
  port->piece_deadline_ns = 1;
  return port;
}

/* Writes the input into the ring, around its end when it starts late. */
static void fill_ring(const uint8_t *data, size_t size, uint64_t start) {
  memset(ring.bytes, 0, NR_RING_SIZE_MIN);
  if (size > NR_RING_SIZE_MIN - NR_CACHE_LINE) size = NR_RING_SIZE_MIN - NR_CACHE_LINE;
  size_t first = NR_RING_SIZE_MIN - start < size ? NR_RING_SIZE_MIN - start : size;
  memcpy(ring.bytes + start, data, first);
  memcpy(ring.bytes, data + first, size - first);
}

static void unpack(const struct nr_frame *frame, const ProtobufCMessageDescriptor *type) {
  char text[512];
  ProtobufCMessage *message = nr_message_unpack(arena, type, frame->message, frame->header.message_length);
  if (message) nr_print_message(text, sizeof text, message, frame->tail, frame->header.tail_length);
}

/* As the server takes what comes from the host, and as the host takes what comes from the server: calls are the one's,
 * entries the other's, and so are their answers. */
static void look_at(const struct nr_frame *frame) {
  const struct nr_op_info *info = nr_op_info(frame->header.opcode);
  if (!info) info = nr_op_info(NR_OP_INVOKE);
  unpack(frame, info->request);
  unpack(frame, info->reply);
  /* Touch all of the tail: it must be there. */
  volatile uint8_t sum = 0;
  for (uint32_t i = 0; i < frame->header.tail_length; i += 61) sum = (uint8_t)(sum + frame->tail[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint16_t line;
  const size_t control_words = 8 + 4 + 4 + 2;
  if (!ring.control) set_up();
  if (size < control_words) return 0;
  memcpy(&ring.control->read_index, data, 8);
  memcpy(&ring.control->sleeping, data + 8, 4);
  memcpy(&ring.control->starved, data + 12, 4);
  memcpy(&line, data + 16, 2);
  uint64_t start = (uint64_t)(line % (NR_RING_SIZE_MIN / NR_CACHE_LINE)) * NR_CACHE_LINE;
  fill_ring(data + control_words, size - control_words, start);
  struct nr_port *port = port_create();
  port->read = start;
  const struct nr_arena_mark mark = nr_arena_mark(arena);
  const struct nr_frame_header header = {.kind = NR_KIND_POST};
  for (unsigned i = 0; i < 64; i++) {
    struct nr_frame frame;
    /* The backlog takes a way of its own. */
    if (i % 4 == 3 && nr_backlog_take(port) < 0) break;
    if (nr_port_try_receive(port, arena, &frame) != 0) break;
    look_at(&frame);
    nr_arena_release(arena, mark);
    if (nr_port_send(port, &header, NULL, NULL, 0) != 0) break;
  }
  nr_arena_release(arena, mark);
  nr_port_destroy(port);
  return 0;
}
