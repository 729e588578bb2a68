/*
 * Taking apart what a message holds: bytes, names, lists, deferreds. Checked here, once, for all handlers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "server/dispatch.h"
#include "server/memory/exchange.h"
#include "server/server-private.h"

napi_status nr_take_bytes(struct nr_dispatch *dispatch, nr_span span, const char **bytes, size_t *length) {
  *bytes = NULL;
  *length = 0;
  if (span == NR_SPAN_NULL) return napi_ok;
  *bytes = (const char *)nr_frame_bytes(dispatch->frame, span);
  if (*bytes == NULL) return nr_fault(dispatch, "bytes outside of the frame");
  *length = nr_span_length(span);
  return napi_ok;
}

napi_status nr_take_cstring(struct nr_dispatch *dispatch, nr_span span, const char **text) {
  const char *bytes;
  size_t length;
  *text = NULL;
  NR_TRY(nr_take_bytes(dispatch, span, &bytes, &length));
  if (bytes == NULL) return napi_ok;
  if (memchr(bytes, 0, length) != NULL) return nr_fault(dispatch, "a name with a NUL");
  char *copy = nr_dispatch_alloc(dispatch, length + 1);
  if (copy == NULL) return napi_generic_failure;
  memcpy(copy, bytes, length);
  copy[length] = '\0';
  *text = copy;
  return napi_ok;
}

napi_status nr_take_utf16(struct nr_dispatch *dispatch, nr_span span, const char16_t **text, size_t *length) {
  const char *bytes;
  *text = NULL;
  NR_TRY(nr_take_bytes(dispatch, span, &bytes, length));
  if (bytes == NULL) return napi_ok;
  if (*length % sizeof(char16_t) != 0) return nr_fault(dispatch, "half a UTF-16 unit");
  void *copy = nr_dispatch_alloc(dispatch, *length + 1);
  if (copy == NULL) return napi_generic_failure;
  memcpy(copy, bytes, *length);
  *text = copy;
  *length /= sizeof(char16_t);
  return napi_ok;
}

napi_status nr_take_values(struct nr_dispatch *dispatch, const nr_value *values, size_t count, napi_value **result) {
  *result = nr_dispatch_alloc(dispatch, count * sizeof **result + 1);
  if (*result == NULL) return napi_generic_failure;
  for (size_t i = 0; i < count; i++) {
    NR_TRY(nr_take(dispatch, values[i], &(*result)[i]));
    if ((*result)[i] == NULL) return napi_invalid_arg; /* V8 does not survive an empty handle among arguments */
  }
  nr_memory_give(dispatch->connection, dispatch->napi, *result, count);
  return napi_ok;
}

napi_status nr_take_deferred(struct nr_dispatch *dispatch, nr_id id, napi_deferred *deferred, bool consume) {
  struct nr_table *table = dispatch->connection->deferreds;
  void *item = consume ? nr_table_remove(table, id, NR_SORT_DEFERRED) : nr_table_get(table, id, NR_SORT_DEFERRED);
  if (item == NULL)
    return napi_invalid_arg; /* resolved already: the real one is gone, a second time would be a use after free */
  *deferred = item;
  return napi_ok;
}

napi_status nr_refuse_id(struct nr_dispatch *dispatch, int error) {
  return error == -ENOMEM || error == -EDQUOT ? napi_generic_failure : nr_fault(dispatch, "an id that is taken");
}

napi_status nr_adopt_deferred(struct nr_dispatch *dispatch, nr_id id, napi_deferred deferred) {
  int error = nr_table_adopt(dispatch->connection->deferreds, id, NR_SORT_DEFERRED, deferred);
  napi_value undefined;
  if (error == 0) return napi_ok;
  /* It would never be freed. */
  if (napi_get_undefined(dispatch->napi, &undefined) == napi_ok)
    napi_resolve_deferred(dispatch->napi, deferred, undefined);
  return nr_refuse_id(dispatch, error);
}
