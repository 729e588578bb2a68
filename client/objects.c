/*
 * What stands behind ids that the server holds for this process: callbacks, and pointers of the addon (wraps,
 * externals, finalizers).
 */
#include <stdlib.h>

#include "client/client-private.h"
#include "client/snapshots.h"

nr_id nr_object_add(napi_env env, void *data, napi_finalize finalize, void *hint) {
  struct nr_object *object = malloc(sizeof *object);
  if (object == NULL) return 0;
  *object = (struct nr_object){.env = env, .data = data, .finalize = finalize, .hint = hint};
  nr_id id = nr_table_add(env->channel->objects, NR_SORT_OBJECT, object);
  if (id == 0) free(object);
  return id;
}

struct nr_object *nr_object_get(napi_env env, nr_id id) {
  return nr_table_get(env->channel->objects, id, NR_SORT_OBJECT);
}

nr_id nr_callback_add(napi_env env, napi_callback function, void *data) {
  struct nr_callback *callback = malloc(sizeof *callback);
  if (callback == NULL) return 0;
  *callback = (struct nr_callback){.env = env, .function = function, .data = data};
  nr_habits_init(&callback->habits);
  nr_id id = nr_table_add(env->channel->callbacks, NR_SORT_CALLBACK, callback);
  if (id == 0) free(callback);
  return id;
}
