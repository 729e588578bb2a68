/*
 * Did the kernel end a process because its control group, or the machine, had no memory left? The signal is the same
 * SIGKILL that anybody may have sent; but control groups (version 2) count it.
 */
#ifndef NR_SERVER_OOM_H
#define NR_SERVER_OOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file with the counts of the group that is named in the text of /proc/PID/cgroup, where groups are mounted at
 * `root`. False: it is in none, or in one that does not count. */
bool nr_oom_find(const char *root, const char *text, char *path, size_t size);

struct nr_oom {
  int fd; /* poll(2) tells POLLPRI of it when a count has changed; -1: none */
  uint64_t count;
  uint64_t changed_ns; /* when that was seen; 0: never */
};

/* What has been counted before does not matter. False: it does not count. */
bool nr_oom_open(struct nr_oom *oom, const char *path);
/* Its count may have changed. */
void nr_oom_look(struct nr_oom *oom, uint64_t now_ns);
/* Has it ended a process of that group just now? */
bool nr_oom_struck(struct nr_oom *oom, uint64_t now_ns);
void nr_oom_close(struct nr_oom *oom);

#endif
