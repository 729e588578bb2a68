/*
 * The threads of the host that are joined with JavaScript threads: Node's main thread with the process' own, for which
 * that one waits when a Worker is there first; each Worker with one that is started for it.
 */
#ifndef NR_ADDON_HOST_THREADS_H
#define NR_ADDON_HOST_THREADS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct nr_port;
struct nr_thread;

/* A thread that waits to begin. `memory`: a descriptor, its own from here on. NULL: it cannot be had, *error is the
 * errno. */
struct nr_thread *nr_thread_prepare(uint32_t number, bool worker, struct nr_port *port, int memory, int *error);
/* The server knows of it. */
void nr_thread_begin(struct nr_thread *thread);
/* The system's number for it; 0: it does not run. */
pid_t nr_thread_id(uint32_t number);
/* The server has left, whatever the thread is doing. No effect when it has ended. */
void nr_thread_leave(uint32_t number);
/* Serves Node's main thread. On the process' main thread; does not return. */
_Noreturn void nr_thread_run_main(void);

#endif
