/*
 * The control socket.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "wire/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/wire-private.h"

/* Aligned room for the descriptors of one message. The kernel closes what does not fit. */
union control {
  struct cmsghdr header;
  uint8_t bytes[CMSG_SPACE(NR_SOCKET_FDS_MAX * sizeof(int))];
};

int nr_socket_pair(int fds[2]) {
  return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0 ? 0 : -errno;
}

int nr_socket_send(int socket, const ProtobufCMessage *message, const int *fds, size_t fd_count) {
  uint8_t bytes[NR_SOCKET_MESSAGE_MAX];
  size_t length = protobuf_c_message_get_packed_size(message);
  if (length > sizeof bytes) return -EMSGSIZE;
  /* An empty packet would look like the end of the file. */
  if (length == 0 || fd_count > NR_SOCKET_FDS_MAX) return -EINVAL;
  protobuf_c_message_pack(message, bytes);
  struct iovec part = {bytes, length};
  union control control = {0};
  struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count > 0) {
    packet.msg_control = &control;
    packet.msg_controllen = CMSG_SPACE(fd_count * sizeof *fds);
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(fd_count * sizeof *fds);
    memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof *fds);
  }
  /* Never blocking: a peer that does not read for so long that its queue is full is as good as dead. */
  ssize_t sent;
  do {
    sent = sendmsg(socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

static int wait_readable(int socket, int timeout_ms) {
  uint64_t deadline = timeout_ms < 0 ? 0 : nr_now_ns() + (uint64_t)timeout_ms * 1000000u;
  for (;;) {
    struct pollfd poller = {.fd = socket, .events = POLLIN};
    int ready = poll(&poller, 1, timeout_ms);
    if (ready > 0) return 0;
    if (ready == 0) return -ETIMEDOUT;
    if (errno != EINTR) return -errno;
    if (timeout_ms > 0) {
      uint64_t now = nr_now_ns();
      timeout_ms = now >= deadline ? 0 : (int)((deadline - now + 999999u) / 1000000u);
    }
  }
}

/* Collects the descriptors that came along; those over the room are closed. */
static size_t take_descriptors(struct msghdr *packet, int *fds, size_t room) {
  size_t count = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(packet); header; header = CMSG_NXTHDR(packet, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t got = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < got; i++) {
      int fd;
      memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      if (count < room)
        fds[count++] = fd;
      else
        close(fd);
    }
  }
  return count;
}

ProtobufCMessage *nr_socket_receive(int socket, const ProtobufCMessageDescriptor *type, int *fds, size_t *fd_count,
                                    int timeout_ms, int *error) {
  uint8_t bytes[NR_SOCKET_MESSAGE_MAX];
  union control control;
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
  size_t room = fd_count ? *fd_count : 0, count = 0;
  ProtobufCMessage *message = NULL;
  if (fd_count) *fd_count = 0;
  *error = wait_readable(socket, timeout_ms);
  if (*error != 0) return NULL;
  packet.msg_control = &control;
  packet.msg_controllen = sizeof control;
  ssize_t length;
  do {
    length = recvmsg(socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (length < 0 && errno == EINTR);
  if (length < 0) {
    *error = errno == ECONNRESET ? -EPIPE : -errno;
    return NULL;
  }
  count = take_descriptors(&packet, fds, room);
  if (length > 0 && (packet.msg_flags & MSG_TRUNC) == 0)
    message = protobuf_c_message_unpack(type, NULL, (size_t)length, bytes);
  if (message) {
    if (fd_count) *fd_count = count;
    return message;
  }
  for (size_t i = 0; i < count; i++) close(fds[i]);
  *error = length == 0 ? -EPIPE : -EPROTO;
  return NULL;
}

int nr_fd_move_up(int fd, int base) {
  struct rlimit limit;
  /* With a low limit of open files at least its upper quarter. */
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)base >= limit.rlim_cur)
    base = (int)(limit.rlim_cur - limit.rlim_cur / 4);
  if (fd >= base) return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -errno;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, base);
  if (moved < 0) return -errno;
  close(fd);
  return moved;
}
