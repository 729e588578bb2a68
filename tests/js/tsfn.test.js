'use strict';
// Threadsafe functions: statuses, calls from this thread and from others, queues, closing, and the order of what happens around calls.
const { AsyncLocalStorage } = require('node:async_hooks');
const { cases, turn } = require('./harness.js');

/** A function that logs its arguments, its number, and a promise of what its finalizer is given. */
function logged(addon, options = {}) {
  const log = [];
  let id;
  const final = new Promise((onFinal) => {
    id = addon.create((...args) => { log.push(args); }, { callJs: true, ...options, onFinal: (of, ...rest) => onFinal(rest) });
  });
  return { id, log, final };
}

/** Turns the loop until `isDone`. */
async function until(isDone) {
  while (!isDone()) await turn();
}

cases('tsfn', {
  'misuse': (addon) => addon.misuse(Symbol('name')),
  'calls from this thread': async (addon) => {
    const { id, log, final } = logged(addon);
    const results = [1, 2, 3].map((value) => addon.call(id, value));
    log.push('called');
    results.push(addon.release(id));
    return [results, await final, log];
  },
  'the context': async (addon) => {
    const { id, final } = logged(addon);
    const results = [addon.context(id), addon.release(id), addon.context(id)];
    await final;
    return results;
  },
  'without call_js the function gets no arguments': async (addon) => {
    const results = [];
    const id = addon.create(function (...args) { results.push([args, this === globalThis || this === undefined]); }, { plain: true });
    addon.call(id);
    addon.call(id);
    await until(() => results.length === 2);
    addon.release(id);
    return results;
  },
  'call_js without a function': async (addon) => {
    const log = [];
    let id;
    const final = new Promise((resolve) => {
      id = addon.create(null, { callJs: true, other: (...args) => log.push(args), onFinal: (of, ...rest) => resolve(rest) });
    });
    addon.call(id, 4);
    addon.release(id);
    return [await final, log];
  },
  'call_js that calls nothing': async (addon) => {
    let id;
    const final = new Promise((resolve) => {
      id = addon.create(null, { callJs: true, onFinal: (of, ...rest) => resolve(rest) });
    });
    const results = [addon.call(id, 1), addon.release(id)];
    return [results, await final];
  },
  'unused': async (addon) => {
    const { id, log, final } = logged(addon);
    return [addon.release(id), await final, log];
  },
  'a bounded queue is full': async (addon) => {
    const { id, log, final } = logged(addon, { max: 2 });
    const results = [1, 2, 3, 4].map((value) => addon.call(id, value));
    await until(() => log.length === 2);
    results.push(addon.call(id, 5), addon.call(id, 6, true), addon.call(id, 7), addon.release(id));
    return [results, await final, log];
  },
  'released, then called': async (addon) => {
    const { id, log, final } = logged(addon);
    const results = [addon.release(id), addon.call(id, 1), addon.release(id), addon.release(id, true)];
    return [results, await final, log];
  },
  'released, then acquired': async (addon) => {
    const { id, log, final } = logged(addon);
    const results = [addon.release(id), addon.acquire(id), addon.call(id, 1)];
    await until(() => log.length === 1);
    results.push(addon.call(id, 2), addon.release(id));
    return [results, await final, log];
  },
  'acquired as often as released': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 2 });
    const results = [addon.acquire(id), addon.release(id), addon.release(id), addon.call(id, 1)];
    await turn();
    results.push(addon.release(id));
    return [results, await final, log];
  },
  'aborted: what was queued is dropped': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 3 });
    const results = [addon.call(id, 1), addon.call(id, 2), addon.release(id, true)];
    results.push(addon.call(id, 3), addon.acquire(id));
    const finished = await final;
    await turn();
    return [results, finished, log];
  },
  'aborted from its own function': async (addon) => {
    const log = [];
    let id;
    const final = new Promise((resolve) => {
      id = addon.create((value) => {
        log.push(value);
        if (value === 2) log.push(addon.release(id, true), addon.call(id, 9));
      }, { callJs: true, threads: 3, onFinal: (of, ...rest) => resolve(rest) });
    });
    for (const value of [1, 2, 3]) addon.call(id, value);
    return [await final, log];
  },
  'called from its own function': async (addon) => {
    const log = [];
    let id;
    const final = new Promise((resolve) => {
      id = addon.create((value) => {
        log.push(value);
        if (value < 10) addon.call(id, value + 1);
        else addon.release(id);
      }, { callJs: true, onFinal: (of, ...rest) => resolve(rest) });
    });
    addon.call(id, 0);
    return [await final, log];
  },
  'ticks and microtasks between two calls': async (addon) => {
    const log = [];
    const id = addon.create((value) => {
      log.push(`call ${value}`);
      process.nextTick(() => log.push(`tick ${value}`));
      Promise.resolve().then(() => log.push(`microtask ${value}`));
    }, { callJs: true, plain: true });
    for (const value of [1, 2, 3]) addon.call(id, value);
    log.push('called');
    await until(() => log.length === 10);
    addon.release(id);
    return log;
  },
  'calls never interrupt JavaScript': async (addon) => {
    const { id, log, final } = logged(addon);
    addon.join(addon.spawn(id, { count: 3 }));
    log.push('joined');
    await null;
    log.push('microtask');
    await new Promise(process.nextTick);
    log.push('tick');
    addon.release(id);
    return [await final, log];
  },
  'a thousand calls are one turn, more are several': async (addon) => {
    const log = [];
    let count = 0;
    const id = addon.create(() => { count++; }, { callJs: true, plain: true });
    for (let i = 0; i < 2500; i++) addon.call(id, i);
    let before = -1;
    while (count < 2500) {
      await turn();
      if (count !== before && count > 0) log.push(before = count);
    }
    addon.release(id);
    return log;
  },
  'the order of two functions': async (addon) => {
    const log = [];
    const [a, b] = ['a', 'b'].map((name) => addon.create((value) => log.push(name + value), { callJs: true, plain: true }));
    for (const value of [1, 2, 3]) {
      addon.call(b, value);
      addon.call(a, value);
    }
    await until(() => log.length === 6);
    addon.release(a);
    addon.release(b);
    return [log.filter((entry) => entry[0] === 'a'), log.filter((entry) => entry[0] === 'b')];
  },
  'a finalizer gets what was dropped afterwards': async (addon) => {
    const { id, final } = logged(addon);
    for (let i = 0; i < 5; i++) addon.call(id, i);
    addon.release(id, true);
    return [await final, addon.dropped(id)];
  },
  'ref and unref': async (addon) => {
    const { id, final } = logged(addon);
    const results = [addon.unref(id), addon.unref(id), addon.ref(id), addon.ref(id), addon.call(id, 1), addon.release(id)];
    return [results, await final];
  },
  'AsyncLocalStorage: the context is that of the creation': async (addon) => {
    const storage = new AsyncLocalStorage();
    const log = [];
    const id = storage.run('creation', () => addon.create((value) => {
      log.push([value, storage.getStore()]);
      process.nextTick(() => log.push(['tick', storage.getStore()]));
      Promise.resolve().then(() => log.push(['microtask', storage.getStore()]));
    }, { callJs: true, onFinal: () => log.push(['final', storage.getStore()]) }));
    storage.run('call', () => addon.call(id, 1));
    await until(() => log.length === 3);
    storage.run('release', () => addon.release(id));
    await until(() => log.length === 4);
    return log;
  },
});

cases('tsfn', {
  'one thread, in order': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 1 });
    const thread = addon.spawn(id, { count: 5000, release: 'release', number: 1 });
    return [await final, log, addon.join(thread)];
  },
  'four threads, each in order': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 4 });
    const threads = [1, 2, 3, 4].map((number) => addon.spawn(id, { count: 2000, release: 'release', number }));
    const finished = await final;
    return [finished, [1, 2, 3, 4].map((number) => log.filter((args) => args[1] === number)), threads.map((thread) => addon.join(thread))];
  },
  'a bounded queue holds up the thread': async (addon) => {
    const { id, log, final } = logged(addon, { max: 3 });
    const thread = addon.spawn(id, { count: 500, blocking: true, release: 'release' });
    return [await final, log, addon.join(thread)];
  },
  'a bounded queue, several threads held up': async (addon) => {
    const { id, log, final } = logged(addon, { max: 1, threads: 3 });
    const threads = [1, 2, 3].map((number) => addon.spawn(id, { count: 200, blocking: true, release: 'release', number }));
    const finished = await final;
    return [finished, [1, 2, 3].map((number) => log.filter((args) => args[1] === number)), threads.map((thread) => addon.join(thread))];
  },
  'a bounded queue that threads try again': async (addon) => {
    const { id, log, final } = logged(addon, { max: 10, threads: 2 });
    const threads = [1, 2].map((number) => addon.spawn(id, { count: 1000, retry: true, release: 'release', number }));
    const finished = await final;
    return [finished, [1, 2].map((number) => log.filter((args) => args[1] === number)), threads.map((thread) => addon.join(thread))];
  },
  'a full queue, seen by a thread': async (addon) => {
    const { id, log, final } = logged(addon, { max: 4 });
    const statuses = addon.join(addon.spawn(id, { count: 10 }));
    addon.release(id);
    return [statuses, await final, log];
  },
  'threads that acquire': async (addon) => {
    const { id, log, final } = logged(addon);
    const threads = [1, 2, 3].map((number) => addon.spawn(id, { acquire: true, gate: 5, count: 10, release: 'release', number }));
    addon.awaitGate(5, 3);
    const result = addon.release(id);
    addon.openGate(5, 3);
    const finished = await final;
    return [result, finished, log.length, threads.map((thread) => addon.join(thread))];
  },
  'aborted by a thread': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 2 });
    const statuses = addon.join(addon.spawn(id, { count: 3, release: 'abort' }));
    const results = [addon.call(id, 1)];
    return [statuses, results, await final, log];
  },
  'aborted while threads push': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 4 });
    const threads = [1, 2, 3].map((number) => addon.spawn(id, { gate: 5, count: 100, release: 'release', number }));
    addon.awaitGate(5, 3);
    const result = addon.release(id, true);
    addon.openGate(5, 3);
    return [result, threads.map((thread) => addon.join(thread)), await final, log];
  },
  'aborted while a thread waits for room': async (addon) => {
    const { id, log, final } = logged(addon, { threads: 2, max: 1 });
    addon.call(id, 1);
    const thread = addon.spawn(id, { gate: 5, blocking: true, count: 5, release: 'release' });
    addon.awaitGate(5, 1);
    addon.openGate(5);
    return [addon.release(id, true), addon.join(thread), await final, log];
  },
  'threads without items': async (addon) => {
    let count = 0;
    const id = addon.create(() => { count++; }, { plain: true, threads: 2 });
    const threads = [1, 2].map(() => addon.spawn(id, { count: 700, nothing: true, release: 'release' }));
    await until(() => count === 1400);
    return [count, threads.map((thread) => addon.join(thread))];
  },
  'many functions at once': async (addon) => {
    const all = Array.from({ length: 20 }, () => logged(addon));
    const threads = all.map(({ id }, number) => addon.spawn(id, { number, count: 50, release: 'release' }));
    const finished = await Promise.all(all.map(({ final }) => final));
    return [finished, all.map(({ log }) => log), threads.map((thread) => addon.join(thread))];
  },
  'settling promises from threads': async (addon) => {
    const waiting = new Map();
    const id = addon.create((value, thread) => waiting.get(thread)(value), { callJs: true, plain: true, threads: 5 });
    const promises = [0, 1, 2, 3, 4].map((number) => new Promise((resolve) => {
      waiting.set(number, resolve);
      addon.spawn(id, { number, release: 'release' });
    }));
    return Promise.all(promises);
  },
});
