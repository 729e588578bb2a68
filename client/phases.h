/*
 * The phases of a turn of libuv's loop, one at a time, and what a loop has for them.
 */
#ifndef NR_CLIENT_PHASES_H
#define NR_CLIENT_PHASES_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define NR_PHASE_NONE 0u
/* Of those that uv_walk() finds. */
#define NR_PHASES_HANDLES 3u

struct nr_phases {
  uv_loop_t *uv;
  uv_check_t last, behind;
  uv_prepare_t before;
  int silent; /* polled instead, where nothing is to be */
  int polled; /* what is polled otherwise, while it is not; -1: it is */
  /* While a phase runs: what belongs to the others. */
  uint32_t phase;
  void *idle[2], *prepare[2], *check[2], *watchers[2];
  uv_handle_t *closing;
};

int nr_phases_init(struct nr_phases *phases, uv_loop_t *uv);
/* Its handles are closed in the loop's next turn. */
void nr_phases_end(struct nr_phases *phases);
/* Turns the loop, without waiting, for that phase (enum nr_phase). */
void nr_phases_run(struct nr_phases *phases, uint32_t phase, int (*run)(uv_loop_t *, uv_run_mode));
/* enum nr_flag bits. */
uint8_t nr_phases_state(const struct nr_phases *phases);
/* When the next timer is due, in the time of uv_now(), or NR_NO_TIMER. The loop must have something that is referenced.
 */
uint64_t nr_phases_timer(struct nr_phases *phases);
/* Is something there for the poll phase that can be seen without asking the kernel? */
bool nr_phases_polls(const struct nr_phases *phases);

#endif
