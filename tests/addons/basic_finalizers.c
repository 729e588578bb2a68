/* Finalizers of an addon of the experimental version: Node runs them inside the collection. */
#define NAPI_EXPERIMENTAL
#define ADDON_NAPI_VERSION NAPI_VERSION_EXPERIMENTAL
#include <js_native_api_types.h>

#include "common.h"

#include <unistd.h>

/* Of Node's src/js_native_api.h; the packaged headers leave it out. */
NAPI_EXTERN napi_status NAPI_CDECL node_api_post_finalizer(node_api_basic_env env, napi_finalize finalize_cb,
                                                           void *finalize_data, void *finalize_hint);

static int finalized, posted, failed;
static bool aloud;
static napi_ref callback;

static void say(const char *what, int id) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s %d\n", what, id);
  if (aloud && write(STDOUT_FILENO, line, (size_t)length) != length) abort();
}

static void count(node_api_basic_env env, void *data, void *hint) {
  finalized++;
  say("basic", (int)(intptr_t)data);
}

/* What Node allows in a collection, all of it. */
static void use_basics(node_api_basic_env env, void *data, void *hint) {
  const napi_node_version *node;
  const napi_extended_error_info *info;
  const char *file;
  uint32_t version;
  int64_t memory;
  void *instance;
  failed += napi_get_version(env, &version) != napi_ok;
  failed += napi_get_node_version(env, &node) != napi_ok;
  failed += node_api_get_module_file_name(env, &file) != napi_ok;
  failed += napi_get_instance_data(env, &instance) != napi_ok;
  failed += napi_set_instance_data(env, instance, NULL, NULL) != napi_ok;
  failed += napi_adjust_external_memory(env, -1000, &memory) != napi_ok;
  failed += napi_get_last_error_info(env, &info) != napi_ok || info->error_code != napi_ok;
  count(env, data, hint);
}

struct holder {
  napi_ref own, other;
};

static void delete_references(node_api_basic_env env, void *data, void *hint) {
  struct holder *holder = data;
  failed += napi_delete_reference(env, holder->own) != napi_ok;
  failed += napi_delete_reference(env, holder->other) != napi_ok;
  free(holder);
  count(env, hint, NULL);
}

/* Runs later, when JavaScript may be called. */
static void call_back(napi_env env, void *data, void *hint) {
  napi_value function, argument = t_number(env, (int)(intptr_t)data);
  posted++;
  say("posted", (int)(intptr_t)data);
  if (callback == NULL) return;
  T_OK(napi_get_reference_value(env, callback, &function));
  napi_call_function(env, t_undefined(env), function, 1, &argument, NULL);
}

static void post(node_api_basic_env env, void *data, void *hint) {
  failed += node_api_post_finalizer(env, call_back, data, hint) != napi_ok;
  count(env, data, hint);
}

static void touch_javascript(node_api_basic_env env, void *data, void *hint) {
  napi_value undefined;
  napi_get_undefined((napi_env)env, &undefined);
}

static node_api_basic_finalize kind_of(napi_env env, napi_value value) {
  static const struct {
    const char *name;
    node_api_basic_finalize finalize;
  } kinds[] = {{"count", count}, {"basics", use_basics}, {"post", post}, {"touch", touch_javascript}};
  char *name = t_text(env, value);
  node_api_basic_finalize finalize = NULL;
  for (size_t i = 0; i < T_COUNT(kinds); i++) {
    if (name != NULL && strcmp(name, kinds[i].name) == 0) finalize = kinds[i].finalize;
  }
  free(name);
  return finalize;
}

/* (object, kind, id) */
static napi_value wrap(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  T_OK(napi_wrap(env, argv[0], (void *)(intptr_t)t_int(env, argv[2]), kind_of(env, argv[1]), NULL, NULL));
  return NULL;
}

/* (bytes): announced, for the finalizers that give them back. */
static napi_value announce(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  int64_t memory;
  t_args(env, info, argv, 1);
  T_OK(napi_adjust_external_memory(env, t_int(env, argv[0]), &memory));
  return NULL;
}

/* (object, kind, id) */
static napi_value add_finalizer(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  T_OK(napi_add_finalizer(env, argv[0], (void *)(intptr_t)t_int(env, argv[2]), kind_of(env, argv[1]), NULL, NULL));
  return NULL;
}

/* (kind, id) */
static napi_value external(napi_env env, napi_callback_info info) {
  napi_value argv[2], result;
  t_args(env, info, argv, 2);
  T_OK(napi_create_external(env, (void *)(intptr_t)t_int(env, argv[1]), kind_of(env, argv[0]), NULL, &result));
  return result;
}

/* (object, other, id): when the object goes, its finalizer lets the other go that only the addon held. */
static napi_value hold(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  struct holder *holder = malloc(sizeof *holder);
  if (holder == NULL) abort();
  t_args(env, info, argv, 3);
  T_OK(napi_create_reference(env, argv[1], 1, &holder->other));
  T_OK(napi_wrap(env, argv[0], holder, delete_references, (void *)(intptr_t)t_int(env, argv[2]), &holder->own));
  return NULL;
}

/* (id): posted from JavaScript, not from a finalizer. */
static napi_value post_now(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_result(env, node_api_post_finalizer(env, call_back, (void *)(intptr_t)t_int(env, argv[0]), NULL), NULL);
}

static napi_value post_nothing(napi_env env, napi_callback_info info) {
  return t_result(env, node_api_post_finalizer(env, NULL, NULL, NULL), NULL);
}

/* (function): calls it, and what was collected meanwhile is counted before this returns. */
static napi_value counted_around(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  int before = finalized;
  T_OK(napi_call_function(env, t_undefined(env), argv[0], 0, NULL, NULL));
  T_OK(napi_set_element(env, result, 0, t_number(env, finalized - before)));
  return result;
}

static napi_value set_callback(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_create_reference(env, argv[0], 1, &callback));
  return NULL;
}

/* {finalized, posted, failed} since the last time. */
static napi_value take_counts(napi_env env, napi_callback_info info) {
  napi_value result;
  T_OK(napi_create_object(env, &result));
  t_set(env, result, "finalized", t_number(env, finalized));
  t_set(env, result, "posted", t_number(env, posted));
  t_set(env, result, "failed", t_number(env, failed));
  finalized = posted = failed = 0;
  return result;
}

static napi_value speak(napi_env env, napi_callback_info info) {
  aloud = true;
  return NULL;
}

static const struct t_function functions[] = {
    {"wrap", wrap},
    {"announce", announce},
    {"addFinalizer", add_finalizer},
    {"external", external},
    {"hold", hold},
    {"postNow", post_now},
    {"postNothing", post_nothing},
    {"countedAround", counted_around},
    {"setCallback", set_callback},
    {"takeCounts", take_counts},
    {"speak", speak},
};
T_INIT(functions)
