/*
 * Async contexts and callback scopes, and cleanup hooks that take their time. The real ones live in Node: here are
 * their ids.
 */
#include "client/calls/async.h"

#include <stdlib.h>

#include "client/channel.h"

/* ---- async contexts -------------------------------------------------------------------------------------------------
 */

NR_EXPORT napi_status NAPI_CDECL napi_async_init(napi_env env, napi_value async_resource,
                                                 napi_value async_resource_name, napi_async_context *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, async_resource_name);
  NR_CHECK_ARG(env, result);
  Nr__AsyncInitRequest request = NR__ASYNC_INIT_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ASYNC_INIT, &request.base);
  request.async_id = nr_table_add(env->channel->asyncs, NR_SORT_CONTEXT, NULL);
  if (request.async_id == 0) call.out_of_memory = true;
  request.async_resource = nr_wire(async_resource);
  request.async_resource_name = nr_wire(async_resource_name);
  napi_status status = nr_call_wait_js(&call);
  if (status == napi_ok) {
    *result = (napi_async_context)(uintptr_t)request.async_id;
  } else {
    nr_table_remove(env->channel->asyncs, request.async_id, NR_SORT_CONTEXT);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_async_destroy(napi_env env, napi_async_context async_context) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, async_context);
  Nr__AsyncRequest request = NR__ASYNC_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ASYNC_DESTROY, &request.base);
  request.async_id = (nr_id)(uintptr_t)async_context;
  napi_status status = nr_call_wait(&call);
  if (status == napi_ok) nr_table_remove(env->channel->asyncs, request.async_id, NR_SORT_CONTEXT);
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_make_callback(napi_env env, napi_async_context async_context, napi_value recv,
                                                    napi_value func, size_t argc, const napi_value *argv,
                                                    napi_value *result) {
  NR_PREAMBLE(env);
  NR_CHECK_JS_ARG(env, recv);
  if (argc > 0) NR_CHECK_JS_ARG(env, argv);
  Nr__MakeCallbackRequest request = NR__MAKE_CALLBACK_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_MAKE_CALLBACK, &request.base);
  call.keeps_last_error = true;
  request.async_id = (nr_id)(uintptr_t)async_context;
  request.recv = nr_wire(recv);
  request.func = nr_wire(func);
  request.argv = nr_call_values(&call, argv, argc);
  request.n_argv = request.argv == NULL ? 0 : argc;
  request.result = result == NULL ? NR_ABSENT : nr_call_result(&call);
  napi_status status = nr_call_wait_js(&call);
  if (status == napi_ok && result != NULL) {
    const Nr__KnownReply *reply = call.reply;
    *result = nr_local_known(&call, reply);
  }
  return nr_call_end(&call, status);
}

/* ---- callback scopes ------------------------------------------------------------------------------------------------
 */

NR_EXPORT napi_status NAPI_CDECL napi_open_callback_scope(napi_env env, napi_value resource_object,
                                                          napi_async_context context, napi_callback_scope *result) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, result);
  (void)resource_object; /* Node does not look at it */
  Nr__CallbackScopeRequest request = NR__CALLBACK_SCOPE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_OPEN_CALLBACK_SCOPE, &request.base);
  request.async_id = (nr_id)(uintptr_t)context;
  request.level = env->channel->callback_scopes;
  napi_status status = nr_call_wait_js(&call);
  if (status == napi_ok) {
    env->channel->callback_scopes++;
    *result = (napi_callback_scope)((uintptr_t)request.level + 1);
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_close_callback_scope(napi_env env, napi_callback_scope scope) {
  NR_CHECK_ENV(env);
  NR_CHECK_ARG(env, scope);
  struct nr_channel *channel = env->channel;
  Nr__CallbackScopeRequest request = NR__CALLBACK_SCOPE_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_CLOSE_CALLBACK_SCOPE, &request.base);
  request.level = (uint32_t)((uintptr_t)scope - 1);
  if (channel->entry == NULL || channel->callback_scopes == channel->entry->callback_scope_base ||
      request.level != channel->callback_scopes - 1) {
    nr_tell_refused(env, __func__, napi_callback_scope_mismatch);
    return napi_callback_scope_mismatch; /* which is not the last error in Node either */
  }
  channel->callback_scopes--;
  return nr_call_end(&call, nr_call_wait_js(&call));
}

/* ---- cleanup hooks that take their time -----------------------------------------------------------------------------
 */

struct async_hook {
  napi_env env;
  napi_async_cleanup_hook function;
  void *argument;
};

napi_env nr_async_hook_run(struct nr_channel *channel, nr_id id) {
  struct async_hook *hook = nr_table_get(channel->asyncs, id, NR_SORT_ASYNC_HOOK);
  if (hook == NULL) return NULL;
  napi_env env = hook->env;
  hook->function((napi_async_cleanup_hook_handle)(uintptr_t)id, hook->argument);
  return env;
}

NR_EXPORT napi_status NAPI_CDECL napi_add_async_cleanup_hook(napi_env env, napi_async_cleanup_hook hook, void *arg,
                                                             napi_async_cleanup_hook_handle *remove_handle) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, hook);
  Nr__HookRequest request = NR__HOOK_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ADD_ASYNC_CLEANUP_HOOK, &request.base);
  struct async_hook *added = malloc(sizeof *added);
  if (added != NULL) {
    *added = (struct async_hook){env, hook, arg};
    request.hook_id = nr_table_add(env->channel->asyncs, NR_SORT_ASYNC_HOOK, added);
  }
  if (request.hook_id == 0) call.out_of_memory = true;
  napi_status status = nr_call_settle(&call);
  if (status == napi_ok && remove_handle != NULL) {
    *remove_handle = (napi_async_cleanup_hook_handle)(uintptr_t)request.hook_id;
  }
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_remove_async_cleanup_hook(napi_async_cleanup_hook_handle remove_handle) {
  struct nr_channel *channel = nr_channel_current();
  if (remove_handle == NULL) return napi_invalid_arg;
  if (channel == NULL) return napi_generic_failure; /* a thread without an env */
  Nr__HookRequest request = NR__HOOK_REQUEST__INIT;
  request.hook_id = (nr_id)(uintptr_t)remove_handle;
  struct async_hook *hook = nr_table_get(channel->asyncs, request.hook_id, NR_SORT_ASYNC_HOOK);
  if (hook == NULL) return napi_invalid_arg;
  struct nr_call call = NR_CALL(hook->env, NR_OP_NAPI_REMOVE_ASYNC_CLEANUP_HOOK, &request.base);
  call.keeps_last_error = true;
  napi_status status = nr_call_settle(&call);
  free(nr_table_remove(channel->asyncs, request.hook_id, NR_SORT_ASYNC_HOOK));
  return nr_call_end(&call, status);
}
