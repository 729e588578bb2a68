/*
 * How a host begins: its process, with the recorder that comes before anything else, and what is settled with it before
 * an addon is loaded.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "napi.pb-c.h"
#include "server/hosts/host-private.h"
#include "server/hosts/launch.h"
#include "server/hosts/left.h"
#include "wire/environ.h"
#include "wire/recorder.h"
#include "wire/socket.h"

/* From the end of the socket to that of the process. */
#define NR_END_MILLISECONDS 1000u

int nr_host_explain(char *why, size_t why_size, int error, const char *what) {
  snprintf(why, why_size, "%s: %s", what, strerror(-error));
  return error;
}

/* Where it leaves what it was doing, before it does anything. */
static int give_recorder(struct nr_host *host) {
  Nr__Recorder message = NR__RECORDER__INIT;
  message.version = NR_RECORDER_VERSION;
  int memfd = nr_recorder_create();
  if (memfd < 0) return memfd;
  host->left = nr_left_create(memfd);
  return host->left == NULL ? -ENOMEM : nr_socket_send(host->socket, &message.base, &memfd, 1);
}

int nr_host_begin(struct nr_host *host, const char *path, const struct nr_launch *launch, struct nr_launch_files *files,
                  void (*died)(void *host, const struct nr_child_end *end), char *why, size_t why_size) {
  int sockets[2];
  int error = nr_launch_open(launch, files);
  if (error < 0) return nr_host_explain(why, why_size, error, "no pipes");
  error = nr_socket_pair(sockets);
  if (error < 0) return nr_host_explain(why, why_size, error, "no socket");
  host->socket = sockets[0];
  nr_host_ref(host); /* the watcher's, until `died` */
  if (launch->env == NULL) host->environ = nr_environ_create();
  error = give_recorder(host);
  if (error == 0) error = nr_child_start(path, launch, files, sockets[1], died, host, &host->child);
  close(sockets[1]);
  nr_launch_close_child(files);
  if (error == 0) {
    files->pid = nr_child_pid(host->child);
    return 0;
  }
  nr_host_unref(host);
  snprintf(why, why_size, "%s cannot be run: %s", launch->wrapper != NULL ? launch->wrapper[0] : path,
           strerror(-error));
  return error;
}

/* On the watcher thread, which holds its lock. */
static void on_exceeded(void *context) {
  struct nr_host *host = context;
  pthread_mutex_lock(&host->lock);
  if (!host->death.dead && host->death.verdict == NR_VERDICT_NONE) host->death.verdict = NR_VERDICT_RESIDENT;
  pthread_mutex_unlock(&host->lock);
}

int nr_host_settle(struct nr_host *host, const struct nr_launch *launch, pid_t pid, char *why, size_t why_size) {
  if (!nr_child_adopt(host->child, pid))
    return nr_host_explain(why, why_size, -EPROTO, "the host is not of those that were started");
  int error = nr_launch_limit(launch, nr_host_pid(host));
  if (error < 0) return nr_host_explain(why, why_size, error, "its limits cannot be set");
  if (launch->resident > 0) nr_child_limit_resident(host->child, launch->resident, on_exceeded);
  return 0;
}

void nr_host_note_end(struct nr_host *host, struct nr_launch_files *files, char *why, size_t why_size) {
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
