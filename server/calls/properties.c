/*
 * Objects that are made with all their properties.
 */
#include "handlers.h"
#include "server/calls/guards.h"

napi_status nr_serve_node_api_create_object_with_properties(struct nr_dispatch *d, const void *message, void *answer) {
  const Nr__CreateObjectWithPropertiesRequest *request = message;
  Nr__ValueReply *reply = answer;
  size_t count = request->n_properties / 2;
  napi_value prototype, result = NULL;
  napi_value *list = NULL;
  if (node_api_create_object_with_properties == NULL) return nr_lacks(d, "node_api_create_object_with_properties");
  if (request->n_properties % 2 != 0) return nr_fault(d, "a name without a value");
  NR_TAKE(d, request->prototype_or_null, &prototype);
  if (!nr_may_be_prototype(d->napi, prototype)) return napi_invalid_arg;
  NR_TAKE_VALUES(d, request->properties, request->n_properties, &list);
  NR_TRY(node_api_create_object_with_properties(d->napi, prototype, list, list + count, count, &result));
  return nr_give(d, request->result, result, &reply->result);
}
