/* Init returns a primitive. */
#include "common.h"

NAPI_MODULE_INIT() {
  return t_string(env, "not an object");
}
