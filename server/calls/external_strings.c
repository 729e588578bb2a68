/*
 * External strings: V8 holds a copy of the characters; when it lets go of the string, the host runs the addon's
 * finalizer.
 */
#include <stdlib.h>
#include <string.h>

#include "handlers.h"
#include "server/calls/objects.h"

/* V8 has no longer ones (String::kMaxLength on 64 bits). */
#define NR_STRING_UNITS_MAX UINT32_C(0x1fffffe8)

/* Inside a collection, whatever the addon's version; without an env after its end, on the isolate's way out. */
static void finalize(napi_env napi, void *data, void *hint) {
  struct nr_wrap *wrap = hint;
  free(data);
  if (wrap->finalize && nr_port_failure(wrap->connection->port) == 0) {
    nr_finalize_basic(wrap, napi == NULL);
    nr_wrap_free(wrap);
  } else {
    nr_wrap_release(wrap);
  }
}

/* The strings that are left when an env ends lose it: in one process their finalizers run with the isolate's end, which
 * the host does not live to see, so they run now. */
void nr_external_strings_orphan(struct nr_env *env) {
  if (env->strings == NULL || nr_port_failure(env->connection->port) < 0) return;
  while (env->strings != NULL) {
    struct nr_wrap *wrap = env->strings;
    env->strings = wrap->next;
    if (wrap->next != NULL) wrap->next->link = &env->strings;
    wrap->link = NULL;
    nr_finalize_basic(wrap, true);
    wrap->finalize = false;
    wrap->object_id = 0;
  }
  nr_finalizers_drain(env);
}

static void remember(struct nr_env *env, struct nr_wrap *wrap) {
  wrap->next = env->strings;
  wrap->link = &env->strings;
  if (wrap->next != NULL) wrap->next->link = &wrap->next;
  env->strings = wrap;
}

typedef napi_status create(napi_env napi, void *copy, size_t units, struct nr_wrap *wrap, napi_value *result,
                           bool *copied);

static napi_status create_latin1(napi_env napi, void *copy, size_t units, struct nr_wrap *wrap, napi_value *result,
                                 bool *copied) {
  return node_api_create_external_string_latin1(napi, copy, units, finalize, wrap, result, copied);
}

static napi_status create_utf16(napi_env napi, void *copy, size_t units, struct nr_wrap *wrap, napi_value *result,
                                bool *copied) {
  return node_api_create_external_string_utf16(napi, copy, units, finalize, wrap, result, copied);
}

static napi_status serve(struct nr_dispatch *d, const Nr__CreateExternalStringRequest *request,
                         Nr__CreateExternalStringReply *reply, create *create_real, size_t unit) {
  const char *bytes;
  size_t length;
  napi_value result = NULL;
  bool copied = false;
  NR_TAKE_BYTES(d, request->str, &bytes, &length);
  if (length % unit != 0) return nr_fault(d, "half a character");
  if (length / unit > NR_STRING_UNITS_MAX) return napi_generic_failure;
  struct nr_wrap *wrap = nr_wrap_create(d, request->object_id, request->object_id != 0, false);
  void *copy = malloc(length + unit);
  if (wrap == NULL || copy == NULL) {
    if (wrap != NULL) nr_wrap_free(wrap);
    free(copy);
    return napi_generic_failure;
  }
  if (length > 0) memcpy(copy, bytes, length);
  if (wrap->finalize) remember(d->env, wrap);
  /* From here on the wrap is the string's; an empty one lets go of it at once. */
  NR_TRY(create_real(d->napi, copy, length / unit, wrap, &result, &copied));
  reply->copied = copied;
  return nr_give(d, request->result, result, &reply->result);
}

napi_status nr_serve_node_api_create_external_string_latin1(struct nr_dispatch *d, const void *message, void *answer) {
  if (node_api_create_external_string_latin1 == NULL) return nr_lacks(d, "node_api_create_external_string_latin1");
  return serve(d, message, answer, create_latin1, 1);
}

napi_status nr_serve_node_api_create_external_string_utf16(struct nr_dispatch *d, const void *message, void *answer) {
  if (node_api_create_external_string_utf16 == NULL) return nr_lacks(d, "node_api_create_external_string_utf16");
  return serve(d, message, answer, create_utf16, sizeof(char16_t));
}
