/*
 * Pointers of the addon that JavaScript objects hold: wraps, externals, finalizers, instance data. The real functions
 * get an id of ours, never a pointer, so that what comes back from an object can be checked: it may be a wrap of
 * another host, or of an addon that is not isolated.
 */
#include "handlers.h"
#include "server/calls/objects.h"

#include "server/node_info.h"
#include "server/calls/references.h"

nr_id nr_object_of(struct nr_connection *connection, void *pointer) {
  struct nr_wrap *wrap = connection->agent == NULL
                             ? NULL
                             : nr_table_get(connection->agent->objects, (nr_id)(uintptr_t)pointer, NR_SORT_WRAP);
  if (wrap == NULL || wrap->connection == connection) return wrap == NULL ? 0 : wrap->object_id;
  if (nr_port_failure(wrap->connection->port) < 0) connection->met = wrap->connection;
  return 0;
}

/* Node 24 and 26 end by a check of V8's when an external is wrapped; 20 and 22 allow it. */
static bool is_fatal_to_wrap(struct nr_dispatch *d, napi_value object) {
  napi_valuetype type = napi_undefined;
  return nr_node_major() > 22 && object != NULL && napi_typeof(d->napi, object, &type) == napi_ok &&
         type == napi_external;
}

napi_status nr_serve_napi_wrap(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__WrapRequest *request = message;
  napi_value object;
  napi_ref reference = NULL;
  (void)answer;
  NR_TAKE(d, request->js_object, &object);
  if (is_fatal_to_wrap(d, object)) return napi_invalid_arg;
  struct nr_wrap *wrap = nr_wrap_create(d, request->object_id, request->finalize, true);
  if (wrap == NULL) return napi_generic_failure;
  napi_status status = napi_wrap(d->napi, object, (void *)(uintptr_t)wrap->self, nr_wrap_finalize, wrap,
                                 request->ref_id == 0 ? NULL : &reference);
  if (status == napi_ok && reference != NULL) {
    wrap->reference = nr_reference_adopt(d, request->ref_id, reference, wrap);
    if (wrap->reference == NULL) { /* no more references: then no wrap either */
      napi_remove_wrap(d->napi, object, NULL);
      napi_delete_reference(d->napi, reference);
      status = napi_generic_failure;
    }
  }
  if (status != napi_ok) nr_wrap_free(wrap);
  return status;
}

/* What the host is told of a pointer that an object holds: nothing of one that is another's. */
static napi_status give_object(struct nr_dispatch *d, void *pointer, nr_id *object_id) {
  *object_id = nr_object_of(d->connection, pointer);
  return *object_id == 0 ? napi_invalid_arg : napi_ok;
}

napi_status nr_serve_napi_unwrap(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__UnwrapRequest *request = message;
  Nr__ObjectReply *reply = answer;
  napi_value object;
  void *pointer = NULL;
  NR_TAKE(d, request->js_object, &object);
  NR_TRY(napi_unwrap(d->napi, object, &pointer));
  if (d->connection->callback != NULL) { /* next time it goes along */
    d->connection->callback->member = true;
    d->connection->callback->unlooked = 0;
  }
  return give_object(d, pointer, &reply->object_id);
}

napi_status nr_serve_napi_remove_wrap(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__UnwrapRequest *request = message;
  Nr__ObjectReply *reply = answer;
  napi_value object;
  void *pointer = NULL;
  NR_TAKE(d, request->js_object, &object);
  NR_TRY(napi_unwrap(d->napi, object, &pointer));
  NR_TRY(give_object(d, pointer, &reply->object_id)); /* another host's is not this addon's to take away */
  struct nr_wrap *wrap = nr_table_get(d->connection->agent->objects, (nr_id)(uintptr_t)pointer, NR_SORT_WRAP);
  NR_TRY(napi_remove_wrap(d->napi, object, NULL));
  nr_wrap_free(wrap);
  return napi_ok;
}

napi_status nr_serve_napi_create_external(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateExternalRequest *request = message;
  Nr__ValueReply *reply = answer;
  napi_value result = NULL;
  struct nr_wrap *wrap = nr_wrap_create(d, request->object_id, request->finalize, true);
  if (wrap == NULL) return napi_generic_failure;
  napi_status status = napi_create_external(d->napi, (void *)(uintptr_t)wrap->self, nr_wrap_finalize, wrap, &result);
  if (status != napi_ok) {
    nr_wrap_free(wrap);
    return status;
  }
  return nr_give(d, request->result, result, &reply->result);
}

napi_status nr_serve_napi_get_value_external(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__ValueRequest *request = message;
  Nr__ObjectReply *reply = answer;
  napi_value value;
  void *pointer = NULL;
  NR_TAKE(d, request->value, &value);
  NR_TRY(napi_get_value_external(d->napi, value, &pointer));
  /* Of what it was given; what it finds otherwise may be anything. */
  if (d->connection->callback != NULL && !nr_value_is_by_host(request->value)) d->connection->callback->looks = true;
  return give_object(d, pointer, &reply->object_id);
}

napi_status nr_serve_napi_add_finalizer(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__AddFinalizerRequest *request = message;
  napi_value object;
  napi_ref reference = NULL;
  (void)answer;
  NR_TAKE(d, request->js_object, &object);
  struct nr_wrap *wrap = nr_wrap_create(d, request->object_id, true, false);
  if (wrap == NULL) return napi_generic_failure;
  napi_status status =
      napi_add_finalizer(d->napi, object, NULL, nr_wrap_finalize, wrap, request->ref_id == 0 ? NULL : &reference);
  if (status != napi_ok) {
    nr_wrap_free(wrap);
    return status;
  }
  if (reference == NULL) return napi_ok;
  wrap->reference = nr_reference_adopt(d, request->ref_id, reference, wrap);
  if (wrap->reference != NULL) return napi_ok;
  napi_delete_reference(d->napi, reference);
  nr_wrap_free(wrap);
  return napi_generic_failure;
}

/*
 * Instance data: its place among the finalizers of the teardown is the moment at which it was set, so it is a finalizer
 * on an object that is held for as long as the env lives. (The real instance data of the env is the agent's own.)
 */
napi_status nr_serve_napi_set_instance_data(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__SetInstanceDataRequest *request = message;
  struct nr_env *env = d->env;
  napi_value holder;
  (void)answer;
  if (env->instance_data != NULL) { /* as in Node, old data is dropped without a word */
    napi_delete_reference(d->napi, env->instance_reference);
    nr_wrap_release(env->instance_data);
    env->instance_data = NULL;
  }
  if (request->finalizer_id == 0) return napi_ok;
  NR_TRY(napi_create_object(d->napi, &holder));
  struct nr_wrap *wrap = nr_wrap_create(d, request->finalizer_id, true, false);
  if (wrap == NULL) return napi_generic_failure;
  napi_status status = napi_add_finalizer(d->napi, holder, NULL, nr_wrap_finalize, wrap, &env->instance_reference);
  if (status != napi_ok) {
    nr_wrap_free(wrap);
    return status;
  }
  napi_reference_ref(d->napi, env->instance_reference, NULL);
  env->instance_data = wrap;
  return napi_ok;
}
