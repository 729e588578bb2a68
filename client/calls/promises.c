/*
 * Promises. Nobody waits for one to be made or rejected, or resolved with what is no object, or with one that nobody
 * else has seen, whose `then` is no accessor: no JavaScript runs then. (Hooks of async_hooks do, when the server comes
 * to it.)
 */
#include "client/channel.h"
#include "client/client-private.h"

NR_EXPORT napi_status NAPI_CDECL napi_create_promise(napi_env env, napi_deferred *deferred, napi_value *promise) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, deferred);
  NR_CHECK_JS_ARG(env, promise);
  struct nr_table *table = env->channel->deferreds;
  Nr__CreatePromiseRequest request = NR__CREATE_PROMISE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CREATE_PROMISE, &request.base);
  call.keeps_last_error = true;
  request.deferred_id = nr_table_add(table, NR_SORT_DEFERRED, env);
  if (request.deferred_id == 0) call.out_of_memory = true;
  request.promise = nr_call_result(&call);
  napi_status status = nr_call_post_hooked(&call);
  if (status == napi_ok) {
    *deferred = (napi_deferred)(uintptr_t)request.deferred_id;
    *promise = nr_local(&call, request.promise);
  } else {
    nr_table_remove(table, request.deferred_id, NR_SORT_DEFERRED);
  }
  return nr_call_end(&call, status);
}

/* May looking for its `then` run JavaScript? */
static bool may_be_thenable(struct nr_channel *channel, nr_value value) {
  if (!nr_value_is_handle(value)) return false;
  if (nr_value_tag(value) == NR_TAG_OBJECT)
    return !nr_fresh_is_untouched(channel, value) || !nr_channel_is_plain(channel);
  return nr_value_tag(value) == NR_TAG_FUNCTION;
}

static napi_status settle(struct nr_call *call, nr_id id, bool runs_js) {
  struct nr_table *table = call->env->channel->deferreds;
  bool posts = !runs_js && nr_table_get(table, id, NR_SORT_DEFERRED) != NULL;
  call->keeps_last_error = true;
  napi_status status = posts ? nr_call_post_hooked(call) : nr_call_wait_js(call);
  if (status == napi_ok) nr_table_remove(table, id, NR_SORT_DEFERRED);
  return nr_call_end(call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_resolve_deferred(napi_env env, napi_deferred deferred, napi_value resolution) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, resolution);
  Nr__ResolveDeferredRequest request = NR__RESOLVE_DEFERRED_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_RESOLVE_DEFERRED, &request.base);
  request.deferred_id = (nr_id)(uintptr_t)deferred;
  request.resolution = nr_wire(resolution);
  return settle(&call, request.deferred_id, may_be_thenable(env->channel, request.resolution));
}

NR_EXPORT napi_status NAPI_CDECL napi_reject_deferred(napi_env env, napi_deferred deferred, napi_value rejection) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, rejection);
  Nr__RejectDeferredRequest request = NR__REJECT_DEFERRED_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_REJECT_DEFERRED, &request.base);
  request.deferred_id = (nr_id)(uintptr_t)deferred;
  request.rejection = nr_wire(rejection);
  return settle(&call, request.deferred_id, false);
}
