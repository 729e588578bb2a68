'use strict';
// Async contexts, napi_make_callback, callback scopes: statuses, `this`, resources, exceptions, and when ticks run.
const { AsyncLocalStorage, executionAsyncResource } = require('node:async_hooks');
const { attempt, cases, turn } = require('./harness.js');
const { programs } = require('./support/programs.js');

/** A context for the time of `run(context)`. */
function within(addon, run, resource, name = 'test context') {
  const { status, value } = addon.init(name, resource);
  if (status !== 'napi_ok') return { status };
  try {
    return run(value);
  } finally {
    addon.destroy(value);
  }
}

cases('async_contexts', {
  'misuse': (addon) => addon.misuse(Symbol('name')),
  'init and destroy': (addon) => [undefined, {}, [], () => {}, 'text', 5, Symbol('s')].flatMap((resource) => ['name', 5, {}, Symbol('name')].map((name) => {
    const { value, ...result } = addon.init(name, resource);
    return [result, result.status === 'napi_ok' ? addon.destroy(value) : null];
  })),
  'make: this, arguments, result': (addon) => within(addon, (context) => {
    const receiver = { receiver: 1 };
    const seen = [];
    const result = addon.make(context, receiver, function (...args) {
      seen.push(this === receiver, args);
      return { result: 1 };
    }, 1, 'two', { three: 3 });
    return [result, seen];
  }),
  'make without a context': (addon) => addon.make(null, { a: 1 }, function (...args) { return [this, args]; }, 1, 2),
  'make: receivers': (addon) => within(addon, (context) => [globalThis, {}, [1], () => 1, 5, 'text', null, undefined, Symbol('s')]
    .map((receiver) => addon.make(context, receiver, function () { 'use strict'; return typeof this; }))),
  'make: what is no function': (addon) => within(addon, (context) => [{}, 5, 'text', null, undefined, Symbol('s'), class A {}]
    .map((what) => addon.make(context, {}, what))),
  'make: an exception comes with the status': (addon) => within(addon, (context) => addon.make(context, {}, () => { throw new RangeError('thrown'); })),
  'make: an exception is passed on': (addon) => within(addon, (context) => attempt(() => addon.makeAndPassOn(context, {}, () => { throw new RangeError('thrown'); }))),
  'make in make': (addon) => within(addon, (context) => {
    const deep = (left) => (left === 0 ? 'bottom' : addon.make(context, {}, () => deep(left - 1)));
    return deep(20);
  }),
  'make: the resource': (addon) => {
    const resource = { name: 'mine' };
    return within(addon, (context) => [addon.make(context, {}, () => executionAsyncResource() === resource), executionAsyncResource() === resource], resource);
  },
  'make: ticks wait for the outermost': async (addon) => {
    const log = [];
    within(addon, (context) => addon.make(context, {}, () => {
      process.nextTick(() => log.push('tick'));
      queueMicrotask(() => log.push('microtask'));
      log.push('called');
    }));
    log.push('returned');
    await turn();
    return log;
  },
  'scopes, one in the other': async (addon) => {
    const log = [];
    const rows = [0, 1, 2, 5].map((depth) => within(addon, (context) => addon.inScopes(context, {}, () => {
      process.nextTick(() => log.push(`tick ${depth}`));
      log.push(depth);
    }, depth)));
    log.push('returned');
    await turn();
    return [rows, log];
  },
  'an exception in scopes': (addon) => [0, 1, 3].map((depth) => within(addon, (context) => addon.inScopes(context, {}, () => { throw new Error('thrown'); }, depth))),
  'a scope without a resource': (addon) => within(addon, (context) => addon.inScopes(context, undefined, () => 1, 1)),
  'scopes: the resource': (addon) => {
    const resource = { name: 'mine' };
    const other = { name: 'other' };
    const seen = [];
    const rows = within(addon, (context) => addon.inScopes(context, other, () => {
      const current = executionAsyncResource();
      seen.push(current === resource, current === other);
    }, 1), resource);
    return [rows, seen];
  },
  'AsyncLocalStorage: the context is that of init': (addon) => {
    const storage = new AsyncLocalStorage();
    const { value } = storage.run('init', () => addon.init('mine', {}));
    const result = storage.run('make', () => addon.make(value, {}, () => storage.getStore()));
    const seen = [];
    storage.run('scope', () => addon.inScopes(value, {}, () => seen.push(storage.getStore()), 1));
    return [result, seen, storage.run('none', () => addon.make(null, {}, () => storage.getStore() ?? 'no store')), addon.destroy(value)];
  },
});

// From a timer of libuv's there is no JavaScript below: ticks run at the end of the scope, and nobody can catch.
for (const how of ['make', 'scope', 'scopes', 'call']) {
  programs({
    [`outside, ${how}: ticks and microtasks`]: (kit, of) => {
      const addon = kit.dlopen(kit.addonFile('async_contexts'));
      const { value } = addon.init('mine', {});
      addon.outside(of, value, {}, () => {
        kit.print('called');
        process.nextTick(() => kit.print('tick'));
        queueMicrotask(() => kit.print('microtask'));
      });
      process.on('exit', (code) => kit.print([code, addon.destroy(value).status]));
    },
    [`outside, ${how}: an exception`]: (kit, of) => {
      const addon = kit.dlopen(kit.addonFile('async_contexts'));
      const { value } = addon.init('mine', {});
      process.on('exit', (code) => kit.print(`exit ${code}`));
      addon.outside(of, value, {}, function callback() { throw new Error('from outside'); });
    },
    [`outside, ${how}: an exception that is an uncaughtException`]: (kit, of) => {
      const addon = kit.dlopen(kit.addonFile('async_contexts'));
      const { value } = addon.init('mine', {});
      process.on('uncaughtException', (error, origin) => kit.print([error.message, origin]));
      process.on('exit', (code) => kit.print(`exit ${code}`));
      addon.outside(of, value, {}, () => {
        process.nextTick(() => kit.print('tick'));
        throw new Error('from outside');
      });
    },
    [`outside, ${how}: AsyncLocalStorage`]: (kit, of) => {
      const { AsyncLocalStorage } = require('node:async_hooks');
      const storage = new AsyncLocalStorage();
      const addon = kit.dlopen(kit.addonFile('async_contexts'));
      const { value } = storage.run('init', () => addon.init('mine', {}));
      storage.run('start', () => addon.outside(of, value, {}, () => {
        kit.print(storage.getStore() ?? 'no store');
        process.nextTick(() => kit.print(['tick', storage.getStore() ?? 'no store']));
      }));
    },
  }, { args: [how] });
}

programs({
  'outside, without a context': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_contexts'));
    addon.outside('make', null, { a: 1 }, function callback() {
      kit.print(this);
      process.nextTick(() => kit.print('tick'));
    });
  },
  'async_hooks of contexts': (kit) => {
    const followed = kit.followAsync((...entry) => kit.print(entry), (of) => [of]);
    const addon = kit.dlopen(kit.addonFile('async_contexts'));
    for (const resource of [{ mine: 1 }, undefined]) {
      const { value } = addon.init('MINE', resource);
      const ids = () => kit.print(followed.ids());
      addon.make(value, {}, ids);
      addon.inScopes(value, {}, ids, 2);
      addon.make(null, {}, ids);
      addon.outside('scope', value, {}, ids);
      addon.outside('make', value, {}, () => {
        ids();
        setImmediate(() => addon.destroy(value));
      });
    }
  },
});
