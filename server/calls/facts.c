/*
 * What the host is told about a value along with its handle, so that most reads need no question.
 */
#include "server/calls/facts.h"

#include <string.h>

#include "server/calls/objects.h"
#include "server/dispatch.h"
#include "server/memory/exchange.h"
#include "server/server-private.h"

static nr_span describe_bytes(struct nr_describe *describe, const void *bytes, size_t length) {
  if (describe->tail_count == describe->tail_room || length > NR_TAIL_MAX - describe->tail_length) return NR_SPAN_NULL;
  nr_span span = nr_span_make(describe->tail_length, (uint32_t)length);
  describe->tail[describe->tail_count++] = (struct nr_slice){.data = bytes, .length = length};
  describe->tail_length += (uint32_t)length;
  return span;
}

static bool is_ascii(const char16_t *text, size_t length) {
  char16_t all = 0;
  for (size_t i = 0; i < length; i++) all |= text[i];
  return all < 0x80;
}

/* Short strings travel along: one byte a unit when they are ASCII, which keeps every encoding that the addon may ask
 * for exact. Not inlined: the buffer must not weigh on the stack of nested entries, which is V8's to measure. */
static __attribute__((noinline)) bool describe_text(struct nr_describe *describe, napi_value value, Nr__Fact *fact) {
  char16_t text[NR_TEXT_INLINE + 1];
  size_t length = 0;
  if (napi_get_value_string_utf16(describe->napi, value, text, NR_TEXT_INLINE + 1, &length) != napi_ok) return false;
  if (length >= NR_TEXT_INLINE) return false; /* perhaps cut */
  bool wide = !is_ascii(text, length);
  size_t size = wide ? length * 2 : length;
  uint8_t *copy = nr_arena_alloc(describe->connection->arena, size + 1);
  if (copy == NULL) return false;
  if (wide) {
    memcpy(copy, text, size);
  } else {
    for (size_t i = 0; i < length; i++) copy[i] = (uint8_t)text[i];
  }
  fact->text = describe_bytes(describe, copy, size);
  if (fact->text == NR_SPAN_NULL) return false;
  fact->shape |= NR_SHAPE_TEXT | (wide ? NR_SHAPE_WIDE : 0);
  return true;
}

/* Externals are not looked into unasked: one that no Node-API addon made holds a pointer that the real function must
 * not follow. A callback that has looked into one that it was given will look into the next. */
static bool describe_external(struct nr_describe *describe, napi_value value, Nr__Fact *fact) {
  const struct nr_callback *callback = describe->connection->callback;
  void *pointer = NULL;
  if (callback == NULL || !callback->looks || napi_get_value_external(describe->napi, value, &pointer) != napi_ok)
    return false;
  fact->shape |= NR_SHAPE_WRAP;
  fact->wrap_id = nr_object_of(describe->connection, pointer);
  return fact->wrap_id != 0;
}

static void describe_wrap(struct nr_describe *describe, napi_value value, Nr__Fact *fact) {
  void *pointer = NULL;
  bool bare = napi_unwrap(describe->napi, value, &pointer) != napi_ok;
  fact->shape |= NR_SHAPE_WRAP | (bare ? NR_SHAPE_BARE : 0);
  fact->wrap_id = nr_object_of(describe->connection, pointer);
}

/* True: it is one. */
static bool describe_view(struct nr_describe *describe, napi_value value, enum nr_bytes bytes, Nr__Fact *fact) {
  bool given = bytes == NR_BYTES_GIVEN;
  Nr__View *view = nr_arena_alloc(describe->connection->arena, sizeof *view);
  if (view == NULL) return false;
  nr__view__init(view);
  if (!nr_memory_describe(describe->connection, describe->napi, value, given, given ? UINT64_MAX : NR_READ_BYTES,
                          view)) {
    fact->shape |= NR_SHAPE_NO_VIEW;
    return false;
  }
  fact->shape |= NR_SHAPE_NO_ARRAY;
  if (!given && view->length > NR_READ_BYTES) return true;
  fact->shape |= NR_SHAPE_VIEW;
  fact->view = view;
  return true;
}

bool nr_describe_value(struct nr_describe *describe, napi_value value, napi_valuetype type, bool wrap,
                       enum nr_bytes bytes, Nr__Fact *fact) {
  bool array = false;
  switch (type) {
  case napi_string: return describe_text(describe, value, fact);
  case napi_external: return wrap && describe_external(describe, value, fact);
  case napi_function:
    if (wrap) describe_wrap(describe, value, fact);
    return wrap;
  case napi_object:
    if (bytes != NR_BYTES_NONE && describe_view(describe, value, bytes, fact)) return true;
    if (napi_is_array(describe->napi, value, &array) == napi_ok && array) {
      fact->shape |= NR_SHAPE_ARRAY | NR_SHAPE_NO_VIEW;
      return true;
    }
    fact->shape |= NR_SHAPE_NO_ARRAY;
    if (wrap) describe_wrap(describe, value, fact);
    return true;
  default: return false;
  }
}

/* Not what the program has put there in its place (server/lib/builtins.js). */
static bool is_object_create(struct nr_dispatch *d, napi_value function) {
  const struct nr_agent *agent = d->connection->agent;
  napi_value create;
  bool is = false;
  return agent->create != NULL && napi_get_reference_value(agent->napi, agent->create, &create) == napi_ok &&
         napi_strict_equals(d->napi, function, create, &is) == napi_ok && is;
}

void nr_note_fresh(struct nr_dispatch *d, const Nr__CallFunctionRequest *request, napi_value function,
                   Nr__KnownReply *reply) {
  bool with_null = request->n_argv == 1 && request->argv[0] == NR_NULL;
  if (!with_null || nr_value_tag(reply->result) != NR_TAG_OBJECT || !is_object_create(d, function)) return;
  reply->shape |= NR_SHAPE_FRESH;
  d->quiet = true;
}
