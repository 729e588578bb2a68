'use strict';
// The values that a program finds in its registers: one of each sort that JavaScript has, the nastier ones included. All are made afresh for each run,
// since programs change them; what they do when they are used they write to the log of the run.

const util = require('node:util');
const { wellKnown } = require('./observe.js');
const { isLarge } = require('./pools.js');

const trapNames = Object.getOwnPropertyNames(Reflect);

/** How deep traps may call each other: a proxy that is its own prototype would end with the stack, which is not as deep everywhere. */
const NESTED = 20;

/** A proxy of which each trap logs. `traps` replaces some. */
function logging({ log, show }, target, traps = {}) {
  const handler = {};
  let depth = 0;
  for (const name of trapNames) {
    handler[name] = (...args) => {
      if (depth === NESTED) fail('too deep');
      log(`trap ${name} ${args.slice(1).map(show).join(' ')}`);
      depth++;
      try {
        return traps[name] ? traps[name](...args) : Reflect[name](...args);
      } finally {
        depth--;
      }
    };
  }
  return new Proxy(target, handler);
}

function fail(message) {
  throw new RangeError(message);
}

function exercise(object, key, rest, log, show) {
  const tell = (what, act) => {
    try {
      log(`${what} ${String(key)}: ${show(act())}`);
    } catch (error) {
      log(`${what} ${String(key)} threw ${show(error)} ${error?.message}`);
    }
  };
  let value;
  tell('get', () => (value = object[key]));
  tell('set', () => Reflect.set(object, key, rest[0] ?? value));
  if (typeof value !== 'function' || wellKnown.has(value)) return;
  tell('call', () => Reflect.apply(value, object, rest));
  tell('call elsewhere', () => Reflect.apply(value, {}, rest));
}

/** Things that a program may call; each takes whatever it gets. None has a name in its source: as a script that would be a declaration, for good. */
const functions = {
  identity: () => (a) => a,
  receiver: () => function () {
    return this;
  },
  count: ({ log }) => (...args) => {
    log(`called with ${args.length}`);
    return args.length;
  },
  show: ({ log, show }) => (...args) => {
    log(`shown ${args.map(show).join(' ')}`);
    return args;
  },
  throwing: () => () => fail('thrown on purpose'),
  throwingText: () => () => {
    throw 'a text';
  },
  throwingNothing: () => () => {
    throw undefined;
  },
  returningFresh: () => () => ({ fresh: true, list: [1] }),
  calling: ({ callback }) => (...args) => callback(0)(...args),
  callingNext: ({ callback }) => function (...args) {
    return Reflect.apply(callback(1), this, args);
  },
  constructing: ({ callback }) => (...args) => new (callback(2))(...args),
  callingArgument: () => (f, ...args) => (typeof f === 'function' ? f(...args) : args),
  catching: ({ callback, log, show }) => (...args) => {
    try {
      return callback(1)(...args);
    } catch (error) {
      log(`caught ${show(error)}`);
      return error;
    }
  },
  callingTwice: ({ callback }) => (a) => [callback(0)(a), callback(0)(a)],
  sorting: ({ callback }) => (a) => [3, 1, 2].sort((x, y) => {
    callback(3)(x, y, a);
    return x - y;
  }),
  changing: () => (a) => {
    if (typeof a === 'object' && a !== null) Reflect.set(a, 'changed', 1, a);
    return a;
  },
  filling: () => (a) => {
    if (ArrayBuffer.isView(a)) new Uint8Array(a.buffer, a.byteOffset, a.byteLength).fill(0x42);
    if (a instanceof ArrayBuffer && !a.detached) new Uint8Array(a).fill(0x43);
    return a;
  },
  exercising: ({ log, show }) => (a, ...rest) => {
    if ((typeof a !== 'object' && typeof a !== 'function') || a === null || util.types.isProxy(a)) return a;
    for (let from = a, count = 0; from !== null && count < 3 && !wellKnown.has(from); from = Object.getPrototypeOf(from), count++) {
      for (const key of Reflect.ownKeys(from).slice(0, 12)) if (key !== 'stack') exercise(a, key, rest, log, show);
    }
    return a;
  },
  adding: () => (a, b) => a + b,
  bound: () => function (...args) {
    return args.length;
  }.bind({ self: 1 }, 1),
  async: ({ callback }) => async (a) => {
    await null;
    return callback(4)(a);
  },
  generator: () => function* (a) {
    yield a;
  },
  later: ({ callback }) => (a) => {
    Promise.resolve(a).then(callback(3), callback(3));
  },
};

const classes = {
  plain: () => class {
    constructor(a) {
      this.a = a;
    }

    method() {
      return this.a;
    }

    get accessor() {
      return this.a;
    }

    static s = 1;
  },
  derived: ({ log }) => class extends class {
    constructor() {
      log(`new ${new.target?.name}`);
    }
  } {
    x = 1;
  },
  throwing: () => class {
    constructor() {
      fail('thrown in a constructor');
    }
  },
  calling: ({ callback }) => class {
    constructor(...args) {
      this.made = callback(2)(...args);
    }

    set accessor(value) {
      callback(1)(value);
    }
  },
  odd: () => function () {
    return { instead: true };
  },
  hasInstance: ({ log }) => class {
    static [Symbol.hasInstance](value) {
      log(`hasInstance ${typeof value}`);
      return 'yes';
    }
  },
  hasInstanceThrows: () => class {
    static [Symbol.hasInstance]() {
      fail('hasInstance');
    }
  },
  extendingCallback: ({ callback }) => class extends callback(2) {},
  array: () => class extends Array {},
};

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

const proxies = {
  plain: (ctx) => logging(ctx, { a: 1, get b() { return 2; } }),
  ofArray: (ctx) => logging(ctx, [1, 2, 3]),
  throwing: (ctx) => logging(ctx, {}, Object.fromEntries(trapNames.map((name) => [name, () => fail(`trap ${name}`)]))),
  refusing: (ctx) => logging(ctx, { a: 1 }, { set: () => false, defineProperty: () => false, deleteProperty: () => false, preventExtensions: () => false }),
  lying: (ctx) => logging(ctx, Object.freeze({ a: 1 }), { get: () => 'a lie', has: () => false, ownKeys: () => ['b'] }),
  odd: (ctx) => logging(ctx, {}, { ownKeys: () => ['a', Symbol.iterator, '0'], getOwnPropertyDescriptor: () => ({ value: 1, configurable: true, enumerable: true }) }),
  calling: (ctx) => logging(ctx, {}, { get: (target, key) => (typeof key === 'string' ? ctx.callback(0)(key) : undefined), has: () => ctx.callback(1)() }),
  silent: () => new Proxy({ a: 1, b: [2] }, {}),
  ofProxy: (ctx) => new Proxy(logging(ctx, {}), {}),
  revoked: () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
};

const ofFunction = {
  proxy: (ctx) => logging(ctx, function () { return 'target'; }, { construct: () => ({ constructed: true }) }),
  throwing: (ctx) => logging(ctx, function () {}, { apply: () => fail('apply'), construct: () => fail('construct'), get: () => fail('get') }),
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

/** What takes an ArrayBuffer's bytes away: not where a program keeps native addresses. */
const detaching = {
  transfer: () => (a) => {
    const buffer = ArrayBuffer.isView(a) ? a.buffer : a;
    return buffer instanceof ArrayBuffer ? structuredClone(buffer, { transfer: [buffer] }).byteLength : undefined;
  },
  resize: () => (a) => {
    const buffer = ArrayBuffer.isView(a) ? a.buffer : a;
    if (buffer instanceof ArrayBuffer && buffer.resizable) buffer.resize(buffer.byteLength === 8 ? 3 : 20);
    return buffer;
  },
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

const constants = (list) => Object.fromEntries(list.map((value, i) => [i, typeof value === 'function' ? value : () => value]));

/** [kind, name, make, how often] */
const items = [];
function add(kind, table, often = 1, detaches = false) {
  for (const [name, make] of Object.entries(table)) items.push({ kind, name: `${kind}.${name}`, make, often, detaches });
}
add('undefined', { value: () => undefined }, 3);
add('null', { value: () => null }, 3);
add('boolean', { true: () => true, false: () => false }, 2);
add('number', constants(numbers));
add('string', constants(strings));
add('string', built, 2);
add('script', constants(scripts));
add('symbol', constants(symbols), 2);
add('bigint', constants(bigints));
add('object', objects, 3);
add('proxy', proxies, 2);
add('function', functions, 3);
add('function', ofFunction, 2);
add('class', classes, 3);
add('array', arrays, 3);
add('arraybuffer', arrayBuffers, 3);
add('typedarray', typedArrays);
add('dataview', dataViews, 3);
add('buffer', buffers, 3);
add('error', errors, 2);
add('date', dates, 3);
add('promise', promises, 3);
add('function', Object.fromEntries([0, 1, 2, 3, 4, 5].map((k) => [`callback${k}`, ({ callback }) => callback(k)])), 3);
add('function', detaching, 12, true);

const numbered = items.flatMap((item, i) => Array(item.often).fill(i));
const iterator = 'symbol.2';
const largeNumbers = new Set(numbers.flatMap((value, i) => (isLarge(value) ? [`number.${i}`] : [])));

/** The items that a program may have. shares: it may hold what belongs to the whole process. detaches: it may take away an ArrayBuffer's bytes. setsLength: it may set the length of arrays. */
function choose(shares, detaches, setsLength) {
  return numbered.filter((i) => {
    const { name, detaches: needed } = items[i];
    // The pool of small Buffers must not be detached: others use it.
    if (detaches ? name === 'buffer.pooled' : needed) return false;
    if (!shares && name === iterator) return false;
    return setsLength ? !largeNumbers.has(name) : name !== `string.${strings.indexOf('length')}`;
  });
}
const both = [false, true];
const chosen = both.map((shares) => both.map((detaches) => both.map((setsLength) => choose(shares, detaches, setsLength))));

module.exports = {
  choices: ({ shares, detaches, setsLength }) => chosen[Number(shares)][Number(detaches)][Number(setsLength)],
  kindOf: (number) => items[number].kind,
  nameOf: (number) => items[number].name,
  make: (number, ctx) => items[number].make(ctx),
};
