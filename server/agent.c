/*
 * The agent's face towards Node: its Init, and the functions that server/index.js calls.
 *
 * Node calls the same Init for every process.dlopen() of the agent, each time with a fresh env. The first one in a
 * thread is the agent's own; later ones are for the addon that prepare() was called for just before.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/dispatch.h"
#include "server/elf.h"
#include "server/loading.h"
#include "server/memory/exchange.h"
#include "server/node_info.h"
#include "server/place.h"
#include "server/prepared.h"
#include "server/restart.h"
#include "server/server-private.h"
#include "server/trace.h"
#include "wire/pages.h"
#include "wire/watched.h"

static _Thread_local struct nr_agent *current;

struct nr_agent *nr_agent_current(void) {
  return current;
}

#define NR_LACKS_MAX 32u

static struct {
  uint32_t napi_version;
  uint32_t major, minor, patch;
  char release[16];
  char *lacks[NR_LACKS_MAX]; /* functions that it does not export */
  size_t lacks_count;
} node;

void nr_node_info_fill(Nr__Hello *hello) {
  hello->protocol = NR_PROTOCOL_VERSION;
  hello->pointer_size = sizeof(void *);
  hello->napi_version = node.napi_version;
  hello->node_major = node.major;
  hello->node_minor = node.minor;
  hello->node_patch = node.patch;
  hello->node_release = node.release;
  hello->trace = nr_trace_wanted("host");
  hello->n_lacks = node.lacks_count;
  hello->lacks = node.lacks;
}

unsigned nr_node_major(void) {
  return node.major;
}

static void learn_node(napi_env napi) {
  const napi_node_version *version = NULL;
  if (napi_get_version(napi, &node.napi_version) != napi_ok || napi_get_node_version(napi, &version) != napi_ok) return;
  node.major = version->major;
  node.minor = version->minor;
  node.patch = version->patch;
  snprintf(node.release, sizeof node.release, "%s", version->release);
  for (size_t i = 0; i < nr_newer_count && node.lacks_count < NR_LACKS_MAX; i++) {
    if (nr_newer_functions[i].function == NULL) node.lacks[node.lacks_count++] = (char *)nr_newer_functions[i].name;
  }
  nr_server_traces = nr_trace_wanted("server");
}

/*
 * Setting a property of a fresh plain object runs JavaScript or fails only when Object.prototype or Array.prototype
 * have been given accessors, read-only properties or another prototype; resolving a promise with one, or with a fresh
 * Buffer, runs some only when a prototype has a `then`. This function tells whether they are as they were made (the
 * host never posts for names that Object.prototype has by itself).
 */
static const char plain_check[] =
    "((buffer) => {\n"
    "  const { getOwnPropertyNames, getPrototypeOf, hasOwn } = Object;\n"
    "  const object = Object.prototype, array = Array.prototype;\n"
    "  const buffers = getPrototypeOf(buffer), bytes = getPrototypeOf(buffers), typed = getPrototypeOf(bytes);\n"
    "  const known = ['constructor', '__defineGetter__', '__defineSetter__', 'hasOwnProperty', '__lookupGetter__',\n"
    "    '__lookupSetter__', 'isPrototypeOf', 'propertyIsEnumerable', 'toString', 'valueOf', '__proto__', "
    "'toLocaleString'];\n"
    "  const names = getOwnPropertyNames(object), count = names.length;\n"
    "  const plain = names.every((name) => known.includes(name));\n"
    "  return () => {\n"
    "    if (!plain || array.length !== 0 || getPrototypeOf(array) !== object || hasOwn(array, 'then')) return false;\n"
    "    if (getPrototypeOf(buffers) !== bytes || getPrototypeOf(bytes) !== typed || getPrototypeOf(typed) !== object "
    "||\n"
    "      hasOwn(buffers, 'then') || hasOwn(bytes, 'then') || hasOwn(typed, 'then')) return false;\n"
    "    const now = getOwnPropertyNames(object);\n"
    "    if (now.length !== count) return false;\n"
    "    for (let i = 0; i < count; i++) if (now[i] !== names[i]) return false;\n"
    "    return true;\n"
    "  };\n"
    "})";

static void make_plain_check(struct nr_agent *agent) {
  napi_value script, make, undefined, buffer, function;
  if (napi_create_string_utf8(agent->napi, plain_check, NAPI_AUTO_LENGTH, &script) != napi_ok ||
      napi_run_script(agent->napi, script, &make) != napi_ok ||
      napi_get_undefined(agent->napi, &undefined) != napi_ok ||
      napi_create_buffer(agent->napi, 0, NULL, &buffer) != napi_ok ||
      napi_call_function(agent->napi, undefined, make, 1, &buffer, &function) != napi_ok) {
    napi_get_and_clear_last_exception(agent->napi, &undefined); /* prototypes that are not there: nothing is plain */
    return;
  }
  napi_create_reference(agent->napi, function, 1, &agent->plain_check);
}

void nr_agent_gone(struct nr_agent *agent) {
  nr_loading_forget(agent);
  current = NULL;
  while (agent->connections != NULL) {
    struct nr_connection *connection = agent->connections;
    agent->connections = connection->next;
    nr_pairs_drop(connection, true);
    connection->agent = NULL;
    nr_connection_unref(connection);
  }
  nr_places_detach(agent);
  nr_table_destroy(agent->objects);
  if (agent->watched != NULL) nr_watched_destroy(agent->watched);
  if (agent->tracker != NULL) nr_tracker_destroy(agent->tracker);
  free(agent->host_path);
  free(agent);
}

/*
 * process.exit() on the main thread runs no hook and no finalizer, only C destructors: the hosts do the same. Also
 * reached from below native frames, when JavaScript that an addon called exits.
 */
__attribute__((destructor)) static void on_process_exit(void) {
  if (current != NULL) nr_connections_exit(current, 0);
}

#define NR_STACK_RESERVE ((uintptr_t)256 << 10)
/* V8's limit is 984 KiB below the beginning of the stack, unless it was told another one. */
#define NR_STACK_CAREFREE ((uintptr_t)900 << 10)

/* An addon's function that calls itself through Node-API takes no JavaScript stack, so nobody else would stop it. */
static void find_stack(struct nr_agent *agent) {
  pthread_attr_t attributes;
  void *low = NULL;
  size_t size = 0;
  if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
  if (pthread_attr_getstack(&attributes, &low, &size) != 0) low = NULL;
  pthread_attr_destroy(&attributes);
  if (low == NULL) return;
  agent->stack_floor = (uintptr_t)low + NR_STACK_RESERVE;
  agent->stack_careful = (uintptr_t)low + size - NR_STACK_CAREFREE;
}

static struct nr_agent *create(napi_env napi) {
  struct nr_agent *agent = nr_pages_calloc(sizeof *agent);
  if (agent == NULL) return NULL;
  agent->napi = napi;
  agent->worker = gettid() != getpid();
  find_stack(agent);
  agent->objects = nr_table_create(NR_IDS_MAX);
  if (agent->objects == NULL || !nr_ending_prepare(agent)) {
    if (agent->objects != NULL) nr_table_destroy(agent->objects);
    free(agent);
    return NULL;
  }
  make_plain_check(agent);
  return agent;
}

static napi_value control(napi_env napi, napi_value exports) {
  static const struct {
    const char *name;
    napi_callback function;
  } functions[] = {
      {"collected", nr_pairs_collected}, {"configure", nr_loading_configure}, {"prepare", nr_loading_prepare},
      {"cancel", nr_loading_cancel},     {"hosts", nr_loading_hosts},         {"counts", nr_loading_counts},
      {"end", nr_loading_end},           {"times", nr_loading_times},         {"streams", nr_loading_streams},
      {"recycle", nr_loading_recycle},   {"awaitEnd", nr_loading_await_end},  {"hold", nr_loading_hold},
      {"succeed", nr_restart_succeed},   {"inherit", nr_restart_inherit},     {"recorded", nr_loading_recorded},
      {"gone", nr_restart_gone},         {"reuse", nr_place_reuse},           {"place", nr_place_last},
  };
  for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
    napi_value function;
    if (napi_create_function(napi, functions[i].name, NAPI_AUTO_LENGTH, functions[i].function, NULL, &function) !=
            napi_ok ||
        napi_set_named_property(napi, exports, functions[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}

NAPI_MODULE_EXPORT int32_t node_api_module_get_api_version_v1(void);
NAPI_MODULE_EXPORT napi_value napi_register_module_v1(napi_env napi, napi_value exports);

/* Asked for before every Init. */
int32_t node_api_module_get_api_version_v1(void) {
  return current != NULL && current->prepared != NULL ? current->prepared->api_version : 8;
}

napi_value napi_register_module_v1(napi_env napi, napi_value exports) {
  static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
  if (current != NULL && current->prepared != NULL) return nr_env_init(current, NULL, napi, exports);
  if (current == NULL) {
    pthread_mutex_lock(&once);
    if (node.napi_version == 0) learn_node(napi);
    pthread_mutex_unlock(&once);
    current = create(napi);
    if (current == NULL) {
      napi_throw_error(napi, "ERR_NAPI_REMOTE_LAUNCH", "Out of memory for the agent");
      return NULL;
    }
  }
  return control(napi, exports);
}
