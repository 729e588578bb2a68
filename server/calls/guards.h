/*
 * Declared here, called by the generated handlers (guards.c).
 */
#ifndef NR_SERVER_GUARDS_H
#define NR_SERVER_GUARDS_H

#include "napi.pb-c.h"
#include "server/server-private.h"

struct nr_dispatch;

napi_status nr_guard_napi_create_array_with_length(struct nr_dispatch *d,
                                                   const Nr__CreateArrayWithLengthRequest *request);
napi_status nr_guard_napi_type_tag_object(struct nr_dispatch *d, const Nr__TypeTagObjectRequest *request);
napi_status nr_guard_napi_check_object_type_tag(struct nr_dispatch *d, const Nr__TypeTagObjectRequest *request);
napi_status nr_guard_napi_create_typedarray(struct nr_dispatch *d, const Nr__CreateTypedarrayRequest *request);
napi_status nr_guard_napi_create_dataview(struct nr_dispatch *d, const Nr__CreateDataviewRequest *request);
napi_status nr_guard_node_api_create_buffer_from_arraybuffer(struct nr_dispatch *d,
                                                             const Nr__CreateBufferFromArraybufferRequest *request);
napi_status nr_guard_node_api_set_prototype(struct nr_dispatch *d, const Nr__SetPrototypeRequest *request);
/* What a new object can have for its prototype; NULL means null. */
bool nr_may_be_prototype(napi_env napi, napi_value value);

/* Before one of the three functions that take an async resource (NULL: none) and its name: they have no NAPI_PREAMBLE,
 * so an exception of ToObject or ToString stays in V8, out of sight of native code, until that returns; the agent would
 * run into it before. It is thrown then. *name: has a text. What the function says if not napi_ok. */
napi_status nr_guard_async_names(struct nr_dispatch *d, napi_value resource, napi_value *name);

#endif
