/*
 * The host's loop in Node's: Node's loop enters the host when that has something due, and is kept going by what keeps
 * the host's going. Raw libuv handles, which neither async_hooks nor process.getActiveResourcesInfo() see.
 */
#ifndef NR_SERVER_DOORBELL_H
#define NR_SERVER_DOORBELL_H

#include <stdbool.h>
#include <stdint.h>

struct nr_connection;

/* Listens to the host of this connection. False: without memory, or without a loop. */
bool nr_doorbell_open(struct nr_connection *connection);
/* A threadsafe function of Node's is about to call: works of the host that are complete come first. */
void nr_doorbell_look_ahead(struct nr_connection *connection);
/* The host's loop is in this state now: enum nr_flag bits. */
void nr_doorbell_state(struct nr_connection *connection, uint8_t state);
/* Does the host's loop keep Node going? */
bool nr_doorbell_is_alive(const struct nr_connection *connection);
/* While this holds, the host keeps Node going whatever its loop does. */
void nr_doorbell_hold(struct nr_connection *connection, bool holds);
/* The host is gone: nothing of it keeps Node going, and nobody waits for what it had begun. */
void nr_doorbell_lost(struct nr_connection *connection);
/* The same, but nobody hears of it before Node's loop turns. */
void nr_doorbell_announce(struct nr_connection *connection);
/* Listens no more. The handles close when Node's loop turns next. */
void nr_doorbell_close(struct nr_connection *connection);

#endif
