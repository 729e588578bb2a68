/*
 * The turn stack of a channel, as the rest of the client sees it (channel.c).
 */
#ifndef NR_CLIENT_CHANNEL_H
#define NR_CLIENT_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdnoreturn.h>

struct nr_channel;
struct nr_frame;

/* Node speaks nonsense, and nothing is left to do for this process; or it has given up this thread, which is in native
 * code, and others go on: this one stops here. */
noreturn void nr_channel_lost(struct nr_channel *channel);

/* A frame gives this side the turn: are the prototypes plain? */
void nr_channel_take_plain(struct nr_channel *channel, uint8_t flags);
/* The same when it matters: waits for what follows the frame. */
bool nr_channel_is_plain(struct nr_channel *channel);

/* Waits for the reply on top of the stack and serves whatever arrives before it. The frame lies in the arena. `js`:
 * JavaScript may run meanwhile. */
void nr_channel_await_reply(struct nr_channel *channel, uint32_t sequence, unsigned opcode, bool js,
                            struct nr_frame *frame);

#endif
