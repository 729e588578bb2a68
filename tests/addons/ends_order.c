/*
 * Whatever an env lets go of at its end, each thing of which tells when its turn has come.
 */
#include "gates.h"

struct thing {
  const char *kind;
  int number;
  napi_async_work work;
};

/* Never freed: it may have to tell twice, for a test to fail. */
static struct thing *thing_of(napi_env env, napi_callback_info info, const char *kind) {
  napi_value argv[1];
  struct thing *thing = calloc(1, sizeof *thing);
  if (!thing) abort();
  t_args(env, info, argv, 1);
  *thing = (struct thing){.kind = kind, .number = t_int(env, argv[0])};
  return thing;
}

static void tell(const void *data) {
  const struct thing *thing = data;
  t_say("%s %d", thing->kind, thing->number);
}

static void finalize(node_api_basic_env env, void *data, void *hint) {
  tell(hint);
}

static napi_value external(napi_env env, napi_callback_info info) {
  napi_value result;
  struct thing *thing = thing_of(env, info, "external");
  T_OK(napi_create_external(env, thing, finalize, thing, &result));
  return result;
}

static uint8_t bytes[64];

static napi_value buffer(napi_env env, napi_callback_info info) {
  napi_value result;
  T_OK(napi_create_external_buffer(env, sizeof bytes, bytes, finalize, thing_of(env, info, "buffer"), &result));
  return result;
}

static napi_value arraybuffer(napi_env env, napi_callback_info info) {
  napi_value result;
  struct thing *thing = thing_of(env, info, "arraybuffer");
  T_OK(napi_create_external_arraybuffer(env, bytes, sizeof bytes, finalize, thing, &result));
  return result;
}

static napi_value wrapped(napi_env env, struct thing *thing, napi_ref *reference) {
  napi_value result = t_object(env);
  T_OK(napi_wrap(env, result, thing, finalize, thing, reference));
  return result;
}

static napi_value wrap(napi_env env, napi_callback_info info) {
  return wrapped(env, thing_of(env, info, "wrap"), NULL);
}

static napi_value wrap_with_reference(napi_env env, napi_callback_info info) {
  napi_ref reference;
  return wrapped(env, thing_of(env, info, "wrap with a reference"), &reference);
}

static napi_value finalizer(napi_env env, napi_callback_info info) {
  struct thing *thing = thing_of(env, info, "finalizer");
  napi_value result = t_object(env);
  T_OK(napi_add_finalizer(env, result, thing, finalize, thing, NULL));
  return result;
}

static napi_value reference(napi_env env, napi_callback_info info) {
  napi_value result = t_object(env);
  napi_ref made;
  T_OK(napi_create_reference(env, result, 1, &made));
  return result;
}

static napi_value instance(napi_env env, napi_callback_info info) {
  struct thing *thing = thing_of(env, info, "instance data");
  T_OK(napi_set_instance_data(env, thing, finalize, thing));
  return NULL;
}

static napi_value hook(napi_env env, napi_callback_info info) {
  T_OK(napi_add_env_cleanup_hook(env, (void (*)(void *))tell, thing_of(env, info, "hook")));
  return NULL;
}

static void tell_and_end(napi_async_cleanup_hook_handle handle, void *data) {
  tell(data);
  T_OK(napi_remove_async_cleanup_hook(handle));
}

static napi_value async_hook(napi_env env, napi_callback_info info) {
  T_OK(napi_add_async_cleanup_hook(env, tell_and_end, thing_of(env, info, "async hook"), NULL));
  return NULL;
}

/* Nothing is queued. */
static void never(napi_env env, napi_value function, void *context, void *data) {
  abort();
}

static napi_value threadsafe(napi_env env, napi_callback_info info) {
  struct thing *thing = thing_of(env, info, "threadsafe function");
  napi_threadsafe_function made;
  T_OK(napi_create_threadsafe_function(env, NULL, NULL, t_string(env, "ends"), 0, 1, thing, finalize, thing, never,
                                       &made));
  T_OK(napi_unref_threadsafe_function(env, made));
  return NULL;
}

/* The test says when: not before the thread's end has been asked for, perhaps. */
static void execute(napi_env env, void *data) {
  t_gate_pass(0);
}

static napi_value open_gate(napi_env env, napi_callback_info info) {
  t_gate_open(0, 1);
  return NULL;
}

static void complete(napi_env env, napi_status status, void *data) {
  struct thing *thing = data;
  tell(thing);
  T_OK(napi_delete_async_work(env, thing->work));
}

static napi_value work(napi_env env, napi_callback_info info) {
  struct thing *thing = thing_of(env, info, "work");
  T_OK(napi_create_async_work(env, NULL, t_string(env, "ends"), execute, complete, thing, &thing->work));
  T_OK(napi_queue_async_work(env, thing->work));
  return NULL;
}

static const struct t_function functions[] = {
    {"external", external},
    {"buffer", buffer},
    {"arraybuffer", arraybuffer},
    {"wrap", wrap},
    {"wrapWithReference", wrap_with_reference},
    {"finalizer", finalizer},
    {"reference", reference},
    {"instance", instance},
    {"hook", hook},
    {"asyncHook", async_hook},
    {"threadsafe", threadsafe},
    {"work", work},
    {"open", open_gate},
};

T_INIT(functions)
