'use strict';
// The table (proto/napi.proto) and its generator: every function of the official headers is somewhere, and a table that disagrees with
// the headers is refused by name.
const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { include_dir: includeDir, symbols } = require('node-api-headers');
const { generate } = require('../../proto/generate.js');
const { parsePrototypes, readHeaders } = require('../../proto/generator/headers.js');
const { parseTable } = require('../../proto/generator/table.js');

const root = path.join(__dirname, '../..');
const release = path.join(root, 'build/release');
const tableFile = path.join(root, 'proto/napi.proto');

// The package's own list, made by another way than our reading of its headers.
function officialFunctions() {
  const newest = Object.keys(symbols).sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))).at(-1);
  return [...symbols[newest].js_native_api_symbols, ...symbols[newest].node_api_symbols].sort();
}

/** What Node exports without a declaration in the packaged headers: proto/experimental.h declares these. */
const EXPERIMENTAL = [
  'node_api_create_external_sharedarraybuffer', 'node_api_create_object_with_properties', 'node_api_create_sharedarraybuffer',
  'node_api_is_sharedarraybuffer', 'node_api_post_finalizer', 'node_api_set_prototype',
];
const allFunctions = () => [...officialFunctions(), ...EXPERIMENTAL].sort();

function exportedBy(file) {
  return execFileSync('nm', ['-D', '--defined-only', file], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n').map((line) => line.split(' ').at(-1));
}

function generatedFunctions() {
  return JSON.parse(fs.readFileSync(path.join(release, 'generated/functions.json'), 'utf8'));
}

function sources(folder) {
  const directory = path.join(root, folder);
  return fs.readdirSync(directory, { recursive: true }).filter((name) => name.endsWith('.c')).map((name) => fs.readFileSync(path.join(directory, name), 'utf8')).join('\n');
}

// A definition begins its line and has a body; a declaration ends in a semicolon, a call is indented. NR_QUESTION() defines the function that it names.
function defines(text, name) {
  return text.includes(`\nNR_QUESTION(${name},`) || new RegExp(`^\\w[^;{}\\n]*\\b${name}\\([^;{]*\\)\\s*\\{`, 'm').test(text);
}

describe('every function of the headers', () => {
  test('is read, and has a row', () => {
    assert.deepEqual([...readHeaders(includeDir).keys()].sort(), allFunctions());
    assert.deepEqual(Object.keys(generatedFunctions()).sort(), allFunctions());
  });

  test('is all that this Node exports', () => {
    assert.deepEqual(exportedBy(process.execPath).filter((name) => /^(napi|node_api)_/.test(name) && !allFunctions().includes(name)), []);
  });

  test('with a preamble does not refuse an argument before it is known whether JavaScript may run', () => {
    const refuses = sources('client').split(/^\}$/m).filter((text) => /NR_PREAMBLE\(env\);[^]*(NR_CHECK_ARG\(|nr_refuse\()/.test(text));
    assert.deepEqual(refuses, []);
  });

  test('is exported by the host', () => {
    const names = new Set(exportedBy(path.join(release, 'napi-remote-host')));
    assert.deepEqual(allFunctions().filter((name) => !names.has(name)), []);
  });

  test('is generated, by hand or absent, never two of them', () => {
    const client = sources('client') + sources('addon-host');
    const stubs = fs.readFileSync(path.join(release, 'generated/client-stubs.c'), 'utf8');
    for (const [name, { kind, client: half }] of Object.entries(generatedFunctions())) {
      assert.ok(['flat', 'hand', 'absent'].includes(kind), `${name} is ${kind}`);
      const byHand = kind === 'hand' || half === 'hand';
      assert.deepEqual({ name, byHand: defines(client, name), generated: defines(stubs, name) }, { name, byHand, generated: !byHand });
    }
  });

  test('is built as the table says now', () => {
    const files = generate(fs.readFileSync(tableFile, 'utf8'), readHeaders(includeDir), path.basename(tableFile));
    const stale = Object.keys(files).filter((name) => fs.readFileSync(path.join(release, 'generated', name), 'utf8') !== files[name]);
    assert.deepEqual(stale, []);
  });

  test('that the server carries out has a handler', () => {
    const server = sources('server');
    const handlers = fs.readFileSync(path.join(release, 'generated/server-handlers.c'), 'utf8');
    const { rows } = parseTable(fs.readFileSync(tableFile, 'utf8'));
    for (const { name, service, words } of rows) {
      if (!['Waited', 'Posted'].includes(service) || words.has('absent') || words.has('here')) continue;
      const byHand = !words.has('flat');
      assert.deepEqual({ name, byHand: defines(server, `nr_serve_${name}`), generated: defines(handlers, `serve_${name}`) },
        { name, byHand, generated: !byHand });
      if (words.has('guard')) assert.ok(defines(server, `nr_guard_${name}`), `nr_guard_${name} is missing`);
    }
  });
});

// ---- Small tables ----------------------------------------------------------------------------------------------------

const HEADER = `
#define NAPI_EXTERN __attribute__((visibility("default")))
NAPI_EXTERN napi_status NAPI_CDECL napi_get_element(napi_env env,  // the env
                                                    napi_value object,
                                                    uint32_t index,
                                                    napi_value* result);
NAPI_EXTERN napi_status NAPI_CDECL
napi_create_object(napi_env env, napi_value* result);
`;
const MESSAGES = `
message Empty {}
message ValueReply { fixed64 result = 1; }
message ResultRequest { fixed64 result = 1; }
message GetElementRequest {
  fixed64 object = 1;
  uint32 index = 2;   // of an array
  fixed64 result = 3;
}
`;
const GET_ELEMENT = 'rpc napi_get_element (GetElementRequest) returns (ValueReply); // flat preamble check(result) js';
const CREATE_OBJECT = 'rpc napi_create_object (ResultRequest) returns (ValueReply); // flat check(result) gives(object)';

const service = (name, rows) => `service ${name} {\n${[].concat(rows).map((row) => `  ${row}\n`).join('')}}\n`;
const table = (waited = GET_ELEMENT, posted = CREATE_OBJECT, messages = MESSAGES) => messages + service('Waited', waited) + service('Posted', posted);
const make = (source, header = HEADER) => generate(source, parsePrototypes(header), 'small.proto');

describe('a small table', () => {
  test('gives the stub and the handler of a function that waits', () => {
    const files = make(table());
    const stub = files['client-stubs.c'];
    for (const line of ['napi_status NAPI_CDECL napi_get_element(napi_env env, napi_value object, uint32_t index, napi_value*result) {',
      'NR_PREAMBLE(env);', 'NR_CHECK_ARG(env, result);', 'request.object = nr_wire(object);', 'request.index = index;',
      'nr_call_wait_js(&call);', '*result = nr_local(&call, reply->result);']) {
      assert.ok(stub.includes(line), `no ${line} in\n${stub}`);
    }
    const handlers = files['server-handlers.c'];
    for (const line of ['NR_TAKE(d, request->object, &object);', 'napi_get_element(d->napi, object, request->index, &result);',
      'nr_give(d, request->result, result, &reply->result);', '{serve_napi_get_element, NR_HANDLER_JS}']) {
      assert.ok(handlers.includes(line), `no ${line} in\n${handlers}`);
    }
  });

  test('gives the stub of a function that is posted', () => {
    const stub = make(table())['client-stubs.c'];
    for (const line of ['NR_CHECK_ENV(env);', 'nr_call_result_tagged(&call, NR_TAG_OBJECT);', 'nr_call_post(&call);']) {
      assert.ok(stub.includes(line), `no ${line} in\n${stub}`);
    }
  });

  test('numbers its rows by service and place', () => {
    const header = make(table([GET_ELEMENT, 'rpc one (Empty) returns (Empty); // internal'], [CREATE_OBJECT, 'rpc two (Empty) returns (Empty); // internal']))['opcodes.h'];
    for (const row of ['NR_OP_NAPI_GET_ELEMENT = 0x100,', 'NR_OP_ONE = 0x101,', 'NR_OP_NAPI_CREATE_OBJECT = 0x200,', 'NR_OP_TWO = 0x201,']) {
      assert.ok(header.includes(row), `no ${row} in\n${header}`);
    }
  });

  test('says in functions.json how each function is made', () => {
    const rows = [GET_ELEMENT.replace(' js', ' js client')];
    assert.deepEqual(JSON.parse(make(table(rows))['functions.json']), {
      napi_get_element: { service: 'Waited', kind: 'flat', client: 'hand' },
      napi_create_object: { service: 'Posted', kind: 'flat' },
    });
  });

  test('leaves a stub to the hand that writes it', () => {
    const stub = make(table(GET_ELEMENT.replace(' js', ' js client')))['client-stubs.c'];
    assert.ok(!stub.includes('napi_get_element'));
  });

  test('gives a row by hand a declaration and no code', () => {
    const files = make(table(GET_ELEMENT.replace(/\/\/.*/, '// hand')));
    assert.ok(files['handlers.h'].includes('napi_status nr_serve_napi_get_element('));
    assert.ok(files['server-handlers.c'].includes('{nr_serve_napi_get_element, '));
    assert.ok(!files['client-stubs.c'].includes('napi_get_element'));
  });
});

// [what is wrong, the table, what the error must name, the header]
const BROKEN = [
  ['a function without a row', table([]), /^Error: small\.proto: the function napi_get_element of .* has no row/],
  ['a row that is no function', table([GET_ELEMENT, GET_ELEMENT.replace('element', 'elements')]), /small\.proto:12: napi_get_elements is no function of the headers/],
  ['a function as an internal row', table(GET_ELEMENT.replace(/\/\/.*/, '// internal')), /small\.proto:11: napi_get_element is a function of the headers, not internal/],
  ['a row twice', table([GET_ELEMENT, GET_ELEMENT]), /small\.proto:12: row napi_get_element stands at small\.proto:11 already/],
  ['a parameter that nobody carries', table(GET_ELEMENT, CREATE_OBJECT, MESSAGES.replace(/.*index.*\n/, '')), /small\.proto:10: napi_get_element needs uint32 index in request GetElementRequest, there is none/],
  ['a result that nobody carries', table(GET_ELEMENT.replace('ValueReply', 'Empty')), /small\.proto:11: napi_get_element needs fixed64 result in reply Empty, there is none/],
  ['a field of another type', table(GET_ELEMENT, CREATE_OBJECT, MESSAGES.replace('uint32 index', 'uint64 index')), /small\.proto:11: napi_get_element needs uint32 index in request GetElementRequest, there is uint64/],
  ['a repeated field for one parameter', table(GET_ELEMENT, CREATE_OBJECT, MESSAGES.replace('uint32 index', 'repeated uint32 index')), /napi_get_element needs uint32 index .*, there is repeated uint32/],
  ['a field too many', table(GET_ELEMENT, CREATE_OBJECT, MESSAGES.replace('  fixed64 object', '  bool extra = 4;\n  fixed64 object')), /small\.proto:5: nothing of napi_get_element goes into GetElementRequest\.extra/],
  ['a field twice', table(GET_ELEMENT, CREATE_OBJECT, MESSAGES.replace('  fixed64 object', '  fixed64 object = 4;\n  fixed64 object')), /small\.proto:7: field object stands in GetElementRequest twice/],
  ['a message twice', `${MESSAGES}message Empty {}\n`, /message Empty stands here twice/],
  ['a message that is not there', table(GET_ELEMENT.replace('ValueReply', 'NoReply')), /small\.proto:11: row napi_get_element uses message NoReply, which is not there/],
  ['a check of no parameter', table(GET_ELEMENT.replace('check(result)', 'check(results)')), /small\.proto:11: napi_get_element has no parameter "results" to check/],
  ['an unknown word', table(GET_ELEMENT.replace(' js', ' jss')), /small\.proto:11: unknown word "jss"/],
  ['a row without a kind', table(GET_ELEMENT.replace(/\/\/.*/, '')), /small\.proto:11: a row is one of flat, hand, internal and absent/],
  ['a row of two kinds', table(GET_ELEMENT.replace('flat', 'flat hand')), /small\.proto:11: a row is one of/],
  ['a tag where nothing is posted', table(`${GET_ELEMENT} gives(object)`), /small\.proto:11: .*gives\(\) is for posted rows/],
  ['a tag that is none', table(GET_ELEMENT, CREATE_OBJECT.replace('object)', 'thing)')), /napi_create_object gives "thing", which is no tag of a handle/],
  ['a posted row without a tag', table(GET_ELEMENT, CREATE_OBJECT.replace('gives(object)', '')), /napi_create_object: gives\(\) is for posted rows, and each of these needs it/],
  ['a posted row that may be posted', table(GET_ELEMENT, `${CREATE_OBJECT} posts`), /napi_create_object: only a row of Waited can say that it may be posted/],
  ['a flat row that the server makes', MESSAGES + service('Entry', GET_ELEMENT) + service('Posted', CREATE_OBJECT), /service Entry has no flat rows/],
  ['a result to clear that is none', table(GET_ELEMENT.replace(' js', ' clears(index) js')), /napi_get_element has no result "index" to clear/],
  ['a prototype that cannot be read', table(), /cannot read the prototype of napi_odd/, `${HEADER}NAPI_EXTERN const char* napi_odd(napi_env env);\n`],
  ['an unknown service', MESSAGES + service('Pasted', GET_ELEMENT), /small\.proto:10: unknown service Pasted/],
  ['a line that is no row', table(['rpc napi_get_element GetElementRequest; // flat']), /small\.proto:11: not a row/],
  ['a line that is no field', table(GET_ELEMENT, CREATE_OBJECT, MESSAGES.replace('index = 2', 'index')), /small\.proto:7: not a field of GetElementRequest/],
  ['a flat row with a pointer to native memory', table(GET_ELEMENT, CREATE_OBJECT), /small\.proto:11: napi_get_element cannot be flat: nothing is known of "void\* index"/, HEADER.replace('uint32_t index', 'void* index')],
  ['too many rows', table([GET_ELEMENT, ...Array.from({ length: 256 }, (_, i) => `rpc row${i} (Empty) returns (Empty); // internal`)]), /service Waited has too many rows/],
];

describe('a table that is refused', () => {
  for (const [what, source, error, header] of BROKEN) {
    test(what, () => assert.throws(() => make(source, header), error));
  }
});

// ---- The program -----------------------------------------------------------------------------------------------------

describe('proto/generate.js', () => {
  const run = (...parameters) => spawnSync(process.execPath, [path.join(root, 'proto/generate.js'), ...parameters], { encoding: 'utf8' });
  const temporary = (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-table-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    return folder;
  };

  test('leaves files alone that would not change', (t) => {
    const folder = temporary(t);
    assert.equal(run('--out', folder).stderr, '');
    const long = new Date(0);
    for (const name of fs.readdirSync(folder)) fs.utimesSync(path.join(folder, name), long, long);
    fs.writeFileSync(path.join(folder, 'opcodes.h'), 'changed');
    assert.equal(run('--out', folder).status, 0);
    const touched = fs.readdirSync(folder).filter((name) => fs.statSync(path.join(folder, name)).mtimeMs !== 0);
    assert.deepEqual(touched, ['opcodes.h']);
  });

  test('fails with the place of the error and writes nothing', (t) => {
    const folder = temporary(t);
    const file = path.join(folder, 'broken.proto');
    fs.writeFileSync(file, fs.readFileSync(tableFile, 'utf8').replace('rpc napi_get_element ', 'rpc napi_get_elements '));
    const { status, stderr } = run('--out', path.join(folder, 'out'), '--table', file);
    assert.equal(status, 1);
    assert.match(stderr, /^proto\/generate\.js: broken\.proto: the function napi_get_element of js_native_api\.h has no row\n$/);
    assert.ok(!fs.existsSync(path.join(folder, 'out')));
  });

  test('says how it is used', () => {
    const { status, stderr } = run('--oops');
    assert.equal(status, 1);
    assert.match(stderr, /usage: node proto\/generate\.js --out DIR/);
  });
});
