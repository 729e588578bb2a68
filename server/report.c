/*
 * What a host left, handed to JavaScript (server/lib/report.js): when somebody reads `error.report`, or wants every
 * death written down.
 */
#include <stdlib.h>

#include "server/failure.h"
#include "server/server-private.h"

void nr_report_configure(struct nr_agent *agent, napi_env napi, napi_value options) {
  napi_value value;
  if (agent->report_of == NULL && napi_get_named_property(napi, options, "reportOf", &value) == napi_ok)
    napi_create_reference(napi, value, 1, &agent->report_of);
  if (agent->on_death == NULL && napi_get_named_property(napi, options, "onDeath", &value) == napi_ok)
    napi_create_reference(napi, value, 1, &agent->on_death);
}

static napi_value recorded_of(napi_env napi, struct nr_connection *connection) {
  char *json = nr_host_recorded(connection->host);
  napi_value text = NULL;
  if (json != NULL && napi_create_string_utf8(napi, json, NAPI_AUTO_LENGTH, &text) != napi_ok) text = NULL;
  free(json);
  return text;
}

static napi_value string_or_undefined(napi_env napi, const char *text) {
  napi_value value = NULL;
  if (text != NULL && napi_create_string_utf8(napi, text, NAPI_AUTO_LENGTH, &value) == napi_ok) return value;
  napi_get_undefined(napi, &value);
  return value;
}

static napi_value files_of(napi_env napi, struct nr_connection *connection) {
  napi_value files, file;
  if (napi_create_array(napi, &files) != napi_ok) return NULL;
  for (uint32_t i = 0; i < connection->env_count; i++) {
    if (napi_create_string_utf8(napi, connection->envs[i]->file, NAPI_AUTO_LENGTH, &file) == napi_ok)
      napi_set_element(napi, files, i, file);
  }
  return files;
}

static double seconds(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* What the process took, in the order in which server/lib/report.js wants it; undefined: it lives. */
static napi_value usage_of(napi_env napi, struct nr_connection *connection) {
  napi_value list, number;
  const struct nr_death death = nr_host_death(connection->host);
  const struct rusage *usage = &death.usage;
  const double numbers[] = {seconds(usage->ru_utime), seconds(usage->ru_stime), (double)usage->ru_maxrss,
                            (double)usage->ru_majflt, (double)usage->ru_minflt, (double)usage->ru_inblock,
                            (double)usage->ru_oublock};
  if (!death.dead || napi_create_array(napi, &list) != napi_ok) return string_or_undefined(napi, NULL);
  for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    if (napi_create_double(napi, numbers[i], &number) == napi_ok) napi_set_element(napi, list, i, number);
  }
  return list;
}

/* In one word, as the event tells it; undefined: it lives. */
static napi_value reason_of(napi_env napi, struct nr_connection *connection) {
  const struct nr_death death = nr_host_death(connection->host);
  bool ends = death.dead || death.verdict != NR_VERDICT_NONE;
  return string_or_undefined(napi, ends ? nr_death_reason(&death) : NULL);
}

/* How it ended; each undefined when it did not. */
static napi_value signal_of(napi_env napi, const struct nr_death *death) {
  char name[32];
  bool ends = death->dead && death->signal != 0;
  return string_or_undefined(napi, ends ? nr_signal_name(death->signal, name, sizeof name) : NULL);
}

static napi_value exit_code_of(napi_env napi, const struct nr_death *death) {
  napi_value code;
  bool ends = death->dead && death->signal == 0;
  return ends && napi_create_int32(napi, death->code, &code) == napi_ok ? code : string_or_undefined(napi, NULL);
}

napi_value nr_report_facts(napi_env napi, struct nr_connection *connection) {
  const struct nr_death death = nr_host_death(connection->host);
  napi_value list, recorded = recorded_of(napi, connection);
  napi_value facts[] = {recorded == NULL ? string_or_undefined(napi, NULL) : recorded, usage_of(napi, connection),
                        reason_of(napi, connection), signal_of(napi, &death), exit_code_of(napi, &death)};
  if (napi_create_array(napi, &list) != napi_ok) return NULL;
  for (uint32_t i = 0; i < sizeof facts / sizeof facts[0]; i++) napi_set_element(napi, list, i, facts[i]);
  return list;
}

/* reportOf(error, files, usage, recorded, reason). NULL with a pending exception, or when the thread has ended. */
static napi_value make_report(napi_env napi, struct nr_connection *connection, napi_value error) {
  napi_value function, report = NULL;
  struct nr_agent *agent = connection->agent;
  if (agent == NULL || agent->report_of == NULL) return NULL;
  if (napi_get_reference_value(agent->napi, agent->report_of, &function) != napi_ok || function == NULL) return NULL;
  napi_value argv[] = {error, files_of(napi, connection), usage_of(napi, connection), recorded_of(napi, connection),
                       reason_of(napi, connection)};
  if (argv[1] == NULL) return NULL;
  if (argv[3] == NULL) argv[3] = string_or_undefined(napi, NULL);
  return napi_call_function(napi, error, function, 5, argv, &report) == napi_ok ? report : NULL;
}

/* The getter. What it gives takes its place. */
static napi_value get_report(napi_env napi, napi_callback_info info) {
  size_t argc = 0;
  napi_value error;
  void *data = NULL;
  struct nr_agent *agent = nr_agent_current();
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, NULL, &error, &data) != napi_ok) return NULL;
  struct nr_connection *connection = nr_table_get(agent->objects, (nr_id)(uintptr_t)data, NR_SORT_REPORT);
  if (connection == NULL) return NULL; /* the getter alone is left of the error */
  napi_property_descriptor property = {.utf8name = "report", .attributes = napi_writable | napi_configurable};
  property.value = make_report(napi, connection, error);
  if (property.value == NULL) return NULL;
  napi_define_properties(napi, error, 1, &property);
  return property.value;
}

static void on_error_gone(napi_env napi, void *data, void *hint) {
  struct nr_agent *agent = nr_agent_current();
  (void)napi;
  if (agent != NULL) nr_table_remove(agent->objects, (nr_id)(uintptr_t)hint, NR_SORT_REPORT);
  nr_connection_unref(data);
}

void nr_report_offer(struct nr_connection *connection, napi_env napi, napi_value error) {
  struct nr_agent *agent = connection->agent;
  if (agent == NULL || agent->report_of == NULL) return;
  nr_id id = nr_table_add(agent->objects, NR_SORT_REPORT, connection);
  void *hint = (void *)(uintptr_t)id;
  if (id == 0) return;
  /* In the agent's own env, whose finalizers do not run inside collections. */
  if (napi_add_finalizer(agent->napi, error, connection, on_error_gone, hint, NULL) != napi_ok) {
    nr_table_remove(agent->objects, id, NR_SORT_REPORT);
    return;
  }
  nr_connection_ref(connection);
  napi_property_descriptor property = {
      .utf8name = "report", .getter = get_report, .attributes = napi_configurable, .data = hint};
  napi_define_properties(napi, error, 1, &property);
}

/* onDeath(error, group) */
static void tell(struct nr_connection *connection, napi_env napi, napi_value error) {
  napi_value function, result, nothing, argv[2];
  bool pending = false;
  struct nr_agent *agent = connection->agent;
  if (napi_get_reference_value(agent->napi, agent->on_death, &function) != napi_ok || function == NULL) return;
  argv[0] = error == NULL ? nr_failure_error(connection, napi, NULL) : error;
  if (argv[0] == NULL || napi_get_undefined(napi, &nothing) != napi_ok) return;
  argv[1] = string_or_undefined(napi, nr_host_group(connection->host));
  napi_call_function(napi, nothing, function, 2, argv, &result);
  if (napi_is_exception_pending(napi, &pending) == napi_ok && pending) napi_get_and_clear_last_exception(napi, &result);
}

/* What the kernel may take to end a host. */
#define NR_DEATH_MILLISECONDS 200u

void nr_report_death(struct nr_connection *connection, napi_env napi, napi_value error) {
  napi_handle_scope scope;
  struct nr_agent *agent = connection->agent;
  if (agent == NULL || agent->on_death == NULL || connection->death_told || connection->exited) return;
  if (nr_ending_deadline(agent) != 0) return; /* no JavaScript runs any more */
  /* One that broke the protocol has been killed just now. */
  if (!nr_host_await_death(connection->host, NR_DEATH_MILLISECONDS)) return;
  if (nr_host_death(connection->host).verdict == NR_VERDICT_IDLE) return; /* nobody needed it */
  if (napi_open_handle_scope(napi, &scope) != napi_ok) return;
  connection->death_told = true;
  nr_connection_ref(connection);
  tell(connection, napi, error);
  nr_connection_unref(connection);
  napi_close_handle_scope(napi, scope);
}
