'use strict';
// Functions: what they are told, whom they call, how deep, and what passes through them.
const { attempt, cases, compare } = require('./harness.js');
const { test } = require('node:test');

const receivers = () => [undefined, null, 0, -0, 'text', true, 5n, Symbol('s'), {}, [], () => 1, globalThis, new Date(3), Object.create(null), new Proxy({}, {})];
const values = () => [undefined, null, true, -0, NaN, 1.5, '', 'text', 'x'.repeat(300), 10n, Symbol('s'), {}, [1], new Date(4), Buffer.from('b'), new Error('e'), Object.create(null)];
const notFunctions = () => [undefined, null, true, 1, 'f', 10n, Symbol('s'), {}, [], new Proxy({}, {})];

cases('callbacks', {
  'callback info': ({ describe }) => [describe(), describe(1), describe(1, 'two', { three: 3 }), describe.call('this', 1), describe.apply(undefined, values()), Reflect.apply(describe, null, [])],
  'callback info for each receiver': ({ describe }) => receivers().map((receiver) => describe.call(receiver, receiver)),
  'callback info as a constructor': ({ describe }) => {
    const object = new describe(1, 2); // eslint-disable-line new-cap
    class Sub extends describe {}
    return [object, new Sub(3), Reflect.construct(describe, [4], Array), Reflect.construct(describe, [5], Sub)];
  },
  'callback info as a method, a getter, a tag, a comparer': ({ describe, describeTwice }) => [
    { describe, a: 1 }.describe('x'), Object.defineProperty({ b: 1 }, 'p', { get: describe }).p, describe`a${1}b`, [3, 1].sort(describeTwice), Array.from([1, 2], describe, 'receiver'),
  ],
  'many arguments': ({ describe }) => [6, 7, 8, 9, 16, 17, 32, 100, 255, 256, 257, 1000].map((count) => describe(...Array.from({ length: count }, (_, i) => (i % 3 ? i : `${i}`)))),
  '10,000 arguments': ({ describe }) => describe(...Array.from({ length: 10_000 }, (_, i) => i)),
  '10,000 arguments that are objects': ({ describe }) => describe(...Array.from({ length: 10_000 }, (_, i) => ({ i }))),
  '10,000 arguments that are strings': ({ describe }) => describe(...Array.from({ length: 10_000 }, (_, i) => `argument ${i}`)),
  'long strings as arguments': ({ describe }) => describe(...Array.from({ length: 100 }, (_, i) => 'ab'.repeat(60 + i))),
  'places for more and fewer arguments': ({ describeCapacity }) => Array.from({ length: 33 }, (_, capacity) => [0, 1, 5, 31, 40].map((count) => describeCapacity(capacity, ...Array(count).fill({ capacity })))),
  'asked twice': ({ describeTwice }) => values().map((value) => describeTwice(value, value)),
  'functions made at run time': ({ makeFunction }) => [null, '', 'name', '\u20ac\ud83d\ude00', 'with\nlines', 'x'.repeat(300)].flatMap((name) => [undefined, 0, 2].filter((length) => length === undefined || name?.length >= length || length === 0)
    .flatMap((length) => [undefined, 0, 1, 3].map((cell) => {
      const result = makeFunction(name, length, cell);
      return [result, result.value && result.value.call('t', 1, 2)];
    }))),
  'functions made at run time: names of invalid length': ({ makeFunction }) => [2 ** 31, 2 ** 32, 2 ** 40].map((length) => makeFunction('name', length)),
  'a thousand functions': ({ makeFunction }) => {
    const functions = Array.from({ length: 1000 }, (_, i) => makeFunction(`f${i}`, undefined, i % 4).value);
    return functions.map((f, i) => [f.name, f(i).args[0], f().data]);
  },
  'calls of JavaScript functions': ({ callFunction }) => receivers().map((receiver) => [
    callFunction(receiver, function strict(...args) { return [this, args, new.target]; }, values()),
    callFunction(receiver, Function('return [typeof this, arguments.length]'), [1, 2]), // eslint-disable-line no-new-func
  ]),
  'calls return any value': ({ callFunction }) => values().map((value) => {
    const { status, value: returned } = callFunction(undefined, () => value, []);
    return [status, returned, Object.is(returned, value)];
  }),
  'calls throw any value': ({ callFunction }) => values().map((value) => {
    const result = callFunction(undefined, () => { throw value; }, []);
    return [result, Object.is(result.thrown, value)];
  }),
  'calls of functions of all kinds': ({ callFunction }) => [
    Math.max, Array.prototype.concat, class { constructor() { this.a = 1; } }, async () => 5, function* () { yield 1; }, new Proxy((x) => x, {}), ((x) => x).bind(null, 'bound'), parseInt, Symbol, String, Date.UTC,
    new Proxy(() => 1, { apply: (target, self, args) => ['trapped', self, args] }), Proxy.revocable(() => 1, {}).proxy, JSON.stringify,
  ].map((f) => callFunction([7], f, ['5', '6'])),
  'calls of what is no function': ({ callFunction, callWithoutResult, newInstance }) => notFunctions().map((f) => [callFunction(undefined, f, []), callWithoutResult(f, 1), newInstance(f, [])]),
  'calls of a revoked proxy': ({ callFunction }) => {
    const { proxy, revoke } = Proxy.revocable(() => 1, {});
    revoke();
    return callFunction(undefined, proxy, []);
  },
  'calls with 10,000 arguments': ({ callFunction }) => [callFunction(undefined, (...args) => args.length, Array(10_000).fill('x')), callFunction(undefined, (...args) => args, Array.from({ length: 10_000 }, (_, i) => ({ i })))],
  'calls of an addon\'s own functions': ({ callFunction, describe, returnThis, makeFunction }) => [
    callFunction('self', describe, [1, 2]), callFunction({ a: 1 }, returnThis, []), callFunction(undefined, makeFunction('made', undefined, 2).value, values()),
  ],
  'calls without a result': ({ callWithoutResult }) => [callWithoutResult((x) => x, 1), callWithoutResult(() => { throw new Error('lost?'); }, 1)],
  'new instances': ({ newInstance, describe }) => [Object, Array, Date, Map, Error, Uint8Array, Proxy, Promise, class A { constructor(...args) { this.args = args; this.target = new.target.name; } }, describe, function old() { this.a = 1; },
    function odd() { return { odd: 1 }; }, () => 1, Symbol, BigInt, class { constructor() { throw new RangeError('no'); } }, parseInt].map((Class) => newInstance(Class, Class === Promise ? [() => 1] : [5])),
  'new instances of a bound class and of a proxy': ({ newInstance }) => {
    class Point { constructor(x, y) { this.x = x; this.y = y; } }
    const log = [];
    const proxy = new Proxy(Point, { construct(target, args, newTarget) { log.push(args, newTarget === proxy); return Reflect.construct(target, args, newTarget); } });
    return [newInstance(Point.bind(null, 1), [2]), newInstance(proxy, [3, 4]), log];
  },
  'exceptions that are caught': ({ catchException }) => values().map((value) => {
    const result = catchException(() => { throw value; });
    return [result, Object.is(result.caught, value)];
  }),
  'exceptions that are not there': ({ catchException }) => [catchException(() => 1), catchException({})],
  'calls while an exception is pending': ({ callWhilePending }) => {
    const log = [];
    return [callWhilePending(() => { log.push(1); throw new Error('first'); }, () => { log.push(2); }), callWhilePending(() => log.push(3), () => { log.push(4); throw new Error('second'); }), log];
  },
  'what is returned': ({ returnNull, returnThis }) => [returnNull(), new returnNull(), ...receivers().map((receiver) => returnThis.call(receiver)), new returnThis()], // eslint-disable-line new-cap
  'returned with an exception pending': ({ throwAndReturn }) => values().map((value) => {
    const { thrown } = attempt(() => throwAndReturn(value));
    return [thrown, Object.is(thrown, value)];
  }),
  'calls many times': ({ callMany }) => [callMany((i) => i * 2, 5000), callMany(Math.sqrt, 0)],
  'calls many times with objects': ({ callMany }) => {
    const seen = new Map();
    return [callMany((i) => { seen.set(i, { i }); return [...seen.keys()].length; }, 200), seen.size];
  },
  'exceptions pass through all levels': ({ nest }) => [1, 2, 10, 50].map((depth) => {
    const unwound = [];
    const error = Object.assign(new RangeError('at the bottom'), { code: 'BOTTOM' });
    const result = attempt(() => nest(depth, function again(rest) {
      if (rest === 0) throw error;
      try {
        return nest(rest, again);
      } finally {
        unwound.push(rest);
      }
    }));
    return [result.thrown === error, unwound];
  }),
  'an exception that is replaced on the way': ({ nest }) => attempt(() => nest(5, function again(rest) {
    try {
      if (rest === 0) throw new Error('the bottom');
      return nest(rest, again);
    } catch (error) {
      throw Object.assign(new Error(`level ${rest}`), { inner: error });
    }
  })),
  'an exception that is caught half-way': ({ nest }) => {
    let caught;
    return [nest(10, function again(rest) {
      if (rest === 0) throw new Error('the bottom');
      if (rest !== 5) return nest(rest, again);
      try {
        return nest(rest, again);
      } catch (error) {
        caught = error;
        return 100;
      }
    }), caught];
  },
  'nested calls that keep values of every level': ({ nest, describe }) => {
    const collected = [];
    const depth = nest(30, function again(rest) {
      const before = describe.call({ rest }, `level ${rest}`, { rest }, new Date(rest));
      const inner = nest(rest, again);
      collected.push(before, describe(rest, inner));
      return inner;
    });
    return [depth, collected];
  },
  'two functions of the addon in turn': ({ nest, callFunction, catchException }) => nest(20, function again(rest) {
    return callFunction(undefined, () => (rest % 2 ? nest(rest, again) : catchException(() => { throw nest(rest, again); }).caught), []).value;
  }),
  'JavaScript that runs out of stack below': ({ callFunction }) => {
    const { status, thrown } = callFunction(undefined, function endless() { return endless() + 1; }, []);
    return [status, thrown.name, thrown.message];
  },
  'microtasks run after the outermost call': async ({ nest }) => {
    const log = [];
    nest(3, function again(rest) {
      Promise.resolve().then(() => log.push(`microtask ${rest}`));
      process.nextTick(() => log.push(`tick ${rest}`));
      log.push(`call ${rest}`);
      return nest(rest, again);
    });
    log.push('returned');
    await null;
    await new Promise((resolve) => { setImmediate(resolve); });
    return log;
  },
  'generators and async functions around calls': async ({ callFunction }) => {
    function* numbers() { for (let i = 0; i < 5; i++) yield callFunction(i, function double(x) { return Number(this) + x; }, [i]).value; }
    return [[...numbers()], await Promise.all([1, 2].map(async (x) => callFunction(undefined, async (y) => x + y, [1]).value))];
  },
});

for (const depth of [1, 10, 100, 200]) {
  test(`nested calls through JavaScript, ${depth} deep`, (t) => compare(t, 'callbacks', ({ nest }) => nest(depth, function again(rest) { return nest(rest, again); })));
}
