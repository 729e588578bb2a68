/*
 * Host processes: which one a group has, and the threads that are joined with it.
 */
#include "server/hosts/host-private.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/hosts/joining.h"
#include "server/hosts/left.h"
#include "server/hosts/launch.h"
#include "wire/environ.h"
#include "wire/port.h"

/* Each finds a host that is dying and not reaped yet. */
#define NR_JOIN_ATTEMPTS 3

/* Of the whole Node process: all of its threads find a group's host here. Dying ones are not in it. */
static struct {
  pthread_mutex_t lock;
  struct nr_host *hosts;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the registry's lock held. */
static void unlist(struct nr_host *host) {
  if (!host->listed) return;
  host->listed = false;
  struct nr_host **link = &registry.hosts;
  while (*link != host) link = &(*link)->next;
  *link = host->next;
}

void nr_host_ref(struct nr_host *host) {
  atomic_fetch_add(&host->references, 1);
}

void nr_host_unref(struct nr_host *host) {
  if (atomic_fetch_sub(&host->references, 1) != 1) return;
  if (host->child != NULL) nr_child_free(host->child);
  if (host->socket >= 0) close(host->socket);
  nr_left_free(host->left);
  nr_environ_destroy(host->environ);
  pthread_mutex_destroy(&host->joining);
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
  pthread_mutex_init(&host->joining, NULL);
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
static void on_death(void *context, const struct nr_child_end *end) {
  struct nr_host *host = context;
  pthread_mutex_lock(&registry.lock);
  unlist(host);
  pthread_mutex_unlock(&registry.lock);
  pthread_mutex_lock(&host->lock);
  host->death.dead = true;
  host->death.code = end->code;
  host->death.signal = end->signal;
  host->death.usage = end->usage;
  if (end->signal == SIGKILL && end->struck && host->death.verdict == NR_VERDICT_NONE)
    host->death.verdict = NR_VERDICT_STRUCK;
  for (struct nr_seat *seat = host->seats; seat != NULL; seat = seat->next) nr_port_fail(seat->port, EPIPE);
  pthread_cond_broadcast(&host->died);
  pthread_mutex_unlock(&host->lock);
  nr_host_unref(host); /* the watcher's count */
}

/* ---- Which host a group has ----------------------------------------------------------------------------------------
 */

/* The group's host, counted, with one thread more that is joined or about to be. A fresh one is not started yet, and
 * its `joining` is held: others wait there until it is. */
static struct nr_host *enlist(const char *group, int patience, bool *fresh) {
  pthread_mutex_lock(&registry.lock);
  struct nr_host *host = registry.hosts;
  while (host != NULL && strcmp(host->group, group) != 0) host = host->next;
  *fresh = host == NULL;
  if (host == NULL && (host = create(group)) != NULL) {
    pthread_mutex_lock(&host->joining);
    host->patience = patience;
    host->listed = true;
    host->next = registry.hosts;
    registry.hosts = host;
  } else if (host != NULL) {
    nr_host_ref(host);
  }
  if (host != NULL) host->joined++;
  pthread_mutex_unlock(&registry.lock);
  return host;
}

/* One thread fewer. True: it was the last. */
static bool unjoin(struct nr_host *host) {
  pthread_mutex_lock(&registry.lock);
  bool last = --host->joined == 0;
  if (last) unlist(host);
  pthread_mutex_unlock(&registry.lock);
  return last;
}

/* ---- Threads -------------------------------------------------------------------------------------------------------
 */

static void add_seat(struct nr_host *host, struct nr_seat *seat) {
  pthread_mutex_lock(&host->lock);
  seat->next = host->seats;
  host->seats = seat;
  if (host->death.dead) nr_port_fail(seat->port, EPIPE);
  pthread_mutex_unlock(&host->lock);
}

/* With the host's lock held. */
static struct nr_seat **find_seat(struct nr_host *host, const struct nr_port *port) {
  struct nr_seat **link = &host->seats;
  while (*link != NULL && (*link)->port != port) link = &(*link)->next;
  return link;
}

uint32_t nr_host_thread(struct nr_host *host, const struct nr_port *port) {
  pthread_mutex_lock(&host->lock);
  const struct nr_seat *seat = *find_seat(host, port);
  uint32_t thread = seat == NULL ? 0 : seat->thread;
  pthread_mutex_unlock(&host->lock);
  return thread;
}

static void drop_seat(struct nr_host *host, const struct nr_port *port) {
  pthread_mutex_lock(&host->lock);
  struct nr_seat **link = find_seat(host, port);
  struct nr_seat *seat = *link;
  if (seat != NULL) *link = seat->next;
  pthread_mutex_unlock(&host->lock);
  free(seat);
}

static int take_seat(struct nr_host *host, struct nr_joining *joining, struct nr_port **port, char *why,
                     size_t why_size) {
  struct nr_seat *seat = calloc(1, sizeof *seat);
  if (seat == NULL) return -ENOMEM;
  joining->thread = seat->thread = ++host->threads;
  joining->owed = host->owed;
  int error = nr_joining_connect(host->socket, joining, port, why, why_size);
  host->owed = joining->owed;
  if (error < 0) {
    free(seat);
    return error;
  }
  seat->port = *port;
  add_seat(host, seat);
  return 0;
}

/* What a load brings along for its host. */
struct wish {
  const char *path;
  const struct nr_launch *launch;
  struct nr_launch_files *files;
  struct nr_joining joining;
};

/* The first thread of a fresh host. */
static int start(struct nr_host *host, struct wish *wish, struct nr_port **port, char *why, size_t why_size) {
  int error = nr_host_begin(host, wish->path, wish->launch, wish->files, on_death, why, why_size);
  if (error < 0) return error;
  error = take_seat(host, &wish->joining, port, why, why_size);
  if (error == -EPIPE || error == -ECONNRESET) nr_host_note_end(host, wish->files, why, why_size);
  if (error < 0) return error;
  error = nr_host_settle(host, wish->launch, wish->joining.pid, why, why_size);
  if (error == 0) return 0;
  drop_seat(host, *port);
  nr_port_destroy(*port);
  return error;
}

/* Waits for those that have come before, and has the less time for its own. A host that starts may take longer than
 * this thread would wait for one. */
static int wait_in_line(struct nr_host *host, struct nr_joining *joining, char *why, size_t why_size) {
  int patience = joining->milliseconds;
  if (patience >= 0 && (host->patience < 0 || host->patience > patience)) patience = host->patience;
  if (patience < 0) return -pthread_mutex_lock(&host->joining);
  uint64_t until = nr_now_ns() + (uint64_t)patience * 1000000u;
  const struct timespec end = {.tv_sec = (time_t)(until / 1000000000u), .tv_nsec = (long)(until % 1000000000u)};
  int error = -pthread_mutex_clocklock(&host->joining, CLOCK_MONOTONIC, &end);
  if (error < 0) return nr_host_explain(why, why_size, error, "the host did not answer the handshake");
  uint64_t now = nr_now_ns();
  joining->milliseconds = now < until ? (int)((until - now) / 1000000u) : 0;
  return 0;
}

/* One attempt. -ESTALE: the host that was there is dying. */
static int join(struct wish *wish, struct nr_host **result, struct nr_port **port, char *why, size_t why_size) {
  bool fresh;
  struct nr_joining *joining = &wish->joining;
  joining->milliseconds = nr_launch_patience(wish->launch);
  joining->thread = 0;
  struct nr_host *host = enlist(wish->launch->group, joining->milliseconds, &fresh);
  if (host == NULL) return -ENOMEM;
  int error = fresh ? 0 : wait_in_line(host, joining, why, why_size);
  bool in_line = error == 0;
  if (fresh) {
    error = start(host, wish, port, why, why_size);
  } else if (in_line) {
    error = host->threads == 0 || host->socket < 0 ? -ESTALE : take_seat(host, joining, port, why, why_size);
  }
  if (in_line) pthread_mutex_unlock(&host->joining);
  if (error == 0) {
    *result = host;
    return 0;
  }
  *port = NULL;
  /* What has not answered in time may be stopped, and others use it; and this side may be short of something. */
  bool broken = fresh || error == -ESTALE || error == -EPIPE || error == -ECONNRESET || error == -EPROTO;
  if (!broken && joining->thread != 0) nr_joining_leave(host->socket, joining->thread);
  if (unjoin(host) || broken) nr_host_kill(host);
  nr_host_unref(host);
  return broken && !fresh ? -ESTALE : error;
}

int nr_host_join(const char *path, const struct nr_launch *launch, struct nr_launch_files *files, bool worker,
                 int blocks, struct nr_host **host, struct nr_port **port, char *why, size_t why_size) {
  struct wish wish = {.path = path, .launch = launch, .files = files};
  wish.joining = (struct nr_joining){.worker = worker, .blocks = blocks, .apart = launch->env != NULL};
  int error = -ESTALE;
  for (int attempt = 0; error == -ESTALE && attempt < NR_JOIN_ATTEMPTS; attempt++)
    error = join(&wish, host, port, why, why_size);
  return error;
}

bool nr_host_retire(struct nr_host *host, struct nr_port *port) {
  pthread_mutex_lock(&host->lock);
  struct nr_seat *seat = *find_seat(host, port);
  bool leaves = seat != NULL && !seat->retired;
  if (leaves) seat->retired = true;
  pthread_mutex_unlock(&host->lock);
  if (leaves) return unjoin(host);
  pthread_mutex_lock(&registry.lock);
  bool last = host->joined == 0;
  pthread_mutex_unlock(&registry.lock);
  return last;
}

bool nr_host_abandon(struct nr_host *host, struct nr_port *port) {
  uint32_t thread = nr_host_thread(host, port);
  bool last = nr_host_retire(host, port);
  if (last || nr_joining_leave(host->socket, thread) < 0) nr_host_kill(host);
  nr_port_fail(port, EPIPE);
  return last;
}

/* The socket of a dead host, when no thread can be in the middle of using it. */
static void close_unused(struct nr_host *host) {
  pthread_mutex_lock(&registry.lock);
  bool unused = host->joined == 0 && !host->listed;
  pthread_mutex_unlock(&registry.lock);
  pthread_mutex_lock(&host->lock);
  if (unused && host->death.dead && host->socket >= 0) {
    close(host->socket);
    host->socket = -1;
  }
  pthread_mutex_unlock(&host->lock);
}

void nr_host_forget(struct nr_host *host, struct nr_port *port) {
  pthread_mutex_lock(&host->lock);
  struct nr_seat *seat = *find_seat(host, port);
  bool leaves = seat != NULL && !seat->retired;
  pthread_mutex_unlock(&host->lock);
  if (leaves) nr_host_abandon(host, port);
  drop_seat(host, port);
  close_unused(host);
}

/* ---- What it is, and its end ---------------------------------------------------------------------------------------
 */

pid_t nr_host_pid(const struct nr_host *host) {
  return nr_child_pid(host->child);
}

ssize_t nr_host_copy(struct nr_host *host, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                     size_t their_count, bool writes) {
  return nr_child_copy(host->child, own, own_count, theirs, their_count, writes);
}

void nr_host_watch(struct nr_host *host, bool more) {
  atomic_fetch_add(&host->watching, more ? 1 : UINT_MAX);
}

bool nr_host_is_watching(const struct nr_host *host) {
  return atomic_load(&host->watching) > 0;
}

const char *nr_host_group(const struct nr_host *host) {
  return host->group;
}

struct nr_environ *nr_host_take_environ(struct nr_host *host) {
  struct nr_environ *taken = host->environ;
  host->environ = NULL;
  return taken;
}

/* Nobody finds it any more, even before it is dead. */
void nr_host_kill(struct nr_host *host) {
  pthread_mutex_lock(&registry.lock);
  unlist(host);
  pthread_mutex_unlock(&registry.lock);
  if (host->child != NULL) nr_child_kill(host->child);
}

bool nr_host_recycle(struct nr_host *host, struct nr_port *port) {
  pthread_mutex_lock(&registry.lock);
  bool alone = host->joined == 1;
  if (alone) unlist(host); /* no other thread finds it any more */
  pthread_mutex_unlock(&registry.lock);
  if (!alone) return false;
  nr_host_condemn(host, NR_VERDICT_IDLE, "");
  nr_port_fail(port, EPIPE);
  return true;
}
