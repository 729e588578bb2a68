/*
 * Threads come from the control socket's (main.c), which hands them over, and live until the server says that they end.
 */
#include "addon-host/threads.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/client.h"
#include "wire/port.h"

/* Of the threads for Workers: what the main thread has by default. */
#define NR_STACK_SIZE ((size_t)8 << 20)
#define NR_STACK_MAX ((size_t)64 << 20)

struct nr_thread {
  struct nr_thread *next;
  uint32_t number;
  bool worker;
  bool begun;
  pid_t id; /* 0: it does not run yet */
  struct nr_port *port;
  int memory;
};

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct nr_thread *list; /* those that have not ended */
  struct nr_thread *main; /* Node's main thread; NULL: not joined */
} threads = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void run(struct nr_thread *thread) {
  pthread_mutex_lock(&threads.lock);
  thread->id = gettid();
  pthread_mutex_unlock(&threads.lock);
  nr_port_keep_apart(thread->port);
  struct nr_channel *channel = nr_channel_create(thread->port, thread->memory, thread->worker);
  if (channel == NULL) {
    fprintf(stderr, "napi-remote-host: no channel: %s\n", strerror(ENOMEM));
    _exit(70); /* EX_SOFTWARE of sysexits.h */
  }
  bool over = nr_channel_run(channel);
  pthread_mutex_lock(&threads.lock);
  struct nr_thread **link = &threads.list;
  while (*link != thread) link = &(*link)->next;
  *link = thread->next;
  if (threads.main == thread) threads.main = NULL;
  pthread_mutex_unlock(&threads.lock);
  if (over) nr_channel_destroy(channel);
  free(thread);
}

static void *run_worker(void *context) {
  struct nr_thread *thread = context;
  pthread_mutex_lock(&threads.lock);
  while (!thread->begun) pthread_cond_wait(&threads.changed, &threads.lock);
  pthread_mutex_unlock(&threads.lock);
  run(thread);
  return NULL;
}

_Noreturn void nr_thread_run_main(void) {
  for (;;) {
    pthread_mutex_lock(&threads.lock);
    while (threads.main == NULL || !threads.main->begun) pthread_cond_wait(&threads.changed, &threads.lock);
    struct nr_thread *thread = threads.main;
    pthread_mutex_unlock(&threads.lock);
    run(thread);
  }
}

static size_t stack_size(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur < NR_STACK_SIZE || limit.rlim_cur > NR_STACK_MAX)
    return NR_STACK_SIZE;
  return (size_t)limit.rlim_cur;
}

/* Signals are for it as for the main thread: who starts it has none. */
static int start(struct nr_thread *thread) {
  pthread_t started;
  pthread_attr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_size());
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setsigmask_np(&attributes, &none);
  int error = pthread_create(&started, &attributes, run_worker, thread);
  pthread_attr_destroy(&attributes);
  return error;
}

/* With the lock held. */
static int seat(struct nr_thread *thread) {
  if (thread->worker) return start(thread);
  if (threads.main != NULL) return EBUSY;
  threads.main = thread;
  return 0;
}

struct nr_thread *nr_thread_prepare(uint32_t number, bool worker, struct nr_port *port, int memory, int *error) {
  struct nr_thread *thread = calloc(1, sizeof *thread);
  *error = ENOMEM;
  if (thread == NULL) return NULL;
  *thread = (struct nr_thread){.number = number, .worker = worker, .port = port, .memory = memory};
  pthread_mutex_lock(&threads.lock);
  *error = seat(thread);
  if (*error == 0) {
    thread->next = threads.list;
    threads.list = thread;
  }
  pthread_mutex_unlock(&threads.lock);
  if (*error == 0) return thread;
  free(thread);
  return NULL;
}

void nr_thread_begin(struct nr_thread *thread) {
  pthread_mutex_lock(&threads.lock);
  thread->begun = true;
  pthread_cond_broadcast(&threads.changed);
  pthread_mutex_unlock(&threads.lock);
}

pid_t nr_thread_id(uint32_t number) {
  pid_t id = 0;
  pthread_mutex_lock(&threads.lock);
  for (struct nr_thread *thread = threads.list; thread != NULL; thread = thread->next) {
    if (thread->number == number) id = thread->id;
  }
  pthread_mutex_unlock(&threads.lock);
  return id;
}

void nr_thread_leave(uint32_t number) {
  pthread_mutex_lock(&threads.lock);
  for (struct nr_thread *thread = threads.list; thread != NULL; thread = thread->next) {
    if (thread->number == number) nr_port_fail(thread->port, EPIPE);
  }
  pthread_mutex_unlock(&threads.lock);
}
