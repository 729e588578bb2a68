'use strict';
// What the exercises of published addons work with, in the child processes: inputs from a generator with a fixed seed, and a record of what
// every call came to, in a form that JSON can carry and that has no identities or addresses in it.
const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');
const { types } = require('node:util');

/** Longer strings and contents are recorded as digests. */
const LONG = 400;

/** Node cuts small Buffers out of larger ones, at places that depend on what it did before. */
const POOL = Buffer.allocUnsafe(1).buffer.byteLength;

const sha256 = (data) => crypto.createHash('sha256').update(data).digest('hex');

function describeString(text) {
  // UTF-16, since a digest of UTF-8 does not see lone surrogates.
  return text.length > LONG ? `string of ${text.length}: ${sha256(Buffer.from(text, 'utf16le'))}` : `'${text}`;
}

function describeView(view) {
  const { buffer, byteOffset, byteLength } = view;
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const kind = Buffer.isBuffer(view) ? 'Buffer' : view[Symbol.toStringTag];
  const place = buffer.byteLength === POOL ? '' : ` at ${byteOffset} of ${buffer.byteLength}`;
  return `${kind} of ${byteLength}${place}: ${byteLength > LONG ? sha256(bytes) : bytes.toString('hex')}`;
}

/** Own properties with their attributes; accessors are not called. */
function describeOwn(object, seen, without = []) {
  const own = [];
  for (const key of Reflect.ownKeys(object)) {
    if (without.includes(key)) continue;
    const { value, get, set, writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(object, key);
    const attributes = `${writable ? 'w' : '-'}${enumerable ? 'e' : '-'}${configurable ? 'c' : '-'}`;
    const content = get || set ? `accessor ${Boolean(get)} ${Boolean(set)}` : describe(value, seen);
    own.push([String(key), attributes, content]);
  }
  return own;
}

function describeObject(object, seen) {
  if (object === globalThis) return 'globalThis';
  if (seen.has(object)) return `seen #${seen.get(object)}`;
  seen.set(object, seen.size);
  if (types.isExternal(object)) return 'external';
  if (types.isNativeError(object)) {
    return { error: object.name, message: describeString(object.message), own: describeOwn(object, seen, ['stack', 'message']) };
  }
  if (types.isDate(object)) return `date ${object.getTime()}`;
  if (types.isPromise(object)) return 'promise';
  if (types.isAnyArrayBuffer(object)) return `ArrayBuffer ${describeView(new Uint8Array(object))}`;
  if (ArrayBuffer.isView(object)) return describeView(object);
  if (typeof object === 'function') return { function: object.name, own: describeOwn(object, seen, ['prototype', 'arguments', 'caller']) };
  if (Array.isArray(object) && Reflect.ownKeys(object).length === object.length + 1) return { array: object.map((value) => describe(value, seen)) };
  return { object: Object.getPrototypeOf(object)?.constructor?.name ?? 'no prototype', own: describeOwn(object, seen) };
}

function describe(value, seen = new Map()) {
  switch (typeof value) {
    case 'string':
      return describeString(value);
    case 'number':
      return Object.is(value, -0) || !Number.isFinite(value) ? `number ${Object.is(value, -0) ? '-0' : value}` : value;
    case 'bigint':
      return `${value}n`;
    case 'undefined':
      return 'undefined';
    case 'boolean':
      return value;
    case 'symbol':
      return String(value);
  }
  return value === null ? null : describeObject(value, seen);
}

/** A generator with a fixed seed, and inputs made with it. */
function generator() {
  let seed = 12345;
  const random = (limit) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % limit;
  };
  const pick = (list) => list[random(list.length)];
  const bytes = (length) => {
    const buffer = Buffer.alloc(length);
    for (let i = 0; i < length; i++) buffer[i] = random(256);
    return buffer;
  };
  const text = (length) => {
    const units = new Uint16Array(length);
    for (let i = 0; i < length; i++) units[i] = 0x20 + random(random(4) === 0 ? 0xd000 : 95);
    return Buffer.from(units.buffer).toString('utf16le');
  };
  return { random, pick, bytes, text };
}

/** The .node files of npm packages that a process has mapped. */
function mapped(pid) {
  const files = new Set(fs.readFileSync(`/proc/${pid}/maps`, 'utf8').match(/\/[^\n]*\/node_modules\/[^\n]*\.node$/gm));
  return [...files].map((file) => file.slice(file.lastIndexOf('/node_modules/') + '/node_modules/'.length)).sort();
}

module.exports = (kit, name, given) => {
  const require = createRequire(`${kit.root}/package.json`);
  const calls = [];
  const records = [];

  /** An empty record, at its place in the list; its outcome may come later. */
  const recordOf = (call) => {
    const source = String(call);
    if (!calls.includes(source)) calls.push(source);
    const entry = { call: calls.indexOf(source), outcome: 'nothing yet' };
    records.push(entry);
    return entry;
  };

  /** Notes what a call returned or threw. */
  const record = (call) => {
    const entry = recordOf(call);
    try {
      entry.outcome = describe(call());
    } catch (error) {
      entry.outcome = { threw: describe(error) };
    }
  };

  /**
   * Notes what the promise of a call came to, and fulfils one with the value (undefined after a rejection). The record is where the call
   * was, in whatever order the promises of many calls settle. What is thrown at once is told from what is rejected.
   */
  const settle = async (call) => {
    const entry = recordOf(call);
    let promise;
    try {
      promise = call();
    } catch (error) {
      entry.outcome = { threw: describe(error), atOnce: true };
      return undefined;
    }
    try {
      const value = await promise;
      entry.outcome = describe(value);
      return value;
    } catch (error) {
      entry.outcome = { threw: describe(error) };
      return undefined;
    }
  };

  /** As settle(), for a call that is given a callback of Node's form: (error, ...results). */
  const called = (call) => settle(() => new Promise((resolve, reject) => {
    call((error, ...results) => (error ? reject(error) : resolve(results)));
  }));

  const made = generator();
  const { bytes, text } = made;
  const lengths = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 63, 64, 65, 127, 128, 253, 254, 255, 256, 257, 1000, 4095, 4096, 4097, 65536, 300001];
  /** Strings and Buffers; made when they are asked for, since it takes its time. */
  const inputs = () => [...lengths.flatMap((length) => [bytes(length), text(Math.min(length, 70000))]),
    'ä€😀', '\ud800', '\0', 'a\0b', bytes(100).subarray(3, 50), Buffer.alloc(0), Buffer.from(new ArrayBuffer(64), 8, 20)];
  const odd = [undefined, null, 5, NaN, true, {}, [], 5n, Symbol.iterator, () => {}, new Date(0), new Uint8Array(4), new Uint16Array(4),
    new ArrayBuffer(4), new DataView(new ArrayBuffer(4))];

  const finish = (file) => {
    const hosts = kit.remote.hosts();
    // One that died shows in the records.
    const [mappedHere, mappedThere] = [mapped('self'), hosts.filter(({ alive }) => alive).flatMap(({ pid }) => mapped(pid))];
    fs.writeFileSync(file, JSON.stringify({ calls, records, hosts: hosts.length, mappedHere, mappedThere }));
  };
  return { ...made, ...given, require, name, addon: require(name), record, settle, called, lengths, odd, finish, get inputs() { return inputs(); } };
};
