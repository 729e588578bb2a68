'use strict';
// Addons written in C++ with node-addon-api: classes, exceptions in both directions, persistent functions, promises.
const { attempt, cases } = require('./harness.js');

cases('cpp_wrap', {
  'the class': (addon) => addon,
  'instances': ({ Store }) => {
    const store = new Store('name');
    const before = [store, store.size, store.name, `${store}`];
    store.set('a', 1).set('b', '2').set('\u20ac', -0);
    store.name = { toString: () => 'renamed' };
    return [before, store.size, store.name, `${store}`, store.get('a'), store.get('b'), store.get('\u20ac'), store instanceof Store];
  },
  'errors of methods': ({ Store }) => {
    const store = new Store();
    return [
      attempt(() => store.get('missing')), attempt(() => new Store(5)), attempt(() => Store()), attempt(() => store.get()), attempt(() => store.set(1, 2)),
      attempt(() => Store.prototype.get.call({}, 'a')), attempt(() => { 'use strict'; store.size = 5; }), attempt(() => store.set('a', Symbol('s'))),
    ];
  },
  'calls back for each value': ({ Store }) => {
    const seen = [];
    const store = Store.from({ z: 1, a: 2, m: 3 });
    store.forEach(function each(key, value) { seen.push(key, value, this === store); });
    return [seen, store.size, store.name, attempt(() => store.forEach((key) => { throw new RangeError(key); })), store.get('m')];
  },
  'another instance as argument': ({ Store }) => {
    const one = Store.from({ a: 1, b: 2 });
    const two = Store.from({ b: 3, c: 4 });
    return [one.merge(two) === one, one.size, one.get('b'), two.size, attempt(() => one.merge(5)), attempt(() => one.merge())];
  },
  'a subclass': ({ Store }) => {
    class Counted extends Store {
      reads = 0;
      get(key) { this.reads++; return super.get(key); }
      static make() { return this.from({ a: 1 }); }
    }
    const counted = Counted.make();
    return [counted.get('a'), counted.reads, counted instanceof Counted, Object.getPrototypeOf(Counted) === Store, Counted.kind, counted.name];
  },
});

cases('cpp_values', {
  'primitives': ({ primitives }) => primitives(),
  'errors that C++ throws': (addon) => [
    attempt(() => addon.throw(0)), attempt(() => addon.throw(1)), attempt(() => addon.throw(2)),
    ...[new Error('own'), Object.assign(new TypeError('t'), { code: 'C' }), { plain: true }, 'text', 5, undefined, null, Symbol('s'), () => 1].map((value) => {
      const result = attempt(() => addon.throw(3, value));
      return [result, Object.is(result.thrown, value)];
    }),
  ],
  'errors that C++ catches': (addon) => [new Error('caught'), Object.assign(new RangeError('r'), { code: 5 }), { message: 'looks like one' }, 'text', 5n, undefined, null].map((value) => {
    const result = addon.catch(() => { throw value; });
    return [result, Object.is(result.thrown, value)];
  }),
  'nothing to catch': (addon) => [addon.catch((x) => ({ x }), 5), addon.catch(() => undefined)],
  'errors that pass through C++ frames': ({ through }) => {
    const error = new SyntaxError('through');
    const down = (depth) => () => { if (depth === 0) throw error; return through(down(depth - 1)); };
    return [attempt(() => through(down(0))).thrown === error, attempt(() => through(down(20))).thrown === error, through(() => 'fine')];
  },
  'a walk through options': ({ describe }) => [
    describe({ text: 'a', number: 1, truth: false, f: () => 1, list: [1, 2, 3], buffer: Buffer.alloc(7), nothing: null, undefined: undefined, object: {}, symbol: Symbol('s') }),
    describe(Object.create({ inherited: 1 }, { own: { value: 2, enumerable: true }, hidden: { value: 3 } })), describe(['a', 2]), describe({}),
    attempt(() => describe({ get bad() { throw new Error('bad getter'); } })),
  ],
  'typed arrays and Buffers': ({ sum, reverse }) => [sum(new Float64Array([1, 2.5, -3])), sum(new Float64Array(1000).fill(0.1)), sum(new Float64Array()), reverse(Buffer.from('abc')), reverse(Buffer.alloc(0)), reverse(Buffer.alloc(5000, 'xy')).subarray(0, 4)],
  'a function that is kept': ({ save, callSaved }) => {
    let calls = 0;
    save((...args) => { calls += args.length; return { calls, args }; });
    const results = [callSaved(), callSaved(1, 'two'), callSaved({ three: 3 })];
    save(() => { throw new Error('kept and thrown'); });
    return [results, attempt(() => callSaved())];
  },
  'promises': async ({ promise }) => {
    const settled = await Promise.allSettled([promise(5), promise({ a: 1 }, false), promise(new Error('no'), true), promise(promise(7)), promise(undefined, 1)]);
    return [settled, promise(1) instanceof Promise];
  },
});
