/*
 * Calls made while the server listens to nobody: a collection runs a finalizer, so JavaScript stands still in the
 * middle of anything, or is not even inside an entry. The few functions that Node allows there have nothing to wait
 * for; they go out at the next entry, or as soon as the reply is here that this thread waits for.
 */
#include <stdlib.h>

#include "client/channel.h"
#include "client/client-private.h"

struct nr_deferred {
  struct nr_deferred *next;
  uint32_t env;
  unsigned opcode;
  max_align_t message[]; /* a copy; the messages of these functions hold no pointers */
};

napi_status nr_defer(struct nr_call *call) {
  struct nr_channel *channel = call->env->channel;
  size_t size = call->request->descriptor->sizeof_message;
  struct nr_deferred *deferred = call->tail_count > 0 ? NULL : malloc(sizeof *deferred + size);
  if (deferred == NULL) {
    call->text = "out of memory, or of handles";
    return napi_generic_failure;
  }
  deferred->next = NULL;
  deferred->env = call->env->number;
  deferred->opcode = call->opcode;
  memcpy(deferred->message, call->request, size);
  if (channel->deferred == NULL) channel->deferred_end = &channel->deferred;
  *channel->deferred_end = deferred;
  channel->deferred_end = &deferred->next;
  return napi_ok;
}

void nr_deferred_end(struct nr_channel *channel) {
  while (channel->deferred != NULL) {
    struct nr_deferred *deferred = channel->deferred;
    channel->deferred = deferred->next;
    free(deferred);
  }
}

void nr_deferred_send(struct nr_channel *channel) {
  while (channel->deferred != NULL) {
    struct nr_deferred *deferred = channel->deferred;
    struct nr_frame_header header = {.env = deferred->env,
                                     .opcode = (uint16_t)deferred->opcode,
                                     .depth = (uint16_t)channel->depth,
                                     .kind = NR_KIND_POST};
    channel->deferred = deferred->next;
    if (nr_port_send(channel->port, &header, (const ProtobufCMessage *)deferred->message, NULL, 0) < 0) {
      nr_channel_lost(channel);
    }
    free(deferred);
  }
}
