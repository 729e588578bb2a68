/*
 * Doorbells: what a thread polls that waits for other things as well.
 *
 * The two ends of a stream socket, and each byte sent with a flag that says not to wait. Eventfds were one open file
 * description for both processes: the other side could make it a blocking one, and the next ring or look would have
 * stood still. Nor does the other side get our end (it could hold its lock by reading into memory that never comes), so
 * who is not trusted with the knob rings itself by an eventfd that nobody else has.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/socket.h"
#include "wire/wire-private.h"

/* More than that is a flood, to be looked at next time. */
#define DRAIN_ROUNDS 16

int nr_doorbells_create(int *first, int *second) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) return -errno;
  *first = ends[0];
  *second = ends[1];
  return 0;
}

int nr_doorbell_adopt(struct nr_port *port, int doorbell, int knob) {
  port->doorbell = doorbell;
  port->knob = knob;
  if (knob >= 0) return 0;
  int self = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (self < 0) return -errno;
  port->self = nr_fd_move_up(self, doorbell); /* where the caller keeps its own */
  if (port->self >= 0) return 0;
  close(self);
  return -EMFILE;
}

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

void nr_doorbell_release(struct nr_port *port) {
  close_fd(&port->doorbell);
  close_fd(&port->knob);
  close_fd(&port->self);
  port->doorbell_armed = false;
}

int nr_port_doorbell(const struct nr_port *port) {
  return port->doorbell;
}

/* EAGAIN means that the other end is full: then it is readable, which is all we want. */
static void ring(int end) {
  while (send(end, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

void nr_port_ring(struct nr_port *port) {
  if (port->doorbell >= 0) ring(port->doorbell);
}

void nr_doorbell_ring_self(struct nr_port *port) {
  const uint64_t one = 1;
  if (port->knob >= 0) {
    ring(port->knob);
  } else if (port->self >= 0 && write(port->self, &one, sizeof one) < 0) {
    return; /* full, hence readable */
  }
}

void nr_doorbell_drain(struct nr_port *port) {
  char bytes[256];
  uint64_t count;
  ssize_t length = sizeof bytes;
  for (int round = 0; round < DRAIN_ROUNDS && length == sizeof bytes; round++) {
    do {
      length = recv(port->doorbell, bytes, sizeof bytes, MSG_DONTWAIT);
    } while (length < 0 && errno == EINTR);
  }
  /* Shut by the other side, it would be readable for ever. (When the other side dies the knob keeps it open.) */
  if (length == 0) nr_port_break(port, port->knob >= 0 ? -EPROTO : -EPIPE);
  if (port->self >= 0 && read(port->self, &count, sizeof count) < 0) return; /* it had not been rung */
}

void nr_port_hear(struct nr_port *port) {
  nr_doorbell_drain(port);
}
