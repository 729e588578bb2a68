/*
 * What the files about a host (host.c, begin.c, dying.c) share.
 */
#ifndef NR_SERVER_HOST_PRIVATE_H
#define NR_SERVER_HOST_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/hosts/host.h"
#include "server/hosts/watcher.h"

/* A JavaScript thread's place in a host. */
struct nr_seat {
  struct nr_seat *next;
  struct nr_port *port; /* to be failed when it dies */
  uint32_t thread;      /* its number, on the control socket */
  bool retired;         /* it does not count any more */
};

struct nr_host {
  atomic_uint references;
  atomic_uint watching;   /* pairs of external buffers that it may watch, of all threads */
  struct nr_child *child; /* as the watcher knows it; NULL: it could not be started */
  int socket;
  struct nr_left *left;       /* NULL: it has not come that far */
  struct nr_environ *environ; /* that it was started with */
  char *group;
  pthread_mutex_t joining; /* one thread at a time asks for its place; waits for the host */
  uint32_t threads;        /* that have asked so far */
  uint32_t owed;           /* answers to those that gave up waiting for them */
  int patience;            /* milliseconds that its start may take; -1: any time */
  struct nr_host *next;    /* of the registry */
  uint32_t joined;         /* threads, under its lock */
  bool listed;
  pthread_mutex_t lock; /* of what follows */
  struct nr_death death;
  struct nr_seat *seats;
  pthread_cond_t died;
};

/* The number of this side's thread in the host; 0: it has left. */
uint32_t nr_host_thread(struct nr_host *host, const struct nr_port *port);

/* ---- begin.c: 0 or a negative errno, with a sentence in `why` ---- */

int nr_host_explain(char *why, size_t why_size, int error, const char *what);
/* Starts the process. `died`: on the watcher thread, when it has been reaped; it has a count of the host. */
int nr_host_begin(struct nr_host *host, const char *path, const struct nr_launch *launch, struct nr_launch_files *files,
                  void (*died)(void *host, const struct nr_child_end *end), char *why, size_t why_size);
/* Hands have been shaken, nothing is loaded yet: `pid` is what the host calls itself. */
int nr_host_settle(struct nr_host *host, const struct nr_launch *launch, pid_t pid, char *why, size_t why_size);
/* Adds to the sentence how it ended, when it did so before the handshake. */
void nr_host_note_end(struct nr_host *host, struct nr_launch_files *files, char *why, size_t why_size);

#endif
