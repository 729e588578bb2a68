/*
 * What the stress test (tests/stress) does natively: calls back, works in the background, calls from threads, promises
 * that threads settle, bytes that both sides write, objects with finalizers. Each env has its own state, so any number
 * of threads may use it at the same time.
 */
#include "stress_kit.h"
#include "stress_threads.h"

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

/* (view, seed) */
static napi_value write_bytes(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  struct bytes bytes;
  uint32_t seed;
  S(arguments(env, info, argv, 2));
  S(bytes_of(env, argv[0], &bytes));
  S(napi_get_value_uint32(env, argv[1], &seed));
  fill(bytes, seed);
  return NULL;
}

/* (view) */
static napi_value read_bytes(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  struct bytes bytes;
  S(arguments(env, info, argv, 1));
  S(bytes_of(env, argv[0], &bytes));
  return number(env, hash(bytes));
}

/* (view, seed, function): writes, calls, and says what the bytes are then. */
static napi_value around(napi_env env, napi_callback_info info) {
  napi_value argv[3], undefined, result;
  struct bytes bytes;
  uint32_t seed;
  S(arguments(env, info, argv, 3));
  S(bytes_of(env, argv[0], &bytes));
  S(napi_get_value_uint32(env, argv[1], &seed));
  fill(bytes, seed);
  S(napi_get_undefined(env, &undefined));
  S(napi_call_function(env, undefined, argv[2], 0, NULL, &result));
  return number(env, hash(bytes));
}

/* ---- calls and exceptions ---------------------------------------------------------------------------------------- */

enum mode { PASS, CATCH, REPLACE };

static napi_value caught(napi_env env, uint32_t mode) {
  napi_value exception, result, text;
  if (mode == PASS) return NULL;
  S(napi_get_and_clear_last_exception(env, &exception));
  if (mode == CATCH) {
    S(napi_create_object(env, &result));
    S(napi_set_named_property(env, result, "caught", exception));
    return result;
  }
  S(napi_create_string_utf8(env, "replaced", NAPI_AUTO_LENGTH, &text));
  S(napi_create_error(env, NULL, text, &result));
  S(napi_set_named_property(env, result, "cause", exception));
  napi_throw(env, result);
  return NULL;
}

/* (function, argument, mode): what the function returns, in scopes of its own; what becomes of an exception is the
 * mode.
 */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[3], undefined, inner = NULL, result = NULL;
  napi_escapable_handle_scope scope;
  uint32_t mode;
  S(arguments(env, info, argv, 3));
  S(napi_get_value_uint32(env, argv[2], &mode));
  S(napi_open_escapable_handle_scope(env, &scope));
  S(napi_get_undefined(env, &undefined));
  napi_status status = napi_call_function(env, undefined, argv[0], 1, &argv[1], &inner);
  if (status == napi_pending_exception) inner = caught(env, mode);
  if (inner) napi_escape_handle(env, scope, inner, &result);
  napi_close_escapable_handle_scope(env, scope);
  return result;
}

/* ---- objects with finalizers ------------------------------------------------------------------------------------- */

static void release_memory(napi_env env, void *data, void *hint) {
  free(data);
  ((struct state *)hint)->alive--;
}

static napi_status make_thing(napi_env env, struct state *state, uint32_t value, napi_value *result) {
  uint32_t *memory = allocate(sizeof *memory);
  napi_status status = napi_create_object(env, result);
  *memory = value;
  if (status == napi_ok) status = napi_wrap(env, *result, memory, release_memory, state, NULL);
  if (status == napi_ok)
    state->alive++;
  else
    free(memory);
  return status;
}

/* (count, first): an array of wrapped objects. */
static napi_value things(napi_env env, napi_callback_info info) {
  napi_value argv[2], result, thing;
  uint32_t count, first;
  S(arguments(env, info, argv, 2));
  S(napi_get_value_uint32(env, argv[0], &count));
  S(napi_get_value_uint32(env, argv[1], &first));
  S(napi_create_array(env, &result));
  for (uint32_t i = 0; i < count; i++) {
    napi_handle_scope scope;
    S(napi_open_handle_scope(env, &scope));
    napi_status status = make_thing(env, state_of(env), first + i, &thing);
    if (status == napi_ok) status = napi_set_element(env, result, i, thing);
    napi_close_handle_scope(env, scope);
    S(status);
  }
  return result;
}

/* (thing) */
static napi_value value_of(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  uint32_t *value;
  S(arguments(env, info, argv, 1));
  S(napi_unwrap(env, argv[0], (void **)&value));
  return number(env, *value);
}

/* (length, seed): an external Buffer. */
static napi_value external(napi_env env, napi_callback_info info) {
  napi_value argv[2], result;
  uint32_t length, seed;
  S(arguments(env, info, argv, 2));
  S(napi_get_value_uint32(env, argv[0], &length));
  S(napi_get_value_uint32(env, argv[1], &seed));
  struct bytes bytes = {allocate(length + 1), length};
  struct state *state = state_of(env);
  fill(bytes, seed);
  state->alive++;
  if (napi_create_external_buffer(env, length, bytes.at, release_memory, state, &result) == napi_ok) return result;
  free(bytes.at);
  state->alive--;
  return NULL;
}

static napi_value alive(napi_env env, napi_callback_info info) {
  return number(env, state_of(env)->alive);
}

/* ---- async works ------------------------------------------------------------------------------------------------- */

struct work {
  struct state *state;
  napi_async_work handle; /* NULL once it is complete */
  napi_deferred deferred;
  napi_ref view;
  struct bytes bytes;
  uint32_t input, output;
  bool fails;
  int owners; /* itself, and its external */
};

static void disown(struct work *work) {
  if (--work->owners > 0) return;
  work->state->alive--;
  free(work);
}

static void forget_work(napi_env env, void *data, void *hint) {
  disown(data);
}

static void execute(napi_env env, void *data) {
  struct work *work = data;
  for (size_t i = 0; i < work->bytes.length; i++) work->bytes.at[i] = (uint8_t)(work->bytes.at[i] * 3 + work->input);
  work->output = hash(work->bytes) + work->input * 2;
}

static void complete(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  napi_value value = NULL;
  if (status == napi_ok)
    value = number(env, work->output);
  else if (napi_create_string_utf8(env, t_status_name(status), NAPI_AUTO_LENGTH, &value) != napi_ok)
    value = NULL;
  settle(env, work->deferred, status == napi_ok && !work->fails, value);
  if (work->view) napi_delete_reference(env, work->view);
  napi_delete_async_work(env, work->handle);
  work->handle = NULL;
  disown(work);
}

static napi_value start_work(napi_env env, struct work *work, napi_value view) {
  napi_value promise, name, handle, result;
  napi_valuetype type;
  S(napi_typeof(env, view, &type));
  if (type == napi_object) {
    S(bytes_of(env, view, &work->bytes));
    S(napi_create_reference(env, view, 1, &work->view));
  }
  S(napi_create_promise(env, &work->deferred, &promise));
  S(napi_create_string_utf8(env, "stress", NAPI_AUTO_LENGTH, &name));
  S(napi_create_array(env, &result));
  S(napi_set_element(env, result, 0, promise));
  S(napi_create_async_work(env, NULL, name, execute, complete, work, &work->handle));
  work->owners++;
  if (napi_create_external(env, work, forget_work, NULL, &handle) != napi_ok) {
    work->owners--;
    return NULL;
  }
  S(napi_set_element(env, result, 1, handle));
  return result;
}

/* (view or undefined, input, fails): [promise, handle]. The view's bytes are the work's until the promise is settled.
 */
static napi_value work(napi_env env, napi_callback_info info) {
  napi_value argv[3];
  struct work *work = allocate(sizeof *work);
  work->state = state_of(env);
  work->state->alive++;
  work->owners = 1;
  napi_value result = NULL;
  if (arguments(env, info, argv, 3) == napi_ok && napi_get_value_uint32(env, argv[1], &work->input) == napi_ok &&
      napi_get_value_bool(env, argv[2], &work->fails) == napi_ok)
    result = start_work(env, work, argv[0]);
  if (result && napi_queue_async_work(env, work->handle) == napi_ok) return result;
  if (work->handle) napi_delete_async_work(env, work->handle);
  work->handle = NULL;
  disown(work);
  return NULL;
}

/* (handle): whether the work was cancelled. */
static napi_value cancel(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  struct work *work;
  S(arguments(env, info, argv, 1));
  S(napi_get_value_external(env, argv[0], (void **)&work));
  S(napi_get_boolean(env, work->handle && napi_cancel_async_work(env, work->handle) == napi_ok, &result));
  return result;
}

/* Finalizers of the env may come after that of the instance data: the state stays. */
NAPI_MODULE_INIT() {
  static const struct t_function functions[] = {
      {"write", write_bytes}, {"read", read_bytes}, {"around", around},     {"call", call},     {"things", things},
      {"valueOf", value_of},  {"work", work},       {"external", external}, {"cancel", cancel}, {"stream", stream},
      {"end", end},           {"later", later},     {"alive", alive},
  };
  S(napi_set_instance_data(env, allocate(sizeof(struct state)), NULL, NULL));
  for (size_t i = 0; i < T_COUNT(functions); i++) {
    napi_value function;
    S(napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].callback, NULL, &function));
    S(napi_set_named_property(env, exports, functions[i].name, function));
  }
  return exports;
}
