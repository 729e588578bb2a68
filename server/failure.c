/*
 * A host that failed, as JavaScript sees it.
 */
#include "server/failure.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "server/doorbell.h"
#include "server/hosts/launch.h"
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

const char *nr_signal_name(int number, char *buffer, size_t size) {
  const char *name = sigabbrev_np(number);
  if (name == NULL) {
    snprintf(buffer, size, "signal %d", number);
  } else {
    snprintf(buffer, size, "SIG%s", name);
  }
  return buffer;
}

static bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE || signal == SIGABRT ||
         signal == SIGTRAP || signal == SIGSYS;
}

const char *nr_death_reason(const struct nr_death *death) {
  switch (death->verdict) {
  case NR_VERDICT_PROTOCOL: return "protocol";
  case NR_VERDICT_TIMEOUT: return "timeout";
  case NR_VERDICT_KILLED:
  case NR_VERDICT_ABORTED: return "killed";
  case NR_VERDICT_RESIDENT:
  case NR_VERDICT_STRUCK: return "oom";
  case NR_VERDICT_IDLE: return "clean";
  case NR_VERDICT_NONE: break;
  }
  if (death->signal != 0) return is_crash(death->signal) ? "crashed" : "killed";
  return death->code == 0 ? "clean" : "abnormal";
}

/* What happened to the process, as the end of a sentence. */
static void describe_death(const struct nr_death *death, char *text, size_t size) {
  char name[32];
  if (death->verdict == NR_VERDICT_PROTOCOL) {
    snprintf(text, size, "broke the protocol (%s)", death->fault);
  } else if (death->verdict == NR_VERDICT_TIMEOUT) {
    snprintf(text, size, "took longer than it may (%s)", death->fault);
  } else if (death->verdict == NR_VERDICT_ABORTED) {
    snprintf(text, size, "was ended by its AbortSignal");
  } else if (death->verdict == NR_VERDICT_RESIDENT) {
    snprintf(text, size, "took more memory than it may");
  } else if (death->verdict == NR_VERDICT_IDLE) {
    snprintf(text, size, "was ended while it was idle");
  } else if (death->verdict == NR_VERDICT_STRUCK) {
    snprintf(text, size, "was ended by the kernel, since there was no memory left");
  } else if (!death->dead) {
    snprintf(text, size, "closed the connection");
  } else if (death->signal != 0) {
    snprintf(text, size, "was ended by %s", nr_signal_name(death->signal, name, sizeof name));
  } else {
    snprintf(text, size, "exited with code %d", death->code);
  }
}

static const char *code_of(const struct nr_death *death) {
  switch (death->verdict) {
  case NR_VERDICT_PROTOCOL: return "ERR_NAPI_REMOTE_PROTOCOL";
  case NR_VERDICT_TIMEOUT: return "ERR_NAPI_REMOTE_TIMEOUT";
  case NR_VERDICT_ABORTED: return "ABORT_ERR";
  default: return "ERR_NAPI_REMOTE_HOST_DIED";
  }
}

static void add_details(napi_env napi, napi_value error, struct nr_connection *connection,
                        const struct nr_death *death) {
  char name[32];
  const char *pending = connection->doing != NULL ? connection->doing : connection->owed;
  set_number(napi, error, "pid", nr_host_pid(connection->host));
  if (death->dead && death->signal != 0)
    set_string(napi, error, "signal", nr_signal_name(death->signal, name, sizeof name));
  if (death->dead && death->signal == 0) set_number(napi, error, "exitCode", death->code);
  if (connection->file != NULL) set_string(napi, error, "addon", connection->file);
  if (pending != NULL) set_string(napi, error, "pending", pending);
  if (connection->last != NULL) set_string(napi, error, "lastCall", connection->last);
}

/* As the DOM has it: its name, and the signal's reason as the cause. */
static void add_abortion(napi_env napi, napi_value error, struct nr_connection *connection) {
  napi_value signal = NULL, value;
  const napi_property_attributes attributes = napi_writable | napi_configurable;
  napi_property_descriptor name = {.utf8name = "name", .attributes = attributes};
  napi_property_descriptor cause = {.utf8name = "cause", .attributes = attributes};
  if (napi_create_string_utf8(napi, "AbortError", NAPI_AUTO_LENGTH, &name.value) == napi_ok)
    napi_define_properties(napi, error, 1, &name);
  if (connection->signal == NULL || connection->agent == NULL ||
      napi_get_reference_value(connection->agent->napi, connection->signal, &signal) != napi_ok || signal == NULL)
    return;
  if (napi_get_named_property(napi, signal, "reason", &value) != napi_ok) return;
  cause.value = value;
  napi_define_properties(napi, error, 1, &cause);
}

static napi_value make_error(napi_env napi, const char *code, const char *message) {
  napi_value code_value, message_value, error;
  if (napi_create_string_utf8(napi, code, NAPI_AUTO_LENGTH, &code_value) != napi_ok ||
      napi_create_string_utf8(napi, message, NAPI_AUTO_LENGTH, &message_value) != napi_ok ||
      napi_create_error(napi, code_value, message_value, &error) != napi_ok) {
    return NULL;
  }
  return error;
}

void nr_throw_launch(napi_env napi, const struct nr_launch *launch, const char *why,
                     const struct nr_launch_files *files) {
  char text[640], words[2048], name[32];
  snprintf(text, sizeof text, "Cannot start the host process: %s", why);
  nr_launch_read_stderr(files, words, sizeof words);
  napi_value error = make_error(napi, "ERR_NAPI_REMOTE_LAUNCH", text);
  if (error == NULL) return;
  set_string(napi, error, "addon", launch->file);
  if (files->pid != 0) set_number(napi, error, "pid", files->pid);
  if (files->ended && files->signal == 0) set_number(napi, error, "exitCode", files->code);
  if (files->ended && files->signal != 0)
    set_string(napi, error, "signal", nr_signal_name(files->signal, name, sizeof name));
  if (words[0] != '\0') set_string(napi, error, "stderr", words);
  napi_throw(napi, error);
}

void nr_throw_refused(napi_env napi, const char *file, const char *code, const char *text,
                      struct nr_connection *connection) {
  napi_value error = make_error(napi, code, text);
  if (error == NULL) return;
  set_string(napi, error, "addon", file);
  if (connection != NULL) {
    set_number(napi, error, "pid", nr_host_pid(connection->host));
    nr_report_offer(connection, napi, error);
  }
  napi_throw(napi, error);
}

napi_value nr_gone_error(struct nr_connection *connection, napi_env napi) {
  char text[512];
  const struct nr_death death = nr_host_death(connection->host);
  const char *file = connection->file == NULL ? "an addon" : connection->file;
  snprintf(text, sizeof text, "This belongs to a host process of %s (pid %d) that has ended", file,
           (int)nr_host_pid(connection->host));
  napi_value error = make_error(napi, "ERR_NAPI_REMOTE_GONE", text);
  if (error == NULL) return NULL;
  add_details(napi, error, connection, &death);
  nr_report_offer(connection, napi, error);
  return error;
}

void nr_throw_gone(struct nr_connection *connection, napi_env napi) {
  napi_value error = nr_gone_error(connection, napi);
  if (error != NULL) napi_throw(napi, error);
}

void nr_throw_quota(struct nr_connection *connection, napi_env napi, const char *text) {
  napi_value code, message, error;
  const struct nr_death death = nr_host_death(connection->host);
  if (napi_create_string_utf8(napi, "ERR_NAPI_REMOTE_QUOTA", NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(napi, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_range_error(napi, code, message, &error) != napi_ok)
    return;
  add_details(napi, error, connection, &death);
  nr_report_offer(connection, napi, error);
  napi_throw(napi, error);
}

/* Where a host that took too long was: in a call that Node served, or in native code. */
static void describe_place(const struct nr_connection *connection, char *text, size_t size) {
  const char *pending = connection->doing != NULL ? connection->doing : connection->owed;
  if (pending != NULL)
    snprintf(text, size, " while %s was under way", pending);
  else if (connection->last != NULL)
    snprintf(text, size, " in native code, after it had called %s", connection->last);
  else
    snprintf(text, size, " in native code");
}

napi_value nr_failure_error(struct nr_connection *connection, napi_env napi, const char *doing) {
  nr_connection_failed(connection);
  struct nr_death death = nr_host_death(connection->host);
  char how[224], place[128] = "", text[768];
  describe_death(&death, how, sizeof how);
  if (death.verdict == NR_VERDICT_TIMEOUT) describe_place(connection, place, sizeof place);
  int length = snprintf(text, sizeof text, "The host process of %s (pid %d) %s%s",
                        connection->file == NULL ? "the addon" : connection->file, (int)nr_host_pid(connection->host),
                        how, place);
  if (doing != NULL && length >= 0 && (size_t)length < sizeof text)
    snprintf(text + length, sizeof text - (size_t)length, "; %s was not carried out", doing);
  napi_value error = make_error(napi, code_of(&death), text);
  if (error == NULL) return NULL;
  add_details(napi, error, connection, &death);
  if (death.verdict == NR_VERDICT_ABORTED) add_abortion(napi, error, connection);
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
    nr_throw_quota(connection, napi, "Too large, or nested too deeply, for a call into the host");
    return;
  }
  nr_doorbell_hold(connection, true); /* until Node's loop has heard of it: it will, in a moment */
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
