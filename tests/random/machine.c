/*
 * Runs a program: its functions, their frames, and what is asked after each call.
 */
#include "random.h"

#include <string.h>

struct rd_machine rd_machine;

void rd_keep(struct rd_frame *frame, int place, napi_value value, unsigned level) {
  frame->values[place] = value;
  frame->levels[place] = value == NULL ? 0 : level;
}

static bool is_pending(napi_env env) {
  bool pending = false;
  return napi_is_exception_pending(env, &pending) == napi_ok && pending;
}

static void indent(const struct rd_frame *frame) {
  rd_print("\n%*s", (int)frame->depth * 2, "");
}

/* Has JavaScript describe all registers, and orders what it writes down after this. */
static void inspect(napi_env env, struct rd_frame *frame, napi_value extra) {
  napi_value arguments[3 + RD_VALUES], undefined;
  static double label;
  uint32_t mask = 0;
  if (rd_machine.observe == NULL || is_pending(env)) return;
  napi_get_undefined(env, &undefined);
  for (unsigned i = 0; i < RD_VALUES; i++) {
    mask |= (uint32_t)(frame->levels[i] != 0) << i;
    arguments[3 + i] = frame->levels[i] != 0 ? frame->values[i] : undefined;
  }
  napi_create_double(env, label++, &arguments[0]);
  napi_create_uint32(env, mask, &arguments[1]);
  arguments[2] = extra == NULL ? undefined : extra;
  napi_status status = napi_call_function(env, undefined, rd_machine.observe, 3 + RD_VALUES, arguments, NULL);
  if (status != napi_ok) rd_print(" [not observed: %s]", rd_status(status));
}

static void mark(napi_env env) {
  napi_value undefined;
  if (rd_machine.observe == NULL || is_pending(env)) return;
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, rd_machine.observe, 0, NULL, NULL);
}

static void clear(napi_env env, struct rd_frame *frame, int place) {
  napi_value exception = NULL;
  napi_status status = napi_get_and_clear_last_exception(env, &exception);
  rd_print(" cleared v%d %s", place, status == napi_ok ? "" : rd_status(status));
  if (status == napi_ok) rd_keep(frame, place, exception, frame->scope_count + 1);
}

/* Throws something and catches it, so that V8 forgets what it threw before. */
static void wash(napi_env env) {
  napi_value exception = NULL, script, ignored;
  napi_handle_scope scope;
  bool pending = is_pending(env);
  if (pending) napi_get_and_clear_last_exception(env, &exception);
  napi_open_handle_scope(env, &scope);
  napi_create_string_utf8(env, "throw 0", NAPI_AUTO_LENGTH, &script);
  napi_run_script(env, script, &ignored);
  napi_get_and_clear_last_exception(env, &ignored);
  napi_close_handle_scope(env, scope);
  if (pending) napi_throw(env, exception);
}

static void ask(struct rd_call *call) {
  const napi_extended_error_info *info;
  if ((call->flags & RD_ASK_LAST_ERROR) != 0 && napi_get_last_error_info(call->env, &info) == napi_ok) {
    rd_print(" {%s, %s}", rd_status(info->error_code), info->error_message == NULL ? "NULL" : info->error_message);
  }
  if (call->washes) wash(call->env);
  if ((call->flags & RD_ASK_NOTHING) == 0 && is_pending(call->env)) {
    rd_print(" pending");
    if ((call->flags & RD_CLEAR) != 0) clear(call->env, call->frame, call->flags >> 8 & (RD_VALUES - 1));
  }
  if ((call->flags & RD_MARK) != 0) mark(call->env);
}

/* Memory that an earlier call gave, in whatever frame: JavaScript may have written there, and sees what is written now.
 */
static void use_memory(struct rd_call *call, bool writes) {
  const struct rd_memory *memory = &rd_machine.memories[(unsigned)call->words[0] % RD_MEMORIES];
  rd_print(writes ? "poke " : "peek ");
  if (memory->bytes == NULL) return;
  if (writes) {
    size_t offset = (size_t)call->words[1] % memory->length;
    memory->bytes[offset] = (uint8_t)call->words[2];
    rd_print("%zu ", offset);
  }
  rd_print_bytes(memory->bytes, memory->length);
}

static void run_call(struct rd_call *call, int32_t function) {
  indent(call->frame);
  switch (function) {
  case RD_INSPECT:
    rd_print("inspect");
    inspect(call->env, call->frame, NULL);
    return;
  case RD_POKE:
  case RD_PEEK: use_memory(call, function == RD_POKE); return;
  default: break;
  }
  if (function < 0 || (unsigned)function >= rd_function_count) return;
  rd_print("%s(", rd_functions[function].name);
  call->first = true;
  napi_status status = rd_functions[function].call(call);
  if (call->skip) {
    rd_put_back(call);
    rd_print(") left out");
    return;
  }
  rd_counts[function][status != napi_ok]++;
  ask(call);
}

/* Words of a call: function, bits, number of operands, operands. */
static void run_calls(napi_env env, struct rd_frame *frame, const int32_t *words, int32_t count) {
  static const struct rd_call none;
  while (count-- > 0 && rd_machine.steps > 0) {
    struct rd_call call = none;
    call.env = env;
    call.frame = frame;
    call.flags = words[1];
    call.words = words + 3;
    call.end = words + 3 + words[2];
    rd_machine.steps--;
    run_call(&call, words[0]);
    words = call.end;
  }
}

/* In programs that must not touch what belongs to the whole process, `this` is none of their business when it is that.
 */
static void look_at_this(napi_env env, struct rd_frame *frame) {
  napi_value self, global;
  bool same = false;
  napi_get_cb_info(env, frame->info, NULL, NULL, &self, NULL);
  napi_get_global(env, &global);
  napi_strict_equals(env, self, global, &same);
  frame->hides_this = same;
}

static void take_arguments(napi_env env, struct rd_frame *frame, int32_t flags) {
  napi_value arguments[4], self;
  size_t count = 4;
  if ((flags & RD_TAKES_ARGUMENTS) != 0) {
    napi_status status = napi_get_cb_info(env, frame->info, &count, arguments, NULL, NULL);
    rd_print(" %s %zu", rd_status(status), count);
    for (int i = 0; i < 4 && status == napi_ok; i++) rd_keep(frame, i, arguments[i], 1);
  }
  if ((flags & RD_TAKES_THIS) != 0 && !frame->hides_this) {
    void *data = NULL;
    napi_status status = napi_get_cb_info(env, frame->info, NULL, NULL, &self, &data);
    rd_print(" %s ", rd_status(status));
    rd_print_pointer(data);
    if (status == napi_ok) rd_keep(frame, 4, self, 1);
  }
}

static void close_scopes(napi_env env, struct rd_frame *frame) {
  while (frame->scope_count > 0) {
    const struct rd_scope *scope = &frame->scopes[--frame->scope_count];
    napi_status status = scope->escapable ? napi_close_escapable_handle_scope(env, scope->handle)
                                          : napi_close_handle_scope(env, scope->handle);
    rd_print(" close %s", rd_status(status));
  }
  for (unsigned i = 0; i < RD_VALUES; i++) {
    if (frame->levels[i] > 1) frame->levels[i] = 0;
  }
}

static void finish(napi_env env, struct rd_frame *frame) {
  napi_value exception = NULL;
  bool pending = is_pending(env);
  if (pending) napi_get_and_clear_last_exception(env, &exception);
  inspect(env, frame, exception);
  if (pending) rd_print(" throw %s", rd_status(napi_throw(env, exception)));
}

/* Words of a function: bits, the register that it returns (negative: nothing), number of calls, calls. */
static napi_value run_function(napi_env env, struct rd_frame *frame, const int32_t *words, bool root) {
  bool hides = (rd_machine.flags & RD_SHARES) == 0 && (words[0] & (RD_TAKES_THIS | RD_USES_THIS)) != 0;
  if (!root) {
    if (hides) look_at_this(env, frame);
    take_arguments(env, frame, words[0]);
  }
  run_calls(env, frame, words + 3, words[2]);
  indent(frame);
  rd_print("end");
  close_scopes(env, frame);
  if (root && (rd_machine.flags & RD_FINISHES) != 0) finish(env, frame);
  for (int i = 0; i < RD_VALUES && words[1] >= 0; i++) {
    int place = (words[1] + i) % RD_VALUES;
    if (frame->levels[place] == 0) continue;
    rd_print(" v%d", place);
    return frame->values[place];
  }
  return NULL;
}

/* Words of a program: bits, number of functions, where each begins. */
napi_value rd_enter(napi_env env, napi_callback_info info, unsigned function, struct rd_frame *given) {
  struct rd_frame own, *frame = given == NULL ? &own : given;
  const int32_t *program = rd_machine.program;
  unsigned count = program == NULL ? 0 : (unsigned)program[1];
  if (given == NULL && count > 1) function = 1 + (function - 1) % (count - 1);
  if (given == NULL) memset(&own, 0, sizeof own);
  frame->outer = rd_machine.frame;
  frame->info = info;
  frame->depth = frame->outer == NULL ? 0 : frame->outer->depth + 1;
  indent(frame);
  rd_print("function%d:", (int)function - 1);
  if (rd_machine.steps == 0 || frame->depth > RD_DEPTH || function >= count) {
    rd_print(" not run");
    return NULL;
  }
  rd_machine.frame = frame;
  napi_value result = run_function(env, frame, program + program[2 + function], given != NULL);
  rd_machine.frame = frame->outer;
  return result;
}

#define CALLBACK(number)                                                                                               \
  static napi_value callback##number(napi_env env, napi_callback_info info) {                                          \
    return rd_enter(env, info, 1 + number, NULL);                                                                      \
  }
CALLBACK(0)
CALLBACK(1)
CALLBACK(2)
CALLBACK(3)
CALLBACK(4)
CALLBACK(5)
const napi_callback rd_callbacks[RD_CALLBACKS] = {callback0, callback1, callback2, callback3, callback4, callback5};

/* One whose object is still wrapped is leaked, but not with the object. */
static void drop_reference(napi_env env, struct rd_ref *ref) {
  if (ref->handle == NULL) return;
  if (ref->wrapped == NULL) {
    napi_delete_reference(env, ref->handle);
  } else {
    while (napi_reference_unref(env, ref->handle, NULL) == napi_ok) continue;
  }
  *ref = (struct rd_ref){0};
}

void rd_clean(napi_env env) {
  napi_value undefined;
  napi_get_undefined(env, &undefined);
  for (unsigned i = 0; i < RD_REFERENCES; i++) drop_reference(env, &rd_machine.references[i]);
  for (unsigned i = 0; i < RD_DEFERREDS; i++) {
    if (rd_machine.deferreds[i] != NULL) napi_resolve_deferred(env, rd_machine.deferreds[i], undefined);
    rd_machine.deferreds[i] = NULL;
  }
  napi_set_instance_data(env, NULL, NULL, NULL);
}
