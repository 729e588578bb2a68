/* From descriptions in JavaScript to arguments. */
#include "tests/calls/raw.h"

int raw_cells[RAW_CELLS];
int raw_untouched;

static napi_value nothing(napi_env env, napi_callback_info info) {
  return NULL;
}

static void finalize(napi_env env, void *data, void *hint) {
}

static void finalize2(void *data, void *hint) {
}

void raw_hook(void *arg) {
}

static void *allocate(struct raw_place *place, size_t size) {
  place->memory = malloc(size + 1);
  if (!place->memory) abort();
  memset(place->memory, RAW_PATTERN, size + 1);
  place->size = size;
  return place->memory;
}

static bool is_null(napi_env env, napi_value value) {
  return t_typeof(env, value) == napi_null;
}

uint64_t raw_number(napi_env env, napi_value spec) {
  switch (t_typeof(env, spec)) {
  case napi_boolean: return t_bool(env, spec);
  case napi_string: {
    char *text = t_text(env, spec);
    uint64_t number = strcmp(text, "auto") == 0 ? NAPI_AUTO_LENGTH : strtoull(text, NULL, 0);
    free(text);
    return number;
  }
  default: {
    double number = t_double(env, spec);
    return number < 0 ? (uint64_t)(int64_t)number : (uint64_t)number;
  }
  }
}

static uint32_t length_of(napi_env env, napi_value array) {
  uint32_t length;
  T_OK(napi_get_array_length(env, array, &length));
  return length;
}

static bool is_array(napi_env env, napi_value value) {
  bool result;
  T_OK(napi_is_array(env, value, &result));
  return result;
}

/* [value] -> value, null -> NULL */
static napi_value value_of(napi_env env, napi_value spec) {
  return is_null(env, spec) ? NULL : t_at(env, spec, 0);
}

static void prepare_values(napi_env env, napi_value spec, struct raw_place *place) {
  uint32_t count = length_of(env, spec);
  napi_value *values = allocate(place, count * sizeof *values);
  for (uint32_t i = 0; i < count; i++) values[i] = value_of(env, t_at(env, spec, i));
}

static void prepare_text(napi_env env, napi_value spec, struct raw_place *place) {
  if (!is_array(env, spec)) {
    place->memory = t_text(env, spec);
    return;
  }
  uint32_t count = length_of(env, spec);
  char *bytes = allocate(place, count + 1);
  for (uint32_t i = 0; i < count; i++) bytes[i] = (char)t_uint(env, t_at(env, spec, i));
  bytes[count] = '\0';
}

static void prepare_text16(napi_env env, napi_value spec, struct raw_place *place) {
  size_t count;
  if (is_array(env, spec)) {
    count = length_of(env, spec);
    char16_t *units = allocate(place, (count + 1) * sizeof *units);
    for (uint32_t i = 0; i < count; i++) units[i] = (char16_t)t_uint(env, t_at(env, spec, i));
    units[count] = 0;
    return;
  }
  T_OK(napi_get_value_string_utf16(env, spec, NULL, 0, &count));
  char16_t *units = allocate(place, (count + 1) * sizeof *units);
  T_OK(napi_get_value_string_utf16(env, spec, units, count + 1, &count));
}

static void prepare_words(napi_env env, napi_value spec, struct raw_place *place) {
  uint32_t count = length_of(env, spec);
  uint64_t *words = allocate(place, count * sizeof *words);
  for (uint32_t i = 0; i < count; i++) words[i] = raw_number(env, t_at(env, spec, i));
}

static napi_value optional(napi_env env, napi_value object, const char *name) {
  napi_value value = t_get(env, object, name);
  return t_typeof(env, value) == napi_undefined ? NULL : value;
}

/* Names stay allocated: descriptors are few. */
static void prepare_properties(napi_env env, napi_value spec, struct raw_place *place) {
  uint32_t count = length_of(env, spec);
  napi_property_descriptor *properties = allocate(place, count * sizeof *properties);
  memset(properties, 0, count * sizeof *properties);
  for (uint32_t i = 0; i < count; i++) {
    napi_value of = t_at(env, spec, i), attributes = optional(env, of, "attributes");
    properties[i].utf8name = t_text(env, t_get(env, of, "utf8name"));
    properties[i].name = optional(env, of, "name");
    properties[i].method = optional(env, of, "method") ? nothing : NULL;
    properties[i].getter = optional(env, of, "getter") ? nothing : NULL;
    properties[i].setter = optional(env, of, "setter") ? nothing : NULL;
    properties[i].value = optional(env, of, "value");
    if (attributes) properties[i].attributes = (napi_property_attributes)t_int(env, attributes);
  }
}

static void prepare_out_values(napi_env env, napi_value spec, struct raw_place *place) {
  size_t count = raw_number(env, spec);
  napi_value *values = allocate(place, count * sizeof *values), sentinel = t_string(env, "untouched");
  for (size_t i = 0; i < count; i++) values[i] = sentinel;
}

static void *prepare_ref(napi_env env, napi_value spec) {
  napi_ref ref;
  T_OK(napi_create_reference(env, t_at(env, spec, 0), t_uint(env, t_at(env, spec, 1)), &ref));
  return ref;
}

static void *prepare_pointer(napi_env env, napi_value spec) {
  return &raw_cells[raw_number(env, spec) % RAW_CELLS];
}

/* Functions and data have the same pointers here. */
static void *function_pointer(enum raw_kind kind) {
  switch (kind) {
  case RAW_CALLBACK: return (void *)(uintptr_t)nothing;
  case RAW_FINALIZE: return (void *)(uintptr_t)finalize;
  case RAW_FINALIZE2: return (void *)(uintptr_t)finalize2;
  default: return (void *)(uintptr_t)raw_hook;
  }
}

/* A result that points somewhere: at first at what tells that nobody wrote it. */
static void *prepare_out_pointer(struct raw_place *place) {
  void **pointer = allocate(place, sizeof *pointer);
  *pointer = &raw_untouched;
  return pointer;
}

static void *prepare(struct raw_call *call, napi_value spec, struct raw_place *place) {
  napi_env env = call->env;
  napi_deferred deferred;
  switch (place->kind) {
  case RAW_ENV: return env;
  case RAW_INFO: return call->info;
  case RAW_VALUE: return value_of(env, spec);
  case RAW_VALUES: prepare_values(env, spec, place); break;
  case RAW_TEXT: prepare_text(env, spec, place); break;
  case RAW_TEXT16: prepare_text16(env, spec, place); break;
  case RAW_WORDS: prepare_words(env, spec, place); break;
  case RAW_PROPERTIES: prepare_properties(env, spec, place); break;
  /* With room for a few bytes more than the function is told of. */
  case RAW_BUFFER: allocate(place, raw_number(env, spec) + 4); break;
  case RAW_BUFFER16: allocate(place, 2 * raw_number(env, spec) + 4); break;
  case RAW_POINTER: return prepare_pointer(env, spec);
  case RAW_REF: return prepare_ref(env, spec);
  case RAW_DEFERRED: T_OK(napi_create_promise(env, &deferred, &place->promise)); return deferred;
  case RAW_OUT_VALUES: prepare_out_values(env, spec, place); break;
  case RAW_OUT_SCALAR:
    allocate(place, sizeof(uint64_t));
    if (t_typeof(env, spec) == napi_number) *(uint64_t *)place->memory = raw_number(env, spec);
    break;
  case RAW_OUT_WORDS: allocate(place, raw_number(env, spec) * sizeof(uint64_t)); break;
  case RAW_OPAQUE: return raw_cells;
  case RAW_CALLBACK:
  case RAW_FINALIZE:
  case RAW_FINALIZE2:
  case RAW_HOOK: return function_pointer(place->kind);
  default: return prepare_out_pointer(place);
  }
  return place->memory;
}

void raw_prepare(struct raw_call *call, napi_value specs) {
  for (uint32_t i = 0; i < call->function->count; i++) {
    napi_value spec = t_at(call->env, specs, i);
    struct raw_place *place = &call->places[i];
    *place = (struct raw_place){.kind = call->function->kinds[i], .is_null = is_null(call->env, spec)};
    call->slots[i].number = 0;
    if (place->kind == RAW_NUMBER) {
      call->slots[i].number = raw_number(call->env, spec);
    } else if (place->kind == RAW_REAL) {
      call->slots[i].real = t_double(call->env, spec);
    } else if (!place->is_null && place->kind != RAW_SCOPE && place->kind != RAW_ESCAPABLE) {
      call->slots[i].pointer = prepare(call, spec, place);
    }
  }
}
