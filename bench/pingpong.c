/*
 * What the machine itself gives: the time of a round trip between two processes, without any work in it.
 *
 *   pingpong shm|socket|socket-near MILLISECONDS
 *
 * shm: shared memory, both sides spin, one cache line each way, on two cores. socket: a socketpair, one byte each way, on two cores;
 * socket-near: both sides on one core, where the scheduler often puts them by itself. Prints JSON:
 * `batches`, the mean nanoseconds of a round trip in each batch, and `singles`, those of round trips timed one by one with the clock's own
 * cost taken off. bench/calls.js makes medians of them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define SAMPLES_MAX 20000

struct line {
  _Alignas(64) _Atomic uint32_t number;
};

struct shared {
  struct line ping;
  struct line pong;
};

struct pair {
  struct shared *shared; /* NULL: the sockets */
  uint32_t number;
  int socket;
};

struct samples {
  uint64_t values[SAMPLES_MAX];
  size_t count;
};

static struct samples batches, singles;

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void fail(const char *what) {
  fprintf(stderr, "pingpong: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* Binds this process to the first CPU that it may use, or to the one after. -1: there is none after. */
static int bind_cpu(const cpu_set_t *allowed, int skip) {
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, allowed) || skip-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof one, &one);
  }
  return -1;
}

static bool round_trip(struct pair *pair) {
  if (pair->shared != NULL) {
    uint32_t number = ++pair->number;
    atomic_store_explicit(&pair->shared->ping.number, number, memory_order_release);
    while (atomic_load_explicit(&pair->shared->pong.number, memory_order_acquire) != number) relax();
    return true;
  }
  char byte = 1;
  return write(pair->socket, &byte, 1) == 1 && read(pair->socket, &byte, 1) == 1;
}

static _Noreturn void echo_lines(struct shared *shared) {
  for (uint32_t number = 1;; number++) {
    while (atomic_load_explicit(&shared->ping.number, memory_order_acquire) != number) relax();
    atomic_store_explicit(&shared->pong.number, number, memory_order_release);
  }
}

/* The other process. It ends with its parent, however that ends. */
static _Noreturn void echo(struct shared *shared, int socket) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (shared != NULL) echo_lines(shared);
  char byte;
  while (read(socket, &byte, 1) == 1 && write(socket, &byte, 1) == 1) continue;
  _exit(0);
}

static uint64_t clock_cost(void) {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < 1000; i++) {
    uint64_t before = now_ns();
    uint64_t taken = now_ns() - before;
    if (taken < least) least = taken;
  }
  return least;
}

static void measure(struct pair *pair, uint64_t duration_ns) {
  uint64_t cost = clock_cost();
  for (int i = 0; i < 1000; i++) {
    if (!round_trip(pair)) fail("round trip");
  }
  uint64_t end = now_ns() + duration_ns;
  while (now_ns() < end && batches.count < SAMPLES_MAX) {
    uint64_t before = now_ns();
    for (int i = 0; i < BATCH; i++) {
      if (!round_trip(pair)) fail("round trip");
    }
    batches.values[batches.count++] = (now_ns() - before) / BATCH;
    before = now_ns();
    round_trip(pair);
    uint64_t taken = now_ns() - before;
    singles.values[singles.count++] = taken > cost ? taken - cost : 0;
  }
}

static void print(const char *name, const struct samples *samples) {
  printf("\"%s\": [", name);
  for (size_t i = 0; i < samples->count; i++) printf("%s%" PRIu64, i > 0 ? "," : "", samples->values[i]);
  printf("]");
}

int main(int argc, char **argv) {
  bool near = argc == 3 && strcmp(argv[1], "socket-near") == 0;
  if (argc != 3 || (!near && strcmp(argv[1], "shm") != 0 && strcmp(argv[1], "socket") != 0)) {
    fprintf(stderr, "usage: pingpong shm|socket|socket-near MILLISECONDS\n");
    return 2;
  }
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) fail("sched_getaffinity");
  if (!near && CPU_COUNT(&allowed) < 2) {
    fprintf(stderr, "pingpong: %s needs two CPUs\n", argv[1]);
    return 3;
  }
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) fail("socketpair");
  struct shared *shared = NULL;
  if (strcmp(argv[1], "shm") == 0) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) fail("mmap");
  }
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (bind_cpu(&allowed, child == 0 && !near ? 1 : 0) != 0) fail("sched_setaffinity");
  if (child == 0) {
    close(sockets[0]);
    echo(shared, sockets[1]);
  }
  close(sockets[1]);
  struct pair pair = {.shared = shared, .socket = sockets[0]};
  measure(&pair, strtoull(argv[2], NULL, 10) * 1000000u);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
  printf("{");
  print("batches", &batches);
  printf(", ");
  print("singles", &singles);
  printf("}\n");
  return 0;
}
