/*
 * An env of Node's, and the hosts that have it in turn. Node takes no env back before its thread ends, nor what V8 made
 * for the classes of one: so an addon that is loaded again in the place of a dead host gets what the dead one had.
 */
#ifndef NR_SERVER_PLACE_H
#define NR_SERVER_PLACE_H

#include "server/server-private.h"

struct nr_definition;
struct nr_dispatch;

struct nr_place {
  struct nr_agent *agent; /* NULL after the thread's end */
  struct nr_place *next;
  uint32_t id; /* what JavaScript knows it by */
  napi_env napi;
  struct nr_env *env;  /* who has it now */
  struct nr_env *envs; /* and those before, as long as something holds their connections */
  struct nr_kept *kept;
  struct nr_definition *definitions; /* of the Inits, in their order (definitions.c) */
  uint32_t definition_count;
};

/* For an env that Node has just made; NULL: out of memory. Ends with it. */
struct nr_place *nr_place_create(struct nr_agent *agent, napi_env napi);
/* The env is that of the place from now on. */
void nr_place_take(struct nr_place *place, struct nr_env *env);
/* The env's connection goes. */
void nr_place_leave(struct nr_env *env);
/* The place of that id, if who has it belongs to a dead host, with no frame on the stack, and this can have it; else
 * NULL. */
struct nr_place *nr_place_find(struct nr_agent *agent, uint32_t id, const char *file, int32_t api_version);
/* The thread ends. */
void nr_places_detach(struct nr_agent *agent);

/* reuse(id, module): the second half of a load, in that place. False: it cannot be had. */
napi_value nr_place_reuse(napi_env napi, napi_callback_info info);
/* place(): the id of the last one that an addon was loaded into. */
napi_value nr_place_last(napi_env napi, napi_callback_info info);

/* ---- definitions.c --------------------------------------------------------------------------------------------------
 */

/* A getter and a setter: see functions.c. */
struct nr_accessor {
  struct nr_callback *getter;
  struct nr_callback *setter;
};

/*
 * What one call of napi_define_class() or napi_define_properties() in an Init brings along. Where a dead host has
 * defined the same in this place, its functions are taken over: they call the new host then. NULL: outside of an Init.
 */
struct nr_definition *nr_definition_begin(struct nr_dispatch *d, const Nr__DefineClassRequest *class,
                                          Nr__Property *const *properties, size_t count);
/* The next callback of it, made or taken over, for that id of the host. */
struct nr_callback *nr_definition_callback(struct nr_definition *definition, struct nr_env *env, nr_id id, bool member);
struct nr_accessor *nr_definition_accessor(struct nr_definition *definition, struct nr_env *env);
/* The class that was taken over with its callbacks; NULL: none. */
napi_value nr_definition_class(struct nr_definition *definition, napi_env napi);
/* All of it is there: whoever comes next may have it. The class, if it is one. */
void nr_definition_end(struct nr_definition *definition, napi_env napi, napi_value class);
void nr_definitions_free(struct nr_place *place);

#endif
