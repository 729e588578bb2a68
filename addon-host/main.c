/*
 * napi-remote-host: the process in which addons live. Started by the agent (server/watcher.c) with the number of its
 * control socket and the agent's pid; shakes hands and then serves the main channel on its main thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#include "addon-host/lacks.h"
#include "client/client.h"
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

/* The terminal's SIGINT goes to the whole foreground group; it is Node's to act on. Not SIG_IGN: that would be
 * inherited by what addons start. */
static void on_interrupt(int signal) {
  (void)signal;
}

static void set_up_process(pid_t parent) {
  struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  /* It died before the line above. 0: a command has started this process, and is its parent, or was. */
  if (parent != 0 && getppid() != parent) _exit(1);
  sigaction(SIGINT, &action, NULL);
  action.sa_handler = SIG_IGN; /* as in Node */
  sigaction(SIGPIPE, &action, NULL);
  /* Node writes to its stdio without buffers, and what an addon printed must not be lost in a crash. */
  setvbuf(stdout, NULL, _IONBF, 0);
  setvbuf(stderr, NULL, _IONBF, 0);
}

/* All descriptors of this process' own live high, so that a number that an addon gets from JavaScript never hits one.
 */
static int raise_fd(int fd, int base) {
  int raised = nr_fd_move_up(fd, base);
  if (raised < 0) give_up("a descriptor cannot be moved", raised);
  return raised;
}

static void remember_node(const Nr__Hello *hello) {
  nr_node.napi_version = hello->napi_version;
  nr_node.major = hello->node_major;
  nr_node.minor = hello->node_minor;
  nr_node.patch = hello->node_patch;
  nr_node.release = strdup(hello->node_release);
  nr_node.worker = hello->worker;
  if (hello->trace != 0) nr_trace_enable();
  for (size_t i = 0; i < hello->n_lacks; i++) {
    int error = nr_lack(hello->lacks[i]);
    if (error < 0) give_up("a function cannot be hidden", error);
  }
}

static void answer(int socket, const struct nr_port *port) {
  Nr__Welcome welcome = NR__WELCOME__INIT;
  int memfd = nr_port_memfd(port);
  welcome.protocol = NR_PROTOCOL_VERSION;
  welcome.pointer_size = sizeof(void *);
  welcome.pid = (uint32_t)getpid();
  welcome.libuv = (char *)uv_version_string();
  int error = nr_socket_send(socket, &welcome.base, &memfd, 1);
  if (error < 0) give_up("the handshake could not be answered", error);
}

static struct nr_port *shake_hands(int socket, int base, int *memory) {
  struct nr_port *port;
  int fds[NR_SOCKET_FDS_MAX];
  size_t count = NR_SOCKET_FDS_MAX;
  int error = 0;
  Nr__Hello *hello =
      (Nr__Hello *)nr_socket_receive(socket, &nr__hello__descriptor, fds, &count, NR_HANDSHAKE_MILLISECONDS, &error);
  if (hello == NULL) give_up("no handshake", error);
  if (hello->protocol != NR_PROTOCOL_VERSION || hello->pointer_size != sizeof(void *)) {
    fprintf(stderr, "napi-remote-host: the agent speaks protocol %u, this host protocol %u\n", hello->protocol,
            NR_PROTOCOL_VERSION);
    _exit(70);
  }
  if (count != 4) give_up("the handshake came without memory", -EPROTO);
  error = nr_port_create(&port, NR_RING_SIZE);
  if (error < 0) give_up("no shared memory", error);
  remember_node(hello);
  protobuf_c_message_free_unpacked(&hello->base, NULL);
  answer(socket, port);
  nr_port_close_memfd(port);
  error = nr_port_connect(port, fds[0], raise_fd(fds[1], base), raise_fd(fds[2], base));
  if (error < 0) give_up("the agent's memory cannot be used", error);
  nr_port_keep_apart(port);
  *memory = raise_fd(fds[3], base);
  return port;
}

/* Node's end closes the socket: also seen when the main thread is busy in native code for hours. */
static void *watch_node(void *context) {
  struct pollfd poll_fd = {.fd = *(int *)context, .events = 0};
  while (poll(&poll_fd, 1, -1) < 0 && errno == EINTR) continue;
  _exit(1);
}

static void start_watching(int *socket) {
  pthread_t thread;
  pthread_attr_t attributes;
  sigset_t all, before;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64u << 10);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&thread, &attributes, watch_node, socket);
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
  int memory;
  struct nr_port *port = shake_hands(socket, socket, &memory);
  start_watching(&socket);
  struct nr_channel *channel = nr_channel_create(port, memory);
  if (channel == NULL) give_up("no channel", -ENOMEM);
  return nr_channel_run(channel);
}
