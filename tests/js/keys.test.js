'use strict';
// The names of properties: each mode, filter and conversion of napi_get_all_property_names, on objects of all kinds and with chains of prototypes.
const { test } = require('node:test');
const { cases, compare } = require('./harness.js');

const OWN_ONLY = 1;
const KEEP_NUMBERS = 0;
const NUMBERS_TO_STRINGS = 1;

/** One property for each set of attributes, and for each kind of key. */
function attributes(prefix) {
  const object = {};
  for (let bits = 0; bits < 8; bits++) {
    const descriptor = { writable: (bits & 1) !== 0, enumerable: (bits & 2) !== 0, configurable: (bits & 4) !== 0, value: bits };
    for (const key of [`${prefix}${bits}`, 10 + bits, Symbol.for(`${prefix}${bits}`)]) Object.defineProperty(object, key, descriptor);
  }
  Object.defineProperty(object, `${prefix}getter`, { get: () => 1, enumerable: true });
  Object.defineProperty(object, `${prefix}setter`, { set() {}, configurable: true });
  return object;
}

function chain() {
  const far = Object.assign(Object.create(null), { far: 1, shared: 1, 5: 5, 1: 1, [Symbol.for('far')]: 1 });
  const middle = Object.defineProperties(Object.create(far), {
    shared: { value: 2 }, hidden: { value: 3 }, 7: { value: 7, enumerable: true }, [Symbol.for('middle')]: { value: 4, enumerable: true },
  });
  return Object.assign(Object.create(middle), { near: 1, 3: 3, [Symbol.for('near')]: 1 });
}

const log = [];
function logging(target) {
  const handler = Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, (of, ...args) => {
    log.push([trap, ...args.filter((arg) => typeof arg !== 'object' && typeof arg !== 'function')]);
    return Reflect[trap](of, ...args);
  }]));
  return new Proxy(target, handler);
}

/** Fresh ones each time, but with the same registered symbols. */
const objects = {
  'an empty object': () => ({}),
  'no prototype': () => Object.assign(Object.create(null), { a: 1, 2: 2 }),
  'each set of attributes': () => attributes('p'),
  'a chain of prototypes': chain,
  'attributes along a chain': () => Object.setPrototypeOf(attributes('own'), Object.setPrototypeOf(attributes('inherited'), null)),
  'integer keys': () => ({
    b: 1, 2: 1, 1: 1, '-1': 1, '01': 1, '1.5': 1, 4294967294: 1, 4294967295: 1, 4294967296: 1, 9007199254740991: 1, 9007199254740992: 1, 0: 1, a: 1,
  }),
  'keys that look odd': () => ({ '': 1, ' ': 1, '\0': 1, '€': 1, '\ud83d': 1, '__proto__ ': 1, ['__proto__']: 1, constructor: 1, 'x\ny': 1 }),
  'symbols only': () => ({ [Symbol.for('one')]: 1, [Symbol.iterator]: 2, [Symbol.toStringTag]: 3 }),
  'an array': () => ['a', , 'c'], // eslint-disable-line no-sparse-arrays
  'an array with more': () => Object.assign(['a', 'b'], { extra: 1, [-1]: 2, [Symbol.for('s')]: 3 }),
  'a sparse array': () => Object.assign([], { 1000000: 1, 5: 2 }),
  'a frozen array': () => Object.freeze([1, 2]),
  'a typed array': () => Object.assign(new Float32Array(3), { extra: 1 }),
  'a Buffer': () => Buffer.alloc(2),
  'a boxed string': () => Object.assign(Object('a\u20ac\ud83d\ude00'), { extra: 1, 10: 2 }),
  'a boxed number': () => Object.assign(Object(5), { 1: 1, a: 2 }),
  'arguments': () => (function f() { return arguments; })(1, 2), // eslint-disable-line prefer-rest-params
  'a function': () => Object.assign(function named(a, b) { return [a, b]; }, { 1: 1, extra: 2 }),
  'a class': () => class Class { static a = 1; static 5() {} static [Symbol.for('s')] = 1; get value() { return 1; } },
  'an instance': () => new (class extends (class Base { own = 1; 7 = 2; method() {} }) { extra = 3; get value() { return 1; } })(),
  'an error': () => Object.assign(new TypeError('e', { cause: 1 }), { code: 'C' }),
  'a date': () => new Date(1),
  'a regular expression': () => /x/g,
  'a map': () => Object.assign(new Map([['a', 1]]), { a: 1 }),
  'an arraybuffer': () => new ArrayBuffer(4),
  'a sealed object': () => Object.seal({ a: 1, 2: 2 }),
  'a frozen object': () => Object.freeze({ a: 1, 2: 2, [Symbol.for('s')]: 3 }),
  'a proxy of an object': () => new Proxy(attributes('t'), {}),
  'a proxy of an array': () => new Proxy(['a', 'b'], {}),
  'a proxy in the chain': () => Object.assign(Object.create(new Proxy({ inherited: 1, 4: 4 }, {})), { own: 1, 2: 2 }),
  'a proxy with keys of its own': () => new Proxy({}, {
    ownKeys: () => ['b', '1', 'a', Symbol.for('s'), '0'],
    getOwnPropertyDescriptor: (target, key) => ({ value: 1, enumerable: key !== 'b', writable: key !== '1', configurable: true }),
  }),
  'a proxy that lies': () => new Proxy({}, { ownKeys: () => ['a', 'a'] }),
  'a proxy that throws': () => new Proxy({}, { ownKeys() { throw new RangeError('ownKeys'); } }),
  'a proxy that throws later': () => new Proxy({ a: 1 }, { getOwnPropertyDescriptor() { throw new RangeError('getOwnPropertyDescriptor'); } }),
  'a proxy whose prototype throws': () => new Proxy({ a: 1 }, { getPrototypeOf() { throw new RangeError('getPrototypeOf'); } }),
  'a revoked proxy': () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  'an object that inherits from a frozen one': () => Object.create(process.versions, { own: { value: 1, enumerable: true } }),
};

for (const [what, make] of Object.entries(objects)) {
  test(`every mode, filter and conversion on ${what}`, (t) => compare(t, 'raw', ({ call }) => {
    const results = [];
    for (const mode of [0, OWN_ONLY]) {
      for (let filter = 0; filter < 32; filter++) {
        for (const conversion of [KEEP_NUMBERS, NUMBERS_TO_STRINGS]) {
          results.push([mode, filter, conversion, call('napi_get_all_property_names', [true, [make()], mode, filter, conversion, true])]);
        }
      }
    }
    return [results, call('napi_get_property_names', [true, [make()], true])];
  }));
}

cases('raw', {
  'modes, filters and conversions that are none': ({ call }) => [2, 3, -1, 2 ** 31].flatMap((odd) => [
    call('napi_get_all_property_names', [true, [chain()], odd, 0, 0, true]),
    call('napi_get_all_property_names', [true, [chain()], 1, 0, odd, true]),
    call('napi_get_all_property_names', [true, [chain()], 0, odd, odd, true]),
  ]),
  'filters with bits that mean nothing': ({ call }) => [32, 64, 33, 63, 0xffff, -1].map((filter) => call(
    'napi_get_all_property_names', [true, [attributes('p')], 1, filter, 1, true]
  )),
  'what a proxy is asked, in which order': ({ call }) => {
    log.length = 0;
    const target = () => Object.assign(Object.create({ inherited: 1 }), { a: 1, 2: 2, [Symbol.for('s')]: 3 });
    const results = [];
    for (const mode of [0, 1]) {
      for (const filter of [0, 1, 2, 4, 8, 16, 3, 31]) {
        for (const conversion of [0, 1]) {
          const { status, outs } = call('napi_get_all_property_names', [true, [logging(target())], mode, filter, conversion, true]);
          results.push([status, outs[5], log.splice(0)]);
        }
      }
    }
    const { status, outs } = call('napi_get_property_names', [true, [logging(target())], true]);
    return [results, status, outs[2], log.splice(0)];
  },
  'names are fresh arrays': ({ call }) => {
    const object = { a: 1 };
    const names = [0, 1].map(() => call('napi_get_property_names', [true, [object], true]).outs[2][0]);
    names[0].push('more');
    return [names, call('napi_get_property_names', [true, [object], true])];
  },
  'ten thousand names': ({ call }) => [0, 1].map((conversion) => call('napi_get_all_property_names', [
    true, [Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [i % 2 ? i : `name ${i}`, i]))], 1, 0, conversion, true,
  ]).outs[5][0]),
  'primitives': ({ call }) => ['text', 5, true, 10n, Symbol('s'), null, undefined].map((value) => [
    call('napi_get_all_property_names', [true, [value], 1, 0, 1, true]),
    call('napi_get_all_property_names', [true, [value], 0, 16, 0, true]),
    call('napi_get_property_names', [true, [value], true]),
  ]),
});
