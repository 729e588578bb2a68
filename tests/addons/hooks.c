/*
 * Cleanup hooks, synchronous and asynchronous, instance data and what else an env still does at its end. All say what
 * they do.
 */
#include "recorder.h"
#include "uv_kit.h"

#include <pthread.h>

enum how { NOW, TIMER, THREAD, ADDS, REMOVES, CALLS };

struct hook {
  napi_env env;
  char name[32];
  enum how how;
  bool is_async;
  napi_async_cleanup_hook_handle handle;
  napi_ref ref;
  uv_timer_t timer;
  uv_async_t async;
  struct hook *other;
};

static struct hook hooks[128];
static uint32_t used;

static void on_hook(void *data);
static void on_async_hook(napi_async_cleanup_hook_handle handle, void *data);

static struct hook *find(const char *name) {
  for (uint32_t i = used; i-- > 0;)
    if (strcmp(hooks[i].name, name) == 0) return &hooks[i];
  abort();
}

static struct hook *make(napi_env env, const char *name) {
  if (used == T_COUNT(hooks)) abort();
  struct hook *hook = &hooks[used++];
  hook->env = env;
  snprintf(hook->name, sizeof hook->name, "%s", name);
  return hook;
}

/* What Node-API answers in a hook. */
static void call_functions(struct hook *hook) {
  napi_env env = hook->env;
  napi_handle_scope scope;
  napi_value object = NULL, value = NULL;
  napi_ref ref = NULL;
  void *data = NULL;
  bool pending = false;
#define SAY(call) t_say("%s: %s %s", hook->name, #call, t_status_name(call))
  SAY(napi_get_instance_data(env, &data));
  SAY(napi_open_handle_scope(env, &scope));
  SAY(napi_create_object(env, &object));
  SAY(napi_create_string_utf8(env, "text", NAPI_AUTO_LENGTH, &value));
  SAY(napi_set_named_property(env, object, "name", value));
  SAY(napi_get_named_property(env, object, "name", &value));
  SAY(napi_create_reference(env, object, 1, &ref));
  if (ref) SAY(napi_delete_reference(env, ref));
  SAY(napi_call_function(env, object, hook->ref ? t_deref(env, hook->ref) : object, 0, NULL, &value));
  SAY(napi_is_exception_pending(env, &pending));
  SAY(napi_throw_error(env, NULL, "thrown in a hook"));
  if (pending) SAY(napi_get_and_clear_last_exception(env, &value));
  if (hook->ref) SAY(napi_delete_reference(env, hook->ref));
  SAY(napi_close_handle_scope(env, scope));
}

static void on_hook(void *data) {
  struct hook *hook = data;
  t_say("hook %s", hook->name);
  if (hook->how == ADDS) {
    struct hook *added = make(hook->env, "added by a hook");
    t_say("%s", t_status_name(napi_add_env_cleanup_hook(hook->env, on_hook, added)));
  }
  if (hook->how == REMOVES) t_say("%s", t_status_name(napi_remove_env_cleanup_hook(hook->env, on_hook, hook->other)));
  if (hook->how == CALLS) call_functions(hook);
}

/* ---- Asynchronous ------------------------------------------------------------------------------------------------ */

static void finish(struct hook *hook) {
  t_say("%s is done: %s", hook->name, t_status_name(napi_remove_async_cleanup_hook(hook->handle)));
}

static void on_closed(uv_handle_t *handle) {
  finish(handle->data);
}

static void on_timer(uv_timer_t *timer) {
  struct hook *hook = timer->data;
  t_say("timer of %s", hook->name);
  uv_close((uv_handle_t *)timer, on_closed);
}

static void on_async(uv_async_t *async) {
  struct hook *hook = async->data;
  t_say("thread of %s came", hook->name);
  uv_close((uv_handle_t *)async, on_closed);
}

static void *send_async(void *async) {
  T_UV(uv_async_send(async));
  return NULL;
}

static void on_async_hook(napi_async_cleanup_hook_handle handle, void *data) {
  struct hook *hook = data;
  t_say("async hook %s%s", hook->name, hook->handle && hook->handle != handle ? ", another handle" : "");
  hook->handle = handle;
  pthread_t thread;
  switch (hook->how) {
  case TIMER:
    T_UV(uv_timer_init(t_loop(hook->env), &hook->timer));
    hook->timer.data = hook;
    T_UV(uv_timer_start(&hook->timer, on_timer, 10, 0));
    break;
  case THREAD:
    T_UV(uv_async_init(t_loop(hook->env), &hook->async, on_async));
    hook->async.data = hook;
    if (pthread_create(&thread, NULL, send_async, &hook->async) != 0) abort();
    pthread_detach(thread);
    break;
  default: finish(hook);
  }
}

/* ---- From JavaScript --------------------------------------------------------------------------------------------- */

static enum how how_of(napi_env env, napi_value value) {
  static const char *const names[] = {"now", "timer", "thread", "adds", "removes", "calls"};
  char *text = t_text(env, value);
  enum how how = NOW;
  for (size_t i = 0; text && i < T_COUNT(names); i++)
    if (strcmp(names[i], text) == 0) how = (enum how)i;
  free(text);
  return how;
}

/* (name, how, what `how` is about: a name or a function) */
static struct hook *hook_for(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  char *name = t_text(env, argv[0]);
  struct hook *hook = make(env, name);
  free(name);
  hook->how = how_of(env, argv[1]);
  if (hook->how == REMOVES) {
    char *other = t_text(env, argv[2]);
    hook->other = find(other);
    free(other);
  }
  if (t_typeof(env, argv[2]) == napi_function) T_OK(napi_create_reference(env, argv[2], 1, &hook->ref));
  return hook;
}

static napi_value add(napi_env env, napi_callback_info info) {
  return t_result(env, napi_add_env_cleanup_hook(env, on_hook, hook_for(env, info)), NULL);
}

static struct hook *named(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *name = t_text(env, argv[0]);
  struct hook *hook = find(name);
  free(name);
  return hook;
}

static napi_value remove_hook(napi_env env, napi_callback_info info) {
  return t_result(env, napi_remove_env_cleanup_hook(env, on_hook, named(env, info)), NULL);
}

/* Adds again what was removed. */
static napi_value add_again(napi_env env, napi_callback_info info) {
  return t_result(env, napi_add_env_cleanup_hook(env, on_hook, named(env, info)), NULL);
}

static napi_value add_async(napi_env env, napi_callback_info info) {
  struct hook *hook = hook_for(env, info);
  return t_result(env, napi_add_async_cleanup_hook(env, on_async_hook, hook, &hook->handle), NULL);
}

/* The handle comes with the hook only. */
static napi_value add_async_blind(napi_env env, napi_callback_info info) {
  return t_result(env, napi_add_async_cleanup_hook(env, on_async_hook, hook_for(env, info), NULL), NULL);
}

static napi_value remove_async(napi_env env, napi_callback_info info) {
  return t_result(env, napi_remove_async_cleanup_hook(named(env, info)->handle), NULL);
}

static void finalize_instance(napi_env env, void *data, void *hint) {
  t_say("finalizer of the instance data%s", env ? "" : ", no env");
}

static void finalize(napi_env env, void *data, void *hint) {
  t_say("finalizer of %s", (const char *)data);
}

static napi_value set_instance_data(napi_env env, napi_callback_info info) {
  T_OK(napi_set_instance_data(env, hooks, finalize_instance, NULL));
  return NULL;
}

/* (object, name) */
static napi_value wrap(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  T_OK(napi_wrap(env, argv[0], t_text(env, argv[1]), finalize, NULL, NULL));
  return NULL;
}

static napi_value misuse(napi_env env, napi_callback_info info) {
  struct t_recorder recorder = t_recorder(env);
  napi_async_cleanup_hook_handle handle = NULL;
  CHECK("no env", napi_add_env_cleanup_hook, NULL, on_hook, NULL);
  CHECK("no hook", napi_add_env_cleanup_hook, env, NULL, NULL);
  CHECK("no env", napi_remove_env_cleanup_hook, NULL, on_hook, NULL);
  CHECK("no hook", napi_remove_env_cleanup_hook, env, NULL, NULL);
  CHECK("a hook that is not there", napi_remove_env_cleanup_hook, env, on_hook, &recorder);
  CHECK("no env", napi_add_async_cleanup_hook, NULL, on_async_hook, NULL, &handle);
  CHECK("no hook", napi_add_async_cleanup_hook, env, NULL, NULL, &handle);
  CHECK("", napi_add_async_cleanup_hook, env, on_async_hook, NULL, &handle);
  CHECK("", napi_remove_async_cleanup_hook, handle);
  CHECK("no handle", napi_remove_async_cleanup_hook, NULL);
  return recorder.rows;
}

static const struct t_function functions[] = {
    {"add", add},
    {"addAgain", add_again},
    {"remove", remove_hook},
    {"addAsync", add_async},
    {"addAsyncBlind", add_async_blind},
    {"removeAsync", remove_async},
    {"setInstanceData", set_instance_data},
    {"wrap", wrap},
    {"misuse", misuse},
};
T_INIT(functions)
