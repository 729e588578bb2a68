/*
 * One printer for every message: walks the protobuf descriptors, so that a new row of the table prints itself.
 */
#ifndef NR_WIRE_PRINT_H
#define NR_WIRE_PRINT_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

#include "wire/frame.h"

/*
 * Prints a message into `buffer` (always terminated, cut with "…" when it does not fit) and returns the length. Of the
 * message itself every number and boolean is shown, of messages in it, of ids and texts only what is not at its
 * default. fixed64 fields are values: `1.5`, `true`, `undefined`, `string#3`, `object#h12` (h: chosen by the host);
 * sfixed64 fields are spans of `tail` and print as quoted text, at most 32 bytes of it, then "…" and the length. uint64
 * fields whose name ends in _id print as `#slot.generation`. Example: {object=object#h3, utf8name="width", value=1920}
 */
size_t nr_print_message(char *buffer, size_t size, const ProtobufCMessage *message, const uint8_t *tail,
                        size_t tail_length);

/* What is left of a message that was cut: the rest prints as "…". */
struct nr_print_kept {
  size_t message; /* bytes of its struct */
  size_t tail;    /* bytes of the tail */
  size_t values;  /* elements of each list that is not NULL: those of the others are lost */
};
size_t nr_print_cut(char *buffer, size_t size, const ProtobufCMessage *message, const uint8_t *tail, size_t tail_length,
                    const struct nr_print_kept *kept);

/* The pieces of a tail as one block, to be freed; NULL without memory. */
uint8_t *nr_print_join(const struct nr_slice *tail, size_t count);

/* A napi_status by name: "napi_ok", "napi_pending_exception" …, "status 77" for others. */
const char *nr_status_name(unsigned status);

#endif
