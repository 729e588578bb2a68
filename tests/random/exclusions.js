'use strict';
// What the random programs leave out, and why: either a real env does not survive it in one process, or its result is nobody's promise.

const LOOP = 'comes to its end in a later turn of the loop, which a program does not wait for';
const THREAD = 'is about other threads';
const HOOK = 'runs when the env ends, long after the transcript';
const ANY_THREAD = 'its finalizer may run on any thread';

/** Functions that are not called at all. */
const functions = {
  napi_fatal_error: 'ends the process',
  napi_fatal_exception: 'ends the process unless somebody listens',
  napi_module_register: 'is for libraries that are being loaded',
  napi_get_uv_event_loop: 'gives a loop, of which nothing can be compared',
  napi_add_env_cleanup_hook: HOOK,
  napi_remove_env_cleanup_hook: HOOK,
  napi_add_async_cleanup_hook: HOOK,
  napi_remove_async_cleanup_hook: HOOK,
  napi_async_init: LOOP,
  napi_async_destroy: LOOP,
  napi_make_callback: LOOP,
  napi_open_callback_scope: LOOP,
  napi_close_callback_scope: LOOP,
  napi_create_async_work: LOOP,
  napi_delete_async_work: LOOP,
  napi_queue_async_work: LOOP,
  napi_cancel_async_work: LOOP,
  napi_create_threadsafe_function: THREAD,
  napi_get_threadsafe_function_context: THREAD,
  napi_call_threadsafe_function: THREAD,
  napi_acquire_threadsafe_function: THREAD,
  napi_release_threadsafe_function: THREAD,
  napi_unref_threadsafe_function: THREAD,
  napi_ref_threadsafe_function: THREAD,
  node_api_create_external_sharedarraybuffer: ANY_THREAD,
  node_api_post_finalizer: LOOP,
};

/** Parameters that are never NULL: the real function follows them without a look. */
const neverNull = {
  napi_resolve_deferred: { deferred: 'is followed before anything is checked' },
  napi_reject_deferred: { deferred: 'is followed before anything is checked' },
  node_api_create_external_string_latin1: { str: 'ends the process, even with the length 0' },
  node_api_create_external_string_utf16: { str: 'ends the process, even with the length 0' },
  napi_type_tag_object: { type_tag: 'is followed when the value is an external' },
  napi_check_object_type_tag: {
    type_tag: 'is followed when the value is an external',
    result: 'is written without a check when the value is an external',
  },
};

/** Values that are looked at before the call, which is then left out; the words are the functions rd_is_... of operands.c. */
const guards = {
  napi_wrap: { js_object: 'not_external', why: 'V8 of Node 24 and later ends the process for a private property of an external' },
  napi_unwrap: { js_object: 'not_external', why: 'as napi_wrap' },
  napi_remove_wrap: { js_object: 'not_external', why: 'as napi_wrap' },
  node_api_set_prototype: { object: 'not_external', value: 'not_unfit_prototype', why: 'V8 of Node 24 and later ends the process for an external' },
  node_api_create_object_with_properties: { prototype_or_null: 'not_unfit_prototype', why: 'V8 ends the process for what cannot be a prototype' },
  node_api_create_external_string_latin1: {
    str: 'not_pending', why: 'the finalizer of an empty string runs at once, and then a pending exception is uncaught',
  },
  node_api_create_external_string_utf16: { str: 'not_pending', why: 'as its sibling' },
};

/** Results that depend on what else the process does. */
const opaque = {
  napi_adjust_external_memory: { adjusted_value: 'counts what all of the process has registered' },
};

/** After these, when they fail, something is thrown and caught: V8 of Node 20 keeps what defining a property threw, and other calls find it. */
const washed = new Set(['napi_define_properties', 'napi_define_class']);

/** Left out of programs that may hold objects of the whole process (Object.prototype, the global object): it could not be undone. */
const notOnShared = new Set([
  'napi_object_freeze', 'napi_object_seal', 'napi_wrap', 'napi_type_tag_object', 'napi_add_finalizer', 'node_api_set_prototype',
]);

module.exports = { functions, neverNull, guards, opaque, washed, notOnShared };
