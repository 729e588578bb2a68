'use strict';
// What raw.c is made from: for each function its parameters' kinds, and a call that takes them from an array of slots.

/** By the type of a parameter: what raw.c makes of it. The names are those of enum raw_kind. */
const KINDS = {
  'napi_env': 'env', 'node_api_basic_env': 'env', 'napi_callback_info': 'info',
  'napi_value': 'value', 'const napi_value*': 'values', 'napi_value*': 'out_values',
  'const char*': 'text', 'const void*': 'text', 'const char16_t*': 'text16', 'char*': 'buffer', 'char16_t*': 'buffer16',
  'bool': 'number', 'int': 'number', 'int32_t': 'number', 'uint32_t': 'number', 'int64_t': 'number', 'uint64_t': 'number', 'size_t': 'number', 'double': 'real',
  'bool*': 'out_scalar', 'int*': 'out_scalar', 'int32_t*': 'out_scalar', 'uint32_t*': 'out_scalar', 'int64_t*': 'out_scalar', 'size_t*': 'out_scalar',
  'double*': 'out_scalar', 'napi_valuetype*': 'out_scalar', 'napi_typedarray_type*': 'out_scalar', 'uint64_t*': 'out_words',
  'void*': 'pointer', 'void* *': 'out_pointer', 'const char* *': 'out_text',
  'napi_ref': 'ref', 'napi_ref*': 'out_ref', 'napi_deferred': 'deferred', 'napi_deferred*': 'out_opaque',
  'napi_handle_scope': 'scope', 'napi_handle_scope*': 'out_scope',
  'napi_escapable_handle_scope': 'escapable', 'napi_escapable_handle_scope*': 'out_escapable',
  'napi_callback': 'callback', 'napi_finalize': 'finalize', 'node_api_basic_finalize': 'finalize', 'function*': 'finalize2', 'napi_cleanup_hook': 'hook',
  'const napi_property_descriptor*': 'properties', 'const napi_type_tag*': 'words', 'const uint64_t*': 'words',
  'const napi_extended_error_info* *': 'out_error_info', 'const napi_node_version* *': 'out_node_version',
};

/** Parameters of which only NULL can be passed, with what the function is about. */
const opaque = (type) => (type.endsWith('*') ? 'out_opaque' : 'opaque');

function kindOf({ type }) {
  if (KINDS[type]) return KINDS[type];
  if (/^napi_(key_|typedarray_type|threadsafe_function_\w+_mode)/.test(type)) return 'number';
  return opaque(type);
}

/** These return nothing, or do not return. */
const isLeftOut = ({ returns }) => returns !== 'napi_status';

function argument(parameter, index) {
  const kind = kindOf(parameter);
  const slot = `slot[${index}]`;
  if (kind === 'real') return `${slot}.real`;
  if (kind === 'number') return `(${parameter.type})${slot}.number`;
  // Functions and data have the same pointers here.
  const type = parameter.declaration ? `(${parameter.declaration.replace(/\(\*\w+\)/, '(*)')})` : `(${parameter.type})`;
  return `${type}${slot}.pointer`;
}

function rawCalls(functions) {
  const callable = functions.filter((prototype) => !isLeftOut(prototype));
  const thunks = callable.map((prototype) => `static napi_status raw_${prototype.name}(const union raw_slot *slot) {
  return ${prototype.name}(${prototype.parameters.map(argument).join(', ')});
}
`);
  const rows = callable.map(({ name, parameters }) => `    {"${name}", raw_${name}, ${parameters.length}, {${parameters.map((parameter) => `RAW_${kindOf(parameter).toUpperCase()}`).join(', ')}}},\n`);
  return `${thunks.join('\n')}\nstatic const struct raw_function raw_functions[] = {\n${rows.join('')}};\n`;
}

function rawTable(functions) {
  return Object.fromEntries(functions.filter((prototype) => !isLeftOut(prototype)).map(({ name, parameters }) => [
    name, parameters.map((parameter) => ({ name: parameter.name, type: parameter.type, kind: kindOf(parameter) })),
  ]));
}

module.exports = { rawCalls, rawTable };
