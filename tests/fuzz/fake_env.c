/*
 * The life of an env: hooks, instance data, async contexts, threadsafe functions, and what else Node brings.
 */
#include "fake_napi.h"

struct fake_hook {
  void (*call)(void *data); /* NULL: an async one */
  napi_async_cleanup_hook async;
  void *data;
  struct napi_async_cleanup_hook_handle__ *handle;
  struct fake_hook *next;
};

struct napi_async_cleanup_hook_handle__ {
  napi_env env;
  bool begun;
};

struct napi_async_context__ {
  uint32_t open;
};

struct napi_callback_scope__ {
  napi_async_context context;
  struct napi_callback_scope__ *outer;
};

struct napi_threadsafe_function__ {
  napi_env env;
  struct fake_value *function;
  napi_threadsafe_function_call_js call_js;
  napi_finalize finalize;
  void *context;
  void *finalize_data;
  uint32_t queued;
  bool closing;
  struct napi_threadsafe_function__ *next;
};

void (*fake_expire)(void);
static struct napi_callback_scope__ *callback_scopes;
static napi_threadsafe_function threadsafe_functions;

/* ---- Hooks ---- */

static void add_hook(napi_env env, struct fake_hook hook) {
  struct fake_hook *added = calloc(1, sizeof *added);
  *added = hook;
  added->next = env->hooks;
  env->hooks = added;
}

napi_status napi_add_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook call, void *data) {
  FAKE_CHECK(call);
  for (struct fake_hook *hook = env->hooks; hook != NULL; hook = hook->next) {
    if (hook->call == call && hook->data == data) abort(); /* Node ends the process for a duplicate */
  }
  add_hook(env, (struct fake_hook){.call = call, .data = data});
  return napi_ok;
}

napi_status napi_remove_env_cleanup_hook(node_api_basic_env env, napi_cleanup_hook call, void *data) {
  for (struct fake_hook **link = &env->hooks; *link != NULL; link = &(*link)->next) {
    struct fake_hook *hook = *link;
    if (hook->call != call || hook->data != data) continue;
    *link = hook->next;
    free(hook);
    return napi_ok;
  }
  return napi_ok;
}

napi_status napi_add_async_cleanup_hook(node_api_basic_env env, napi_async_cleanup_hook call, void *data,
                                        napi_async_cleanup_hook_handle *result) {
  napi_async_cleanup_hook_handle handle = fake_alloc(sizeof *handle);
  handle->env = env;
  add_hook(env, (struct fake_hook){.async = call, .data = data, .handle = handle});
  if (result != NULL) *result = handle;
  return napi_ok;
}

/* A second time it is a use after free, as in Node. */
napi_status napi_remove_async_cleanup_hook(napi_async_cleanup_hook_handle handle) {
  handle->env->unfinished -= handle->begun;
  for (struct fake_hook **link = &handle->env->hooks; *link != NULL; link = &(*link)->next) {
    struct fake_hook *hook = *link;
    if (hook->handle != handle) continue;
    *link = hook->next;
    free(hook);
    break;
  }
  fake_free(handle);
  return napi_ok;
}

napi_status napi_set_instance_data(node_api_basic_env env, void *data, napi_finalize call, void *hint) {
  env->instance_data = data;
  env->instance_finalize = call;
  return napi_ok;
}

/* ---- Async contexts ---- */

napi_status napi_async_init(napi_env env, napi_value resource, napi_value name, napi_async_context *result) {
  FAKE_CHECK(name);
  FAKE_CHECK(result);
  *result = fake_alloc(sizeof **result);
  return napi_ok;
}
napi_status napi_async_destroy(napi_env env, napi_async_context context) {
  if (context->open > 0) abort();
  fake_free(context);
  return napi_ok;
}
napi_status napi_open_callback_scope(napi_env env, napi_value resource, napi_async_context context,
                                     napi_callback_scope *result) {
  napi_callback_scope scope = calloc(1, sizeof *scope);
  *scope = (struct napi_callback_scope__){context, callback_scopes};
  callback_scopes = scope;
  context->open++;
  *result = scope;
  return napi_ok;
}
napi_status napi_close_callback_scope(napi_env env, napi_callback_scope scope) {
  if (scope != callback_scopes) abort();
  callback_scopes = scope->outer;
  scope->context->open--;
  free(scope);
  return napi_ok;
}

/* ---- Threadsafe functions ---- */

napi_status napi_create_threadsafe_function(napi_env env, napi_value function, napi_value resource, napi_value name,
                                            size_t max, size_t threads, void *finalize_data, napi_finalize finalize,
                                            void *context, napi_threadsafe_function_call_js call_js,
                                            napi_threadsafe_function *result) {
  FAKE_CHECK(name);
  if (function != NULL && function->value->kind != FAKE_FUNCTION) return napi_invalid_arg;
  napi_threadsafe_function made = calloc(1, sizeof *made);
  *made = (struct napi_threadsafe_function__){.env = env,
                                              .function = function == NULL ? NULL : function->value,
                                              .call_js = call_js,
                                              .finalize = finalize,
                                              .context = context,
                                              .finalize_data = finalize_data,
                                              .next = threadsafe_functions};
  if (made->function != NULL) made->function->held++;
  threadsafe_functions = made;
  *result = made;
  return napi_ok;
}
napi_status napi_call_threadsafe_function(napi_threadsafe_function function, void *data,
                                          napi_threadsafe_function_call_mode mode) {
  if (function->closing) return napi_closing;
  if (function->queued < 64) function->queued++;
  return napi_ok;
}
napi_status napi_acquire_threadsafe_function(napi_threadsafe_function function) {
  return function->closing ? napi_closing : napi_ok;
}
napi_status napi_release_threadsafe_function(napi_threadsafe_function function,
                                             napi_threadsafe_function_release_mode mode) {
  function->closing = true;
  return napi_ok;
}
napi_status napi_ref_threadsafe_function(node_api_basic_env env, napi_threadsafe_function function) {
  return function->env == NULL ? napi_invalid_arg : napi_ok;
}
napi_status napi_unref_threadsafe_function(node_api_basic_env env, napi_threadsafe_function function) {
  return function->env == NULL ? napi_invalid_arg : napi_ok;
}

/* One call, or its end. False: there is nothing to do. */
static bool turn_threadsafe(napi_threadsafe_function function) {
  napi_handle_scope scope;
  napi_env env = function->env;
  if (function->queued == 0 && !function->closing) return false;
  napi_open_handle_scope(env, &scope);
  if (function->queued > 0) {
    function->queued--;
    napi_value handle = function->function == NULL ? NULL : fake_handle(function->function);
    function->call_js(env, handle, function->context, NULL);
  } else {
    for (napi_threadsafe_function *link = &threadsafe_functions; *link != NULL; link = &(*link)->next) {
      if (*link != function) continue;
      *link = function->next;
      break;
    }
    if (function->function != NULL) function->function->held--;
    if (function->finalize != NULL) function->finalize(env, function->finalize_data, function->context);
    free(function);
  }
  env->exception = NULL;
  napi_close_handle_scope(env, scope);
  return true;
}

static void run_posted(napi_env env) {
  napi_handle_scope scope;
  struct fake_finalizer *finalizer = env->posted;
  env->posted = finalizer->next;
  napi_open_handle_scope(env, &scope);
  finalizer->call(env, finalizer->data, finalizer->hint);
  env->exception = NULL;
  napi_close_handle_scope(env, scope);
  free(finalizer);
}

void fake_env_turn(napi_env env) {
  for (int round = 0; round < 64; round++) {
    napi_threadsafe_function function = threadsafe_functions;
    while (function != NULL && function->queued == 0 && !function->closing) function = function->next;
    if (function == NULL || !turn_threadsafe(function)) break;
  }
  for (int round = 0; round < 64 && env->posted != NULL; round++) run_posted(env);
}

/* One round after the other, as Node does: hooks that were added meanwhile are the next one's. */
void fake_env_end(napi_env env) {
  napi_handle_scope scope;
  for (int round = 0; round < 100 && env->hooks != NULL; round++) {
    struct fake_hook hook = *env->hooks;
    free(env->hooks);
    env->hooks = hook.next;
    napi_open_handle_scope(env, &scope);
    if (hook.call != NULL) {
      hook.call(hook.data);
    } else {
      hook.handle->begun = true;
      env->unfinished++;
      hook.async(hook.handle, hook.data);
    }
    env->exception = NULL;
    napi_close_handle_scope(env, scope);
    fake_env_turn(env);
  }
  fake_env_turn(env);
  if (env->unfinished > 0) fake_expire();
  fake_finalize_all(env);
  napi_open_handle_scope(env, &scope);
  if (env->instance_finalize != NULL) env->instance_finalize(env, env->instance_data, NULL);
  napi_close_handle_scope(env, scope);
}

void fake_envs_reset(void) {
  while (threadsafe_functions != NULL) {
    napi_threadsafe_function function = threadsafe_functions;
    threadsafe_functions = function->next;
    free(function);
  }
  if (callback_scopes != NULL) abort();
}

napi_status node_api_post_finalizer(node_api_basic_env env, napi_finalize call, void *data, void *hint) {
  struct fake_finalizer **link = &env->posted;
  while (*link != NULL) link = &(*link)->next;
  fake_finalizer_add(link, env, call, data, hint);
  return napi_ok;
}

/* ---- The rest ---- */

napi_status napi_get_global(napi_env env, napi_value *result) {
  return napi_create_object(env, result);
}
napi_status napi_get_version(node_api_basic_env env, uint32_t *result) {
  *result = 10;
  return napi_ok;
}
napi_status napi_get_node_version(node_api_basic_env env, const napi_node_version **result) {
  static const napi_node_version version = {24, 0, 0, "node"};
  *result = &version;
  return napi_ok;
}
napi_status node_api_get_module_file_name(node_api_basic_env env, const char **result) {
  *result = "file:///fuzz.node";
  return napi_ok;
}
/* V8 ends the process for a change that is too large. */
napi_status napi_adjust_external_memory(node_api_basic_env env, int64_t change, int64_t *result) {
  if (change < -(INT64_C(1) << 60) || change >= INT64_C(1) << 60) abort();
  *result = 0;
  return napi_ok;
}
