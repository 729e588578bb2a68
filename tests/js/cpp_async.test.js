'use strict';
// Background work through node-addon-api: AsyncWorker, AsyncProgressQueueWorker, ThreadSafeFunction, TypedThreadSafeFunction, AsyncContext, CallbackScope.
const { AsyncLocalStorage } = require('node:async_hooks');
const { attempt, cases, turn } = require('./harness.js');
const { programs } = require('./support/programs.js');

const sum = (addon, numbers) => new Promise((resolve) => {
  addon.sum(numbers, (...args) => resolve(args));
});
const settle = (promise) => promise.then((value) => ({ value }), (error) => ({ error }));

cases('cpp_async', {
  'AsyncWorker with a callback': async (addon) => [await sum(addon, [1, 2, 3]), await sum(addon, [])],
  'AsyncWorker: SetError and an exception in Execute': async (addon) => [await sum(addon, [1, -1]), await sum(addon, [5000])],
  'AsyncWorker: many': (addon) => Promise.all(Array.from({ length: 100 }, (_, i) => sum(addon, [i, i]))),
  'AsyncWorker with a promise': (addon) => Promise.all(['text', '', 'other'].map((text) => settle(addon.mirror(text)))),
  'AsyncWorker: what is passed is wrong': (addon) => [attempt(() => addon.sum(5, () => {})), attempt(() => addon.mirror(5))],
  'AsyncLocalStorage over workers': (addon) => {
    const storage = new AsyncLocalStorage();
    return Promise.all([1, 2, 3].map((store) => storage.run(store, async () => {
      const inCallback = await new Promise((resolve) => addon.sum([1], () => resolve(storage.getStore())));
      await addon.mirror('text');
      return [inCallback, storage.getStore()];
    })));
  },
  'AsyncProgressQueueWorker': async (addon) => {
    const log = [];
    await new Promise((resolve) => addon.progress(50, (...args) => log.push(args), resolve));
    return log;
  },
  'ThreadSafeFunction': async (addon) => {
    const log = [];
    for (const isBlocking of [false, true]) {
      await new Promise((resolve) => addon.count((value) => log.push(value), 100, isBlocking, resolve));
      log.push('done');
    }
    return log;
  },
  'TypedThreadSafeFunction': async (addon) => {
    const log = [];
    await new Promise((resolve) => addon.say((...args) => log.push(args), ['one', 'two', 'three'], resolve));
    return log;
  },
  'several at once': (addon) => Promise.all(Array.from({ length: 6 }, async (_, i) => {
    const log = [];
    await new Promise((resolve) => addon.count((value) => log.push(value), 20 + i, i % 2 === 0, resolve));
    return log;
  })),
  'AsyncContext': async (addon) => {
    const receiver = { a: 1 };
    const results = [addon.inContext(function (...args) { return [this === receiver, args]; }, receiver, 1, 'two')];
    results.push(attempt(() => addon.inContext(() => { throw new RangeError('thrown'); }, receiver)));
    await turn();
    return results;
  },
  'CallbackScope': async (addon) => {
    const log = [];
    log.push(addon.inScope(() => {
      process.nextTick(() => log.push('tick'));
      return 'result';
    }));
    log.push(attempt(() => addon.inScope(() => { throw new RangeError('thrown'); })));
    await turn();
    return log;
  },
});

programs({
  'a worker keeps the program alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('cpp_async'));
    addon.sum([1, 2], (error, result) => kit.print(result));
    process.on('exit', () => kit.print('exit'));
  },
  'an exception in OnOK': (kit) => {
    process.on('exit', (code) => kit.print(code));
    kit.dlopen(kit.addonFile('cpp_async')).throwInWorker();
  },
  'an exception in OnOK, caught for the process': (kit) => {
    process.on('uncaughtException', (error) => kit.print(error.message));
    kit.dlopen(kit.addonFile('cpp_async')).throwInWorker();
  },
  'an exception in the callback of a worker': (kit) => {
    process.on('uncaughtException', (error) => kit.print(error.message));
    kit.dlopen(kit.addonFile('cpp_async')).sum([1], () => { throw new Error('from the callback'); });
  },
  'a thread keeps the program alive until it releases': (kit) => {
    const addon = kit.dlopen(kit.addonFile('cpp_async'));
    addon.count((value) => { if (value % 100 === 99) kit.print(value); }, 1000, false, () => kit.print('done'));
    process.on('exit', () => kit.print('exit'));
  },
});
