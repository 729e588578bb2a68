'use strict';
// Good arguments for each function of Node-API, as the addon raw is told about them (tests/calls/raw.h), and many wrong ones.
const fs = require('node:fs');
const path = require('node:path');
const { build } = require('./child.js');

const readBuild = (...names) => JSON.parse(fs.readFileSync(path.join(build, 'generated', ...names), 'utf8'));

/** name -> [{name, type, kind}], the parameters of each function. */
const parameters = readBuild('tests', 'raw.json');
/** name -> {kind: 'flat', 'hand' or 'absent'} */
const functions = readBuild('functions.json');

/** By kind, for parameters that the table below does not name. Fresh ones each time. */
const DEFAULTS = {
  env: () => true, info: () => true, value: () => [{ a: 1, 0: 'zero' }], values: () => [], number: () => 0, real: () => 1.5,
  text: () => 'text', text16: () => 'text', buffer: () => 8, buffer16: () => 8, words: () => [1, 2], pointer: () => 1,
  ref: () => [{ referenced: true }, 1], deferred: () => true, scope: () => true, escapable: () => true,
  callback: () => true, finalize: () => true, finalize2: () => true, hook: () => true,
  properties: () => [{ utf8name: 'p', value: 1, attributes: 7 }], opaque: () => true,
  out_values: () => true, out_scalar: () => true, out_words: () => 2, out_pointer: () => true, out_text: () => true, out_ref: () => true,
  out_opaque: () => true, out_scope: () => true, out_escapable: () => true, out_error_info: () => true, out_node_version: () => true,
};

const buffer = () => [new ArrayBuffer(16)];
const error = () => ({ code: ['CODE'], msg: ['message'] });
const count = (name, number) => () => ({ [name]: number });
const value = (of) => () => ({ value: [of()] });

function wrapped(addon) {
  const object = {};
  addon.call('napi_wrap', [true, [object], 3, null, null, null]);
  return object;
}

/** Per function: what its parameters need to be for it to succeed. */
const GOOD = {
  napi_create_array_with_length: count('length', 3),
  napi_get_value_double: value(() => 1.5),
  napi_get_value_int32: value(() => 1.5),
  napi_get_value_uint32: value(() => 1.5),
  napi_get_value_int64: value(() => 1.5),
  napi_get_value_bool: value(() => true),
  napi_get_value_bigint_int64: value(() => 5n),
  napi_get_value_bigint_uint64: value(() => 5n),
  napi_get_value_bigint_words: () => ({ value: [2n ** 70n], word_count: 2 }),
  napi_get_value_string_latin1: () => ({ value: ['text'], bufsize: 8 }),
  napi_get_value_string_utf8: () => ({ value: ['text'], bufsize: 8 }),
  napi_get_value_string_utf16: () => ({ value: ['text'], bufsize: 8 }),
  napi_create_symbol: () => ({ description: ['description'] }),
  napi_create_error: error, napi_create_type_error: error, napi_create_range_error: error, node_api_create_syntax_error: error,
  napi_set_property: () => ({ key: ['key'] }), napi_has_property: () => ({ key: ['a'] }), napi_get_property: () => ({ key: ['a'] }),
  napi_delete_property: () => ({ key: ['a'] }), napi_has_own_property: () => ({ key: ['a'] }),
  napi_get_array_length: value(() => [1, 2]),
  napi_call_function: () => ({ recv: ['this'], func: [(...args) => args], argc: 2, argv: [[1], ['two']] }),
  napi_new_instance: () => ({ constructor: [Array], argc: 2, argv: [[1], ['two']] }),
  napi_instanceof: () => ({ object: [[]], constructor: [Array] }),
  napi_get_cb_info: () => ({ argc: 4, argv: 4 }),
  napi_define_class: () => ({ property_count: 1 }),
  napi_define_properties: () => ({ property_count: 1 }),
  napi_get_value_external: (addon) => ({ value: [addon.external(3)] }),
  napi_unwrap: (addon) => ({ js_object: [wrapped(addon)] }), napi_remove_wrap: (addon) => ({ js_object: [wrapped(addon)] }),
  napi_create_typedarray: () => ({ length: 2, arraybuffer: buffer(), byte_offset: 4 }),
  napi_create_dataview: () => ({ length: 2, arraybuffer: buffer(), byte_offset: 4 }),
  node_api_create_buffer_from_arraybuffer: () => ({ arraybuffer: buffer(), byte_offset: 4, byte_length: 2 }),
  napi_create_arraybuffer: count('byte_length', 4), node_api_create_sharedarraybuffer: count('byte_length', 4),
  napi_create_buffer: count('length', 4), napi_create_buffer_copy: count('length', 4),
  napi_get_arraybuffer_info: () => ({ arraybuffer: buffer() }), napi_detach_arraybuffer: () => ({ arraybuffer: buffer() }),
  napi_is_detached_arraybuffer: () => ({ arraybuffer: buffer() }),
  napi_get_typedarray_info: () => ({ typedarray: [new Float32Array([1, 2])] }), napi_get_dataview_info: () => ({ dataview: [new DataView(
    new ArrayBuffer(8), 2, 4
  )] }),
  napi_get_buffer_info: value(() => Buffer.from('text')),
  napi_run_script: () => ({ script: ['6 * 7'] }),
  napi_get_date_value: value(() => new Date(5)),
  napi_create_bigint_words: () => ({ word_count: 2 }),
  napi_type_tag_object: value(() => ({})), napi_check_object_type_tag: value(() => ({})),
  napi_get_all_property_names: () => ({ key_mode: 1 }),
  napi_throw: () => ({ error: [new RangeError('thrown')] }),
  node_api_create_object_with_properties: () => ({
    prototype_or_null: [null], property_names: [['a'], ['b']], property_values: [[1], [2]], property_count: 2,
  }),
  node_api_set_prototype: value(() => ({ inherited: true })),
};

/** Lengths of texts end at their NUL, unless the table above says otherwise. */
const isTextLength = (list, index) => list[index].name === 'length' && /^text/.test(list[index - 1]?.kind);

/** Descriptions of all parameters of a function with which it succeeds, if they are of the right type. */
function good(name, addon) {
  const special = GOOD[name]?.(addon) ?? {};
  return parameters[name].map((parameter, index, list) => {
    if (Object.hasOwn(special, parameter.name)) return special[parameter.name];
    return isTextLength(list, index) && name !== 'napi_create_buffer_copy' ? 'auto' : DEFAULTS[parameter.kind]();
  });
}

/** A value of each kind, by name; fresh ones, since functions change them. */
function values(addon) {
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  const fail = (trap) => () => { throw new Error(trap); };
  return {
    undefined: undefined, null: null, boolean: true, number: 1.5, string: 'text', bigint: 10n, symbol: Symbol('s'),
    object: { a: 1 }, 'no prototype': Object.create(null), frozen: Object.freeze({ a: 1 }), array: [1, 2], external: addon.external(2),
    function: function named() { return 'called'; }, class: class Class {}, date: new Date(5), error: new Error('e'), promise: Promise.resolve(1),
    arraybuffer: new ArrayBuffer(16), detached, shared: new SharedArrayBuffer(16),
    'typed array': new Uint8Array(4), buffer: Buffer.alloc(3, 'b'), dataview: new DataView(new ArrayBuffer(8), 2),
    proxy: new Proxy({}, {}), 'throwing proxy': new Proxy({}, { get: fail('get'), has: fail('has'), getPrototypeOf: fail('getPrototypeOf') }),
  };
}

module.exports = { parameters, functions, good, values };
