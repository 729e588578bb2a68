/*
 * What goes into a call. Each function takes the words of one parameter, prints what they stand for, and gives it. A
 * register in which nothing is alive is replaced by one in which something is; when there is none, the call is left
 * out.
 */
#include "random.h"

#include <limits.h>
#include <string.h>

static int32_t word(struct rd_call *call) {
  if (call->words == call->end) {
    call->skip = true;
    return -1;
  }
  return *call->words++;
}

static void separate(struct rd_call *call) {
  if (!call->first) rd_print(", ");
  call->first = false;
}

static void *null(struct rd_call *call) {
  separate(call);
  rd_print("NULL");
  return NULL;
}

napi_env rd_env(struct rd_call *call) {
  if (word(call) == 0) {
    separate(call);
    rd_print("env");
    return call->env;
  }
  return null(call);
}

static napi_value find(struct rd_call *call, int32_t which) {
  struct rd_frame *own = call->frame;
  struct rd_frame *frame = which >= RD_VALUES && own->outer != NULL ? own->outer : own;
  for (int turn = 0; turn < 2; turn++) {
    for (unsigned i = 0; i < RD_VALUES; i++) {
      unsigned place = ((unsigned)which + i) % RD_VALUES;
      if (frame->levels[place] == 0) continue;
      rd_print("%c%u", frame == own ? 'v' : 'o', place);
      return frame->values[place];
    }
    frame = frame == own ? own->outer : own;
    if (frame == NULL) break;
  }
  call->skip = true;
  rd_print("nothing");
  return NULL;
}

napi_value rd_value(struct rd_call *call) {
  int32_t which = word(call);
  if (which < 0) return null(call);
  separate(call);
  return find(call, which);
}

static napi_valuetype type_of(struct rd_call *call, napi_value value) {
  napi_valuetype type = napi_undefined;
  if (value != NULL && napi_typeof(call->env, value, &type) != napi_ok) rd_print("[no type]");
  return type;
}

bool rd_is_external(struct rd_call *call, napi_value value) {
  return type_of(call, value) == napi_external;
}

bool rd_is_unfit_prototype(struct rd_call *call, napi_value value) {
  napi_valuetype type = type_of(call, value);
  return value != NULL && type != napi_null && type != napi_object && type != napi_function;
}

bool rd_is_pending(struct rd_call *call) {
  bool pending = true;
  return napi_is_exception_pending(call->env, &pending) != napi_ok || pending;
}

/* How the length of a text is told, see LENGTH_MODES in pools.js. */
static size_t told(int32_t mode, bool is_null, size_t length) {
  if (is_null) length = 3;
  switch (mode) {
  case 0: return NAPI_AUTO_LENGTH;
  case 1: return length;
  case 2: return 0;
  case 3: return length > 0 ? length - 1 : 0;
  default: return (size_t)INT_MAX + 1;
  }
}

static void print_length(size_t length) {
  if (length == NAPI_AUTO_LENGTH) {
    rd_print(", AUTO");
  } else {
    rd_print(", %zu", length);
  }
}

const char *rd_text(struct rd_call *call, size_t *length) {
  int32_t which = word(call), mode = word(call);
  const struct rd_bytes *text = &rd_texts[which < 0 ? 0 : which];
  *length = told(mode, which < 0, text->length);
  separate(call);
  if (which < 0) {
    rd_print("NULL");
  } else {
    rd_print_bytes(text->text, text->length);
  }
  print_length(*length);
  return which < 0 ? NULL : text->text;
}

const char16_t *rd_text16(struct rd_call *call, size_t *length) {
  int32_t which = word(call), mode = word(call);
  const struct rd_units *text = &rd_wides[which < 0 ? 0 : which];
  *length = told(mode, which < 0, text->length);
  separate(call);
  if (which < 0) {
    rd_print("NULL");
  } else {
    rd_print("u");
    rd_print_bytes(text->text, text->length * sizeof(char16_t));
  }
  print_length(*length);
  return which < 0 ? NULL : text->text;
}

const char *rd_cstring(struct rd_call *call) {
  int32_t which = word(call);
  if (which < 0) return null(call);
  separate(call);
  rd_print_bytes(rd_texts[which].text, strlen(rd_texts[which].text));
  return rd_texts[which].text;
}

/* The addon's own memory, which JavaScript then uses: it lives for ever, and nobody writes to it. */
char *rd_lent8(struct rd_call *call, size_t *length) {
  return (char *)rd_text(call, length);
}

char16_t *rd_lent16(struct rd_call *call, size_t *length) {
  return (char16_t *)rd_text16(call, length);
}

const void *rd_some_bytes(struct rd_call *call, size_t *length) {
  static uint8_t pattern[256];
  int32_t size = word(call), present = word(call);
  if (pattern[1] == 0) {
    for (unsigned i = 0; i < sizeof pattern; i++) pattern[i] = (uint8_t)(i * 7);
  }
  *length = (size_t)size % sizeof pattern;
  separate(call);
  rd_print("%zu, ", *length);
  /* NULL would be read from. */
  if (present == 0 && *length == 0) {
    rd_print("NULL");
    return NULL;
  }
  rd_print("bytes");
  return pattern;
}

const uint64_t *rd_words_in(struct rd_call *call, size_t *count) {
  int32_t size = word(call), first = word(call);
  *count = size < 0 ? rd_special_counts[-1 - size] : (size_t)size;
  separate(call);
  rd_print("%zu, ", *count);
  if (first < 0) {
    rd_print("NULL");
    return NULL;
  }
  rd_print("words%d", (int)first);
  return rd_words + first;
}

static void take_values(struct rd_call *call, napi_value *values, size_t count) {
  rd_print("{");
  call->first = true;
  for (size_t i = 0; i < count; i++) {
    int32_t which = word(call);
    separate(call);
    /* NULL in an array is followed. */
    values[i] = find(call, which < 0 ? 0 : which);
  }
  rd_print("}");
  call->first = false;
}

const napi_value *rd_values(struct rd_call *call, size_t *count) {
  int32_t size = word(call), present = word(call);
  *count = (size_t)size % (RD_ARGUMENT_COUNT + 1);
  separate(call);
  rd_print("%zu, ", *count);
  if (present != 0) {
    take_values(call, call->arguments, *count);
    return call->arguments;
  }
  rd_print("NULL");
  return NULL;
}

const napi_value *rd_pairs(struct rd_call *call, const napi_value **values, size_t *count) {
  int32_t size = word(call), present = word(call);
  *count = (size_t)size % (RD_ARGUMENT_COUNT + 1);
  separate(call);
  *values = NULL;
  if (present == 0) {
    rd_print("NULL, NULL, %zu", *count);
    return NULL;
  }
  take_values(call, call->arguments, *count);
  rd_print(", ");
  take_values(call, call->more, *count);
  rd_print(", %zu", *count);
  *values = call->more;
  return call->arguments;
}

/* A class keeps values of its instances in a template, which ends the process for objects. */
static bool is_primitive(struct rd_call *call, napi_value value) {
  napi_valuetype type = type_of(call, value);
  return type != napi_object && type != napi_function && type != napi_external;
}

static napi_value name_of(struct rd_call *call, const napi_property_descriptor *property) {
  napi_value name = property->name;
  if (property->utf8name != NULL) napi_create_string_utf8(call->env, property->utf8name, NAPI_AUTO_LENGTH, &name);
  return name;
}

/* Which of two members of the same name an instance has depends on the names' hashes. */
static bool has_twice(struct rd_call *call, size_t count) {
  for (size_t i = 0; i < count; i++) {
    for (size_t j = i + 1; j < count; j++) {
      bool same = false;
      napi_strict_equals(call->env, name_of(call, &call->properties[i]), name_of(call, &call->properties[j]), &same);
      if (same) return true;
    }
  }
  return false;
}

static void take_descriptor(struct rd_call *call, napi_property_descriptor *property, bool of_class) {
  int32_t text = word(call);
  *property = (napi_property_descriptor){0};
  call->first = true;
  rd_print("{");
  if (text >= 0) {
    property->utf8name = rd_texts[text].text;
    rd_print_bytes(property->utf8name, strlen(property->utf8name));
    word(call);
  } else {
    int32_t name = word(call); /* without either the empty name would be followed */
    property->name = find(call, name < 0 ? 0 : name);
  }
  call->first = false;
  property->method = rd_callback(call);
  property->getter = rd_callback(call);
  property->setter = rd_callback(call);
  int32_t value = word(call);
  separate(call);
  bool wanted = property->method == NULL && property->getter == NULL && property->setter == NULL;
  if (value < 0 && !wanted) {
    rd_print("NULL");
  } else {
    property->value = find(call, value < 0 ? 0 : value);
  }
  property->attributes = (napi_property_attributes)word(call);
  rd_print(", %#x", (unsigned)property->attributes);
  property->data = rd_data(call);
  rd_print("}");
  bool of_instances = of_class && (property->attributes & napi_static) == 0;
  if (wanted && of_instances && !is_primitive(call, property->value)) call->skip = true;
}

const napi_property_descriptor *rd_descriptors(struct rd_call *call, size_t *count, bool of_class) {
  int32_t size = word(call), present = word(call);
  *count = (size_t)size % (RD_PROPERTIES + 1);
  separate(call);
  rd_print("%zu, ", *count);
  if (present == 0) {
    rd_print("NULL");
    return NULL;
  }
  rd_print("{");
  for (size_t i = 0; i < *count; i++) take_descriptor(call, &call->properties[i], of_class);
  rd_print("}");
  if (of_class && !call->skip && has_twice(call, *count)) call->skip = true;
  return call->properties;
}

int32_t rd_int32(struct rd_call *call) {
  int32_t number = word(call);
  separate(call);
  rd_print("%d", (int)number);
  return number;
}

double rd_double(struct rd_call *call) {
  double number = rd_doubles[word(call)];
  separate(call);
  rd_print("%.17g", number);
  return number;
}

int64_t rd_int64(struct rd_call *call) {
  int64_t number = rd_int64s[word(call)];
  separate(call);
  rd_print("%lld", (long long)number);
  return number;
}

int64_t rd_change(struct rd_call *call) {
  int64_t number = rd_changes[word(call)];
  separate(call);
  rd_print("%lld", (long long)number);
  return number;
}

uint64_t rd_uint64(struct rd_call *call) {
  uint64_t number = rd_uint64s[word(call)];
  separate(call);
  rd_print("%llu", (unsigned long long)number);
  return number;
}

size_t rd_size(struct rd_call *call) {
  int32_t size = word(call);
  size_t result = size < 0 ? rd_special_sizes[-1 - size] : (size_t)size;
  separate(call);
  rd_print("%zu", result);
  return result;
}

napi_callback rd_callback(struct rd_call *call) {
  int32_t which = word(call);
  if (which < 0) return null(call), NULL;
  separate(call);
  rd_print("function%d", (int)which % RD_CALLBACKS);
  return rd_callbacks[which % RD_CALLBACKS];
}

napi_finalize rd_finalizer(struct rd_call *call) {
  if (word(call) < 0) return null(call), NULL;
  separate(call);
  rd_print("finalize");
  return rd_finalize;
}

void *rd_data(struct rd_call *call) {
  void *pointer = rd_token(word(call));
  separate(call);
  rd_print_pointer(pointer);
  return pointer;
}

/* One that nothing else has: it tells which reference belongs to a wrap. */
void *rd_fresh_data(struct rd_call *call) {
  word(call);
  void *pointer = rd_token(-2);
  separate(call);
  rd_print_pointer(pointer);
  return pointer;
}

napi_ref rd_ref(struct rd_call *call, bool deletes) {
  int32_t which = word(call);
  if (which < 0) return null(call);
  separate(call);
  for (unsigned i = 0; i < RD_REFERENCES; i++) {
    unsigned place = ((unsigned)which + i) % RD_REFERENCES;
    struct rd_ref *ref = &rd_machine.references[place];
    if (ref->handle == NULL || (deletes && ref->wrapped != NULL)) continue;
    rd_print("ref%u", place);
    if (deletes) call->ref = ref;
    return ref->handle;
  }
  rd_print("nothing");
  call->skip = true;
  return NULL;
}

/* Resolving can run JavaScript, which must not find it any more. */
napi_deferred rd_deferred(struct rd_call *call) {
  int32_t which = word(call);
  separate(call);
  for (unsigned i = 0; i < RD_DEFERREDS; i++) {
    unsigned place = ((unsigned)which + i) % RD_DEFERREDS;
    if (rd_machine.deferreds[place] == NULL) continue;
    rd_print("deferred%u", place);
    call->deferred = rd_machine.deferreds[place];
    call->deferred_place = place;
    call->was_pending = rd_is_pending(call);
    rd_machine.deferreds[place] = NULL;
    return call->deferred;
  }
  rd_print("nothing");
  call->skip = true;
  return NULL;
}

/* Only the innermost scope can be closed, a handle can escape from any. */
void *rd_scope(struct rd_call *call, bool escapable, bool closes) {
  int32_t which = word(call);
  struct rd_frame *frame = call->frame;
  if (which < 0) return null(call);
  separate(call);
  for (unsigned i = frame->scope_count; i-- > 0;) {
    const struct rd_scope *scope = &frame->scopes[i];
    if (scope->escapable != escapable || (!closes && which-- > 0)) {
      if (closes) break;
      continue;
    }
    rd_print("scope%u", i);
    call->closes = closes;
    call->result_level = i + 1;
    return scope->handle;
  }
  rd_print("nothing");
  call->skip = true;
  return NULL;
}

napi_callback_info rd_info(struct rd_call *call) {
  int32_t which = word(call);
  if (which < 0) return null(call);
  separate(call);
  bool outer = which == 1 && call->frame->outer != NULL;
  rd_print(outer ? "outer info" : "info");
  return outer ? call->frame->outer->info : call->frame->info;
}

const napi_type_tag *rd_tag(struct rd_call *call) {
  int32_t which = word(call);
  if (which < 0) return null(call);
  separate(call);
  rd_print("tag%d", (int)which);
  return &rd_tags[which];
}
