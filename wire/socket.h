/*
 * The control socket between Node's agent and a host (SOCK_SEQPACKET): carries descriptors, the handshake and the
 * joining of further threads, and shows death (HUP).
 */
#ifndef NR_WIRE_SOCKET_H
#define NR_WIRE_SOCKET_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#define NR_SOCKET_FDS_MAX 4
#define NR_SOCKET_MESSAGE_MAX 4096

/* A connected pair, close-on-exec. 0 or a negative errno. */
int nr_socket_pair(int fds[2]);

/* Sends one message with descriptors (which stay the caller's). 0 or a negative errno; never SIGPIPE. */
int nr_socket_send(int socket, const ProtobufCMessage *message, const int *fds, size_t fd_count);

/*
 * Receives one message; at most NR_SOCKET_FDS_MAX descriptors (close-on-exec), all others are closed. fd_count: in the
 * room, out the number. timeout_ms: as poll(2). The result is from malloc, to be freed with
 * protobuf_c_message_free_unpacked(). NULL on failure, *error then is a negative errno: -EPIPE at end of file,
 * -ETIMEDOUT, -EPROTO for bytes that are no such message.
 */
ProtobufCMessage *nr_socket_receive(int socket, const ProtobufCMessageDescriptor *type, int *fds, size_t *fd_count,
                                    int timeout_ms, int *error);

/* Moves a descriptor to `base` or above (close-on-exec) and closes the old one. The new number or a negative errno. The
 * host keeps its own at 1000 and above, so that a number from JavaScript never hits them. */
int nr_fd_move_up(int fd, int base);

#endif
