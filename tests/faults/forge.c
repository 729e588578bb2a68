/*
 * Any message of the table, with what the test puts into its fields, past all that the client would check.
 */
#include "forge.h"

#include <stdlib.h>
#include <string.h>

#include "client/client-private.h"
#include "slots.h"

/* Opcodes are the class and the position in it. */
static unsigned find_opcode(const char *name) {
  for (unsigned opcode = 0; opcode < 0x400; opcode++) {
    const struct nr_op_info *info = nr_op_info(opcode);
    if (info != NULL && strcmp(info->name, name) == 0) return opcode;
  }
  return 0;
}

static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessage *message, const char *name) {
  const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);
  bool scalar = field != NULL && field->label != PROTOBUF_C_LABEL_REPEATED && field->type != PROTOBUF_C_TYPE_MESSAGE;
  return scalar ? field : NULL;
}

static bool set(ProtobufCMessage *message, const char *name, uint64_t bits) {
  const ProtobufCFieldDescriptor *field = find_field(message, name);
  if (field == NULL) return false;
  memcpy((char *)message + field->offset, &bits, nr_slot_size(field->type));
  return true;
}

#define STRETCHES_MAX 1024u

/* The one message that is put into others, `count` times. */
struct stretch {
  Nr__Stretch message;
  Nr__Stretch *list[STRETCHES_MAX];
  uint64_t count;
  bool used;
};

static bool set_field(ProtobufCMessage *message, const struct nr_forge_field *field, struct stretch *stretch) {
  static const char prefix[] = "stretch_";
  uint64_t bits = field->value == NULL ? field->bits : nr_wire(field->value);
  if (strncmp(field->name, prefix, sizeof prefix - 1) != 0) return set(message, field->name, bits);
  stretch->used = true;
  if (strcmp(field->name, "stretch_count") == 0) {
    stretch->count = bits;
    return bits <= STRETCHES_MAX;
  }
  return set(&stretch->message.base, field->name + sizeof prefix - 1, bits);
}

static bool fill(struct nr_call *call, ProtobufCMessage *message, const struct nr_forge_fields *fields,
                 struct stretch *stretch) {
  static const char *const results[] = {"result", "promise"};
  for (size_t i = 0; i < 2; i++) {
    if (find_field(message, results[i]) != NULL) set(message, results[i], nr_call_result(call));
  }
  for (size_t i = 0; i < fields->count; i++) {
    if (!set_field(message, &fields->list[i], stretch)) return false;
  }
  if (!stretch->used) return true;
  if (message->descriptor != &nr__create_external_memory_request__descriptor) return false;
  Nr__CreateExternalMemoryRequest *request = (Nr__CreateExternalMemoryRequest *)(void *)message;
  for (uint64_t i = 0; i < stretch->count; i++) stretch->list[i] = &stretch->message;
  request->n_stretches = stretch->count;
  request->stretches = stretch->list;
  return true;
}

static void read_reply(const ProtobufCMessage *message, struct nr_forge_fields *reply) {
  for (unsigned i = 0; i < message->descriptor->n_fields && reply->count < NR_FORGE_FIELDS; i++) {
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
    if (find_field(message, field->name) == NULL || strlen(field->name) >= sizeof reply->list[0].name) continue;
    struct nr_forge_field *place = &reply->list[reply->count++];
    *place = (struct nr_forge_field){.bits = 0};
    strcpy(place->name, field->name);
    memcpy(&place->bits, (const char *)message + field->offset, nr_slot_size(field->type));
  }
}

__attribute__((visibility("default"))) int nr_forge(napi_env env, const struct nr_forgery *forgery,
                                                    struct nr_forge_fields *reply) {
  unsigned opcode = find_opcode(forgery->name);
  const struct nr_op_info *info = nr_op_info(opcode);
  reply->count = 0;
  if (opcode == 0 || info->request == NULL) return -1;
  struct napi_env__ other = *env;
  if (forgery->env != 0) other.number = forgery->env;
  ProtobufCMessage *message = calloc(1, info->request->sizeof_message);
  if (message == NULL) abort();
  protobuf_c_message_init(info->request, message);
  struct stretch stretch = {.message = NR__STRETCH__INIT, .count = 1};
  struct nr_call call = NR_CALL(&other, opcode, message);
  int status = -1;
  if (fill(&call, message, &forgery->fields, &stretch)) {
    status = (int)(forgery->post ? nr_call_post(&call) : nr_call_wait(&call));
    if (call.reply != NULL) read_reply(call.reply, reply);
    nr_call_end(&call, (napi_status)status);
    env->exception_pending = other.exception_pending;
  }
  free(message);
  return status;
}
