/*
 * What the addon-host needs of the client: channels, and serving what the server enters.
 */
#ifndef NR_CLIENT_H
#define NR_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

struct nr_channel;
struct nr_port;
struct nr_frame;

/* Versions of the other side, from the handshake; set once before the first channel. */
struct nr_node {
  bool apart; /* this process has an environment of its own: environment.c */
  uint32_t napi_version;
  uint32_t major;
  uint32_t minor;
  uint32_t patch;
  const char *release;
};
extern struct nr_node nr_node;

/* Prints every call on stderr from now on. */
void nr_trace_enable(void);

/* The channel of a connected port, for the thread that calls. `memory`: the descriptor of the memory that the server
 * shares. Both are the channel's from here on. worker: the JavaScript thread is a Worker's. NULL without memory. */
struct nr_channel *nr_channel_create(struct nr_port *port, int memory, bool worker);

/* Serves entries until the server says that this thread ends, or leaves without a word. False: what is there may still
 * be in use. (When the whole process is to end this does not return.) */
bool nr_channel_run(struct nr_channel *channel);

/* After that, for a process that goes on. */
void nr_channel_destroy(struct nr_channel *channel);

/* The server has asked for the end of the process. */
extern bool nr_exit_asked;

/* The addon-host's: gives the calling thread, when it has none, a stack for the crash handler, since a crash may be
 * that the thread has used up its own. Until the thread ends. */
void nr_crash_thread(void);

/* The channel of the calling thread, NULL: it has none. */
struct nr_channel *nr_channel_current(void);

#endif
