/*
 * The thread between a host's output and JavaScript: without it a host that prints much inside of a call would wait for
 * a reader that waits for the call.
 */
#include "server/hosts/pump.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NR_PUMP_STACK (64u << 10)
#define NR_PUMP_STEP (64u << 10)
/* More than this nobody has read for long: then the writer waits after all. */
#define NR_PUMP_MAX (64u << 20)

struct pump {
  int in; /* -1: the writer has closed it */
  int out;
  char *bytes;
  size_t begin, end, room;
};

static bool make_room(struct pump *pump) {
  if (pump->room - pump->end >= NR_PUMP_STEP) return true;
  if (pump->begin > 0) {
    memmove(pump->bytes, pump->bytes + pump->begin, pump->end - pump->begin);
    pump->end -= pump->begin;
    pump->begin = 0;
    if (pump->room - pump->end >= NR_PUMP_STEP) return true;
  }
  size_t room = pump->room == 0 ? NR_PUMP_STEP : pump->room * 2;
  char *bytes = realloc(pump->bytes, room);
  if (bytes == NULL) return false;
  pump->bytes = bytes;
  pump->room = room;
  return true;
}

static void take_in(struct pump *pump) {
  if (!make_room(pump)) return;
  ssize_t got = read(pump->in, pump->bytes + pump->end, NR_PUMP_STEP);
  if (got > 0) {
    pump->end += (size_t)got;
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    close(pump->in);
    pump->in = -1;
  }
}

/* False: nobody reads any more. */
static bool put_out(struct pump *pump) {
  ssize_t put = write(pump->out, pump->bytes + pump->begin, pump->end - pump->begin);
  if (put < 0) return errno == EAGAIN || errno == EINTR;
  pump->begin += (size_t)put;
  if (pump->begin == pump->end) pump->begin = pump->end = 0;
  return true;
}

static void *run(void *context) {
  struct pump *pump = context;
  while (pump->in >= 0 || pump->end > pump->begin) {
    bool holds = pump->end > pump->begin;
    bool takes = pump->in >= 0 && pump->end - pump->begin < NR_PUMP_MAX;
    struct pollfd polls[2] = {{.fd = takes ? pump->in : -1, .events = POLLIN},
                              {.fd = pump->out, .events = holds ? POLLOUT : 0}};
    if (poll(polls, 2, -1) < 0) continue;
    if (polls[0].revents != 0) take_in(pump);
    if (holds && (polls[1].revents & POLLOUT) != 0 && !put_out(pump)) break;
    if ((polls[1].revents & POLLERR) != 0) break; /* the reader has closed it */
  }
  if (pump->in >= 0) close(pump->in);
  close(pump->out);
  free(pump->bytes);
  free(pump);
  return NULL;
}

static int start(struct pump *pump) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, NR_PUMP_STACK);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = -pthread_create(&thread, &attributes, run, pump);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  return error;
}

/* The child's end blocks, as stdio does; ours do not. */
int nr_pump_open(int *child, int *own) {
  int in[2] = {-1, -1}, out[2] = {-1, -1};
  struct pump *pump = calloc(1, sizeof *pump);
  int error = -ENOMEM;
  if (pump == NULL) return error;
  if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 || fcntl(in[0], F_SETFL, O_NONBLOCK) < 0 ||
      fcntl(out[1], F_SETFL, O_NONBLOCK) < 0) {
    error = -errno;
    goto fail;
  }
  pump->in = in[0];
  pump->out = out[1];
  error = start(pump);
  if (error < 0) goto fail;
  *child = in[1];
  *own = out[0];
  return 0;
fail:
  for (int i = 0; i < 2; i++) {
    if (in[i] >= 0) close(in[i]);
    if (out[i] >= 0) close(out[i]);
  }
  free(pump);
  return error;
}
