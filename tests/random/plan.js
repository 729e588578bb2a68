'use strict';
// What is called and with what: each function of the table, each parameter by its type. For the interpreter (calls.js) and for the programs.
const fs = require('node:fs');
const path = require('node:path');
const { readHeaders } = require('../../proto/generator/headers.js');
const { parseTable } = require('../../proto/generator/table.js');
const exclusions = require('./exclusions.js');

/** Types of one parameter each: type → kind. */
const SIMPLE = {
  'napi_env': 'env', 'node_api_basic_env': 'env', 'napi_value': 'value', 'napi_value*': 'result', 'const char*': 'cstring',
  'napi_callback': 'callback', 'napi_finalize': 'finalizer', 'node_api_basic_finalize': 'finalizer', 'void*': 'token', 'void**': 'pointer',
  'napi_ref': 'ref', 'napi_ref*': 'newRef', 'napi_deferred': 'deferred', 'napi_deferred*': 'newDeferred', 'napi_callback_info': 'info',
  'napi_handle_scope': 'scope', 'napi_handle_scope*': 'newScope', 'napi_escapable_handle_scope': 'escapable',
  'napi_escapable_handle_scope*': 'newEscapable', 'const napi_type_tag*': 'tag', 'const napi_extended_error_info**': 'errorInfo',
  'const napi_node_version**': 'nodeVersion', 'const char**': 'fileName',
};

const SCALARS = new Set([
  'bool', 'int', 'int32_t', 'uint32_t', 'int64_t', 'uint64_t', 'double', 'size_t', 'napi_typedarray_type', 'napi_key_collection_mode', 'napi_key_filter',
  'napi_key_conversion',
]);

/** Results that are no values: the C type → how its content is printed. */
const OUTS = {
  'bool*': 'BOOL', 'int*': 'INT32', 'int32_t*': 'INT32', 'uint32_t*': 'UINT32', 'int64_t*': 'INT64', 'uint64_t*': 'UINT64', 'double*': 'DOUBLE', 'size_t*': 'SIZE',
  'napi_valuetype*': 'INT32', 'napi_typedarray_type*': 'INT32',
};

/** Parameters that belong together: their types → kind. */
const GROUPS = [
  [['const char*', 'size_t'], 'text'],
  [['const char16_t*', 'size_t'], 'text16'],
  [['char*', 'size_t', 'size_t*'], 'buffer8'],
  [['char16_t*', 'size_t', 'size_t*'], 'buffer16'],
  [['char*', 'size_t', 'node_api_basic_finalize'], 'lent8'],
  [['char16_t*', 'size_t', 'node_api_basic_finalize'], 'lent16'],
  [['size_t', 'void*', 'node_api_basic_finalize'], 'lentBytes'],
  [['void*', 'size_t', 'node_api_basic_finalize'], 'lentBytes'],
  [['size_t', 'const napi_value*'], 'values'],
  [['const napi_value*', 'const napi_value*', 'size_t'], 'pairs'],
  [['size_t', 'const napi_property_descriptor*'], 'descriptors'],
  [['size_t*', 'napi_value*', 'napi_value*', 'void**'], 'args'],
  [['size_t', 'const uint64_t*'], 'wordsIn'],
  [['size_t*', 'uint64_t*'], 'wordsOut'],
  [['size_t', 'const void*'], 'bytes'],
];
/** How many parameters a group takes; the rest of its types only tells it from others. */
const TAKES = { buffer8: 2, buffer16: 2, lent8: 2, lent16: 2, lentBytes: 2, args: 2 };

function planGroup(parameters, at) {
  for (const [types, kind] of GROUPS) {
    if (types.every((type, i) => parameters[at + i]?.type === type)) {
      const group = parameters.slice(at, at + (TAKES[kind] ?? types.length));
      return { kind, names: group.map(({ name }) => name), group, name: group[0].name };
    }
  }
  return null;
}

function planParameter(parameters, at) {
  const { type, name } = parameters[at];
  const group = planGroup(parameters, at);
  if (group !== null) return group;
  const one = (kind, more) => ({ kind, name, names: [name], group: [parameters[at]], type, ...more });
  if (type in OUTS) return one('out', { prints: OUTS[type] });
  if (SCALARS.has(type)) return one('scalar');
  // An address together with a length is one of bytes; alone it is what the addon once gave.
  if (type === 'void**' && parameters.some((other) => /length$/.test(other.name))) return one('memory');
  return type in SIMPLE ? one(SIMPLE[type]) : null;
}

/** {name, parameters}; null when a type is not known here. */
function planFunction(prototype) {
  const { name } = prototype;
  const given = prototype.parameters.map((parameter) => ({ ...parameter, type: parameter.type.replaceAll('* *', '**') }));
  const parameters = [];
  for (let at = 0; at < given.length;) {
    const plan = planParameter(given, at);
    if (plan === null) return null;
    plan.neverNull = exclusions.neverNull[name]?.[plan.name] !== undefined;
    plan.guard = exclusions.guards[name]?.[plan.name];
    plan.opaque = exclusions.opaque[name]?.[plan.name] !== undefined;
    parameters.push(plan);
    at += plan.names.length;
  }
  return { name, parameters, isClass: name === 'napi_define_class', isWashed: exclusions.washed.has(name) };
}

const PROTO = path.join(__dirname, '..', '..', 'proto');

/**
 * {functions, absent, unknown}: the plans of all functions that programs may call, in the order of the table; the names of those that the
 * table marks absent; those with a parameter that nothing is known of.
 */
function readPlan(headers = require('node-api-headers').include_dir) {
  const prototypes = readHeaders(headers);
  const { rows } = parseTable(fs.readFileSync(path.join(PROTO, 'napi.proto'), 'utf8'));
  const plan = { functions: [], absent: [], unknown: [] };
  for (const row of rows) {
    if (!prototypes.has(row.name) || row.name in exclusions.functions) continue;
    const one = planFunction(prototypes.get(row.name));
    if (row.words.has('absent')) plan.absent.push(row.name);
    else if (one === null) plan.unknown.push(row.name);
    else plan.functions.push(one);
  }
  return plan;
}

module.exports = { readPlan };
