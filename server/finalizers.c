/*
 * Finalizers, as the addon's version says: those of experimental addons run inside the collection (posted, since
 * nothing may be entered there), the others are entries of their own that Node makes time for.
 */
#include "handlers.h"
#include "server/calls/objects.h"

#include <stdlib.h>

#include "server/calls/references.h"
#include "server/enter.h"

struct nr_wrap *nr_wrap_create(struct nr_dispatch *d, nr_id object_id, bool finalize, bool look_up) {
  struct nr_wrap *wrap = calloc(1, sizeof *wrap);
  if (wrap == NULL) return NULL;
  *wrap = (struct nr_wrap){.connection = d->connection, .env = d->env, .object_id = object_id, .finalize = finalize};
  if (look_up) {
    wrap->self = nr_table_add(d->connection->agent->objects, NR_SORT_WRAP, wrap);
    if (wrap->self == 0) {
      free(wrap);
      return NULL;
    }
  }
  nr_connection_ref(wrap->connection);
  return wrap;
}

void nr_wrap_free(struct nr_wrap *wrap) {
  struct nr_agent *agent = wrap->connection->agent;
  if (wrap->self != 0 && agent != NULL) nr_table_remove(agent->objects, wrap->self, NR_SORT_WRAP);
  if (wrap->reference != NULL) nr_reference_unwrapped(wrap->reference);
  if (wrap->link != NULL) {
    *wrap->link = wrap->next;
    if (wrap->next != NULL) wrap->next->link = wrap->link;
  }
  nr_connection_unref(wrap->connection);
  free(wrap);
}

void nr_wrap_release(struct nr_wrap *wrap) {
  if (wrap->object_id != 0) nr_release(wrap->connection, NR_RELEASED_OBJECT, wrap->object_id);
  nr_wrap_free(wrap);
}

void nr_wrap_silence(struct nr_wrap *wrap) {
  wrap->finalize = false;
}

static void enter_finalizer(struct nr_wrap *wrap) {
  Nr__FinalizeRequest request = NR__FINALIZE_REQUEST__INIT;
  request.finalizer_id = wrap->object_id;
  nr_enter_once(wrap->connection, wrap->env, NR_OP_FINALIZE, &request.base);
}

/* What the basic finalizers of a collection called could not be sent while it lasted: the host sends it when it is
 * entered. */
static void drain(napi_env napi, void *data, void *hint) {
  struct nr_env *env = data;
  Nr__Empty request = NR__EMPTY__INIT;
  (void)napi;
  (void)hint;
  env->drains = false;
  if (!env->connection->exited) nr_enter_once(env->connection, env, NR_OP_DRAIN, &request.base);
}

void nr_finalizers_drain(struct nr_env *env) {
  drain(env->napi, env, NULL);
}

void nr_finalize_basic(struct nr_wrap *wrap, bool orphan) {
  struct nr_env *env = wrap->env;
  nr_release_basic(wrap->connection, wrap->object_id, orphan);
  /* Node runs this as it runs a finalizer that was posted, not sooner and not later. */
  if (!orphan && !env->drains && node_api_post_finalizer != NULL)
    env->drains = node_api_post_finalizer(env->napi, drain, env, NULL) == napi_ok;
}

/* At the env's end Node calls all finalizers from its own loop, not from a collection: unless JavaScript runs below. */
static bool is_in_gc(const struct nr_env *env) {
  return env->api_version == NR_API_VERSION_EXPERIMENTAL && (!env->ending || env->connection->agent->serving > 0);
}

void nr_wrap_enter(struct nr_wrap *wrap) {
  if (!wrap->finalize || wrap->env->napi == NULL || nr_port_failure(wrap->connection->port) < 0) {
    nr_wrap_release(wrap);
    return;
  }
  enter_finalizer(wrap);
  nr_wrap_free(wrap);
}

void nr_wrap_finalize(napi_env napi, void *data, void *hint) {
  struct nr_wrap *wrap = hint;
  (void)data;
  if (wrap->env->instance_data == wrap) { /* its finalizer may set other data: this one is no longer the env's */
    wrap->env->instance_data = NULL;
    napi_delete_reference(napi, wrap->env->instance_reference);
    wrap->env->instance_reference = NULL;
  }
  if (!is_in_gc(wrap->env)) {
    nr_wrap_enter(wrap);
  } else if (!wrap->finalize || nr_port_failure(wrap->connection->port) < 0) {
    nr_wrap_release(wrap);
  } else {
    nr_finalize_basic(wrap, false);
    nr_wrap_free(wrap);
  }
}

/* Called by Node when it makes time for it, whatever the addon's version. */
static void run_posted(napi_env napi, void *data, void *hint) {
  struct nr_wrap *wrap = hint;
  (void)napi;
  (void)data;
  nr_wrap_enter(wrap);
}

napi_status nr_serve_node_api_post_finalizer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__PostFinalizerRequest *request = message;
  (void)answer;
  if (node_api_post_finalizer == NULL) return nr_lacks(d, "node_api_post_finalizer");
  struct nr_wrap *wrap = nr_wrap_create(d, request->object_id, true, false);
  if (wrap == NULL) return napi_generic_failure;
  napi_status status = node_api_post_finalizer(d->napi, run_posted, NULL, wrap);
  if (status != napi_ok) nr_wrap_free(wrap);
  return status;
}
