/*
 * References that are counted and deleted on threads that have no business doing so. Node tolerates it, and addons do
 * it.
 */
#include "gates.h"

static napi_ref refs[256];
static uint32_t used;

struct errand {
  napi_env env;
  napi_ref ref;
  int ref_times, unref_times;
  bool deletes;
  napi_status statuses[16];
  uint32_t counts[16], steps;
};

static void *run_errand(void *data) {
  struct errand *errand = data;
  for (int i = 0; i < errand->ref_times; i++, errand->steps++)
    errand->statuses[errand->steps] = napi_reference_ref(errand->env, errand->ref, &errand->counts[errand->steps]);
  for (int i = 0; i < errand->unref_times; i++, errand->steps++)
    errand->statuses[errand->steps] = napi_reference_unref(errand->env, errand->ref, &errand->counts[errand->steps]);
  if (errand->deletes) errand->statuses[errand->steps++] = napi_delete_reference(errand->env, errand->ref);
  return NULL;
}

/* (value, count): the number of a reference. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  if (used == T_COUNT(refs)) abort();
  T_OK(napi_create_reference(env, argv[0], t_uint(env, argv[1]), &refs[used]));
  return t_number(env, used++);
}

/* (reference): its value. */
static napi_value value_of(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  t_args(env, info, argv, 1);
  T_OK(napi_get_reference_value(env, refs[t_uint(env, argv[0])], &value));
  return value;
}

static napi_value ref_here(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t count = 0;
  t_args(env, info, argv, 1);
  napi_status status = napi_reference_ref(env, refs[t_uint(env, argv[0])], &count);
  return t_result(env, status, t_number(env, count));
}

static napi_value unref_here(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t count = 0;
  t_args(env, info, argv, 1);
  napi_status status = napi_reference_unref(env, refs[t_uint(env, argv[0])], &count);
  return t_result(env, status, t_number(env, count));
}

static napi_value told(napi_env env, const struct errand *errand) {
  napi_value result = t_array(env);
  for (uint32_t i = 0; i < errand->steps; i++) {
    napi_value row = t_array(env);
    T_OK(napi_set_element(env, row, 0, t_string(env, t_status_name(errand->statuses[i]))));
    T_OK(napi_set_element(env, row, 1, t_number(env, errand->counts[i])));
    T_OK(napi_set_element(env, result, i, row));
  }
  return result;
}

/* (reference, how often to ref, how often to unref, delete it): on a thread that this one waits for. */
static napi_value elsewhere(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  pthread_t thread;
  t_args(env, info, argv, 4);
  struct errand errand = {.env = env, .ref = refs[t_uint(env, argv[0])]};
  errand.ref_times = t_int(env, argv[1]);
  errand.unref_times = t_int(env, argv[2]);
  errand.deletes = t_bool(env, argv[3]);
  if (pthread_create(&thread, NULL, run_errand, &errand) != 0 || pthread_join(thread, NULL) != 0) abort();
  return told(env, &errand);
}

struct deleter {
  napi_env env;
  napi_ref ref;
  int gate;
};

static void *delete_later(void *data) {
  struct deleter *deleter = data;
  t_gate_pass((uint32_t)deleter->gate);
  T_OK(napi_delete_reference(deleter->env, deleter->ref));
  free(deleter);
  t_gate_pass(63);
  return NULL;
}

/* (reference, gate): deleted on a thread, once the gate is open; then the thread waits at gate 63. */
static napi_value delete_by_thread(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  pthread_t thread;
  t_args(env, info, argv, 2);
  struct deleter *deleter = malloc(sizeof *deleter);
  if (!deleter) abort();
  *deleter = (struct deleter){env, refs[t_uint(env, argv[0])], t_int(env, argv[1])};
  if (pthread_create(&thread, NULL, delete_later, deleter) != 0) abort();
  pthread_detach(thread);
  return NULL;
}

/* (gate): opens it, and waits until the thread behind it has deleted its reference: this one must not touch any
 * meanwhile. */
static napi_value let_delete(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  t_gate_open(t_uint(env, argv[0]), 1);
  t_gate_await(63, 1);
  t_gate_open(63, 1);
  t_gate_await(63, 0);
  return NULL;
}

static const struct t_function functions[] = {
    {"create", create},        {"valueOf", value_of},    {"ref", ref_here},
    {"unref", unref_here},     {"elsewhere", elsewhere}, {"deleteByThread", delete_by_thread},
    {"letDelete", let_delete},
};
T_INIT(functions)
