'use strict';
// What functions want and give, as a hint for the generator: a program of values that never fit tests nothing but the checks.

const OBJECTS = ['object', 'array', 'function', 'class', 'error', 'date', 'promise', 'arraybuffer', 'typedarray', 'buffer', 'dataview', 'proxy'];

/** [function, parameter, kinds] */
const WANTED = [
  [/^napi_get_value_string|^napi_create_symbol/, /./, ['string']],
  [/^napi_run_script/, /./, ['script']],
  [/^napi_get_value_bigint/, /./, ['bigint']],
  [/^napi_get_value_external/, /./, ['external']],
  [/^napi_get_value_bool/, /./, ['boolean']],
  [/^napi_get_value_/, /./, ['number']],
  [/^napi_get_date_value/, /./, ['date']],
  [/^napi_get_array_length/, /./, ['array']],
  [/create_(type_|range_|syntax_)?error$/, /./, ['string']],
  [/^napi_get_buffer_info/, /./, ['buffer', 'typedarray']],
  [/^napi_(type_tag_object|check_object_type_tag)/, /./, [...OBJECTS, 'external']],
  [/^node_api_set_prototype/, /^value$/, [...OBJECTS, 'null']],
  [/./, /^prototype_or_null$/, [...OBJECTS, 'null']],
  [/^napi_detach_arraybuffer/, /./, ['arraybuffer']],
  [/^napi_escape_handle/, /./, null],
  [/./, /^arraybuffer$/, ['arraybuffer']],
  [/./, /^typedarray$/, ['typedarray', 'buffer']],
  [/./, /^dataview$/, ['dataview']],
  [/./, /^func$/, ['function']],
  [/^napi_new_instance/, /^constructor$/, ['class']],
  [/^napi_instanceof/, /^constructor$/, ['class', 'function']],
  [/^napi_create_reference/, /./, OBJECTS],
  [/./, /^(object|js_object)$/, OBJECTS],
  [/./, /^key$/, ['string', 'symbol']],
  [/^napi_is_error/, /./, null],
];

const GIVEN = [
  [/create_(string|property_key|external_string)|coerce_to_string/, 'string'],
  [/symbol/, 'symbol'],
  [/create_bigint/, 'bigint'],
  [/create_(double|u?int32|int64)|coerce_to_number/, 'number'],
  [/get_boolean|coerce_to_bool/, 'boolean'],
  [/get_undefined/, 'undefined'],
  [/get_null/, 'null'],
  [/create_array$|create_array_with|property_names/, 'array'],
  [/create_(shared|external_)?arraybuffer/, 'arraybuffer'],
  [/create_typedarray/, 'typedarray'],
  [/create_dataview/, 'dataview'],
  [/create_(external_)?buffer/, 'buffer'],
  [/create_function/, 'function'],
  [/define_class/, 'class'],
  [/create_promise/, 'promise'],
  [/create_date/, 'date'],
  [/create_external$/, 'external'],
  [/create_.*error/, 'error'],
  [/create_object|new_instance|coerce_to_object|get_global|get_prototype/, 'object'],
];

/** The kinds of value that a parameter wants; null: any. */
function wantedBy(f, p) {
  return WANTED.find(([function_, parameter]) => function_.test(f) && parameter.test(p))?.[2] ?? null;
}

/** The kind of value that a result probably is. */
function givenBy(f, p) {
  if (p === 'arraybuffer') return 'arraybuffer';
  return GIVEN.find(([function_]) => function_.test(f))?.[1] ?? 'any';
}

/** What is of the first kind is of the second, too. */
const ALSO = { script: 'string', class: 'function', buffer: 'typedarray' };

/** Is what is known as `kind` one of those? */
function kindOf(kind, wanted) {
  return wanted.includes(kind) || wanted.includes(ALSO[kind]);
}

module.exports = { wantedBy, givenBy, kindOf };
