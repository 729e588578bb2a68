/*
 * The places of addons in a thread: envs of Node, one behind the other.
 */
#include "server/place.h"

#include <stdlib.h>
#include <string.h>

#include "server/calls/objects.h"
#include "server/memory/external_shared.h"
#include "server/prepared.h"

struct nr_kept {
  struct nr_kept *next;
  void *memory;
};

void nr_env_keep(struct nr_env *env, void *memory) {
  struct nr_kept *kept = env->place == NULL ? NULL : malloc(sizeof *kept);
  if (kept == NULL) return; /* it leaks: better than a dangling pointer in V8 */
  kept->memory = memory;
  kept->next = env->place->kept;
  env->place->kept = kept;
}

/* ---- who has it -----------------------------------------------------------------------------------------------------
 */

static void link_env(struct nr_place *place, struct nr_env *env) {
  env->place = place;
  env->next = place->envs;
  place->envs = env;
}

void nr_place_leave(struct nr_env *env) {
  if (env->place == NULL) return;
  struct nr_env **link = &env->place->envs;
  while (*link != env) link = &(*link)->next;
  *link = env->next;
  env->place = NULL;
}

/* What the env before has in Node's that would be this one's. Its functions, and objects that it holds, stay its own.
 */
static void clear(struct nr_place *place) {
  struct nr_env *env = place->env;
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(place->napi, &pending) == napi_ok && pending)
    napi_get_and_clear_last_exception(place->napi, &exception);
  if (env->instance_data == NULL) return;
  napi_delete_reference(place->napi, env->instance_reference);
  nr_wrap_release(env->instance_data);
  env->instance_data = NULL;
}

void nr_place_take(struct nr_place *place, struct nr_env *env) {
  struct nr_env *before = place->env;
  if (before != NULL) clear(place);
  link_env(place, env);
  place->env = env;
  nr_connection_ref(env->connection);
  if (before != NULL) nr_connection_unref(before->connection);
}

/* ---- its life, which is that of Node's env --------------------------------------------------------------------------
 */

/* Node tears an env down right after the first of its hooks (they run in reverse), which is this one. */
static void ending(void *data) {
  struct nr_place *place = data;
  for (struct nr_env *env = place->envs; env != NULL; env = env->next) env->ending = true;
  if (place->agent != NULL) nr_ending_begin(place->agent);
}

static void tear_down(struct nr_env *env) {
  struct nr_connection *connection = env->connection;
  nr_connection_ref(connection);
  nr_external_strings_orphan(env);
  nr_shared_orphan(env);
  env->napi = NULL;
  while (env->callbacks != NULL) nr_callback_free(env->callbacks);
  nr_connection_unref(connection);
}

static void destroy(struct nr_place *place) {
  nr_definitions_free(place);
  while (place->kept != NULL) {
    struct nr_kept *kept = place->kept;
    place->kept = kept->next;
    free(kept->memory);
    free(kept);
  }
  free(place);
}

static void unlist(struct nr_place *place) {
  if (place->agent == NULL) return;
  struct nr_place **link = &place->agent->places;
  while (*link != place) link = &(*link)->next;
  *link = place->next;
  place->agent->envs--;
}

/* Instance data of the real env, set before anything else, so that its finalizer runs last: nothing of the env is used
 * after it. */
static void torn_down(napi_env napi, void *data, void *hint) {
  struct nr_place *place = data;
  (void)napi;
  (void)hint;
  struct nr_connection *connection = place->env == NULL ? NULL : place->env->connection;
  while (place->envs != NULL) {
    struct nr_env *env = place->envs;
    nr_place_leave(env);
    tear_down(env);
  }
  if (connection != NULL) nr_connection_unref(connection);
  unlist(place);
  destroy(place);
}

struct nr_place *nr_place_create(struct nr_agent *agent, napi_env napi) {
  struct nr_place *place = calloc(1, sizeof *place);
  if (place == NULL) return NULL;
  place->napi = napi;
  if (napi_add_env_cleanup_hook(napi, ending, place) != napi_ok) {
    free(place);
    return NULL;
  }
  if (napi_set_instance_data(napi, place, torn_down, NULL) != napi_ok) {
    napi_remove_env_cleanup_hook(napi, ending, place);
    free(place);
    return NULL;
  }
  place->agent = agent;
  place->id = ++agent->place_ids;
  place->next = agent->places;
  agent->places = place;
  agent->envs++;
  return place;
}

void nr_places_detach(struct nr_agent *agent) {
  for (struct nr_place *place = agent->places; place != NULL; place = place->next) place->agent = NULL;
}

/* ---- the next one ---------------------------------------------------------------------------------------------------
 */

struct nr_place *nr_place_find(struct nr_agent *agent, uint32_t id, const char *file, int32_t api_version) {
  struct nr_place *place = agent->places;
  while (place != NULL && place->id != id) place = place->next;
  const struct nr_env *env = place == NULL ? NULL : place->env;
  if (env == NULL || env->ending || strcmp(env->file, file) != 0 || env->api_version != api_version) return NULL;
  const struct nr_connection *connection = env->connection;
  return nr_port_failure(connection->port) < 0 && connection->entries == 0 ? place : NULL;
}

/* An exception of the place's env becomes one of the env that JavaScript has called. */
static bool pass_on(struct nr_place *place, napi_env napi) {
  bool pending = false;
  napi_value exception;
  if (napi_is_exception_pending(place->napi, &pending) != napi_ok || !pending) return false;
  if (napi_get_and_clear_last_exception(place->napi, &exception) == napi_ok) napi_throw(napi, exception);
  return true;
}

/* As process.dlopen() does it. */
static void init(struct nr_agent *agent, struct nr_place *place, napi_env napi, napi_value module) {
  napi_value exports, result;
  if (napi_get_named_property(napi, module, "exports", &exports) != napi_ok) return;
  result = nr_env_init(agent, place, place->napi, exports);
  if (pass_on(place, napi)) {
    /* Functions of the host before may be this one's by now, and it is not what they are for. */
    struct nr_connection *connection = place->env->connection;
    if (connection->env_count == 1) nr_host_condemn(connection->host, NR_VERDICT_KILLED, "");
    return;
  }
  if (result == NULL) return;
  napi_set_named_property(napi, module, "exports", result);
}

napi_value nr_place_reuse(napi_env napi, napi_callback_info info) {
  size_t argc = 2;
  napi_value argv[2], result;
  uint32_t id = 0;
  struct nr_agent *agent = nr_agent_current();
  if (agent == NULL || agent->prepared == NULL || napi_get_cb_info(napi, info, &argc, argv, NULL, NULL) != napi_ok)
    return NULL;
  napi_get_value_uint32(napi, argv[0], &id);
  struct nr_place *place = nr_place_find(agent, id, agent->prepared->file, agent->prepared->api_version);
  if (place != NULL) init(agent, place, napi, argv[1]);
  return napi_get_boolean(napi, place != NULL, &result) == napi_ok ? result : NULL;
}

napi_value nr_place_last(napi_env napi, napi_callback_info info) {
  napi_value result;
  const struct nr_agent *agent = nr_agent_current();
  (void)info;
  return agent != NULL && napi_create_uint32(napi, agent->place_last, &result) == napi_ok ? result : NULL;
}
