/*
 * Uses zlib as Node has it, without a library of its own: Node exports what it is linked with. Loaded lazily, as Node
 * loads addons, the lack of it would show in the first call.
 */
#include "common.h"

extern const char *zlibVersion(void);

static napi_value version(napi_env env, napi_callback_info info) {
  return t_string(env, zlibVersion());
}

static const struct t_function functions[] = {{"version", version}};

T_INIT(functions)
