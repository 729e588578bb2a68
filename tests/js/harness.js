'use strict';
// Runs the same JavaScript against an addon in this process and in a host, and demands the same result down to the attributes of
// properties. What is right is what the in-process run says: no expected values are typed in.
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const { test } = require('node:test');
const util = require('node:util');
const { addonFile } = require('./support/child.js');
const { comparison } = require('./support/coverage.js');
const { hostOf, load } = require('../..');

const { types } = util;

/** From this many bytes on, views are compared by a digest and without their properties. */
const LARGE = 10_000;

/** Objects that everybody has, by name: they are not walked into. */
const wellKnown = new Map([[globalThis, 'globalThis'], [process, 'process']]);
for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (/^[A-Z]/.test(name) === false) continue;
  const value = globalThis[name];
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue;
  wellKnown.set(value, name);
  if (typeof value === 'function' && value.prototype) wellKnown.set(value.prototype, `${name}.prototype`);
}
const TypedArray = Object.getPrototypeOf(Uint8Array);
wellKnown.set(TypedArray, 'TypedArray').set(TypedArray.prototype, 'TypedArray.prototype');
for (const [name, sample] of Object.entries({ async: async () => {}, generator: function* () {} })) {
  wellKnown.set(Object.getPrototypeOf(sample), `${name} function prototype`);
}

function hex(buffer, offset, length) {
  if (length === 0) return '';
  const bytes = Buffer.from(buffer, offset, length);
  return length > LARGE ? crypto.createHash('sha256').update(bytes).digest('hex') : bytes.toString('hex');
}

/** A buffer that Node cuts small Buffers out of: what else is in it is nobody's business. */
function isPool(buffer) {
  return buffer === Buffer.from('x').buffer || buffer.byteLength === Buffer.allocUnsafe(1).buffer.byteLength;
}

/** The entries of a Map or Set, whatever was done to its iterator. */
function entries(Class, value) {
  const list = [];
  Class.prototype.forEach.call(value, (of, key) => list.push(key, of));
  return list;
}

/** The internals of an object that has some, besides its properties. */
function internals(value, walk) {
  if (types.isExternal(value)) return { external: true };
  if (types.isNativeError(value)) return { error: true };
  if (types.isDate(value)) return { date: walk(value.getTime()) };
  if (types.isRegExp(value)) return { regexp: String(value) };
  if (types.isPromise(value)) return { promise: util.inspect(value).includes('<pending>') ? 'pending' : 'settled' };
  if (types.isBoxedPrimitive(value)) return { boxed: walk(value.valueOf()) };
  if (types.isMap(value)) return { map: entries(Map, value).map(walk) };
  if (types.isSet(value)) return { set: entries(Set, value).map(walk) };
  if (types.isWeakMap(value) || types.isWeakSet(value)) return { weak: true };
  if (types.isAnyArrayBuffer(value)) {
    return { bytes: hex(value, 0, value.byteLength), shared: types.isSharedArrayBuffer(value) };
  }
  if (ArrayBuffer.isView(value)) {
    const { buffer, byteOffset, byteLength } = value;
    return {
      view: value[Symbol.toStringTag],
      bytes: hex(buffer, byteOffset, byteLength),
      ...(isPool(buffer) ? { pooled: true } : { offset: byteOffset, buffer: walk(buffer) }),
    };
  }
  if (Array.isArray(value)) return { array: value.length };
  if (typeof value === 'function') return { function: Function.prototype.toString.call(value) };
  return {};
}

/** The text of a stack has the place of the call in it; promises carry numbers of Node's own. */
function isIncidental(key) {
  return key === 'stack' || (typeof key === 'symbol' && key.description?.endsWith('async_id_symbol'));
}

/** A form of any value that is equal for two values exactly when a program cannot tell them apart (but by identity over runs). */
function normalize(root) {
  const seen = new Map();

  function walkObject(value) {
    if (types.isProxy(value)) return { proxy: typeof value };
    const isView = ArrayBuffer.isView(value);
    const form = { ...internals(value, walk), proto: walk(Object.getPrototypeOf(value)) };
    if (!Object.isExtensible(value)) form.extensible = false;
    form.own = [];
    if (isView && value.byteLength > LARGE) return form;
    for (const key of Reflect.ownKeys(value)) {
      if (isView && typeof key === 'string' && /^\d+$/.test(key)) continue;
      const { value: of, get, set, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(value, key);
      const attributes = `${writable ? 'w' : '-'}${enumerable ? 'e' : '-'}${configurable ? 'c' : '-'}`;
      const content = isIncidental(key) ? typeof of : get || set ? { get: walk(get), set: walk(set) } : walk(of);
      form.own.push([walk(key), attributes, content]);
    }
    return form;
  }

  function walk(value) {
    switch (typeof value) {
      case 'string':
        return `'${value}`;
      case 'number':
        return Object.is(value, -0) ? '-0' : String(value);
      case 'bigint':
        return `${value}n`;
      case 'undefined':
      case 'boolean':
        return String(value);
    }
    if (value === null) return 'null';
    if (wellKnown.has(value)) return `<${wellKnown.get(value)}>`;
    if (seen.has(value)) return `<#${seen.get(value)}>`;
    seen.set(value, seen.size);
    if (typeof value === 'symbol') return { symbol: value.description, key: Symbol.keyFor(value), id: seen.get(value) };
    return walkObject(value);
  }

  return walk(root);
}

/** Where two forms part, in words; undefined when they are equal. A diff of whole forms can be too long to print. */
function difference(a, b, path = '') {
  if (Object.is(a, b)) return undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    const show = (form) => util.inspect(form, { depth: 4, maxStringLength: 300, maxArrayLength: 10, breakLength: 160 });
    return `at ${path || 'the top'}\n  in-process: ${show(a)}\n  isolated:   ${show(b)}`;
  }
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = difference(a[key], b[key], `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const pairs = new Map();

/**
 * The addon in this process and isolated. One pair for all tests of a file: C statics of the addon then go through the same calls on both
 * sides. A host that died is replaced.
 */
function addons(name) {
  let pair = pairs.get(name);
  if (pair === undefined) {
    const filename = addonFile(name);
    const module = { exports: {}, filename, id: filename };
    process.dlopen(module, filename);
    pair = { inProcess: module.exports };
    pairs.set(name, pair);
  }
  if (pair.isolated === undefined || !isAlive(pair.isolated)) pair.isolated = load(addonFile(name));
  return pair;
}

function isAlive(exports) {
  try {
    process.kill(hostOf(exports).pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function outcome(run, addon) {
  try {
    return { value: await run(addon) };
  } catch (error) {
    return { thrown: error };
  }
}

function thrownIn(side, result) {
  return 'thrown' in result ? `  ${side} threw ${util.inspect(result.thrown)}\n` : '';
}

/**
 * Runs `run(addon)`, which may be async, with the addon in this process and with the isolated one, and asserts that both return, or throw,
 * the same. Resolves to what the in-process run returned, undefined when it threw.
 */
async function compare(t, name, run) {
  return (await outcomeOf(t, name, run)).value;
}

/** Like compare(), but resolves to { value } or { thrown } of the in-process run. */
async function outcomeOf(t, name, run) {
  const isEqual = comparison();
  const pair = addons(name);
  const expected = await outcome(run, pair.inProcess);
  const expectedForm = normalize(expected);
  const actual = await outcome(run, pair.isolated);
  const found = difference(expectedForm, normalize(actual));
  if (found !== undefined) assert.fail(`${t.name}: ${found}\n${thrownIn('in-process', expected)}${thrownIn('isolated', actual)}`);
  isEqual();
  return expected;
}

/** Calls a function and gives { value } or { thrown }, to compare many calls at once. */
function attempt(call) {
  try {
    return { value: call() };
  } catch (error) {
    return { thrown: error };
  }
}

/** One test for each entry of `runs`, { name: run(addon) }. */
function cases(addon, runs) {
  for (const [name, run] of Object.entries(runs)) test(name, (t) => compare(t, addon, run));
}

/** One turn of the event loop. */
function turn() {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

module.exports = { addons, addonFile, attempt, cases, compare, normalize, outcomeOf, turn };
