/*
 * Calls any function of Node-API with arguments as JavaScript describes them, and tells all that it came to. The
 * functions, and the kinds of their parameters, are generated (tests/calls/raw.js).
 */
#include "tests/calls/raw.h"

#include <dlfcn.h>

#include "generated/tests/raw.inc"

/* What is declared, whatever of the headers is used. */
#undef NAPI_VERSION
#ifdef RAW_VERSION
#define NAPI_VERSION RAW_VERSION
#else
#define NAPI_VERSION 8
#endif

/* Last, so that the call is all that happens inside of them. */
static void open_scopes(struct raw_call *call) {
  for (size_t i = 0; i < call->function->count; i++) {
    if (call->places[i].is_null) continue;
    napi_handle_scope scope;
    napi_escapable_handle_scope escapable;
    if (call->places[i].kind == RAW_SCOPE) {
      T_OK(napi_open_handle_scope(call->env, &scope));
      call->slots[i].pointer = scope;
    } else if (call->places[i].kind == RAW_ESCAPABLE) {
      T_OK(napi_open_escapable_handle_scope(call->env, &escapable));
      call->slots[i].pointer = escapable;
    }
  }
}

/* Those that the call got and did not close, and those that it opened. */
static void close_scopes(struct raw_call *call, napi_status status) {
  bool closed = status == napi_ok &&
                (raw_is(call, "napi_close_handle_scope") || raw_is(call, "napi_close_escapable_handle_scope"));
  for (size_t i = 0; i < call->function->count; i++) {
    struct raw_place *place = &call->places[i];
    if (place->is_null) continue;
    if (place->kind == RAW_SCOPE && !closed) T_OK(napi_close_handle_scope(call->env, call->slots[i].pointer));
    if (place->kind == RAW_ESCAPABLE && !closed) {
      T_OK(napi_close_escapable_handle_scope(call->env, call->slots[i].pointer));
    }
    if (status != napi_ok) continue;
    if (place->kind == RAW_OUT_SCOPE) T_OK(napi_close_handle_scope(call->env, *(napi_handle_scope *)place->memory));
    if (place->kind == RAW_OUT_ESCAPABLE) {
      T_OK(napi_close_escapable_handle_scope(call->env, *(napi_escapable_handle_scope *)place->memory));
    }
  }
}

static const struct raw_function *find(napi_env env, napi_value name) {
  char *text = t_text(env, name);
  const struct raw_function *found = NULL;
  for (size_t i = 0; i < T_COUNT(raw_functions) && !found; i++) {
    if (strcmp(raw_functions[i].name, text) == 0) found = &raw_functions[i];
  }
  free(text);
  return found;
}

/* (name, descriptions, pending): all that became of the call. `pending`, when it is given, is thrown before. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[3], result = t_object(env), outs = t_array(env), thrown = NULL;
  const napi_extended_error_info *error;
  struct raw_call call = {.env = env, .info = info};
  size_t argc = t_args(env, info, argv, 3);
  call.function = find(env, argv[0]);
  if (!call.function) abort();
  raw_prepare(&call, argv[1]);
  call.pending = argc > 2;
  if (call.pending) T_OK(napi_throw(env, argv[2]));
  open_scopes(&call);
  napi_status status = call.function->call(call.slots);
  T_OK(napi_get_last_error_info(env, &error));
  napi_extended_error_info last = *error;
  /* The text is only promised until the next call. */
  char message[256] = "";
  if (last.error_message) last.error_message = strncpy(message, last.error_message, sizeof message - 1);
  close_scopes(&call, status);
  bool pending;
  T_OK(napi_is_exception_pending(env, &pending));
  if (pending) T_OK(napi_get_and_clear_last_exception(env, &thrown));
  if (status == napi_ok && raw_is(&call, "napi_add_env_cleanup_hook")) {
    T_OK(napi_remove_env_cleanup_hook(env, raw_hook, call.slots[2].pointer));
  }
  t_set(env, result, "status", t_string(env, t_status_name(status)));
  t_set(env, result, "last", raw_tell_error_info(env, &last));
  if (thrown) t_set(env, result, "thrown", thrown);
  for (uint32_t i = 0; i < call.function->count; i++) {
    napi_value told = raw_tell(&call, i, status);
    if (t_typeof(env, told) != napi_undefined || call.places[i].kind == RAW_OUT_VALUES) {
      T_OK(napi_set_element(env, outs, i, told));
    }
  }
  t_set(env, result, "outs", outs);
  for (size_t i = 0; i < call.function->count; i++) free(call.places[i].memory);
  return result;
}

/* (name): is there a function of this name in the program? */
static napi_value has(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *name = t_text(env, argv[0]);
  bool found = dlsym(RTLD_DEFAULT, name) != NULL;
  free(name);
  return t_boolean(env, found);
}

/* (cell): an external that holds the cell's address. */
static napi_value external(napi_env env, napi_callback_info info) {
  napi_value argv[1], result;
  t_args(env, info, argv, 1);
  T_OK(napi_create_external(env, &raw_cells[raw_number(env, argv[0]) % RAW_CELLS], NULL, NULL, &result));
  return result;
}

static const struct t_function functions[] = {{"call", call}, {"has", has}, {"external", external}};
T_INIT(functions)
