/*
 * The interpreter of random programs. A program is data, so that it is the same wherever it runs: words that name
 * functions of Node-API and operands. The cases of the interpreter, one for each function, are made from the headers
 * (calls.js); the operands are taken apart here by their type. All that can be seen of a call goes to the transcript.
 */
#ifndef NR_TEST_RANDOM_H
#define NR_TEST_RANDOM_H

#include <node_api.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RD_VALUES 16    /* value registers of a frame */
#define RD_CALLBACKS 6  /* functions that a program consists of, beside its root */
#define RD_REFERENCES 6 /* the rest of the registers belongs to the whole program, or to a frame */
#define RD_DEFERREDS 4
#define RD_SCOPES 5
#define RD_MEMORIES 4
#define RD_DEPTH 5   /* callbacks inside of each other */
#define RD_STEPS 300 /* calls of a program, however it loops */
#define RD_OUTS 8
#define RD_ARGUMENT_COUNT 24
#define RD_PROPERTIES 4
#define RD_BIG 8     /* words of a BigInt */
#define RD_TEXT 2048 /* bytes of what strings are read into */

/* Bits of a program. */
#define RD_SHARES 1 /* it may hold objects that belong to the whole process */
#define RD_FINISHES                                                                                                    \
  2 /* at its end it shows all registers, with an exception that is pending, and throws that again                     \
     */
/* Bits of a function of a program. */
#define RD_TAKES_ARGUMENTS 1 /* napi_get_cb_info first: registers 0 to 3 */
#define RD_TAKES_THIS 2      /* register 4 */
#define RD_USES_THIS 4       /* it calls napi_get_cb_info itself */
/* Bits of a call. */
#define RD_ASK_LAST_ERROR 1
#define RD_ASK_NOTHING 2 /* not even whether an exception is pending */
#define RD_CLEAR 4       /* takes a pending exception away, into the register in bits 8 to 11 */
#define RD_WRITE 8       /* writes to the memory that the call gave */
#define RD_MARK 16       /* tells JavaScript that the call is over, to order what both write down */

/* Beside the functions: */
enum rd_pseudo { RD_INSPECT = 1000, RD_POKE, RD_PEEK };

enum rd_out_kind {
  RD_RESULT,
  RD_THIS,
  RD_BOOL,
  RD_INT32,
  RD_UINT32,
  RD_INT64,
  RD_UINT64,
  RD_DOUBLE,
  RD_SIZE,
  RD_OPAQUE,
  RD_POINTER,
  RD_MEMORY,
  RD_REFERENCE,
  RD_DEFERRED,
  RD_SCOPE,
  RD_ESCAPABLE,
  RD_TEXT8,
  RD_TEXT16,
  RD_WORDS,
  RD_ARGUMENTS,
  RD_ERROR_INFO,
  RD_NODE_VERSION,
  RD_FILE_NAME,
};

/* Where a call leaves something. The cell is preset, so that writing it is seen. */
struct rd_out {
  enum rd_out_kind kind;
  int place; /* the register, or what else the kind needs */
  size_t size;
  union {
    uint8_t bytes[8];
    void *pointer;
    napi_value value;
    uint64_t number;
  } cell;
};

/* An address that a call gave. It is kept for as long as the program runs. */
struct rd_memory {
  uint8_t *bytes;
  size_t length;
};

struct rd_scope {
  void *handle;
  bool escapable;
};

/* A callback that runs. */
struct rd_frame {
  struct rd_frame *outer;
  napi_callback_info info;
  unsigned depth;
  bool hides_this; /* it is the global object */
  napi_value values[RD_VALUES];
  unsigned levels[RD_VALUES]; /* 1 and the scopes that were open when it came; 0: nothing is there */
  struct rd_scope scopes[RD_SCOPES];
  unsigned scope_count;
};

struct rd_ref {
  napi_ref handle;     /* NULL: free */
  const void *wrapped; /* deleting it while its object is wrapped would leave Node with a dangling pointer */
};

/* All that a program has, beside its frames. */
struct rd_machine {
  const int32_t *program;
  int32_t flags;
  unsigned steps;
  struct rd_frame *frame;
  napi_value observe; /* as long as the root runs */
  struct rd_ref references[RD_REFERENCES];
  napi_deferred deferreds[RD_DEFERREDS];
  struct rd_memory memories[RD_MEMORIES];
  unsigned memory_next;
};

extern struct rd_machine rd_machine;

/* A call that is being put together. */
struct rd_call {
  napi_env env;
  struct rd_frame *frame;
  const int32_t *words;
  const int32_t *end;
  int32_t flags;
  bool skip;
  bool first; /* no operand is printed yet */
  struct rd_out outs[RD_OUTS];
  unsigned out_count;
  size_t length;                        /* of the memory that it gives, */
  const size_t *length_out;             /* or where that is told, */
  const napi_typedarray_type *type_out; /* in elements of this type */
  void *lent;                           /* the memory that it is made of */
  bool fills;                           /* the memory comes as it is */
  const void *wraps;
  size_t printed;        /* length of the transcript when the call began */
  unsigned result_level; /* of what escapes; 0: the innermost scope's */
  struct rd_ref *ref;    /* operands that it may end */
  napi_deferred deferred;
  unsigned deferred_place;
  bool was_pending;
  bool closes;
  bool washes; /* V8 may have kept an exception */
  /* Arrays that it points to. */
  napi_value arguments[RD_ARGUMENT_COUNT];
  napi_value more[RD_ARGUMENT_COUNT];
  napi_property_descriptor properties[RD_PROPERTIES];
  size_t argc;
  uint64_t big[RD_BIG];
  size_t big_count;
};

struct rd_function {
  const char *name;
  napi_status (*call)(struct rd_call *call);
  void **address; /* NULL behind it: this Node has no such function */
};
/* What the programs' calls came to, by function: [0] napi_ok, [1] anything else. */
extern const struct rd_function rd_functions[];
extern const unsigned rd_function_count;
extern uint32_t rd_counts[][2];
void rd_find_functions(void);

/* ---- pools, generated ---- */
struct rd_bytes {
  const char *text;
  size_t length;
};
struct rd_units {
  const char16_t *text;
  size_t length;
};
extern const struct rd_bytes rd_texts[];
extern const struct rd_units rd_wides[];
extern const double rd_doubles[];
extern const int64_t rd_int64s[], rd_changes[];
extern const uint64_t rd_uint64s[], rd_special_sizes[], rd_special_counts[], rd_words[];
extern const napi_type_tag rd_tags[];

/* ---- transcript.c ---- */
/* On stderr as well, at once: for programs that do not live to their end. */
void rd_transcript_print(void);
void rd_transcript_clear(void);
const char *rd_transcript_text(size_t *length);
size_t rd_transcript_length(void);
void rd_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void rd_print_bytes(const void *bytes, size_t length);
const char *rd_status(napi_status status);

/* ---- operands.c ---- */
int32_t rd_word(struct rd_call *call);
/* A comma, but before the first. */
void rd_separate(struct rd_call *call);
/* What is in a register, or in another one when nothing is alive there; leaves the call out when there is none at all.
 */
napi_value rd_find(struct rd_call *call, int32_t which);
napi_valuetype rd_type_of(struct rd_call *call, napi_value value);
/* For guards (exclusions.js). */
bool rd_is_external(struct rd_call *call, napi_value value);
bool rd_is_unfit_prototype(struct rd_call *call, napi_value value);
bool rd_is_pending(struct rd_call *call);

/* The rest, and those of lists.c: each takes words off the call and prints what it made of them ---- */
napi_env rd_env(struct rd_call *call);
napi_value rd_value(struct rd_call *call);
const char *rd_text(struct rd_call *call, size_t *length);
const char16_t *rd_text16(struct rd_call *call, size_t *length);
const char *rd_cstring(struct rd_call *call);
char *rd_lent8(struct rd_call *call, size_t *length);
char16_t *rd_lent16(struct rd_call *call, size_t *length);
void *rd_lent_bytes(struct rd_call *call, size_t *length);
const void *rd_some_bytes(struct rd_call *call, size_t *length);
const uint64_t *rd_words_in(struct rd_call *call, size_t *count);
const napi_value *rd_values(struct rd_call *call, size_t *count);
const napi_value *rd_pairs(struct rd_call *call, const napi_value **values, size_t *count);
const napi_property_descriptor *rd_descriptors(struct rd_call *call, size_t *count, bool of_class);
int32_t rd_int32(struct rd_call *call);
double rd_double(struct rd_call *call);
int64_t rd_int64(struct rd_call *call);
int64_t rd_change(struct rd_call *call);
uint64_t rd_uint64(struct rd_call *call);
size_t rd_size(struct rd_call *call);
napi_callback rd_callback(struct rd_call *call);
napi_finalize rd_finalizer(struct rd_call *call);
void *rd_data(struct rd_call *call);
void *rd_fresh_data(struct rd_call *call);
napi_ref rd_ref(struct rd_call *call, bool deletes);
napi_deferred rd_deferred(struct rd_call *call);
void *rd_scope(struct rd_call *call, bool escapable, bool closes);
napi_callback_info rd_info(struct rd_call *call);
const napi_type_tag *rd_tag(struct rd_call *call);

/* ---- outs.c ---- */
void *rd_out(struct rd_call *call, enum rd_out_kind kind);
napi_value *rd_result(struct rd_call *call);
napi_value *rd_this(struct rd_call *call);
void *rd_new_reference(struct rd_call *call);
void *rd_new_deferred(struct rd_call *call);
void *rd_new_scope(struct rd_call *call, bool escapable);
size_t *rd_arguments(struct rd_call *call, napi_value **argv);
void *rd_buffer(struct rd_call *call, bool wide, size_t *size);
size_t *rd_words_out(struct rd_call *call, uint64_t **words);
/* After the call: prints its status and what it left, and keeps that in registers. */
napi_status rd_settle(struct rd_call *call, napi_status status);
/* A deferred that the call did not touch is back. */
void rd_put_back(struct rd_call *call);
/* After napi_remove_wrap(): the reference that came with the wrap may be deleted now. */
void rd_unwrapped(struct rd_call *call);

/* ---- machine.c ---- */
extern const napi_callback rd_callbacks[RD_CALLBACKS];
/* Runs a function of the program; frame: NULL, or one whose registers are filled. */
napi_value rd_enter(napi_env env, napi_callback_info info, unsigned function, struct rd_frame *frame);
void rd_keep(struct rd_frame *frame, int place, napi_value value, unsigned level);
/* Ends what the program left behind. */
void rd_clean(napi_env env);

/* ---- tokens.c: pointers that mean something to the addon only ---- */
/* -1: NULL, -2: one that nothing else has. */
void *rd_token(int32_t word);
void rd_print_pointer(const void *pointer);
/* Fresh ones are printed by their number in the program. */
void rd_tokens_begin(void);
void rd_finalize(napi_env env, void *data, void *hint);
/* How often finalizers ran, [1]: for something that had been finalized before. */
extern uint32_t rd_finalized[2];

#endif
