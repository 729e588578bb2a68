/*
 * Frames whose header lies, and frames that are none.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

int nr_send_raw(struct nr_outgoing *frame, const struct nr_frame_header *header, const void *payload, size_t length) {
  struct nr_port *port = frame->port;
  uint32_t lines = nr_ring_lines((uint32_t)length);
  if (nr_ring_refresh(port) != 0) return -EPROTO;
  uint8_t *at = nr_ring_reserve(port, lines);
  if (at == NULL) return nr_send(frame); /* no room: no lie this time */
  memcpy(at + 4, (const uint8_t *)header + 4, sizeof *header - 4);
  if (length > 0) memcpy(at + sizeof *header, payload, length);
  port->written += (uint64_t)lines * NR_CACHE_LINE; /* nr_ring_commit(), with another word */
  __atomic_store_n(nr_ring_word(&port->own, port->written), 0, __ATOMIC_RELAXED);
  __atomic_store_n((uint32_t *)(void *)at, header->commit, __ATOMIC_SEQ_CST);
  nr_wake_peer(port, (const uint32_t *)(void *)at);
  port->counts.frames_sent++;
  return 0;
}

/* One full piece of a frame that goes on, without the rest. */
static int claim(struct nr_outgoing *frame) {
  uint32_t room = nr_ring_room(&frame->port->own);
  void *payload = calloc(1, room);
  struct nr_frame_header header = frame->header;
  if (payload == NULL) return -ENOMEM;
  header.commit = nr_ring_lines(room);
  header.message_length = nr_random(frame) % 2 == 0 ? 0 : NR_MESSAGE_MAX;
  header.tail_length = nr_random(frame) % 2 == 0 ? NR_TAIL_MAX : room + 1;
  int error = nr_send_raw(frame, &header, payload, room);
  free(payload);
  return error;
}

/* The frame's message as it is, under a header that is none. */
static int send_under(struct nr_outgoing *frame, struct nr_frame_header *header) {
  size_t length = frame->message == NULL ? 0 : protobuf_c_message_get_packed_size(frame->message);
  uint8_t *packed = malloc(length + 1);
  int error = -ENOMEM;
  if (packed != NULL && length <= nr_ring_room(&frame->port->own)) {
    if (frame->message != NULL) protobuf_c_message_pack(frame->message, packed);
    if (header->commit == 0) header->commit = nr_ring_lines((uint32_t)length);
    error = nr_send_raw(frame, header, packed, length);
  }
  free(packed);
  return error;
}

/* Another number that fits. */
static uint32_t wrong(struct nr_outgoing *frame, uint32_t right, uint32_t mask) {
  uint32_t number;
  do {
    number = (uint32_t)nr_wrong_number(frame, right) & mask;
  } while (number == right);
  return number;
}

static int lie_about_lengths(struct nr_outgoing *frame, enum nr_mode mode) {
  struct nr_frame_header header = frame->header;
  header.message_length = frame->message == NULL ? 0 : (uint32_t)protobuf_c_message_get_packed_size(frame->message);
  if (mode == NR_MODE_RESERVED) {
    header.reserved = nr_random(frame);
  } else if (mode == NR_MODE_COMMIT) {
    uint32_t right = nr_ring_lines(header.message_length);
    do {
      header.commit = wrong(frame, right, UINT32_MAX);
    } while (header.commit == 0);
  } else if (nr_random(frame) % 2 == 0) {
    header.message_length = (uint32_t)nr_wrong_number(frame, header.message_length);
  } else {
    header.tail_length = (uint32_t)nr_wrong_number(frame, header.tail_length);
  }
  return send_under(frame, &header);
}

/* Any other opcode: of a call, of another class, or none. */
static uint16_t wrong_opcode(struct nr_outgoing *frame) {
  if (nr_random(frame) % 4 == 0) return (uint16_t)nr_random(frame);
  return (uint16_t)((nr_random(frame) % 4) << 8 | nr_random(frame) % 128);
}

int nr_lie_in_header(struct nr_outgoing *frame, enum nr_mode mode) {
  struct nr_frame_header *header = &frame->header;
  switch (mode) {
  case NR_MODE_KIND: header->kind = (uint8_t)(header->kind + 1 + nr_random(frame) % 6) % 8; break;
  case NR_MODE_OPCODE: header->opcode = wrong_opcode(frame); break;
  case NR_MODE_DEPTH: header->depth = (uint16_t)wrong(frame, header->depth, UINT16_MAX); break;
  case NR_MODE_SEQUENCE: header->sequence = wrong(frame, header->sequence, UINT32_MAX); break;
  case NR_MODE_ENV: header->env = wrong(frame, header->env, UINT32_MAX); break;
  case NR_MODE_FLAGS: header->flags = (uint8_t)nr_random(frame); break;
  case NR_MODE_STATUS: header->status = (uint16_t)wrong(frame, header->status, UINT16_MAX); break;
  case NR_MODE_CLAIM: return claim(frame);
  case NR_MODE_KILL_PARTWAY:
    claim(frame);
    raise(SIGKILL);
    break;
  default: return lie_about_lengths(frame, mode);
  }
  return nr_send(frame);
}
