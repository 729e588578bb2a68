/*
 * The real env of an isolated addon: made by Node when it loads the agent once more, used until Node tears it down.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/calls/facts.h"
#include "server/enter.h"
#include "server/failure.h"
#include "server/node_info.h"
#include "server/place.h"
#include "server/prepared.h"
#include "wire/pages.h"

void nr_env_destroy(struct nr_env *env) {
  nr_place_leave(env);
  free(env->file);
  free(env);
}

static struct nr_env *create(struct nr_place *place, const struct nr_prepared *prepared) {
  struct nr_connection *connection = prepared->connection;
  struct nr_env **envs = realloc(connection->envs, (connection->env_count + 1) * sizeof *envs);
  if (envs == NULL) return NULL;
  connection->envs = envs;
  struct nr_env *env = nr_pages_calloc(sizeof *env);
  if (env == NULL) return NULL;
  env->connection = connection;
  env->napi = place->napi;
  env->api_version = prepared->api_version;
  env->file = strdup(prepared->file);
  if (env->file == NULL) {
    free(env);
    return NULL;
  }
  envs[connection->env_count++] = env;
  env->number = connection->env_count;
  nr_place_take(place, env);
  return env;
}

static napi_value run_init(struct nr_env *env, const struct nr_prepared *prepared, napi_value exports) {
  struct nr_enter enter;
  struct nr_connection *connection = env->connection;
  struct nr_callback *outer = connection->callback;
  Nr__InitRequest request = NR__INIT_REQUEST__INIT;
  const char *filename = "";
  napi_valuetype type;
  napi_value result = NULL;
  nr_enter_begin(&enter, connection, env, NR_OP_INIT);
  connection->callback = NULL;
  if (node_api_get_module_file_name(env->napi, &filename) != napi_ok) filename = "";
  struct nr_slice tail = {.data = filename, .length = strlen(filename)};
  request.module_id = prepared->module_id;
  request.env = env->number;
  request.api_version = prepared->api_version;
  request.exports = nr_give_argument(connection, env->napi, exports, &type);
  request.filename = nr_span_make(0, (uint32_t)tail.length);
  enter.request = &request.base;
  enter.tail = &tail;
  enter.tail_count = 1;
  if (nr_prototypes_plain(connection->agent, env->napi)) enter.flags |= NR_FLAG_PLAIN;
  env->initialises = true;
  int failure = nr_enter_run(&enter);
  env->initialises = false;
  if (failure < 0) {
    nr_throw_failure(connection, env->napi, "the load");
  } else {
    result = nr_enter_result(&enter, "the load");
  }
  connection->callback = outer;
  nr_enter_end(&enter);
  return result;
}

napi_value nr_env_init(struct nr_agent *agent, struct nr_place *place, napi_env napi, napi_value exports) {
  struct nr_prepared *prepared = agent->prepared;
  napi_value result = NULL;
  agent->prepared = NULL; /* the Init may load another addon */
  if (place == NULL) place = nr_place_create(agent, napi);
  struct nr_env *env = place == NULL ? NULL : create(place, prepared);
  if (env == NULL) {
    nr_throw_refused(napi, prepared->file, "ERR_NAPI_REMOTE_LAUNCH", "Out of memory for another addon",
                     prepared->connection);
  } else {
    uint32_t id = place->id;
    result = run_init(env, prepared, exports);
    agent->place_last = id; /* others may have been loaded meanwhile */
  }
  nr_connection_unref(prepared->connection);
  free(prepared->file);
  free(prepared);
  return result;
}

/* V8 ends the process for a change outside of -2^60 .. 2^60 - 1, and, from Node 24 on, for memory that is given back
 * but was never announced: what an addon gives back too much does not count then. */
napi_status nr_serve_napi_adjust_external_memory(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__AdjustExternalMemoryRequest *request = message;
  Nr__AdjustExternalMemoryReply *reply = answer;
  int64_t *announced = &d->connection->external_memory;
  int64_t bytes = request->change_in_bytes, after;
  if (bytes < -(INT64_C(1) << 60) || bytes >= (INT64_C(1) << 60)) return napi_invalid_arg;
  if (nr_node_major() > 22 && bytes < -*announced) bytes = -*announced;
  if (__builtin_add_overflow(*announced, bytes, &after)) return napi_invalid_arg;
  NR_TRY(napi_adjust_external_memory(d->napi, bytes, &reply->adjusted_value));
  *announced = after;
  return napi_ok;
}
