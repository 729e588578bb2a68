'use strict';
// The env as bindings of other languages reach it: with the context of the function (napi_get_cb_info comes first), without a word about it, and kept
// in a static from an earlier call; in functions, getters, methods, constructors, and from whatever calls them.
const { attempt, cases, turn } = require('./harness.js');

const values = () => [undefined, null, -0, 'text', 10n, Symbol.for('s'), {}, [1], () => 1, new Date(3)];

/** Calls of a function by everything that calls functions. */
const callers = {
  'plainly': (f) => f(),
  'with arguments': (f) => f(...values()),
  'as a method': (f) => ({ name: 'holder', f }).f(1),
  'call': (f) => f.call({ receiver: 1 }, 'a'),
  'apply': (f) => f.apply(undefined, [1, 2, 3, 4, 5, 6]),
  'bind': (f) => f.bind({ bound: 1 }, 'first')('second'),
  'Reflect.apply': (f) => Reflect.apply(f, null, []),
  'a tag': (f) => f`a${1}b`,
  'a getter': (f) => Object.defineProperty({ of: 'getter' }, 'p', { get: f }).p,
  'a setter': (f) => {
    const object = Object.defineProperty({}, 'p', { set: f });
    object.p = 'set';
    return object;
  },
  'an inherited getter': (f) => Object.create(Object.defineProperty({}, 'p', { get: f }), { own: { value: 1 } }).p,
  'map': (f) => [1, 2].map(f, 'receiver'),
  'replace': (f) => 'abc'.replace('b', f),
  'toString': (f) => `${attempt(() => `${{ toString: f }}`).thrown?.name}`,
  'valueOf': (f) => attempt(() => +{ valueOf: f, toString: () => '1' }),
  'toJSON': (f) => JSON.stringify({ toJSON: f }),
  'a proxy of it': (f) => new Proxy(f, {})('through a proxy'),
  'a trap': (f) => new Proxy({}, { get: f }).property,
  'an iterator': (f) => attempt(() => [...{ [Symbol.iterator]: f }]),
  'a generator around it': (f) => [...(function* g() { yield f(); yield f(1); })()],
  'an async function': async (f) => [await f(), await Promise.resolve().then(f)],
  'a microtask': (f) => new Promise((resolve) => { queueMicrotask(() => resolve(f())); }),
  'setImmediate': (f) => new Promise((resolve) => { setImmediate(() => resolve(f('later'))); }),
  'new': (f) => Object.keys(new f(1)), // eslint-disable-line new-cap
  'Reflect.construct': (f) => Reflect.construct(f, [1], class Target {}) instanceof Object,
  'a class that extends it': (f) => Object.keys(new (class Sub extends f {})(1)),
};

const runs = {};
for (const [how, call] of Object.entries(callers)) {
  for (const name of ['withContext', 'makeObject', 'nothing', 'runScript']) {
    runs[`${name}, called by: ${how}`] = async (addon) => {
      try {
        return { value: await call(addon[name]) };
      } catch (error) {
        return { thrown: error };
      }
    };
  }
}
for (const name of ['Context', 'Contextless']) {
  runs[`the class ${name}`] = ({ [name]: Class }) => {
    const object = new Class('argument');
    class Sub extends Class { constructor() { super('from below'); this.own = 1; } }
    const sub = new Sub();
    return [
      Class, object, sub, object.withContext(1, 2), object.makeObject(), object.contextGetter, object.getter, object.nothing,
      attempt(() => object.throwing), attempt(() => { object.throwing = 1; }), attempt(() => { object.getter = 1; }),
      Class.staticMethod(), Class.staticGetter, Class.nothing(), attempt(() => Sub.staticMethod()), attempt(() => Sub.staticGetter),
      sub.contextGetter, attempt(() => sub.withContext.call(5)), attempt(() => Class('no new')), // eslint-disable-line new-cap
    ];
  };
}

cases('envs', {
  ...runs,
  'exceptions': ({ throwWithContext, throwWithout }) => [attempt(throwWithout), ...values().map((value) => {
    const { thrown } = attempt(() => throwWithContext(value));
    return [thrown, Object.is(thrown, value)];
  })],
  'exceptions through JavaScript, and out of a promise': async ({ throwWithout, throwWithContext }) => [
    attempt(() => [1].forEach(throwWithout)), await Promise.reject(new Error('e')).catch((error) => attempt(() => throwWithContext(error))),
    await (async () => throwWithout())().catch((error) => error),
  ],
  'a global callback': ({ callGlobal, makeObject }) => {
    const results = [callGlobal()];
    try {
      for (const callback of [() => 5, makeObject, () => { throw new RangeError('from JavaScript'); }, () => callGlobal.name]) {
        globalThis.envsCallback = callback;
        results.push(attempt(callGlobal));
      }
    } finally {
      delete globalThis.envsCallback;
    }
    return results;
  },
  'a global callback that comes back': ({ callGlobal, makeObject, withContext }) => {
    let depth = 0;
    globalThis.envsCallback = () => (depth++ < 20 ? [depth, withContext(depth), callGlobal()] : makeObject());
    try {
      return callGlobal();
    } finally {
      delete globalThis.envsCallback;
    }
  },
  'much at once': ({ workHard }) => workHard(),
  'what the env knows': ({ about }) => about(),
  'an env that was kept': async ({ remember, callKept, about }) => {
    const log = [];
    const receiver = { remember };
    receiver.remember(function kept(count) { log.push(this === receiver); return { argument: typeof count }; });
    const results = [callKept(), [1, 2].map(callKept), about()];
    await turn();
    results.push(callKept(), await new Promise((resolve) => { queueMicrotask(() => resolve(callKept())); }));
    remember.call('other', () => { throw new TypeError('from the kept function'); });
    return [results, callKept(), log];
  },
  'an env that was kept, used far below': ({ remember, callKept, makeObject }) => {
    let depth = 0;
    remember(() => (depth++ < 15 ? [depth, makeObject().text, callKept()] : 'the bottom'));
    return callKept();
  },
  'exceptions on the kept env': ({ remember, throwOnKept, callKept }) => {
    remember(() => throwOnKept());
    return [attempt(throwOnKept), callKept(), attempt(() => [1].map(throwOnKept))];
  },
});
