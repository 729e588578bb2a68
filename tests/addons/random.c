/*
 * Runs random programs of Node-API calls, see tests/random/random.h. Built three times, to declare another version of
 * Node-API each.
 */
#include "common.h"
#include "../random/random.h"

static int32_t *batch; /* number of programs, where each begins, programs */

/* load(buffer): the programs that run() can run. */
static napi_value load(napi_env env, napi_callback_info info) {
  napi_value buffer;
  void *bytes;
  size_t length;
  t_args(env, info, &buffer, 1);
  T_OK(napi_get_buffer_info(env, buffer, &bytes, &length));
  free(batch);
  batch = malloc(length);
  if (batch == NULL) abort();
  memcpy(batch, bytes, length);
  rd_machine.program = NULL;
  return NULL;
}

/*
 * begin(number): what comes is that program. Its functions as JavaScript functions, which may be all that runs, when it
 * is the program of another addon.
 */
static napi_value begin(napi_env env, napi_callback_info info) {
  static const struct rd_machine fresh;
  napi_value number, result = t_array(env);
  t_args(env, info, &number, 1);
  rd_machine = fresh;
  rd_machine.program = batch + batch[1 + t_int(env, number)];
  rd_machine.flags = rd_machine.program[0];
  rd_machine.steps = RD_STEPS;
  rd_tokens_begin();
  rd_transcript_clear();
  for (uint32_t i = 0; i < RD_CALLBACKS; i++) {
    napi_value function;
    T_OK(napi_create_function(env, "callback", NAPI_AUTO_LENGTH, rd_callbacks[i], rd_token((int32_t)i), &function));
    T_OK(napi_set_element(env, result, i, function));
  }
  return result;
}

/* run(observe, ...values): what the program that has begun returns or throws. */
static napi_value run(napi_env env, napi_callback_info info) {
  napi_value argv[1 + RD_VALUES];
  static struct rd_frame frame;
  static const struct rd_frame none;
  t_args(env, info, argv, 1 + RD_VALUES);
  frame = none;
  /* What the root gets as `this` is the exports, and they belong to all programs. */
  frame.hides_this = true;
  for (int i = 0; i < RD_VALUES; i++) rd_keep(&frame, i, argv[1 + i], 1);
  rd_machine.observe = argv[0];
  napi_value result = rd_enter(env, info, 0, &frame);
  rd_machine.observe = NULL;
  return result;
}

/* take(): the transcript of the program, with what ran after run(). */
static napi_value take(napi_env env, napi_callback_info info) {
  napi_value result;
  size_t length;
  rd_clean(env);
  const char *text = rd_transcript_text(&length);
  T_OK(napi_create_string_latin1(env, text, length, &result));
  return result;
}

/* functions(): the names of all that can be called, by number; null for what this Node lacks. */
static napi_value functions(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  for (unsigned i = 0; i < rd_function_count; i++) {
    const char *name = *rd_functions[i].address == NULL ? NULL : rd_functions[i].name;
    T_OK(napi_set_element(env, result, i, t_string(env, name)));
  }
  return result;
}

/* counts(): for each function how often it came to napi_ok and to something else; then how often finalizers ran. */
static napi_value counts(napi_env env, napi_callback_info info) {
  napi_value result = t_array(env);
  for (unsigned i = 0; i < 2 * rd_function_count; i++) {
    T_OK(napi_set_element(env, result, i, t_number(env, rd_counts[i / 2][i % 2])));
  }
  for (unsigned i = 0; i < 2; i++) {
    T_OK(napi_set_element(env, result, 2 * rd_function_count + i, t_number(env, rd_finalized[i])));
  }
  return result;
}

static const struct t_function exported[] = {{"load", load}, {"begin", begin},         {"run", run},
                                             {"take", take}, {"functions", functions}, {"counts", counts}};

NAPI_MODULE_INIT() {
  rd_find_functions();
  if (getenv("NAPI_RANDOM_PRINT") != NULL) rd_transcript_print();
  t_export(env, exports, exported, T_COUNT(exported));
  return exports;
}
