/*
 * Reads what objects hold, one property after the other in one call, as addons read their options; and does in between
 * what may change them. What to do comes as a text, so that nothing else is read.
 */
#include "common.h"

#define OBJECTS 64

struct machine {
  napi_env env;
  napi_value objects[OBJECTS];
  uint32_t count;
  napi_value *out;
  uint32_t outs, room;
  napi_value callback;
};

/* One line: "operation object rest". */
struct step {
  char operation;
  napi_value object;
  const char *rest;
  uint32_t index; /* the number in the rest */
};

static void emit(struct machine *machine, napi_value value) {
  if (machine->outs == machine->room) {
    machine->room = 2 * machine->room + 64;
    machine->out = (napi_value *)realloc(machine->out, machine->room * sizeof *machine->out);
    if (!machine->out) abort();
  }
  machine->out[machine->outs++] = value;
}

static napi_value list(struct machine *machine) {
  napi_value array = t_array(machine->env);
  for (uint32_t i = 0; i < machine->outs; i++) T_OK(napi_set_element(machine->env, array, i, machine->out[i]));
  free(machine->out);
  return array;
}

static void keep(struct machine *machine, napi_value value) {
  napi_valuetype type = t_typeof(machine->env, value);
  if ((type == napi_object || type == napi_function) && machine->count < OBJECTS)
    machine->objects[machine->count++] = value;
}

/* What came out: the status; with napi_ok the value, which is an object to go on with; an exception. */
static void give(struct machine *machine, napi_status status, napi_value value) {
  napi_env env = machine->env;
  bool pending = false;
  napi_value thrown;
  if (status == napi_ok && value != NULL) {
    keep(machine, value);
    emit(machine, value);
    return;
  }
  T_OK(napi_is_exception_pending(env, &pending));
  if (pending) T_OK(napi_get_and_clear_last_exception(env, &thrown));
  emit(machine, t_string(env, t_status_name(status)));
  if (pending) emit(machine, thrown);
}

static napi_value text_of(struct machine *machine, const char *text) {
  napi_value value;
  T_OK(napi_create_string_utf8(machine->env, text, NAPI_AUTO_LENGTH, &value));
  return value;
}

static bool get(struct machine *machine, const struct step *step) {
  napi_env env = machine->env;
  napi_value value = NULL;
  napi_status status;
  switch (step->operation) {
  case 'g': status = napi_get_named_property(env, step->object, step->rest, &value); break;
  case 'k': status = napi_get_property(env, step->object, text_of(machine, step->rest), &value); break;
  case 'i': status = napi_get_property(env, step->object, t_number(env, step->index), &value); break;
  case 'e': status = napi_get_element(env, step->object, step->index, &value); break;
  case 'n': status = napi_get_property_names(env, step->object, &value); break;
  case 'a':
    status = napi_get_all_property_names(env, step->object, napi_key_own_only, napi_key_all_properties,
                                         napi_key_numbers_to_strings, &value);
    break;
  default: return false;
  }
  give(machine, status, value);
  return true;
}

static bool has(struct machine *machine, const struct step *step) {
  napi_env env = machine->env;
  bool result = false;
  napi_status status;
  switch (step->operation) {
  case 'h': status = napi_has_named_property(env, step->object, step->rest, &result); break;
  case 'H': status = napi_has_property(env, step->object, text_of(machine, step->rest), &result); break;
  case 'O': status = napi_has_own_property(env, step->object, text_of(machine, step->rest), &result); break;
  case 'q': status = napi_has_own_property(env, step->object, t_number(env, step->index), &result); break;
  case 'x': status = napi_has_element(env, step->object, step->index, &result); break;
  default: return false;
  }
  give(machine, status, t_boolean(env, result));
  return true;
}

static bool change(struct machine *machine, const struct step *step) {
  napi_env env = machine->env;
  napi_value value = t_number(env, machine->outs);
  napi_status status;
  bool result = false;
  switch (step->operation) {
  case 's': status = napi_set_named_property(env, step->object, step->rest, value); break;
  case 'S': status = napi_set_element(env, step->object, step->index, value); break;
  case 'L': status = napi_set_named_property(env, step->object, step->rest, machine->objects[0]); break;
  case 'd': status = napi_delete_property(env, step->object, text_of(machine, step->rest), &result); break;
  case 'f': status = napi_object_freeze(env, step->object); break;
  case 'K': status = napi_set_named_property(env, step->object, "link", machine->objects[step->index]); break;
  case 'M': status = napi_set_element(env, step->object, machine->outs % 3, machine->objects[step->index]); break;
  case 'C': status = napi_call_function(env, t_undefined(env), machine->callback, 1, &step->object, NULL); break;
  case 'c': status = napi_call_function(env, step->object, machine->callback, 0, NULL, NULL); break;
  default: return false;
  }
  give(machine, status, t_boolean(env, result));
  return true;
}

/* Other handles of the same object. */
static napi_value escaped(napi_env env, napi_value value) {
  napi_escapable_handle_scope scope;
  T_OK(napi_open_escapable_handle_scope(env, &scope));
  T_OK(napi_escape_handle(env, scope, value, &value));
  T_OK(napi_close_escapable_handle_scope(env, scope));
  return value;
}

static napi_value referenced(napi_env env, napi_value value) {
  napi_ref reference;
  T_OK(napi_create_reference(env, value, 1, &reference));
  T_OK(napi_get_reference_value(env, reference, &value));
  T_OK(napi_delete_reference(env, reference));
  return value;
}

static napi_value thrown(napi_env env, napi_value value) {
  T_OK(napi_throw(env, value));
  T_OK(napi_get_and_clear_last_exception(env, &value));
  return value;
}

static void settle(napi_env env) {
  napi_deferred deferred;
  napi_value promise;
  T_OK(napi_create_promise(env, &deferred, &promise));
  T_OK(napi_resolve_deferred(env, deferred, t_number(env, 1)));
}

static napi_value rejected(napi_env env, napi_value value) {
  napi_deferred deferred;
  napi_value promise;
  T_OK(napi_create_promise(env, &deferred, &promise));
  T_OK(napi_reject_deferred(env, deferred, value));
  return promise;
}

static void no_work(napi_env env, void *data) {
  (void)env;
  (void)data;
}

/* Hooks of async_hooks get the object. */
static void work_for(napi_env env, napi_value object) {
  napi_async_work work;
  T_OK(napi_create_async_work(env, object, t_string(env, "reading"), no_work, NULL, NULL, &work));
  T_OK(napi_delete_async_work(env, work));
}

/* ---- what views show ------------------------------------------------------------------------------------------------
 */

/* The same for all kinds: in bytes, and the ArrayBuffer where there is one. */
static napi_status show(napi_env env, char operation, napi_value object, uint8_t **bytes, size_t *length,
                        napi_value *buffer) {
  static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  napi_typedarray_type type = napi_int8_array;
  napi_status status;
  size_t offset;
  switch (operation) {
  case 'A': return napi_get_arraybuffer_info(env, object, (void **)bytes, length);
  case 'D': return napi_get_dataview_info(env, object, length, (void **)bytes, buffer, &offset);
  case 'v':
    status = napi_get_typedarray_info(env, object, &type, length, (void **)bytes, buffer, &offset);
    *length *= sizes[type];
    return status;
  default: return napi_get_buffer_info(env, object, (void **)bytes, length);
  }
}

/* Length, sum, and the first bytes; with '+' the first and the last are counted up. */
static void look(struct machine *machine, const struct step *step) {
  uint8_t *bytes = NULL;
  size_t length = 0;
  uint32_t sum = 0;
  char text[64];
  napi_value buffer = NULL;
  napi_status status = show(machine->env, step->operation, step->object, &bytes, &length, &buffer);
  if (bytes == NULL) length = 0;
  if (step->operation == '+' && length > 0) bytes[0]++, bytes[length - 1]++;
  for (size_t i = 0; i < length; i++) sum = sum * 31 + bytes[i];
  snprintf(text, sizeof text, "%zu bytes: %u", length, sum);
  give(machine, status, text_of(machine, text));
  if (buffer != NULL) give(machine, status, buffer);
}

static void classify(struct machine *machine, napi_value object) {
  napi_env env = machine->env;
  bool is[5] = {false};
  T_OK(napi_is_buffer(env, object, &is[0]));
  T_OK(napi_is_typedarray(env, object, &is[1]));
  T_OK(napi_is_dataview(env, object, &is[2]));
  T_OK(napi_is_arraybuffer(env, object, &is[3]));
  T_OK(napi_is_array(env, object, &is[4]));
  for (size_t i = 0; i < T_COUNT(is); i++) emit(machine, t_boolean(env, is[i]));
}

static bool bytes_of(struct machine *machine, const struct step *step) {
  switch (step->operation) {
  case 'A':
  case 'D':
  case 'v':
  case 'b':
  case '+': look(machine, step); return true;
  case '?': classify(machine, step->object); return true;
  case '-': give(machine, napi_detach_arraybuffer(machine->env, step->object), NULL); return true;
  default: return false;
  }
}

static napi_value shared;

static void make_instance(struct machine *machine) {
  napi_value instance = NULL;
  napi_status status = napi_new_instance(machine->env, machine->callback, 0, NULL, &instance);
  give(machine, status, instance);
}

static void other(struct machine *machine, const struct step *step) {
  napi_env env = machine->env;
  uint32_t length = 0;
  napi_status status = napi_ok;
  switch (step->operation) {
  case 'l':
    status = napi_get_array_length(env, step->object, &length);
    give(machine, status, t_number(env, length));
    break;
  case 'N': keep(machine, step->index % 2 == 0 ? t_object(env) : t_array(env)); break;
  case 'E': keep(machine, escaped(env, step->object)); break;
  case 'R': keep(machine, referenced(env, step->object)); break;
  case 'p': settle(env); break;
  case 'P': keep(machine, rejected(env, step->object)); break;
  case 'T': keep(machine, thrown(env, step->object)); break;
  case 'J': make_instance(machine); break;
  case 'W': work_for(env, step->object); break;
  case 'Z': shared = step->object; break;
  case 'V': setenv(step->rest, machine->outs % 2 == 0 ? "even" : "odd", 1); break;
  default: abort();
  }
}

static void run_step(struct machine *machine, char *line) {
  struct step step = {.operation = line[0], .rest = ""};
  char *end;
  uint32_t object = (uint32_t)strtoul(line + 1, &end, 10);
  if (object >= machine->count) return;
  step.object = machine->objects[object];
  if (*end == ' ') step.rest = end + 1;
  step.index = (uint32_t)strtoul(step.rest, NULL, 10);
  if (!get(machine, &step) && !has(machine, &step) && !change(machine, &step) && !bytes_of(machine, &step))
    other(machine, &step);
}

/* (steps, callback, ...objects): all that came out. */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value argv[8];
  size_t argc = t_args(env, info, argv, 8);
  struct machine machine = {.env = env, .callback = argv[1]};
  char *steps = t_text(env, argv[0]), *next = steps, *line;
  for (size_t i = 2; i < argc; i++) machine.objects[machine.count++] = argv[i];
  while ((line = strsep(&next, "\n")) != NULL) run_step(&machine, line);
  free(steps);
  return list(&machine);
}

/* What `run` has shared, called from a callback of its. */
static napi_value get_shared(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  return shared;
}

/* (object, names with a blank behind each): the sum of these properties. */
static napi_value sum(napi_env env, napi_callback_info info) {
  napi_value argv[2], value;
  double all = 0;
  t_args(env, info, argv, 2);
  char *names = t_text(env, argv[1]), *next = names, *name;
  while ((name = strsep(&next, " ")) != NULL) {
    bool there = false;
    T_OK(napi_has_named_property(env, argv[0], name, &there));
    if (!there) continue;
    T_OK(napi_get_named_property(env, argv[0], name, &value));
    all += t_double(env, value);
  }
  free(names);
  return t_number(env, all);
}

/* (array): the sum of its elements. */
static napi_value total(napi_env env, napi_callback_info info) {
  napi_value argv[1], value;
  double all = 0;
  uint32_t length = 1;
  t_args(env, info, argv, 1);
  for (uint32_t i = 0; i < length; i++) {
    T_OK(napi_get_array_length(env, argv[0], &length)); /* as a loop in C++ asks each time */
    T_OK(napi_get_element(env, argv[0], i, &value));
    all += t_double(env, value);
  }
  return t_number(env, all);
}

static const struct t_function functions[] = {{"run", run}, {"getShared", get_shared}, {"sum", sum}, {"total", total}};
T_INIT(functions)
