/*
 * What a host is started with, as load() was told (server/lib/options.js has checked it).
 */
#ifndef NR_SERVER_LAUNCH_H
#define NR_SERVER_LAUNCH_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define NR_LAUNCH_LIMITS 4u
#define NR_LAUNCH_STREAMS 3u

/* Of a host's stdin, stdout and stderr. */
enum nr_stream { NR_STREAM_INHERIT, NR_STREAM_IGNORE, NR_STREAM_PIPE };

struct nr_launch {
  char *group;
  const char *file; /* of the addon that is loaded, for errors; the caller's */
  uint32_t call_ms; /* 0: as long as it takes */
  uint32_t load_ms;
  bool again;                          /* in the place of a dead one */
  bool restarts;                       /* a call after its death may start another */
  bool times;                          /* how long entries take is counted */
  bool apart;                          /* it shares no memory with JavaScript */
  char **wrapper;                      /* the command that starts the host; NULL: none */
  char **env;                          /* NULL: this process' own */
  uint32_t streams[NR_LAUNCH_STREAMS]; /* enum nr_stream */
  uint64_t limits[NR_LAUNCH_LIMITS];   /* 0: none; see launch.c */
  uint64_t resident;                   /* bytes; 0: no limit */
};

/* What belongs to one start: made by nr_launch_open(), for the child; the other ends of pipes are for JavaScript. */
struct nr_launch_files {
  int child[NR_LAUNCH_STREAMS]; /* -1: it has this process' own */
  int own[NR_LAUNCH_STREAMS];   /* -1: none */
  pid_t pid;                    /* 0: not started */
  bool ended;                   /* before hands were shaken, in this way */
  int code;
  int signal; /* 0: it exited */
};

/* Takes what `options` has apart, but for the group. False with an exception. */
bool nr_launch_take(napi_env napi, napi_value options, struct nr_launch *launch);
/* Frees what is in it. */
void nr_launch_free(struct nr_launch *launch);

/* Milliseconds until the host has to have answered; -1: any time. */
int nr_launch_patience(const struct nr_launch *launch);
/* 0 or a negative errno; then none is open. */
int nr_launch_open(const struct nr_launch *launch, struct nr_launch_files *files);
/* The child has its own. */
void nr_launch_close_child(struct nr_launch_files *files);
void nr_launch_close_own(struct nr_launch_files *files);
/* What the child has written to stderr so far, as far as it fits: when it ended before anybody could read it. */
void nr_launch_read_stderr(const struct nr_launch_files *files, char *text, size_t size);
/* Before addons are loaded. 0 or a negative errno. */
int nr_launch_limit(const struct nr_launch *launch, pid_t pid);

#endif
