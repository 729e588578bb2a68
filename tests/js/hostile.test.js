'use strict';
// Well-formed messages that no client would send (tests/faults/forge.h): claims of gigabytes, and ids of what is gone. tests/js/faults.test.js has the rest: what is cut,
// garbled, or comes when it is not due.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { hostOf, load } = require('../..');
const { getAgent } = require('../../server/lib/agent.js');
const { Plan } = require('../faults/plan.js');
const { parseTable } = require('../../proto/generator/table.js');
const { addonFile, build, run, temporaryFolder } = require('./support/child.js');

const GIB = 2n ** 30n;
const hosts = { right: path.join(build, 'napi-remote-host'), faulty: path.join(build, 'napi-remote-host-faulty') };

/** An addon in a host that fails on purpose. */
function loadFaulty(name, options) {
  const { native } = getAgent();
  native.configure({ hostPath: hosts.faulty });
  try {
    return load(addonFile(name), options);
  } finally {
    native.configure({ hostPath: hosts.right });
  }
}

/** 64 bits: an id of the first generation; a span. */
const id = (slot, generation = 1n) => generation << 32n | BigInt(slot);
const span = (offset, length) => BigInt(length) << 32n | BigInt(offset);

function forge(addon, name, fields = {}, { post = false, env = 0 } = {}) {
  return addon.forge({ name, env, post, fields });
}

/** Megabytes that this process has had at most while `call` ran, more than before. */
function growth(call) {
  const most = () => Number(/^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'latin1'))[1]) / 1024;
  fs.writeFileSync('/proc/self/clear_refs', '5');
  const before = most();
  call();
  return most() - before;
}

/** What a message came to: the status, or the code of an error. */
function outcome(addon, name, fields, options) {
  try {
    const { status } = forge(addon, name, fields, options);
    forge(addon, 'napi_get_global'); // what is posted is answered by the next one
    return status;
  } catch (error) {
    return error.code;
  }
}

// What a sanitizer notes of memory takes an eighth of it, also of room that nobody uses.
const isSanitized = /NR_SANITIZE:\w+=./.test(fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'latin1'));
const MOST_MEGABYTES = isSanitized ? 1024 : 64;
const neighbour = load(addonFile('basic'));

/** [message, fields, posted?] */
function check(claims, isRight) {
  for (const [name, fields, post] of claims) {
    const addon = loadFaulty('forger');
    forge(addon, 'napi_create_buffer', { length: 100_000 }); // the first pair
    let result;
    const megabytes = growth(() => { result = outcome(addon, name, fields, { post }); });
    const what = `${name} ${Object.entries(fields).map(([key, value]) => `${key} ${typeof value}:${String(value)}`)}: ${result}, ${megabytes.toFixed()} MB`;
    assert.ok(isRight(result), what);
    assert.ok(megabytes < MOST_MEGABYTES, what);
    assert.equal(neighbour.add(1, 2), 3);
    hostOf(addon).kill();
  }
}

test('bytes that are not in the frame, by the gigabyte: a protocol error, and nothing is allocated', () => {
  const claims = [];
  for (const length of [3n * GIB, 4n * GIB - 1n, 2n * GIB - 1n]) {
    for (const offset of [0n, 4n * GIB - 16n]) {
      const bytes = span(offset, length);
      claims.push(
        ['napi_create_string_utf8', { str: bytes }, true], ['napi_create_string_utf16', { str: bytes }, true], ['napi_create_string_latin1', { str: bytes }, true],
        ['napi_create_bigint_words', { words: bytes, word_count: length / 8n }], ['napi_create_buffer_copy', { data: bytes }],
        ['napi_get_named_property', { object: {}, utf8name: bytes }], ['napi_throw_error', { msg: bytes }], ['node_api_create_external_string_latin1', { str: bytes }],
        ['napi_create_function', { utf8name: bytes, callback_id: id(1) }, true],
      );
    }
  }
  check(claims, (result) => result === 'ERR_NAPI_REMOTE_PROTOCOL');
});

test('parts outside of what they are parts of, by the gigabyte: a protocol error, and nothing is allocated', () => {
  const claims = [];
  for (const length of [3n * GIB, 2n ** 52n, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const name of ['napi_create_external_buffer', 'napi_create_external_arraybuffer']) {
      claims.push(
        [name, { length, address: 4096n }], [name, { length: 4096n, address: 4096n, stretch_length: length }], [name, { length: 4096n, address: 4096n, stretch_offset: length, stretch_length: 1n }],
        [name, { length: 4096n, address: 4096n, stretch_offset: 2n ** 64n - length, stretch_length: length }],
        [name, { length: 4096n, address: 4096n, tracked_length: length }], [name, { length: 4096n, address: 4096n, tracked_offset: length, tracked_length: 1n }],
      );
    }
    claims.push(['open_scope', { level: 2, top: length & 0xffffffffn }, true]);
    claims.push(['touch_memory', { pair_id: id(1), offset: 0n, length }, true], ['touch_memory', { pair_id: id(1), offset: length, length: 4096n }, true]);
  }
  check(claims, (result) => result === 'ERR_NAPI_REMOTE_PROTOCOL');
});

test('parts that overlap, more of them than there are bytes: a protocol error, and nothing is written beside', () => {
  const claims = [];
  for (const name of ['napi_create_external_buffer', 'napi_create_external_arraybuffer']) {
    for (const [count, length] of [[300n, 5000n], [1024n, 1n], [2n, 4999n]]) {
      claims.push([name, { length: 5000n, address: 4096n, stretch_length: length, stretch_count: count }]);
    }
  }
  check(claims, (result) => result === 'ERR_NAPI_REMOTE_PROTOCOL');
});

test('what has to be waited for, posted: a protocol error that names it', () => {
  const table = path.join(__dirname, '..', '..', 'proto', 'napi.proto');
  const isServed = ({ service, words }) => service === 'Waited' && !['posts', 'here', 'absent'].some((word) => words.has(word));
  for (const { name } of parseTable(fs.readFileSync(table, 'utf8')).rows.filter(isServed)) {
    const addon = loadFaulty('forger');
    const post = () => {
      forge(addon, name, {}, { post: true });
      forge(addon, 'napi_get_global');
    };
    assert.throws(post, { code: 'ERR_NAPI_REMOTE_PROTOCOL', message: new RegExp(`\\b${name} has to be waited for`) });
    assert.equal(neighbour.add(1, 2), 3);
  }
});

test('more than this machine has: an error of the call', () => {
  const claims = [];
  for (const length of [2n ** 46n, 2n ** 52n, 2n ** 63n - 1n, 2n ** 64n - 1n]) {
    claims.push(
      ['napi_create_arraybuffer', { byte_length: length }], ['napi_create_buffer', { length }], ['napi_create_buffer_copy', { length }],
      ['napi_create_external_buffer', { length, address: 4096n, stretch_length: length }], ['napi_create_external_arraybuffer', { length, address: 4096n, stretch_length: length }],
      ['napi_create_typedarray', { type: 1, length, byte_offset: length, arraybuffer: new ArrayBuffer(8) }],
      ['napi_create_dataview', { length, byte_offset: length, arraybuffer: new ArrayBuffer(8) }],
    );
  }
  // Cut to an int, which leaves nothing of the others.
  for (const length of [2n ** 27n - 2n, 2n ** 31n - 1n, 2n ** 40n + 2n ** 27n]) claims.push(['napi_create_array_with_length', { length }]);
  check(claims, (result) => result.startsWith('napi_') && result !== 'napi_ok');
});

test('room for gigabytes, of which few are needed: no more than these', () => {
  const claims = [];
  for (const size of [3n * GIB, 2n ** 63n, 2n ** 64n - 1n]) {
    for (const encoding of ['utf8', 'utf16', 'latin1']) claims.push([`napi_get_value_string_${encoding}`, { value: 'text', bufsize: size }]);
  }
  check(claims, (result) => result === 'napi_ok');
});

test('frames that begin, and claim gigabytes that never come: the host is ended, and nothing is allocated', (t) => {
  const plan = new Plan(path.join(temporaryFolder(t), 'plan'));
  for (const seed of [1, 2, 3, 4]) {
    plan.write({ mode: 'none', frame: 0, seed });
    const addon = loadFaulty('basic', { env: { NAPI_REMOTE_TEST_PLAN: plan.path }, timeout: { call: 300 } });
    plan.write({ mode: 'claim', frame: 2, seed });
    let code;
    const megabytes = growth(() => {
      try {
        for (let i = 0; i < 5; i++) addon.concat('one', 'two');
      } catch (error) {
        ({ code } = error);
      }
    });
    assert.notEqual(plan.read().fired, 0n);
    assert.ok(['ERR_NAPI_REMOTE_PROTOCOL', 'ERR_NAPI_REMOTE_TIMEOUT'].includes(code), `${seed}: ${code}`);
    assert.ok(megabytes < MOST_MEGABYTES, `${seed}: ${megabytes} MB`);
    assert.equal(neighbour.add(1, 2), 3);
  }
});

// ---- ids of what is gone

/** Of a table of its own each. */
const SLOT = 1 << 20;

test('ids whose slot somebody else has: references', () => {
  const addon = loadFaulty('forger');
  const names = ['napi_get_reference_value', 'napi_reference_ref', 'napi_reference_unref', 'napi_delete_reference'];
  for (const [generation, old] of [[2n, 1n], [7n, 6n], [7n, 8n], [7n, 0n]]) {
    const object = { generation };
    assert.equal(outcome(addon, 'napi_create_reference', { value: object, initial_refcount: 1, ref_id: id(SLOT, old === 0n ? 1n : old) }), 'napi_ok');
    assert.equal(outcome(addon, 'napi_delete_reference', { ref_id: id(SLOT, old === 0n ? 1n : old) }), 'napi_ok');
    assert.equal(outcome(addon, 'napi_create_reference', { value: object, initial_refcount: 1, ref_id: id(SLOT, generation) }), 'napi_ok');
    for (const name of names) assert.equal(outcome(addon, name, { ref_id: id(SLOT, old) }), 'napi_invalid_arg', `${name}, generation ${old} for ${generation}`);
    for (const name of names) assert.equal(outcome(addon, name, { ref_id: id(SLOT, generation) }), 'napi_ok', name);
  }
});

/** A Worker whose second addon's env ends first; then the first one's native code uses what was the second one's. {lines, code, after}: statuses, the Worker's end, a call afterwards. */
function useEndedEnv(kit, keep) {
  const { Worker } = require('node:worker_threads');
  const source = `(${function work({ workerData: { root, build, keep } }) {
    const { load } = require(root);
    const { getAgent } = require(`${root}/server/lib/agent.js`);
    getAgent().native.configure({ hostPath: `${build}/napi-remote-host-faulty` });
    const [first, second] = [1, 2].map(() => load(`${build}/addons/forger.node`, { group: 'both' }));
    const id = (slot) => 1n << 32n | BigInt((1 << 20) + slot);
    const make = (name, fields = {}) => {
      const result = second.forge({ name, env: 0, post: false, fields });
      if (result.status !== 'napi_ok') throw new Error(`${name}: ${result.status}`);
      return result;
    };
    const object = {};
    make('napi_create_reference', { value: object, initial_refcount: 1, ref_id: id(0) });
    make('napi_create_reference', { value: object, initial_refcount: 0, ref_id: id(1) });
    make('napi_wrap', { js_object: object, object_id: id(2), ref_id: id(2) });
    make('napi_add_finalizer', { js_object: object, object_id: id(3), ref_id: id(3) });
    const deferred = id(0);
    make('napi_create_promise', { deferred_id: deferred });
    make('napi_async_init', { async_id: id(0), async_resource: {}, async_resource_name: 'context' });
    make('napi_create_async_work', { async_id: id(1), async_resource: {}, async_resource_name: 'work' });
    // While there is one, Node keeps the env: until all of the thread have ended.
    if (keep) make('napi_create_threadsafe_function', { async_id: id(2), func: () => {}, async_resource: {}, async_resource_name: 'function' });
    make('napi_add_env_cleanup_hook', { hook_id: id(0) });
    const later = (name, fields = {}, { post = false, env = 0 } = {}) => first.atEnd({ name, env, post, fields });
    const ZERO = 0n; // a number
    for (let i = 0; i < 4; i++) {
      for (const name of ['napi_get_reference_value', 'napi_reference_ref', 'napi_reference_unref', 'napi_delete_reference', 'napi_delete_reference']) later(name, { ref_id: id(i) });
    }
    later('napi_resolve_deferred', { deferred_id: deferred, resolution: ZERO });
    later('napi_reject_deferred', { deferred_id: deferred, rejection: ZERO });
    later('napi_make_callback', { async_id: id(0), recv: ZERO, func: ZERO });
    later('napi_open_callback_scope', { async_id: id(0), level: 1 });
    later('napi_async_destroy', { async_id: id(0) });
    later('run_completion', { async_id: id(1) });
    later('napi_delete_async_work', { async_id: id(1) });
    later('napi_ref_threadsafe_function', { async_id: id(2) });
    later('napi_unref_threadsafe_function', { async_id: id(2) });
    later('send_threadsafe', { async_id: id(2), count: 3 }, { post: true });
    for (let what = 0; what < 4; what++) later('hold_threadsafe', { async_id: id(2), what }, { post: true });
    for (const i of [2, 3]) later('node_api_post_finalizer', { object_id: id(i) }, { post: true });
    later('napi_remove_env_cleanup_hook', { hook_id: id(0) });
    for (const name of ['napi_create_object', 'napi_get_global', 'napi_create_symbol']) later(name, {}, { env: 2 });
    later('napi_create_promise', { deferred_id: id(1) }, { env: 2 });
    later('napi_create_reference', { value: ZERO, initial_refcount: 1, ref_id: id(9) }, { env: 2 });
    later('napi_delete_reference', { ref_id: id(0) }, { env: 2 });
    later('napi_create_arraybuffer', { byte_length: 8 }, { env: 2 });
    process.exit(7);
  }})(require('node:worker_threads'))`;
  const path = require('node:path');
  const build = path.dirname(path.dirname(kit.addonFile('forger')));
  new Worker(source, { eval: true, workerData: { root: kit.root, build, keep } }).on('exit', (code) => {
    kit.print({ code, after: kit.remote.load(kit.addonFile('basic')).add(1, 2) });
  });
}

for (const keep of [false, true]) {
  test(`ids of another addon's env ${keep ? 'that Node keeps to the end of the thread' : 'that has ended'}: Node goes on, and no call succeeds that would need it`, () => {
    const { code, stdout, stderr } = run(useEndedEnv, { args: [keep] });
    const lines = stdout.trim().split('\n');
    assert.deepEqual([code, lines.pop()], [0, JSON.stringify({ code: 7, after: 3 })], stdout + stderr);
    if (keep) return;
    const posts = /^(send_threadsafe|hold_threadsafe|node_api_post_finalizer) napi_ok$/;
    assert.equal(lines.length, 44, stdout);
    // What was its own to give back may be given back, once.
    const isRight = (line) => posts.test(line) || / napi_(invalid_arg|closing|pending_exception|generic_failure)$/.test(line) || line === 'napi_delete_reference napi_ok';
    assert.deepEqual(lines.filter((line) => !isRight(line)), []);
    assert.equal(lines.filter((line) => line === 'napi_delete_reference napi_ok').length, 4);
    assert.equal(lines.filter((line) => line.endsWith(' napi_closing')).length, 7);
  });
}
