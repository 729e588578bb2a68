/*
 * The one thread of this Node process that starts hosts, sees them die and reaps them. It lives as long as Node:
 * PR_SET_PDEATHSIG in a host fires when the thread that started it ends, and libuv would learn of a death only when its
 * loop turns.
 */
#ifndef NR_SERVER_WATCHER_H
#define NR_SERVER_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/uio.h>

struct nr_child;

struct nr_launch;
struct nr_launch_files;

/* How a process ended. */
struct nr_child_end {
  int code;            /* exit code, when signal is 0 */
  int signal;          /* 0: it exited */
  bool struck;         /* by the kernel, since the machine, or its control group, had no memory left */
  struct rusage usage; /* what it took, as getrusage(2) counts */
};

/*
 * Starts `path` with `socket` as its only descriptor beside stdio, through the watcher thread (which is started when
 * there is none). `died` is called on that thread, once, after the process has been reaped; that may be before this
 * returns. 0 or a negative errno. From any thread.
 */
int nr_child_start(const char *path, const struct nr_launch *launch, const struct nr_launch_files *files, int socket,
                   void (*died)(void *context, const struct nr_child_end *end), void *context, struct nr_child **child);
/* A command that was to start it has it as a child: this is its own pid, as it says. False: it is none of ours. */
bool nr_child_adopt(struct nr_child *child, pid_t pid);
/* From now on `exceeded` is called on the watcher thread, once, when it has more bytes of memory than that. */
void nr_child_limit_resident(struct nr_child *child, uint64_t bytes, void (*exceeded)(void *context));
pid_t nr_child_pid(const struct nr_child *child);
/* SIGKILL, unless it has been reaped. */
void nr_child_kill(struct nr_child *child);
/* If it is stopped it goes on, after it has noted where it is (wire/recorder.h). */
void nr_child_continue(struct nr_child *child);
/*
 * Copies between memory of this process and the child's: process_vm_readv(2) or, with `writes`, process_vm_writev(2).
 * The bytes copied, or a negative errno; -ESRCH when it has been reaped: the pid may be another's by then.
 */
ssize_t nr_child_copy(struct nr_child *child, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                      size_t their_count, bool writes);
/* Only after died() has been called. */
void nr_child_free(struct nr_child *child);

#endif
