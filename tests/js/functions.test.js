'use strict';
// No function of Node-API is missing, and the generator refuses a table that is broken.
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { build, root } = require('./support/child.js');
const { generate } = require('../../proto/generate.js');
const { readHeaders } = require('../../proto/generator/headers.js');

const headers = require('node-api-headers');

// Told by the preprocessor, not by the generator's own reading of the headers.
function declaredFunctions() {
  const source = '#include <node_api.h>\n';
  const text = execFileSync(process.env.CC ?? 'cc', ['-E', '-P', '-DNAPI_VERSION=2147483647', '-DNAPI_EXPERIMENTAL', '-DNODE_API_EXPERIMENTAL_NO_WARNING', '-I', headers.include_dir, '-xc', '-'],
    { input: source, encoding: 'utf8' });
  return [...new Set([...text.matchAll(/\b((?:napi|node_api)_\w+)\s*\([^()]*\)\s*;/g)].map((match) => match[1]))].sort();
}

// Those that the headers' package lists, of every version.
function listedFunctions() {
  const names = Object.values(headers.symbols).flatMap(({ js_native_api_symbols: js = [], node_api_symbols: node = [] }) => [...js, ...node]);
  return [...new Set(names)].sort();
}

test('two ways to read the headers agree', () => {
  const declared = declaredFunctions().filter((name) => !/_v1$/.test(name));
  assert.ok(declared.length > 140);
  assert.deepEqual([...readHeaders(headers.include_dir).keys()].sort(), declared);
  for (const name of listedFunctions()) assert.ok(declared.includes(name), name);
});

test('the host exports every function', () => {
  const text = execFileSync('nm', ['-D', '--defined-only', path.join(build, 'napi-remote-host')], { encoding: 'utf8' });
  const exported = new Set([...text.matchAll(/ [TW] (\w+)(?:@.*)?$/gm)].map((match) => match[1]));
  const wanted = [...new Set([...declaredFunctions(), ...listedFunctions()])].filter((name) => !/_v1$/.test(name));
  assert.deepEqual(wanted.filter((name) => !exported.has(name)), []);
});

test('functions.json has every function, and knows a kind for each', () => {
  const functions = JSON.parse(fs.readFileSync(path.join(build, 'generated', 'functions.json'), 'utf8'));
  assert.deepEqual(Object.keys(functions).sort(), [...readHeaders(headers.include_dir).keys()].sort());
  for (const [name, { service, kind }] of Object.entries(functions)) {
    assert.ok(['Local', 'Waited', 'Posted', 'Entry'].includes(service), name);
    assert.ok(['flat', 'hand', 'absent'].includes(kind), name);
  }
});

test('what is built is what the table says now', () => {
  const files = generate(table, prototypes, 'napi.proto');
  for (const [name, content] of Object.entries(files)) {
    assert.equal(fs.readFileSync(path.join(build, 'generated', name), 'utf8') === content, true, `${name} is not what the generator makes`);
  }
});

const table = fs.readFileSync(path.join(root, 'proto', 'napi.proto'), 'utf8');
const prototypes = readHeaders(headers.include_dir);
const rowOf = (name) => new RegExp(`^ *rpc ${name} \\(.*\\n`, 'm').exec(table)[0];

// Replaces a text that must be there.
function change(from, to) {
  assert.ok(table.includes(from), `the table has no ${from}`);
  return table.replace(from, () => to);
}

function changeRow(name, edit) {
  return change(rowOf(name), edit(rowOf(name)));
}

const flat = 'napi_strict_equals';
const note = (row, words) => row.replace(/\/\/.*/, `// ${words}`);
const requestOf = /\((\w+)\)/.exec(rowOf(flat))[1];
const messageOf = new RegExp(`^message ${requestOf} \\{[^}]*\\}`, 'm').exec(table)[0];

// what is wrong: [table, what the error must say]
const BROKEN = {
  'a row is missing': [changeRow(flat, () => ''), flat],
  'a row twice': [changeRow(flat, (row) => row + row), flat],
  'a function that the headers do not have': [changeRow(flat, (row) => row + row.replaceAll(flat, 'napi_make_coffee')), 'napi_make_coffee'],
  'a misspelt function': [changeRow(flat, (row) => row.replace(flat, 'napi_strict_equal')), flat],
  'an unknown word': [changeRow(flat, (row) => row.replace(/\n/, ' quickly\n')), 'quickly'],
  'no kind': [changeRow(flat, (row) => note(row, 'preamble')), 'napi.proto:'],
  'two kinds': [changeRow(flat, (row) => note(row, 'flat hand')), 'napi.proto:'],
  'no note': [changeRow(flat, (row) => row.replace(/\/\/.*/, '')), 'napi.proto:'],
  'a function of the headers called internal': [changeRow(flat, (row) => note(row, 'internal')), flat],
  'an internal row not called so': [changeRow('cleanup_hook', (row) => note(row, 'hand')), 'cleanup_hook'],
  'a field is missing': [change(messageOf, messageOf.replace(/\s*\w+ (\w+) = 1;/, '')), flat],
  'a field of another type': [change(messageOf, messageOf.replace(/fixed64 (\w+) = 1/, 'uint32 $1 = 1')), requestOf],
  'a field of another name': [change(messageOf, messageOf.replace(/fixed64 (\w+) = 1/, 'fixed64 other = 1')), requestOf],
  'a field too many': [change(messageOf, messageOf.replace(/\}$/, ' uint32 surplus = 99; }')), 'surplus'],
  'a field twice': [change(messageOf, messageOf.replace(/(fixed64 \w+ = )1;/, '$&$&')), requestOf],
  'a message is missing': [change(messageOf, ''), requestOf],
  'a message twice': [change(messageOf, `${messageOf}\n${messageOf}`), requestOf],
  'a row that is none': [changeRow(flat, (row) => row.replace('returns', 'return')), 'napi.proto:'],
  'a check of no parameter': [changeRow(flat, (row) => note(row, 'flat check(nothing)')), 'nothing'],
  'gives() where nothing is posted': [changeRow(flat, (row) => note(row, 'flat gives(OBJECT)')), 'gives'],
  'a service that is none': [change('service Posted', 'service Mailed'), 'Mailed'],
};

test('the generator takes the table as it is', () => assert.ok(Object.keys(generate(table, prototypes, 'napi.proto')).length >= 6));

for (const [what, [broken, text]] of Object.entries(BROKEN)) {
  test(`the generator refuses: ${what}`, () => {
    assert.notEqual(broken, table);
    assert.throws(() => generate(broken, prototypes, 'napi.proto'), (error) => {
      assert.ok(error instanceof Error && error.constructor === Error, `${error.name}: ${error.message}`);
      assert.ok(error.message.includes(text), error.message);
      assert.ok(error.message.includes('napi.proto'), error.message);
      return true;
    });
  });
}

test('the generator refuses a function of the headers that has no row', () => {
  const more = new Map(prototypes).set('napi_make_coffee', { ...prototypes.get(flat), name: 'napi_make_coffee' });
  assert.throws(() => generate(table, more, 'napi.proto'), /napi_make_coffee/);
});

test('the generator refuses a flat function with a parameter of an unknown type', () => {
  const prototype = prototypes.get(flat);
  const parameters = [...prototype.parameters, { type: 'void**', name: 'mystery' }];
  assert.throws(() => generate(table, new Map(prototypes).set(flat, { ...prototype, parameters }), 'napi.proto'), /napi_strict_equals.*mystery/);
});
