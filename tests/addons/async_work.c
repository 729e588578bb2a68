/*
 * Async work as JavaScript wants it: works are numbers; what `execute` waits for and when a work is deleted are
 * options.
 */
#define T_GATES_FOR_JAVASCRIPT
#include "gates.h"
#include "recorder.h"

enum when { NEVER, FIRST, LAST };

struct work {
  napi_async_work handle;
  napi_ref callback;
  napi_deferred deferred;
  uint32_t id;
  int gate; /* that `execute` waits at, or -1 */
  enum when remove;
  bool executed, is_elsewhere, is_promised;
  int32_t input, output;
  uint32_t completed; /* so often */
};

static struct work *works[4096];
static uint32_t used;
static pthread_t main_thread;
/* Works in `execute` now, and how many there were at most. */
static int running, most;

static void execute(napi_env env, void *data) {
  struct work *work = data;
  int now = __atomic_add_fetch(&running, 1, __ATOMIC_SEQ_CST), before = __atomic_load_n(&most, __ATOMIC_SEQ_CST);
  while (now > before && !__atomic_compare_exchange_n(&most, &before, now, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
  }
  if (work->gate >= 0) t_gate_pass((uint32_t)work->gate);
  work->executed = true;
  work->is_elsewhere = !pthread_equal(pthread_self(), main_thread);
  work->output = work->input * 2;
  __atomic_sub_fetch(&running, 1, __ATOMIC_SEQ_CST);
}

static void remove_work(napi_env env, struct work *work) {
  T_OK(napi_delete_async_work(env, work->handle));
  work->handle = NULL;
}

static void settle(napi_env env, struct work *work, napi_status status) {
  if (status == napi_ok)
    T_OK(napi_resolve_deferred(env, work->deferred, t_number(env, work->output)));
  else
    T_OK(napi_reject_deferred(env, work->deferred, t_string(env, t_status_name(status))));
}

/* What the callback throws is left pending. */
static void complete(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  work->completed++;
  if (work->remove == FIRST) remove_work(env, work);
  if (work->is_promised) settle(env, work, status);
  if (work->callback) {
    napi_value argv[] = {t_string(env, t_status_name(status)), t_number(env, work->id), t_boolean(env, work->executed),
                         t_number(env, work->output), t_boolean(env, work->is_elsewhere)};
    napi_value result;
    napi_value callback = t_deref(env, work->callback);
    T_OK(napi_delete_reference(env, work->callback));
    work->callback = NULL;
    (void)napi_call_function(env, t_undefined(env), callback, T_COUNT(argv), argv, &result);
  }
  if (work->remove == LAST) remove_work(env, work);
}

/* ({ callback, resource, name, cName, gate, input, remove: 'first' | 'last', promise, noComplete }). cName: the name is
 * the address of a C string, which addons of an early napi-rs give. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[1], name, resource, promise = NULL;
  t_args(env, info, argv, 1);
  if (used == T_COUNT(works)) abort();
  struct work *work = calloc(1, sizeof *work);
  if (!work) abort();
  work->id = used;
  work->gate = (int)t_option_number(env, argv[0], "gate", -1);
  work->input = (int32_t)t_option_number(env, argv[0], "input", 0);
  work->callback = t_option_ref(env, argv[0], "callback");
  char *when = t_text(env, t_get(env, argv[0], "remove"));
  work->remove = !when ? NEVER : strcmp(when, "first") == 0 ? FIRST : LAST;
  free(when);
  work->is_promised = t_option_bool(env, argv[0], "promise");
  if (work->is_promised) T_OK(napi_create_promise(env, &work->deferred, &promise));
  resource = t_option(env, argv[0], "resource");
  name = t_option(env, argv[0], "name");
  if (!name) name = t_string(env, "test work");
  if (t_option_bool(env, argv[0], "cName")) name = (napi_value)(uintptr_t) "napi_rs_async_work";
  bool silent = t_option_bool(env, argv[0], "noComplete");
  T_OK(napi_create_async_work(env, resource, name, execute, silent ? NULL : complete, work, &work->handle));
  works[used] = work;
  napi_value id = t_number(env, used++);
  if (!promise) return id;
  napi_value result = t_object(env);
  t_set(env, result, "id", id);
  t_set(env, result, "promise", promise);
  return result;
}

static struct work *work_of(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  uint32_t id = t_uint(env, argv[0]);
  if (id >= used || !works[id]) abort();
  return works[id];
}

static napi_value queue(napi_env env, napi_callback_info info) {
  return t_result(env, napi_queue_async_work(env, work_of(env, info)->handle), NULL);
}

static napi_value cancel(napi_env env, napi_callback_info info) {
  return t_result(env, napi_cancel_async_work(env, work_of(env, info)->handle), NULL);
}

static napi_value delete (napi_env env, napi_callback_info info) {
  struct work *work = work_of(env, info);
  napi_status status = napi_delete_async_work(env, work->handle);
  work->handle = NULL;
  return t_result(env, status, NULL);
}

/* (id): has it been executed? From any moment on. */
static napi_value is_executed(napi_env env, napi_callback_info info) {
  return t_boolean(env, __atomic_load_n(&work_of(env, info)->executed, __ATOMIC_SEQ_CST));
}

/* (id): how often? */
static napi_value times_completed(napi_env env, napi_callback_info info) {
  return t_number(env, work_of(env, info)->completed);
}

static napi_value most_running(napi_env env, napi_callback_info info) {
  return t_number(env, __atomic_exchange_n(&most, 0, __ATOMIC_SEQ_CST));
}

static void nothing(napi_env env, void *data) {
}

/* (symbol): wrong arguments of all six functions. */
static napi_value misuse(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  struct t_recorder recorder = t_recorder(env);
  napi_async_work work = NULL;
  napi_value name = t_string(env, "misuse"), number = t_number(env, 3), object = t_object(env);
  napi_value nothing_at_all = t_undefined(env), null;
  T_OK(napi_get_null(env, &null));
  CHECK("no env", napi_create_async_work, NULL, object, name, nothing, NULL, NULL, &work);
  CHECK("no execute", napi_create_async_work, env, object, name, NULL, NULL, NULL, &work);
  CHECK("no result", napi_create_async_work, env, object, name, nothing, NULL, NULL, NULL);
  CHECK("no name", napi_create_async_work, env, object, NULL, nothing, NULL, NULL, &work);
  CHECK("neither execute nor result", napi_create_async_work, env, object, name, NULL, NULL, NULL, NULL);
  CHECK("resource undefined", napi_create_async_work, env, nothing_at_all, name, nothing, NULL, NULL, &work);
  CHECK("resource null", napi_create_async_work, env, null, name, nothing, NULL, NULL, &work);
  CHECK("name a symbol", napi_create_async_work, env, object, argv[0], nothing, NULL, NULL, &work);
  CHECK("resource a number", napi_create_async_work, env, number, name, nothing, NULL, NULL, &work);
  CHECK("", napi_delete_async_work, env, work);
  CHECK("name a number", napi_create_async_work, env, NULL, number, nothing, NULL, NULL, &work);
  CHECK("no env", napi_queue_async_work, NULL, work);
  CHECK("no env", napi_cancel_async_work, NULL, work);
  CHECK("no env", napi_delete_async_work, NULL, work);
  CHECK("", napi_delete_async_work, env, work);
  CHECK("no work", napi_queue_async_work, env, NULL);
  CHECK("no work", napi_cancel_async_work, env, NULL);
  CHECK("no work", napi_delete_async_work, env, NULL);
  return recorder.rows;
}

/* (error): what the functions answer while an exception is pending. */
static napi_value pending(napi_env env, napi_callback_info info) {
  napi_value argv[1], name = t_string(env, "pending"), result = t_array(env), exception;
  t_args(env, info, argv, 1);
  napi_async_work work = NULL;
  napi_status statuses[4];
  T_OK(napi_throw(env, argv[0]));
  statuses[0] = napi_create_async_work(env, NULL, name, nothing, NULL, NULL, &work);
  statuses[1] = work ? napi_queue_async_work(env, work) : napi_generic_failure;
  statuses[2] = napi_queue_async_work(env, NULL);
  statuses[3] = napi_delete_async_work(env, NULL);
  T_OK(napi_get_and_clear_last_exception(env, &exception));
  for (uint32_t i = 0; i < T_COUNT(statuses); i++)
    T_OK(napi_set_element(env, result, i, t_string(env, t_status_name(statuses[i]))));
  T_OK(napi_set_element(env, result, T_COUNT(statuses), exception));
  return result;
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {
      {"create", create},
      {"queue", queue},
      {"cancel", cancel},
      {"remove", delete},
      {"isExecuted", is_executed},
      {"timesCompleted", times_completed},
      {"misuse", misuse},
      {"pending", pending},
      {"mostRunning", most_running},
      T_GATE_FUNCTIONS,
  };
  main_thread = pthread_self();
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
