/*
 * A host that failed, as JavaScript sees it.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/server-private.h"

static void set_string(napi_env napi, napi_value object, const char *name, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(napi, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
    napi_set_named_property(napi, object, name, value);
}

static void set_number(napi_env napi, napi_value object, const char *name, double number) {
  napi_value value;
  if (napi_create_double(napi, number, &value) == napi_ok) napi_set_named_property(napi, object, name, value);
}

static const char *signal_name(int number, char *buffer, size_t size) {
  const char *name = sigabbrev_np(number);
  if (name == NULL) {
    snprintf(buffer, size, "signal %d", number);
  } else {
    snprintf(buffer, size, "SIG%s", name);
  }
  return buffer;
}

/* What happened to the process, as the end of a sentence. */
static void describe_death(const struct nr_death *death, char *text, size_t size) {
  char name[32];
  if (death->fault[0] != '\0') {
    snprintf(text, size, "broke the protocol (%s)", death->fault);
  } else if (!death->dead) {
    snprintf(text, size, "closed the connection");
  } else if (death->signal != 0) {
    snprintf(text, size, "was ended by %s", signal_name(death->signal, name, sizeof name));
  } else {
    snprintf(text, size, "exited with code %d", death->code);
  }
}

static void add_details(napi_env napi, napi_value error, struct nr_connection *connection,
                        const struct nr_death *death) {
  char name[32];
  set_number(napi, error, "pid", nr_host_pid(connection->host));
  if (death->dead && death->signal != 0)
    set_string(napi, error, "signal", signal_name(death->signal, name, sizeof name));
  if (death->dead && death->signal == 0) set_number(napi, error, "exitCode", death->code);
  if (connection->file != NULL) set_string(napi, error, "addon", connection->file);
  if (connection->doing != NULL) set_string(napi, error, "pending", connection->doing);
}

napi_value nr_failure_error(struct nr_connection *connection, napi_env napi, const char *doing) {
  nr_connection_failed(connection);
  struct nr_death death = nr_host_death(connection->host);
  napi_value code, message, error;
  char how[224], text[512];
  describe_death(&death, how, sizeof how);
  int length =
      snprintf(text, sizeof text, "The host process of %s (pid %d) %s",
               connection->file == NULL ? "the addon" : connection->file, (int)nr_host_pid(connection->host), how);
  if (doing != NULL && length >= 0 && (size_t)length < sizeof text)
    snprintf(text + length, sizeof text - (size_t)length, "; %s was not carried out", doing);
  const char *name = death.fault[0] != '\0' ? "ERR_NAPI_REMOTE_PROTOCOL" : "ERR_NAPI_REMOTE_HOST_DIED";
  if (napi_create_string_utf8(napi, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(napi, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_error(napi, code, message, &error) != napi_ok) {
    return NULL;
  }
  add_details(napi, error, connection, &death);
  nr_report_offer(connection, napi, error);
  return error;
}

/* Was this exception thrown for the same death, further up on this stack? Then it goes on as it is: one death is told
 * once. */
static bool is_ours(struct nr_connection *connection, napi_env napi, napi_value exception) {
  napi_value thrown = NULL;
  bool same = false;
  if (connection->thrown == NULL) return false;
  if (napi_get_reference_value(connection->thrown_in, connection->thrown, &thrown) != napi_ok || thrown == NULL)
    return false;
  return napi_strict_equals(napi, thrown, exception, &same) == napi_ok && same;
}

static void remember(struct nr_connection *connection, napi_env napi, napi_value error) {
  if (connection->thrown != NULL) napi_delete_reference(connection->thrown_in, connection->thrown);
  connection->thrown_in = connection->agent == NULL ? napi : connection->agent->napi;
  if (napi_create_reference(connection->thrown_in, error, 0, &connection->thrown) != napi_ok) connection->thrown = NULL;
}

void nr_throw_failure(struct nr_connection *connection, napi_env napi, const char *doing) {
  napi_value cause = NULL;
  bool pending = false;
  if (nr_port_failure(connection->port) == 0) { /* nothing failed: what was to be sent is too much, or too deep */
    napi_throw_range_error(napi, "ERR_NAPI_REMOTE_QUOTA", "Too large, or nested too deeply, for a call into the host");
    return;
  }
  napi_is_exception_pending(napi, &pending);
  if (pending && napi_get_and_clear_last_exception(napi, &cause) != napi_ok) return;
  if (pending && is_ours(connection, napi, cause)) {
    napi_throw(napi, cause);
    return;
  }
  napi_value error = nr_failure_error(connection, napi, doing);
  if (error == NULL) return; /* the env is terminating: nobody is left to be told */
  if (pending) napi_set_named_property(napi, error, "cause", cause);
  remember(connection, napi, error);
  nr_report_death(connection, napi, error);
  napi_throw(napi, error);
}
