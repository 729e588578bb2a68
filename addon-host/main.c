/*
 * napi-remote-host: the process in which addons live. Started by the agent (server/hosts/watcher.c) with the number of
 * its control socket and the agent's pid; shakes hands, and then serves the JavaScript threads that join (threads.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "addon-host/crash.h"
#include "addon-host/lacks.h"
#include "addon-host/threads.h"
#include "client/client.h"
#include "client/recorder.h"
#include "napi.pb-c.h"
#include "wire/port.h"
#include "wire/protocol.h"
#include "wire/socket.h"

#define NR_HANDSHAKE_MILLISECONDS 10000

/* Nobody is there yet to hear a status: a sentence on stderr, and the exit code. */
static _Noreturn void give_up(const char *what, int error) {
  fprintf(stderr, "napi-remote-host: %s: %s\n", what, strerror(-error));
  _exit(70); /* EX_SOFTWARE of sysexits.h */
}

/* Node, as far as it is this process's parent. */
static pid_t node;

/* What terminals, supervisors and `timeout` send to a whole group of processes is Node's to act on, which may have a
 * handler that still needs its addons. Meant for this one is what it sends to itself, and what the program sends. Not
 * SIG_IGN: that would be inherited by what addons start. */
static void on_signal(int number, siginfo_t *info, void *context) {
  (void)context;
  if (info->si_code > 0 || number == SIGINT || (info->si_pid != getpid() && info->si_pid != node)) return;
  signal(number, SIG_DFL);
  raise(number);
}

static void set_up_signals(void) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_RESTART | SA_SIGINFO};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (numbers[i] == SIGINT || node != 0) sigaction(numbers[i], &action, NULL);
  }
  /* As in Node. */
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
}

/* glibc gives the end of a heap back to the kernel, page by page, until the process has freed a large block: from then
 * on it keeps twice as much (mallopt(3), M_MMAP_THRESHOLD). In Node something has, sooner or later; here there is only
 * the addon. (@napi-rs/canvas: 40 instead of 220 page faults for an image of 1 MiB, which are 0.3 of 3.4 ms.) */
#define NR_FREED_BLOCK (UINT32_C(8) << 20)

static void season_heap(void) {
  void *volatile block = malloc(NR_FREED_BLOCK);
  free(block);
}

static void set_up_process(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* It died before the line above. 0: a command has started this process, and is its parent, or was. */
  if (parent != 0 && getppid() != parent) _exit(1);
  node = parent;
  season_heap();
  set_up_signals();
  /* Node writes to its stdio without buffers, and what an addon printed must not be lost in a crash. */
  setvbuf(stdout, NULL, _IONBF, 0);
  setvbuf(stderr, NULL, _IONBF, 0);
}

/* Calls are recorded and crashes noted from here on. */
static void open_recorder(int socket) {
  int fds[NR_SOCKET_FDS_MAX];
  size_t count = NR_SOCKET_FDS_MAX;
  int error = 0;
  Nr__Recorder *message = (Nr__Recorder *)nr_socket_receive(socket, &nr__recorder__descriptor, fds, &count,
                                                            NR_HANDSHAKE_MILLISECONDS, &error);
  if (message == NULL) give_up("no recorder", error);
  struct nr_recorder *recorder =
      count == 1 && message->version == NR_RECORDER_VERSION ? nr_recorder_open(fds[0]) : NULL;
  if (recorder == NULL) give_up("the agent's recorder cannot be used", -EPROTO);
  close(fds[0]);
  protobuf_c_message_free_unpacked(&message->base, NULL);
  nr_crash_prepare(&recorder->crash, socket);
}

static void remember_node(const Nr__Hello *hello) {
  nr_node.napi_version = hello->napi_version;
  nr_node.major = hello->node_major;
  nr_node.minor = hello->node_minor;
  nr_node.patch = hello->node_patch;
  nr_node.release = strdup(hello->node_release);
  nr_node.apart = hello->apart;
  if (hello->trace != 0) nr_trace_enable();
  for (size_t i = 0; i < hello->n_lacks; i++) {
    int error = nr_lack(hello->lacks[i]);
    if (error < 0) give_up("a function cannot be hidden", error);
  }
}

/* What one thread's joining brings. All descriptors of this process' own live high, so that a number that an addon gets
 * from JavaScript never hits one. */
struct joining {
  int fds[NR_SOCKET_FDS_MAX]; /* the agent's memory, this side's end of the doorbells, the memfd of the blocks */
  struct nr_port *port;
};

/* Takes the descriptors over. 0 or an errno. */
static int take_fds(struct joining *joining, size_t count, int base) {
  int error = count == 3 ? 0 : EPROTO;
  for (size_t i = 1; i < count && error == 0; i++) {
    int raised = nr_fd_move_up(joining->fds[i], base);
    if (raised < 0) error = -raised;
    if (raised >= 0) joining->fds[i] = raised;
  }
  if (error == 0) error = -nr_port_create(&joining->port, NR_RING_SIZE);
  if (error != 0) {
    for (size_t i = 0; i < count; i++) close(joining->fds[i]);
    return error;
  }
  error = -nr_port_connect(joining->port, joining->fds[0], joining->fds[1], -1);
  if (error == 0) return 0;
  nr_port_destroy(joining->port);
  close(joining->fds[2]);
  return error;
}

static struct nr_thread *make_thread(struct joining *joining, uint32_t number, bool worker, int *error) {
  struct nr_thread *thread = nr_thread_prepare(number, worker, joining->port, joining->fds[2], error);
  if (thread != NULL) return thread;
  nr_port_destroy(joining->port);
  close(joining->fds[2]);
  return NULL;
}

static void shake_hands(int socket) {
  struct joining joining;
  size_t count = NR_SOCKET_FDS_MAX;
  int error = 0;
  Nr__Hello *hello = (Nr__Hello *)nr_socket_receive(socket, &nr__hello__descriptor, joining.fds, &count,
                                                    NR_HANDSHAKE_MILLISECONDS, &error);
  if (hello == NULL) give_up("no handshake", error);
  if (hello->protocol != NR_PROTOCOL_VERSION || hello->pointer_size != sizeof(void *)) {
    fprintf(stderr, "napi-remote-host: the agent speaks protocol %u, this host protocol %u\n", hello->protocol,
            NR_PROTOCOL_VERSION);
    _exit(70);
  }
  error = take_fds(&joining, count, socket);
  if (error != 0) give_up("the agent's memory cannot be used", -error);
  remember_node(hello);
  struct nr_thread *thread = make_thread(&joining, 1, hello->worker, &error);
  if (thread == NULL) give_up("no thread", -error);
  protobuf_c_message_free_unpacked(&hello->base, NULL);
  Nr__Welcome welcome = NR__WELCOME__INIT;
  int memfd = nr_port_memfd(joining.port);
  welcome.protocol = NR_PROTOCOL_VERSION;
  welcome.pointer_size = sizeof(void *);
  welcome.pid = (uint32_t)getpid();
  welcome.libuv = (char *)uv_version_string();
  error = nr_socket_send(socket, &welcome.base, &memfd, 1);
  if (error < 0) give_up("the handshake could not be answered", error);
  nr_port_close_memfd(joining.port);
  nr_thread_begin(thread);
}

/* Another JavaScript thread. What there is no room for is refused: the others go on. */
static void join(int socket, const Nr__Join *request, struct joining *joining, size_t count) {
  Nr__Joined joined = NR__JOINED__INIT;
  struct nr_thread *thread = NULL;
  int error = take_fds(joining, count, socket);
  if (error == 0) thread = make_thread(joining, request->thread, request->worker, &error);
  joined.thread = request->thread;
  joined.error = (uint32_t)error;
  int memfd = thread == NULL ? -1 : nr_port_memfd(joining->port);
  nr_socket_send(socket, &joined.base, &memfd, thread == NULL ? 0 : 1); /* no answer: it will leave */
  if (thread == NULL) return;
  nr_port_close_memfd(joining->port);
  nr_thread_begin(thread);
}

static void testify(int socket, uint32_t number) {
  pid_t thread = nr_thread_id(number);
  if (thread == 0 || !nr_crash_ask(thread)) shutdown(socket, SHUT_WR); /* nothing is to be waited for */
}

/* Threads join and leave here. Node's end closes the socket: also seen when all threads are busy in native code for
 * hours. */
static void *listen_to_node(void *context) {
  int socket = *(int *)context;
  for (;;) {
    struct joining joining;
    size_t count = NR_SOCKET_FDS_MAX;
    int error = 0;
    Nr__Join *request = (Nr__Join *)nr_socket_receive(socket, &nr__join__descriptor, joining.fds, &count, -1, &error);
    if (request == NULL && error == -EAGAIN) continue;
    if (request == NULL) _exit(1);
    if (request->left) {
      nr_thread_leave(request->thread);
    } else if (request->testify) {
      testify(socket, request->thread);
    } else {
      join(socket, request, &joining, count);
    }
    protobuf_c_message_free_unpacked(&request->base, NULL);
  }
}

static void start_listening(int *socket) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 128u << 10);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, &attributes, listen_to_node, socket);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (error != 0) give_up("no thread", -error);
}

int main(int argc, char **argv) {
  static int socket;
  if (argc != 3) {
    fprintf(stderr, "napi-remote-host is started by napi-remote's agent inside Node, not by hand.\n");
    return 64; /* EX_USAGE */
  }
  socket = atoi(argv[1]);
  set_up_process((pid_t)atoi(argv[2]));
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  open_recorder(socket);
  shake_hands(socket);
  start_listening(&socket);
  nr_thread_run_main();
}
