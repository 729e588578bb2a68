/* Init throws; what it returns does not count. */
#include "common.h"

static int inits;

NAPI_MODULE_INIT() {
  char message[32];
  snprintf(message, sizeof message, "as asked, Init %d", ++inits);
  t_set(env, exports, "inits", t_number(env, inits));
  napi_throw_error(env, "ERR_AS_ASKED", message);
  return exports;
}
