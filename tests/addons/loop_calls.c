/*
 * The functions that need an event loop of the host's or memory that both processes share. A build that lacks them has
 * to say so by its status and its text, not by crashing: each row is [function, case, status, last error, text].
 */
#include "recorder.h"

static void execute(napi_env env, void *data) {
}

static void complete(napi_env env, napi_status status, void *data) {
}

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

static char bytes[64];

static napi_value attempt(napi_env env, napi_callback_info info) {
  struct t_recorder recorder = t_recorder(env);
  napi_value name = t_string(env, "resource"), value = NULL, function;
  napi_async_work work = NULL;
  napi_threadsafe_function threadsafe = NULL;
  napi_async_context context = NULL;
  T_OK(napi_create_function(env, NULL, 0, nothing, NULL, &function));
  CHECK("", napi_create_external_buffer, env, sizeof bytes, bytes, NULL, NULL, &value);
  CHECK("", napi_create_external_arraybuffer, env, bytes, sizeof bytes, NULL, NULL, &value);
  CHECK("", napi_create_async_work, env, NULL, name, execute, complete, NULL, &work);
  if (work) CHECK("", napi_delete_async_work, env, work);
  CHECK("", napi_create_threadsafe_function, env, function, NULL, name, 0, 1, NULL, NULL, NULL, NULL, &threadsafe);
  if (threadsafe) CHECK("", napi_release_threadsafe_function, threadsafe, napi_tsfn_release);
  CHECK("", napi_async_init, env, NULL, name, &context);
  if (context) CHECK("", napi_async_destroy, env, context);
  return recorder.rows;
}

static const struct t_function functions[] = {{"attempt", attempt}};
T_INIT(functions)
