/*
 * This thread's libuv loop: of async work, and of the handles that addons have on napi_get_uv_event_loop(). It turns
 * only inside an entry (turn_loop); when it has something due, the host rings the server, and Node's loop enters.
 */
#ifndef NR_CLIENT_LOOP_H
#define NR_CLIENT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct nr_channel;
struct nr_loop;

/* The channel's loop, made when it is asked for first. NULL: it cannot be made. */
uv_loop_t *nr_loop_get(struct nr_channel *channel);
/* enum nr_flag bits: what the server has to know about the loop. */
uint8_t nr_loop_state(const struct nr_channel *channel);
/* The channel ends. A loop in which something is still open stays as it is. */
void nr_loop_end(struct nr_channel *channel);
/* The entry: one phase of a turn (enum nr_phase), and what other threads left for this one. */
void nr_loop_turn(struct nr_channel *channel, uint32_t phase);
/* Before Node may turn its loop: tells when the next timer is due, and rings for what must not come a turn late. */
void nr_loop_tell(struct nr_channel *channel);
/* What the loop takes for the time: set at outermost entries, as Node's loop does at each turn. */
void nr_loop_update_time(struct nr_channel *channel);
/* Waits for a frame of the server, as nr_port_wait(), and rings the server when the loop has something due. */
int nr_loop_wait(struct nr_channel *channel);
/* Has Node's loop enter this host. Once until it does. From any thread. */
void nr_loop_ring(struct nr_channel *channel);

#endif
