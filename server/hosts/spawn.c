/*
 * posix_spawn(3) with one thing more, the file system information that is shared. Done as it does it: the child has our
 * memory until it executes the program, and this thread stands still meanwhile.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "server/hosts/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/hosts/launch.h"
#include "wire/protocol.h"

/* execvpe() has its own copies of path names there. */
#define NR_CHILD_STACK ((size_t)64 << 10)

/* What the child is to become. */
struct start {
  const char *file;
  char **argv;
  char **env;
  bool search; /* in PATH */
  const struct nr_launch_files *files;
  int socket;
  int number; /* of the socket in the child */
  int error;  /* why it could not be executed */
};

/* Where the host keeps the socket: high, so that a descriptor number from JavaScript never hits it, but within its
 * limit. */
static int socket_number(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur > NR_HOST_FD_BASE + 64) return NR_HOST_FD_BASE;
  return limit.rlim_cur > 128 ? (int)limit.rlim_cur - 64 : 64;
}

/* Node ignores SIGPIPE, and what is ignored stays so. Handlers must be gone before signals are let in. */
static void reset_signals(void) {
  const struct sigaction none = {.sa_handler = SIG_DFL};
  for (int number = 1; number < NSIG; number++) sigaction(number, &none, NULL);
}

static bool move(int from, int to) {
  if (from != to) return dup2(from, to) >= 0;
  int flags = fcntl(from, F_GETFD);
  return flags >= 0 && fcntl(from, F_SETFD, flags & ~FD_CLOEXEC) >= 0;
}

/* Node marks its stdio close-on-exec (uv_disable_stdio_inheritance()). */
static bool move_stdio(const struct nr_launch_files *files) {
  for (int fd = 0; fd <= 2; fd++) {
    int from = files->child[fd] >= 0 ? files->child[fd] : fd;
    if (fcntl(from, F_GETFD) >= 0 && !move(from, fd)) return false;
  }
  return true;
}

/* In the child. Nothing that locks or allocates. */
static int become(void *context) {
  struct start *start = context;
  sigset_t none;
  sigemptyset(&none);
  reset_signals();
  if (move(start->socket, start->number) && move_stdio(start->files)) {
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (start->search)
      execvpe(start->file, start->argv, start->env);
    else
      execve(start->file, start->argv, start->env);
  }
  start->error = -errno;
  _exit(127);
}

/* The child never returns from its frames, and what AddressSanitizer has noted of them would be held against whoever
 * gets that memory next. */
#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(const volatile void *memory, size_t size);
#define NR_FORGET_FRAMES __asan_unpoison_memory_region
#else
#define NR_FORGET_FRAMES(memory, size) ((void)0)
#endif

static int run_child(struct start *start, int flags, pid_t *pid) {
  sigset_t all, before;
  char *stack = mmap(NULL, NR_CHILD_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED) return -errno;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  *pid = clone(become, stack + NR_CHILD_STACK, CLONE_VM | CLONE_VFORK | SIGCHLD | flags, start);
  int error = *pid < 0 ? -errno : start->error;
  if (*pid > 0 && error < 0) waitpid(*pid, NULL, 0);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  NR_FORGET_FRAMES(stack, NR_CHILD_STACK);
  munmap(stack, NR_CHILD_STACK);
  return error;
}

static size_t count_words(char *const *words) {
  size_t count = 0;
  while (words != NULL && words[count] != NULL) count++;
  return count;
}

/* A command that starts the host may do it as a child of its own: then it cannot tell whether its parent is right. */
int nr_spawn(const char *path, const struct nr_launch *launch, const struct nr_launch_files *files, int socket,
             pid_t *pid) {
  char descriptor[16], parent[16];
  size_t words = count_words(launch->wrapper);
  struct start start = {.file = words > 0 ? launch->wrapper[0] : path,
                        .argv = calloc(words + 4, sizeof *start.argv),
                        .env = launch->env != NULL ? launch->env : environ,
                        .search = words > 0,
                        .files = files,
                        .socket = socket,
                        .number = socket_number()};
  if (start.argv == NULL) return -ENOMEM;
  snprintf(descriptor, sizeof descriptor, "%d", start.number);
  snprintf(parent, sizeof parent, "%d", words > 0 ? 0 : (int)getpid());
  if (words > 0) memcpy(start.argv, launch->wrapper, words * sizeof *start.argv);
  start.argv[words] = words > 0 ? (char *)path : (char *)"napi-remote-host";
  start.argv[words + 1] = descriptor;
  start.argv[words + 2] = parent;
  int error = run_child(&start, words > 0 ? 0 : CLONE_FS, pid);
  free(start.argv);
  return error;
}
