/*
 * Messages of the table as bytes: Protocol Buffers, as protobuf-c would write them, for the kinds of fields that the
 * table has and at a fraction of the time.
 */
#ifndef NR_WIRE_MESSAGE_H
#define NR_WIRE_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/arena.h"

/* How many bytes nr_message_pack() writes. */
size_t nr_message_size(const ProtobufCMessage *message);
/* Returns how many it has written. */
size_t nr_message_pack(const ProtobufCMessage *message, uint8_t *to);

/*
 * Into the arena. NULL when the bytes are no such message as nr_message_pack() writes (fields in the order of their
 * numbers, none that the table does not have, numbers packed), or would need more than 16 times their length and 4 KiB:
 * 1 MiB of hostile bytes must not become 40 MiB of heap. Do not free the result.
 */
void *nr_message_unpack(struct nr_arena *arena, const ProtobufCMessageDescriptor *type, const uint8_t *bytes,
                        size_t length);

#endif
