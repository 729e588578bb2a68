'use strict';
// Wrong calls: every function with NULL where none may be and with every kind of value. Statuses and last-error texts are Node's.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { cases, compare } = require('./harness.js');

// Without a revoked proxy: V8 forgets an exception when a property is defined on one, and some later call of anybody gets it.
/** Fresh ones each time: some calls change them. */
function makeValues() {
  class Class {
    static name2 = 'static';
    constructor(value) { this.value = value; }
  }
  const detached = new ArrayBuffer(8);
  structuredClone(detached, { transfer: [detached] });
  const view = new Uint8Array(new ArrayBuffer(16), 4, 8);
  const throwing = { get length() { throw new RangeError('length is not to be read'); }, toString() { throw new TypeError('no text'); } };
  return {
    undefined: undefined, null: null, true: true, false: false,
    zero: 0, 'negative zero': -0, 'a fraction': 1.5, NaN: NaN, infinity: -Infinity, '2^31': 2 ** 31, '2^53': 2 ** 53, '2^64': 2 ** 64,
    'an empty string': '', 'a string': 'text', 'a script': '6 * 7', 'a long string': 'x'.repeat(1000), 'a wide string': '\u20ac \ud83d\ude00', 'a lone surrogate': '\ud83d',
    bigint: 5n, 'a negative bigint': -(2n ** 63n), 'a long bigint': 2n ** 200n,
    symbol: Symbol('s'), 'a registered symbol': Symbol.for('registered'), 'a well-known symbol': Symbol.iterator,
    object: { a: 1 }, 'no prototype': Object.create(null), 'an object that throws': throwing, arguments: (function f() { return arguments; })(1, 2), // eslint-disable-line prefer-rest-params
    frozen: Object.freeze({ a: 1 }), sealed: Object.seal({ a: 1 }), 'not extensible': Object.preventExtensions({ a: 1 }),
    array: [1, 'two'], 'a frozen array': Object.freeze([1]), 'a hole': [, 1], // eslint-disable-line no-sparse-arrays
    function: function named(a, b) { return [a, b]; }, arrow: () => 1, class: Class, instance: new Class(1), bound: Class.bind(null, 1), async: async () => {}, generator: function* () {},
    proxy: new Proxy({}, {}), 'a proxy of a function': new Proxy(function target() {}, {}),
    'a proxy that throws': new Proxy({}, { get() { throw new Error('get trap'); }, has() { throw new Error('has trap'); }, set() { throw new Error('set trap'); }, ownKeys() { throw new Error('ownKeys trap'); } }),
    date: new Date(5), 'an invalid date': new Date(NaN), regexp: /x/g, error: new TypeError('e'), promise: Promise.resolve(1), map: new Map(), 'a boxed number': Object(1), 'a boxed string': Object('s'),
    arraybuffer: new ArrayBuffer(16), 'an empty arraybuffer': new ArrayBuffer(0), 'a detached arraybuffer': detached, 'a shared arraybuffer': new SharedArrayBuffer(16),
    'a typed array': view, floats: new Float64Array(4), bigints: new BigUint64Array(2), dataview: new DataView(new ArrayBuffer(16), 2), buffer: Buffer.from('buffer'), 'an empty buffer': Buffer.alloc(0),
  };
}

cases('checks', {
  'without an env': ({ nullEnv }) => nullEnv(1, 2),
  'with NULL for results and arguments': ({ nulls }) => nulls(1, 2),
  'the same as a constructor': ({ nulls }) => new nulls(), // eslint-disable-line new-cap
});

for (const kind of Object.keys(makeValues())) {
  test(`every function with ${kind}`, (t) => compare(t, 'types', ({ ask, change }) => {
    const value = makeValues()[kind];
    return [ask(value), change(value), ask(value), value];
  }));
}

cases('types', {
  'every function with values that native code made': ({ ownValues }) => ownValues(),
});

test('every row has a function, a status and Node\'s text', async (t) => {
  const rows = await compare(t, 'checks', ({ nulls }) => nulls());
  assert.ok(rows.length > 150);
  for (const [name, , status] of rows) assert.match(`${name} ${status}`, /^(napi|node_api)_\w+ napi_\w+$/);
});
