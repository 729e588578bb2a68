/* What a plugin does: state, classes, promises, work in the background, and ways not to come back. */
#include "ends.h"

#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* hot reload has another one built */
#ifndef PLUGIN_VERSION
#define PLUGIN_VERSION 1
#endif

static int calls;

static napi_value version(napi_env env, napi_callback_info info) {
  return t_number(env, PLUGIN_VERSION);
}

/* How often it was called in this process. */
static napi_value count(napi_env env, napi_callback_info info) {
  return t_number(env, ++calls);
}

/* Native code that never ends. */
static napi_value hang(napi_env env, napi_callback_info info) {
  for (;;) pause();
  return NULL;
}

/* The same, with one call of Node-API after the other. */
static napi_value spin(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  for (;;) {
    napi_handle_scope scope;
    napi_value value;
    T_OK(napi_open_handle_scope(env, &scope));
    T_OK(napi_get_named_property(env, argv[0], "name", &value));
    T_OK(napi_close_handle_scope(env, scope));
  }
  return NULL;
}

/* Blocks for so many milliseconds, of the clock or of the processor. */
static napi_value block(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  int32_t milliseconds = t_int(env, argv[0]);
  struct timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
  while (nanosleep(&time, &time) < 0) continue;
  return NULL;
}

static napi_value burn(napi_env env, napi_callback_info info) {
  for (volatile unsigned turns = 0;; turns++) continue;
  return NULL;
}

/* A promise that nobody settles. */
static napi_value owe(napi_env env, napi_callback_info info) {
  napi_deferred deferred;
  napi_value promise;
  T_OK(napi_create_promise(env, &deferred, &promise));
  return promise;
}

/* Holds an object for good. */
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_ref reference;
  t_args(env, info, argv, 1);
  T_OK(napi_create_reference(env, argv[0], 1, &reference));
  return NULL;
}

static void work_execute(napi_env env, void *data) {
  for (;;) pause();
}

static void work_complete(napi_env env, napi_status status, void *data) {
}

/* Work that never ends. */
static napi_value start_work(napi_env env, napi_callback_info info) {
  napi_async_work work;
  T_OK(napi_create_async_work(env, NULL, t_string(env, "plugin"), work_execute, work_complete, NULL, &work));
  T_OK(napi_queue_async_work(env, work));
  return NULL;
}

/* A threadsafe function that nobody releases. */
static napi_value start_thread(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_threadsafe_function function;
  t_args(env, info, argv, 1);
  T_OK(napi_create_threadsafe_function(env, argv[0], NULL, t_string(env, "plugin"), 0, 1, NULL, NULL, NULL, NULL,
                                       &function));
  return NULL;
}

static void hook(void *argument) {
}

static napi_value add_hook(napi_env env, napi_callback_info info) {
  T_OK(napi_add_env_cleanup_hook(env, hook, malloc(1)));
  return NULL;
}

/* Megabytes of memory, all of it written. Fewer than asked for: there is no more. */
static napi_value eat(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  int32_t wanted = t_int(env, argv[0]), eaten = 0;
  for (; eaten < wanted; eaten++) {
    char *memory = malloc(1 << 20);
    if (memory == NULL) break;
    memset(memory, 1, 1 << 20);
  }
  return t_number(env, eaten);
}

/* The soft limit of a resource, by number. */
static napi_value limit(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct rlimit found;
  t_args(env, info, argv, 1);
  getrlimit((__rlimit_resource_t)t_int(env, argv[0]), &found);
  return t_number(env, found.rlim_cur == RLIM_INFINITY ? -1 : (double)found.rlim_cur);
}

static napi_value print(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  char *text = t_text(env, argv[1]);
  size_t left = strlen(text);
  for (const char *at = text; left > 0;) {
    ssize_t written = write(t_int(env, argv[0]), at, left);
    if (written <= 0) break;
    at += written;
    left -= (size_t)written;
  }
  free(text);
  return NULL;
}

static napi_value environment(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *name = t_text(env, argv[0]);
  napi_value result = t_string(env, getenv(name));
  free(name);
  return result;
}

/* ---- a class ---- */

static void counter_free(napi_env env, void *data, void *hint) {
  free(data);
}

static napi_value counter_create(napi_env env, napi_callback_info info) {
  napi_value argv[1], self;
  size_t argc = 1;
  T_OK(napi_get_cb_info(env, info, &argc, argv, &self, NULL));
  int32_t *counter = malloc(sizeof *counter);
  *counter = argc == 0 || t_nullish(env, argv[0]) ? 0 : t_int(env, argv[0]);
  T_OK(napi_wrap(env, self, counter, counter_free, NULL, NULL));
  return self;
}

static int32_t *counter_of(napi_env env, napi_callback_info info) {
  napi_value self;
  void *data = NULL;
  T_OK(napi_get_cb_info(env, info, NULL, NULL, &self, NULL));
  if (napi_unwrap(env, self, &data) == napi_ok) return data;
  napi_throw_type_error(env, NULL, "no counter");
  return NULL;
}

static napi_value counter_next(napi_env env, napi_callback_info info) {
  int32_t *counter = counter_of(env, info);
  return counter == NULL ? NULL : t_number(env, ++*counter);
}

static napi_value counter_value(napi_env env, napi_callback_info info) {
  int32_t *counter = counter_of(env, info);
  return counter == NULL ? NULL : t_number(env, *counter);
}

static napi_ref counter_class;

/* An instance that native code makes. */
static napi_value make_counter(napi_env env, napi_callback_info info) {
  napi_value class, argv[1], result;
  size_t argc = t_args(env, info, argv, 1);
  T_OK(napi_get_reference_value(env, counter_class, &class));
  T_OK(napi_new_instance(env, class, argc > 1 ? 1 : argc, argv, &result));
  return result;
}

static napi_value value_of(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *data = NULL;
  t_args(env, info, argv, 1);
  if (napi_unwrap(env, argv[0], &data) == napi_ok) return t_number(env, *(int32_t *)data);
  napi_throw_type_error(env, NULL, "no counter");
  return NULL;
}

static napi_value make_class(napi_env env) {
  const napi_property_descriptor properties[] = {
      {.utf8name = "next", .method = counter_next, .attributes = napi_default_method},
      {.utf8name = "value", .getter = counter_value, .attributes = napi_default},
      {.utf8name = "make", .method = make_counter, .attributes = napi_default_method | napi_static},
  };
  napi_value class;
  T_OK(napi_define_class(env, "Counter", NAPI_AUTO_LENGTH, counter_create, NULL, T_COUNT(properties), properties,
                         &class));
  T_OK(napi_create_reference(env, class, 1, &counter_class));
  return class;
}

static const struct t_function functions[] = {
    {"version", version},
    {"count", count},
    {"pid", t_pid},
    {"crash", t_crash},
    {"exit", t_exit},
    {"hang", hang},
    {"spin", spin},
    {"block", block},
    {"burn", burn},
    {"call", t_call},
    {"owe", owe},
    {"hold", hold},
    {"startWork", start_work},
    {"startThread", start_thread},
    {"addHook", add_hook},
    {"eat", eat},
    {"limit", limit},
    {"print", print},
    {"environment", environment},
    {"makeCounter", make_counter},
    {"valueOf", value_of},
#if PLUGIN_VERSION > 1
    {"onlyInTwo", version},
#endif
};

/* How an addon with PLUGIN_INIT set fares when it is loaded. */
static void misbehave(napi_env env) {
  const char *how = getenv("PLUGIN_INIT");
  if (how == NULL) return;
  if (strcmp(how, "hang") == 0) hang(env, NULL);
  if (strcmp(how, "crash") == 0) t_crash(env, NULL);
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor described = {
      .utf8name = "described", .method = count, .attributes = napi_default_method};
  misbehave(env);
  t_export(env, exports, functions, T_COUNT(functions));
  napi_value nested = t_object(env);
  t_export(env, nested, functions, 3);
  t_set(env, exports, "nested", nested);
  t_set(env, exports, "Counter", make_class(env));
  t_set(env, exports, "number", t_number(env, PLUGIN_VERSION));
  T_OK(napi_define_properties(env, exports, 1, &described));
  if (getenv("PLUGIN_INIT") != NULL && strcmp(getenv("PLUGIN_INIT"), "throw") == 0)
    napi_throw_error(env, "PLUGIN_INIT", "as asked");
  return exports;
}
