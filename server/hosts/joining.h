/*
 * How a JavaScript thread is joined with a thread of a host: what goes over the host's control socket.
 */
#ifndef NR_SERVER_JOINING_H
#define NR_SERVER_JOINING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nr_port;

struct nr_joining {
  uint32_t thread;  /* its number in the host; 1: the first one, with whom hands are shaken */
  bool worker;      /* not Node's main thread */
  bool apart;       /* with the first one: the host has an environment of its own */
  int blocks;       /* the memfd of its blocks (blocks.h); stays the caller's */
  uint32_t owed;    /* in and out: answers to earlier threads that the host has not given */
  int milliseconds; /* that the host may take to answer; -1: any time */
  pid_t pid;        /* out: what the host says that it is */
};

/*
 * Both sides' rings. Blocks until the host has answered, or has not within a time. 0, or a negative errno with a
 * sentence in `why`: -EPIPE, -ECONNRESET and -EPROTO are the host's end.
 */
int nr_joining_connect(int socket, struct nr_joining *joining, struct nr_port **port, char *why, size_t why_size);
/* The thread has left without a word. 0 or a negative errno; never blocks. */
int nr_joining_leave(int socket, uint32_t thread);
/* It is about to have the host ended, which is to note what that thread is doing. 0 or a negative errno. */
int nr_joining_ask(int socket, uint32_t thread);

#endif
