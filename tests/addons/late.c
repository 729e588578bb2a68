/* Begins something when its env ends: in a cleanup hook, or in a finalizer. */
#include "common.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

static napi_env the_env;
static char *what;

static void nothing(napi_env env, void *data) {
}

static void completed(napi_env env, napi_status status, void *data) {
}

static void called(napi_env env, napi_value function, void *context, void *data) {
}

static void finished(napi_async_cleanup_hook_handle hook, void *data) {
  napi_remove_async_cleanup_hook(hook);
}

static void begin(napi_env env) {
  napi_handle_scope scope;
  napi_value name;
  napi_async_work work = NULL;
  napi_threadsafe_function function;
  T_OK(napi_open_handle_scope(env, &scope));
  name = t_string(env, "late");
  if (strcmp(what, "threadsafe function") == 0)
    napi_create_threadsafe_function(env, NULL, NULL, name, 0, 1, NULL, NULL, NULL, called, &function);
  if (strcmp(what, "asynchronous hook") == 0) napi_add_async_cleanup_hook(env, finished, NULL, NULL);
  if (strstr(what, "work") != NULL) T_OK(napi_create_async_work(env, NULL, name, nothing, completed, NULL, &work));
  if (strcmp(what, "queued work") == 0) napi_queue_async_work(env, work);
  if (strcmp(what, "deleted work") == 0) T_OK(napi_delete_async_work(env, work));
  T_OK(napi_close_handle_scope(env, scope));
  t_say("%s", what);
}

static void NAPI_CDECL hook(void *data) {
  begin(the_env);
}

static void NAPI_CDECL finalize(napi_env env, void *data, void *hint) {
  begin(env);
}

/* start(object, what, where) */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  the_env = env;
  what = t_text(env, argv[1]);
  char *where = t_text(env, argv[2]);
  if (strcmp(where, "hook") == 0) T_OK(napi_add_env_cleanup_hook(env, hook, NULL));
  if (strcmp(where, "instance data") == 0) T_OK(napi_set_instance_data(env, what, finalize, NULL));
  if (strcmp(where, "wrap") == 0) T_OK(napi_wrap(env, argv[0], what, finalize, NULL, NULL));
  free(where);
  return NULL;
}

static const struct t_function functions[] = {{"start", start}};
T_INIT(functions)
