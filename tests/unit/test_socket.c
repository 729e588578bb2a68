/*
 * The control socket: messages, descriptors, ends.
 */
#include <dirent.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "ports.h"
#include "wire/socket.h"

static unsigned open_descriptors(void) {
  unsigned count = 0;
  DIR *directory = opendir("/proc/self/fd");
  while (readdir(directory)) count++;
  closedir(directory);
  return count;
}

static struct sample *receive_sample(int socket, int *fds, size_t *fd_count, int *error) {
  return (struct sample *)nr_socket_receive(socket, &sample_descriptor, fds, fd_count, 1000, error);
}

static void send_sample(int socket, const int *fds, size_t fd_count) {
  struct sample sample = sample_make();
  sample.sample_id = 5;
  sample.number = 42;
  sample.text = (char[]){"node"};
  cr_assert_eq(nr_socket_send(socket, &sample.base, fds, fd_count), 0);
}

Test(socket, a_message_with_descriptors, .timeout = 20) {
  int ends[2], got[4], error;
  size_t count = 4;
  cr_assert_eq(nr_socket_pair(ends), 0);
  cr_assert_eq(fcntl(ends[0], F_GETFD), FD_CLOEXEC);
  int bell = event_fd();
  eventfd_write(bell, 3);
  send_sample(ends[0], (int[]){bell, ends[0]}, 2);
  struct sample *sample = receive_sample(ends[1], got, &count, &error);
  cr_assert_not_null(sample);
  cr_assert_eq(error, 0);
  cr_assert_eq(sample->number, 42);
  cr_assert_str_eq(sample->text, "node");
  cr_assert_eq(count, 2);
  cr_assert_eq(fcntl(got[0], F_GETFD), FD_CLOEXEC);
  eventfd_t value;
  cr_assert_eq(eventfd_read(got[0], &value), 0);
  cr_assert_eq(value, 3);
  protobuf_c_message_free_unpacked(&sample->base, NULL);
}

Test(socket, descriptors_over_the_room_are_closed, .timeout = 20) {
  int ends[2], got[4], error;
  cr_assert_eq(nr_socket_pair(ends), 0);
  unsigned before = open_descriptors();
  for (size_t room = 0; room <= 4; room++) {
    size_t count = room;
    send_sample(ends[0], (int[]){0, 1, 2, ends[0]}, 4);
    struct sample *sample = receive_sample(ends[1], got, room > 0 ? &count : NULL, &error);
    cr_assert_not_null(sample);
    cr_assert_eq(count, room);
    for (size_t i = 0; i < room; i++) close(got[i]);
    protobuf_c_message_free_unpacked(&sample->base, NULL);
    cr_assert_eq(open_descriptors(), before);
  }
}

Test(socket, a_hundred_descriptors_of_a_hostile_peer, .timeout = 20) {
  int ends[2], got[4], error, many[100];
  size_t count = 4;
  cr_assert_eq(nr_socket_pair(ends), 0);
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof many)];
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof many), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
  for (int i = 0; i < 100; i++) many[i] = ends[0];
  memcpy(CMSG_DATA(&control.header), many, sizeof many);
  struct iovec part = {(char[]){"\x08\x01"}, 2};
  struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  unsigned before = open_descriptors();
  cr_assert_eq(sendmsg(ends[0], &packet, 0), 2);
  struct sample *sample = receive_sample(ends[1], got, &count, &error);
  cr_assert_not_null(sample);
  cr_assert_eq(count, 4);
  cr_assert_eq(open_descriptors(), before + 4);
  protobuf_c_message_free_unpacked(&sample->base, NULL);
}

static int receive_error(int socket, int timeout_ms) {
  int error = 1, got[4];
  size_t count = 4;
  cr_assert_null(nr_socket_receive(socket, &sample_descriptor, got, &count, timeout_ms, &error));
  cr_assert_eq(count, 0);
  return error;
}

Test(socket, failures, .timeout = 20) {
  static uint8_t large[NR_SOCKET_MESSAGE_MAX + 1];
  int ends[2];
  cr_assert_eq(nr_socket_pair(ends), 0);
  cr_assert_eq(receive_error(ends[1], 0), -ETIMEDOUT);
  cr_assert_eq(receive_error(ends[1], 20), -ETIMEDOUT);
  cr_assert_eq(send(ends[0], "\xff\xff\xff", 3, 0), 3);
  cr_assert_eq(receive_error(ends[1], 1000), -EPROTO);
  cr_assert_eq(send(ends[0], large, sizeof large, 0), (ssize_t)sizeof large);
  cr_assert_eq(receive_error(ends[1], 1000), -EPROTO);
  close(ends[0]);
  cr_assert_eq(receive_error(ends[1], 1000), -EPIPE);
  struct sample sample = sample_make();
  cr_assert_eq(nr_socket_send(ends[1], &sample.base, NULL, 0), -EINVAL, "empty");
  sample.number = 1;
  cr_assert_eq(nr_socket_send(ends[1], &sample.base, NULL, 0), -EPIPE, "and no SIGPIPE");
  char *release = malloc(5000);
  memset(release, 'x', 4999);
  release[4999] = '\0';
  sample.text = release;
  cr_assert_eq(nr_socket_send(ends[1], &sample.base, NULL, 0), -EMSGSIZE);
  free(release);
}

Test(socket, a_bad_message_leaves_no_descriptors, .timeout = 20) {
  int ends[2], error, got[4];
  size_t count = 4;
  cr_assert_eq(nr_socket_pair(ends), 0);
  unsigned before = open_descriptors();
  send_sample(ends[0], (int[]){0, 1}, 2);
  /* Their number is a fixed64 there. */
  cr_assert_null(nr_socket_receive(ends[1], &part_descriptor, got, &count, 1000, &error));
  cr_assert_eq(error, -EPROTO);
  cr_assert_eq(open_descriptors(), before);
}

Test(socket, a_peer_that_does_not_read, .timeout = 20) {
  int ends[2], error = 0;
  struct sample sample = sample_make();
  sample.number = 1;
  cr_assert_eq(nr_socket_pair(ends), 0);
  for (int i = 0; i < 100000 && error == 0; i++) error = nr_socket_send(ends[0], &sample.base, NULL, 0);
  cr_assert_eq(error, -EAGAIN);
}

Test(socket, moving_descriptors_up) {
  int old = event_fd();
  int fd = nr_fd_move_up(old, 300);
  cr_assert_geq(fd, 300);
  cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
  cr_assert_eq(fcntl(old, F_GETFD), -1);
  cr_assert_eq(nr_fd_move_up(fd, 300), fd);
  cr_assert_eq(nr_fd_move_up(-1, 300), -EBADF);
  struct rlimit limit = {200, 200};
  cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
  fd = nr_fd_move_up(event_fd(), 1000);
  cr_assert(fd >= 150 && fd < 200);
}
