'use strict';
// Promises that native code makes and settles.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { attempt, cases, turn } = require('./harness.js');
const { runJson } = require('./support/child.js');

const values = () => [undefined, null, true, -0, NaN, 'text', 10n, Symbol('s'), {}, [1], () => 1, new Error('an error'), new Date(1)];
const settle = (promise) => promise.then((value) => ({ fulfilled: value }), (reason) => ({ rejected: reason }));

cases('promises', {
  'what they look like': ({ create }) => {
    const { promise, index } = create();
    return [promise, typeof index, promise instanceof Promise, Object.prototype.toString.call(promise)];
  },
  'resolve': async ({ create, resolve }) => Promise.all(values().map(async (value) => {
    const { promise, index } = create();
    const result = resolve(index, value);
    const settled = await settle(promise);
    return [result, settled, Object.is(settled.fulfilled, value)];
  })),
  'reject': async ({ create, reject }) => Promise.all(values().map(async (value) => {
    const { promise, index } = create();
    const result = reject(index, value);
    const settled = await settle(promise);
    return [result, settled, Object.is(settled.rejected, value)];
  })),
  'settled before JavaScript sees it': async ({ settled }) => Promise.all(values().flatMap((value) => [settle(settled(value, false)), settle(settled(value, true))])),
  'resolve with promises': async ({ create, resolve, settled }) => {
    const list = [Promise.resolve(1), Promise.reject(new Error('rejected inside')), settled('inner', false), settled('inner', true), create().promise, { then: (done) => done('thenable') }, { then() { throw new Error('then throws'); } },
      { get then() { throw new Error('reading then'); } }];
    return Promise.all(list.map(async (value) => {
      const { promise, index } = create();
      const result = resolve(index, value);
      return [result, await Promise.race([settle(promise), turn().then(turn).then(() => 'pending')])];
    }));
  },
  'reject with a promise': async ({ create, reject }) => {
    const { promise, index } = create();
    const inner = Promise.resolve(1);
    reject(index, inner);
    const { rejected } = await settle(promise);
    return rejected === inner;
  },
  'the order of reactions': async ({ create, resolve, reject, settled }) => {
    const log = [];
    const [a, b, c] = [create(), create(), create()];
    const done = [a, b, c].map(({ promise }, i) => promise.then((value) => log.push(`${i}: ${value}`), (error) => log.push(`${i} failed: ${error}`)));
    settled('early', false).then((value) => log.push(value));
    process.nextTick(() => log.push('tick'));
    resolve(c.index, 'c');
    log.push('between');
    reject(a.index, 'a');
    queueMicrotask(() => log.push('microtask'));
    resolve(b.index, 'b');
    log.push('end');
    await Promise.all(done);
    return log;
  },
  'settled much later': async ({ create, resolve }) => {
    const { promise, index } = create();
    let value = 'pending';
    promise.then((of) => { value = of; });
    await turn();
    const before = value;
    resolve(index, 'done');
    await turn();
    return [before, value];
  },
  'await': async ({ create, resolve, reject }) => {
    const good = create();
    const bad = create();
    setImmediate(() => { resolve(good.index, { good: 1 }); reject(bad.index, new RangeError('bad')); });
    const result = await good.promise;
    try {
      await bad.promise;
      return 'nothing was thrown';
    } catch (error) {
      return [result, error];
    }
  },
  'many at once': async ({ create, resolve }) => {
    const all = Array.from({ length: 100 }, () => create());
    all.forEach(({ index }, i) => resolve(index, i));
    return Promise.all(all.map(({ promise }) => promise));
  },
  'unhandled rejections': async ({ settled, create, reject }) => {
    const seen = [];
    const listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => seen.push(reason));
    try {
      settled('nobody cares', true);
      reject(create().index, new Error('nobody cares either'));
      await turn();
      await turn();
    } finally {
      process.removeAllListeners('unhandledRejection');
      listeners.forEach((listener) => process.on('unhandledRejection', listener));
    }
    return seen;
  },
  'with what native code makes, and somebody\'s then': async ({ settledWith }) => {
    const log = [], bytes = Buffer.from([0, 0, 0]);
    const typed = Object.getPrototypeOf(Uint8Array.prototype);
    const places = { nobody: {}, buffers: Buffer.prototype, bytes: Uint8Array.prototype, typed, arrays: Array.prototype, objects: Object.prototype };
    const kinds = ['object', 'array', 'buffer', 'buffer copy', 'external', 'escaped', 'escaped buffer', 'escaped inner', 'object with then', 'array with then', 'buffer with then', 'object with a getter', 'buffer with a getter', 'object shown', 'buffer shown'];
    const accessor = { configurable: true, get() { log.push(`then, ${bytes[0]}`); bytes[1]++; return undefined; } };
    const then = Object.assign((done) => done(log.push(`called, ${bytes[0]}`)), {
      getter: (made) => Object.defineProperty(made, 'then', accessor),
      look: (made) => Object.defineProperty(made, 'then', accessor),
      prototype: Object.defineProperty({}, 'then', accessor),
    });
    for (const [name, place] of Object.entries(places)) {
      for (const kind of kinds) {
        for (let i = 0; i < 4; i++) {
          log.push(`${kind}, ${name}`);
          Object.defineProperty(place, 'then', accessor);
          const promise = settledWith(kind, then, bytes);
          log.push(`back, ${bytes}`);
          delete place.then;
          log.push(await promise.then((value) => typeof value === 'number' || Buffer.isBuffer(value) ? value.length : Object.keys(value)));
        }
      }
    }
    return log;
  },
  'with a Buffer, and another prototype': async ({ settledWith }) => {
    const log = [], bytes = Buffer.from([0, 0, 0]);
    const between = { __proto__: Uint8Array.prototype, get then() { log.push(`then, ${bytes[0]}`); return undefined; } };
    try {
      for (let i = 0; i < 10; i++) {
        if (i === 5) Object.setPrototypeOf(Buffer.prototype, between);
        const promise = settledWith('external', () => {}, bytes);
        log.push(`back, ${bytes}`);
        await promise;
      }
    } finally {
      Object.setPrototypeOf(Buffer.prototype, Uint8Array.prototype);
    }
    return log;
  },
  'is_promise': ({ isPromise, create }) => [...values(), Promise.resolve(1), create().promise, (async () => {})(), { then() {} }, new Proxy(Promise.resolve(), {}), new (class extends Promise {})(() => {}), Object.create(Promise.prototype)].map((value) => isPromise(value)),
  'is_promise of nothing': ({ isPromise }) => attempt(() => isPromise()),
});

// What is written there belongs to others by then.
test('a hook that takes an argument away while native code goes on', () => {
  const program = (kit) => {
    const { createHook } = require('node:async_hooks');
    const { settledWith } = kit.dlopen(kit.addonFile('promises'));
    let bytes, armed, others;
    const take = (event) => {
      if (armed !== event) return;
      armed = undefined;
      (() => structuredClone(bytes.buffer, { transfer: [bytes.buffer] }))();
      global.gc();
      others = Array.from({ length: 20 }, () => new Uint8Array(100_000));
    };
    createHook({ promiseResolve: () => take('resolve') }).enable();
    const log = [];
    for (const kind of ['object at last', 'external at last']) {
      for (let i = 0; i < 6; i++) {
        bytes = new Uint8Array(100_000);
        armed = 'resolve';
        settledWith(kind, () => {}, bytes);
        log.push([bytes.length, armed, others.map((each) => each.findIndex((byte) => byte !== 0))]);
      }
    }
    kit.print(log);
  };
  const nodeArgs = ['--expose-gc'];
  assert.deepEqual(runJson(program, { isolated: true, nodeArgs }), runJson(program, { nodeArgs }));
});
