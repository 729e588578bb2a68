/* Finalizers write down that they ran; JavaScript reads the list, and the end of an env can be told to print it. */
#include "common.h"

#include <unistd.h>

static int log_entries[4096];
static uint32_t log_count;
static napi_ref callback;
static bool aloud;

/* The id is the finalizer's data, the kind its hint. */
static void finalize(napi_env env, void *data, void *hint) {
  int entry = *(int *)data * 10 + (int)(intptr_t)hint;
  if (log_count < T_COUNT(log_entries)) log_entries[log_count++] = entry;
  free(data);
  if (aloud) {
    char line[32];
    int length = snprintf(line, sizeof line, "finalizer %d\n", entry);
    if (write(STDOUT_FILENO, line, (size_t)length) != length) abort();
  }
}

static void *id(napi_env env, napi_value value) {
  int *data = malloc(sizeof *data);
  if (!data) abort();
  *data = t_int(env, value);
  return data;
}

/* (object, id) */
static napi_value wrap(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  T_OK(napi_wrap(env, argv[0], id(env, argv[1]), finalize, (void *)1, NULL));
  return NULL;
}

/* (object): its finalizer will not run. */
static napi_value remove_wrap(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  void *data;
  t_args(env, info, argv, 1);
  T_OK(napi_remove_wrap(env, argv[0], &data));
  free(data);
  return NULL;
}

static uint32_t many;

static void finalize_one_of_many(napi_env env, void *data, void *hint) {
  many++;
  free(data);
}

/* (count): wraps as many new objects, which nobody keeps. */
static napi_value wrap_many(napi_env env, napi_callback_info info) {
  napi_value argv[1], object;
  napi_handle_scope scope;
  t_args(env, info, argv, 1);
  for (uint32_t i = t_uint(env, argv[0]); i > 0; i--) {
    T_OK(napi_open_handle_scope(env, &scope));
    T_OK(napi_create_object(env, &object));
    T_OK(napi_wrap(env, object, malloc(16), finalize_one_of_many, NULL, NULL));
    T_OK(napi_close_handle_scope(env, scope));
  }
  return NULL;
}

/* How many of those are finalized. */
static napi_value count_many(napi_env env, napi_callback_info info) {
  return t_number(env, many);
}

static napi_value external(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  T_OK(napi_create_external(env, id(env, argv[0]), finalize, (void *)2, &result));
  return result;
}

static napi_value add_finalizer(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_add_finalizer(env, argv[0], id(env, argv[1]), finalize, (void *)3, NULL), NULL);
}

static void finalize_calling(napi_env env, void *data, void *hint) {
  napi_value function, argument = t_number(env, *(int *)data);
  finalize(env, data, (void *)4);
  T_OK(napi_get_reference_value(env, callback, &function));
  /* What it throws stays pending: Node reports it as an uncaught exception. */
  napi_call_function(env, t_undefined(env), function, 1, &argument, NULL);
}

/* (object, id): the finalizer calls the function given to setCallback(). */
static napi_value add_calling_finalizer(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_add_finalizer(env, argv[0], id(env, argv[1]), finalize_calling, NULL, NULL), NULL);
}

static napi_value set_callback(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_create_reference(env, argv[0], 1, &callback));
  return NULL;
}

/* (id) */
static napi_value set_instance_data(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_set_instance_data(env, id(env, argv[0]), finalize, (void *)5));
  return NULL;
}

static napi_value take_log(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  for (uint32_t i = 0; i < log_count; i++) T_OK(napi_set_element(env, result, i, t_number(env, log_entries[i])));
  log_count = 0;
  return result;
}

/* From now on finalizers also print, and so does the end of the process: what runs when Node is about to go? */
static napi_value speak(napi_env env, napi_callback_info info) {
  aloud = true;
  return NULL;
}

__attribute__((destructor)) static void end(void) {
  static const char line[] = "C destructor\n";
  if (aloud && write(STDOUT_FILENO, line, sizeof line - 1) < 0) abort();
}

static const struct t_function functions[] = {
    {"wrap", wrap},
    {"wrapMany", wrap_many},
    {"countMany", count_many},
    {"removeWrap", remove_wrap},
    {"external", external},
    {"addFinalizer", add_finalizer},
    {"addCallingFinalizer", add_calling_finalizer},
    {"setCallback", set_callback},
    {"setInstanceData", set_instance_data},
    {"takeLog", take_log},
    {"speak", speak},
};
T_INIT(functions)
