/*
 * What goes into a call. Each function takes the words of one parameter, prints what they stand for, and gives it. A
 * register in which nothing is alive is replaced by one in which something is; when there is none, the call is left
 * out.
 */
#include "random.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

int32_t rd_word(struct rd_call *call) {
  if (call->words == call->end) {
    call->skip = true;
    return -1;
  }
  return *call->words++;
}

void rd_separate(struct rd_call *call) {
  if (!call->first) rd_print(", ");
  call->first = false;
}

static void *null(struct rd_call *call) {
  rd_separate(call);
  rd_print("NULL");
  return NULL;
}

napi_env rd_env(struct rd_call *call) {
  if (rd_word(call) == 0) {
    rd_separate(call);
    rd_print("env");
    return call->env;
  }
  return null(call);
}

napi_value rd_find(struct rd_call *call, int32_t which) {
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
  int32_t which = rd_word(call);
  if (which < 0) return null(call);
  rd_separate(call);
  return rd_find(call, which);
}

napi_valuetype rd_type_of(struct rd_call *call, napi_value value) {
  napi_valuetype type = napi_undefined;
  if (value != NULL && napi_typeof(call->env, value, &type) != napi_ok) rd_print("[no type]");
  return type;
}

bool rd_is_external(struct rd_call *call, napi_value value) {
  return rd_type_of(call, value) == napi_external;
}

bool rd_is_unfit_prototype(struct rd_call *call, napi_value value) {
  napi_valuetype type = rd_type_of(call, value);
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
  int32_t which = rd_word(call), mode = rd_word(call);
  const struct rd_bytes *text = &rd_texts[which < 0 ? 0 : which];
  *length = told(mode, which < 0, text->length);
  rd_separate(call);
  if (which < 0) {
    rd_print("NULL");
  } else {
    rd_print_bytes(text->text, text->length);
  }
  print_length(*length);
  return which < 0 ? NULL : text->text;
}

const char16_t *rd_text16(struct rd_call *call, size_t *length) {
  int32_t which = rd_word(call), mode = rd_word(call);
  const struct rd_units *text = &rd_wides[which < 0 ? 0 : which];
  *length = told(mode, which < 0, text->length);
  rd_separate(call);
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
  int32_t which = rd_word(call);
  if (which < 0) return null(call);
  rd_separate(call);
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

/* The same of bytes, which both may write. */
void *rd_lent_bytes(struct rd_call *call, size_t *length) {
  *length = (size_t)rd_word(call) % 256;
  uint8_t *bytes = malloc(*length + 1);
  if (bytes == NULL) abort();
  for (size_t i = 0; i < *length; i++) bytes[i] = (uint8_t)(i * 3);
  rd_separate(call);
  rd_print("%zu lent", *length);
  call->lent = bytes;
  call->length = *length;
  return bytes;
}

const void *rd_some_bytes(struct rd_call *call, size_t *length) {
  static uint8_t pattern[256];
  int32_t size = rd_word(call), present = rd_word(call);
  if (pattern[1] == 0) {
    for (unsigned i = 0; i < sizeof pattern; i++) pattern[i] = (uint8_t)(i * 7);
  }
  *length = (size_t)size % sizeof pattern;
  rd_separate(call);
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
  int32_t size = rd_word(call), first = rd_word(call);
  *count = size < 0 ? rd_special_counts[-1 - size] : (size_t)size;
  rd_separate(call);
  rd_print("%zu, ", *count);
  if (first < 0) {
    rd_print("NULL");
    return NULL;
  }
  rd_print("words%d", (int)first);
  return rd_words + first;
}

int32_t rd_int32(struct rd_call *call) {
  int32_t number = rd_word(call);
  rd_separate(call);
  rd_print("%d", (int)number);
  return number;
}

double rd_double(struct rd_call *call) {
  double number = rd_doubles[rd_word(call)];
  rd_separate(call);
  rd_print("%.17g", number);
  return number;
}

int64_t rd_int64(struct rd_call *call) {
  int64_t number = rd_int64s[rd_word(call)];
  rd_separate(call);
  rd_print("%lld", (long long)number);
  return number;
}

int64_t rd_change(struct rd_call *call) {
  int64_t number = rd_changes[rd_word(call)];
  rd_separate(call);
  rd_print("%lld", (long long)number);
  return number;
}

uint64_t rd_uint64(struct rd_call *call) {
  uint64_t number = rd_uint64s[rd_word(call)];
  rd_separate(call);
  rd_print("%llu", (unsigned long long)number);
  return number;
}

size_t rd_size(struct rd_call *call) {
  int32_t size = rd_word(call);
  size_t result = size < 0 ? rd_special_sizes[-1 - size] : (size_t)size;
  rd_separate(call);
  rd_print("%zu", result);
  return result;
}

napi_callback rd_callback(struct rd_call *call) {
  int32_t which = rd_word(call);
  if (which < 0) return null(call), NULL;
  rd_separate(call);
  rd_print("function%d", (int)which % RD_CALLBACKS);
  return rd_callbacks[which % RD_CALLBACKS];
}

napi_finalize rd_finalizer(struct rd_call *call) {
  if (rd_word(call) < 0) return null(call), NULL;
  rd_separate(call);
  rd_print("finalize");
  return rd_finalize;
}

void *rd_data(struct rd_call *call) {
  void *pointer = rd_token(rd_word(call));
  rd_separate(call);
  rd_print_pointer(pointer);
  return pointer;
}

/* One that nothing else has: it tells which reference belongs to a wrap. */
void *rd_fresh_data(struct rd_call *call) {
  rd_word(call);
  void *pointer = rd_token(-2);
  rd_separate(call);
  rd_print_pointer(pointer);
  return pointer;
}

napi_ref rd_ref(struct rd_call *call, bool deletes) {
  int32_t which = rd_word(call);
  if (which < 0) return null(call);
  rd_separate(call);
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
  int32_t which = rd_word(call);
  rd_separate(call);
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
  int32_t which = rd_word(call);
  struct rd_frame *frame = call->frame;
  if (which < 0) return null(call);
  rd_separate(call);
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
  int32_t which = rd_word(call);
  if (which < 0) return null(call);
  rd_separate(call);
  bool outer = which == 1 && call->frame->outer != NULL;
  rd_print(outer ? "outer info" : "info");
  return outer ? call->frame->outer->info : call->frame->info;
}

const napi_type_tag *rd_tag(struct rd_call *call) {
  int32_t which = rd_word(call);
  if (which < 0) return null(call);
  rd_separate(call);
  rd_print("tag%d", (int)which);
  return &rd_tags[which];
}
