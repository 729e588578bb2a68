'use strict';
// Values of world.js that have code: functions, classes, proxies. What they do when they are used they write to the log of the run; some call back into
// the program (`callback(n)`: its function n).
const util = require('node:util');
const { wellKnown } = require('./observe.js');

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

/** What another addon's functions do, and what both do together. */
const guests = {
  functions: {
    guest0: ({ guest }) => guest(0),
    guest1: ({ guest }) => guest(1),
    guestRelay: ({ callback, guest }) => (...args) => guest(0)(callback(1), callback(2)(...args), ...args),
    guestBack: ({ callback, guest }) => (...args) => callback(0)(guest(1), guest(2)(...args), ...args),
    guestConstructs: ({ callback, guest }) => (...args) => callback(1)(new (guest(2))(...args), new (callback(2))(guest(0))),
  },
  classes: { guestExtending: ({ guest }) => class extends guest(2) {}, guestBare: ({ guest }) => guest(3) },
  objects: {
    guestAccessors: ({ callback, guest }) => ({
      get a() {
        return guest(0)(this);
      },
      set a(value) {
        guest(1)(value, callback(0));
      },
      b: guest(2),
    }),
    guestProxy: (ctx) => logging(ctx, { a: 1 }, { get: (target, key) => (typeof key === 'string' ? ctx.guest(0)(key) : undefined) }),
  },
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

module.exports = { classes, detaching, fail, functions, guests, ofFunction, proxies };
