/*
 * Joining threads: the handshake with the first, a shorter one for each after it.
 */
#include "server/hosts/joining.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "napi.pb-c.h"
#include "server/node_info.h"
#include "wire/port.h"
#include "wire/protocol.h"
#include "wire/socket.h"

static int explain(char *why, size_t why_size, int error, const char *what) {
  snprintf(why, why_size, "%s: %s", what, strerror(-error));
  return error;
}

/* The descriptors that the host needs of this side. */
#define NR_OFFERED 3

static int ask(int socket, const ProtobufCMessage *question, const int offered[NR_OFFERED], char *why,
               size_t why_size) {
  int error = nr_socket_send(socket, question, offered, NR_OFFERED);
  return error < 0 ? explain(why, why_size, error, "the handshake could not be sent") : 0;
}

/* The answer, to be freed, and the one descriptor that comes with it when all is well, else -1. */
static ProtobufCMessage *hear(int socket, const struct nr_joining *joining, const ProtobufCMessageDescriptor *type,
                              int *memfd, int *error, char *why, size_t why_size) {
  int received[NR_SOCKET_FDS_MAX];
  size_t count = 1;
  ProtobufCMessage *answer = nr_socket_receive(socket, type, received, &count, joining->milliseconds, error);
  if (answer == NULL) explain(why, why_size, *error, "the host did not answer the handshake");
  *memfd = answer != NULL && count == 1 ? received[0] : -1;
  return answer;
}

static int shake(int socket, struct nr_joining *joining, const int offered[NR_OFFERED], int *memfd, char *why,
                 size_t why_size) {
  Nr__Hello hello = NR__HELLO__INIT;
  nr_node_info_fill(&hello);
  hello.worker = joining->worker;
  hello.apart = joining->apart;
  int error = ask(socket, &hello.base, offered, why, why_size);
  if (error < 0) return error;
  Nr__Welcome *welcome = (Nr__Welcome *)hear(socket, joining, &nr__welcome__descriptor, memfd, &error, why, why_size);
  if (welcome == NULL) return error;
  error = 0;
  if (welcome->protocol != NR_PROTOCOL_VERSION || welcome->pointer_size != sizeof(void *)) {
    snprintf(why, why_size,
             "it speaks protocol %u with %u-byte pointers, this agent protocol %u with %zu-byte pointers",
             welcome->protocol, welcome->pointer_size, NR_PROTOCOL_VERSION, sizeof(void *));
    error = -EPROTO;
  } else if (*memfd < 0) {
    error = explain(why, why_size, -EPROTO, "the host sent no memory");
  }
  joining->pid = (pid_t)welcome->pid;
  protobuf_c_message_free_unpacked(&welcome->base, NULL);
  return error;
}

static int judge(const struct nr_joining *joining, const Nr__Joined *joined, int memfd, char *why, size_t why_size) {
  if (joined->thread != joining->thread || (joined->error == 0 && memfd < 0))
    return explain(why, why_size, -EPROTO, "the host answered another question");
  if (joined->error == 0) return 0;
  explain(why, why_size, joined->error <= 4095 ? -(int)joined->error : -EPROTO, "it has no room for another thread");
  return -EAGAIN;
}

static int join(int socket, struct nr_joining *joining, const int offered[NR_OFFERED], int *memfd, char *why,
                size_t why_size) {
  Nr__Join request = NR__JOIN__INIT;
  Nr__Joined *joined = NULL;
  request.thread = joining->thread;
  request.worker = joining->worker;
  int error = ask(socket, &request.base, offered, why, why_size);
  if (error < 0) return error;
  /* Threads before this one may have lost their patience: their answers come first, and no more than those. */
  while ((joined = (Nr__Joined *)hear(socket, joining, &nr__joined__descriptor, memfd, &error, why, why_size)) &&
         joined->thread < joining->thread && joining->owed > 0) {
    joining->owed--;
    if (*memfd >= 0) close(*memfd);
    protobuf_c_message_free_unpacked(&joined->base, NULL);
  }
  if (joined == NULL) joining->owed++;
  if (joined != NULL) {
    error = judge(joining, joined, *memfd, why, why_size);
    protobuf_c_message_free_unpacked(&joined->base, NULL);
  }
  return error;
}

/* The port owns both ends of the doorbells from nr_port_connect() on. */
static int connect_port(int socket, struct nr_joining *joining, struct nr_port *port, char *why, size_t why_size) {
  int memfd = -1, own, theirs;
  int error = nr_doorbells_create(&own, &theirs);
  if (error < 0) return explain(why, why_size, error, "no doorbells");
  const int offered[NR_OFFERED] = {nr_port_memfd(port), theirs, joining->blocks};
  error = (joining->thread == 1 ? shake : join)(socket, joining, offered, &memfd, why, why_size);
  nr_port_close_memfd(port);
  if (error == 0) {
    error = nr_port_connect(port, memfd, own, theirs);
    return error < 0 ? explain(why, why_size, error, "the host's memory cannot be used") : 0;
  }
  if (memfd >= 0) close(memfd);
  close(own);
  close(theirs);
  return error;
}

int nr_joining_connect(int socket, struct nr_joining *joining, struct nr_port **port, char *why, size_t why_size) {
  int error = nr_port_create(port, NR_RING_SIZE);
  if (error < 0) {
    *port = NULL;
    return explain(why, why_size, error, "no shared memory");
  }
  error = connect_port(socket, joining, *port, why, why_size);
  if (error == 0) return 0;
  nr_port_destroy(*port);
  *port = NULL;
  return error;
}

int nr_joining_leave(int socket, uint32_t thread) {
  Nr__Join request = NR__JOIN__INIT;
  request.thread = thread;
  request.left = true;
  return nr_socket_send(socket, &request.base, NULL, 0);
}

int nr_joining_ask(int socket, uint32_t thread) {
  Nr__Join request = NR__JOIN__INIT;
  request.thread = thread;
  request.testify = true;
  return nr_socket_send(socket, &request.base, NULL, 0);
}
