/* SharedArrayBuffers over memory of the addon's own; looked up at run time, since not every Node has them. */
#include "common.h"

#include <dlfcn.h>
#include <unistd.h>

typedef napi_status (*create_shared)(napi_env, void *, size_t, void (*)(void *, void *), void *, napi_value *);

struct block {
  uint8_t *bytes;
  size_t length;
  int round;
};

static int finalized, wrong, current;
static bool aloud;
static struct block *last;

/* On any thread in one process. */
static void finalize(void *data, void *hint) {
  struct block *block = hint;
  if (data != block->bytes) __atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
  if (aloud && write(STDOUT_FILENO, "finalized\n", 10) < 0) abort();
  free(block->bytes);
  if (block->round == __atomic_load_n(&current, __ATOMIC_SEQ_CST)) __atomic_add_fetch(&finalized, 1, __ATOMIC_SEQ_CST);
}

/* ISO C has no conversion from an object pointer to a function's. */
static create_shared find(void) {
  void *symbol = dlsym(RTLD_DEFAULT, "node_api_create_external_sharedarraybuffer");
  create_shared function;
  memcpy(&function, &symbol, sizeof function);
  return function;
}

static napi_value found(napi_env env, napi_callback_info info) {
  return t_boolean(env, find() != NULL);
}

/* (length, finalizer?, data?, result?, env?) */
static napi_value create(napi_env env, napi_callback_info info) {
  napi_value argv[5], result = NULL;
  t_args(env, info, argv, 5);
  struct block *block = calloc(1, sizeof *block); /* stays, so that `last` may point to it */
  if (block == NULL) abort();
  block->round = current;
  block->length = t_uint(env, argv[0]);
  if (t_bool(env, argv[2])) block->bytes = malloc(block->length + 1);
  for (size_t i = 0; block->bytes != NULL && i < block->length; i++) block->bytes[i] = (uint8_t)(i * 7 + block->length);
  last = block;
  napi_status status = find()(t_bool(env, argv[4]) ? env : NULL, block->bytes, block->length,
                              t_bool(env, argv[1]) ? finalize : NULL, block, t_bool(env, argv[3]) ? &result : NULL);
  return t_result(env, status, result);
}

/* While an exception is pending. */
static napi_value pending(napi_env env, napi_callback_info info) {
  static uint8_t bytes[8];
  napi_value result = NULL;
  T_OK(napi_throw_error(env, NULL, "pending"));
  napi_status status = find()(env, bytes, sizeof bytes, NULL, NULL, &result);
  return t_result(env, status, result);
}

/* (view): is it the memory of the last one? Its bytes; then some are written. */
static napi_value inspect(napi_env env, napi_callback_info info) {
  napi_value argv[1], result = t_array(env);
  void *bytes = NULL;
  size_t length = 0;
  t_args(env, info, argv, 1);
  T_OK(napi_get_typedarray_info(env, argv[0], NULL, &length, &bytes, NULL, NULL));
  T_OK(napi_set_element(env, result, 0, t_boolean(env, bytes == last->bytes)));
  T_OK(napi_set_element(env, result, 1, t_bytes(env, last->bytes, last->length)));
  if (last->length > 0) last->bytes[last->length / 2] ^= 0x5a;
  return result;
}

static napi_value take_counts(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  T_OK(napi_set_element(env, result, 0, t_number(env, __atomic_exchange_n(&finalized, 0, __ATOMIC_SEQ_CST))));
  T_OK(napi_set_element(env, result, 1, t_number(env, __atomic_exchange_n(&wrong, 0, __ATOMIC_SEQ_CST))));
  return result;
}

/* What is made from now on is counted, what was made before no more. */
static napi_value start_round(napi_env env, napi_callback_info info) {
  __atomic_add_fetch(&current, 1, __ATOMIC_SEQ_CST);
  __atomic_store_n(&finalized, 0, __ATOMIC_SEQ_CST);
  return NULL;
}

static napi_value speak(napi_env env, napi_callback_info info) {
  aloud = true;
  return NULL;
}

static const struct t_function functions[] = {
    {"found", found}, {"create", create},          {"pending", pending},       {"inspect", inspect},
    {"speak", speak}, {"takeCounts", take_counts}, {"startRound", start_round}};
T_INIT(functions)
