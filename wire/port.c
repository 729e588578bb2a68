/*
 * The life of a port, and its sending half: a frame is packed straight into the ring, or goes out in pieces.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire/message.h"
#include "wire/pages.h"
#include "wire/wire-private.h"

/* Behind so many lines the processor sees by itself where we are going. */
#define CLAIMED_LINES 8u

int nr_port_create(struct nr_port **result, uint32_t ring_size) {
  struct nr_port *port = nr_pages_calloc(sizeof *port);
  *result = NULL;
  if (port == NULL) return -ENOMEM;
  port->memfd = port->doorbell = port->knob = port->self = -1;
  nr_spin_init(port);
  int error = nr_mapping_create(&port->own, ring_size, &port->memfd);
  if (error != 0) {
    free(port);
    return error;
  }
  *result = port;
  return 0;
}

int nr_port_memfd(const struct nr_port *port) {
  return port->memfd;
}

void nr_port_close_memfd(struct nr_port *port) {
  if (port->memfd >= 0) close(port->memfd);
  port->memfd = -1;
}

int nr_port_connect(struct nr_port *port, int peer_memfd, int doorbell, int knob) {
  if (port->peer.control) {
    close(peer_memfd);
    close(doorbell);
    if (knob >= 0) close(knob);
    return -EISCONN;
  }
  int error = nr_doorbell_adopt(port, doorbell, knob);
  if (error == 0) error = nr_mapping_open(&port->peer, peer_memfd);
  close(peer_memfd);
  return error;
}

void nr_port_retire(struct nr_port *port) {
  nr_backlog_free(port);
  nr_mapping_close(&port->own);
  nr_mapping_close(&port->peer);
  nr_port_close_memfd(port);
  nr_doorbell_release(port);
}

void nr_port_destroy(struct nr_port *port) {
  if (!port) return;
  nr_port_retire(port);
  free(port);
}

int nr_port_failure(const struct nr_port *port) {
  return __atomic_load_n(&port->failure, __ATOMIC_ACQUIRE);
}

int nr_port_break(struct nr_port *port, int error) {
  int none = 0;
  if (__atomic_compare_exchange_n(&port->failure, &none, error, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return error;
  return none;
}

struct nr_port_counts nr_port_counts(const struct nr_port *port) {
  return port->counts;
}

/* ---- Sending ---- */

/* Waits for space. What arrives meanwhile goes into the backlog: the other side may be waiting for space as well. */
static int make_space(struct nr_port *port, uint32_t lines, uint8_t **at) {
  for (;;) {
    int failure = nr_port_check(port);
    if (failure != 0) return failure;
    int error = nr_ring_refresh(port);
    if (error != 0) return nr_port_break(port, error);
    *at = nr_ring_reserve(port, lines);
    if (*at) return 0;
    int taken = nr_backlog_take(port);
    if (taken < 0) return taken;
    if (taken > 0) continue;
    error = nr_wait_for_space(port);
    if (error != 0) return error;
  }
}

static inline int reserve(struct nr_port *port, uint32_t lines, uint8_t **at) {
  *at = nr_ring_reserve(port, lines);
  return NR_LIKELY(*at != NULL) ? 0 : make_space(port, lines, at);
}

/* The commit word of this place is zero already, and stays so until nr_ring_commit(). */
static inline void put_header(uint8_t *at, const struct nr_frame_header *header) {
  const size_t behind_commit = sizeof header->commit;
  memcpy(at + behind_commit, (const uint8_t *)header + behind_commit, sizeof *header - behind_commit);
}

static inline void commit(struct nr_port *port, uint8_t *at, uint32_t lines) {
  nr_ring_commit(port, lines);
  nr_wake_peer(port, (const uint32_t *)(const void *)at);
}

static int send_whole(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                      const struct nr_slice *tail, size_t tail_count) {
  uint32_t payload = (uint32_t)nr_payload_size(header->message_length, header->tail_length);
  uint32_t lines = nr_ring_lines(payload);
  uint8_t *at;
  int error = reserve(port, lines, &at);
  if (NR_UNLIKELY(error != 0)) return error;
  for (uint32_t line = 2; line <= lines && line <= CLAIMED_LINES; line++)
    nr_claim_line(at + (size_t)line * NR_CACHE_LINE);
  put_header(at, header);
  uint8_t *cursor = at + sizeof *header;
  /* A message that changes while it is packed is the caller's fault; nothing has been committed yet. */
  if (message && NR_UNLIKELY(nr_message_pack(message, cursor) != header->message_length)) return -EINVAL;
  cursor += header->message_length;
  if (header->tail_length > 0) {
    uint32_t padding = -header->message_length & 7;
    memset(cursor, 0, padding);
    cursor += padding;
    for (size_t i = 0; i < tail_count; i++) {
      if (tail[i].length == 0) continue;
      memcpy(cursor, tail[i].data, tail[i].length);
      cursor += tail[i].length;
    }
  }
  commit(port, at, lines);
  return 0;
}

/* The payload of a large frame as one stream over its slices. */
struct stream {
  const struct nr_slice *slices;
  size_t offset; /* in the first of them */
};

static void stream_copy(struct stream *stream, uint8_t *to, size_t length) {
  while (length > 0) {
    size_t left = stream->slices->length - stream->offset;
    size_t part = left < length ? left : length;
    if (part > 0) memcpy(to, (const uint8_t *)stream->slices->data + stream->offset, part);
    to += part;
    length -= part;
    stream->offset += part;
    if (stream->offset == stream->slices->length) {
      stream->slices++;
      stream->offset = 0;
    }
  }
}

/* Every piece but the last is as large as a piece may be; the receiver insists on it. */
static int send_stream(struct nr_port *port, const struct nr_frame_header *header, struct stream *stream,
                       size_t total) {
  struct nr_frame_header head = *header;
  size_t sent = 0;
  while (sent < total) {
    uint32_t room = nr_ring_room(&port->own);
    uint32_t length = total - sent < room ? (uint32_t)(total - sent) : room;
    if (sent > 0) {
      head.kind = NR_KIND_CONTINUE;
      head.message_length = length;
      head.tail_length = 0;
    }
    uint8_t *at;
    int error = reserve(port, nr_ring_lines(length), &at);
    if (error != 0) return error;
    put_header(at, &head);
    stream_copy(stream, at + sizeof head, length);
    commit(port, at, nr_ring_lines(length));
    sent += length;
  }
  return 0;
}

static int send_pieces(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                       const struct nr_slice *tail, size_t tail_count, size_t total) {
  static const uint8_t zeros[8];
  struct nr_slice *slices = malloc((tail_count + 2) * sizeof *slices);
  uint8_t *packed = malloc(header->message_length + 1);
  int error = -ENOMEM;
  if (!slices || !packed) goto out;
  error = -EINVAL;
  if (message && nr_message_pack(message, packed) != header->message_length) goto out;
  slices[0] = (struct nr_slice){packed, header->message_length};
  slices[1] = (struct nr_slice){zeros, header->tail_length > 0 ? -header->message_length & 7 : 0};
  if (tail_count > 0) memcpy(slices + 2, tail, tail_count * sizeof *tail);
  struct stream stream = {slices, 0};
  error = send_stream(port, header, &stream, total);
out:
  free(slices);
  free(packed);
  return error;
}

bool nr_port_has_room(struct nr_port *port, size_t payload) {
  if (nr_port_check(port) != 0 || !port->peer.control || payload > nr_ring_room(&port->own)) return false;
  return nr_ring_refresh(port) == 0 && nr_ring_reserve(port, nr_ring_lines((uint32_t)payload)) != NULL;
}

int nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                 const struct nr_slice *tail, size_t tail_count) {
  int failure = nr_port_check(port);
  if (NR_UNLIKELY(failure != 0)) return failure;
  if (NR_UNLIKELY(!port->peer.control)) return -ENOTCONN;
  const uint8_t *next = (const uint8_t *)nr_ring_word(&port->own, port->written);
  nr_claim_line(next);
  nr_claim_line(next + NR_CACHE_LINE);
  struct nr_frame_header head = *header;
  size_t message_length = message ? nr_message_size(message) : 0;
  size_t tail_length = 0;
  if (message_length > NR_MESSAGE_MAX) return -EMSGSIZE;
  for (size_t i = 0; i < tail_count; i++) {
    if (tail[i].length > NR_TAIL_MAX - tail_length) return -EMSGSIZE;
    tail_length += tail[i].length;
  }
  head.message_length = (uint32_t)message_length;
  head.tail_length = (uint32_t)tail_length;
  head.reserved = 0;
  size_t total = nr_payload_size(head.message_length, head.tail_length);
  int error = NR_LIKELY(total <= nr_ring_room(&port->own)) ? send_whole(port, &head, message, tail, tail_count)
                                                           : send_pieces(port, &head, message, tail, tail_count, total);
  if (error == 0) port->counts.frames_sent++;
  return error;
}
