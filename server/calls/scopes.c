/*
 * Handle scopes of the host, mirrored by real ones: in order, and never more than were opened in the entry.
 */
#include "server/calls/scopes.h"

#include <stdlib.h>

#include "handlers.h"

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
  connection->closing = UINT32_MAX;
  while (connection->scope_count > level) close_innermost(connection);
}

napi_status nr_serve_close_scope(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CloseScopeRequest *request = message;
  struct nr_connection *connection = d->connection;
  (void)answer;
  if (request->level < connection->scope_base || request->level >= connection->scope_count ||
      request->level >= connection->closing) {
    return nr_fault(d, "a scope that is not open");
  }
  connection->closing = request->level;
  return napi_ok;
}

void nr_scopes_settle(struct nr_connection *connection) {
  if (connection->closing != UINT32_MAX) nr_scopes_close(connection, connection->closing);
}

/* In an object that outlives the scopes. */
static napi_status carry_out(struct nr_connection *connection, napi_env napi, napi_value value, napi_value *result) {
  napi_value box = NULL;
  napi_ref reference = NULL;
  napi_property_descriptor property = {.utf8name = "value", .value = value};
  napi_status status = napi_create_object(napi, &box);
  if (status == napi_ok) status = napi_define_properties(napi, box, 1, &property);
  if (status == napi_ok) status = napi_create_reference(napi, box, 1, &reference);
  nr_scopes_close(connection, connection->scope_base);
  if (status == napi_ok) status = napi_get_reference_value(napi, reference, &box);
  if (status == napi_ok) status = napi_get_named_property(napi, box, "value", result);
  if (reference != NULL) napi_delete_reference(napi, reference);
  return status;
}

/* Addons return values from scopes that they have just closed, without an escape: a HandleScope of C++ that lasts until
 * the function's end. In one process nothing has taken the place of the value yet, so it is still there. What lives in
 * a scope that was left open ends with it. */
napi_status nr_scopes_leave(struct nr_dispatch *d, nr_value value, napi_value *result) {
  struct nr_connection *connection = d->connection;
  uint32_t base = connection->scope_base;
  bool inside = connection->closing == base && nr_value_is_handle(value) && nr_value_is_by_host(value) &&
                nr_value_index(value) >= connection->scopes[base].top;
  if (!inside) {
    nr_scopes_close(connection, base);
    return nr_take(d, value, result);
  }
  napi_status status = nr_take(d, value, result);
  if (status == napi_ok && *result != NULL) return carry_out(connection, d->napi, *result, result);
  nr_scopes_close(connection, base);
  return status;
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
