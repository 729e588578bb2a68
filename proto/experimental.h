/*
 * The functions that Node 20 to 26 export for addons that define NAPI_EXPERIMENTAL. The official headers as packaged
 * leave them out; these prototypes are those of Node's src/js_native_api.h. The generator reads this file like the
 * official ones.
 */
#ifndef NR_PROTO_EXPERIMENTAL_H
#define NR_PROTO_EXPERIMENTAL_H

#include <node_api.h>

EXTERN_C_START

NAPI_EXTERN napi_status NAPI_CDECL node_api_post_finalizer(node_api_basic_env env, napi_finalize finalize_cb,
                                                           void *finalize_data, void *finalize_hint);
NAPI_EXTERN napi_status NAPI_CDECL node_api_set_prototype(napi_env env, napi_value object, napi_value value);
NAPI_EXTERN napi_status NAPI_CDECL node_api_create_object_with_properties(napi_env env, napi_value prototype_or_null,
                                                                          const napi_value *property_names,
                                                                          const napi_value *property_values,
                                                                          size_t property_count, napi_value *result);
NAPI_EXTERN napi_status NAPI_CDECL node_api_is_sharedarraybuffer(napi_env env, napi_value value, bool *result);
NAPI_EXTERN napi_status NAPI_CDECL node_api_create_sharedarraybuffer(napi_env env, size_t byte_length, void **data,
                                                                     napi_value *result);
NAPI_EXTERN napi_status NAPI_CDECL node_api_create_external_sharedarraybuffer(
    napi_env env, void *external_data, size_t byte_length,
    void (*finalize_cb)(void *external_data, void *finalize_hint), void *finalize_hint, napi_value *result);

EXTERN_C_END

#endif
