/*
 * A Node-API that keeps simple values, for fuzzing the server without a Node: values live until the end of an input,
 * handles as long as their scope, references as long as they are not deleted; what the real functions do not survive
 * (a stale handle, a second resolve, scopes out of order) is a report of AddressSanitizer's or an abort() here.
 */
#ifndef NR_TESTS_FAKE_NAPI_H
#define NR_TESTS_FAKE_NAPI_H

#include <node_api.h>
#include <stdlib.h>
#include <string.h>

#include "proto/experimental.h"

enum fake_kind {
  FAKE_UNDEFINED,
  FAKE_NULL,
  FAKE_BOOLEAN,
  FAKE_NUMBER,
  FAKE_STRING,
  FAKE_SYMBOL,
  FAKE_BIGINT,
  FAKE_OBJECT, /* this and what follows are objects */
  FAKE_FUNCTION,
  FAKE_EXTERNAL,
  FAKE_ARRAY,
  FAKE_ARRAYBUFFER,
  FAKE_SHARED,
  FAKE_VIEW, /* a typed array */
  FAKE_DATAVIEW,
  FAKE_DATE,
  FAKE_PROMISE,
  FAKE_ERROR,
};

#define FAKE_PROPERTIES 8

struct fake_finalizer {
  napi_env env;
  napi_finalize call;
  void *data;
  void *hint;
  struct fake_finalizer *next;
};

struct fake_property {
  struct fake_value *key;
  struct fake_value *value; /* a getter, if it is one */
  bool getter;
};

struct fake_value {
  enum fake_kind kind;
  double number; /* a boolean and a date too */
  char16_t *units;
  size_t count; /* of units, or of elements */
  uint64_t words[2];
  uint8_t *memory; /* of an ArrayBuffer */
  bool borrowed;   /* ... which is not its own */
  size_t length;
  size_t offset;
  struct fake_value *buffer; /* of a view */
  napi_typedarray_type type;
  bool is_buffer;
  napi_env env; /* of a function */
  napi_callback call;
  void *data; /* of a function or an external */
  struct fake_property properties[FAKE_PROPERTIES];
  size_t property_count;
  bool wrapped;
  void *wrap;
  struct fake_finalizer *wrap_finalizer;
  struct fake_finalizer *finalizers;
  uint32_t held; /* strong references */
  bool dead;     /* collected */
  struct fake_value *next;
  struct fake_value *next_object;
};

struct napi_value__ {
  struct fake_value *value;
  struct napi_value__ *next;
};

struct napi_callback_info__ {
  struct fake_value *this_value;
  struct fake_value *const *argv;
  size_t argc;
  struct fake_value *new_target;
  void *data;
};

struct fake_hook;
struct napi_env__ {
  struct fake_value *exception;
  void *instance_data;
  napi_finalize instance_finalize;
  struct fake_hook *hooks; /* newest first */
  struct fake_finalizer *posted;
  uint32_t unfinished; /* async hooks that have begun */
};

/* fake_values.c */
struct fake_value *fake_make(enum fake_kind kind);
struct fake_value *fake_text(const char *text);
/* A handle in the innermost scope. */
napi_value fake_handle(struct fake_value *value);
bool fake_equal(const struct fake_value *a, const struct fake_value *b);
bool fake_is_object(const struct fake_value *value);
napi_status fake_throw(napi_env env, const char *text);
void fake_finalizer_add(struct fake_finalizer **list, napi_env env, napi_finalize call, void *data, void *hint);
/* Runs finalizers of what no handle and no strong reference holds: of every `nth` value. */
void fake_collect(unsigned nth, unsigned which);
/* The end of an env: runs the finalizers that are its, whatever holds the values. */
void fake_finalize_all(napi_env env);
/* The nth function that native code of the env has made; NULL: there is none. */
struct fake_value *fake_native_function(napi_env env, unsigned which);
/* Memory that Node gives back at the end of an env at the latest. */
void *fake_alloc(size_t size);
void fake_free(void *memory);
/* Frees all values, and what is left of such memory. All scopes must be closed. */
void fake_values_reset(void);

/* fake_objects.c */
/* Calls a function of native code, or one of JavaScript's that fake_script() does. NULL: it threw. */
struct fake_value *fake_call(napi_env env, struct fake_value *function, struct fake_value *this_value, size_t argc,
                             struct fake_value *const *argv, struct fake_value *new_target);
/* What a function without native code does: the fuzz target says. */
extern struct fake_value *(*fake_script)(napi_env env, size_t argc, struct fake_value *const *argv);

/* fake_env.c */
/* Hooks, newest first, then finalizers of what is left, then that of the instance data. */
void fake_env_end(napi_env env);
/* Called when hooks do not finish: time passes. */
extern void (*fake_expire)(void);
/* Threadsafe functions call what was sent to them, finalizers that were posted in the env run. */
void fake_env_turn(napi_env env);
void fake_envs_reset(void);

#define FAKE_CHECK(pointer)                                                                                            \
  if ((pointer) == NULL) return napi_invalid_arg
#define FAKE_KIND(handle, wanted, status)                                                                              \
  FAKE_CHECK(handle);                                                                                                  \
  if ((handle)->value->kind != (wanted)) return status
#define FAKE_PREAMBLE(env)                                                                                             \
  if ((env)->exception != NULL) return napi_pending_exception
#define FAKE_GIVE(result, value)                                                                                       \
  do {                                                                                                                 \
    FAKE_CHECK(result);                                                                                                \
    *(result) = fake_handle(value);                                                                                    \
    return napi_ok;                                                                                                    \
  } while (0)

#endif
