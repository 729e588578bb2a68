/* Init returns NULL after it has filled exports: they count. */
#include "common.h"

static int inits;

NAPI_MODULE_INIT() {
  t_set(env, exports, "inits", t_number(env, ++inits));
  return NULL;
}
