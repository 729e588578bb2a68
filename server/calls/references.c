/*
 * References. Their counts are kept by the client as well (it answers napi_reference_ref/unref itself while an object
 * is held); here the real ones live.
 */
#include "handlers.h"
#include "server/calls/references.h"

#include <errno.h>
#include <stdlib.h>

#include "server/calls/objects.h"
#include "server/memory/exchange.h"
#include "server/pending.h"

struct nr_reference {
  napi_ref real;
  struct nr_env *env;   /* its napi is NULL after its teardown */
  uint32_t count;       /* of the real one, so that it never goes below zero */
  struct nr_wrap *wrap; /* that the reference belongs to; NULL: none, or gone */
  bool keeps;           /* the bytes of a pair */
  bool holds;           /* them now: `count` is not 0 */
  bool deleted;         /* the addon has deleted it, the wrap has not ended yet */
};

/* Not one of an env that has ended, another addon's: what it refers to went with that env. */
static struct nr_reference *get(struct nr_dispatch *d, nr_id id) {
  struct nr_reference *reference = nr_table_get(d->connection->references_table, id, NR_SORT_REFERENCE);
  return reference == NULL || reference->env->napi == NULL ? NULL : reference;
}

static void drop(nr_id id, unsigned kind, void *item, void *context) {
  (void)id;
  (void)kind;
  (void)context;
  free(item);
}

void nr_references_end(struct nr_connection *connection) {
  nr_table_each(connection->references_table, drop, NULL);
  nr_table_destroy(connection->references_table);
}

struct nr_reference *nr_reference_adopt(struct nr_dispatch *d, nr_id id, napi_ref real, struct nr_wrap *wrap) {
  struct nr_reference *reference = calloc(1, sizeof *reference);
  if (reference == NULL) return NULL;
  *reference = (struct nr_reference){.real = real, .env = d->env, .wrap = wrap};
  int error = nr_table_adopt(d->connection->references_table, id, NR_SORT_REFERENCE, reference);
  if (error == 0) return reference;
  free(reference);
  if (error == -EEXIST || error == -EINVAL) nr_fault(d, "a reference under an id that is taken");
  return NULL;
}

/* Not after the teardown of its env, another addon's perhaps: the real one points into it. The little that it is then
 * stays. */
static napi_status delete_real(struct nr_reference *reference) {
  napi_env napi = reference->env->napi;
  return napi == NULL ? napi_ok : napi_delete_reference(napi, reference->real);
}

void nr_reference_unwrapped(struct nr_reference *reference) {
  reference->wrap = NULL;
  if (!reference->deleted) return;
  delete_real(reference);
  free(reference);
}

napi_status nr_serve_napi_create_reference(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateReferenceRequest *request = message;
  napi_value value;
  napi_ref real = NULL;
  (void)answer;
  NR_TAKE(d, request->value, &value);
  NR_TRY(napi_create_reference(d->napi, value, request->initial_refcount, &real));
  struct nr_reference *reference = nr_reference_adopt(d, request->ref_id, real, NULL);
  if (reference == NULL) {
    napi_delete_reference(d->napi, real);
    return napi_generic_failure;
  }
  reference->count = request->initial_refcount;
  if (reference->count > 0) reference->keeps = reference->holds = nr_memory_hold(d->connection, d->napi, value, true);
  return napi_ok;
}

/* Whether native code holds the bytes goes by the count; `ends`: it is about to let them go, by whichever call. */
static void settle(struct nr_dispatch *d, struct nr_reference *reference, bool ends) {
  napi_handle_scope scope;
  napi_value value = NULL;
  bool holds = !ends && reference->count > 0;
  if (!reference->keeps || (holds == reference->holds && !ends) || reference->env->napi == NULL ||
      napi_open_handle_scope(d->napi, &scope) != napi_ok)
    return;
  if (napi_get_reference_value(d->napi, reference->real, &value) == napi_ok && value != NULL) {
    if (holds != reference->holds) nr_memory_hold(d->connection, d->napi, value, holds);
    if (ends) nr_memory_warm(d->connection, d->napi, value);
  }
  reference->holds = holds;
  napi_close_handle_scope(d->napi, scope);
}

/*
 * A wrap's reference is what the wrapped object points to: deleting it first would leave the object with a dangling
 * pointer (in one process that is the addon's own fault; here it must not become Node's). It is deleted when the wrap
 * ends.
 */
static napi_status release(struct nr_reference *reference) {
  if (reference->wrap != NULL) {
    napi_env napi = reference->env->napi;
    reference->deleted = true;
    nr_wrap_silence(reference->wrap);
    while (reference->count > 0 && napi_reference_unref(napi, reference->real, &reference->count) == napi_ok) {
    }
    return napi_ok;
  }
  napi_status status = delete_real(reference);
  free(reference);
  return status;
}

void nr_reference_lost(struct nr_reference *reference) {
  if (reference->env->napi != NULL) release(reference);
}

napi_status nr_serve_napi_delete_reference(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__ReferenceRequest *request = message;
  struct nr_reference *reference = nr_table_remove(d->connection->references_table, request->ref_id, NR_SORT_REFERENCE);
  (void)answer;
  if (reference == NULL) return napi_invalid_arg;
  if (reference->wrap == NULL) settle(d, reference, true);
  return release(reference);
}

napi_status nr_serve_napi_reference_ref(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__ReferenceRequest *request = message;
  Nr__ReferenceReply *reply = answer;
  struct nr_reference *reference = get(d, request->ref_id);
  if (reference == NULL) return napi_invalid_arg;
  napi_status status = napi_reference_ref(d->napi, reference->real, &reply->result);
  if (status != napi_ok) return status;
  reference->count = reply->result;
  settle(d, reference, false);
  return napi_ok;
}

napi_status nr_serve_napi_reference_unref(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__ReferenceRequest *request = message;
  Nr__ReferenceReply *reply = answer;
  struct nr_reference *reference = get(d, request->ref_id);
  if (reference == NULL) return napi_invalid_arg;
  if (reference->count == 0) return napi_generic_failure;
  if (reference->count == 1) settle(d, reference, true); /* while there is something to be found */
  napi_status status = napi_reference_unref(d->napi, reference->real, &reply->result);
  if (status == napi_ok) reference->count = reply->result;
  return status;
}

napi_status nr_serve_napi_get_reference_value(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__GetReferenceValueRequest *request = message;
  Nr__KnownReply *reply = answer;
  napi_value result = NULL;
  struct nr_reference *reference = get(d, request->ref_id);
  if (reference == NULL) return napi_invalid_arg;
  NR_TRY(napi_get_reference_value(d->napi, reference->real, &result));
  if (reference->keeps) nr_memory_warm(d->connection, d->napi, result);
  return nr_give_known(d, request->result, result, reply);
}
