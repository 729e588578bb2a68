/*
 * Frames that are not due, and lies beside the frames: indices, sleep words, the other side's memory, doorbells.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "faults.h"
#include "opcodes.h"

#define FLOOD 200000u

int __real_nr_port_connect(struct nr_port *port, int peer_memfd, int doorbell, int knob);
int __wrap_nr_port_connect(struct nr_port *port, int peer_memfd, int doorbell, int knob);

int nr_peer_memfd = -1;

int __wrap_nr_port_connect(struct nr_port *port, int peer_memfd, int doorbell, int knob) {
  nr_peer_memfd = fcntl(peer_memfd, F_DUPFD_CLOEXEC, 900);
  return __real_nr_port_connect(port, peer_memfd, doorbell, knob);
}

/* A well-formed frame out of nowhere. */
static int send_unasked(struct nr_outgoing *frame) {
  static const uint8_t kinds[] = {NR_KIND_REPLY, NR_KIND_RETURN, NR_KIND_ENTER, NR_KIND_RETURN, NR_KIND_CONTINUE};
  struct nr_outgoing unasked = *frame;
  unasked.header.kind = kinds[nr_random(frame) % sizeof kinds];
  unasked.header.opcode = (uint16_t)(0x300 + nr_random(frame) % 16);
  unasked.header.depth = (uint16_t)(unasked.header.depth + nr_random(frame) % 3 - 1);
  unasked.header.sequence = (uint32_t)(unasked.header.sequence + nr_random(frame) % 3 - 1);
  unasked.message = NULL;
  unasked.tail_count = 0;
  int error = nr_send(&unasked);
  return error == 0 ? nr_send(frame) : error;
}

static int send_noise(struct nr_outgoing *frame) {
  uint8_t noise[1000];
  struct nr_frame_header header;
  for (size_t i = 0; i < sizeof noise; i++) noise[i] = (uint8_t)nr_random(frame);
  memcpy(&header, noise + 100, sizeof header);
  if (nr_random(frame) % 2 == 0) header.commit = nr_ring_lines(sizeof noise);
  return nr_send_raw(frame, &header, noise, sizeof noise);
}

/* Posts that are right, in an env that is there: as many as asked for. */
static int flood(struct nr_outgoing *frame, uint32_t count, bool endless) {
  struct nr_outgoing post = *frame;
  post.header.kind = NR_KIND_POST;
  post.header.opcode = NR_OP_NAPI_DELETE_REFERENCE;
  post.header.sequence = 0;
  if (post.header.env == 0) post.header.env = 1;
  if (frame->header.kind == NR_KIND_RETURN) post.header.depth++;
  post.message = NULL;
  post.tail_count = 0;
  for (uint32_t i = 0; endless || i < count; i++) {
    int error = nr_send(&post);
    if (error != 0) return error;
  }
  return nr_send(frame);
}

static int lie_about_reading(struct nr_outgoing *frame) {
  struct nr_control *control = frame->port->own.control;
  uint64_t wrong = nr_wrong_number(frame, frame->port->read);
  __atomic_store_n(&control->read_index, wrong, __ATOMIC_SEQ_CST);
  frame->port->read = wrong & ~(uint64_t)63;
  return nr_send(frame);
}

static int lie_about_sleeping(struct nr_outgoing *frame) {
  struct nr_control *control = frame->port->own.control;
  __atomic_store_n(&control->sleeping, nr_random(frame), __ATOMIC_SEQ_CST);
  __atomic_store_n(&control->starved, nr_random(frame), __ATOMIC_SEQ_CST);
  return nr_send(frame);
}

static int spoil_control(struct nr_outgoing *frame) {
  int error = nr_send(frame);
  uint8_t *words = (uint8_t *)frame->port->own.control;
  for (size_t i = 0; i < sizeof(struct nr_control); i++) words[i] = (uint8_t)nr_random(frame);
  return error;
}

/* Over what the other side has written, and its control words. */
static int scribble(struct nr_outgoing *frame) {
  size_t size = NR_CONTROL_SIZE + (size_t)frame->port->peer.size;
  uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, nr_peer_memfd, 0);
  if (memory == MAP_FAILED) return nr_send(frame);
  for (size_t i = 0; i < size; i += 64) memory[i] = (uint8_t)nr_random(frame);
  munmap(memory, size);
  return nr_send(frame);
}

/* The end that this host has blocks from now on, the other one is full, and perhaps it is shut. */
static int spoil_doorbell(struct nr_outgoing *frame) {
  static const char noise[1 << 16];
  int doorbell = frame->port->doorbell;
  fcntl(doorbell, F_SETFL, fcntl(doorbell, F_GETFL) & ~O_NONBLOCK);
  while (send(doorbell, noise, sizeof noise, MSG_DONTWAIT) > 0) continue;
  if (nr_random(frame) % 2 == 0) shutdown(doorbell, SHUT_RDWR);
  return nr_send(frame);
}

int nr_lie_beside(struct nr_outgoing *frame, enum nr_mode mode) {
  switch (mode) {
  case NR_MODE_TWICE: return nr_send(frame) == 0 ? nr_send(frame) : -EPROTO;
  case NR_MODE_UNASKED: return send_unasked(frame);
  case NR_MODE_NOISE: return send_noise(frame);
  case NR_MODE_FLOOD: return flood(frame, FLOOD, false);
  case NR_MODE_ENDLESS: return flood(frame, 0, true);
  case NR_MODE_READ_INDEX: return lie_about_reading(frame);
  case NR_MODE_SLEEPING: return lie_about_sleeping(frame);
  case NR_MODE_CONTROL: return spoil_control(frame);
  case NR_MODE_SCRIBBLE: return scribble(frame);
  default: return spoil_doorbell(frame);
  }
}
