'use strict';
// Describes values so that two runs can be compared: what a program can tell apart looks different, and nothing of a program's is called to find out.
// Without iterators, since programs replace those too.
const { types } = require('node:util');

const { getOwnPropertyDescriptor, getPrototypeOf, isExtensible } = Object;
const { ownKeys, apply } = Reflect;
const byteLengthOf = getOwnPropertyDescriptor(ArrayBuffer.prototype, 'byteLength').get;
const sharedLengthOf = getOwnPropertyDescriptor(SharedArrayBuffer.prototype, 'byteLength').get;
const TypedArray = getPrototypeOf(Uint8Array);
const typeOfView = getOwnPropertyDescriptor(TypedArray.prototype, Symbol.toStringTag).get;
const inView = Object.fromEntries(['buffer', 'byteOffset', 'byteLength'].map((name) => [name, {
  typed: getOwnPropertyDescriptor(TypedArray.prototype, name).get, data: getOwnPropertyDescriptor(DataView.prototype, name).get,
}]));
const timeOf = Date.prototype.getTime;
const boxedValueOf = Object.fromEntries([Number, String, Boolean, BigInt, Symbol].map((Class) => [Class.name, Class.prototype.valueOf]));

const DEPTH = 3, KEYS = 50, TEXT = 60;

/** Objects that belong to the whole process, by name. */
const wellKnown = new Map([[globalThis, 'globalThis'], [process, 'process']]);
for (const name of Object.getOwnPropertyNames(globalThis)) {
  if (!/^[A-Z]/.test(name)) continue;
  const value = globalThis[name];
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) continue;
  wellKnown.set(value, name);
  if (typeof value === 'function' && value.prototype) wellKnown.set(value.prototype, `${name}.prototype`);
}
for (const [name, sample] of Object.entries({
  TypedArray: Uint8Array.prototype, async: async () => {}, generator: function* () {}, generatorObject: (function* () {}()), arrayIterator: [].values(),
  iterator: getPrototypeOf([].values()),
})) {
  if (!wellKnown.has(getPrototypeOf(sample))) wellKnown.set(getPrototypeOf(sample), `prototype of ${name}`);
}
wellKnown.set(TypedArray, 'TypedArray');

function checksum(bytes) {
  let sum = 0;
  for (let i = 0; i < bytes.length; i++) sum = (Math.imul(sum, 31) + bytes[i]) | 0;
  return sum;
}

function hex(buffer, offset, length) {
  if (length === 0) return '';
  const bytes = Buffer.from(buffer, offset, length);
  return length > 64 ? `${bytes.toString('hex', 0, 16)}..#${checksum(bytes)}` : bytes.toString('hex');
}

/** What other Buffers are cut out of. */
const isPool = (buffer) => buffer === Buffer.from('x').buffer || byteLength(buffer) === Buffer.poolSize;

function byteLength(buffer) {
  return types.isSharedArrayBuffer(buffer) ? apply(sharedLengthOf, buffer, []) : apply(byteLengthOf, buffer, []);
}

function text(value) {
  if (value.length <= TEXT) return JSON.stringify(value);
  let sum = 0;
  for (let i = 0; i < value.length; i++) sum = (Math.imul(sum, 31) + value.charCodeAt(i)) | 0;
  return `${JSON.stringify(value.slice(0, TEXT))}..${value.length}#${sum}`;
}

class Observer {
  constructor() {
    this.lines = [];
    this.ids = new Map();
    this.promises = [];
    this.log = (line) => {
      this.lines.push(line);
    };
    this.show = (value) => this.brief(value);
    /** Called by the interpreter: with nothing to mark a place, otherwise label, mask of living registers, an exception, registers. */
    this.observe = (label, mask, extra, ...values) => {
      if (label === undefined) {
        this.lines.push('mark');
        return;
      }
      this.lines.push(`inspect ${typeof mask === 'number' ? mask.toString(2) : '?'} ${this.describe(extra)}`);
      values.forEach((value, i) => {
        if (mask >> i & 1) this.lines.push(`  v${i}: ${this.describe(value)}`);
      });
    };
  }

  /** The same object has the same number in each line of a run. */
  idOf(value) {
    let id = this.ids.get(value);
    if (id === undefined) {
      id = this.ids.size;
      this.ids.set(value, id);
      if (types.isPromise(value)) this.promises.push(value);
    }
    return id;
  }

  brief(value) {
    switch (typeof value) {
      case 'string': return text(value);
      case 'number': return Object.is(value, -0) ? '-0' : `${value}`;
      case 'bigint': return `${value}n`;
      case 'undefined': case 'boolean': return `${value}`;
    }
    if (value === null) return 'null';
    if (wellKnown.has(value)) return `<${wellKnown.get(value)}>`;
    if (typeof value === 'symbol') return `${Symbol.keyFor(value) === undefined ? '' : 'registered '}symbol#${this.idOf(value)}(${value.description})`;
    return `${typeof value}#${this.idOf(value)}`;
  }

  describe(value) {
    return this.walk(value, DEPTH, new Set());
  }

  walk(value, depth, seen) {
    const brief = this.brief(value);
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || depth === 0) return brief;
    if (wellKnown.has(value) || seen.has(value)) return brief;
    seen.add(value);
    if (types.isProxy(value)) return `${brief} proxy`;
    return `${brief}${this.internals(value, depth, seen)}{${this.properties(value, depth, seen)}}`;
  }

  internals(value, depth, seen) {
    if (types.isExternal(value)) return ' external';
    if (types.isNativeError(value)) return ' error';
    if (types.isDate(value)) return ` date ${apply(timeOf, value, [])}`;
    if (types.isPromise(value)) return ' promise';
    if (types.isRegExp(value)) return ' regexp';
    if (types.isMap(value) || types.isSet(value)) return ' collection';
    if (types.isAnyArrayBuffer(value)) return ` bytes ${hex(value, 0, byteLength(value))}`;
    if (ArrayBuffer.isView(value)) return this.view(value, depth, seen);
    if (Array.isArray(value)) return ' array';
    if (types.isBoxedPrimitive(value)) {
      for (const name of Object.keys(boxedValueOf)) {
        if (types[`is${name}Object`](value)) return ` boxed ${this.brief(apply(boxedValueOf[name], value, []))}`;
      }
    }
    return '';
  }

  view(value, depth, seen) {
    const sort = types.isDataView(value) ? 'data' : 'typed';
    let part;
    try {
      part = Object.fromEntries(Object.entries(inView).map(([name, get]) => [name, apply(get[sort], value, [])]));
    } catch {
      return ' view out of bounds'; // a DataView of a detached or shrunken buffer
    }
    const name = sort === 'data' ? 'DataView' : apply(typeOfView, value, []);
    const place = isPool(part.buffer) ? 'pooled' : `at ${part.byteOffset} of ${this.walk(part.buffer, depth - 1, seen)}`;
    return ` ${name} ${hex(part.buffer, part.byteOffset, part.byteLength)} ${place}`;
  }

  properties(value, depth, seen) {
    const proto = getPrototypeOf(value);
    const parts = [`proto ${this.walk(proto, depth - 1, seen)}`];
    if (!isExtensible(value)) parts.push('closed');
    const isView = ArrayBuffer.isView(value);
    let count = 0;
    const keys = ownKeys(value);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i];
      // Looking at a stack would run what formats it.
      if (key === 'stack' || (isView && typeof key === 'string' && /^\d+$/.test(key))) continue;
      if (typeof key === 'symbol' && key.description?.endsWith('async_id_symbol')) continue;
      if (++count > KEYS) {
        parts.push('more');
        break;
      }
      const { value: of, get, set, writable, enumerable, configurable } = getOwnPropertyDescriptor(value, key);
      const attributes = `${writable ? 'w' : '-'}${enumerable ? 'e' : '-'}${configurable ? 'c' : '-'}`;
      const content = get || set ? `get ${this.walk(get, depth - 1, seen)} set ${this.walk(set, depth - 1, seen)}` : this.walk(of, depth - 1, seen);
      parts.push(`${typeof key === 'symbol' ? this.brief(key) : key} ${attributes} ${content}`);
    }
    return parts.join(', ');
  }
}

module.exports = { Observer, wellKnown };
