/*
 * What the real functions do not survive when it is forwarded as it is (tried on Node 20): checked here before. Each
 * guard is called by the generated handler of its function; napi_ok lets the call pass.
 */
#include "server/calls/guards.h"

#include "server/calls/objects.h"
#include "server/dispatch.h"
#include "server/enter.h"
#include "server/server-private.h"

/* V8 ends the process for arrays longer than its backing stores can be. */
#define NR_ARRAY_LENGTH_MAX ((INT32_C(1) << 27) - 3)

napi_status nr_guard_napi_create_array_with_length(struct nr_dispatch *d,
                                                   const Nr__CreateArrayWithLengthRequest *request) {
  (void)d;
  /* It hands the length on as an int, and V8 takes a negative one for 0. */
  return (int32_t)request->length <= NR_ARRAY_LENGTH_MAX ? napi_ok : napi_generic_failure;
}

/* The real function follows what an external holds and writes there: only for externals that a host made. */
static napi_status check_tag(struct nr_dispatch *d, nr_value id) {
  napi_value value;
  napi_valuetype type = napi_undefined;
  void *pointer = NULL;
  NR_TAKE(d, id, &value);
  if (value == NULL || napi_typeof(d->napi, value, &type) != napi_ok || type != napi_external) return napi_ok;
  NR_TRY(napi_get_value_external(d->napi, value, &pointer));
  return nr_object_of(d->connection, pointer) == 0 ? napi_invalid_arg : napi_ok;
}

napi_status nr_guard_napi_type_tag_object(struct nr_dispatch *d, const Nr__TypeTagObjectRequest *request) {
  return check_tag(d, request->value);
}

napi_status nr_guard_napi_check_object_type_tag(struct nr_dispatch *d, const Nr__TypeTagObjectRequest *request) {
  return check_tag(d, request->value);
}

/* offset + length * size near 2^64 wraps around in the real function's own check. */
static napi_status throw_range(struct nr_dispatch *d, const char *code, const char *text, napi_status status) {
  napi_throw_range_error(d->napi, code, text);
  return status;
}

static bool wraps(uint64_t offset, uint64_t length, uint64_t size) {
  uint64_t bytes, end;
  return __builtin_mul_overflow(length, size, &bytes) || __builtin_add_overflow(bytes, offset, &end);
}

napi_status nr_guard_napi_create_typedarray(struct nr_dispatch *d, const Nr__CreateTypedarrayRequest *request) {
  if (!wraps(request->byte_offset, request->length, 8)) return napi_ok;
  return throw_range(d, "ERR_NAPI_INVALID_TYPEDARRAY_LENGTH", "Invalid typed array length", napi_generic_failure);
}

napi_status nr_guard_napi_create_dataview(struct nr_dispatch *d, const Nr__CreateDataviewRequest *request) {
  if (!wraps(request->byte_offset, request->length, 1)) return napi_ok;
  return throw_range(
      d, "ERR_NAPI_INVALID_DATAVIEW_ARGS",
      "byte_offset + byte_length should be less than or equal to the size in bytes of the array passed in",
      napi_pending_exception);
}

napi_status nr_guard_node_api_create_buffer_from_arraybuffer(struct nr_dispatch *d,
                                                             const Nr__CreateBufferFromArraybufferRequest *request) {
  if (!wraps(request->byte_offset, request->byte_length, 1)) return napi_ok;
  return throw_range(d, "ERR_OUT_OF_RANGE", "The byte offset + length is out of range", napi_generic_failure);
}

/* V8 gives externals no place for a prototype, and takes nothing else but objects and null for one. */
static bool is_object(napi_env napi, napi_value value) {
  napi_valuetype type = napi_undefined;
  return value != NULL && napi_typeof(napi, value, &type) == napi_ok && (type == napi_object || type == napi_function);
}

static bool is_external(napi_env napi, napi_value value) {
  napi_valuetype type = napi_undefined;
  return value != NULL && napi_typeof(napi, value, &type) == napi_ok && type == napi_external;
}

napi_status nr_guard_node_api_set_prototype(struct nr_dispatch *d, const Nr__SetPrototypeRequest *request) {
  napi_value object, value;
  NR_TAKE(d, request->object, &object);
  NR_TAKE(d, request->value, &value);
  return is_external(d->napi, object) || is_external(d->napi, value) ? napi_invalid_arg : napi_ok;
}

bool nr_may_be_prototype(napi_env napi, napi_value value) {
  napi_valuetype type = napi_undefined;
  if (value == NULL || is_object(napi, value)) return true;
  return napi_typeof(napi, value, &type) == napi_ok && type == napi_null;
}

/* What coercing one throws. NULL: nothing that could be thrown, or there was something before. */
static napi_value coerced(napi_env napi, napi_value value, bool to_object, napi_value *result) {
  bool pending = true;
  napi_value exception = NULL;
  *result = NULL;
  if (napi_is_exception_pending(napi, &pending) != napi_ok || pending) return NULL;
  napi_status status = (to_object ? napi_coerce_to_object : napi_coerce_to_string)(napi, value, result);
  if (status == napi_ok) return NULL;
  *result = NULL;
  return napi_get_and_clear_last_exception(napi, &exception) == napi_ok ? exception : NULL;
}

static bool has_text(napi_valuetype type) {
  return type != napi_symbol && type != napi_object && type != napi_function && type != napi_external;
}

napi_status nr_guard_async_names(struct nr_dispatch *d, napi_value resource, napi_value *name) {
  napi_valuetype type = napi_undefined;
  napi_value result, exception;
  if (resource != NULL && napi_typeof(d->napi, resource, &type) == napi_ok && type <= napi_null) {
    nr_enter_leave_exception(d->connection, d->napi, coerced(d->napi, resource, true, &result));
    return napi_object_expected;
  }
  if (*name == NULL || napi_typeof(d->napi, *name, &type) != napi_ok || has_text(type)) return napi_ok;
  exception = coerced(d->napi, *name, false, &result);
  if (exception != NULL) nr_enter_leave_exception(d->connection, d->napi, exception);
  if (result != NULL) *name = result;
  return result != NULL ? napi_ok : napi_string_expected;
}
