'use strict';
// node tests/random/calls.js --out DIR --headers DIR
//
// Writes calls.c: for each function of the table one case of the interpreter, which takes the operands apart by the types of the prototype, calls
// the function and has written down what came of it. And the pools of constants.
const fs = require('node:fs');
const path = require('node:path');
const { readPlan } = require('./plan.js');
const pools = require('./pools.js');

const declare = ({ type, name }) => `${type.replace(/ ?(\*+)$/, ' $1')}${type.endsWith('*') ? '' : ' '}${name}`;

/** kind → the lines that declare and fill the arguments. `p` is the parameter, p.names the names of its arguments. */
const DECODE = {
  env: () => ['napi_env env = rd_env(call);'],
  value: (p) => [`napi_value ${p.name} = rd_value(call);`],
  result: (p) => [`napi_value *${p.name} = ${p.name === 'this_arg' ? 'rd_this' : 'rd_result'}(call);`],
  text: ({ names: [text, length] }) => [`size_t ${length};`, `const char *${text} = rd_text(call, &${length});`],
  text16: ({ names: [text, length] }) => [`size_t ${length};`, `const char16_t *${text} = rd_text16(call, &${length});`],
  cstring: (p) => [`const char *${p.name} = rd_cstring(call);`],
  buffer8: ({ names: [buffer, size] }) => [`size_t ${size};`, `char *${buffer} = rd_buffer(call, false, &${size});`],
  buffer16: ({ names: [buffer, size] }) => [`size_t ${size};`, `char16_t *${buffer} = rd_buffer(call, true, &${size});`],
  lent8: ({ names: [text, length] }) => [`size_t ${length};`, `char *${text} = rd_lent8(call, &${length});`],
  lent16: ({ names: [text, length] }) => [`size_t ${length};`, `char16_t *${text} = rd_lent16(call, &${length});`],
  lentBytes: ({ group }) => {
    const [data, length] = group[0].type === 'void*' ? group : [group[1], group[0]];
    return [`size_t ${length.name};`, `void *${data.name} = rd_lent_bytes(call, &${length.name});`];
  },
  values: ({ names: [count, values] }) => [`size_t ${count};`, `const napi_value *${values} = rd_values(call, &${count});`],
  pairs: ({ names: [keys, values, count] }) => [
    `size_t ${count};`, `const napi_value *${values};`, `const napi_value *${keys} = rd_pairs(call, &${values}, &${count});`,
  ],
  descriptors: ({ names: [count, list] }, f) => [
    `size_t ${count};`, `const napi_property_descriptor *${list} = rd_descriptors(call, &${count}, ${f.isClass});`,
  ],
  args: ({ names: [argc, argv] }) => [`napi_value *${argv};`, `size_t *${argc} = rd_arguments(call, &${argv});`],
  wordsIn: ({ names: [count, words] }) => [`size_t ${count};`, `const uint64_t *${words} = rd_words_in(call, &${count});`],
  wordsOut: ({ names: [count, words] }) => [`uint64_t *${words};`, `size_t *${count} = rd_words_out(call, &${words});`],
  bytes: ({ names: [length, data] }) => [`size_t ${length};`, `const void *${data} = rd_some_bytes(call, &${length});`, `call->length = ${length};`],
  callback: (p) => [`napi_callback ${p.name} = rd_callback(call);`],
  finalizer: (p) => [`napi_finalize ${p.name} = rd_finalizer(call);`],
  token: (p) => (p.name === 'native_object'
    ? [`void *${p.name} = rd_fresh_data(call);`, `call->wraps = ${p.name};`]
    : [`void *${p.name} = rd_data(call);`]),
  ref: (p, f) => [`napi_ref ${p.name} = rd_ref(call, ${f.name === 'napi_delete_reference'});`],
  newRef: (p) => [`napi_ref *${p.name} = rd_new_reference(call);`],
  deferred: (p) => [`napi_deferred ${p.name} = rd_deferred(call);`],
  newDeferred: (p) => [`napi_deferred *${p.name} = rd_new_deferred(call);`],
  scope: (p) => [`napi_handle_scope ${p.name} = rd_scope(call, false, true);`],
  newScope: (p) => [`napi_handle_scope *${p.name} = rd_new_scope(call, false);`],
  escapable: (p, f) => [`napi_escapable_handle_scope ${p.name} = rd_scope(call, true, ${f.name.startsWith('napi_close')});`],
  newEscapable: (p) => [`napi_escapable_handle_scope *${p.name} = rd_new_scope(call, true);`],
  info: (p) => [`napi_callback_info ${p.name} = rd_info(call);`],
  tag: (p) => [`const napi_type_tag *${p.name} = rd_tag(call);`],
  out: (p) => [
    `${declare(p)} = rd_out(call, RD_${p.opaque ? 'OPAQUE' : p.prints});`,
    ...(/length$/.test(p.name) ? [`call->length_out = ${p.name};`] : []),
    ...(p.type === 'napi_typedarray_type*' ? [`call->type_out = ${p.name};`] : []),
  ],
  pointer: (p) => [`void **${p.name} = rd_out(call, RD_POINTER);`],
  memory: (p, f) => [`void **${p.name} = rd_out(call, RD_MEMORY);`, ...(f.name === 'napi_create_buffer' ? ['call->fills = true;'] : [])],
  errorInfo: (p) => [`const napi_extended_error_info **${p.name} = rd_out(call, RD_ERROR_INFO);`],
  nodeVersion: (p) => [`const napi_node_version **${p.name} = rd_out(call, RD_NODE_VERSION);`],
  fileName: (p) => [`const char **${p.name} = rd_out(call, RD_FILE_NAME);`],
  scalar: (p) => [`${declare(p)} = ${scalar(p)};`, ...(/length$/.test(p.name) ? [`call->length = ${p.name};`] : [])],
};

function scalar({ type, name }) {
  switch (type) {
    case 'double': return 'rd_double(call)';
    case 'int64_t': return name.startsWith('change') ? 'rd_change(call)' : 'rd_int64(call)';
    case 'uint64_t': return 'rd_uint64(call)';
    case 'size_t': return 'rd_size(call)';
    case 'bool': return 'rd_int32(call) != 0';
    default: return `(${type})rd_int32(call)`;
  }
}

/** not_external → rd_is_external(call, value) */
const guard = (p) => `${p.guard.replace('not_', 'rd_is_')}(call${p.kind === 'value' ? `, ${p.name}` : ''})`;

function functionCase(f) {
  const after = [
    ...(f.name === 'napi_remove_wrap' ? ['if (status == napi_ok) rd_unwrapped(call);'] : []),
    ...(f.isWashed ? ['call->washes = status != napi_ok;'] : []),
    'return status;',
  ];
  const lines = f.parameters.flatMap((p) => [
    ...DECODE[p.kind](p, f),
    ...(p.guard ? [`if (!call->skip && ${guard(p)}) call->skip = true;`] : []),
  ]);
  const names = f.parameters.flatMap((p) => p.names);
  return `static __typeof__(&${f.name}) at_${f.name};
static napi_status call_${f.name}(struct rd_call *call) {
${lines.map((line) => `  ${line}\n`).join('')}  if (call->skip) return napi_generic_failure;
  rd_print(")");
  call->printed = rd_transcript_length();
  napi_status status = rd_settle(call, at_${f.name}(${names.join(', ')}));
${after.map((line) => `  ${line}\n`).join('')}}
`;
}

const bytes = (text) => (typeof text === 'string' ? Buffer.from(text) : text);
const octal = (text) => [...bytes(text)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
const units = (text) => [...Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)), 0].join(', ');
const list = (type, name, items) => `const ${type} ${name}[] = {${items.join(', ')}};\n`;
const number = (value) => {
  if (Number.isNaN(value)) return 'NAN';
  if (!Number.isFinite(value)) return value > 0 ? 'INFINITY' : '-INFINITY';
  return Object.is(value, -0) ? '-0.0' : value.toExponential(20).replace(/^-?\d+(?=e)/, '$&.0');
};
const signed = (value) => (value === -(2n ** 63n) ? 'INT64_MIN' : `INT64_C(${value})`);
const unsigned = (value) => `UINT64_C(${value})`;

function poolsSource() {
  return [
    list('struct rd_bytes', 'rd_texts', pools.texts.map((text) => `{"${octal(text)}", ${bytes(text).length}}`)),
    ...pools.wides.map((text, i) => `static const char16_t wide${i}[] = {${units(text)}};\n`),
    list('struct rd_units', 'rd_wides', pools.wides.map((text, i) => `{wide${i}, ${text.length}}`)),
    list('double', 'rd_doubles', pools.doubles.map(number)),
    list('int64_t', 'rd_int64s', pools.int64s.map(signed)),
    list('int64_t', 'rd_changes', pools.changes.map(signed)),
    list('uint64_t', 'rd_uint64s', pools.uint64s.map(unsigned)),
    list('uint64_t', 'rd_special_sizes', pools.specialSizes.map(unsigned)),
    list('uint64_t', 'rd_special_counts', pools.specialCounts.map(unsigned)),
    list('uint64_t', 'rd_words', pools.words.map(unsigned)),
    list('napi_type_tag', 'rd_tags', pools.tags.map((tag) => `{${tag.map(unsigned).join(', ')}}`)),
  ].join('');
}

function source({ functions }) {
  return `/* Made by tests/random/calls.js from the headers. */
#define _GNU_SOURCE
#define NAPI_VERSION 10
#include "proto/experimental.h"
#include "tests/random/random.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

${poolsSource()}
${functions.map(functionCase).join('\n')}
const struct rd_function rd_functions[] = {
${functions.map(({ name }) => `    {"${name}", call_${name}, (void **)&at_${name}},\n`).join('')}};
const unsigned rd_function_count = ${functions.length};
uint32_t rd_counts[${functions.length}][2];

/* Not every Node has every function: they are looked up. */
void rd_find_functions(void) {
  for (unsigned i = 0; i < rd_function_count; i++) {
    void *address = dlsym(RTLD_DEFAULT, rd_functions[i].name);
    memcpy(rd_functions[i].address, &address, sizeof address);
  }
}
`;
}

function main(argv) {
  if (argv.length !== 4 || argv[0] !== '--out' || argv[2] !== '--headers') throw new Error('usage: calls.js --out DIR --headers DIR');
  const content = source(readPlan(argv[3]));
  const file = path.join(argv[1], 'calls.c');
  fs.mkdirSync(argv[1], { recursive: true });
  // Untouched when nothing changed, so that nothing is compiled again.
  if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== content) fs.writeFileSync(file, content);
}

main(process.argv.slice(2));
