/*
 * The library's own uv_run() and uv_default_loop(), where libuv is shared: they come after the host's in the search. In
 * a static one the build has renamed them.
 */
#include "client/uv_names.h"

#ifndef NR_UV_RENAMED
#include <dlfcn.h>
#include <string.h>

static void *library_function(const char *name) {
  void *function = dlsym(RTLD_NEXT, name);
  return function;
}

int nr_uv_run(uv_loop_t *loop, uv_run_mode mode) {
  static int (*run)(uv_loop_t *, uv_run_mode);
  void *found = run == NULL ? library_function("uv_run") : NULL;
  if (found != NULL) memcpy(&run, &found, sizeof run);
  return run(loop, mode);
}

uv_loop_t *nr_uv_default_loop(void) {
  static uv_loop_t *(*get)(void);
  void *found = get == NULL ? library_function("uv_default_loop") : NULL;
  if (found != NULL) memcpy(&get, &found, sizeof get);
  return get();
}
#endif
