/*
 * Loading addons (addon-host/loader.c), for the entries load and init.
 */
#ifndef NR_CLIENT_LOADER_H
#define NR_CLIENT_LOADER_H

#include <node_api.h>

struct nr_module;

/*
 * dlopen()s the file and finds how it registers itself, in Node's order (src/node_binding.cc, DLOpen): a static
 * constructor that called napi_module_register(), the well-known symbols, or a module that registered itself when it
 * was loaded before. NULL on failure; `error` then is the text that Node would give.
 */
struct nr_module *nr_module_load(const char *file, int flags, char *error, size_t error_size);
/* What the addon declares: node_api_module_get_api_version_v1(), or 8 without it. */
int32_t nr_module_api_version(const struct nr_module *module);
napi_addon_register_func nr_module_init(const struct nr_module *module);
/* As Node does at the end of a Worker: the library goes when nobody else has it. */
void nr_module_close(struct nr_module *module);

#endif
