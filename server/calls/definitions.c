/*
 * Functions that an addon's Init defines, for a class or as properties. V8 keeps a class for ever, and nobody tells
 * when such a function dies, so the callbacks behind them stay as long as the env. A host that takes the place of a
 * dead one gets those that the dead one had, as far as its Init does the same again: then nothing is left of each.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/place.h"
#include "server/restart.h"

struct nr_definition {
  struct nr_definition *next;
  struct nr_env *env; /* whose Init has it */
  bool whole;         /* it came to its end */
  bool taken;         /* it was another host's before */
  napi_ref class;     /* NULL: properties */
  char *shape;        /* equal for equal definitions */
  size_t shape_length;
  struct nr_callback **callbacks;
  struct nr_accessor **accessors;
  size_t callback_count, accessor_count; /* used so far */
  size_t callback_room, accessor_room;
};

/* ---- shapes ---------------------------------------------------------------------------------------------------------
 */

/* Texts of the request, one behind the other; measured first, with `at` NULL. */
struct writer {
  char *at;
  size_t length;
};

static void put(struct writer *writer, const void *bytes, size_t length) {
  if (writer->at != NULL) memcpy(writer->at + writer->length, bytes, length);
  writer->length += length;
}

static bool put_span(struct writer *writer, struct nr_dispatch *d, nr_span span) {
  const char *bytes = NULL;
  size_t length = 0;
  if (nr_take_bytes(d, span, &bytes, &length) != napi_ok) return false;
  put(writer, &length, sizeof length);
  if (bytes != NULL) put(writer, bytes, length);
  return true;
}

/* What stands in a class's template cannot be looked at again: classes with values, or with names that are no texts,
 * are made anew. Of properties only the functions count. */
static bool put_property(struct writer *writer, struct nr_dispatch *d, const Nr__Property *property, bool class) {
  uint32_t facts[] = {property->attributes, property->method_id != 0, property->getter_id != 0,
                      property->setter_id != 0};
  bool named = property->utf8name != NR_SPAN_NULL;
  put(writer, facts, sizeof facts);
  if (class && (!named || (property->method_id == 0 && property->getter_id == 0 && property->setter_id == 0)))
    return false;
  return !named || put_span(writer, d, property->utf8name);
}

static bool put_all(struct writer *writer, struct nr_dispatch *d, const Nr__DefineClassRequest *class,
                    Nr__Property *const *properties, size_t count) {
  char kind = class == NULL ? 'p' : 'c';
  put(writer, &kind, 1);
  if (class != NULL && !put_span(writer, d, class->utf8name)) return false;
  for (size_t i = 0; i < count; i++) {
    if (!put_property(writer, d, properties[i], class != NULL)) return false;
  }
  return true;
}

/* An Init that defines more has the rest made anew. */
#define NR_DEFINITIONS_MAX 2048u

/* ---- lists ----------------------------------------------------------------------------------------------------------
 */

static void release(struct nr_definition *definition) {
  free(definition->callbacks);
  free(definition->accessors);
  free(definition->shape);
  free(definition);
}

static struct nr_definition *make(struct nr_env *env, char *shape, size_t shape_length, Nr__Property *const *properties,
                                  size_t count) {
  if (env->place->definition_count == NR_DEFINITIONS_MAX) return NULL;
  struct nr_definition *definition = calloc(1, sizeof *definition);
  if (definition == NULL) return NULL;
  size_t callbacks = 1, accessors = 0;
  for (size_t i = 0; i < count; i++) {
    callbacks +=
        (size_t)(properties[i]->method_id != 0) + (properties[i]->getter_id != 0) + (properties[i]->setter_id != 0);
    accessors += properties[i]->getter_id != 0 || properties[i]->setter_id != 0;
  }
  definition->env = env;
  definition->callback_room = callbacks;
  definition->accessor_room = accessors;
  definition->callbacks = calloc(callbacks, sizeof(struct nr_callback *));
  definition->accessors = calloc(accessors + 1, sizeof(struct nr_accessor *));
  if (definition->callbacks == NULL || definition->accessors == NULL) {
    release(definition);
    return NULL;
  }
  definition->shape = shape;
  definition->shape_length = shape_length;
  struct nr_definition **link = &env->place->definitions;
  while (*link != NULL) link = &(*link)->next;
  *link = definition;
  env->place->definition_count++;
  return definition;
}

/* The first that a dead host has left; an addon's Init does the same each time, in the same order. */
static struct nr_definition *take_over(struct nr_env *env, const char *shape, size_t length) {
  struct nr_definition *definition = env->place->definitions;
  for (; definition != NULL; definition = definition->next) {
    if (definition->env != env && definition->whole && definition->shape_length == length &&
        memcmp(definition->shape, shape, length) == 0)
      break;
  }
  if (definition == NULL) return NULL;
  definition->env = env;
  definition->whole = false;
  definition->taken = true;
  definition->callback_count = definition->accessor_count = 0;
  return definition;
}

struct nr_definition *nr_definition_begin(struct nr_dispatch *d, const Nr__DefineClassRequest *class,
                                          Nr__Property *const *properties, size_t count) {
  struct writer writer = {.at = NULL};
  if (d->env == NULL || !d->env->initialises || d->env->place == NULL) return NULL;
  if (!put_all(&writer, d, class, properties, count)) return NULL;
  char *shape = malloc(writer.length);
  if (shape == NULL) return NULL;
  writer = (struct writer){.at = shape};
  put_all(&writer, d, class, properties, count);
  struct nr_definition *definition = take_over(d->env, shape, writer.length);
  if (definition == NULL) definition = make(d->env, shape, writer.length, properties, count);
  if (definition == NULL || definition->shape != shape) free(shape);
  return definition;
}

/* ---- what is in one -------------------------------------------------------------------------------------------------
 */

struct nr_callback *nr_definition_callback(struct nr_definition *definition, struct nr_env *env, nr_id id,
                                           bool member) {
  if (definition == NULL || definition->callback_count == definition->callback_room)
    return nr_callback_create(env, id, member);
  struct nr_callback **place = &definition->callbacks[definition->callback_count++];
  if (*place == NULL)
    *place = nr_callback_create(env, id, member);
  else
    nr_callback_rebind(*place, env, id);
  return *place;
}

struct nr_accessor *nr_definition_accessor(struct nr_definition *definition, struct nr_env *env) {
  struct nr_accessor **place = NULL;
  if (definition != NULL && definition->accessor_count < definition->accessor_room) {
    place = &definition->accessors[definition->accessor_count++];
    if (*place != NULL) return *place;
  }
  struct nr_accessor *accessor = calloc(1, sizeof *accessor);
  if (accessor == NULL) return NULL;
  nr_env_keep(env, accessor);
  if (place != NULL) *place = accessor;
  return accessor;
}

napi_value nr_definition_class(struct nr_definition *definition, napi_env napi) {
  napi_value class = NULL;
  if (definition == NULL || !definition->taken || definition->class == NULL) return NULL;
  return napi_get_reference_value(napi, definition->class, &class) == napi_ok ? class : NULL;
}

void nr_definition_end(struct nr_definition *definition, napi_env napi, napi_value class) {
  if (definition == NULL) return;
  if (class != NULL && definition->class == NULL &&
      napi_create_reference(napi, class, 1, &definition->class) != napi_ok) {
    definition->class = NULL;
    return;
  }
  definition->whole = true;
}

void nr_definitions_free(struct nr_place *place) {
  while (place->definitions != NULL) {
    struct nr_definition *definition = place->definitions;
    place->definitions = definition->next;
    if (definition->class != NULL) napi_delete_reference(place->napi, definition->class);
    release(definition);
  }
}
