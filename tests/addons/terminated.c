/*
 * A sequence of calls in whose middle its thread is terminated: JavaScript called at the point does not return, or
 * native code waits there until it has happened. What became of each call goes to a file, since nobody is left to give
 * it to.
 */
#include "common.h"

#include <fcntl.h>
#include <unistd.h>

static FILE *file;

struct sequence {
  napi_env env;
  int point; /* before which step */
  int step;
  napi_value function; /* NULL: `at` and `go` */
  char *at, *go;       /* named pipes: opened at the point, and when the thread has been terminated */
  napi_value object, array, string, symbol, number, bigint, date, error, buffer, made, wrapped, promise;
  napi_deferred deferred;
  napi_ref strong, weak;
};

static void say(struct sequence *s, const char *what, napi_status status) {
  const napi_extended_error_info *info = NULL;
  napi_status asked = napi_get_last_error_info(s->env, &info);
  fprintf(file, "%d %s %s %s %s\n", s->step, what, t_status_name(status), t_status_name(asked),
          info == NULL ? "?" : t_status_name(info->error_code));
  fflush(file);
}

/* Opening a pipe waits for whoever opens its other end. */
static void meet(const char *path, int flags) {
  int fd = open(path, flags);
  if (fd < 0) abort();
  close(fd);
}

/* The moment: what comes back is the termination. */
static void come_to_point(struct sequence *s) {
  napi_value result = NULL, undefined;
  if (s->step++ != s->point) return;
  if (s->function == NULL) {
    meet(s->at, O_WRONLY);
    meet(s->go, O_RDONLY);
    return;
  }
  napi_get_undefined(s->env, &undefined);
  say(s, "the point", napi_call_function(s->env, undefined, s->function, 0, NULL, &result));
}

#define STEP(function, ...)                                                                                            \
  do {                                                                                                                 \
    come_to_point(s);                                                                                                  \
    say(s, #function, function(s->env, __VA_ARGS__));                                                                  \
  } while (0)

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
}

static void create(struct sequence *s) {
  napi_value text;
  void *bytes;
  STEP(napi_create_object, &s->object);
  STEP(napi_create_array, &s->array);
  STEP(napi_create_string_utf8, "text", NAPI_AUTO_LENGTH, &s->string);
  STEP(napi_create_symbol, s->string, &s->symbol);
  STEP(napi_create_double, 1.5, &s->number);
  STEP(napi_create_bigint_int64, 5, &s->bigint);
  STEP(napi_create_function, "made", NAPI_AUTO_LENGTH, nothing, NULL, &s->made);
  napi_escapable_handle_scope scope;
  napi_value inner = NULL, outer = NULL;
  STEP(napi_open_escapable_handle_scope, &scope);
  STEP(napi_create_function, "inner", NAPI_AUTO_LENGTH, nothing, NULL, &inner);
  STEP(napi_escape_handle, scope, inner == NULL ? s->string : inner, &outer);
  STEP(napi_close_escapable_handle_scope, scope);
  STEP(napi_create_date, 1000.0, &s->date);
  STEP(napi_create_string_latin1, "message", NAPI_AUTO_LENGTH, &text);
  STEP(napi_create_error, NULL, text, &s->error);
  STEP(napi_create_buffer, 16, &bytes, &s->buffer);
  STEP(napi_create_promise, &s->deferred, &s->promise);
  STEP(napi_create_external, s, finalize, NULL, &s->wrapped);
  STEP(napi_create_reference, s->object, 1, &s->strong);
  STEP(napi_create_reference, s->array, 0, &s->weak);
}

static void use(struct sequence *s) {
  napi_value result = NULL;
  napi_property_descriptor property = {.utf8name = "method", .method = nothing, .attributes = napi_default};
  bool truth;
  uint32_t count;
  size_t length;
  char text[16];
  STEP(napi_set_named_property, s->object, "key", s->number);
  STEP(napi_get_named_property, s->object, "key", &result);
  STEP(napi_has_named_property, s->object, "key", &truth);
  STEP(napi_set_element, s->array, 0, s->object);
  STEP(napi_get_array_length, s->array, &count);
  STEP(napi_define_properties, s->object, 1, &property);
  STEP(napi_get_property_names, s->object, &result);
  STEP(napi_coerce_to_string, s->number, &result);
  STEP(napi_coerce_to_string, s->string, &result);
  STEP(napi_coerce_to_object, s->object, &result);
  STEP(napi_get_value_string_utf8, s->string, text, sizeof text, &length);
  STEP(napi_strict_equals, s->object, s->object, &truth);
  STEP(napi_call_function, s->object, s->made, 0, NULL, &result);
  STEP(napi_new_instance, s->made, 0, NULL, &result);
  STEP(napi_define_class, "Class", NAPI_AUTO_LENGTH, nothing, NULL, 1, &property, &result);
  STEP(napi_wrap, s->object, s, finalize, NULL, NULL);
  STEP(napi_get_reference_value, s->strong, &result);
  STEP(napi_get_reference_value, s->weak, &result);
  STEP(napi_reference_unref, s->strong, &count);
  STEP(napi_delete_reference, s->strong);
  STEP(napi_resolve_deferred, s->deferred, s->number);
  STEP(napi_run_script, s->string, &result);
}

static void throw(struct sequence * s) {
  napi_handle_scope scope;
  napi_value error = NULL;
  bool pending;
  STEP(napi_open_handle_scope, &scope);
  STEP(napi_throw, s->error);
  STEP(napi_is_exception_pending, &pending);
  STEP(napi_get_and_clear_last_exception, &error);
  STEP(napi_close_handle_scope, scope);
  STEP(napi_throw_error, "ERR_CODE", "message");
}

/* (point, function, file, at, go): returns how many steps there are. */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value argv[5], result = NULL;
  struct sequence sequence = {.env = env};
  t_args(env, info, argv, 5);
  sequence.point = t_int(env, argv[0]);
  sequence.function = t_nullish(env, argv[1]) ? NULL : argv[1];
  sequence.at = t_text(env, argv[3]);
  sequence.go = t_text(env, argv[4]);
  char *path = t_text(env, argv[2]);
  file = fopen(path, "w");
  free(path);
  if (file == NULL) abort();
  create(&sequence);
  use(&sequence);
  throw(&sequence);
  fprintf(file, "end of %d\n", sequence.step);
  fclose(file);
  free(sequence.at);
  free(sequence.go);
  if (sequence.point < 0) napi_get_and_clear_last_exception(env, &result);
  napi_create_int32(env, sequence.step, &result);
  return result;
}

static const struct t_function functions[] = {{"run", run}};
T_INIT(functions)
