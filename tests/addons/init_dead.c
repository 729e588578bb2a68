/* Init does not survive. */
#include "common.h"

#include <signal.h>

NAPI_MODULE_INIT() {
  raise(SIGSEGV);
  return exports;
}
