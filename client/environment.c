/*
 * The C environment: what the addon changes with setenv(), Node's process.env shows; what JavaScript changes there,
 * getenv() finds. On the thread that is joined with Node's main thread; Workers have an environment of their own.
 */
#include <string.h>
#include <time.h>

#include "client/channel.h"
#include "client/client-private.h"

static void tell(void *context, const char *name, const char *value) {
  struct nr_channel *channel = context;
  Nr__VariableRequest request = NR__VARIABLE_REQUEST__INIT;
  size_t name_length = strlen(name), value_length = value == NULL ? 0 : strlen(value);
  if (name_length + value_length > NR_VARIABLE_MAX) return;
  const struct nr_slice tail[] = {{.data = name, .length = name_length}, {.data = value, .length = value_length}};
  struct nr_frame_header header = {.env = channel->envs[0]->number,
                                   .opcode = NR_OP_TELL_VARIABLE,
                                   .depth = (uint16_t)channel->depth,
                                   .kind = NR_KIND_POST};
  request.name = nr_span_make(0, (uint32_t)name_length);
  request.value = value == NULL ? NR_SPAN_NULL : nr_span_make((uint32_t)name_length, (uint32_t)value_length);
  if (nr_port_send(channel->port, &header, &request.base, tail, value == NULL ? 1 : 2) < 0) nr_channel_lost(channel);
}

void nr_environment_tell(struct nr_channel *channel) {
  if (channel->env_count > 0) nr_environ_tell(channel->environ, tell, channel);
}

void nr_environment_set(struct nr_channel *channel, const char *name, const char *value) {
  if (channel->environ == NULL || !nr_environ_take(channel->environ, name, value)) return;
  if (strcmp(name, "TZ") == 0) tzset(); /* as Node does for process.env.TZ */
}
