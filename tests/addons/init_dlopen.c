/* Init opens another addon itself, the one beside it, and lets it register with the same env. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "common.h"

#include <dlfcn.h>

NAPI_MODULE_INIT() {
  static const char name[] = "/basic.node";
  Dl_info self;
  /* ISO C has no conversion from a function's pointer to an object's. */
  napi_addon_register_func function = napi_register_module_v1;
  void *address;
  memcpy(&address, &function, sizeof address);
  if (!dladdr(address, &self)) abort();
  size_t folder = (size_t)(strrchr(self.dli_fname, '/') - self.dli_fname);
  char *file = malloc(folder + sizeof name);
  if (!file) abort();
  memcpy(file, self.dli_fname, folder);
  memcpy(file + folder, name, sizeof name);
  void *library = dlopen(file, RTLD_LAZY);
  free(file);
  void *symbol = library ? dlsym(library, "napi_register_module_v1") : NULL;
  if (!symbol) {
    napi_throw_error(env, NULL, dlerror());
    return NULL;
  }
  memcpy(&function, &symbol, sizeof function);
  t_set(env, exports, "other", function(env, t_object(env)));
  t_set(env, exports, "own", t_string(env, "init_dlopen"));
  return exports;
}
