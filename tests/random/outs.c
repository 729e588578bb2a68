/*
 * What comes out of a call. Before it the cells are filled with a pattern, after it all that was written is printed,
 * also when the call failed; what can be used again goes to its register.
 */
#include "random.h"

#include <string.h>

#define PATTERN 0xa5

static void print_name(struct rd_call *call, const char *text, int place) {
  if (!call->first) rd_print(", ");
  call->first = false;
  if (place < 0) {
    rd_print("%s", text);
  } else {
    rd_print("&%s%d", text, place);
  }
}

static struct rd_out *add(struct rd_call *call, enum rd_out_kind kind, int place, size_t size) {
  struct rd_out *out = &call->outs[call->out_count++];
  *out = (struct rd_out){.kind = kind, .place = place, .size = size};
  memset(out->cell.bytes, PATTERN, sizeof out->cell);
  return out;
}

static bool is_untouched(const struct rd_out *out) {
  for (size_t i = 0; i < sizeof out->cell; i++) {
    if (out->cell.bytes[i] != PATTERN) return false;
  }
  return true;
}

static size_t size_of(enum rd_out_kind kind) {
  switch (kind) {
  case RD_BOOL: return sizeof(bool);
  case RD_INT32:
  case RD_UINT32: return 4;
  default: return 8;
  }
}

void *rd_out(struct rd_call *call, enum rd_out_kind kind) {
  bool present = rd_word(call) == 0;
  print_name(call, present ? "&out" : "NULL", -1);
  return present ? add(call, kind, 0, size_of(kind))->cell.bytes : NULL;
}

static napi_value *result(struct rd_call *call, enum rd_out_kind kind) {
  int32_t place = rd_word(call);
  print_name(call, place < 0 ? "NULL" : "v", place < 0 ? -1 : place % RD_VALUES);
  return place < 0 ? NULL : &add(call, kind, place % RD_VALUES, sizeof(napi_value))->cell.value;
}

napi_value *rd_result(struct rd_call *call) {
  return result(call, RD_RESULT);
}

napi_value *rd_this(struct rd_call *call) {
  return result(call, RD_THIS);
}

static void *no_room(struct rd_call *call) {
  print_name(call, "no room", -1);
  call->skip = true;
  return NULL;
}

void *rd_new_reference(struct rd_call *call) {
  int32_t which = rd_word(call);
  if (which < 0) return print_name(call, "NULL", -1), NULL;
  for (int i = 0; i < RD_REFERENCES; i++) {
    int place = (which + i) % RD_REFERENCES;
    if (rd_machine.references[place].handle != NULL) continue;
    print_name(call, "ref", place);
    return &add(call, RD_REFERENCE, place, sizeof(napi_ref))->cell.pointer;
  }
  return no_room(call);
}

void *rd_new_deferred(struct rd_call *call) {
  int32_t which = rd_word(call);
  if (which < 0) return print_name(call, "NULL", -1), NULL;
  for (int i = 0; i < RD_DEFERREDS; i++) {
    int place = (which + i) % RD_DEFERREDS;
    if (rd_machine.deferreds[place] != NULL) continue;
    print_name(call, "deferred", place);
    return &add(call, RD_DEFERRED, place, sizeof(napi_deferred))->cell.pointer;
  }
  return no_room(call);
}

void *rd_new_scope(struct rd_call *call, bool escapable) {
  if (rd_word(call) < 0) return print_name(call, "NULL", -1), NULL;
  if (call->frame->scope_count == RD_SCOPES) return no_room(call);
  print_name(call, "scope", (int)call->frame->scope_count);
  return &add(call, escapable ? RD_ESCAPABLE : RD_SCOPE, 0, sizeof(void *))->cell.pointer;
}

/* Words: how many arguments fit (negative: nobody asks how many there are), the first register for them (negative:
 * none). */
size_t *rd_arguments(struct rd_call *call, napi_value **argv) {
  int32_t count = rd_word(call), place = rd_word(call);
  memset(call->arguments, 0, sizeof call->arguments);
  call->argc = (size_t)count % (RD_ARGUMENT_COUNT + 1);
  print_name(call, count < 0 ? "NULL" : "argc", count < 0 ? -1 : (int)call->argc);
  *argv = place < 0 ? NULL : call->arguments;
  print_name(call, place < 0 ? "NULL" : "v", place);
  add(call, RD_ARGUMENTS, count < 0 ? -1 : place, count < 0 ? 0 : call->argc);
  return count < 0 ? NULL : &call->argc;
}

static uint8_t text[RD_TEXT];

/* Words: is there a buffer, and of what size (in units). */
void *rd_buffer(struct rd_call *call, bool wide, size_t *size) {
  int32_t present = rd_word(call);
  *size = (size_t)rd_word(call) % (RD_TEXT / 4);
  print_name(call, present != 0 ? "buf" : "NULL", -1);
  rd_print(", %zu", *size);
  if (present == 0) return NULL;
  memset(text, PATTERN, sizeof text);
  add(call, wide ? RD_TEXT16 : RD_TEXT8, 0, *size);
  return text;
}

/* Words: how many fit (negative: nobody says), and are they wanted. */
size_t *rd_words_out(struct rd_call *call, uint64_t **words) {
  int32_t count = rd_word(call);
  bool wanted = rd_word(call) == 0;
  call->big_count = (size_t)count % (RD_BIG + 1);
  memset(call->big, PATTERN, sizeof call->big);
  print_name(call, count < 0 ? "NULL" : "count", count < 0 ? -1 : (int)call->big_count);
  print_name(call, wanted ? "words" : "NULL", -1);
  *words = wanted ? call->big : NULL;
  if (count < 0) return NULL;
  add(call, RD_WORDS, wanted, 0);
  return &call->big_count;
}

/* ---- after the call ---- */

static void print_text(size_t unit) {
  size_t written = sizeof text;
  while (written > 0 && text[written - 1] == PATTERN) written--;
  rd_print(unit == 2 ? " u" : " ");
  rd_print_bytes(text, written);
}

static unsigned element_size(const napi_typedarray_type *type) {
  static const uint8_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2};
  return type != NULL && (unsigned)*type < sizeof sizes ? sizes[*type] : 1;
}

/* How many bytes may be looked at there. Nobody knows when the addon did not ask for the length. */
static size_t memory_length(const struct rd_call *call) {
  if (call->length_out == NULL) return call->length;
  return *call->length_out * element_size(call->type_out);
}

static void remember(uint8_t *bytes, size_t length) {
  rd_machine.memories[rd_machine.memory_next++ % RD_MEMORIES] = (struct rd_memory){bytes, length};
}

static void settle_memory(struct rd_call *call, struct rd_out *out) {
  uint8_t *bytes = out->cell.pointer;
  size_t length = memory_length(call);
  if (length == 0 || bytes == NULL) {
    rd_print(length == 0 ? " empty" : " NULL");
    return;
  }
  if (call->fills) memset(bytes, 0x11, length);
  rd_print(" ");
  rd_print_bytes(bytes, length);
  if ((call->flags & RD_WRITE) != 0) {
    for (size_t i = 0; i < length; i += 3) bytes[i] ^= (uint8_t)(i + 1);
  }
  remember(bytes, length);
}

static void settle_arguments(struct rd_call *call, const struct rd_out *out) {
  if (out->size == 0 && out->place < 0) return;
  rd_print(" argc %zu", call->argc);
  for (size_t i = 0; i < out->size && out->place >= 0; i++) {
    int place = (int)((size_t)out->place + i) % RD_VALUES;
    rd_keep(call->frame, place, call->arguments[i], call->frame->scope_count + 1);
    if (call->arguments[i] == NULL) rd_print(" NULL");
  }
}

static void settle_words(struct rd_call *call, const struct rd_out *out) {
  rd_print(" count %zu", call->big_count);
  if (out->place == 0) return;
  for (size_t i = 0; i < RD_BIG; i++) {
    if (call->big[i] == UINT64_C(0xa5a5a5a5a5a5a5a5)) break;
    rd_print(" %#llx", (unsigned long long)call->big[i]);
  }
}

static void settle_value(struct rd_call *call, struct rd_out *out) {
  unsigned level = call->result_level != 0 ? call->result_level : call->frame->scope_count + 1;
  bool kept = out->cell.value != NULL && !(out->kind == RD_THIS && call->frame->hides_this);
  rd_print(out->cell.value == NULL ? " NULL" : " v%d", out->place);
  rd_keep(call->frame, out->place, kept ? out->cell.value : NULL, level);
}

static void settle_error_info(const struct rd_out *out) {
  const napi_extended_error_info *info = out->cell.pointer;
  rd_print(" {%s, %s, %u, %s}", info->error_message == NULL ? "NULL" : info->error_message,
           info->engine_reserved == NULL ? "NULL" : "reserved", (unsigned)info->engine_error_code,
           rd_status(info->error_code));
}

static void settle_node_version(const struct rd_out *out) {
  const napi_node_version *version = out->cell.pointer;
  rd_print(" %u.%u.%u %s", (unsigned)version->major, (unsigned)version->minor, (unsigned)version->patch,
           version->release);
}

static void settle_handle(struct rd_call *call, struct rd_out *out) {
  struct rd_frame *frame = call->frame;
  void *pointer = out->cell.pointer;
  if (pointer == NULL) rd_print(" NULL");
  switch (out->kind) {
  case RD_REFERENCE:
    rd_machine.references[out->place] = (struct rd_ref){.handle = pointer, .wrapped = call->wraps};
    break;
  case RD_DEFERRED: rd_machine.deferreds[out->place] = pointer; break;
  default:
    frame->scopes[frame->scope_count++] = (struct rd_scope){.handle = pointer, .escapable = out->kind == RD_ESCAPABLE};
    break;
  }
}

static void settle_number(const struct rd_out *out) {
  double number;
  for (size_t i = out->size; i < sizeof out->cell; i++) {
    if (out->cell.bytes[i] != PATTERN) rd_print(" [written behind]");
  }
  switch (out->kind) {
  case RD_BOOL: rd_print(" %#x", (unsigned)out->cell.bytes[0]); break;
  case RD_INT32:
  case RD_UINT32: rd_print(" %#llx", (unsigned long long)(out->cell.number & UINT32_MAX)); break;
  case RD_DOUBLE:
    memcpy(&number, out->cell.bytes, sizeof number);
    if (number != number) {
      rd_print(" NaN");
    } else {
      rd_print(" %.17g", number);
    }
    break;
  default: rd_print(" %llu", (unsigned long long)out->cell.number); break;
  }
}

static void settle_out(struct rd_call *call, struct rd_out *out) {
  switch (out->kind) {
  case RD_TEXT8: print_text(1); return;
  case RD_TEXT16: print_text(2); return;
  case RD_ARGUMENTS: settle_arguments(call, out); return;
  case RD_WORDS: settle_words(call, out); return;
  default: break;
  }
  if (is_untouched(out)) {
    rd_print(" untouched");
    return;
  }
  switch (out->kind) {
  case RD_RESULT:
  case RD_THIS: settle_value(call, out); break;
  case RD_POINTER:
    rd_print(" ");
    rd_print_pointer(out->cell.pointer);
    break;
  case RD_MEMORY: settle_memory(call, out); break;
  case RD_REFERENCE:
  case RD_DEFERRED:
  case RD_SCOPE:
  case RD_ESCAPABLE: settle_handle(call, out); break;
  case RD_ERROR_INFO: settle_error_info(out); break;
  case RD_NODE_VERSION: settle_node_version(out); break;
  case RD_FILE_NAME:
    rd_print(" ");
    rd_print_bytes(out->cell.pointer, strlen(out->cell.pointer));
    break;
  case RD_OPAQUE: break;
  default: settle_number(out); break;
  }
}

/* What a failed call wrote is seen, but not used: handles may be there, or not. */
static void settle_failed(struct rd_call *call, struct rd_out *out) {
  switch (out->kind) {
  case RD_TEXT8: print_text(1); break;
  case RD_TEXT16: print_text(2); break;
  case RD_ARGUMENTS: rd_print(" argc %zu", call->argc); break;
  case RD_WORDS: settle_words(call, out); break;
  case RD_BOOL:
  case RD_INT32:
  case RD_UINT32:
  case RD_INT64:
  case RD_UINT64:
  case RD_SIZE:
  case RD_DOUBLE:
    if (!is_untouched(out)) settle_number(out);
    break;
  default:
    if (!is_untouched(out)) rd_print(" [written]");
    break;
  }
}

/* What the call has ended. */
static void settle_operands(struct rd_call *call) {
  struct rd_frame *frame = call->frame;
  if (call->ref != NULL) *call->ref = (struct rd_ref){0};
  if (!call->closes) return;
  frame->scope_count--;
  for (unsigned i = 0; i < RD_VALUES; i++) {
    if (frame->levels[i] > frame->scope_count + 1) frame->levels[i] = 0;
  }
}

void rd_unwrapped(struct rd_call *call) {
  for (unsigned i = 0; i < call->out_count; i++) {
    if (call->outs[i].kind != RD_POINTER) continue;
    for (unsigned j = 0; j < RD_REFERENCES; j++) {
      struct rd_ref *ref = &rd_machine.references[j];
      if (ref->wrapped == call->outs[i].cell.pointer) ref->wrapped = NULL;
    }
  }
}

void rd_put_back(struct rd_call *call) {
  if (call->deferred != NULL) rd_machine.deferreds[call->deferred_place] = call->deferred;
}

/* Only what is checked before leaves a deferred as it was; one that throws while it is resolved is gone. */
static void settle_deferred(struct rd_call *call, napi_status status) {
  bool checked = status == napi_invalid_arg || (status == napi_pending_exception && call->was_pending);
  if (checked) rd_put_back(call);
}

napi_status rd_settle(struct rd_call *call, napi_status status) {
  if (rd_transcript_length() != call->printed) rd_print("\n%*s...", (int)call->frame->depth * 2, "");
  rd_print(" = %s", rd_status(status));
  settle_deferred(call, status);
  if (status == napi_ok) settle_operands(call);
  if (status == napi_ok && call->lent != NULL && call->length > 0) remember(call->lent, call->length);
  for (unsigned i = 0; i < call->out_count; i++) {
    if (status == napi_ok) {
      settle_out(call, &call->outs[i]);
    } else {
      settle_failed(call, &call->outs[i]);
    }
  }
  return status;
}
