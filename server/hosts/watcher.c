/*
 * The watcher thread.
 */
#include "server/hosts/watcher.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/hosts/oom.h"
#include "server/hosts/spawn.h"
#include "wire/port.h"
#include "wire/recorder.h"

struct nr_child {
  struct nr_child *next; /* in the watcher's list */
  pid_t pid;
  pid_t inner;       /* the host's own, when a command between has it as a child; 0: there is none */
  int pidfd;         /* -1: reaped */
  uint64_t resident; /* bytes that it may have; 0: any */
  void (*exceeded)(void *context);
  void (*died)(void *context, const struct nr_child_end *end);
  void *context;
};

/* A start that a thread waits for. */
struct request {
  struct request *next;
  const char *path;
  const struct nr_launch *launch;
  const struct nr_launch_files *files;
  int socket;
  struct nr_child *child;
  int error;
  bool done;
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t done;
  bool runs;
  int doorbell;
  struct request *requests;
  struct nr_child *children;
  struct nr_oom oom; /* of this process' own group, in which hosts are as well; the thread's own, as is its path */
  char oom_path[512];
} watcher = {.lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER, .doorbell = -1, .oom = {.fd = -1}};

static void ring(void) {
  uint64_t one = 1;
  if (write(watcher.doorbell, &one, sizeof one) < 0) return; /* full: it is awake anyway */
}

/* The pid cannot be another's: it is our child and not reaped yet. */
static int open_pidfd(pid_t pid) {
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (pidfd >= 0) return pidfd;
  int error = -errno;
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  return error;
}

static void serve_request(struct request *request) {
  pid_t pid = 0;
  request->error = nr_spawn(request->path, request->launch, request->files, request->socket, &pid);
  if (request->error < 0) return;
  int pidfd = open_pidfd(pid);
  if (pidfd < 0) {
    request->error = pidfd;
    return;
  }
  request->child->pid = pid;
  request->child->pidfd = pidfd;
  request->child->next = watcher.children;
  watcher.children = request->child;
}

/* With the lock held, which is given up while a start is carried out. */
static void serve_requests(void) {
  while (watcher.requests != NULL) {
    struct request *request = watcher.requests;
    watcher.requests = request->next;
    serve_request(request);
    request->done = true;
    pthread_cond_broadcast(&watcher.done);
  }
}

static void drop(struct nr_child *child) {
  for (struct nr_child **link = &watcher.children; *link != NULL; link = &(*link)->next) {
    if (*link != child) continue;
    *link = child->next;
    return;
  }
}

#define NR_GROUPS "/sys/fs/cgroup"

/* Where the kernel counts what it ends in a process' group. */
static bool find_group(const char *process, char *path, size_t size) {
  char name[64], text[4096];
  snprintf(name, sizeof name, "/proc/%s/cgroup", process);
  FILE *file = fopen(name, "re");
  if (file == NULL) return false;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = '\0';
  return nr_oom_find(NR_GROUPS, text, path, size);
}

/* Of a child that is dead and not reaped yet. */
static bool was_struck(const struct nr_child *child) {
  char name[16], path[sizeof watcher.oom_path];
  snprintf(name, sizeof name, "%d", (int)child->pid);
  return watcher.oom.fd >= 0 && find_group(name, path, sizeof path) && strcmp(path, watcher.oom_path) == 0 &&
         nr_oom_struck(&watcher.oom, nr_now_ns());
}

/* Reaps a child whose pidfd is readable. The callback runs without the lock: it may drop the last count of its host. */
static void reap(struct nr_child *child) {
  siginfo_t info = {.si_pid = 0};
  struct nr_child_end end = {.struck = was_struck(child)};
  pthread_mutex_lock(&watcher.lock);
  syscall(SYS_waitid, P_PID, child->pid, &info, WEXITED, &end.usage);
  close(child->pidfd);
  child->pidfd = -1;
  drop(child);
  pthread_mutex_unlock(&watcher.lock);
  if (info.si_code == CLD_EXITED)
    end.code = info.si_status;
  else
    end.signal = info.si_status;
  child->died(child->context, &end);
}

/* The doorbell, and the count of what has been ended for want of memory. */
#define NR_POLLS 2u

static size_t fill_polls(struct pollfd **polls, struct nr_child ***children, size_t *room) {
  size_t count = NR_POLLS;
  for (struct nr_child *child = watcher.children; child != NULL; child = child->next) count++;
  if (count > *room) {
    *polls = realloc(*polls, count * sizeof **polls);
    *children = realloc(*children, count * sizeof **children);
    if (*polls == NULL || *children == NULL) return 0;
    *room = count;
  }
  (*polls)[0] = (struct pollfd){.fd = watcher.doorbell, .events = POLLIN};
  (*polls)[1] = (struct pollfd){.fd = watcher.oom.fd, .events = POLLPRI};
  size_t i = NR_POLLS;
  for (struct nr_child *child = watcher.children; child != NULL; child = child->next, i++) {
    (*polls)[i] = (struct pollfd){.fd = child->pidfd, .events = POLLIN};
    (*children)[i] = child;
  }
  return count;
}

static uint64_t resident_of(pid_t pid) {
  char path[32];
  unsigned long pages = 0;
  snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  if (fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
  fclose(file);
  return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* How often memory is looked at, where there is a limit. */
#define NR_LOOK_MILLISECONDS 50

/* With the lock held. The timeout for poll(2). A host is told of once. */
static int look_at_memory(void) {
  int timeout = -1;
  for (struct nr_child *child = watcher.children; child != NULL; child = child->next) {
    if (child->resident == 0) continue;
    if (resident_of(nr_child_pid(child)) > child->resident) {
      child->resident = 0;
      child->exceeded(child->context);
      syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
    } else {
      timeout = NR_LOOK_MILLISECONDS;
    }
  }
  return timeout;
}

static void *run(void *unused) {
  struct pollfd *polls = NULL;
  struct nr_child **children = NULL;
  size_t room = 0;
  (void)unused;
  if (find_group("self", watcher.oom_path, sizeof watcher.oom_path)) nr_oom_open(&watcher.oom, watcher.oom_path);
  for (;;) {
    pthread_mutex_lock(&watcher.lock);
    serve_requests();
    int timeout = look_at_memory();
    size_t count = fill_polls(&polls, &children, &room);
    pthread_mutex_unlock(&watcher.lock);
    if (count == 0 || poll(polls, count, timeout) < 0) continue;
    uint64_t rings;
    if ((polls[0].revents & POLLIN) != 0 && read(watcher.doorbell, &rings, sizeof rings) < 0) continue;
    if (polls[1].revents != 0) nr_oom_look(&watcher.oom, nr_now_ns());
    for (size_t i = NR_POLLS; i < count; i++) {
      if (polls[i].revents != 0) reap(children[i]);
    }
  }
  return NULL;
}

#define NR_WATCHER_STACK (128u << 10)

/* With the lock held. No signal is for this thread: they are the program's. */
static int start_thread(void) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  if (watcher.runs) return 0;
  watcher.doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (watcher.doorbell < 0) return -errno;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, NR_WATCHER_STACK);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = -pthread_create(&thread, &attributes, run, NULL);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error == 0) {
    pthread_setname_np(thread, "napi-remote");
    watcher.runs = true;
  } else {
    close(watcher.doorbell);
  }
  return error;
}

int nr_child_start(const char *path, const struct nr_launch *launch, const struct nr_launch_files *files, int socket,
                   void (*died)(void *context, const struct nr_child_end *end), void *context,
                   struct nr_child **child) {
  struct request request = {.path = path, .launch = launch, .files = files, .socket = socket};
  request.child = calloc(1, sizeof *request.child);
  if (request.child == NULL) return -ENOMEM;
  request.child->died = died;
  request.child->context = context;
  pthread_mutex_lock(&watcher.lock);
  request.error = start_thread();
  if (request.error == 0) {
    request.next = watcher.requests;
    watcher.requests = &request;
    ring();
    while (!request.done) pthread_cond_wait(&watcher.done, &watcher.lock);
  }
  pthread_mutex_unlock(&watcher.lock);
  if (request.error < 0) {
    free(request.child);
    return request.error;
  }
  *child = request.child;
  return 0;
}

pid_t nr_child_pid(const struct nr_child *child) {
  return child->inner != 0 ? child->inner : child->pid;
}

/* What the kernel says of a process, from its state on; empty: it is gone. */
static const char *read_stat(pid_t pid, char *line, size_t size) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  FILE *file = fopen(path, "re");
  if (file == NULL) return "";
  const char *name_end = fgets(line, (int)size, file) == NULL ? NULL : strrchr(line, ')');
  fclose(file);
  return name_end == NULL || strlen(name_end) < 4 ? "" : name_end + 2;
}

static pid_t parent_of(pid_t pid) {
  char line[512];
  const char *state = read_stat(pid, line, sizeof line);
  return *state == '\0' ? 0 : (pid_t)strtol(state + 1, NULL, 10);
}

#define NR_WRAPPERS_MAX 16

bool nr_child_adopt(struct nr_child *child, pid_t pid) {
  if (pid == child->pid) return true;
  pid_t above = pid;
  for (int i = 0; i < NR_WRAPPERS_MAX && above > 1 && above != child->pid; i++) above = parent_of(above);
  if (above != child->pid) return false;
  child->inner = pid;
  return true;
}

void nr_child_limit_resident(struct nr_child *child, uint64_t bytes, void (*exceeded)(void *context)) {
  pthread_mutex_lock(&watcher.lock);
  child->exceeded = exceeded;
  child->resident = bytes;
  pthread_mutex_unlock(&watcher.lock);
  ring();
}

static void send_signal(struct nr_child *child, int signal, const siginfo_t *info) {
  pthread_mutex_lock(&watcher.lock);
  if (child->pidfd >= 0) syscall(SYS_pidfd_send_signal, child->pidfd, signal, info, 0);
  pthread_mutex_unlock(&watcher.lock);
}

void nr_child_kill(struct nr_child *child) {
  send_signal(child, SIGKILL, NULL);
}

void nr_child_continue(struct nr_child *child) {
  siginfo_t question = {.si_signo = SIGABRT, .si_code = SI_QUEUE};
  char line[512];
  /* A command that stands between would die of it. */
  if (child->inner != 0 || *read_stat(child->pid, line, sizeof line) != 'T') return;
  question.si_pid = getpid();
  question.si_value.sival_ptr = NR_CRASH_QUESTION;
  send_signal(child, SIGABRT, &question);
  send_signal(child, SIGCONT, NULL);
}

ssize_t nr_child_copy(struct nr_child *child, const struct iovec *own, size_t own_count, const struct iovec *theirs,
                      size_t their_count, bool writes) {
  pthread_mutex_lock(&watcher.lock);
  ssize_t copied = child->pidfd < 0 ? -ESRCH
                   : writes         ? process_vm_writev(nr_child_pid(child), own, own_count, theirs, their_count, 0)
                                    : process_vm_readv(nr_child_pid(child), own, own_count, theirs, their_count, 0);
  if (copied == -1) copied = -errno;
  pthread_mutex_unlock(&watcher.lock);
  return copied;
}

void nr_child_free(struct nr_child *child) {
  free(child);
}
