'use strict';
// What each function answers to wrong arguments: every pointer NULL in turn, every two of them (which is looked at first shows in the status), every
// kind of value for every napi_value, and all of it again with an exception pending. With the text of the last error, and what was written to results.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { types } = require('node:util');
const { addons, compare } = require('./harness.js');
const { run } = require('./support/child.js');
const { parameters, functions, good, values } = require('./support/raw.js');

const major = parseInt(process.versions.node, 10);

/** Functions that are called with NULL for an env only, and why. */
const ONLY_WITHOUT_ENV = {
  napi_fatal_exception: 'ends the process',
  node_api_create_external_string_latin1: 'needs memory of its own',
  node_api_create_external_string_utf16: 'needs memory of its own',
  napi_create_external_arraybuffer: 'needs memory of its own',
  napi_create_external_buffer: 'needs memory of its own',
  node_api_create_external_sharedarraybuffer: 'needs memory of its own',
};

/** Parameters that are never NULL, and why. */
const NEVER_NULL = {
  'napi_add_env_cleanup_hook.fun': 'is called in the end',
  'napi_create_buffer_copy.data': 'is read',
  'napi_resolve_deferred.deferred': 'is read', 'napi_reject_deferred.deferred': 'is read',
};

/** Kinds of values that a function does not get: they end the process. */
const NEVER_GIVEN = {
  napi_wrap: major >= 24 ? ['external'] : [],
  node_api_set_prototype: ['external'],
  node_api_create_object_with_properties: ['undefined', 'boolean', 'number', 'string', 'bigint', 'symbol', 'external'],
};

/** What differs from run to run. */
const INCIDENTAL = new Set(['napi_adjust_external_memory']);

const isNullable = (name) => ({ name: parameter, kind }) => kind !== 'number' && kind !== 'real' && !NEVER_NULL[`${name}.${parameter}`];
/** About what only the asynchronous functions make and take. */
const isAsync = (name) => !['napi_create_promise', 'napi_get_uv_event_loop'].includes(name) && parameters[name].some(({ kind }) => /opaque/.test(kind));

/** [what is wrong, the arguments] */
function* variants(name, addon) {
  const list = parameters[name];
  const without = (...indices) => good(name, addon).map((description, index) => (indices.includes(index) ? null : description));
  const env = list.findIndex(({ kind }) => kind === 'env');
  if (env >= 0) yield ['no env', without(env)];
  if (functions[name].kind === 'absent' || ONLY_WITHOUT_ENV[name] || isAsync(name)) return;
  yield ['nothing', good(name, addon)];
  const nullable = [...list.keys()].filter((index) => isNullable(name)(list[index]));
  yield ['no pointers', without(...nullable.filter((index) => index !== env))];
  for (const [at, index] of nullable.entries()) {
    yield [`no ${list[index].name}`, without(index)];
    for (const other of nullable.slice(at + 1)) yield [`neither ${list[index].name} nor ${list[other].name}`, without(index, other)];
  }
  for (const [index, { name: parameter, kind }] of list.entries()) {
    if (kind !== 'value') continue;
    for (const what of Object.keys(values(addon))) {
      if (NEVER_GIVEN[name]?.includes(what)) continue;
      const value = values(addon)[what];
      yield [`${parameter} is ${what}`, good(name, addon).map((description, at) => (at === index ? [value] : description))];
    }
  }
}

function call(addon, name, args, ...pending) {
  const result = addon.call(name, args, ...pending);
  for (const out of result.outs.flat()) {
    if (types.isPromise(out)) out.catch(() => {});
    // As they come, from a pool that was used before.
    if (name === 'napi_create_buffer' && Buffer.isBuffer(out)) out.fill(0);
  }
  if (INCIDENTAL.has(name)) delete result.outs;
  return result;
}

function everyVariant(addon, name) {
  const results = [];
  for (const [what, args] of variants(name, addon)) results.push([what, call(addon, name, args)]);
  for (const [what, args] of variants(name, addon)) results.push([what, 'while pending', call(addon, name, args, new RangeError('pending'))]);
  return results;
}

// The functions that may be called on any thread do not look at it.
const looksAtEnv = (name) => parameters[name].some(({ kind }) => kind === 'env') && !/^napi_(un)?ref_threadsafe_function$/.test(name);
const versions = ['raw', ...(process.versions.napi >= 10 ? ['raw_10'] : []), 'raw_experimental'];
const { inProcess } = addons('raw');
for (const name of Object.keys(parameters).filter(looksAtEnv)) {
  const skip = !inProcess.has(name) && `not in ${process.version}`;
  for (const version of versions) test(`${name} (${version})`, { skip }, (t) => compare(t, version, (addon) => everyVariant(addon, name)));
}
test('napi_remove_async_cleanup_hook without a hook', (t) => compare(t, 'raw', (addon) => addon.call('napi_remove_async_cleanup_hook', [null])));

// What is left out above, and more of that kind: in one process it ends Node, at once or later.
const DEADLY = {
  'no deferred to resolve': (addon) => addon.call('napi_resolve_deferred', [true, null, [1]]),
  'no deferred to reject': (addon) => addon.call('napi_reject_deferred', [true, null, [1]]),
  'a copy of nothing': (addon) => addon.call('napi_create_buffer_copy', [true, 4, null, true, true]),
  'an absent argument': (addon) => addon.call('napi_call_function', [true, [undefined], [(...args) => args.map(String)], 2, [[1], null], true]),
  'an absent argument of a constructor': (addon) => addon.call('napi_new_instance', [true, [Array], 2, [[1], null], true]),
  'a cleanup hook that is not there': (addon) => addon.call('napi_add_env_cleanup_hook', [true, null, 1]),
  'a wrapped external': (addon) => addon.call('napi_wrap', [true, [addon.external(1)], 1, true, null, null]),
  'a prototype that is an external': (addon) => addon.call('node_api_set_prototype', [true, [{}], [addon.external(1)]]),
  'a new object\'s prototype that is an external': (addon) => addon.call(
    'node_api_create_object_with_properties', [true, [addon.external(1)], [], [], 0, true]
  ),
  'a new object\'s prototype that is no object': (addon) => [undefined, true, 1, 'text', 1n, Symbol('s')].map((value) => (
    addon.call('node_api_create_object_with_properties', [true, [value], [], [], 0, true]))),
  'a new object with absent names and values': (addon) => [[null, [1]], [['a'], null], [[{}], [1]]].map(([name, value]) => (
    addon.call('node_api_create_object_with_properties', [true, [null], [name], [value], 1, true]))),
};
for (const [name, call] of Object.entries(DEADLY)) {
  test(`isolated, it ends the host at most: ${name}`, () => {
    const { code, signal, stderr } = run((kit, source) => {
      const addon = kit.dlopen(kit.addonFile('raw'));
      try {
        (0, eval)(source)(addon); // eslint-disable-line no-eval
        for (let i = 0; i < 10; i++) globalThis.gc();
      } catch (error) {
        if (error.code !== 'ERR_NAPI_REMOTE_HOST_DIED' && error.code !== 'ERR_NAPI_REMOTE_PROTOCOL') throw error;
      }
    }, { isolated: true, args: [String(call)], nodeArgs: ['--expose-gc'] });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
  });
}

// Node frees a weak reference under V8's feet when it is deleted while its object is being collected.
test('what an experimental addon made is collected', (t) => {
  const { code, signal, stderr } = run((kit) => {
    const addon = kit.dlopen(kit.addonFile('raw_experimental'));
    for (let i = 0; i < 200; i++) {
      addon.call('napi_create_arraybuffer', [true, 4, true, true]);
      addon.call('napi_create_external', [true, 1, true, 1, true]);
      addon.call('napi_wrap', [true, [{}], 1, true, null, true]);
      addon.call('napi_add_finalizer', [true, [{}], 1, true, null, true]);
      addon.call('napi_create_reference', [true, [{}], 0, true]);
      if (i % 10 === 0) globalThis.gc();
    }
  }, { isolated: true, nodeArgs: ['--expose-gc'] });
  assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
});
