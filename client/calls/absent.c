/*
 * Functions that are not there yet (`absent` in the table). A call fails with a text that names it, in
 * napi_get_last_error_info() and in the trace: never silently, never as if it had worked.
 */
#include "client/client-private.h"

napi_status nr_absent(napi_env env, const char *function, const char *text) {
  if (env == NULL) return napi_generic_failure; /* threadsafe functions have no env to leave a text in */
  return nr_refuse_text(env, function, napi_generic_failure, text);
}
