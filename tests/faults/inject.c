/*
 * The wrapper around nr_port_send(): counts frames, and fails at the one that the plan names.
 */
#include "faults.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int __wrap_nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                        const struct nr_slice *tail, size_t tail_count);

struct nr_plan *nr_plan;
static uint32_t messages; /* on the socket, by this host */

__attribute__((constructor)) static void map_plan(void) {
  const char *path = getenv("NAPI_REMOTE_TEST_PLAN");
  if (path == NULL) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  void *memory = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *nr_plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) {
    perror(path);
    _exit(71);
  }
  close(fd);
  nr_plan = memory;
}

int nr_send(const struct nr_outgoing *frame) {
  return __real_nr_port_send(frame->port, &frame->header, frame->message, frame->tail, frame->tail_count);
}

/* xorshift, never 0. */
uint32_t nr_random(struct nr_outgoing *frame) {
  frame->seed ^= frame->seed << 13;
  frame->seed ^= frame->seed >> 17;
  frame->seed ^= frame->seed << 5;
  return frame->seed;
}

uint64_t nr_random_wide(struct nr_outgoing *frame) {
  uint64_t high = nr_random(frame);
  return high << 32 | nr_random(frame);
}

uint64_t nr_wrong_number(struct nr_outgoing *frame, uint64_t right) {
  switch (nr_random(frame) % 10) {
  case 0: return right == 0 ? 1 : 0;
  case 1: return right + 1;
  case 2: return right - 1;
  case 3: return UINT64_MAX;
  case 4: return UINT64_C(1) << nr_random(frame) % 64;
  case 5: return (UINT64_C(1) << nr_random(frame) % 64) - 1;
  case 6: return right ^ UINT64_C(1) << nr_random(frame) % 64;
  case 7: return right ^ UINT64_C(1) << 32;
  case 8: return nr_random(frame) % 64;
  default: return nr_random_wide(frame);
  }
}

static _Noreturn void hang(void) {
  for (;;) pause();
}

/* A header, and no commit word. */
static _Noreturn void end_uncommitted(struct nr_outgoing *frame) {
  uint8_t *at = nr_ring_reserve(frame->port, 1);
  if (at != NULL) memcpy(at + 4, (const uint8_t *)&frame->header + 4, sizeof frame->header - 4);
  _exit(7);
}

static int end_or_hang(struct nr_outgoing *frame, enum nr_mode mode) {
  switch (mode) {
  case NR_MODE_EXIT: _exit(7);
  case NR_MODE_KILL: raise(SIGKILL); break;
  case NR_MODE_SEGV: *(volatile int *)NULL = 0; break;
  case NR_MODE_ABORT: abort();
  case NR_MODE_EXIT_BEHIND: nr_send(frame); _exit(7);
  case NR_MODE_KILL_BEHIND:
    nr_send(frame);
    raise(SIGKILL);
    break;
  case NR_MODE_EXIT_UNCOMMITTED: end_uncommitted(frame);
  case NR_MODE_HANG_BEHIND: nr_send(frame); hang();
  case NR_MODE_STOP: raise(SIGSTOP); break;
  case NR_MODE_LOSE: return 0;
  default: break;
  }
  hang();
}

bool nr_plan_is_due(bool socket) {
  if (nr_plan == NULL) return false;
  bool meant = socket == (nr_plan->mode >= NR_MODE_SOCKET_EXIT);
  uint32_t count = __atomic_add_fetch(socket ? &messages : &nr_plan->sent, 1, __ATOMIC_SEQ_CST);
  if (!meant || count != nr_plan->frame || nr_plan->mode == NR_MODE_NONE) return false;
  __atomic_store_n(&nr_plan->fired_ns, nr_now_ns(), __ATOMIC_SEQ_CST);
  return true;
}

static int fail(struct nr_outgoing *frame, enum nr_mode mode) {
  if (mode == NR_MODE_RECORDER_KILL || mode == NR_MODE_RECORDER_SEGV) nr_spoil_recorder(frame, mode);
  if (mode <= NR_MODE_LOSE && mode != NR_MODE_KILL_PARTWAY) return end_or_hang(frame, mode);
  if (mode == NR_MODE_KILL_PARTWAY || (mode >= NR_MODE_KIND && mode <= NR_MODE_CLAIM))
    return nr_lie_in_header(frame, mode);
  return mode >= NR_MODE_SHORT && mode <= NR_MODE_NUMBER ? nr_lie_in_content(frame, mode) : nr_lie_beside(frame, mode);
}

int __wrap_nr_port_send(struct nr_port *port, const struct nr_frame_header *header, const ProtobufCMessage *message,
                        const struct nr_slice *tail, size_t tail_count) {
  struct nr_outgoing frame = {port, *header, message, tail, tail_count, 0};
  nr_record(&frame);
  if (!nr_plan_is_due(false)) return nr_send(&frame);
  frame.seed = nr_plan->seed * 2654435761u | 1;
  nr_plan->opcode = header->opcode;
  nr_plan->kind = header->kind;
  return fail(&frame, nr_plan->mode);
}
