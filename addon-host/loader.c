/*
 * Loading addons: dlopen() and the three forms of registration, in the order of Node's src/node_binding.cc (DLOpen).
 */
#include "client/loader.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NODE_API_DEFAULT_MODULE_API_VERSION: of addons that do not say. */
#define NR_DEFAULT_API_VERSION 8

struct nr_module {
  struct nr_module *next;
  void *library;
  napi_addon_register_func init;
  int32_t api_version;
  bool registered_itself; /* by a static constructor: only the first dlopen() runs it */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nr_module *modules; /* those that registered themselves */

/* What a static constructor registered during the dlopen() of this thread. */
static _Thread_local napi_module *registered;

__attribute__((visibility("default"))) void NAPI_CDECL napi_module_register(napi_module *module) {
  registered = module;
}

static int32_t declared_version(void *library) {
  node_api_addon_get_api_version_func get =
      (node_api_addon_get_api_version_func)dlsym(library, "node_api_module_get_api_version_v1");
  return get == NULL ? NR_DEFAULT_API_VERSION : get();
}

static struct nr_module *create(void *library, napi_addon_register_func init, bool registered_itself) {
  struct nr_module *module = calloc(1, sizeof *module);
  if (module == NULL) return NULL;
  module->library = library;
  module->init = init;
  /* Node gives modules of napi_module_register() the default version without asking: src/node_api.cc,
   * napi_module_register_cb. */
  module->api_version = declared_version(library);
  module->registered_itself = registered_itself;
  return module;
}

static struct nr_module *remember(struct nr_module *module) {
  if (module == NULL) return NULL;
  pthread_mutex_lock(&lock);
  module->next = modules;
  modules = module;
  pthread_mutex_unlock(&lock);
  return module;
}

/* A library that registered itself when it was loaded first. */
static struct nr_module *find_saved(void *library) {
  struct nr_module *found = NULL;
  pthread_mutex_lock(&lock);
  for (struct nr_module *module = modules; module != NULL && found == NULL; module = module->next) {
    if (module->library == library) found = module;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

struct nr_module *nr_module_load(const char *file, int flags, char *error, size_t error_size) {
  registered = NULL;
  void *library = dlopen(file, flags);
  napi_module *constructed = registered;
  registered = NULL;
  if (library == NULL) {
    snprintf(error, error_size, "%s", dlerror());
    return NULL;
  }
  if (constructed != NULL) return remember(create(library, constructed->nm_register_func, true));
  napi_addon_register_func init = (napi_addon_register_func)dlsym(library, "napi_register_module_v1");
  if (init != NULL) return create(library, init, false);
  struct nr_module *saved = find_saved(library);
  if (saved == NULL) {
    dlclose(library);
    snprintf(error, error_size, "Module did not self-register: '%s'.", file);
  }
  return saved;
}

int32_t nr_module_api_version(const struct nr_module *module) {
  return module->api_version;
}

napi_addon_register_func nr_module_init(const struct nr_module *module) {
  return module->init;
}
