/*
 * References. As long as one is strong its value lives, so counting happens here and is only told to the server; a weak
 * one may have lost its value, which only the server knows.
 */
#include "client/calls/references.h"

#include <pthread.h>
#include <stdlib.h>

#include "client/memory/memory.h"

/* Of the tables of references: other threads count and delete them too (foreign.c). */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void nr_references_lock(void) {
  pthread_mutex_lock(&mutex);
}

void nr_references_unlock(void) {
  pthread_mutex_unlock(&mutex);
}

nr_id nr_reference_new(napi_env env, uint32_t count, unsigned tag) {
  struct nr_reference *reference = malloc(sizeof *reference);
  if (reference == NULL) return 0;
  *reference = (struct nr_reference){.count = count, .tag = tag};
  pthread_mutex_lock(&mutex);
  nr_id id = nr_table_add(env->channel->references, NR_SORT_REFERENCE, reference);
  pthread_mutex_unlock(&mutex);
  if (id == 0) free(reference);
  return id;
}

void nr_reference_drop(napi_env env, nr_id id) {
  pthread_mutex_lock(&mutex);
  struct nr_reference *reference = nr_table_remove(env->channel->references, id, NR_SORT_REFERENCE);
  pthread_mutex_unlock(&mutex);
  free(reference);
}

static struct nr_reference *get(napi_env env, napi_ref ref) {
  pthread_mutex_lock(&mutex);
  struct nr_reference *reference = nr_table_get(env->channel->references, (nr_id)(uintptr_t)ref, NR_SORT_REFERENCE);
  pthread_mutex_unlock(&mutex);
  return reference;
}

/* The pair of a value that is a view whose bytes native code has got to know. */
static nr_id pair_of(napi_env env, nr_value value) {
  const struct nr_known *known = nr_known(env->channel, value);
  return (nr_known_shape(env->channel, known) & NR_SHAPE_VIEW) != 0 ? known->view.pair_id : 0;
}

/* Native code takes the value up again, or lets it go: what was written to its bytes meanwhile is to be told with this
 * turn. */
static void warm(napi_env env, const struct nr_reference *reference) {
  struct nr_pair *pair = reference->pair == 0 ? NULL : nr_table_get(env->channel->pairs, reference->pair, NR_SORT_PAIR);
  if (pair != NULL && pair->tracked.to > 0) nr_pair_heat(env->channel, pair);
}

/* The mutex is held. */
static napi_status count(napi_env env, nr_id id, enum nr_foreign_call what, uint32_t *result) {
  struct nr_reference *reference = nr_table_get(env->channel->references, id, NR_SORT_REFERENCE);
  if (reference == NULL) return napi_invalid_arg;
  if (what == NR_FOREIGN_UNREF && reference->count == 0) return napi_generic_failure;
  if (what == NR_FOREIGN_DELETE) {
    free(nr_table_remove(env->channel->references, id, NR_SORT_REFERENCE));
    return napi_ok;
  }
  reference->count += what == NR_FOREIGN_REF ? 1 : -1;
  if (result != NULL) *result = reference->count;
  return napi_ok;
}

/* On a thread that is not the env's: Node happens to survive that. The server hears of it at the next entry. */
static napi_status count_elsewhere(napi_env env, napi_ref ref, enum nr_foreign_call what, uint32_t *result) {
  nr_id id = (nr_id)(uintptr_t)ref;
  pthread_mutex_lock(&mutex);
  napi_status status = count(env, id, what, result);
  if (status == napi_ok) status = nr_foreign_note(env, id, what);
  pthread_mutex_unlock(&mutex);
  return status;
}

/* Before version 10 only what can be held weakly may be referenced at all. */
static bool can_be_referenced(napi_env env, nr_value value) {
  if (env->api_version >= 10) return true;
  unsigned tag = nr_value_tag(value);
  return nr_value_is_handle(value) && tag != NR_TAG_STRING && tag != NR_TAG_BIGINT;
}

NR_EXPORT napi_status NAPI_CDECL napi_create_reference(napi_env env, napi_value value, uint32_t initial_refcount,
                                                       napi_ref *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, value);
  NR_CHECK_ARG(env, result);
  Nr__CreateReferenceRequest request = NR__CREATE_REFERENCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_REFERENCE, &request.base);
  request.value = nr_wire(value);
  request.initial_refcount = initial_refcount;
  if (!can_be_referenced(env, request.value)) return nr_call_end(&call, napi_invalid_arg);
  request.ref_id =
      nr_reference_new(env, initial_refcount, nr_value_is_handle(request.value) ? nr_value_tag(request.value) : 0);
  if (request.ref_id == 0) {
    call.out_of_memory = true;
  } else {
    get(env, (napi_ref)(uintptr_t)request.ref_id)->pair = pair_of(env, request.value);
  }
  napi_status status = nr_call_post(&call);
  if (status == napi_ok) nr_fresh_show(env->channel, request.value);
  if (status == napi_ok) *result = (napi_ref)(uintptr_t)request.ref_id;
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_delete_reference(napi_env env, napi_ref ref) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, ref);
  if (NR_UNLIKELY(nr_is_foreign(env))) return count_elsewhere(env, ref, NR_FOREIGN_DELETE, NULL);
  Nr__ReferenceRequest request = NR__REFERENCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_DELETE_REFERENCE, &request.base);
  request.ref_id = (nr_id)(uintptr_t)ref;
  const struct nr_reference *reference = get(env, ref);
  if (reference == NULL) return nr_call_end(&call, napi_invalid_arg);
  warm(env, reference);
  napi_status status = nr_call_post(&call);
  if (status == napi_ok) nr_reference_drop(env, request.ref_id);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_reference_ref(napi_env env, napi_ref ref, uint32_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, ref);
  if (NR_UNLIKELY(nr_is_foreign(env))) return count_elsewhere(env, ref, NR_FOREIGN_REF, result);
  Nr__ReferenceRequest request = NR__REFERENCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_REFERENCE_REF, &request.base);
  struct nr_reference *reference = get(env, ref);
  napi_status status;
  request.ref_id = (nr_id)(uintptr_t)ref;
  if (reference == NULL) return nr_call_end(&call, napi_invalid_arg);
  if (reference->count > 0) {
    status = nr_call_post(&call);
    if (status == napi_ok) reference->count++;
  } else { /* 0 also after this when the value is gone */
    status = nr_call_wait(&call);
    if (status == napi_ok) reference->count = ((const Nr__ReferenceReply *)call.reply)->result;
  }
  if (status == napi_ok && result != NULL) *result = reference->count;
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_reference_unref(napi_env env, napi_ref ref, uint32_t *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, ref);
  if (NR_UNLIKELY(nr_is_foreign(env))) return count_elsewhere(env, ref, NR_FOREIGN_UNREF, result);
  Nr__ReferenceRequest request = NR__REFERENCE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_REFERENCE_UNREF, &request.base);
  struct nr_reference *reference = get(env, ref);
  request.ref_id = (nr_id)(uintptr_t)ref;
  if (reference == NULL) return nr_call_end(&call, napi_invalid_arg);
  if (reference->count == 0) return nr_call_end(&call, napi_generic_failure);
  napi_status status = nr_call_post(&call);
  if (status == napi_ok) {
    reference->count--;
    if (result != NULL) *result = reference->count;
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_reference_value(napi_env env, napi_ref ref, napi_value *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, ref);
  NR_CHECK_ARG(env, result);
  Nr__GetReferenceValueRequest request = NR__GET_REFERENCE_VALUE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_GET_REFERENCE_VALUE, &request.base);
  const struct nr_reference *reference = get(env, ref);
  napi_status status;
  request.ref_id = (nr_id)(uintptr_t)ref;
  if (reference == NULL) return nr_call_end(&call, napi_invalid_arg);
  warm(env, reference);
  if (reference->count > 0 && reference->tag != 0) {
    request.result = nr_call_result_tagged(&call, (enum nr_tag)reference->tag);
    status = nr_call_post(&call);
    if (status == napi_ok) *result = nr_unwire(request.result);
  } else {
    request.result = nr_call_result(&call);
    status = nr_call_wait(&call);
    if (status == napi_ok) {
      const Nr__KnownReply *reply = call.reply;
      *result = nr_local_known(&call, reply); /* NULL: the value is gone */
    }
  }
  return nr_call_end(&call, status);
}
