/*
 * Threadsafe functions as JavaScript wants them: functions and threads are numbers, what they do are options. Built for
 * several versions of Node-API.
 */
#define T_GATES_FOR_JAVASCRIPT
#include "gates.h"
#include "recorder.h"

struct tsfn {
  napi_threadsafe_function handle;
  napi_ref other, on_final;
  uint32_t id;
  bool is_loud; /* prints instead of calling JavaScript */
  int dropped;
};

struct item {
  struct tsfn *tsfn;
  double value;
  uint32_t thread, sequence;
};

struct thread {
  pthread_t id;
  struct tsfn *tsfn;
  uint32_t number, count;
  int gate;
  bool retries, acquires, sends_nothing;
  napi_threadsafe_function_call_mode mode;
  int release; /* napi_threadsafe_function_release_mode, or -1 */
  uint32_t statuses[32];
};

static struct tsfn *tsfns[256];
static struct thread *threads[256];
static uint32_t used, used_threads;
static pthread_t main_thread;

static struct tsfn *tsfn_at(napi_env env, napi_value id) {
  uint32_t at = t_uint(env, id);
  if (at >= used) abort();
  return tsfns[at];
}

/* The function's argument: what was sent, by whom, and what call_js was given. What throws is left pending. */
static void call_js(napi_env env, napi_value callback, void *context, void *data) {
  struct item *item = data;
  struct tsfn *tsfn = item->tsfn;
  if (!env) {
    tsfn->dropped++;
    if (tsfn->is_loud) t_say("dropped %g%s", item->value, callback ? ", with a function" : "");
    free(item);
    return;
  }
  napi_value target = callback ? callback : tsfn->other ? t_deref(env, tsfn->other) : NULL, result;
  napi_value argv[] = {t_number(env, item->value),       t_number(env, item->thread),
                       t_number(env, item->sequence),    t_boolean(env, context == tsfn),
                       t_boolean(env, callback != NULL), t_boolean(env, pthread_equal(pthread_self(), main_thread))};
  free(item);
  if (target) (void)napi_call_function(env, t_undefined(env), target, T_COUNT(argv), argv, &result);
}

static void finalize(napi_env env, void *data, void *hint) {
  struct tsfn *tsfn = data;
  if (tsfn->is_loud) t_say("finalizer of %u%s%s", tsfn->id, hint == tsfn ? "" : ", wrong hint", env ? "" : ", no env");
  if (!tsfn->on_final) return;
  napi_value argv[] = {t_number(env, tsfn->id), t_boolean(env, hint == tsfn), t_number(env, tsfn->dropped)}, result;
  napi_value function = t_deref(env, tsfn->on_final);
  (void)napi_call_function(env, t_undefined(env), function, T_COUNT(argv), argv, &result);
}

/* (function, { resource, name, max, threads, callJs, other, onFinal, loud, plain }): its number. */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  if (used == T_COUNT(tsfns)) abort();
  struct tsfn *tsfn = calloc(1, sizeof *tsfn);
  if (!tsfn) abort();
  tsfn->id = used;
  tsfn->other = t_option_ref(env, argv[1], "other");
  tsfn->on_final = t_option_ref(env, argv[1], "onFinal");
  tsfn->is_loud = t_option_bool(env, argv[1], "loud");
  napi_value function = t_nullish(env, argv[0]) ? NULL : argv[0], name = t_option(env, argv[1], "name");
  napi_finalize finalizer = t_option_bool(env, argv[1], "plain") ? NULL : finalize;
  napi_threadsafe_function_call_js call = t_option_bool(env, argv[1], "callJs") ? call_js : NULL;
  T_OK(napi_create_threadsafe_function(
      env, function, t_option(env, argv[1], "resource"), name ? name : t_string(env, "test function"),
      (size_t)t_option_number(env, argv[1], "max", 0), (size_t)t_option_number(env, argv[1], "threads", 1), tsfn,
      finalizer, tsfn, call, &tsfn->handle));
  tsfns[used] = tsfn;
  return t_number(env, used++);
}

static napi_value status_of(napi_env env, napi_status status) {
  return t_string(env, t_status_name(status));
}

static napi_threadsafe_function_call_mode call_mode(napi_env env, napi_value value) {
  return !t_nullish(env, value) && t_bool(env, value) ? napi_tsfn_blocking : napi_tsfn_nonblocking;
}

/* (function, value, blocking = false) from this thread; without a value there is no item: for functions without
 * call_js. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  t_args(env, info, argv, 3);
  struct tsfn *tsfn = tsfn_at(env, argv[0]);
  struct item *item = NULL;
  if (!t_nullish(env, argv[1])) {
    item = calloc(1, sizeof *item);
    if (!item) abort();
    *item = (struct item){.tsfn = tsfn, .value = t_double(env, argv[1])};
  }
  napi_status status = napi_call_threadsafe_function(tsfn->handle, item, call_mode(env, argv[2]));
  if (status != napi_ok) free(item);
  return status_of(env, status);
}

static napi_value acquire(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return status_of(env, napi_acquire_threadsafe_function(tsfn_at(env, argv[0])->handle));
}

/* (function, abort = false) */
static napi_value release(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  bool aborts = !t_nullish(env, argv[1]) && t_bool(env, argv[1]);
  napi_threadsafe_function handle = tsfn_at(env, argv[0])->handle;
  return status_of(env, napi_release_threadsafe_function(handle, aborts ? napi_tsfn_abort : napi_tsfn_release));
}

static napi_value ref(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return status_of(env, napi_ref_threadsafe_function(env, tsfn_at(env, argv[0])->handle));
}

static napi_value unref(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return status_of(env, napi_unref_threadsafe_function(env, tsfn_at(env, argv[0])->handle));
}

static napi_value context(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  t_args(env, info, argv, 1);
  struct tsfn *tsfn = tsfn_at(env, argv[0]);
  void *found = NULL;
  napi_status status = napi_get_threadsafe_function_context(tsfn->handle, &found);
  T_OK(napi_set_element(env, result, 0, status_of(env, status)));
  T_OK(napi_set_element(env, result, 1, t_boolean(env, found == tsfn)));
  return result;
}

static napi_value dropped(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  return t_number(env, tsfn_at(env, argv[0])->dropped);
}

/* ---- Threads ----------------------------------------------------------------------------------------------------- */

static napi_status send(struct thread *thread, uint32_t sequence) {
  struct item *item = NULL;
  if (!thread->sends_nothing) {
    item = calloc(1, sizeof *item);
    if (!item) abort();
    *item = (struct item){thread->tsfn, sequence, thread->number, sequence};
  }
  napi_status status = napi_call_threadsafe_function(thread->tsfn->handle, item, thread->mode);
  while (status == napi_queue_full && thread->retries) {
    sched_yield();
    status = napi_call_threadsafe_function(thread->tsfn->handle, item, thread->mode);
  }
  if (status != napi_ok) free(item);
  return status;
}

/* Once a function is closing it must not be touched again. */
static void *work(void *data) {
  struct thread *thread = data;
  napi_status status = napi_ok;
  if (thread->acquires) T_OK(napi_acquire_threadsafe_function(thread->tsfn->handle));
  if (thread->gate >= 0) t_gate_pass((uint32_t)thread->gate);
  for (uint32_t i = 0; i < thread->count && status != napi_closing; i++) {
    status = send(thread, i);
    thread->statuses[status]++;
  }
  if (thread->release >= 0 && status != napi_closing)
    T_OK(
        napi_release_threadsafe_function(thread->tsfn->handle, (napi_threadsafe_function_release_mode)thread->release));
  return NULL;
}

/* (function, { count, blocking, gate, release: 'release' | 'abort', retry, acquire, nothing }): the thread's number. */
static napi_value spawn(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  if (used_threads == T_COUNT(threads)) abort();
  struct thread *thread = calloc(1, sizeof *thread);
  if (!thread) abort();
  thread->tsfn = tsfn_at(env, argv[0]);
  thread->number = (uint32_t)t_option_number(env, argv[1], "number", 0);
  thread->count = (uint32_t)t_option_number(env, argv[1], "count", 1);
  thread->gate = (int)t_option_number(env, argv[1], "gate", -1);
  thread->retries = t_option_bool(env, argv[1], "retry");
  thread->acquires = t_option_bool(env, argv[1], "acquire");
  thread->sends_nothing = t_option_bool(env, argv[1], "nothing");
  thread->mode = t_option_bool(env, argv[1], "blocking") ? napi_tsfn_blocking : napi_tsfn_nonblocking;
  char *mode = t_text(env, t_get(env, argv[1], "release"));
  thread->release = !mode ? -1 : strcmp(mode, "abort") == 0 ? napi_tsfn_abort : napi_tsfn_release;
  free(mode);
  if (pthread_create(&thread->id, NULL, work, thread) != 0) abort();
  threads[used_threads] = thread;
  return t_number(env, used_threads++);
}

/* (thread): waits for its end; how often it got which status. */
static napi_value join(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_object(env);
  t_args(env, info, argv, 1);
  struct thread *thread = threads[t_uint(env, argv[0])];
  if (pthread_join(thread->id, NULL) != 0) abort();
  for (uint32_t i = 0; i < T_COUNT(thread->statuses); i++)
    if (thread->statuses[i] > 0) t_set(env, result, t_status_name((napi_status)i), t_number(env, thread->statuses[i]));
  return result;
}

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

/* (symbol): wrong arguments. */
static napi_value misuse(napi_env env, napi_callback_info info) {
  napi_value argv[1], function, name = t_string(env, "misuse"), object = t_object(env), number = t_number(env, 1);
  t_args(env, info, argv, 1);
  struct t_recorder recorder = t_recorder(env);
  napi_threadsafe_function made = NULL;
  T_OK(napi_create_function(env, NULL, 0, nothing, NULL, &function));
#define CREATE(what, ...) CHECK(what, napi_create_threadsafe_function, __VA_ARGS__)
  CREATE("no env", NULL, function, object, name, 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("no threads", env, function, object, name, 0, 0, NULL, NULL, NULL, NULL, &made);
  CREATE("no result", env, function, object, name, 0, 1, NULL, NULL, NULL, NULL, NULL);
  CREATE("no name", env, function, object, NULL, 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("neither function nor call_js", env, NULL, object, name, 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("neither threads nor function nor result", env, NULL, object, name, 0, 0, NULL, NULL, NULL, NULL, NULL);
  CREATE("a number for a function", env, number, object, name, 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("an object for a function, with call_js", env, object, object, name, 0, 1, NULL, NULL, NULL, call_js, &made);
  CREATE("undefined for a function", env, t_undefined(env), object, name, 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("undefined for a resource", env, function, t_undefined(env), name, 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("a symbol for a name", env, function, object, argv[0], 0, 1, NULL, NULL, NULL, NULL, &made);
  CREATE("no resource", env, function, NULL, name, 0, 1, NULL, NULL, NULL, NULL, &made);
  CHECK("", napi_release_threadsafe_function, made, napi_tsfn_release);
  CREATE("a number for a resource and one for a name", env, function, number, number, 0, 1, NULL, NULL, NULL, NULL,
         &made);
  CHECK("no env", napi_unref_threadsafe_function, NULL, made);
  CHECK("no env", napi_ref_threadsafe_function, NULL, made);
  CHECK("an unknown mode", napi_call_threadsafe_function, made, NULL, (napi_threadsafe_function_call_mode)7);
  CHECK("an unknown mode", napi_release_threadsafe_function, made, (napi_threadsafe_function_release_mode)7);
  CHECK("again", napi_release_threadsafe_function, made, napi_tsfn_release);
  CHECK("again, to abort", napi_release_threadsafe_function, made, napi_tsfn_abort);
  return recorder.rows;
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {
      {"create", create}, {"call", call},   {"acquire", acquire}, {"release", release},
      {"ref", ref},       {"unref", unref}, {"context", context}, {"dropped", dropped},
      {"spawn", spawn},   {"join", join},   {"misuse", misuse},   T_GATE_FUNCTIONS,
  };
  main_thread = pthread_self();
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
