/*
 * The receiving half of a port. Everything here looks at bytes of a process that may be hostile: a piece's header is
 * copied first, then checked, and the payload is only ever copied.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "wire/wire-private.h"

#define LARGE_SIZE ((size_t)1 << 20)

/* A piece in the ring: its header copied, its payload still there. */
struct piece {
  struct nr_frame_header header;
  const uint8_t *payload;
};

/* 0, -EAGAIN when none is there, -EPROTO. */
static inline int piece_peek(const struct nr_port *port, struct piece *piece) {
  uint32_t lines = nr_ring_peek(port);
  if (lines == 0) return -EAGAIN;
  if (NR_UNLIKELY(lines > port->peer.size / 4 / NR_CACHE_LINE)) return -EPROTO;
  const uint8_t *at = (const uint8_t *)nr_ring_word(&port->peer, port->read);
  memcpy(&piece->header, at, sizeof piece->header);
  NR_COPIED();
  piece->header.commit = lines;
  piece->payload = at + sizeof piece->header;
  return 0;
}

/* How much of the rest of a frame a piece carries. A sender fills every piece, so there is only one right answer, and
 * a hostile one cannot feed us empty pieces for ever. */
static inline uint32_t piece_length(const struct nr_port *port, size_t rest) {
  uint32_t room = nr_ring_room(&port->peer);
  return rest < room ? (uint32_t)rest : room;
}

/* The first piece of a frame: is it one, and how large is the whole payload? */
static inline int check_first(const struct nr_port *port, const struct piece *piece, size_t *total) {
  const struct nr_frame_header *header = &piece->header;
  if (header->kind < NR_KIND_CALL || header->kind > NR_KIND_RETURN || header->reserved != 0) return -EPROTO;
  if (header->message_length > NR_MESSAGE_MAX || header->tail_length > NR_TAIL_MAX) return -EPROTO;
  *total = nr_payload_size(header->message_length, header->tail_length);
  return header->commit == nr_ring_lines(piece_length(port, *total)) ? 0 : -EPROTO;
}

static int check_next(const struct nr_port *port, const struct piece *piece, size_t rest) {
  const struct nr_frame_header *header = &piece->header;
  uint32_t length = piece_length(port, rest);
  if (header->kind != NR_KIND_CONTINUE || header->tail_length != 0 || header->reserved != 0) return -EPROTO;
  return header->message_length == length && header->commit == nr_ring_lines(length) ? 0 : -EPROTO;
}

static inline void piece_copy(struct nr_port *port, const struct piece *piece, uint8_t *to, uint32_t length) {
  if (length > 0) memcpy(to, piece->payload, length);
  NR_COPIED();
  nr_ring_consume(port, piece->header.commit);
}

/* ---- The backlog ---- */

/* What a hostile header claims must cost nothing before it arrives: fresh pages straight from the kernel. */
static uint8_t *bytes_create(size_t size) {
  if (size < LARGE_SIZE) return malloc(size + 1);
  void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return bytes == MAP_FAILED ? NULL : bytes;
}

static void bytes_destroy(uint8_t *bytes, size_t size) {
  if (size < LARGE_SIZE)
    free(bytes);
  else
    munmap(bytes, size);
}

static struct nr_parcel *parcel_create(const struct nr_frame_header *header, size_t total) {
  struct nr_parcel *parcel = malloc(sizeof *parcel);
  uint8_t *bytes = parcel ? bytes_create(total) : NULL;
  if (!bytes) {
    free(parcel);
    return NULL;
  }
  *parcel = (struct nr_parcel){.header = *header, .total = total, .bytes = bytes};
  return parcel;
}

static void parcel_destroy(struct nr_parcel *parcel) {
  bytes_destroy(parcel->bytes, parcel->total);
  free(parcel);
}

static int backlog_append(struct nr_port *port, const struct piece *piece, size_t total) {
  if (port->backlog_frames >= NR_BACKLOG_FRAMES || port->backlog_bytes > NR_BACKLOG_BYTES) return -EPROTO;
  struct nr_parcel *parcel = parcel_create(&piece->header, total);
  if (!parcel) return -ENOMEM;
  if (port->backlog)
    port->backlog_last->next = parcel;
  else
    port->backlog = parcel;
  port->backlog_last = parcel;
  port->backlog_frames++;
  port->backlog_bytes += total + sizeof *parcel;
  return 0;
}

int nr_backlog_take(struct nr_port *port) {
  struct piece piece;
  int error = piece_peek(port, &piece);
  if (error == -EAGAIN) return 0;
  struct nr_parcel *last = port->backlog ? port->backlog_last : NULL;
  if (last && last->received == last->total) last = NULL;
  size_t total = 0;
  if (error == 0)
    error = last ? check_next(port, &piece, last->total - last->received) : check_first(port, &piece, &total);
  if (error == 0 && !last) error = backlog_append(port, &piece, total);
  if (error != 0) return nr_port_break(port, error);
  last = port->backlog_last;
  uint32_t length = piece_length(port, last->total - last->received);
  piece_copy(port, &piece, last->bytes + last->received, length);
  last->received += length;
  return 1;
}

static struct nr_parcel *backlog_pop(struct nr_port *port) {
  struct nr_parcel *parcel = port->backlog;
  port->backlog = parcel->next;
  port->backlog_frames--;
  port->backlog_bytes -= parcel->total + sizeof *parcel;
  return parcel;
}

void nr_backlog_free(struct nr_port *port) {
  while (port->backlog) parcel_destroy(backlog_pop(port));
}

/* ---- Receiving ---- */

static inline void frame_fill(struct nr_frame *frame, const struct nr_frame_header *header, const uint8_t *bytes) {
  frame->header = *header;
  frame->message = bytes;
  frame->tail = bytes + (header->tail_length == 0 ? header->message_length : ((header->message_length + 7u) & ~7u));
}

/* The rest of a frame of several pieces: its sender is about to write them, so we wait for it here. */
static int receive_rest(struct nr_port *port, uint8_t *bytes, size_t total) {
  size_t received = nr_ring_room(&port->peer);
  while (received < total) {
    struct piece piece;
    int error = piece_peek(port, &piece);
    if (error == -EAGAIN) {
      error = nr_wait_for_piece(port, port->piece_deadline_ns, false);
      if (error != 0) return error;
      continue;
    }
    if (error == 0) error = check_next(port, &piece, total - received);
    if (error != 0) return error;
    uint32_t length = piece_length(port, total - received);
    piece_copy(port, &piece, bytes + received, length);
    received += length;
  }
  return 0;
}

static inline void count_received(struct nr_port *port, const struct nr_frame *frame) {
  port->counts.frames_received++;
  if (frame->header.kind != NR_KIND_POST) port->expects = false;
}

static int receive_backlog(struct nr_port *port, struct nr_arena *arena, struct nr_frame *frame) {
  struct nr_parcel *parcel = port->backlog;
  while (parcel->received < parcel->total) {
    int taken = nr_backlog_take(port);
    if (taken < 0) return taken;
    int error = taken > 0 ? 0 : nr_wait_for_piece(port, port->piece_deadline_ns, false);
    if (error != 0) return nr_port_break(port, error);
  }
  uint8_t *bytes = nr_arena_alloc(arena, parcel->total);
  if (!bytes) return nr_port_break(port, -ENOMEM);
  memcpy(bytes, parcel->bytes, parcel->total);
  frame_fill(frame, &parcel->header, bytes);
  parcel_destroy(backlog_pop(port));
  count_received(port, frame);
  return 0;
}

int nr_port_try_receive(struct nr_port *port, struct nr_arena *arena, struct nr_frame *frame) {
  int error = nr_port_check(port);
  if (NR_UNLIKELY(error != 0)) return error;
  if (NR_UNLIKELY(!port->peer.control)) return -ENOTCONN;
  if (NR_UNLIKELY(port->backlog != NULL)) return receive_backlog(port, arena, frame);
  struct piece piece;
  size_t total;
  error = piece_peek(port, &piece);
  if (error == -EAGAIN) return error;
  if (error == 0) error = check_first(port, &piece, &total);
  if (NR_UNLIKELY(error != 0)) return nr_port_break(port, error);
  uint8_t *bytes = nr_arena_alloc(arena, total);
  if (NR_UNLIKELY(!bytes)) return nr_port_break(port, -ENOMEM);
  uint32_t length = piece_length(port, total);
  piece_copy(port, &piece, bytes, length);
  if (NR_UNLIKELY(length < total)) error = receive_rest(port, bytes, total);
  if (NR_UNLIKELY(error != 0)) return nr_port_break(port, error);
  frame_fill(frame, &piece.header, bytes);
  count_received(port, frame);
  return 0;
}
