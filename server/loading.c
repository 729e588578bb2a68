/*
 * The functions that server/index.js calls: the first half of a load, and what can be asked about hosts.
 */
#include "server/loading.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/doorbell.h"
#include "server/elf.h"
#include "server/enter.h"
#include "server/failure.h"
#include "server/hosts/launch.h"
#include "server/prepared.h"
#include "server/server-private.h"
#include "server/times.h"

/* A string argument, to be freed; NULL (with a TypeError) when it is none. */
static char *string_argument(napi_env napi, napi_value value, const char *name) {
  size_t length = 0;
  if (napi_get_value_string_utf8(napi, value, NULL, 0, &length) != napi_ok) {
    char text[96];
    snprintf(text, sizeof text, "The \"%s\" argument must be of type string", name);
    napi_throw_type_error(napi, "ERR_INVALID_ARG_TYPE", text);
    return NULL;
  }
  char *text = malloc(length + 1);
  if (text == NULL) return NULL;
  napi_get_value_string_utf8(napi, value, text, length + 1, &length);
  return text;
}

static struct nr_agent *agent_of(napi_env napi) {
  struct nr_agent *agent = nr_agent_current();
  if (agent == NULL) napi_throw_error(napi, "ERR_NAPI_REMOTE_GONE", "The agent of this thread has ended");
  return agent;
}

/* What only JavaScript can tell of memory, and what it wants to hear. */
static void configure_callbacks(struct nr_agent *agent, napi_env napi, napi_value options) {
  napi_value value;
  double most = 0;
  if (napi_get_named_property(napi, options, "bufferMax", &value) == napi_ok &&
      napi_get_value_double(napi, value, &most) == napi_ok && most > 0)
    agent->buffer_max = (uint64_t)most;
  napi_typedarray_type type;
  size_t length = 0;
  if (agent->snapshot == NULL && napi_get_named_property(napi, options, "snapshotValues", &value) == napi_ok &&
      napi_get_typedarray_info(napi, value, &type, &length, &agent->snapshot_values, NULL, NULL) == napi_ok &&
      (length < NR_SNAPSHOT_MAX || type != napi_float64_array))
    agent->snapshot_values = NULL;
  const struct {
    const char *name;
    napi_ref *place;
  } functions[] = {
      {"roomOf", &agent->room_of},       {"onExit", &agent->on_exit},    {"onCall", &agent->on_call},
      {"construct", &agent->construct},  {"snapshot", &agent->snapshot}, {"create", &agent->create},
      {"watchHeap", &agent->watch_heap},
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    if (*functions[i].place == NULL && napi_get_named_property(napi, options, functions[i].name, &value) == napi_ok)
      napi_create_reference(napi, value, 1, functions[i].place);
  }
}

napi_value nr_loading_configure(napi_env napi, napi_callback_info info) {
  size_t argc = 1;
  napi_value options, path;
  struct nr_agent *agent = agent_of(napi);
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, &options, NULL, NULL) != napi_ok) return NULL;
  if (napi_get_named_property(napi, options, "hostPath", &path) != napi_ok) return NULL;
  char *host_path = string_argument(napi, path, "hostPath");
  if (host_path == NULL) return NULL;
  free(agent->host_path);
  agent->host_path = host_path;
  configure_callbacks(agent, napi, options);
  nr_report_configure(agent, napi, options);
  return NULL;
}

static const char unsupported[] = "ERR_NAPI_REMOTE_UNSUPPORTED";

/* An addon that uses V8 or Node's own C++ cannot be proxied: said before it is loaded, by the names that it imports. */
static bool refuse_internals(napi_env napi, const char *file) {
  struct nr_elf_report report;
  char text[2048];
  if (nr_elf_inspect(file, &report) != 0 || report.total == 0) return false;
  int length =
      snprintf(text, sizeof text, "%s uses V8 or Node internals, which exist only inside Node, not Node-API:", file);
  for (size_t i = 0; i < report.count && length > 0 && (size_t)length < sizeof text; i++) {
    length += snprintf(text + length, sizeof text - (size_t)length, "%s %s", i == 0 ? "" : ",", report.symbols[i]);
  }
  if (report.total > report.count && length > 0 && (size_t)length < sizeof text) {
    snprintf(text + length, sizeof text - (size_t)length, " and %zu more", report.total - report.count);
  }
  nr_throw_refused(napi, file, unsupported, text, NULL);
  return true;
}

#define NR_SYMBOL_SIZE 256u

/* "... undefined symbol: NAME, version ...": is NAME something that Node has (OpenSSL, zlib), and the host has not? */
static bool names_symbol_of_node(const char *error, size_t length, char *name) {
  static const char words[] = "undefined symbol: ";
  const char *at = length == 0 ? NULL : memmem(error, length, words, sizeof words - 1);
  if (at == NULL) return false;
  at += sizeof words - 1;
  size_t used = 0;
  for (const char *end = error + length; at + used < end && strchr(", \n", at[used]) == NULL; used++) {
    if (used + 1 == NR_SYMBOL_SIZE) return false;
  }
  memcpy(name, at, used);
  name[used] = '\0';
  return used > 0 && dlsym(RTLD_DEFAULT, name) != NULL;
}

static void throw_load_error(napi_env napi, const char *text, size_t length) {
  napi_value code, message, exception;
  if (napi_create_string_utf8(napi, "ERR_DLOPEN_FAILED", NAPI_AUTO_LENGTH, &code) == napi_ok &&
      napi_create_string_utf8(napi, text, length, &message) == napi_ok &&
      napi_create_error(napi, code, message, &exception) == napi_ok) {
    napi_throw(napi, exception);
  }
}

/* Has the host dlopen() the file. 0; -EAGAIN: it fails, with `again` not for good; -1: a pending exception. */
static int load_with(struct nr_connection *connection, napi_env napi, const char *file, int flags, bool again,
                     struct nr_prepared *prepared) {
  struct nr_enter enter;
  Nr__LoadRequest request = NR__LOAD_REQUEST__INIT;
  struct nr_slice tail = {.data = file, .length = strlen(file)};
  char name[NR_SYMBOL_SIZE];
  int status = -1;
  nr_enter_begin(&enter, connection, NULL, NR_OP_LOAD);
  request.file = nr_span_make(0, (uint32_t)tail.length);
  request.flags = flags;
  enter.request = &request.base;
  enter.tail = &tail;
  enter.tail_count = 1;
  if (nr_enter_run(&enter) < 0) {
    nr_throw_failure(connection, napi, "the load");
    goto end;
  }
  const Nr__LoadReply *reply = enter.reply;
  if (reply->module_id == 0) {
    const char *error = (const char *)nr_frame_bytes(&enter.frame, reply->error);
    size_t length = error == NULL ? 0 : nr_span_length(reply->error);
    if (names_symbol_of_node(error, length, name)) {
      char text[NR_SYMBOL_SIZE + 1024];
      snprintf(text, sizeof text, "%s uses %s, which exists only inside Node, and is not Node-API", file, name);
      nr_throw_refused(napi, file, unsupported, text, connection);
    } else if (again) {
      status = -EAGAIN;
    } else {
      throw_load_error(napi, length == 0 ? "" : error, length);
    }
    goto end;
  }
  prepared->module_id = reply->module_id;
  prepared->api_version = reply->api_version;
  status = 0;
end:
  nr_enter_end(&enter);
  return status;
}

/* Symbols are looked up at once where Node would do it lazily: a call of what is not there would end the host. */
static int load(struct nr_connection *connection, napi_env napi, const char *file, int flags,
                struct nr_prepared *prepared) {
  bool lazy = (flags & RTLD_LAZY) != 0;
  int now = lazy ? (flags & ~RTLD_LAZY) | RTLD_NOW : flags;
  int status = load_with(connection, napi, file, now, lazy, prepared);
  return status == -EAGAIN ? load_with(connection, napi, file, flags, false, prepared) : status;
}

/* All four Nodes end the process for a version that they lack. */
static bool version_fits(struct nr_connection *connection, napi_env napi, const char *file, int32_t version) {
  uint32_t most = 0;
  const napi_node_version *node = NULL;
  napi_get_version(napi, &most);
  napi_get_node_version(napi, &node);
  if (version == NR_API_VERSION_EXPERIMENTAL || (version >= 0 && (uint32_t)version <= (most > 8 ? most : 8)))
    return true;
  char text[1024];
  snprintf(text, sizeof text, "%s declares Node-API version %d; this Node (v%u.%u.%u) supports versions up to %u", file,
           version, node->major, node->minor, node->patch, most);
  nr_throw_refused(napi, file, unsupported, text, connection);
  return false;
}

void nr_loading_forget(struct nr_agent *agent) {
  if (agent->prepared == NULL) return;
  nr_connection_unref(agent->prepared->connection);
  free(agent->prepared->file);
  free(agent->prepared);
  agent->prepared = NULL;
}

/* The connection's serial; 0 with an exception. */
static uint32_t prepare(struct nr_agent *agent, napi_env napi, const char *file, int flags,
                        const struct nr_launch *launch) {
  struct nr_prepared prepared = {.connection = NULL};
  if (refuse_internals(napi, file)) return 0;
  struct nr_connection *connection = nr_connection_get(agent, napi, launch);
  if (connection == NULL) return 0;
  if (connection->file == NULL) connection->file = strdup(file);
  nr_connection_ref(connection); /* the load may run JavaScript that ends the agent */
  prepared.connection = connection;
  prepared.file = strdup(file);
  if (prepared.file == NULL || load(connection, napi, file, flags, &prepared) < 0 ||
      !version_fits(connection, napi, file, prepared.api_version)) {
    free(prepared.file);
    nr_connection_unref(connection);
    return 0;
  }
  nr_loading_forget(agent);
  agent->prepared = malloc(sizeof *agent->prepared);
  if (agent->prepared != NULL) {
    *agent->prepared = prepared;
    return connection->serial;
  }
  free(prepared.file);
  nr_connection_unref(connection);
  return 0;
}

napi_value nr_loading_prepare(napi_env napi, napi_callback_info info) {
  size_t argc = 4;
  napi_value argv[4], result;
  int32_t flags = 0;
  uint32_t serial = 0;
  struct nr_launch launch = {.group = NULL};
  struct nr_agent *agent = agent_of(napi);
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  char *file = string_argument(napi, argv[0], "file");
  launch.file = file;
  if (file != NULL) launch.group = string_argument(napi, argv[2], "group");
  napi_get_value_int32(napi, argv[1], &flags);
  if (launch.group != NULL && nr_launch_take(napi, argv[3], &launch))
    serial = prepare(agent, napi, file, flags, &launch);
  free(file);
  nr_launch_free(&launch);
  return serial != 0 && napi_create_uint32(napi, serial, &result) == napi_ok ? result : NULL;
}

napi_value nr_loading_cancel(napi_env napi, napi_callback_info info) {
  struct nr_agent *agent = agent_of(napi);
  (void)info;
  if (agent != NULL) nr_loading_forget(agent);
  return NULL;
}

static void set_number(napi_env napi, napi_value object, const char *name, double number) {
  napi_value value;
  if (napi_create_double(napi, number, &value) == napi_ok) napi_set_named_property(napi, object, name, value);
}

static void set_string(napi_env napi, napi_value object, const char *name, const char *text) {
  napi_value value;
  if (napi_create_string_utf8(napi, text, NAPI_AUTO_LENGTH, &value) == napi_ok)
    napi_set_named_property(napi, object, name, value);
}

static napi_value describe_host(napi_env napi, struct nr_connection *connection) {
  napi_value host, files, alive, file;
  napi_create_object(napi, &host);
  napi_create_array(napi, &files);
  set_number(napi, host, "serial", connection->serial);
  set_number(napi, host, "pid", nr_host_pid(connection->host));
  set_string(napi, host, "group", nr_host_group(connection->host));
  for (uint32_t i = 0; i < connection->env_count; i++) {
    if (napi_create_string_utf8(napi, connection->envs[i]->file, NAPI_AUTO_LENGTH, &file) == napi_ok) {
      napi_set_element(napi, files, i, file);
    }
  }
  napi_set_named_property(napi, host, "files", files);
  napi_get_boolean(napi, nr_port_failure(connection->port) == 0, &alive);
  napi_set_named_property(napi, host, "alive", alive);
  return host;
}

napi_value nr_loading_hosts(napi_env napi, napi_callback_info info) {
  napi_value result;
  uint32_t count = 0;
  struct nr_agent *agent = agent_of(napi);
  (void)info;
  if (agent == NULL || napi_create_array(napi, &result) != napi_ok) return NULL;
  for (struct nr_connection *connection = agent->connections; connection != NULL; connection = connection->next) {
    napi_set_element(napi, result, count++, describe_host(napi, connection));
  }
  return result;
}

/* The first argument is the serial of a connection; NULL: there is none any more. */
static struct nr_connection *connection_argument(napi_env napi, napi_callback_info info, napi_value *second) {
  size_t argc = 2;
  napi_value argv[2];
  uint32_t serial = 0;
  struct nr_agent *agent = agent_of(napi);
  if (agent == NULL || napi_get_cb_info(napi, info, &argc, argv, NULL, NULL) != napi_ok) return NULL;
  napi_get_value_uint32(napi, argv[0], &serial);
  if (second != NULL) *second = argv[1];
  return nr_connection_by_serial(agent, serial);
}

napi_value nr_loading_counts(napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = connection_argument(napi, info, NULL);
  napi_value result;
  if (connection == NULL || napi_create_object(napi, &result) != napi_ok) return NULL;
  uint32_t handles = nr_handles_top(connection->given) + nr_handles_top(connection->chosen);
  set_number(napi, result, "calls", (double)connection->counts.calls);
  set_number(napi, result, "posts", (double)connection->counts.posts);
  set_number(napi, result, "entries", (double)connection->counts.entries);
  set_number(napi, result, "roundTrips", (double)(connection->counts.calls + connection->counts.entries));
  set_number(napi, result, "sleeps", (double)nr_port_counts(connection->port).sleeps);
  set_number(napi, result, "handles", handles);
  set_number(napi, result, "references", (double)nr_table_count(connection->references_table));
  return result;
}

napi_value nr_loading_recorded(napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = connection_argument(napi, info, NULL);
  return connection == NULL ? NULL : nr_report_facts(napi, connection);
}

napi_value nr_loading_end(napi_env napi, napi_callback_info info) {
  napi_value result, signal;
  napi_valuetype type = napi_undefined;
  bool lives = false;
  struct nr_connection *connection = connection_argument(napi, info, &signal);
  if (connection != NULL) {
    napi_typeof(napi, signal, &type);
    if (type == napi_object && connection->signal == NULL)
      napi_create_reference(connection->agent->napi, signal, 1, &connection->signal);
    lives = nr_port_failure(connection->port) == 0;
    if (lives) nr_doorbell_hold(connection, true);
    if (lives && type == napi_object) nr_host_hear(connection->host, connection->port);
    nr_host_condemn(connection->host, type == napi_object ? NR_VERDICT_ABORTED : NR_VERDICT_KILLED, "");
  }
  return napi_get_boolean(napi, lives, &result) == napi_ok ? result : NULL;
}

napi_value nr_loading_times(napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = connection_argument(napi, info, NULL);
  return connection == NULL || connection->times == NULL ? NULL : nr_times_take(connection->times, napi);
}

/* Node-API knows no descriptors: numbers, which are JavaScript's from here on. */
napi_value nr_loading_streams(napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = connection_argument(napi, info, NULL);
  napi_value result, fd;
  if (connection == NULL || napi_create_array(napi, &result) != napi_ok) return NULL;
  for (uint32_t i = 0; i < 3; i++) {
    if (napi_create_int32(napi, connection->streams[i], &fd) != napi_ok ||
        napi_set_element(napi, result, i, fd) != napi_ok)
      return NULL;
    connection->streams[i] = -1;
  }
  return result;
}

/* Ends the host if no entry is open, nothing keeps its loop going, and no other thread uses it. */
napi_value nr_loading_recycle(napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = connection_argument(napi, info, NULL);
  napi_value result;
  bool idle = connection != NULL && connection->entries == 0 && nr_port_failure(connection->port) == 0 &&
              !nr_doorbell_is_alive(connection) && nr_host_recycle(connection->host, connection->port);
  return napi_get_boolean(napi, idle, &result) == napi_ok ? result : NULL;
}

/* What the kernel may take to end a process. */
#define NR_END_MILLISECONDS 2000u

napi_value nr_loading_await_end(napi_env napi, napi_callback_info info) {
  struct nr_connection *connection = connection_argument(napi, info, NULL);
  napi_value result;
  bool dead = connection == NULL || nr_host_await_death(connection->host, NR_END_MILLISECONDS);
  return napi_get_boolean(napi, dead, &result) == napi_ok ? result : NULL;
}

napi_value nr_loading_hold(napi_env napi, napi_callback_info info) {
  napi_value second;
  bool holds = false;
  struct nr_connection *connection = connection_argument(napi, info, &second);
  if (connection != NULL && napi_get_value_bool(napi, second, &holds) == napi_ok) nr_doorbell_hold(connection, holds);
  return NULL;
}
