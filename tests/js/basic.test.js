'use strict';
// The smallest calls, with everything that can be an argument.
const { attempt, cases } = require('./harness.js');

const values = () => [
  undefined, null, true, false, 0, -0, 1.5, NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53, 2 ** 63, 5e-324, '', 'text', 'a\0b', '\ud83d',
  'x'.repeat(254), 'x'.repeat(255), 'é'.repeat(254), 'é'.repeat(255), '\ud83d\ude00'.repeat(127), '\ud83d\ude00'.repeat(128), 10n, -(2n ** 64n),
  Symbol('s'), Symbol.for('s'), Symbol.iterator, {}, [], [1, , 3], () => 1, class {}, new Date(5), /x/g, new Error('e'), new Map([[1, 2]]), new Set([1]), // eslint-disable-line no-sparse-arrays
  new WeakMap(), Promise.resolve(1), new Proxy({}, {}), new Proxy(() => {}, {}), Buffer.from('abc'), new ArrayBuffer(4), new SharedArrayBuffer(4),
  new DataView(new ArrayBuffer(4)), new Float64Array(3), new BigInt64Array(2), new Number(1), new String('s'), Object(1n), Object(Symbol('o')),
  globalThis, process, Math, Object.create(null), Object.freeze({ a: 1 }), async () => {}, function* () {}, document(),
];

// document.all has no counterpart in Node; a callable object with odd properties is the closest.
function document() {
  return Object.assign(() => undefined, { length2: 0, [Symbol.toPrimitive]: () => 7 });
}

cases('basic', {
  'the exports': (addon) => addon,
  'noop with any arguments': ({ noop }) => values().map((value) => noop(value)),
  'noop without this': ({ noop }) => [noop(), noop.call(undefined), noop.call(null), noop.call(5), noop.apply('s', [1, 2, 3])],
  'identity of everything': ({ identity }) => values().map((value) => [identity(value), Object.is(identity(value), value)]),
  'identity of nothing': ({ identity }) => [identity(), identity(1, 2, 3)],
  'typeof everything': ({ typeOf }) => values().map((value) => typeOf(value)),
  'functions as constructors': ({ add, identity, noop }) => [
    attempt(() => new noop()), attempt(() => new identity({})), attempt(() => new identity(5)), attempt(() => new add(1, 2)), // eslint-disable-line new-cap
  ],
  'identity constructs what it returns': ({ identity }) => {
    const object = { a: 1 };
    return new identity(object) === object; // eslint-disable-line new-cap
  },
  'add': ({ add }) => {
    const numbers = [0, -0, 1.5, -2.25, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, 2 ** 53 + 2, 1e308, 5e-324, 0.1];
    return numbers.map((a) => numbers.map((b) => add(a, b)));
  },
  'add of what is no number': ({ add }) => values().map((value) => [attempt(() => add(value, 1)), attempt(() => add(1, value))]),
  'add of too few and too many': ({ add }) => [attempt(() => add()), attempt(() => add(1)), attempt(() => add(1, 2, 3, 4))],
  'add in many ways': ({ add }) => [add.call({}, 1, 2), add.apply(null, [3, 4]), add.bind(null, 5)(6), Reflect.apply(add, 1, [7, 8]), [1, 2, 3].reduce(add)],
  'concat': ({ concat }) => {
    const strings = ['', 'a', 'a\0b', '\ud83d', '\ude00', 'é', '\u20ac', 'x'.repeat(253), 'x'.repeat(254), 'x'.repeat(255), 'é'.repeat(300), '\u20ac'.repeat(5000)];
    return strings.map((a) => strings.map((b) => concat(a, b)));
  },
  'concat of ropes, slices and 1 MB': ({ concat }) => {
    const long = 'ab'.repeat(2 ** 19);
    return [concat(long, 'x'), concat('x', long), concat(long, long).length, concat(long.slice(5, 25), `${long}!`.slice(-3)), concat(`${'a'.repeat(20)}${long}`, '')];
  },
  'concat of what is no string': ({ concat }) => values().map((value) => [attempt(() => concat(value, 'x')), attempt(() => concat('x', value))]),
  'objects': ({ buildObject }) => [0, 1, 2, 10, 100, 1000].map((count) => buildObject(count)),
  'arrays': ({ buildArray }) => [0, 1, 2, 10, 100, 1000, 10000].map((count) => buildArray(count)),
  'trees': ({ buildTree }) => [0, 1, 2, 5, 8].map((depth) => buildTree(depth)),
  'objects while Object.prototype has setters': ({ buildObject, buildTree }) => {
    const seen = [];
    Object.defineProperty(Object.prototype, 'k1', { configurable: true, set(value) { seen.push(['k1', value]); } });
    Object.defineProperty(Object.prototype, 'depth', { configurable: true, get: () => 'inherited', set(value) { seen.push(value); } });
    try {
      return [buildObject(3), attempt(() => buildTree(1)), buildObject(3), buildObject(3), buildObject(3), seen];
    } finally {
      delete Object.prototype.k1;
      delete Object.prototype.depth;
    }
  },
  'objects while a name of Object.prototype is read-only': ({ buildObject }) => {
    Object.defineProperty(Object.prototype, 'k1', { configurable: true, value: 'fixed' });
    try {
      return [1, 2, 3, 4, 5].map(() => attempt(() => buildObject(1)));
    } finally {
      delete Object.prototype.k1;
    }
  },
  'arrays while Array.prototype has an index': ({ buildArray }) => {
    let seen = '';
    const lengths = { __proto__: null };
    Object.defineProperty(Array.prototype, 2, { configurable: true, set(value) { seen += `${value} `; } });
    try {
      for (let i = 0; i < 6; i++) lengths[i] = [buildArray(4), Object.keys(buildArray(4)).join()];
      return { lengths, seen };
    } finally {
      delete Array.prototype[2];
    }
  },
  'thousands of calls': ({ add, identity }) => {
    let sum = 0;
    for (let i = 0; i < 5000; i++) sum = add(sum, identity(i));
    return sum;
  },
  'properties of functions can be changed': ({ add }) => {
    add.note = 'noted';
    Object.defineProperty(add, 'name', { value: 'renamed' });
    return add;
  },
});
