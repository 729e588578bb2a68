/* Messages that no client would send, from JavaScript: in the host that fails on purpose (tests/faults/forge.h). */
#include "common.h"

#include <dlfcn.h>
#include <unistd.h>

#include "../faults/forge.h"

#define FORGERIES 64

/* For the end of the env that was told of them. */
static struct {
  napi_env env;
  struct nr_forgery list[FORGERIES];
  size_t count;
} at_end;

static nr_forge_function *forge_function(void) {
  static nr_forge_function *function;
  void *found = dlsym(RTLD_DEFAULT, "nr_forge");
  memcpy(&function, &found, sizeof function);
  if (function == NULL) abort();
  return function;
}

static void take_text(napi_env env, napi_value value, char *text, size_t size) {
  size_t length;
  T_OK(napi_get_value_string_utf8(env, value, text, size, &length));
}

/* A number, or what there is a handle for. */
static void take_field(napi_env env, napi_value value, struct nr_forge_field *field) {
  bool lossless;
  *field = (struct nr_forge_field){.bits = 0};
  switch (t_typeof(env, value)) {
  case napi_bigint: T_OK(napi_get_value_bigint_uint64(env, value, &field->bits, &lossless)); break;
  case napi_number: field->bits = (uint64_t)t_double(env, value); break;
  default: field->value = value; break;
  }
}

/* { name, env, post, fields } */
static void take_forgery(napi_env env, napi_value object, struct nr_forgery *forgery) {
  napi_value fields = t_get(env, object, "fields"), names;
  uint32_t count;
  take_text(env, t_get(env, object, "name"), forgery->name, sizeof forgery->name);
  forgery->env = t_uint(env, t_get(env, object, "env"));
  forgery->post = t_bool(env, t_get(env, object, "post"));
  T_OK(napi_get_property_names(env, fields, &names));
  T_OK(napi_get_array_length(env, names, &count));
  if (count > NR_FORGE_FIELDS) abort();
  forgery->fields.count = count;
  for (uint32_t i = 0; i < count; i++) {
    napi_value name = t_at(env, names, i), value;
    T_OK(napi_get_property(env, fields, name, &value));
    take_field(env, value, &forgery->fields.list[i]);
    take_text(env, name, forgery->fields.list[i].name, sizeof forgery->fields.list[i].name);
  }
}

static const char *status_name(int status) {
  return status < 0 ? "no such message" : t_status_name((napi_status)status);
}

static napi_value forge(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  static struct nr_forgery forgery;
  struct nr_forge_fields reply;
  t_args(env, info, argv, 1);
  take_forgery(env, argv[0], &forgery);
  int status = forge_function()(env, &forgery, &reply);
  bool pending;
  napi_value exception;
  T_OK(napi_is_exception_pending(env, &pending));
  if (pending) T_OK(napi_get_and_clear_last_exception(env, &exception));
  napi_value result = t_object(env);
  t_set(env, result, "status", t_string(env, status_name(status)));
  for (size_t i = 0; i < reply.count; i++) {
    napi_value number;
    T_OK(napi_create_bigint_uint64(env, reply.list[i].bits, &number));
    t_set(env, result, reply.list[i].name, number);
  }
  return result;
}

static napi_value forge_at_end(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  if (at_end.count == FORGERIES) abort();
  at_end.env = env;
  take_forgery(env, argv[0], &at_end.list[at_end.count++]);
  return NULL;
}

/* One line each, as they come: the next one may be the last. */
static void on_end(void *argument) {
  napi_env env = (napi_env)argument;
  struct nr_forge_fields reply;
  char line[128];
  if (env != at_end.env) return;
  for (size_t i = 0; i < at_end.count; i++) {
    int status = forge_function()(env, &at_end.list[i], &reply);
    int length = snprintf(line, sizeof line, "%s %s\n", at_end.list[i].name, status_name(status));
    if (write(1, line, (size_t)length) != length) abort();
  }
  at_end.count = 0;
}

static const struct t_function functions[] = {{"forge", forge}, {"atEnd", forge_at_end}};

NAPI_MODULE_INIT() {
  T_OK(napi_add_env_cleanup_hook(env, on_end, env));
  t_export(env, exports, functions, T_COUNT(functions));
  return exports;
}
