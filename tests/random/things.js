'use strict';
// Values of world.js that are things.
const { fail } = require('./code.js');

const objects = {
  empty: () => ({}),
  simple: () => ({ a: 1, b: 'two', x: [3] }),
  bare: () => Object.assign(Object.create(null), { a: 1 }),
  indices: () => ({ 2: 'two', 0: 'zero', b: 1, [Symbol('key')]: 2, 4294967295: 'large', '-1': 'negative' }),
  getters: ({ log }) => ({
    get a() {
      log('get a');
      return 1;
    },
    set a(value) {
      log(`set a ${typeof value}`);
    },
    get b() {
      return fail('get b');
    },
    set x(value) {
      fail('set x');
    },
  }),
  callingBack: ({ callback }) => ({
    get a() {
      return callback(0)('got');
    },
    set a(value) {
      callback(1)(value);
    },
    get x() {
      return callback(2).call(this);
    },
  }),
  callbacks: ({ callback }) => ({ method: callback(0), b: callback(1), valueOf: callback(2), toString: callback(3) }),
  inheriting: () => Object.create({ a: 'inherited', get x() { return this; } }, { own: { value: 1 } }),
  inheritingSetter: ({ log }) => Object.create({
    set a(value) {
      log('inherited setter');
    },
    get b() {
      return fail('inherited getter');
    },
  }),
  frozen: () => Object.freeze({ a: 1, list: [] }),
  sealed: () => Object.seal({ a: 1 }),
  closed: () => Object.preventExtensions({ a: 1 }),
  fixed: () => Object.defineProperties({}, { a: { value: 1 }, length: { value: 2, writable: true }, b: { get: () => 3, enumerable: true } }),
  many: () => Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, i])),
  primitive: ({ log }) => ({
    [Symbol.toPrimitive](hint) {
      log(`toPrimitive ${hint}`);
      return hint === 'number' ? 42 : 'primitive';
    },
  }),
  primitiveThrows: () => ({ toString: () => fail('toString'), valueOf: () => fail('valueOf') }),
  primitiveNever: () => ({ toString: () => ({}), valueOf: () => ({}) }),
  thenable: ({ log }) => ({
    then(resolve) {
      log('then');
      resolve('from a thenable');
    },
  }),
  thenGetter: () => ({ get then() { return fail('then'); } }),
  thenCallback: ({ callback }) => ({ then: callback(4) }),
  map: () => new Map([['a', 1]]),
  set: () => new Set([1, 'a']),
  weakMap: () => new WeakMap(),
  regexp: () => /a(b)?/gy,
  boxedNumber: () => Object(1.5),
  boxedText: () => Object('boxed'),
  boxedSymbol: () => Object(Symbol('boxed')),
  boxedBigint: () => Object(5n),
  arguments: () => (function make() { return arguments; }(1, 'two')),
  iterator: () => [1, 2][Symbol.iterator](),
  shared: () => new SharedArrayBuffer(16),
};

const arrays = {
  empty: () => [],
  numbers: () => [1, 2.5, -3],
  mixed: () => ['a', {}, null, undefined, 1n, [1]],
  sparse: () => [, 1, , 3],
  frozen: () => Object.freeze([1, 2]),
  extra: () => Object.assign([1], { a: 'property' }),
  accessor: ({ log }) => Object.defineProperty([1, 2], 1, { get() { log('element 1'); return 'got'; }, set() { log('element 1 set'); }, enumerable: true }),
  fixedLength: () => Object.defineProperty([1, 2], 'length', { writable: false }),
};

const bytes = () => Uint8Array.from({ length: 32 }, (_, i) => i * 5).buffer;
const views = Object.fromEntries(['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array',
  'BigInt64Array', 'BigUint64Array', 'Float16Array'].filter((name) => name in globalThis).map((name) => [name, () => new globalThis[name](bytes(), 8, 2)]));
const typedArrays = {
  ...views,
  empty: () => new Uint8Array(0),
  whole: () => new Uint8Array(bytes()),
  middle: () => new Uint8Array(bytes()).subarray(3, 9),
  large: () => new Uint8Array(5000).fill(7),
  ofShared: () => new Uint8Array(new SharedArrayBuffer(16), 4, 8),
  tracking: () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
};
const arrayBuffers = {
  empty: () => new ArrayBuffer(0),
  some: bytes,
  resizable: () => new ArrayBuffer(8, { maxByteLength: 64 }),
};
const dataViews = {
  whole: () => new DataView(bytes()),
  part: () => new DataView(bytes(), 5, 7),
  empty: () => new DataView(new ArrayBuffer(8), 8),
  ofShared: () => new DataView(new SharedArrayBuffer(16), 4),
};
/** In the pool of small Buffers: always at the same place of a new one, in which nothing is left of what the memory held before. */
function pooled(text) {
  let first;
  do first = Buffer.allocUnsafe(1000); while (first.byteOffset !== 0);
  new Uint8Array(first.buffer).fill(0);
  return Buffer.from(text);
}
const buffers = {
  empty: () => Buffer.alloc(0),
  some: () => Buffer.alloc(10, 'buffer'),
  pooled: () => pooled('in the pool'),
  slice: () => Buffer.alloc(16, 'slice of it').subarray(3, 8),
};

const errors = {
  plain: () => new Error('plain'),
  coded: () => Object.assign(new TypeError('coded', { cause: 'cause' }), { code: 'ERR_CODE' }),
  own: () => new (class extends SyntaxError {})('own'),
  like: () => ({ name: 'Error', message: 'like one' }),
  aggregate: () => new AggregateError([new Error('inner')], 'several'),
  oddMessage: () => Object.defineProperty(new Error('odd'), 'message', { get: () => fail('message') }),
};
const dates = { some: () => new Date(86400000), invalid: () => new Date(NaN), odd: () => Object.assign(new Date(0), { getTime: () => fail('getTime') }) };
const promises = {
  resolved: () => Promise.resolve('resolved'),
  rejected: () => {
    const promise = Promise.reject(new Error('rejected'));
    promise.catch(() => {});
    return promise;
  },
  pending: () => new Promise(() => {}),
};

const numbers = [0, -0, 1, 2, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31) - 1, 2 ** 32 + 5, 2 ** 53, -(2 ** 63), 1e300, 5e-324, 42];
const strings = [
  '', 'a', 'b', 'x', '0', 'length', 'name', 'message', 'ERR_CODE', 'caf\u00e9', '\u20ac uro', '\u{1f600}', '\ud83d', '\udc00x', 'nul\0inside', 'x'.repeat(255), 'y'.repeat(300),
  '\u0101'.repeat(260), '12', ' 7 ', '1e3', '0x1f', 'method', 'accessor', 'content',
];
const built = { rope: () => `${'rope'.repeat(10)}${Math.floor(1.5)}`.concat('\u00e9nd'), slice: () => 'a string of some length to be cut'.repeat(2).slice(5, 40) };
const symbols = [() => Symbol('own'), () => Symbol(), () => Symbol.iterator, () => Symbol.for('registered'), () => Symbol.toStringTag];
const bigints = [0n, 1n, -1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n - 1n, 2n ** 64n, -(2n ** 200n), 10n ** 40n];
const scripts = ['1 + 1', '({ a: 1 })', 'throw new Error("script")', 'syntax(', '(function () { "use strict"; return this; })', '[1, 2]', '"text"', 'undeclared', '10n ** 20n', ''];

module.exports = { arrayBuffers, arrays, bigints, buffers, built, dataViews, dates, errors, numbers, objects, promises, scripts, strings, symbols, typedArrays };
