'use strict';
// Classes and wrapped objects.
const { attempt, cases } = require('./harness.js');

const values = () => [undefined, null, true, 1, 'text', 10n, Symbol('s'), {}, [], () => 1, new Date(1), new Proxy({}, {}), Object.freeze({}), Object.create(null), Buffer.from('x'), new Map()];

cases('classes', {
  'the class': ({ Counter }) => Counter,
  'instances': ({ Counter }) => [new Counter(), new Counter(5), new Counter(-0), new Counter(NaN), new Counter(5, 6)],
  'instanceof and prototypes': ({ Counter }) => {
    const counter = new Counter(1);
    return [counter instanceof Counter, Object.getPrototypeOf(counter) === Counter.prototype, counter.constructor === Counter, Counter.prototype.constructor === Counter, String(counter), Object.keys(counter)];
  },
  'without new': ({ Counter }) => [attempt(() => Counter(1)), attempt(() => Counter.call({}, 1)), attempt(() => Counter.call(new Counter(2), 1)), attempt(() => Reflect.apply(Counter, undefined, []))], // eslint-disable-line new-cap
  'constructors that throw': ({ Counter }) => values().map((value) => attempt(() => new Counter(value))),
  'methods': ({ Counter, symbol }) => {
    const counter = new Counter(5);
    return [counter.increment(), counter.add(10), counter.add(-0.5), counter[symbol](), counter['named by value'](), counter.plus(counter), counter.plus(new Counter(1)), counter.value];
  },
  'accessors': ({ Counter }) => {
    const counter = new Counter(5);
    counter.value = 9;
    counter.writeonly = counter.value + 1;
    return [counter.value, counter.readonly, counter.writeonly, attempt(() => { counter.readonly = 1; }), attempt(() => { counter.constant = 1; }), counter.constant, counter.mutable, counter];
  },
  'sloppy assignments': ({ Counter }) => {
    const counter = new Counter(1);
    Function('c', 'c.readonly = 2; c.constant = 3; c.mutable = 4; c.increment = 5; c.extra = 6')(counter); // eslint-disable-line no-new-func
    return [counter, counter.readonly, counter.constant, counter.mutable];
  },
  'statics': ({ Counter }) => [Counter.limit, Counter.version, Counter.create(3), Counter.create(), attempt(() => { Counter.limit = 1; }), attempt(() => { Counter.version = 1; }), attempt(() => Counter.create.call(Number)), attempt(() => Counter.create.call({}))],
  'methods of others': ({ Counter }) => {
    const { increment, add, plus } = Counter.prototype;
    const { get, set } = Object.getOwnPropertyDescriptor(Counter.prototype, 'value');
    return values().map((value) => [increment, add, plus, get, set].map((method) => attempt(() => method.call(value, 1))));
  },
  'methods of the prototype itself': ({ Counter }) => [attempt(() => Counter.prototype.increment()), attempt(() => Counter.prototype.value), attempt(() => { Counter.prototype.value = 1; })],
  'methods of objects that inherit from an instance': ({ Counter }) => {
    const child = Object.create(new Counter(4));
    return [attempt(() => child.increment()), attempt(() => child.value), attempt(() => child.plus(new Counter(1)))];
  },
  'methods through a proxy': ({ Counter }) => {
    const counter = new Counter(7);
    const proxy = new Proxy(counter, {});
    return [attempt(() => proxy.increment()), attempt(() => proxy.value), attempt(() => counter.plus(proxy)), counter.value];
  },
  'arguments that are not wrapped': ({ Counter }) => values().map((value) => attempt(() => new Counter(1).plus(value))),
  'methods that are taken off': ({ Counter }) => {
    const { increment } = new Counter(1);
    const bound = increment.bind(new Counter(10));
    return [attempt(increment), bound(), bound(), increment.call(new Counter(20)), [1, 2].map(increment, new Counter(30))];
  },
  'methods as constructors': ({ Counter }) => [attempt(() => new (new Counter(1)).increment()), attempt(() => new Counter.create(1))], // eslint-disable-line new-cap
  'subclasses': ({ Counter }) => {
    class Double extends Counter {
      constructor(start) { super(start * 2); this.own = 'own'; }
      increment() { return super.increment() + 1000; }
      get value() { return super.value * 10; }
      set value(to) { super.value = to / 10; }
      static create(start) { return super.create(start); }
    }
    class Triple extends Double { increment() { return [super.increment(), 'triple']; } }
    const double = new Double(4);
    const triple = new Triple(5);
    const results = [double.increment(), triple.increment(), double.value, double.readonly, double.plus(triple), Double.create(3), Triple.limit];
    double.value = 500;
    return [results, double.value, double, triple, double instanceof Counter, attempt(() => Double(1)), attempt(() => new Double('x'))]; // eslint-disable-line new-cap
  },
  'subclasses that forget super()': ({ Counter }) => attempt(() => new (class extends Counter { constructor() { return {}; } })()),
  'old-style inheritance': ({ Counter }) => {
    function Old() { return Reflect.construct(Counter, [8], new.target); }
    Old.prototype = Object.create(Counter.prototype, { constructor: { value: Old } });
    const old = new Old();
    return [old.increment(), old instanceof Old, old.constructor === Old];
  },
  'Reflect.construct with another target': ({ Counter }) => {
    const odd = Reflect.construct(Counter, [9], Array);
    return [Array.isArray(odd), odd instanceof Array, attempt(() => odd.increment()), Counter.prototype.increment.call(odd)];
  },
  'a changed prototype': ({ Counter }) => {
    const counter = new Counter(1);
    Object.setPrototypeOf(counter, null);
    return [Counter.prototype.increment.call(counter), counter];
  },
  'a hundred instances, mixed': ({ Counter }) => {
    const counters = Array.from({ length: 100 }, (_, i) => new Counter(i));
    let sum = 0;
    for (let round = 0; round < 10; round++) for (const [i, counter] of counters.entries()) sum += counter.add(i) + counters[(i * 7) % 100].plus(counter);
    return [sum, counters.map((counter) => counter.value)];
  },
  'wrap': ({ wrap, unwrap }) => values().map((value) => [wrap(value, 5), unwrap(value)]),
  'wrap a second time': ({ wrap, unwrap, Counter }) => {
    const object = {};
    const counter = new Counter(3);
    return [wrap(object, 1), wrap(object, 2), unwrap(object), wrap(counter, 4), unwrap(counter), counter.value];
  },
  'unwrap what is not wrapped': ({ unwrap, removeWrap }) => values().map((value) => [unwrap(value), removeWrap(value)]),
  'remove and wrap again': ({ wrap, unwrap, removeWrap }) => {
    const object = {};
    return [wrap(object, 1), removeWrap(object), unwrap(object), removeWrap(object), wrap(object, 2), unwrap(object), removeWrap(object), wrap(object, 3), unwrap(object)];
  },
  'remove the wrap of an instance': ({ removeWrap, Counter, wrap }) => {
    const counter = new Counter(6);
    return [counter.increment(), removeWrap(counter), attempt(() => counter.increment()), wrap(counter, 60), counter.increment(), new Counter(1).plus(counter)];
  },
  'wrap NULL': ({ wrapNull, wrap }) => {
    const object = {};
    return [wrapNull(object), wrapNull(object), wrap(object, 1)];
  },
  'wraps are not properties': ({ wrap, unwrap }) => {
    const object = { a: 1 };
    wrap(object, 1);
    return [object, Reflect.ownKeys(object), { ...object }, unwrap({ ...object }), unwrap(structuredClone(object)), JSON.stringify(object)];
  },
  'wrapped functions and globals': ({ wrap, unwrap, removeWrap }) => [() => 1, Math, globalThis].map((object) => [wrap(object, 8).status, unwrap(object), removeWrap(object)]),
  'a wrapped object that is frozen later': ({ wrap, unwrap, removeWrap }) => {
    const object = {};
    return [wrap(object, 3), unwrap(Object.freeze(object)), removeWrap(object), unwrap(object)];
  },
  'the reference of a wrap': ({ wrapWithReference, wrapReference, deleteWrapReference, unwrap, removeWrap }) => {
    const object = { name: 'wrapped' };
    const results = [wrapWithReference(object, 77), wrapReference().value === object, wrapReference(), wrapReference(), unwrap(object), removeWrap(object), unwrap(object)];
    return [results, deleteWrapReference()];
  },
  'classes made at run time': ({ defineClass }) => [['A'], ['A', 1], ['AB', 1], ['\u20ac'], [''], ['x'.repeat(300)], ['A', 0]].map((args) => {
    const result = defineClass(...args);
    const Class = result.value;
    return [result, Class && [new Class(), new Class(1, 2), attempt(() => Class(1)), attempt(() => Class.call({ own: 1 }, 1)), new (class extends Class {})(1)]];
  }),
  'classes without a name': ({ defineClass }) => [defineClass(null), defineClass(undefined, 0), defineClass('A', 2 ** 31), defineClass('A', 2 ** 40)],
  'how many were created': ({ counts }) => counts().created,
});
