#include "slots.h"

size_t nr_slot_size(ProtobufCType type) {
  switch (type) {
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_DOUBLE: return 8;
  case PROTOBUF_C_TYPE_BOOL: return sizeof(protobuf_c_boolean);
  case PROTOBUF_C_TYPE_MESSAGE: return sizeof(void *);
  default: return 4;
  }
}

static void visit_one(const ProtobufCFieldDescriptor *field, void *at, nr_slot_visit *visit, void *context) {
  if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
    visit(field, at, context);
  } else if (*(void **)at != NULL) {
    nr_slots_visit(*(ProtobufCMessage **)at, visit, context);
  }
}

void nr_slots_visit(ProtobufCMessage *message, nr_slot_visit *visit, void *context) {
  for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    char *at = (char *)message + field->offset;
    if (field->label != PROTOBUF_C_LABEL_REPEATED) {
      visit_one(field, at, visit, context);
      continue;
    }
    size_t count = *(size_t *)(void *)((char *)message + field->quantifier_offset);
    char *list = *(char **)(void *)at;
    for (size_t k = 0; k < count; k++) visit_one(field, list + k * nr_slot_size(field->type), visit, context);
  }
}
