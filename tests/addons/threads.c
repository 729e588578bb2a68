/*
 * What threads of one process share: C statics, threadsafe functions of each other's envs, a log that outlives the
 * envs, and places where one waits for the other.
 */
#define T_GATES_FOR_JAVASCRIPT
#include "gates.h"
#include "uv_kit.h"

#include <signal.h>
#include <sys/syscall.h>

#define SLOTS 32

static struct slot {
  napi_threadsafe_function function;
  int sum; /* of what was sent and not called */
} slots[SLOTS];

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static char entries[256][64];
static uint32_t entry_count;
static int loads;
static void *loops[SLOTS];

static void note(const char *what, const char *text) {
  pthread_mutex_lock(&mutex);
  if (entry_count == T_COUNT(entries)) abort();
  snprintf(entries[entry_count++], sizeof entries[0], "%s %s", what, text);
  pthread_mutex_unlock(&mutex);
}

/* (): what has been noted, and forgets it. */
static napi_value take_log(napi_env env, napi_callback_info info) {
  napi_value array = t_array(env);
  pthread_mutex_lock(&mutex);
  for (uint32_t i = 0; i < entry_count; i++) T_OK(napi_set_element(env, array, i, t_string(env, entries[i])));
  entry_count = 0;
  pthread_mutex_unlock(&mutex);
  return array;
}

static napi_value log_text(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *text = t_text(env, argv[0]);
  note("said", text);
  free(text);
  return NULL;
}

/* ---- threadsafe functions ---- */

static struct slot *slot_at(napi_env env, napi_value number) {
  return &slots[t_uint(env, number) % SLOTS];
}

static void call_js(napi_env env, napi_value callback, void *context, void *data) {
  struct slot *slot = context;
  napi_value result;
  pthread_mutex_lock(&mutex);
  if (env == NULL) slot->sum += (int)(intptr_t)data;
  pthread_mutex_unlock(&mutex);
  if (env == NULL) return;
  napi_value argv[] = {t_number(env, (double)(intptr_t)data)};
  (void)napi_call_function(env, t_undefined(env), callback, 1, argv, &result);
}

static void finalize(napi_env env, void *data, void *hint) {
  note("finalized", "function");
}

/* (slot, function, limit, threads) */
static napi_value offer(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  t_args(env, info, argv, 4);
  struct slot *slot = slot_at(env, argv[0]);
  T_OK(napi_create_threadsafe_function(env, argv[1], NULL, t_string(env, "offered"), t_uint(env, argv[2]),
                                       t_uint(env, argv[3]), NULL, finalize, slot, call_js, &slot->function));
  return NULL;
}

/* (slot, value, blocking): from this thread. */
static napi_value send_value(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  napi_status status =
      napi_call_threadsafe_function(slot_at(env, argv[0])->function, (void *)(intptr_t)t_int(env, argv[1]),
                                    t_bool(env, argv[2]) ? napi_tsfn_blocking : napi_tsfn_nonblocking);
  return t_string(env, t_status_name(status));
}

/* (slot, aborts) */
static napi_value release(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_string(
      env, t_status_name(napi_release_threadsafe_function(slot_at(env, argv[0])->function,
                                                          t_bool(env, argv[1]) ? napi_tsfn_abort : napi_tsfn_release)));
}

struct pusher {
  struct slot *slot;
  int count, gate;
};

static void *push(void *data) {
  struct pusher *pusher = data;
  napi_status status = napi_ok;
  if (pusher->gate >= 0) t_gate_pass((uint32_t)pusher->gate);
  for (int i = 1; i <= pusher->count && status == napi_ok; i++)
    status = napi_call_threadsafe_function(pusher->slot->function, (void *)(intptr_t)i, napi_tsfn_blocking);
  if (status == napi_ok) status = napi_release_threadsafe_function(pusher->slot->function, napi_tsfn_release);
  note("pushed", t_status_name(status));
  free(pusher);
  return NULL;
}

/* (slot, count, gate): a thread of its own sends 1 to `count` and lets go; gate -1: at once. */
static napi_value start(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  struct pusher *pusher = malloc(sizeof *pusher);
  pthread_t thread;
  if (!pusher) abort();
  *pusher = (struct pusher){slot_at(env, argv[0]), t_int(env, argv[1]), t_int(env, argv[2])};
  if (pthread_create(&thread, NULL, push, pusher) != 0) abort();
  pthread_detach(thread);
  return NULL;
}

/* ---- the thread, its loop, its end ---- */

static napi_value is_first_thread(napi_env env, napi_callback_info info) {
  return t_boolean(env, syscall(SYS_gettid) == getpid());
}

/* (number): which thread showed this loop before, -1 none; and whether it is the default loop. */
static napi_value loop(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  int found = -1;
  for (int i = 0; i < SLOTS && found < 0; i++) {
    if (loops[i] == t_loop(env)) found = i;
  }
  loops[t_uint(env, argv[0]) % SLOTS] = t_loop(env);
  T_OK(napi_set_element(env, result, 0, t_number(env, found)));
  T_OK(napi_set_element(env, result, 1, t_boolean(env, t_loop(env) == uv_default_loop())));
  return result;
}

/* (gate): waits in native code until it is opened. */
static napi_value wait_at(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  t_gate_pass(t_uint(env, argv[0]) % T_GATES);
  note("passed", "a gate");
  return NULL;
}

static void on_end(void *data) {
  note("hook", data);
  free(data);
}

static napi_value hook(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_add_env_cleanup_hook(env, on_end, t_text(env, argv[0])));
  return NULL;
}

/* A hook that waits for a gate. */
static void wait_in_hook(void *data) {
  note("hook", "waits");
  t_gate_pass((uint32_t)(uintptr_t)data);
}

static napi_value waiting_hook(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_add_env_cleanup_hook(env, wait_in_hook, (void *)(uintptr_t)(t_uint(env, argv[0]) % T_GATES)));
  return NULL;
}

static void finalize_text(napi_env env, void *data, void *hint) {
  note("finalizer", data);
  free(data);
}

/* (object, text) */
static napi_value wrap(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  T_OK(napi_wrap(env, argv[0], t_text(env, argv[1]), finalize_text, NULL, NULL));
  return NULL;
}

static napi_value set_data(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  T_OK(napi_set_instance_data(env, t_text(env, argv[0]), finalize_text, NULL));
  return NULL;
}

struct work {
  napi_async_work handle;
  uint32_t gate;
};

static void execute(napi_env env, void *data) {
  t_gate_pass(((struct work *)data)->gate);
}

static void complete(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  note("work", t_status_name(status));
  T_OK(napi_delete_async_work(env, work->handle));
  free(work);
}

/* (gate): a work that waits there. */
static napi_value queue(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  struct work *work = calloc(1, sizeof *work);
  if (!work) abort();
  work->gate = t_uint(env, argv[0]) % T_GATES;
  T_OK(napi_create_async_work(env, NULL, t_string(env, "work"), execute, complete, work, &work->handle));
  T_OK(napi_queue_async_work(env, work->handle));
  return NULL;
}

static napi_value count_loads(napi_env env, napi_callback_info info) {
  return t_number(env, loads);
}

/* Calls the function from native code. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = NULL;
  t_args(env, info, argv, 1);
  (void)napi_call_function(env, t_undefined(env), argv[0], 0, NULL, &result);
  return result;
}

static napi_value die(napi_env env, napi_callback_info info) {
  raise(SIGKILL);
  return NULL;
}

static const struct t_function functions[] = {
    {"takeLog", take_log}, {"log", log_text}, {"offer", offer}, {"send", send_value},
    {"release", release},  {"start", start},  {"loop", loop},   {"isFirstThread", is_first_thread},
    {"waitAt", wait_at},   {"hook", hook},    {"wrap", wrap},   {"waitingHook", waiting_hook},
    {"setData", set_data}, {"queue", queue},  {"call", call},   {"loads", count_loads},
    {"die", die},          T_GATE_FUNCTIONS,
};

NAPI_MODULE_INIT() {
  pthread_mutex_lock(&mutex);
  loads++;
  pthread_mutex_unlock(&mutex);
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
