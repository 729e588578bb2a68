/*
 * A bit of everything that an addon does, for hosts that fail on purpose: it looks at no status, so whatever comes back
 * it goes on.
 */
#define ADDON_NAPI_VERSION 8
#include "common.h"

#include <pthread.h>
#include <uv.h>

static napi_value args(napi_env env, napi_callback_info info, napi_value *argv, size_t capacity) {
  napi_value this_arg = NULL;
  size_t argc = capacity;
  for (size_t i = 0; i < capacity; i++) argv[i] = NULL;
  (void)napi_get_cb_info(env, info, &argc, argv, &this_arg, NULL);
  return this_arg;
}

static napi_value number(napi_env env, double value) {
  napi_value result = NULL;
  (void)napi_create_double(env, value, &result);
  return result;
}

static double number_of(napi_env env, napi_value value) {
  double result = 0;
  (void)napi_get_value_double(env, value, &result);
  return result;
}

static napi_value string(napi_env env, const char *text) {
  napi_value result = NULL;
  (void)napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &result);
  return result;
}

static napi_value call_with(napi_env env, napi_value function, size_t argc, const napi_value *argv) {
  napi_value recv = NULL, result = NULL;
  (void)napi_get_undefined(env, &recv);
  (void)napi_call_function(env, recv, function, argc, argv, &result);
  return result;
}

/* ---- Calls ---- */

static napi_value add(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  args(env, info, argv, 2);
  return number(env, number_of(env, argv[0]) + number_of(env, argv[1]));
}

/* (text, bigint, symbol): reads and makes primitives that need a handle. */
static napi_value primitives(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = NULL, value = NULL;
  char utf8[64];
  char16_t utf16[64];
  size_t length = 0, words = 2;
  int sign = 0;
  int64_t wide = 0;
  uint64_t digits[2] = {1, 2};
  bool lossless = false;
  args(env, info, argv, 3);
  (void)napi_get_value_string_utf8(env, argv[0], NULL, 0, &length);
  (void)napi_get_value_string_utf8(env, argv[0], utf8, sizeof utf8, &length);
  (void)napi_get_value_string_utf16(env, argv[0], utf16, T_COUNT(utf16), &length);
  (void)napi_get_value_bigint_int64(env, argv[1], &wide, &lossless);
  (void)napi_get_value_bigint_words(env, argv[1], &sign, &words, digits);
  (void)napi_create_bigint_words(env, 1, 2, digits, &value);
  (void)napi_create_symbol(env, string(env, "a symbol"), &value);
  (void)napi_create_string_utf16(env, u"sixteen", 7, &value);
  (void)napi_create_date(env, 1e12, &value);
  (void)napi_coerce_to_string(env, value, &result);
  (void)napi_strict_equals(env, argv[0], result, &lossless);
  return result;
}

/* (object): properties of all sorts. */
static napi_value properties(napi_env env, napi_callback_info info) {
  napi_value argv[1], fresh = NULL, names = NULL, value = NULL;
  bool has = false;
  args(env, info, argv, 1);
  (void)napi_create_array(env, &names);
  (void)napi_create_object(env, &fresh);
  (void)napi_set_named_property(env, fresh, "posted", string(env, "one"));
  (void)napi_set_element(env, names, 0, fresh);
  (void)napi_set_named_property(env, argv[0], "set", names);
  (void)napi_get_named_property(env, argv[0], "text", &value);
  (void)napi_get_property(env, argv[0], string(env, "list"), &value);
  (void)napi_get_element(env, value, 1, &value);
  (void)napi_has_own_property(env, argv[0], string(env, "text"), &has);
  (void)napi_delete_property(env, argv[0], string(env, "text"), &has);
  (void)napi_get_property_names(env, argv[0], &names);
  (void)napi_object_freeze(env, fresh);
  return names;
}

/* (error): throws, catches, makes errors, leaves one pending. */
static napi_value errors(napi_env env, napi_callback_info info) {
  napi_value argv[1], value = NULL;
  bool is = false;
  args(env, info, argv, 1);
  (void)napi_throw(env, argv[0]);
  (void)napi_get_and_clear_last_exception(env, &value);
  (void)napi_is_error(env, value, &is);
  (void)napi_create_type_error(env, string(env, "CODE"), string(env, "text"), &value);
  (void)napi_run_script(env, string(env, "throw new RangeError('script')"), &value);
  (void)napi_get_and_clear_last_exception(env, &value);
  (void)napi_throw_error(env, "WORKLOAD", "as it should be");
  return NULL;
}

/* Scopes, and references that outlive them. */
static napi_value scopes(napi_env env, napi_callback_info info) {
  napi_value argv[1], inner = NULL, outer = NULL;
  napi_handle_scope scope = NULL;
  napi_escapable_handle_scope escapable = NULL;
  napi_ref ref = NULL;
  uint32_t count = 0;
  args(env, info, argv, 1);
  (void)napi_open_handle_scope(env, &scope);
  (void)napi_open_escapable_handle_scope(env, &escapable);
  (void)napi_create_object(env, &inner);
  (void)napi_set_named_property(env, inner, "argument", argv[0]);
  (void)napi_create_reference(env, inner, 1, &ref);
  (void)napi_escape_handle(env, escapable, inner, &outer);
  (void)napi_close_escapable_handle_scope(env, escapable);
  (void)napi_get_named_property(env, outer, "argument", &inner);
  (void)napi_close_handle_scope(env, scope);
  (void)napi_reference_ref(env, ref, &count);
  (void)napi_get_reference_value(env, ref, &outer);
  (void)napi_delete_reference(env, ref);
  return outer;
}

/* (function, depth): calls function(depth - 1), which may come back here. */
static napi_value nest(napi_env env, napi_callback_info info) {
  napi_value argv[2], result = NULL;
  args(env, info, argv, 2);
  double depth = number_of(env, argv[1]);
  if (!(depth > 0)) return argv[1];
  napi_value less = number(env, depth - 1);
  result = call_with(env, argv[0], 1, &less);
  (void)napi_get_named_property(env, argv[0], "name", &less);
  return result;
}

/* (Class, method): new instances, and functions made here. */
static napi_value functions_of(napi_env env, napi_callback_info info) {
  napi_value argv[1], instance = NULL, function = NULL, sum = NULL;
  bool is = false;
  args(env, info, argv, 1);
  (void)napi_new_instance(env, argv[0], 0, NULL, &instance);
  (void)napi_instanceof(env, instance, argv[0], &is);
  (void)napi_create_function(env, "made", NAPI_AUTO_LENGTH, add, NULL, &function);
  napi_value operands[] = {number(env, 1), number(env, 2)};
  sum = call_with(env, function, 2, operands);
  (void)napi_set_named_property(env, instance, "sum", sum);
  return function;
}

/* ---- Memory ---- */

static char statics[300000];

static void forget(napi_env env, void *data, void *hint) {
}

static void fill(void *data, size_t length) {
  if (data && length > 0 && length < 4096) memset(data, 7, length);
}

/* (buffer, arraybuffer, view, large buffer): looks at them and writes; returns some of its own. */
static napi_value buffers(napi_env env, napi_callback_info info) {
  napi_value argv[4], made = NULL, result = NULL, view = NULL;
  void *data = NULL;
  size_t length = 0, offset = 0;
  napi_typedarray_type type = napi_uint8_array;
  args(env, info, argv, 4);
  (void)napi_create_array(env, &result);
  (void)napi_get_buffer_info(env, argv[0], &data, &length);
  (void)napi_get_arraybuffer_info(env, argv[1], &data, &length);
  (void)napi_get_typedarray_info(env, argv[2], &type, &length, &data, &made, &offset);
  fill(statics, 64);
  (void)napi_create_buffer_copy(env, 64, statics, &data, &made);
  fill(data, 64);
  (void)napi_set_element(env, result, 0, made);
  (void)napi_create_arraybuffer(env, 200000, &data, &made);
  (void)napi_create_typedarray(env, napi_uint16_array, 8, made, 16, &view);
  (void)napi_set_element(env, result, 1, view);
  (void)napi_create_external_buffer(env, 4096, statics, forget, NULL, &made);
  (void)napi_set_element(env, result, 2, made);
  (void)napi_create_external_arraybuffer(env, statics, sizeof statics, forget, NULL, &made);
  (void)napi_set_element(env, result, 3, made);
  statics[5]++;
  (void)napi_get_buffer_info(env, argv[3], &data, &length);
  (void)napi_detach_arraybuffer(env, argv[1]);
  return result;
}

/* ---- Wraps and finalizers ---- */

static napi_value construct(napi_env env, napi_callback_info info) {
  napi_value this_arg = args(env, info, NULL, 0);
  (void)napi_wrap(env, this_arg, statics, forget, NULL, NULL);
  return this_arg;
}

static napi_value method(napi_env env, napi_callback_info info) {
  napi_value this_arg = args(env, info, NULL, 0);
  void *data = NULL;
  (void)napi_unwrap(env, this_arg, &data);
  return number(env, data == statics);
}

static napi_value make_class(napi_env env) {
  napi_value class = NULL;
  napi_property_descriptor members[] = {
      {.utf8name = "method", .method = method, .attributes = napi_default},
      {.utf8name = "getter", .getter = method, .attributes = napi_default},
      {.utf8name = "constant", .value = number(env, 3), .attributes = napi_static},
  };
  (void)napi_define_class(env, "Wrapped", NAPI_AUTO_LENGTH, construct, NULL, T_COUNT(members), members, &class);
  return class;
}

/* (object): holds native things that are finalized when it is gone. */
static napi_value finalizers(napi_env env, napi_callback_info info) {
  napi_value argv[1], external = NULL;
  void *data = NULL;
  args(env, info, argv, 1);
  (void)napi_create_external(env, statics, forget, NULL, &external);
  (void)napi_get_value_external(env, external, &data);
  (void)napi_add_finalizer(env, argv[0], statics, forget, NULL, NULL);
  (void)napi_set_named_property(env, argv[0], "external", external);
  return argv[0];
}

/* ---- In the background ---- */

struct work {
  napi_async_work work;
  napi_deferred deferred;
};

static void execute(napi_env env, void *data) {
}

static void complete(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  (void)napi_resolve_deferred(env, work->deferred, number(env, status));
  (void)napi_delete_async_work(env, work->work);
  free(work);
}

static napi_value work(napi_env env, napi_callback_info info) {
  napi_value promise = NULL;
  struct work *made = calloc(1, sizeof *made);
  if (!made) abort();
  (void)napi_create_promise(env, &made->deferred, &promise);
  (void)napi_create_async_work(env, NULL, string(env, "work"), execute, complete, made, &made->work);
  (void)napi_queue_async_work(env, made->work);
  return promise;
}

static void *push(void *data) {
  for (uintptr_t i = 1; i <= 3; i++) (void)napi_call_threadsafe_function(data, (void *)i, napi_tsfn_blocking);
  (void)napi_release_threadsafe_function(data, napi_tsfn_release);
  return NULL;
}

static void on_push(napi_env env, napi_value function, void *context, void *data) {
  napi_value argv[1];
  if (!env) return;
  argv[0] = number(env, (double)(uintptr_t)data);
  call_with(env, function, 1, argv);
}

/* (function): another thread calls it three times. */
static napi_value threadsafe(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  napi_threadsafe_function function = NULL;
  pthread_t thread;
  args(env, info, argv, 1);
  if (napi_create_threadsafe_function(env, argv[0], NULL, string(env, "pushes"), 2, 1, NULL, forget, NULL, on_push,
                                      &function) != napi_ok)
    return NULL;
  if (pthread_create(&thread, NULL, push, function) == 0) pthread_detach(thread);
  return NULL;
}

/* (function): in an async context of its own. */
static napi_value contexts(napi_env env, napi_callback_info info) {
  napi_value argv[1], resource = NULL, recv = NULL, result = NULL;
  napi_async_context context = NULL;
  napi_callback_scope scope = NULL;
  args(env, info, argv, 1);
  (void)napi_create_object(env, &resource);
  (void)napi_async_init(env, resource, string(env, "context"), &context);
  (void)napi_get_global(env, &recv);
  (void)napi_make_callback(env, context, recv, argv[0], 0, NULL, &result);
  (void)napi_open_callback_scope(env, resource, context, &scope);
  call_with(env, argv[0], 0, NULL);
  (void)napi_close_callback_scope(env, scope);
  (void)napi_async_destroy(env, context);
  return result;
}

struct timer {
  uv_timer_t handle;
  napi_env env;
  napi_ref function;
};

static void on_closed(uv_handle_t *handle) {
  free(handle);
}

static void on_timer(uv_timer_t *handle) {
  struct timer *timer = (struct timer *)handle;
  napi_handle_scope scope = NULL;
  napi_value function = NULL;
  (void)napi_open_handle_scope(timer->env, &scope);
  (void)napi_get_reference_value(timer->env, timer->function, &function);
  call_with(timer->env, function, 0, NULL);
  (void)napi_delete_reference(timer->env, timer->function);
  (void)napi_close_handle_scope(timer->env, scope);
  uv_close((uv_handle_t *)handle, on_closed);
}

/* (function): called by a timer of libuv's. */
static napi_value timer(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uv_loop_t *loop = NULL;
  struct timer *made = calloc(1, sizeof *made);
  args(env, info, argv, 1);
  if (!made || napi_get_uv_event_loop(env, &loop) != napi_ok) return NULL;
  made->env = env;
  (void)napi_create_reference(env, argv[0], 1, &made->function);
  (void)uv_timer_init(loop, &made->handle);
  (void)uv_timer_start(&made->handle, on_timer, 1, 0);
  return NULL;
}

/* (all): an addon that waits for JavaScript, once, or for all that is left to do: Node's loop turns inside this call.
 */
static napi_value turn(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  bool all = false;
  uv_loop_t *loop = NULL;
  args(env, info, argv, 1);
  (void)napi_get_value_bool(env, argv[0], &all);
  if (napi_get_uv_event_loop(env, &loop) == napi_ok) (void)uv_run(loop, all ? UV_RUN_DEFAULT : UV_RUN_NOWAIT);
  return NULL;
}

/* ---- The end ---- */

static napi_env hooked;

static void on_end(void *data) {
}

static void on_async_end(napi_async_cleanup_hook_handle handle, void *data) {
  (void)napi_remove_async_cleanup_hook(handle);
}

static void end_instance(napi_env env, void *data, void *hint) {
  string(env, "the last call");
}

static napi_value hooks(napi_env env, napi_callback_info info) {
  hooked = env;
  (void)napi_add_env_cleanup_hook(env, on_end, &hooked);
  (void)napi_add_env_cleanup_hook(env, on_end, statics);
  (void)napi_remove_env_cleanup_hook(env, on_end, &hooked);
  (void)napi_add_async_cleanup_hook(env, on_async_end, NULL, NULL);
  (void)napi_set_instance_data(env, statics, end_instance, NULL);
  return NULL;
}

NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {
      {"add", add},
      {"primitives", primitives},
      {"properties", properties},
      {"errors", errors},
      {"scopes", scopes},
      {"nest", nest},
      {"functions", functions_of},
      {"buffers", buffers},
      {"work", work},
      {"threadsafe", threadsafe},
      {"contexts", contexts},
      {"timer", timer},
      {"turn", turn},
      {"hooks", hooks},
      {"finalizers", finalizers},
  };
  for (size_t i = 0; i < T_COUNT(functions); i++) {
    napi_value function = NULL;
    (void)napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function);
    (void)napi_set_named_property(env, exports, functions[i].name, function);
  }
  (void)napi_set_named_property(env, exports, "Wrapped", make_class(env));
  return exports;
}
