/*
 * The end of a host: why this side ends it, what it says before, waiting for it, and what it has left.
 */
#include "server/hosts/host-private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>

#include "server/hosts/joining.h"
#include "server/hosts/left.h"
#include "wire/port.h"

char *nr_host_recorded(struct nr_host *host) {
  return host->left == NULL ? NULL : nr_left_read(host->left);
}

void nr_host_conclude(struct nr_host *host) {
  if (host->left != NULL && nr_host_death(host).dead) nr_left_conclude(host->left);
}

struct nr_death nr_host_death(struct nr_host *host) {
  pthread_mutex_lock(&host->lock);
  struct nr_death death = host->death;
  pthread_mutex_unlock(&host->lock);
  return death;
}

void nr_host_condemn(struct nr_host *host, enum nr_verdict verdict, const char *fault) {
  pthread_mutex_lock(&host->lock);
  if (!host->death.dead && host->death.verdict == NR_VERDICT_NONE) {
    host->death.verdict = verdict;
    snprintf(host->death.fault, sizeof host->death.fault, "%s", fault);
  }
  pthread_mutex_unlock(&host->lock);
  nr_host_kill(host);
}

/* How long a host may take to note where it is, and after how long it must be one that is stopped. */
#define NR_HEAR_NS UINT64_C(300000000)
#define NR_STOPPED_NS UINT64_C(20000000)

/* What has come of the host's end of the socket (poll(2)): 0: nothing until then. */
static short await_last_word(int socket, uint64_t until_ns) {
  for (;;) {
    struct pollfd end = {.fd = socket, .events = POLLRDHUP};
    uint64_t now = nr_now_ns();
    int ready = poll(&end, 1, now < until_ns ? (int)((until_ns - now + 999999u) / 1000000u) : 0);
    if (ready >= 0 || errno != EINTR) return ready > 0 ? end.revents : 0;
  }
}

void nr_host_hear(struct nr_host *host, const struct nr_port *port) {
  uint32_t thread = nr_host_thread(host, port);
  if (thread == 0 || host->left == NULL || nr_joining_ask(host->socket, thread) < 0) return;
  const uint64_t start = nr_now_ns(), end = start + NR_HEAR_NS;
  short word = await_last_word(host->socket, start + NR_STOPPED_NS);
  if (word == 0) {
    nr_child_continue(host->child);
    word = await_last_word(host->socket, end);
  }
  uint64_t now = nr_now_ns();
  /* It died: how comes before what is noted of this side's reasons. */
  if ((word & POLLHUP) != 0 && now < end) nr_host_await_death(host, (unsigned)((end - now) / 1000000u));
}

bool nr_host_await_death(struct nr_host *host, unsigned milliseconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += milliseconds / 1000;
  until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  pthread_mutex_lock(&host->lock);
  int error = 0;
  while (!host->death.dead && error == 0) error = pthread_cond_timedwait(&host->died, &host->lock, &until);
  bool dead = host->death.dead;
  pthread_mutex_unlock(&host->lock);
  return dead;
}
