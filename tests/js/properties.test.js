'use strict';
// Properties and elements of all kinds of objects, with all kinds of keys.
const util = require('node:util');
const { attempt, cases } = require('./harness.js');

const thrower = (message) => () => { throw new RangeError(message); };

/** Fresh objects for each call: the calls change them. */
const objects = () => ({
  plain: { a: 1, b: undefined, 0: 'zero', [Symbol.for('k')]: 'k' },
  empty: {},
  bare: Object.create(null, { a: { value: 1, enumerable: true } }),
  inheriting: Object.create({ a: 'inherited', 0: 'inherited zero' }),
  array: [1, , 3], // eslint-disable-line no-sparse-arrays
  function: Object.assign(function named(x) { return x; }, { a: 5 }),
  class: class Named { static a = 1; },
  getters: { get a() { return this === undefined ? 'no this' : 'got'; }, get 0() { return 'got zero'; } },
  throwing: {
    get a() { throw new RangeError('get a'); }, set a(value) { throw new RangeError(`set a ${value}`); },
    get 0() { throw new RangeError('get 0'); }, set 0(value) { throw new RangeError(`set 0 ${value}`); },
  },
  setters: { set a(value) { this.seen = value; }, set 0(value) { this.seenZero = value; } },
  frozen: Object.freeze({ a: 1, 0: 2 }),
  sealed: Object.seal({ a: 1, 0: 2 }),
  closed: Object.preventExtensions({ b: 1 }),
  readonly: Object.defineProperties({}, { a: { value: 1 }, 0: { value: 2 } }),
  typed: new Uint8Array([1, 2, 3]),
  buffer: Buffer.from('xyz'),
  string: new String('text'),
  date: new Date(7),
  error: new TypeError('message'),
  map: new Map([['a', 1]]),
  proxy: new Proxy({ a: 1, 0: 'zero' }, {}),
  lying: new Proxy({}, {
    get: (target, key) => `get ${String(key)}`, has: (target, key) => key === 'a', deleteProperty: (target, key) => key !== '0', set: () => true,
    ownKeys: () => ['x', 'y'], getOwnPropertyDescriptor: () => ({ value: 1, enumerable: true, configurable: true }), getPrototypeOf: () => Array.prototype,
  }),
  refusing: new Proxy({}, { set: () => false, deleteProperty: () => false, defineProperty: () => false, preventExtensions: () => false }),
  trapped: new Proxy({}, {
    get: thrower('get'), has: thrower('has'), deleteProperty: thrower('delete'), set: thrower('set'), ownKeys: thrower('ownKeys'),
    getOwnPropertyDescriptor: thrower('getOwnPropertyDescriptor'), getPrototypeOf: thrower('getPrototypeOf'), defineProperty: thrower('defineProperty'),
    preventExtensions: thrower('preventExtensions'),
  }),
  revoked: (() => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  })(),
});
const primitives = () => [undefined, null, true, 5, 'text', 10n, Symbol('s')];
const keys = () => [
  'a', 'b', '0', 'length', 'name', '', 'a\0b', '\u20ac', '\ud83d', '__proto__', 'toString', 'constructor', 0, -0, 1.5, -1, NaN, 2 ** 32 - 1, 2 ** 32, 1e21,
  Symbol.for('k'), Symbol.iterator, Symbol('new'), null, undefined, true, 10n, { toString: () => 'a' }, [], { toString: thrower('toString') }, 'x'.repeat(300), '\u00e9'.repeat(300),
];

// Proxies are not looked into by the harness: what a call did to one shows in what it returned.
const each = (call) => Object.fromEntries(Object.entries(objects()).map(([name, object]) => [name, [call(object), object]]));
const byKey = (call) => Object.fromEntries(Object.keys(objects()).map((name) => [name, keys().map((key) => {
  const object = objects()[name];
  return [call(object, key), object];
})]));
const byIndex = (call) => Object.fromEntries(Object.keys(objects()).map((name) => [name, [0, 1, 2, 3, 5, 2 ** 32 - 2, 2 ** 32 - 1].map((index) => {
  const object = objects()[name];
  if (index > 10 && name === 'array') return null;
  return [call(object, index), object];
})]));

const names = ['a', 'b', '0', '', '\u20ac', '__proto__', 'toString', 'x'.repeat(300), 'length'];

const kinds = ['method', 'data', 'getter', 'setter', 'accessor', 'value'];

cases('properties', {
  'get_property': ({ get }) => byKey(get),
  'has_property': ({ has }) => byKey(has),
  'has_own_property': ({ hasOwn }) => byKey(hasOwn),
  'delete_property': (addon) => byKey(addon.delete),
  'delete_property without a result': ({ deleteSilently }) => byKey(deleteSilently),
  'set_property': ({ set }) => byKey((object, key) => set(object, key, 'new value')),
  'get_element': ({ getElement }) => byIndex(getElement),
  'has_element': ({ hasElement }) => byIndex(hasElement),
  'delete_element': ({ deleteElement }) => byIndex(deleteElement),
  'set_element': ({ setElement }) => byIndex((object, index) => setElement(object, index, 'new value')),
  'get_named_property': ({ getNamed }) => each((object) => names.map((name) => getNamed(object, name))),
  'has_named_property': ({ hasNamed }) => each((object) => names.map((name) => hasNamed(object, name))),
  'set_named_property': ({ setNamed }) => names.map((name) => each((object) => setNamed(object, name, 'new value'))),
  'named properties without a name': ({ getNamed, hasNamed, setNamed }) => [getNamed({}, null), hasNamed({}, null), setNamed({}, null, 1)],
  'prototypes': ({ getPrototype }) => each(getPrototype),
  'property names': ({ propertyNames }) => each(propertyNames),
  'all property names': ({ allPropertyNames }) => {
    const results = [];
    for (const mode of [0, 1]) for (const conversion of [0, 1]) for (let filter = 0; filter < 32; filter++) results.push(each((object) => allPropertyNames(object, mode, filter, conversion)));
    return results;
  },
  'all property names, odd modes': ({ allPropertyNames }) => [[2, 0, 0], [-1, 0, 0], [0, 0, 2], [0, 64, 0], [0, -1, 0]].map((args) => allPropertyNames({ a: 1, 2: 3 }, ...args)),
  'property names along the chain': ({ allPropertyNames, propertyNames }) => {
    const chain = Object.create(Object.create({ far: 1, 5: 'five', shared: 1 }, { hidden: { value: 1 } }), { near: { value: 2, enumerable: true }, shared: { value: 3 }, 7: { value: 1, enumerable: true } });
    return [propertyNames(chain), allPropertyNames(chain, 0, 0, 0), allPropertyNames(chain, 0, 2, 1), allPropertyNames(chain, 1, 0, 1)];
  },
  'freeze': ({ freeze }) => each(freeze),
  'seal': ({ seal }) => each(seal),
  'is_array': ({ isArray }) => [each(isArray), isArray(new Proxy([], {})), isArray(arguments_())],
  'primitives as objects': (addon) => primitives().map((primitive) => [
    addon.get(primitive, 'length'), addon.get(primitive, 'toString'), addon.has(primitive, 'a'), addon.hasOwn(primitive, 'length'), addon.delete(primitive, 'a'), addon.set(primitive, 'a', 1),
    addon.getElement(primitive, 0), addon.hasElement(primitive, 0), addon.deleteElement(primitive, 0), addon.setElement(primitive, 0, 1), addon.getPrototype(primitive),
    addon.propertyNames(primitive), addon.allPropertyNames(primitive, 0, 0, 0), addon.freeze(primitive), addon.seal(primitive), addon.isArray(primitive), addon.arrayLength(primitive),
    addon.getNamed(primitive, 'length'), addon.hasNamed(primitive, 'length'), addon.setNamed(primitive, 'a', 1), addon.define(primitive, []),
  ]),
  'array length': ({ arrayLength }) => {
    const sparse = [];
    sparse.length = 2 ** 32 - 1;
    return [each(arrayLength), arrayLength([]), arrayLength(sparse), arrayLength(new Proxy([1], {})), arrayLength(class extends Array {}.of(1, 2))];
  },
  'arrays of a length that is cut': ({ createArray }) => [2 ** 26 + 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 3, 2 ** 53 + 2].map((length) => createArray(length).value?.length),
  'arrays of some length': ({ createArray }) => [0, 1, 2, 100, 10000].map((length) => createArray(length)),
  'strings as keys that look like indices': ({ get, getNamed, hasNamed, set }) => {
    const array = [1, 2, 3];
    return [get(array, '1'), get(array, '01'), getNamed(array, '2'), hasNamed(array, '3'), set(array, '5', 'five'), set(array, 'length', 2), array];
  },
  'receivers of getters': ({ get, getNamed }) => {
    const child = Object.create({ get self() { return this; } });
    return [get(child, 'self').value === child, getNamed(child, 'self').value === child];
  },
  'traps and their order': (addon) => {
    const log = [];
    const traced = new Proxy({ a: 1 }, new Proxy({}, { get: (target, trap) => (...args) => { log.push([trap, ...args.slice(1).map((arg) => (typeof arg === 'object' ? typeof arg : arg))]); return Reflect[trap](...args); } }));
    const results = [
      addon.get(traced, 'a'), addon.has(traced, 'b'), addon.hasOwn(traced, 'a'), addon.set(traced, 'c', 3), addon.setElement(traced, 4, 5), addon.getNamed(traced, 'c'), addon.getElement(traced, 4),
      addon.propertyNames(traced), addon.allPropertyNames(traced, 1, 0, 1), addon.allPropertyNames(traced, 0, 16, 0), addon.delete(traced, 'a'), addon.getPrototype(traced), addon.freeze(traced),
    ];
    return [results.map(({ status, value }) => [status, value === Object.prototype ? 'proto' : value]), log];
  },
  'define: each kind': ({ define }) => kinds.map((kind) => {
    const object = {};
    const result = define(object, [{ utf8: 'p', kind, attributes: 0, value: 'the value' }]);
    return [result, object];
  }),
  'define: each kind with all attributes': ({ define }) => kinds.flatMap((kind) => Array.from({ length: 8 }, (_, attributes) => {
    const object = {};
    return [define(object, [{ utf8: 'p', kind, attributes, value: -0 }]), object];
  })),
  'define: what the functions do': ({ define }) => {
    const object = {};
    define(object, kinds.map((kind) => ({ utf8: kind, kind, attributes: 7, value: { nested: [1] } })));
    object.setter = 'through the setter';
    const first = object.set;
    object.accessor = 'through the accessor';
    return [object.method(), object.data(), object.getter, object.setter, object.accessor, first, object.set, attempt(() => { object.getter = 1; }), object];
  },
  'define: names of all kinds': ({ define }) => keys().map((name) => {
    const object = {};
    return [define(object, [{ name, kind: 'value', attributes: 7, value: 1 }]), object];
  }),
  'define: UTF-8 names': ({ define }) => {
    const object = {};
    return [define(object, ['', '\u20ac', '\ud83d\ude00', 'a b', '0', '__proto__'].map((utf8) => ({ utf8, kind: 'value', attributes: 7, value: utf8 }))), object];
  },
  'define: over what is there': ({ define }) => each((object) => define(object, [{ utf8: 'a', kind: 'value', attributes: 7, value: 'redefined' }])),
  // Not on proxies: V8 lets the exception of such a trap loose after the call, at some later place.
  'define: accessors over what is there': ({ define }) => each((object) => (util.types.isProxy(object) ? null : define(object, [{ utf8: 'a', kind: 'getter', attributes: 0 }]))),
  'define: one of many fails': ({ define }) => {
    const object = Object.defineProperty({}, 'fixed', { value: 1 });
    return [define(object, ['first', 'fixed', 'last'].map((utf8) => ({ utf8, kind: 'value', attributes: 7, value: utf8 }))), object];
  },
  'define: nothing and very much': ({ define }) => {
    const object = {};
    return [define(object, []), define(object, Array.from({ length: 500 }, (_, i) => ({ utf8: `p${i}`, kind: kinds[i % kinds.length], attributes: i % 8, value: i }))), object];
  },
  'define: values that are objects': ({ define }) => {
    const object = {};
    define(object, [{ utf8: 'self', kind: 'value', attributes: 7, value: object }, { utf8: 'none', kind: 'value', attributes: 7, value: null }]);
    return object;
  },
  'an object that native code builds': ({ build }) => build(),
  'an array that native code builds, whose prototype has a name that looks like an index': ({ buildSparse, isArray }) => {
    const seen = [];
    const results = [buildSparse()];
    Object.defineProperty(Array.prototype, 2 ** 32 - 1, { configurable: true, set(value) { seen.push(isArray(this), this.length, value); } });
    try {
      for (let i = 0; i < 5; i++) results.push(buildSparse());
    } finally {
      delete Array.prototype[2 ** 32 - 1];
    }
    return [results, seen];
  },
  'an object that native code builds while Object.prototype is odd': ({ build }) => {
    let seen = '';
    for (const key of ['z', 'a', 'self', '7']) Object.defineProperty(Object.prototype, key, { configurable: true, set(value) { seen += `${key}: ${typeof value}, `; } });
    const results = [];
    try {
      for (let i = 0; i < 5; i++) results.push(build());
    } finally {
      for (const key of ['z', 'a', 'self', '7']) delete Object.prototype[key];
    }
    results.push(build());
    return [results, seen];
  },
  'an object that native code builds with a changed __proto__ chain': ({ build }) => {
    const log = [];
    const results = [];
    const original = Object.getOwnPropertyDescriptor(Object.prototype, '__proto__');
    Object.defineProperty(Object.prototype, '__proto__', { configurable: true, get: () => 'odd', set(value) { log.push(value); } });
    try {
      results.push(build(), build(), build());
    } finally {
      Object.defineProperty(Object.prototype, '__proto__', original);
    }
    return [results, log];
  },
});

function arguments_() {
  return arguments; // eslint-disable-line prefer-rest-params
}
