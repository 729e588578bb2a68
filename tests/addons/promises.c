/* Promises. Deferreds are kept in a table: JavaScript names them by their place in it. */
#include <string.h>

#include "common.h"

static napi_deferred deferreds[256];
static uint32_t used;

/* { promise, index } */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value promise, result = t_object(env);
  if (used == T_COUNT(deferreds)) abort();
  T_OK(napi_create_promise(env, &deferreds[used], &promise));
  t_set(env, result, "promise", promise);
  t_set(env, result, "index", t_number(env, used++));
  return result;
}

static napi_value resolve(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_resolve_deferred(env, deferreds[t_uint(env, argv[0])], argv[1]), NULL);
}

static napi_value reject(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  t_args(env, info, argv, 2);
  return t_result(env, napi_reject_deferred(env, deferreds[t_uint(env, argv[0])], argv[1]), NULL);
}

/* (value, rejects): settled before JavaScript sees it. */
static napi_value settled(napi_env env, napi_callback_info info) {
  napi_value argv[2], promise;
  napi_deferred deferred;
  t_args(env, info, argv, 2);
  T_OK(napi_create_promise(env, &deferred, &promise));
  if (t_bool(env, argv[1]))
    T_OK(napi_reject_deferred(env, deferred, argv[0]));
  else
    T_OK(napi_resolve_deferred(env, deferred, argv[0]));
  return promise;
}

static void forget_bytes(napi_env env, void *data, void *hint) {
  (void)env, (void)hint;
  free(data);
}

/* What native code makes to resolve with; some are given to JavaScript before, or have a `then` of their own. */
static napi_value make(napi_env env, const char *kind, napi_value function) {
  napi_value made, undefined, escaped;
  if (strstr(kind, "external") != NULL) {
    uint8_t *bytes = malloc(5);
    memset(bytes, 7, 5);
    T_OK(napi_create_external_buffer(env, 5, bytes, forget_bytes, NULL, &made));
  } else if (strstr(kind, "buffer copy") != NULL) {
    T_OK(napi_create_buffer_copy(env, 3, "abc", NULL, &made));
  } else if (strstr(kind, "buffer") != NULL) {
    void *bytes;
    T_OK(napi_create_buffer(env, 5, &bytes, &made));
    memset(bytes, 8, 5);
  } else if (strstr(kind, "array") != NULL) {
    T_OK(napi_create_array(env, &made));
  } else {
    T_OK(napi_create_object(env, &made));
  }
  if (strstr(kind, "escaped") != NULL) {
    napi_escapable_handle_scope scope;
    T_OK(napi_open_escapable_handle_scope(env, &scope));
    napi_value inner = make(env, strstr(kind, "buffer") != NULL ? "buffer copy" : "object", function);
    T_OK(napi_escape_handle(env, scope, inner, &escaped));
    if (strstr(kind, "inner") != NULL) { /* and what it inherits from, by the handle that was before */
      napi_value prototype;
      T_OK(napi_get_named_property(env, function, "prototype", &prototype));
      T_OK(napi_set_named_property(env, inner, "__proto__", prototype));
    }
    T_OK(napi_close_escapable_handle_scope(env, scope));
    made = escaped;
  }
  if (strstr(kind, "with then") != NULL) T_OK(napi_set_named_property(env, made, "then", function));
  if (strstr(kind, "with a getter") != NULL) {
    T_OK(napi_get_named_property(env, function, "getter", &escaped));
    T_OK(napi_get_undefined(env, &undefined));
    T_OK(napi_call_function(env, undefined, escaped, 1, &made, NULL));
  }
  if (strstr(kind, "shown") != NULL) {
    T_OK(napi_get_undefined(env, &undefined));
    T_OK(napi_get_named_property(env, function, "look", &escaped));
    T_OK(napi_call_function(env, undefined, escaped, 1, &made, NULL));
  }
  return made;
}

/* (kind, function, bytes): each time one more in the first of the bytes, then a promise is resolved. */
static napi_value settled_with(napi_env env, napi_callback_info info) {
  napi_value argv[3], promise;
  napi_deferred deferred;
  char kind[40];
  size_t length;
  uint8_t *bytes;
  t_args(env, info, argv, 3);
  T_OK(napi_get_value_string_utf8(env, argv[0], kind, sizeof kind, &length));
  T_OK(napi_get_buffer_info(env, argv[2], (void **)&bytes, &length));
  T_OK(napi_create_promise(env, &deferred, &promise));
  napi_value made = make(env, kind, argv[1]);
  bytes[0]++;
  T_OK(napi_resolve_deferred(env, deferred, made));
  if (strstr(kind, "at last") == NULL) bytes[0]++;
  return promise;
}

static napi_value is_promise(napi_env env, napi_callback_info info) {
  return t_ask(env, info, napi_is_promise);
}

static const struct t_function functions[] = {
    {"create", create},   {"resolve", resolve},          {"reject", reject},
    {"settled", settled}, {"settledWith", settled_with}, {"isPromise", is_promise},
};
T_INIT(functions)
