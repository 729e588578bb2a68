/*
 * The scalar fields of any message, also of the messages inside it, one after the other.
 */
#ifndef NR_TESTS_SLOTS_H
#define NR_TESTS_SLOTS_H

#include <protobuf-c/protobuf-c.h>

typedef void nr_slot_visit(const ProtobufCFieldDescriptor *field, void *at, void *context);
void nr_slots_visit(ProtobufCMessage *message, nr_slot_visit *visit, void *context);
/* Of what `at` points to. */
size_t nr_slot_size(ProtobufCType type);

#endif
