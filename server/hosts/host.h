/*
 * Host processes, as the whole Node process sees them: started, watched and reaped by one watcher thread (watcher.c),
 * shared by the agents of all JavaScript threads.
 */
#ifndef NR_SERVER_HOST_H
#define NR_SERVER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/uio.h>

struct nr_environ;
struct nr_host;
struct nr_launch;
struct nr_launch_files;
struct nr_port;

/* Why this side ended it. */
enum nr_verdict {
  NR_VERDICT_NONE,     /* it did not */
  NR_VERDICT_PROTOCOL, /* `fault` tells */
  NR_VERDICT_KILLED,   /* somebody called kill() */
  NR_VERDICT_TIMEOUT,  /* an entry took too long */
  NR_VERDICT_ABORTED,  /* an AbortSignal */
  NR_VERDICT_RESIDENT, /* it took more memory than it may */
  NR_VERDICT_IDLE,     /* it had nothing to do */
  NR_VERDICT_STRUCK,   /* it was the kernel, for want of memory */
};

/* What is known of a process that ended. */
struct nr_death {
  bool dead;
  int code;   /* exit code, when signal is 0 */
  int signal; /* the signal that ended it; 0: it exited */
  enum nr_verdict verdict;
  struct rusage usage; /* of the process, and of those that it has waited for */
  char fault[160];     /* what it did to the protocol; empty: nothing */
};

/*
 * Joins this JavaScript thread with a thread of the group's host, which is started when there is none, or none that
 * lives. `blocks` is the memfd that the two share (blocks.h), and stays the caller's. From now on nr_port_fail(port)
 * when the host dies. `files`: what is made for a start. 0, or a negative errno with a sentence in `why`. The host is
 * counted.
 */
int nr_host_join(const char *path, const struct nr_launch *launch, struct nr_launch_files *files, bool worker,
                 int blocks, struct nr_host **host, struct nr_port **port, char *why, size_t why_size);
/* This thread is about to leave. True: no other is joined, and none will be; the process is to end. */
bool nr_host_retire(struct nr_host *host, struct nr_port *port);
/* It leaves, whatever the host's thread is doing: the port fails. True: no other is joined, so the host is killed. */
bool nr_host_abandon(struct nr_host *host, struct nr_port *port);
/* Before the port goes: it has left, or does so now. */
void nr_host_forget(struct nr_host *host, struct nr_port *port);
void nr_host_ref(struct nr_host *host);
void nr_host_unref(struct nr_host *host);

pid_t nr_host_pid(const struct nr_host *host);
const char *nr_host_group(const struct nr_host *host);
struct nr_death nr_host_death(struct nr_host *host);

/* The environment that it was started with, for the thread that keeps it up to date. NULL: it has one of its own, or
 * somebody took it before. */
struct nr_environ *nr_host_take_environ(struct nr_host *host);

/* What the host has left so far, as JSON: to be freed. NULL: nothing. */
char *nr_host_recorded(struct nr_host *host);
/* If it is dead, that is read now, and needs no descriptor any more. */
void nr_host_conclude(struct nr_host *host);

/* nr_child_copy() for this host. */
ssize_t nr_host_copy(struct nr_host *host, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                     size_t their_count, bool writes);

/* It may watch one external buffer more, or one less (memory/tracking.c). */
void nr_host_watch(struct nr_host *host, bool more);
/* May it watch any? From any thread. */
bool nr_host_is_watching(const struct nr_host *host);

/* Ends it with SIGKILL. From any thread. */
void nr_host_kill(struct nr_host *host);
/* The same, with the reason noted for errors and events; the first one counts. */
void nr_host_condemn(struct nr_host *host, enum nr_verdict verdict, const char *fault);
/* The same for one that only this thread has joined, and needs no longer: its port fails at once, so that whoever calls
 * next finds another host. False: other threads use it. */
bool nr_host_recycle(struct nr_host *host, struct nr_port *port);
/* It is about to be ended although it lives: what this thread's is doing there is noted for the report. Bounded; some
 * hosts do not answer. */
void nr_host_hear(struct nr_host *host, const struct nr_port *port);
/* Waits until it has been reaped; false: not within the time. */
bool nr_host_await_death(struct nr_host *host, unsigned milliseconds);

#endif
