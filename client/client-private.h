/*
 * The client: every napi_* symbol that an addon can call, and the one choke point behind them. Used by the generated
 * stubs, the hand-written topics in this folder, and (client/client.h) the addon-host.
 *
 * Everything here runs on the channel's thread, inside an entry, unless it says otherwise.
 */
#ifndef NR_CLIENT_PRIVATE_H
#define NR_CLIENT_PRIVATE_H

#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "client/client.h"
#include "client/habits.h"
#include "client/known.h"
#include "client/recorder.h"
#include "client/memory/watch.h"
#include "napi.pb-c.h"
#include "opcodes.h"
#include "proto/experimental.h"
#include "wire/arena.h"
#include "wire/cold.h"
#include "wire/environ.h"
#include "wire/port.h"
#include "wire/protocol.h"
#include "wire/table.h"
#include "wire/track.h"
#include "wire/value.h"

#define NR_EXPORT __attribute__((visibility("default")))
#define NR_LIKELY(condition) __builtin_expect(!!(condition), 1)
#define NR_UNLIKELY(condition) __builtin_expect(!!(condition), 0)

/* What an addon holds as napi_env: a shadow of the real one. Never freed: calls after teardown fail locally. */
struct napi_env__ {
  struct nr_channel *channel;
  uint32_t number; /* the env on the wire */
  int32_t api_version;
  bool exception_pending;
  bool in_gc_finalizer; /* of an experimental addon, inside a collection: most functions end the process */
  napi_extended_error_info last_error;
  const char *text; /* of a failure that has one of its own: static, as Node's texts are; NULL: Node's for the status */
  char *filename;
  void *instance_data;
  nr_id instance_finalizer;
  uint32_t works; /* queued, and not yet completed */
};

/* What lives behind an id in the client's tables. */
enum nr_sort {
  NR_SORT_CALLBACK = 1,
  NR_SORT_OBJECT,
  NR_SORT_REFERENCE,
  NR_SORT_HOOK,
  NR_SORT_PAIR,
  NR_SORT_MODULE,
  NR_SORT_CONTEXT,
  NR_SORT_WORK,
  NR_SORT_THREADSAFE,
  NR_SORT_ASYNC_HOOK,
  NR_SORT_DEFERRED,
};

struct nr_callback {
  napi_env env;
  napi_callback function;
  void *data;
  struct nr_habits habits;
};

/* A pointer of the addon that JavaScript holds on to: of a wrap, an external, a finalizer, instance data. */
struct nr_object {
  napi_env env;
  void *data;
  napi_finalize finalize; /* NULL: none */
  void *hint;
};

struct nr_reference {
  uint32_t count;
  unsigned tag; /* enum nr_tag of the value; 0: a primitive */
  nr_value primitive;
  nr_id pair; /* whose bytes it holds; 0: none that is known */
};

/* One open handle scope. */
struct nr_scope {
  uint32_t top;    /* of the chosen handles when it was opened */
  uint32_t serial; /* part of the addon's napi_handle_scope, tells a stale one */
  bool on_server;  /* open_scope has been sent: scopes that see no traffic never are */
  bool escapable;
  bool escaped;
  nr_value slot; /* where the escaped handle will live, in the scope outside */
};

/* An entry from the server: a frame of the turn stack. What napi_callback_info points to. */
struct nr_entry {
  struct nr_entry *outer;
  const Nr__InvokeRequest *invoke; /* NULL: not a callback */
  struct nr_callback *callback;
  struct nr_known *facts; /* by index - given_base */
  uint32_t given_base;
  uint32_t given_count;
  uint32_t chosen_top; /* to go back to */
  uint32_t scope_base;
  uint32_t callback_scope_base;
  bool looked; /* native code has asked what an argument wraps */
};

/* A call that could not be sent when it was made (deferred.c). */
struct nr_deferred;
/* What another thread has done to a reference (foreign.c). */
struct nr_foreign;
struct nr_loop;
struct napi_threadsafe_function__;

/* One JavaScript thread joined with this thread. */
struct nr_channel {
  struct nr_port *port;
  struct nr_arena *arena;
  struct nr_table *callbacks;
  struct nr_table *objects;
  struct nr_table *references;
  struct nr_table *hooks;
  struct nr_table *modules;
  struct nr_table *asyncs;    /* contexts, works, threadsafe functions, hooks */
  struct nr_table *deferreds; /* not settled yet: their envs */
  struct nr_table *pairs;     /* adopted: the server chooses these ids */
  int memory;                 /* what the server shares: the blocks of the pairs */
  struct nr_extent *extents;  /* by place */
  uint32_t extent_count;
  uint32_t extent_room;
  struct nr_cold tracked; /* pairs that are: which of them to ask the kernel about */
  struct nr_pair **hot;   /* those that open entries have seen */
  uint32_t hot_count;
  uint32_t hot_room;
  struct nr_tracker *tracker;   /* NULL: this kernel tracks no writes */
  struct nr_watched *watched;   /* the tracked parts of pairs; with the tracker */
  struct nr_presence *presence; /* of large external buffers; NULL: none yet */
  struct nr_beside *beside;     /* those that are compared instead; NULL: none yet */
  uint32_t watched_quiet;       /* questions without news since native code was given one */
  uint32_t beside_quiet;        /* the same of those */
  uint32_t might_left;          /* of NR_MIGHT_BYTES */
  struct nr_entry *entry;       /* the innermost */
  bool in_basic;                /* a finalizer runs that a collection has called: the server listens to nobody */
  struct nr_deferred *deferred; /* oldest first */
  struct nr_deferred **deferred_end;
  struct nr_environ *environ; /* as Node knows it; NULL: the two are not kept alike */
  bool worker;                /* of a Worker: not Node's main thread */
  bool ends;                  /* the server has said so */
  struct nr_loop *loop;       /* NULL: nobody has asked for it */
  uint8_t state;              /* of the loop, as the server was told last */
  /* ---- of all threads ---- */
  bool executed;                                 /* a work, and the loop has not turned since: atomic */
  uint32_t owed;                                 /* works executed, but not yet complete: atomic */
  bool rung;                                     /* and the server has not come yet: atomic */
  struct napi_threadsafe_function__ *threadsafe; /* those with something to tell (threadsafe.c) */
  struct nr_foreign *foreign;                    /* newest first (foreign.c) */
  /* ---- */
  int64_t external_memory; /* what napi_adjust_external_memory() said last */
  napi_env *envs;
  uint32_t env_count;
  uint32_t sequence;
  uint32_t depth;
  uint32_t chosen_top; /* handles that this side has chosen */
  uint16_t chosen_generation;
  bool plain;            /* NR_FLAG_PLAIN of the last turn that was given to this side */
  bool plain_follows;    /* ... if it has been told yet: nr_channel_is_plain() */
  uint32_t follows;      /* frames with NR_FLAG_FOLLOWS so far */
  bool last;             /* no JavaScript runs any more: what might run some fails */
  uint32_t js_epoch;     /* counts up when JavaScript may have run */
  uint32_t wrap_epoch;   /* counts up with every wrap */
  uint32_t unwrap_epoch; /* with every wrap that may be gone */
  struct nr_scope *scopes;
  uint32_t scope_count;
  uint32_t scope_room;
  uint32_t scope_serial;
  uint32_t callback_scopes;  /* open ones */
  uint32_t scopes_on_server; /* of `scopes`, this many from the bottom have been announced */
  /* Objects and arrays that this turn made and JavaScript has not seen (fresh.c). */
  struct nr_fresh fresh[NR_FRESH][2];
  uint32_t fresh_epoch;  /* those of another one are not fresh any more */
  nr_value fresh_buffer; /* the last Buffer of that kind; NR_ABSENT: none */
  bool fresh_any;        /* there may be some */
  bool fresh_lost;       /* one that was is not known to be */
  struct nr_learned learned[NR_LEARNED];
  struct nr_snapshots *snapshots; /* NULL: none yet */
  struct nr_habits habits;        /* outside of callbacks */
  nr_value sized;                 /* the view whose size was asked for last */
};

/* ---- call.c: the choke point ----------------------------------------------------------------------------------------
 */

#define NR_CALL_SLICES 4
#define NR_CALL_VALUES 8

/* A Node-API call on its way. Lives on the stack of the function that the addon called. */
struct nr_call {
  napi_env env;
  unsigned opcode;
  const ProtobufCMessage *request;
  void *reply; /* after nr_call_wait(): the unpacked reply, until nr_call_end() */
  struct nr_frame frame;
  struct nr_arena_mark mark;
  bool marked;
  struct nr_slice *tail;
  uint32_t tail_count;
  uint32_t tail_room;
  uint32_t tail_length;
  bool out_of_memory;
  bool js;               /* may run JavaScript */
  bool keeps_last_error; /* when it succeeds: as functions that end with GET_RETURN_STATUS() do */
  const char *text;      /* for napi_get_last_error_info() when the call fails; NULL: Node's for the status */
  nr_value *values;
  struct nr_open_record recorded; /* by nr_call_wait(), or at the end */
  struct nr_slice own_tail[NR_CALL_SLICES];
  nr_value own_values[NR_CALL_VALUES];
};

#define NR_CALL(env_, opcode_, request_)                                                                               \
  { .env = (env_), .opcode = (opcode_), .request = (request_) }

/* Sends the call and waits for the reply, serving entries that arrive. The status is the server's. */
napi_status nr_call_wait(struct nr_call *call);
/* The same for calls that may run JavaScript: memory goes over before and comes back after. */
napi_status nr_call_wait_js(struct nr_call *call);
/* Sends the call and goes on. napi_ok, unless there is no channel. */
napi_status nr_call_post(struct nr_call *call);
/* The same for functions with a preamble, which fail where no JavaScript runs any more. */
napi_status nr_call_post_js(struct nr_call *call);
/* Posts the call where no reply can come, in a finalizer that a collection has called; waits elsewhere. */
napi_status nr_call_settle(struct nr_call *call);
/* Is it certain that JavaScript may run, so that a function with a preamble can answer here? Not once an env ends, nor
 * in a Worker, which can be terminated at any moment: there only the server knows. */
bool nr_call_js_runs(struct nr_call *call);
/* The same as far as it is known here: also in a Worker. */
bool nr_call_is_open(struct nr_call *call);
/* Posts a call with which nothing runs but hooks of async_hooks, where JavaScript is certain to run; waits elsewhere.
 */
napi_status nr_call_post_hooked(struct nr_call *call);
/* What ends every call, the local ones too: last error, recorder, tap, arena. Returns the status. */
napi_status nr_call_end(struct nr_call *call, napi_status status);
/* The end of a call of our own, which no addon has made. */
void nr_call_drop(struct nr_call *call, napi_status status);

/* The end of a call that was answered here: last error, recorder and tap. `reply` is what the trace prints. */
void nr_tap_local(napi_env env, unsigned opcode, const ProtobufCMessage *request, const ProtobufCMessage *reply,
                  napi_status status);
void nr_tap_refused(napi_env env, const char *function, napi_status status);
extern bool nr_tap_on;

/* The id of the handle that this call will create. */
nr_value nr_call_result_tagged(struct nr_call *call, enum nr_tag tag);
static inline nr_value nr_call_result(struct nr_call *call) {
  return nr_call_result_tagged(call, NR_TAG_OBJECT);
}
/* Puts bytes into the tail (they are not copied: they must live until the call is sent). NULL gives NR_SPAN_NULL. */
nr_span nr_call_bytes(struct nr_call *call, const void *bytes, size_t length);
nr_span nr_call_cstring(struct nr_call *call, const char *text);
/* The values on the wire, freed by nr_call_end(); NULL for none. */
nr_value *nr_call_values(struct nr_call *call, const napi_value *values, size_t count);
/* The same for two lists of `count`, one behind the other. */
nr_value *nr_call_pairs(struct nr_call *call, const napi_value *names, const napi_value *values, size_t count);

/* A call that is refused before it begins: last error, recorder, tap. env may not be NULL. */
napi_status nr_refuse(napi_env env, const char *function, napi_status status);
/* The same in a function with NAPI_PREAMBLE, which looks first whether JavaScript may run at all: only the server
 * knows. */
napi_status nr_refuse_js(napi_env env, const char *function, napi_status status);
/* The same with a text: what is not there yet, or cannot be. */
napi_status nr_refuse_text(napi_env env, const char *function, napi_status status, const char *text);

/* What every call of a function that is not there yet comes to. env: NULL when the function has none. */
napi_status nr_absent(napi_env env, const char *function, const char *text);

#define NR_CHECK_BASIC_ENV(env)                                                                                        \
  do {                                                                                                                 \
    if ((env) == NULL) return napi_invalid_arg;                                                                        \
  } while (0)
/* CHECK_ENV_NOT_IN_GC of Node's src/js_native_api_v8.h: all functions but the basic ones. */
#define NR_CHECK_ENV(env)                                                                                              \
  do {                                                                                                                 \
    NR_CHECK_BASIC_ENV(env);                                                                                           \
    if (NR_UNLIKELY((env)->in_gc_finalizer)) nr_end_in_gc();                                                           \
  } while (0)
#define NR_CHECK_ARG(env, argument)                                                                                    \
  do {                                                                                                                 \
    if ((argument) == NULL) return nr_refuse((env), __func__, napi_invalid_arg);                                       \
  } while (0)
/* The same behind NR_PREAMBLE. */
#define NR_CHECK_JS_ARG(env, argument)                                                                                 \
  do {                                                                                                                 \
    if ((argument) == NULL) return nr_refuse_js((env), __func__, napi_invalid_arg);                                    \
  } while (0)
/* NAPI_PREAMBLE of Node's src/js_native_api_v8.h: not while an exception is pending. */
#define NR_PREAMBLE(env)                                                                                               \
  do {                                                                                                                 \
    NR_CHECK_ENV(env);                                                                                                 \
    if (NR_UNLIKELY((env)->exception_pending)) return nr_refuse((env), __func__, napi_pending_exception);              \
    nr_clear_last_error(env);                                                                                          \
  } while (0)
/* CHECK_NEW_STRING_ARGS of Node's src/js_native_api_v8.cc. */
#define NR_CHECK_STRING_ARGS(env, str, length, result)                                                                 \
  do {                                                                                                                 \
    if ((length) > 0) NR_CHECK_ARG(env, str);                                                                          \
    NR_CHECK_ARG(env, result);                                                                                         \
    if ((length) != NAPI_AUTO_LENGTH && (length) > INT32_MAX) return nr_refuse((env), __func__, napi_invalid_arg);     \
  } while (0)

static inline napi_status nr_set_last_error(napi_env env, napi_status status) {
  env->last_error.error_code = status;
  env->last_error.engine_error_code = 0;
  env->last_error.engine_reserved = NULL;
  if (status == napi_ok) env->last_error.error_message = NULL; /* napi_clear_last_error(): addons hold the struct */
  env->text = NULL;
  return status;
}

static inline napi_status nr_clear_last_error(napi_env env) {
  return nr_set_last_error(env, napi_ok);
}

static inline size_t nr_length(const char *text, size_t length) {
  return length == NAPI_AUTO_LENGTH ? strlen(text) : length;
}
/* What happened, to those who listen: the recorder always does, the tap only when somebody wants a trace. */
static inline void nr_tell(napi_env env, unsigned opcode, const ProtobufCMessage *request,
                           const ProtobufCMessage *reply, napi_status status) {
  nr_record_local(env, opcode, request, reply, status);
  if (NR_UNLIKELY(nr_tap_on)) nr_tap_local(env, opcode, request, reply, status);
}
static inline void nr_tell_refused(napi_env env, const char *function, napi_status status) {
  nr_record_refused(env, function, status);
  if (NR_UNLIKELY(nr_tap_on)) nr_tap_refused(env, function, status);
}

static inline napi_status nr_answer(napi_env env, unsigned opcode, const ProtobufCMessage *request,
                                    const ProtobufCMessage *reply, napi_status status) {
  nr_set_last_error(env, status);
  nr_tell(env, opcode, request, reply, status);
  return status;
}

size_t nr_length16(const char16_t *text, size_t length);

/* What addons hold as napi_value is the value on the wire with absent mapped to NULL, so numbers need no memory at all.
 */
static inline nr_value nr_wire(napi_value value) {
  return (nr_value)(uintptr_t)value ^ NR_ABSENT;
}
static inline napi_value nr_unwire(nr_value value) {
  return (napi_value)(uintptr_t)(value ^ NR_ABSENT);
}
static inline napi_value nr_local(struct nr_call *call, nr_value value) {
  (void)call;
  return nr_unwire(value);
}
/* The same, and keeps what the server told about it. */
napi_value nr_local_known(struct nr_call *call, const Nr__KnownReply *reply);

/* The tap (trace.c); nr_tap_on is set when something listens. */
void nr_tap(const struct nr_call *call, napi_status status);
void nr_tap_entry(const struct nr_channel *channel, const struct nr_frame *frame, const ProtobufCMessage *request);

/* ---- scopes.c -------------------------------------------------------------------------------------------------------
 */

/* Announces the scopes that the server does not know yet; called before every frame that may create a handle there. */
void nr_scopes_announce(struct nr_channel *channel, napi_env env);
/* Goes back to the handles and scopes of an entry's beginning. */
void nr_scopes_truncate(struct nr_channel *channel, uint32_t scope_count, uint32_t chosen_top);

/* ---- memory.c -------------------------------------------------------------------------------------------------------
 */

/* The native address of a view that the server described. NULL for an empty one or without memory. */
void *nr_memory_view(struct nr_channel *channel, const Nr__View *view);
/* The pair of an external buffer that is about to be made: its block is the addon's own memory. From now on the kernel
 * tracks what is written to the part, if that is worth it: it is what is `tracked` then, otherwise nothing. sparse: not
 * all of the memory is there. NULL: out of memory. */
struct nr_pair *nr_memory_foreign(napi_env env, void *data, uint64_t length, struct nr_range part, bool sparse,
                                  bool own);
/* It was made, or was not. The server has read these parts of it; none: all. */
void nr_memory_adopt(struct nr_channel *channel, const Nr__View *view, struct nr_pair *pair,
                     Nr__Stretch *const *stretches, size_t count);
void nr_memory_drop(struct nr_channel *channel, struct nr_pair *pair);
/* Before the turn goes to JavaScript: tells what was written where the server cannot compare. turn: as such; otherwise
 * it only might, and soon what is hot or known to change is all that is told of (wire/turns.h). */
void nr_memory_flush(struct nr_channel *channel, napi_env env, bool turn);
/* What was viewed since there were `hot` of them is not hot any more. */
void nr_memory_leave(struct nr_channel *channel, napi_env env, uint32_t hot);

/* ---- environment.c --------------------------------------------------------------------------------------------------
 */

void nr_environment_tell(struct nr_channel *channel);
/* Before JavaScript may look. */
static inline void nr_environment_check(struct nr_channel *channel) {
  if (channel->environ != NULL && nr_environ_is_news(channel->environ)) nr_environment_tell(channel);
}
/* `value` NULL: it is gone. */
void nr_environment_set(struct nr_channel *channel, const char *name, const char *value);
void nr_memory_map(struct nr_channel *channel, const Nr__MapMemoryRequest *request);
void nr_memory_track(struct nr_channel *channel, const Nr__TrackMemoryRequest *request);
void nr_memory_release(struct nr_channel *channel, nr_id pair_id);
/* Unmaps and closes what the channel has. */
void nr_memory_end(struct nr_channel *channel);

/* ---- objects.c ------------------------------------------------------------------------------------------------------
 */

nr_id nr_object_add(napi_env env, void *data, napi_finalize finalize, void *hint);
nr_id nr_callback_add(napi_env env, napi_callback function, void *data);
struct nr_object *nr_object_get(napi_env env, nr_id id);

/* ---- deferred.c -----------------------------------------------------------------------------------------------------
 */

/* Keeps a call that is only posted for the next moment at which the server listens. It may have no tail. */
napi_status nr_defer(struct nr_call *call);
/* That moment: inside an entry, with nothing in flight. */
void nr_deferred_send(struct nr_channel *channel);
void nr_deferred_end(struct nr_channel *channel);

/* ---- foreign.c ------------------------------------------------------------------------------------------------------
 */

/* Calls that addons make on threads that are not the env's, and that Node happens to tolerate: carried out at the next
 * entry: this notes that one has been made. */
enum nr_foreign_call { NR_FOREIGN_DELETE, NR_FOREIGN_REF, NR_FOREIGN_UNREF };
bool nr_is_foreign(napi_env env);
napi_status nr_foreign_note(napi_env env, nr_id ref_id, enum nr_foreign_call what);
/* Tells the server, inside an entry. */
void nr_foreign_serve(struct nr_channel *channel);
void nr_foreign_end(struct nr_channel *channel);

/* ---- env.c ----------------------------------------------------------------------------------------------------------
 */

/* An addon of the experimental version calls what must not be called inside a collection: as in Node, that is the end.
 */
_Noreturn void nr_end_in_gc(void);

void nr_hook_run(struct nr_channel *channel, nr_id id);

#endif
