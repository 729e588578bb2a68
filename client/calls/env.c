/*
 * The env itself: last error, pending exception, instance data, versions, hooks, and the end of the process.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/client-private.h"

struct nr_node nr_node;

/* error_messages of Node's src/js_native_api_v8.cc. */
static const char *const error_messages[] = {
    NULL,
    "Invalid argument",
    "An object was expected",
    "A string was expected",
    "A string or symbol was expected",
    "A function was expected",
    "A number was expected",
    "A boolean was expected",
    "An array was expected",
    "Unknown failure",
    "An exception is pending",
    "The async work item was cancelled",
    "napi_escape_handle already called on scope",
    "Invalid handle scope usage",
    "Invalid callback scope usage",
    "Thread-safe function queue is full",
    "Thread-safe function handle is closing",
    "A bigint was expected",
    "A date was expected",
    "An arraybuffer was expected",
    "A detachable arraybuffer was expected",
    "Main thread would deadlock",
    "External buffers are not allowed",
    "Cannot run JavaScript",
};

NR_EXPORT napi_status NAPI_CDECL napi_get_last_error_info(napi_env env, const napi_extended_error_info **result) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, result);
  unsigned code = (unsigned)env->last_error.error_code;
  const char *message =
      code < sizeof error_messages / sizeof error_messages[0] ? error_messages[code] : "Unknown failure";
  env->last_error.error_message = env->text == NULL ? message : env->text;
  *result = &env->last_error;
  Nr__Empty request = NR__EMPTY__INIT;
  nr_tell(env, NR_OP_NAPI_GET_LAST_ERROR_INFO, &request.base, NULL, napi_ok);
  return napi_ok;
}

NR_EXPORT napi_status NAPI_CDECL napi_set_instance_data(napi_env env, void *data, napi_finalize finalize_cb,
                                                        void *finalize_hint) {
  NR_CHECK_BASIC_ENV(env);
  Nr__SetInstanceDataRequest request = NR__SET_INSTANCE_DATA_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_SET_INSTANCE_DATA, &request.base);
  if (finalize_cb != NULL) {
    request.finalizer_id = nr_object_add(env, data, finalize_cb, finalize_hint);
    if (request.finalizer_id == 0) call.out_of_memory = true;
  }
  napi_status status = nr_call_post(&call);
  if (status == napi_ok) env->instance_data = data;
  return nr_call_end(&call, status);
}

NR_EXPORT napi_status NAPI_CDECL napi_get_instance_data(napi_env env, void **data) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, data);
  Nr__Empty request = NR__EMPTY__INIT;
  *data = env->instance_data;
  return nr_answer(env, NR_OP_NAPI_GET_INSTANCE_DATA, &request.base, NULL, napi_ok);
}

static napi_node_version node_version;

static void fill_node_version(void) {
  node_version = (napi_node_version){nr_node.major, nr_node.minor, nr_node.patch, nr_node.release};
}

NR_EXPORT napi_status NAPI_CDECL napi_get_node_version(napi_env env, const napi_node_version **version) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, version);
  Nr__Empty request = NR__EMPTY__INIT;
  pthread_once(&once, fill_node_version);
  *version = &node_version;
  return nr_answer(env, NR_OP_NAPI_GET_NODE_VERSION, &request.base, NULL, napi_ok);
}

NR_EXPORT napi_status NAPI_CDECL node_api_get_module_file_name(napi_env env, const char **result) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, result);
  Nr__Empty request = NR__EMPTY__INIT;
  *result = env->filename;
  return nr_answer(env, NR_OP_NODE_API_GET_MODULE_FILE_NAME, &request.base, NULL, napi_ok);
}

/* In a finalizer inside a collection the sum of all of Node is not to be had: it is what it was, and this change. */
NR_EXPORT napi_status NAPI_CDECL napi_adjust_external_memory(napi_env env, int64_t change_in_bytes,
                                                             int64_t *adjusted_value) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, adjusted_value);
  Nr__AdjustExternalMemoryRequest request = NR__ADJUST_EXTERNAL_MEMORY_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ADJUST_EXTERNAL_MEMORY, &request.base);
  request.change_in_bytes = change_in_bytes;
  napi_status status = nr_call_settle(&call);
  if (status == napi_ok) {
    const Nr__AdjustExternalMemoryReply *reply = call.reply;
    if (reply != NULL)
      env->channel->external_memory = reply->adjusted_value;
    else
      env->channel->external_memory += change_in_bytes;
    *adjusted_value = env->channel->external_memory;
  }
  return nr_call_end(&call, status);
}

/* ---- cleanup hooks --------------------------------------------------------------------------------------------------
 */

struct hook {
  napi_env env;
  napi_cleanup_hook function;
  void *argument;
};

void nr_hook_run(struct nr_channel *channel, nr_id id) {
  struct hook *hook = nr_table_remove(channel->hooks, id, NR_SORT_HOOK);
  if (hook == NULL) return;
  hook->function(hook->argument);
  free(hook);
}

struct search {
  const struct hook *like;
  nr_id found;
};

static void match(nr_id id, unsigned kind, void *item, void *context) {
  const struct hook *hook = item;
  struct search *search = context;
  (void)kind;
  if (hook->env == search->like->env && hook->function == search->like->function &&
      hook->argument == search->like->argument) {
    search->found = id;
  }
}

static nr_id find_hook(napi_env env, napi_cleanup_hook function, void *argument) {
  struct hook like = {env, function, argument};
  struct search search = {.like = &like};
  nr_table_each(env->channel->hooks, match, &search);
  return search.found;
}

NR_EXPORT napi_status NAPI_CDECL napi_add_env_cleanup_hook(napi_env env, napi_cleanup_hook fun, void *arg) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, fun);
  Nr__HookRequest request = NR__HOOK_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_ADD_ENV_CLEANUP_HOOK, &request.base);
  call.keeps_last_error = true;
  /* The same pair twice ends Node by an assertion; here only the addon's process ends, with the same words. */
  if (find_hook(env, fun, arg) != 0) {
    fprintf(stderr, "napi_add_env_cleanup_hook: the same function and argument were added before\n");
    abort();
  }
  struct hook *hook = malloc(sizeof *hook);
  if (hook != NULL) {
    *hook = (struct hook){env, fun, arg};
    request.hook_id = nr_table_add(env->channel->hooks, NR_SORT_HOOK, hook);
  }
  if (request.hook_id == 0) call.out_of_memory = true;
  return nr_call_end(&call, nr_call_settle(&call));
}

NR_EXPORT napi_status NAPI_CDECL napi_remove_env_cleanup_hook(napi_env env, napi_cleanup_hook fun, void *arg) {
  NR_CHECK_BASIC_ENV(env);
  NR_CHECK_ARG(env, fun);
  Nr__HookRequest request = NR__HOOK_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NAPI_REMOVE_ENV_CLEANUP_HOOK, &request.base);
  call.keeps_last_error = true;
  request.hook_id = find_hook(env, fun, arg);
  if (request.hook_id == 0) return nr_call_end(&call, napi_ok); /* as in Node: nothing to remove is no error */
  napi_status status = nr_call_settle(&call);
  free(nr_table_remove(env->channel->hooks, request.hook_id, NR_SORT_HOOK));
  return nr_call_end(&call, status);
}

/* ---- finalizers that do not wait for a collection ------------------------------------------------------------------
 */

NR_EXPORT napi_status NAPI_CDECL node_api_post_finalizer(napi_env env, napi_finalize finalize_cb, void *finalize_data,
                                                         void *finalize_hint) {
  NR_CHECK_BASIC_ENV(env);
  Nr__PostFinalizerRequest request = NR__POST_FINALIZER_REQUEST__INIT;
  struct nr_call call = NR_CALL(env, NR_OP_NODE_API_POST_FINALIZER, &request.base);
  request.object_id = nr_object_add(env, finalize_data, finalize_cb, finalize_hint);
  if (request.object_id == 0) call.out_of_memory = true;
  return nr_call_end(&call, nr_call_post(&call));
}

/* ---- the end --------------------------------------------------------------------------------------------------------
 */

/* CheckGCAccess() of Node's src/js_native_api_v8.h. */
_Noreturn void nr_end_in_gc(void) {
  static const char text[] = "FATAL ERROR: Finalizer is calling a function that may affect GC state.\n"
                             "The finalizers are run directly from GC and must not affect GC state.\n"
                             "Use `node_api_post_finalizer` from inside of the finalizer to work around this issue.\n"
                             "It schedules the call as a new task in the event loop.\n";
  fputs(text, stderr);
  abort();
}

/* Ends this process, not Node: with Node's words, src/node_errors.cc (FatalError). */
NR_EXPORT NAPI_NO_RETURN void NAPI_CDECL napi_fatal_error(const char *location, size_t location_len,
                                                          const char *message, size_t message_len) {
  int where = location == NULL ? 0 : (int)nr_length(location, location_len);
  int what = message == NULL ? 0 : (int)nr_length(message, message_len);
  char text[NR_CRASH_TEXT];
  snprintf(text, sizeof text, "FATAL ERROR: %.*s %.*s", where, location == NULL ? "" : location, what,
           message == NULL ? "" : message);
  nr_recorder_note(text);
  fprintf(stderr, "FATAL ERROR: %.*s %.*s\n", where, location == NULL ? "" : location, what,
          message == NULL ? "" : message);
  abort();
}
