/*
 * What the parts of the addon raw share.
 */
#ifndef NR_TEST_RAW_H
#define NR_TEST_RAW_H

#define ADDON_NAPI_VERSION 10
#define NAPI_EXPERIMENTAL
#define NODE_API_EXPERIMENTAL_NO_WARNING
#include "tests/addons/common.h"

#include <proto/experimental.h>

/* How a parameter is described in JavaScript; null is NULL for all that are pointers. */
enum raw_kind {
  RAW_ENV,         /* true */
  RAW_INFO,        /* true: of this call */
  RAW_VALUE,       /* [value] */
  RAW_VALUES,      /* [[value], null, ...] */
  RAW_NUMBER,      /* a number, a boolean, a string for what no double can be, 'auto' for NAPI_AUTO_LENGTH */
  RAW_REAL,        /* a number */
  RAW_TEXT,        /* a string, or an array of bytes */
  RAW_TEXT16,      /* a string, or an array of units */
  RAW_BUFFER,      /* its size; told are its bytes and a few behind it */
  RAW_BUFFER16,    /* the same in units */
  RAW_WORDS,       /* an array of numbers as above: the 64-bit words that it points to */
  RAW_POINTER,     /* a number below RAW_CELLS: which cell it points to */
  RAW_REF,         /* [value, count]: a fresh one */
  RAW_DEFERRED,    /* true: a fresh one; told is its promise */
  RAW_SCOPE,       /* true: opened right before the call */
  RAW_ESCAPABLE,   /* the same */
  RAW_CALLBACK,    /* true: one that does nothing; the same for the next three */
  RAW_FINALIZE,    /* ... */
  RAW_FINALIZE2,   /* ... */
  RAW_HOOK,        /* ... */
  RAW_PROPERTIES,  /* an array of objects with some of utf8name, name, method, getter, setter, value, attributes */
  RAW_OPAQUE,      /* true, for a pointer that is not looked at */
  RAW_OUT_VALUES,  /* true, or how many places */
  RAW_OUT_SCALAR,  /* true, or what stands there before */
  RAW_OUT_WORDS,   /* how many words */
  RAW_OUT_POINTER, /* true, and so on */
  RAW_OUT_TEXT,
  RAW_OUT_REF,
  RAW_OUT_OPAQUE,
  RAW_OUT_SCOPE,
  RAW_OUT_ESCAPABLE,
  RAW_OUT_ERROR_INFO,
  RAW_OUT_NODE_VERSION,
};

#define RAW_PARAMETERS 12
#define RAW_CELLS 8
/* What results are filled with before a call: what is not written stays so. */
#define RAW_PATTERN 0xa5

union raw_slot {
  void *pointer;
  uint64_t number;
  double real;
};

struct raw_function {
  const char *name;
  napi_status (*call)(const union raw_slot *slot);
  size_t count;
  enum raw_kind kinds[RAW_PARAMETERS];
};

/* What a parameter needs besides its slot. */
struct raw_place {
  enum raw_kind kind;
  bool is_null;
  void *memory; /* on the heap */
  size_t size;  /* of memory, bytes; or how many values */
  napi_value promise;
};

struct raw_call {
  napi_env env;
  napi_callback_info info;
  bool pending; /* an exception was thrown before */
  const struct raw_function *function;
  union raw_slot slots[RAW_PARAMETERS];
  struct raw_place places[RAW_PARAMETERS];
};

/* What data pointers point to, and what pointers point to that nobody wrote. */
extern int raw_cells[RAW_CELLS];
extern int raw_untouched;

/* Fills the slots from an array of descriptions; scopes are opened by raw_open_scopes(). */
void raw_prepare(struct raw_call *call, napi_value descriptions);

/* A number as RAW_NUMBER is described. */
uint64_t raw_number(napi_env env, napi_value description);

/* What the call did to a parameter, undefined for those that it cannot do anything to. Releases what was prepared for
 * it. */
napi_value raw_tell(const struct raw_call *call, size_t index, napi_status status);
napi_value raw_tell_error_info(napi_env env, const napi_extended_error_info *info);

static inline bool raw_is(const struct raw_call *call, const char *name) {
  return strcmp(call->function->name, name) == 0;
}

void raw_hook(void *arg);

#endif
