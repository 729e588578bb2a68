'use strict';
// Short sequences of calls that belong together, since chance alone rarely sets a property of an object that was just made, asks for it, hands it to
// JavaScript and asks again. A step is [function, what is fixed of its operands by parameter]; the rest of it is as random as everything else.

const many = (random, most, make) => Array.from({ length: 1 + random.below(most) }, make);

/** Makes something and sets properties of it before JavaScript sees it. */
function build({ random, registers: [made], text }) {
  const name = text();
  const step = () => random.pick([
    ['napi_set_named_property', { object: made, utf8name: name }], ['napi_set_named_property', { object: made }], ['napi_set_property', { object: made }],
    ['napi_set_element', { object: made }], ['napi_get_named_property', { object: made, utf8name: name }], ['napi_has_named_property', { object: made }],
    ['napi_define_properties', { object: made }], ['napi_delete_property', { object: made }], ['napi_get_property_names', { object: made }],
  ]);
  const maker = random.pick(['napi_create_object', 'napi_create_array', 'napi_create_array_with_length', 'napi_create_object']);
  return [[maker, { result: made }], ...many(random, 6, step)];
}

/** The same with a prototype that notices. */
function pollute({ random, registers: [first, proto, made], text, callback }) {
  const name = text();
  const maker = random.pick(['napi_create_object', 'napi_create_array']);
  const accessor = random.chance(0.6);
  const descriptor = [name, 0, -1, accessor ? callback() : -1, accessor ? callback() : -1, accessor ? -1 : 0, 4 | random.below(4), -1];
  return [
    [maker, { result: first }], ['napi_get_prototype', { object: first, result: proto }],
    ['napi_define_properties', { object: proto, property_count: [1, 1, ...descriptor] }], [maker, { result: made }],
    ...many(random, 3, () => ['napi_set_named_property', { object: made, utf8name: name }]), ['napi_get_named_property', { object: made, utf8name: name }],
    ['napi_delete_property', { object: proto }],
  ];
}

function wrap({ random, registers: [made] }) {
  const step = () => random.pick([
    ['napi_unwrap', { js_object: made }], ['napi_unwrap', { js_object: made }], ['napi_remove_wrap', { js_object: made }], ['napi_wrap', { js_object: made }],
    ['napi_call_function', { argc: [1, 1, made] }], ['napi_type_tag_object', { value: made }], ['napi_check_object_type_tag', { value: made }],
  ]);
  const maker = random.pick(['napi_create_object', 'napi_new_instance']);
  return [[maker, { result: made }], ['napi_wrap', { js_object: made }], ...many(random, 5, step)];
}

function useClass({ random, registers: [made, instance, other] }) {
  const step = () => random.pick([
    ['napi_call_function', { argc: [2, 1, instance, made] }], ['napi_instanceof', { object: instance, constructor: made }],
    ['napi_new_instance', { constructor: made, result: other }],
    ['napi_get_named_property', { object: instance }], ['napi_set_named_property', { object: instance }], ['napi_unwrap', { js_object: instance }],
    ['napi_get_all_property_names', { object: made }],
  ]);
  return [['napi_define_class', { result: made }], ['napi_new_instance', { constructor: made, result: instance }], ...many(random, 5, step)];
}

function memory({ random, registers: [buffer, view, data] }) {
  const step = () => random.pick([
    ['napi_get_typedarray_info', { typedarray: view }], ['napi_get_arraybuffer_info', { arraybuffer: buffer }], ['napi_get_dataview_info', { dataview: data }],
    ['napi_get_buffer_info', { value: view }], ['napi_call_function', { argc: [3, 1, view, buffer, data] }], ['napi_detach_arraybuffer', { arraybuffer: buffer }],
    ['napi_set_element', { object: view }], ['napi_get_element', { object: view }], ['poke'], ['peek'], ['peek'],
    ['napi_is_detached_arraybuffer', { value: buffer }], ['node_api_create_buffer_from_arraybuffer', { arraybuffer: buffer, result: view }],
  ]);
  return [
    ['napi_create_arraybuffer', { byte_length: random.pick([8, 16, 24, 64]), result: buffer }], ['napi_create_typedarray', { arraybuffer: buffer, result: view }],
    ['napi_create_dataview', { arraybuffer: buffer, result: data }], ...many(random, 8, step),
  ];
}

function text({ random, registers: [made] }) {
  const step = () => random.pick([
    ['napi_get_value_string_utf8', { value: made }], ['napi_get_value_string_latin1', { value: made }], ['napi_get_value_string_utf16', { value: made }],
    ['napi_set_property', { key: made }], ['napi_get_property', { key: made }], ['napi_create_symbol', { description: made }],
    ['napi_call_function', { argc: [1, 1, made] }],
  ]);
  const makers = ['string_utf8', 'string_latin1', 'string_utf16'].map((what) => `napi_create_${what}`);
  const maker = random.pick([...makers, 'napi_coerce_to_string', 'node_api_create_property_key_utf16']);
  return [[maker, { result: made }], ...many(random, 4, step)];
}

function refer({ random, registers: [value, got] }) {
  const step = () => random.pick([
    ['napi_get_reference_value', { result: got }], ['napi_reference_ref'], ['napi_reference_unref'], ['napi_reference_unref'], ['napi_delete_reference'],
    ['napi_strict_equals', { lhs: value, rhs: got }],
  ]);
  return [['napi_create_reference', { value, result: random.below(6) }], ...many(random, 6, step)];
}

function promise({ random, registers: [made] }) {
  return [
    ['napi_create_promise', { deferred: random.below(4), promise: made }], ['napi_call_function', { argc: [1, 1, made] }],
    [random.pick(['napi_resolve_deferred', 'napi_reject_deferred'])], ['napi_is_promise', { value: made }],
  ];
}

function escape({ random, registers: [inner, outer] }) {
  return [
    ['napi_open_escapable_handle_scope', { result: 0 }], [random.pick(['napi_create_object', 'napi_create_string_utf8', 'napi_create_double']), { result: inner }],
    ['napi_escape_handle', { scope: 0, escapee: inner, result: outer }], ...many(random, 2, () => ['napi_set_named_property', { object: outer }]),
    ['napi_close_escapable_handle_scope', { scope: 0 }], ['napi_set_named_property', { object: outer }], ['napi_strict_equals', { lhs: outer }],
  ];
}

/** What calls do while something is pending: the generator takes no exception away here. */
function pend({ random }) {
  const thrown = ['napi_throw_error', 'napi_throw', 'napi_throw_type_error'];
  return [[random.pick(thrown)], ...many(random, 5, () => [null]), ['napi_get_and_clear_last_exception']];
}

module.exports = { recipes: [build, build, wrap, useClass, memory, text, refer, promise, escape, pend], pollute, pend };
