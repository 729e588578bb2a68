/*
 * Handle scopes of the host, mirrored by real ones: in order, and never more than were opened in the entry.
 */
#include <stdlib.h>

#include "handlers.h"

#define NR_SCOPES_MAX (1u << 20)

static bool make_room(struct nr_connection *connection) {
  if (connection->scope_count < connection->scope_room) return true;
  uint32_t room = connection->scope_room == 0 ? 32 : connection->scope_room * 2;
  if (room > NR_SCOPES_MAX) return false;
  struct nr_scope *scopes = realloc(connection->scopes, room * sizeof *scopes);
  if (scopes == NULL) return false;
  connection->scopes = scopes;
  connection->scope_room = room;
  return true;
}

napi_status nr_serve_open_scope(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__OpenScopeRequest *request = message;
  struct nr_connection *connection = d->connection;
  (void)answer;
  if (request->level != connection->scope_count) return nr_fault(d, "not the next level");
  if (!make_room(connection)) return nr_fault(d, "too many open handle scopes");
  if (request->top < nr_handles_top(connection->chosen) || request->top > NR_HANDLES_MAX)
    return nr_fault(d, "a wrong top");
  struct nr_scope scope = {.escapable = request->escapable, .napi = d->napi, .top = request->top};
  napi_status status = request->escapable ? napi_open_escapable_handle_scope(d->napi, &scope.real.escapable)
                                          : napi_open_handle_scope(d->napi, &scope.real.plain);
  if (status != napi_ok) return nr_fault(d, "no scope could be opened");
  connection->scopes[connection->scope_count++] = scope;
  return napi_ok;
}

static void close_innermost(struct nr_connection *connection) {
  struct nr_scope *scope = &connection->scopes[--connection->scope_count];
  if (scope->escapable) {
    napi_close_escapable_handle_scope(scope->napi, scope->real.escapable);
  } else {
    napi_close_handle_scope(scope->napi, scope->real.plain);
  }
  nr_handles_truncate(connection->chosen, scope->top);
}

void nr_scopes_close(struct nr_connection *connection, uint32_t level) {
  while (connection->scope_count > level) close_innermost(connection);
}

napi_status nr_serve_close_scope(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CloseScopeRequest *request = message;
  struct nr_connection *connection = d->connection;
  (void)answer;
  if (request->level < connection->scope_base || request->level >= connection->scope_count) {
    return nr_fault(d, "a scope that is not open");
  }
  nr_scopes_close(connection, request->level);
  return napi_ok;
}

uint32_t nr_scopes_floor(const struct nr_connection *connection, uint32_t level) {
  return level > connection->scope_base ? connection->scopes[level - 1].top : connection->entry_floor;
}

/*
 * The host reserved the slot outside of the scope before it opened it. It must lie in the scope right outside, where
 * the real escaped handle lives: further out it would outlive it.
 */
napi_status nr_serve_napi_escape_handle(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__EscapeHandleRequest *request = message;
  struct nr_connection *connection = d->connection;
  napi_value escapee, result = NULL;
  (void)answer;
  if (request->level < connection->scope_base || request->level >= connection->scope_count ||
      !connection->scopes[request->level].escapable) {
    return nr_fault(d, "an escape from a scope that is not open");
  }
  struct nr_scope *scope = &connection->scopes[request->level];
  uint32_t index = nr_value_index(request->result);
  if (index >= scope->top || index < nr_scopes_floor(connection, request->level)) {
    return nr_fault(d, "an escape to a place that is not right outside of the scope");
  }
  /* What is absent inside is absent outside as well. */
  napi_status status = nr_take(d, request->escapee, &escapee);
  if (status == napi_ok && escapee == NULL) status = napi_invalid_arg;
  if (d->fault) return status;
  if (status == napi_ok) status = napi_escape_handle(d->napi, scope->real.escapable, escapee, &result);
  if (status != napi_ok) return nr_put_escaped(d, request->result, nr_absence(status));
  return nr_put_escaped(d, request->result, result);
}
