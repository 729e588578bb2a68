/*
 * Host processes, as the whole Node process sees them: started, watched and reaped by one watcher thread (watcher.c),
 * shared by the agents of all JavaScript threads.
 */
#ifndef NR_SERVER_HOST_H
#define NR_SERVER_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

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
};

/* What is known of a process that ended. */
struct nr_death {
  bool dead;
  int code;   /* exit code, when signal is 0 */
  int signal; /* the signal that ended it; 0: it exited */
  enum nr_verdict verdict;
  char fault[160]; /* what it did to the protocol; empty: nothing */
};

/*
 * Starts a host and shakes hands, within the launch's limits; `files`: its stdio, of which the child's ends are closed.
 * `blocks` is the memfd that it shares (blocks.h), and stays the caller's. 0, or a negative errno with a sentence in
 * `why`. The result is counted (1).
 */
int nr_host_start(const char *path, const struct nr_launch *launch, struct nr_launch_files *files, int blocks,
                  struct nr_host **host, struct nr_port **port, char *why, size_t why_size);
void nr_host_ref(struct nr_host *host);
void nr_host_unref(struct nr_host *host);

pid_t nr_host_pid(const struct nr_host *host);
const char *nr_host_group(const struct nr_host *host);
struct nr_death nr_host_death(struct nr_host *host);

/* nr_child_copy() for this host. */
ssize_t nr_host_copy(struct nr_host *host, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                     size_t their_count, bool writes);

/* Ends it with SIGKILL. From any thread. */
void nr_host_kill(struct nr_host *host);
/* The same, with the reason noted for errors and events; the first one counts. */
void nr_host_condemn(struct nr_host *host, enum nr_verdict verdict, const char *fault);
/* It is dead: its socket is of no use. */
void nr_host_close(struct nr_host *host);
/* Waits until it has been reaped; false: not within the time. */
bool nr_host_await_death(struct nr_host *host, unsigned milliseconds);
/* From now on nr_port_fail(port) when it dies; a port is watched by one host at most. */
void nr_host_watch_port(struct nr_host *host, struct nr_port *port);
void nr_host_unwatch_port(struct nr_host *host, struct nr_port *port);

#endif
