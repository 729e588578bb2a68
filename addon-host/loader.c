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

/* One load: a dlopen() that is counted. */
struct nr_module {
  void *library;
  napi_addon_register_func init;
  int32_t api_version;
  struct nr_saved *saved; /* NULL: of those that say by symbols what they are */
};

/* A library that registered itself, by a static constructor: only the first dlopen() runs that. */
struct nr_saved {
  struct nr_saved *next;
  void *library;
  napi_addon_register_func init;
  unsigned loads;
};

/* Held around dlopen(): whoever gets a library that another thread has just loaded finds what it registered. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct nr_saved *saved_ones;

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

static struct nr_module *create(void *library, napi_addon_register_func init, struct nr_saved *saved) {
  struct nr_module *module = calloc(1, sizeof *module);
  if (module == NULL) return NULL;
  module->library = library;
  module->init = init;
  /* Node gives modules of napi_module_register() the default version without asking: src/node_api.cc,
   * napi_module_register_cb. */
  module->api_version = declared_version(library);
  module->saved = saved;
  if (saved != NULL) saved->loads++;
  return module;
}

static struct nr_saved *save(void *library, napi_addon_register_func init) {
  struct nr_saved *saved = calloc(1, sizeof *saved);
  if (saved == NULL) return NULL;
  *saved = (struct nr_saved){.next = saved_ones, .library = library, .init = init};
  return saved_ones = saved;
}

static struct nr_saved *find_saved(const void *library) {
  struct nr_saved *saved = saved_ones;
  while (saved != NULL && saved->library != library) saved = saved->next;
  return saved;
}

static void forget(struct nr_saved *saved) {
  struct nr_saved **link = &saved_ones;
  while (*link != saved) link = &(*link)->next;
  *link = saved->next;
  free(saved);
}

static struct nr_module *make(void *library, napi_module *constructed, const char *file, char *error,
                              size_t error_size) {
  struct nr_saved *saved = NULL;
  napi_addon_register_func init = NULL;
  if (constructed != NULL) {
    saved = save(library, constructed->nm_register_func);
  } else {
    init = (napi_addon_register_func)dlsym(library, "napi_register_module_v1");
    if (init == NULL) saved = find_saved(library);
  }
  if (init == NULL && saved == NULL) {
    snprintf(error, error_size, "Module did not self-register: '%s'.", file);
    return NULL;
  }
  return create(library, init == NULL ? saved->init : init, saved);
}

struct nr_module *nr_module_load(const char *file, int flags, char *error, size_t error_size) {
  struct nr_module *module = NULL;
  error[0] = '\0';
  pthread_mutex_lock(&lock);
  registered = NULL;
  void *library = dlopen(file, flags);
  napi_module *constructed = registered;
  registered = NULL;
  if (library == NULL) {
    snprintf(error, error_size, "%s", dlerror());
  } else {
    module = make(library, constructed, file, error, error_size);
    if (module == NULL) dlclose(library);
  }
  pthread_mutex_unlock(&lock);
  return module;
}

void nr_module_close(struct nr_module *module) {
  pthread_mutex_lock(&lock);
  if (module->saved != NULL && --module->saved->loads == 0) forget(module->saved);
  dlclose(module->library);
  pthread_mutex_unlock(&lock);
  free(module);
}

int32_t nr_module_api_version(const struct nr_module *module) {
  return module->api_version;
}

napi_addon_register_func nr_module_init(const struct nr_module *module) {
  return module->init;
}
