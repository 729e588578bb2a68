/*
 * The C environment, which addons read with getenv() and process.env is made of: Node's main thread tells the host what
 * has changed in it before the host gets the turn, and hears what the addon has set before JavaScript runs. Workers
 * have an environment of their own, which no addon sees in one process either.
 */
#include <string.h>

#include "handlers.h"

static void tell(void *context, const char *name, const char *value) {
  struct nr_connection *connection = context;
  Nr__VariableRequest request = NR__VARIABLE_REQUEST__INIT;
  size_t name_length = strlen(name), value_length = value == NULL ? 0 : strlen(value);
  if (name_length + value_length > NR_VARIABLE_MAX) return;
  const struct nr_slice tail[] = {{.data = name, .length = name_length}, {.data = value, .length = value_length}};
  struct nr_frame_header header = {
      .opcode = NR_OP_SET_VARIABLE, .depth = (uint16_t)connection->depth, .kind = NR_KIND_POST};
  request.name = nr_span_make(0, (uint32_t)name_length);
  request.value = value == NULL ? NR_SPAN_NULL : nr_span_make((uint32_t)name_length, (uint32_t)value_length);
  nr_port_send(connection->port, &header, &request.base, tail, value == NULL ? 1 : 2);
}

void nr_environment_send(struct nr_connection *connection) {
  nr_environ_tell(connection->environ, tell, connection);
}

/* What one host may make Node keep: setenv() forgets no value. */
#define NR_VARIABLES_MAX (UINT64_C(64) << 20)

napi_status nr_serve_tell_variable(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__VariableRequest *request = message;
  struct nr_connection *connection = d->connection;
  const char *name, *value = NULL;
  (void)answer;
  NR_TAKE_CSTRING(d, request->name, &name);
  if (request->value != NR_SPAN_NULL) NR_TAKE_CSTRING(d, request->value, &value);
  if (connection->environ == NULL || name == NULL) return nr_fault(d, "not this thread's environment");
  connection->variables += strlen(name) + (value == NULL ? 0 : strlen(value)) + 1;
  if (connection->variables > NR_VARIABLES_MAX) return nr_fault(d, "too many changes");
  return nr_environ_take(connection->environ, name, value) ? napi_ok : nr_fault(d, "no such name");
}
