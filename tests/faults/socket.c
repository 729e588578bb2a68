/*
 * Faults beside the rings: in the answers to the handshake and to threads that join, and in what is left for a report.
 */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/recorder.h"
#include "napi.pb-c.h"
#include "wire/recorder.h"
#include "wire/socket.h"

/* ---- The recorder ---- */

struct nr_recorder *__real_nr_recorder_open(int fd);
struct nr_recorder *__wrap_nr_recorder_open(int fd);

static struct nr_recorder *recorder;

struct nr_recorder *__wrap_nr_recorder_open(int fd) {
  recorder = __real_nr_recorder_open(fd);
  return recorder;
}

/* Magic and version stay, mostly: what is behind them is to be read. */
_Noreturn void nr_spoil_recorder(struct nr_outgoing *frame, enum nr_mode mode) {
  size_t from = nr_random(frame) % 8 == 0 ? 0 : 64;
  uint8_t *bytes = (uint8_t *)recorder;
  for (size_t i = from; i < sizeof *recorder; i++) bytes[i] = (uint8_t)nr_random(frame);
  if (nr_random(frame) % 2 == 0) recorder->crash.state = UINT32_MAX;
  if (mode == NR_MODE_RECORDER_SEGV) *(volatile int *)NULL = 0;
  raise(SIGKILL);
  abort();
}

/* ---- The control socket ---- */

int __real_nr_socket_send(int socket, const ProtobufCMessage *message, const int *fds, size_t fd_count);
int __wrap_nr_socket_send(int socket, const ProtobufCMessage *message, const int *fds, size_t fd_count);

/* What is on its way, and where the plan's random numbers come from. */
struct answer {
  int socket;
  const ProtobufCMessage *message;
  const int *fds;
  size_t fd_count;
  struct nr_outgoing random;
};

static int send_answer(const struct answer *answer) {
  return __real_nr_socket_send(answer->socket, answer->message, answer->fds, answer->fd_count);
}

static int send_bytes(struct answer *answer, size_t size) {
  uint8_t *bytes = malloc(size);
  if (bytes == NULL) abort();
  for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)nr_random(&answer->random);
  ssize_t sent = send(answer->socket, bytes, size, MSG_NOSIGNAL);
  free(bytes);
  return sent < 0 ? -EPROTO : 0;
}

#define FDS_MAX 30u

/* More than nr_socket_send() would. */
static int send_fds(struct answer *answer, size_t count) {
  uint8_t bytes[4096];
  union {
    struct cmsghdr header;
    char room[CMSG_SPACE(sizeof(int) * FDS_MAX)];
  } control;
  struct iovec part = {.iov_base = bytes};
  struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1};
  part.iov_len = protobuf_c_message_pack(answer->message, bytes);
  if (count > 0) {
    packet.msg_control = &control;
    packet.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    control.header =
        (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * count), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    for (size_t i = 0; i < count; i++)
      memcpy(CMSG_DATA(&control.header) + i * sizeof(int), answer->fd_count > 0 ? answer->fds : &answer->socket,
             sizeof(int));
  }
  return sendmsg(answer->socket, &packet, MSG_NOSIGNAL) < 0 ? -EPROTO : 0;
}

static int send_wrong_numbers(struct answer *answer) {
  struct nr_outgoing *random = &answer->random;
  if (answer->message->descriptor == &nr__welcome__descriptor) {
    Nr__Welcome welcome = *(const Nr__Welcome *)answer->message;
    uint32_t *const fields[] = {&welcome.protocol, &welcome.pointer_size, &welcome.pid, &welcome.pid};
    uint32_t *field = fields[nr_random(random) % 4];
    const uint32_t pids[] = {0, 1, (uint32_t)getppid(), UINT32_MAX};
    *field = field == &welcome.pid ? pids[nr_random(random) % 4] : (uint32_t)nr_wrong_number(random, *field);
    answer->message = &welcome.base;
    return send_answer(answer);
  }
  Nr__Joined joined = *(const Nr__Joined *)answer->message;
  uint32_t *field = nr_random(random) % 2 == 0 ? &joined.thread : &joined.error;
  *field = (uint32_t)nr_wrong_number(random, *field);
  answer->message = &joined.base;
  return send_fds(answer, answer->fd_count); /* also an empty one: thread 0, no error */
}

static int send_wrong_fd(struct answer *answer) {
  int fds[2] = {-1, -1};
  switch (nr_random(&answer->random) % 4) {
  case 0: fds[0] = open("/dev/zero", O_RDWR | O_CLOEXEC); break;
  case 1:
    if (pipe2(fds, O_CLOEXEC) < 0) return -EPROTO;
    break;
  case 2: /* too small */
    fds[0] = memfd_create("wrong", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (ftruncate(fds[0], 4096) < 0 || fcntl(fds[0], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0) return -EPROTO;
    break;
  default: /* nobody has sealed it: it can shrink below who reads it */
    fds[0] = memfd_create("wrong", MFD_CLOEXEC);
    if (ftruncate(fds[0], 4 << 20) < 0) return -EPROTO;
    break;
  }
  answer->fds = fds;
  answer->fd_count = 1;
  return send_answer(answer);
}

static int fail(struct answer *answer, enum nr_mode mode) {
  switch (mode) {
  case NR_MODE_SOCKET_EXIT: _exit(7);
  case NR_MODE_SOCKET_EXIT_BEHIND: send_answer(answer); _exit(7);
  case NR_MODE_SOCKET_STOP: raise(SIGSTOP); return send_answer(answer);
  case NR_MODE_SOCKET_LOSE: return 0;
  case NR_MODE_SOCKET_GARBAGE: return send_bytes(answer, 1 + nr_random(&answer->random) % 64);
  case NR_MODE_SOCKET_LARGE: return send_bytes(answer, 100000);
  case NR_MODE_SOCKET_TWICE: return send_answer(answer) == 0 ? send_answer(answer) : -EPROTO;
  case NR_MODE_SOCKET_NUMBERS: return send_wrong_numbers(answer);
  case NR_MODE_SOCKET_NO_MEMORY: return send_fds(answer, 0);
  case NR_MODE_SOCKET_MANY_FDS: return send_fds(answer, 2 + nr_random(&answer->random) % (FDS_MAX - 1));
  case NR_MODE_SOCKET_WRONG_FD: return send_wrong_fd(answer);
  default:
    for (;;) pause();
  }
}

int __wrap_nr_socket_send(int socket, const ProtobufCMessage *message, const int *fds, size_t fd_count) {
  struct answer answer = {.socket = socket, .message = message, .fds = fds, .fd_count = fd_count};
  if (!nr_plan_is_due(true)) return send_answer(&answer);
  answer.random.seed = nr_plan->seed * 2654435761u | 1;
  return fail(&answer, nr_plan->mode);
}
