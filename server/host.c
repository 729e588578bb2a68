/*
 * One host process: its start, the handshake, and what became of it.
 */
#include "server/host.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "napi.pb-c.h"
#include "server/launch.h"
#include "server/node_info.h"
#include "server/watcher.h"
#include "wire/port.h"
#include "wire/protocol.h"
#include "wire/socket.h"

#define NR_HANDSHAKE_MILLISECONDS 10000
/* From the end of the socket to that of the process. */
#define NR_END_MILLISECONDS 1000u

struct nr_host {
  atomic_uint references;
  struct nr_child *child; /* as the watcher knows it */
  int socket;
  char *group;
  pthread_mutex_t lock;
  struct nr_death death;
  struct nr_port *port; /* to be failed when it dies; NULL: none */
  pthread_cond_t died;
};

void nr_host_ref(struct nr_host *host) {
  atomic_fetch_add(&host->references, 1);
}

void nr_host_unref(struct nr_host *host) {
  if (atomic_fetch_sub(&host->references, 1) != 1) return;
  if (host->child != NULL) nr_child_free(host->child);
  if (host->socket >= 0) close(host->socket);
  pthread_mutex_destroy(&host->lock);
  pthread_cond_destroy(&host->died);
  free(host->group);
  free(host);
}

static struct nr_host *create(const char *group) {
  struct nr_host *host = calloc(1, sizeof *host);
  pthread_condattr_t attributes;
  if (host == NULL) return NULL;
  atomic_init(&host->references, 1);
  host->socket = -1;
  host->group = strdup(group);
  pthread_mutex_init(&host->lock, NULL);
  pthread_condattr_init(&attributes);
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
  pthread_cond_init(&host->died, &attributes);
  pthread_condattr_destroy(&attributes);
  if (host->group != NULL) return host;
  nr_host_unref(host);
  return NULL;
}

/* On the watcher thread: the process has been reaped. */
static void on_death(void *context, int code, int signal) {
  struct nr_host *host = context;
  pthread_mutex_lock(&host->lock);
  host->death.dead = true;
  host->death.code = code;
  host->death.signal = signal;
  if (host->port != NULL) nr_port_fail(host->port, EPIPE);
  pthread_cond_broadcast(&host->died);
  pthread_mutex_unlock(&host->lock);
  nr_host_unref(host); /* the watcher's count */
}

static int explain(char *why, size_t why_size, int error, const char *what) {
  snprintf(why, why_size, "%s: %s", what, strerror(-error));
  return error;
}

/* The descriptors that the host needs of this side. */
struct offer {
  int memfd;
  int blocks; /* the memfd of the blocks */
  int host_doorbell;
  int server_doorbell;
};

static int shake(struct nr_host *host, const struct offer *offer, int milliseconds, int *memfd, char *why,
                 size_t why_size) {
  Nr__Hello hello = NR__HELLO__INIT;
  int fds[4] = {offer->memfd, offer->host_doorbell, offer->server_doorbell, offer->blocks};
  int received[NR_SOCKET_FDS_MAX];
  size_t count = 1;
  int error = 0;
  nr_node_info_fill(&hello);
  error = nr_socket_send(host->socket, &hello.base, fds, 4);
  if (error < 0) return explain(why, why_size, error, "the handshake could not be sent");
  Nr__Welcome *welcome =
      (Nr__Welcome *)nr_socket_receive(host->socket, &nr__welcome__descriptor, received, &count, milliseconds, &error);
  if (welcome == NULL) return explain(why, why_size, error, "the host did not answer the handshake");
  if (welcome->protocol != NR_PROTOCOL_VERSION || welcome->pointer_size != sizeof(void *)) {
    snprintf(why, why_size,
             "it speaks protocol %u with %u-byte pointers, this agent protocol %u with %zu-byte pointers",
             welcome->protocol, welcome->pointer_size, NR_PROTOCOL_VERSION, sizeof(void *));
    error = -EPROTO;
  } else if (count != 1) {
    error = explain(why, why_size, -EPROTO, "the host sent no memory");
  } else if (!nr_child_adopt(host->child, (pid_t)welcome->pid)) {
    error = explain(why, why_size, -EPROTO, "the host is not of those that were started");
  }
  protobuf_c_message_free_unpacked(&welcome->base, NULL);
  for (size_t i = error < 0 ? 0 : 1; i < count; i++) close(received[i]);
  *memfd = received[0];
  return error < 0 ? error : 0;
}

/* Both sides' rings. The port owns the doorbells from here on. */
static int connect_port(struct nr_host *host, struct nr_port *port, int milliseconds, int blocks, char *why,
                        size_t why_size) {
  struct offer offer = {.memfd = nr_port_memfd(port), .blocks = blocks};
  int memfd = -1;
  offer.host_doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  offer.server_doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  int error = offer.host_doorbell < 0 || offer.server_doorbell < 0
                  ? -errno
                  : shake(host, &offer, milliseconds, &memfd, why, why_size);
  nr_port_close_memfd(port);
  if (error < 0) {
    if (offer.host_doorbell >= 0) close(offer.host_doorbell);
    if (offer.server_doorbell >= 0) close(offer.server_doorbell);
    return error;
  }
  error = nr_port_connect(port, memfd, offer.server_doorbell, offer.host_doorbell);
  return error < 0 ? explain(why, why_size, error, "the host's memory cannot be used") : 0;
}

static int spawn(struct nr_host *host, const char *path, const struct nr_launch *launch, struct nr_launch_files *files,
                 char *why, size_t why_size) {
  int sockets[2];
  int error = nr_socket_pair(sockets);
  if (error < 0) return explain(why, why_size, error, "no socket");
  host->socket = sockets[0];
  nr_host_ref(host); /* the watcher's, until on_death() */
  error = nr_child_start(path, launch, files, sockets[1], on_death, host, &host->child);
  close(sockets[1]);
  nr_launch_close_child(files);
  if (error == 0) return 0;
  nr_host_unref(host);
  snprintf(why, why_size, "%s cannot be run: %s", launch->wrapper != NULL ? launch->wrapper[0] : path,
           strerror(-error));
  return error;
}

/* A debugger or valgrind takes its time. */
static int handshake_milliseconds(const struct nr_launch *launch) {
  if (launch->wrapper == NULL) return NR_HANDSHAKE_MILLISECONDS;
  return launch->load_ms == 0 ? -1 : (int)launch->load_ms;
}

/* On the watcher thread: no lock of its may be taken. */
static void on_exceeded(void *context) {
  struct nr_host *host = context;
  pthread_mutex_lock(&host->lock);
  if (!host->death.dead && host->death.verdict == NR_VERDICT_NONE) host->death.verdict = NR_VERDICT_RESIDENT;
  pthread_mutex_unlock(&host->lock);
}

static int limit(struct nr_host *host, const struct nr_launch *launch, char *why, size_t why_size) {
  int error = nr_launch_limit(launch, nr_host_pid(host));
  if (error < 0) return explain(why, why_size, error, "its limits cannot be set");
  if (launch->resident > 0) nr_child_limit_resident(host->child, launch->resident, on_exceeded);
  return 0;
}

/* How it ended, when it did so before the handshake. */
static void note_end(struct nr_host *host, struct nr_launch_files *files, char *why, size_t why_size) {
  if (!nr_host_await_death(host, NR_END_MILLISECONDS)) return;
  struct nr_death death = nr_host_death(host);
  size_t length = strlen(why);
  files->ended = true;
  files->code = death.code;
  files->signal = death.signal;
  if (death.signal == 0) {
    snprintf(why + length, why_size - length, "; it exited with code %d", death.code);
  } else {
    snprintf(why + length, why_size - length, "; it was ended by signal %d", death.signal);
  }
}

int nr_host_start(const char *path, const struct nr_launch *launch, struct nr_launch_files *files, int blocks,
                  struct nr_host **result, struct nr_port **port, char *why, size_t why_size) {
  struct nr_host *host = create(launch->group);
  if (host == NULL) return -ENOMEM;
  *port = NULL;
  int error = nr_port_create(port, NR_RING_SIZE);
  if (error < 0) {
    *port = NULL;
    explain(why, why_size, error, "no shared memory");
  }
  if (error == 0) error = spawn(host, path, launch, files, why, why_size);
  if (error == 0) {
    error = connect_port(host, *port, handshake_milliseconds(launch), blocks, why, why_size);
    if (error == -EPIPE || error == -ECONNRESET) note_end(host, files, why, why_size);
  }
  if (error == 0) error = limit(host, launch, why, why_size);
  if (error == 0) {
    *result = host;
    return 0;
  }
  if (host->child != NULL) nr_host_kill(host);
  if (*port != NULL) nr_port_destroy(*port);
  *port = NULL;
  nr_host_unref(host);
  return error;
}

pid_t nr_host_pid(const struct nr_host *host) {
  return nr_child_pid(host->child);
}

ssize_t nr_host_copy(struct nr_host *host, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                     size_t their_count, bool writes) {
  return nr_child_copy(host->child, own, own_count, theirs, their_count, writes);
}

const char *nr_host_group(const struct nr_host *host) {
  return host->group;
}

struct nr_death nr_host_death(struct nr_host *host) {
  pthread_mutex_lock(&host->lock);
  struct nr_death death = host->death;
  pthread_mutex_unlock(&host->lock);
  return death;
}

void nr_host_kill(struct nr_host *host) {
  if (host->child != NULL) nr_child_kill(host->child);
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

void nr_host_close(struct nr_host *host) {
  if (host->socket >= 0) close(host->socket);
  host->socket = -1;
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

void nr_host_watch_port(struct nr_host *host, struct nr_port *port) {
  pthread_mutex_lock(&host->lock);
  host->port = port;
  if (host->death.dead) nr_port_fail(port, EPIPE);
  pthread_mutex_unlock(&host->lock);
}

void nr_host_unwatch_port(struct nr_host *host, struct nr_port *port) {
  pthread_mutex_lock(&host->lock);
  if (host->port == port) host->port = NULL;
  pthread_mutex_unlock(&host->lock);
}
