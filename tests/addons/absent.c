/* Calls any function by its name, with an env and otherwise zeros: what functions that are not supported answer. */
#include "common.h"

#include <dlfcn.h>

/* No function of Node-API takes more. What a callee does not expect it does not look at, in this ABI. */
typedef napi_status (*any_function)(napi_env, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                    uintptr_t, uintptr_t, uintptr_t, uintptr_t);

/* (name): { found } or what became of the call. */
static napi_value call(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  t_args(env, info, argv, 1);
  char *name = t_text(env, argv[0]);
  void *symbol = dlsym(RTLD_DEFAULT, name);
  free(name);
  napi_value result;
  if (symbol) {
    any_function function;
    memcpy(&function, &symbol, sizeof function);
    result = t_result(env, function(env, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), NULL);
  } else {
    result = t_object(env);
  }
  t_set(env, result, "found", t_boolean(env, symbol != NULL));
  return result;
}

static const struct t_function functions[] = {{"call", call}};
T_INIT(functions)
