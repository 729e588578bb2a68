'use strict';
// Async work: statuses, what `execute` and `complete` see, cancelling, and the order of what happens around completions.
const { AsyncLocalStorage } = require('node:async_hooks');
const { attempt, cases, turn } = require('./harness.js');

/** Threads of libuv's pool. */
const POOL = 4;
/** Gates: one for what keeps the pool busy, one for the rest. */
const BUSY = 0;
const HELD = 1;

/** Creates and queues a work; resolves to what `complete` was given, when it was. */
function done(addon, options = {}) {
  return new Promise((resolve) => {
    addon.queue(addon.create({ remove: 'last', ...options, callback: (...args) => resolve(args) }));
  });
}

/** Works that fill the pool, until BUSY is opened so often. Resolves when they are complete. */
function occupy(addon, count = POOL) {
  const all = Promise.all(Array.from({ length: count }, () => done(addon, { gate: BUSY })));
  addon.awaitGate(BUSY, count);
  return all;
}

const statuses = (list) => list.map(([status, , executed]) => `${status} ${executed}`);

const oddNames = (error) => [null, undefined, 1, Symbol('s'), {}, { toString() { throw error; } }, { toString: () => 1 }, { toString: () => ({}) }];

// The addon does not look at what comes of it.
cases('stopped', {
  'resources and names that throw': ({ work }) => oddNames(new Error('own')).flatMap((odd) => [attempt(() => work(odd, 'name')), attempt(() => work({}, odd)), attempt(() => work(odd, odd))]),
  'names that throw what is no error': ({ work }) => [undefined, 5, 'text'].map((thrown) => attempt(() => work({}, { toString() { throw thrown; } }))),
  'one of them, and JavaScript goes on': async ({ work }) => {
    const seen = [attempt(() => work(null, 'name'))];
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(await Promise.resolve().then(() => work({}, Symbol('s'))).catch(String));
    return seen;
  },
});

cases('async_work', {
  'misuse': (addon) => addon.misuse(Symbol('name')),
  'with an exception pending': (addon) => addon.pending(new Error('pending')),
  'create and delete': (addon) => addon.remove(addon.create({})),
  'create and delete with a resource': (addon) => addon.remove(addon.create({ resource: { a: 1 }, name: 'other name' })),
  'one work': async (addon) => {
    const [status, , ...rest] = await done(addon, { input: 21 });
    return [status, rest];
  },
  'the status of queue': async (addon) => {
    let result;
    await new Promise((callback) => {
      result = addon.queue(addon.create({ remove: 'last', callback }));
    });
    return result;
  },
  'deleted first thing in complete': async (addon) => (await done(addon, { remove: 'first', input: 4 })).filter((_, i) => i !== 1),
  'many that are executed when the first one completes': async (addon) => {
    const log = [];
    const count = 50; // more than are completed together
    const ids = await new Promise((resolve) => {
      let left = count;
      const list = Array.from({ length: count }, (_, i) => addon.create({ input: i, callback: (status, id, ...rest) => {
        process.nextTick(() => log.push([i, 'tick']));
        Promise.resolve().then(() => log.push([i, 'microtask']));
        // One that is over cannot be cancelled, nor another one that is executed.
        log.push([i, status, ...rest, addon.cancel(list[i]), addon.cancel(list[(i + 7) % count])]);
        if (--left === 0) setImmediate(() => resolve(list));
      } }));
      for (const id of list) addon.queue(id);
      while (!list.every((id) => addon.isExecuted(id)));
    });
    // What each work does comes together, before the next one.
    const together = log.every(([i], at) => at % 3 === 0 || i === log[at - 1][0]);
    return [together, log.sort(([a], [b]) => a - b), ids.map((id) => addon.remove(id))];
  },
  'queued again, each in its own complete, behind others that are executed': async (addon) => {
    const list = Array.from({ length: 40 }, (_, i) => addon.create({ input: i, callback: () => seen.push([i, addon.queue(list[i])]) }));
    const seen = [];
    for (const id of list) addon.queue(id);
    while (!list.every((id) => addon.isExecuted(id)));
    while (!list.every((id) => addon.timesCompleted(id) === 2)) await turn();
    return [seen.sort(([a], [b]) => a - b), list.map((id) => addon.remove(id))];
  },
  'deleted, each in its own complete, behind others that are executed': async (addon) => {
    const seen = [];
    await new Promise((resolve) => {
      const list = Array.from({ length: 20 }, (_, i) => addon.create({ input: i, remove: 'first', callback: () => {
        seen.push(i);
        if (seen.length === 20) resolve();
      } }));
      for (const id of list) addon.queue(id);
      while (!list.every((id) => addon.isExecuted(id)));
    });
    return seen.sort((a, b) => a - b);
  },
  'deleted after complete': async (addon) => {
    const [, id] = await done(addon, { remove: undefined });
    return addon.remove(id);
  },
  'queued again after complete': async (addon) => {
    const [, id] = await done(addon, { remove: undefined, input: 1 });
    const again = addon.queue(id);
    // The callback is only there once: the second completion is silent, and its work is seen to be executed by another that waits for it.
    await done(addon);
    return again;
  },
  'no resource, a resource, names that are no strings': async (addon) => {
    const results = [];
    for (const options of [{}, { resource: { x: 1 } }, { name: 5 }, { name: { toString: () => 'object' } }, { resource: 'text' }, { name: '' }]) {
      results.push((await done(addon, options)).filter((_, i) => i !== 1));
    }
    return results;
  },
  'many at once': async (addon) => {
    const all = await Promise.all(Array.from({ length: 200 }, (_, input) => done(addon, { input })));
    return all.map(([status, , executed, output]) => [status, executed, output]);
  },
  'as many run at once as the pool has threads': async (addon) => {
    addon.mostRunning();
    const busy = occupy(addon);
    const more = Promise.all(Array.from({ length: 20 }, () => done(addon)));
    addon.openGate(BUSY, POOL);
    await busy;
    await more;
    return addon.mostRunning();
  },
  'one after the other': async (addon) => {
    const results = [];
    for (let input = 0; input < 50; input++) results.push((await done(addon, { input }))[3]);
    return results;
  },
  'queued in complete': (addon) => new Promise((resolve) => {
    const log = [];
    const next = (left) => addon.queue(addon.create({
      remove: 'last', input: left,
      callback: (status, id, executed, output) => {
        log.push(output);
        if (left === 0) resolve(log);
        else next(left - 1);
      },
    }));
    next(20);
  }),
  'never inside running JavaScript': async (addon) => {
    const log = [];
    const id = addon.create({ remove: 'last', callback: () => log.push('complete') });
    addon.queue(id);
    while (!addon.isExecuted(id));
    log.push('executed');
    await null;
    log.push('microtask');
    await new Promise(process.nextTick);
    log.push('tick');
    while (!log.includes('complete')) await turn();
    return log;
  },
  'promises settled in complete': async (addon) => {
    const log = [];
    const works = Array.from({ length: 5 }, (_, input) => addon.create({ promise: true, input, remove: 'last' }));
    for (const { id } of works) addon.queue(id);
    for (const { promise } of works) log.push(await promise);
    return log;
  },
  'a promise rejected in complete': async (addon) => {
    const busy = occupy(addon);
    const { id, promise } = addon.create({ promise: true, remove: 'last' });
    const result = [addon.queue(id), addon.cancel(id)];
    addon.openGate(BUSY, POOL);
    result.push(await promise.then((value) => ({ value }), (error) => ({ error })));
    await busy;
    return result;
  },
  'reactions to a promise come before the next turn, after ticks': async (addon) => {
    const log = [];
    const { id, promise } = addon.create({
      promise: true, remove: 'last',
      callback: () => {
        process.nextTick(() => log.push('tick'));
        queueMicrotask(() => log.push('microtask'));
        setImmediate(() => log.push('immediate'));
        log.push('callback');
      },
    });
    promise.then(() => log.push('reaction'));
    addon.queue(id);
    while (log.length < 5) await turn();
    return log;
  },
  'ticks and microtasks between two completions': async (addon) => {
    const log = [];
    const all = Array.from({ length: 3 }, (_, input) => new Promise((resolve) => {
      const id = addon.create({
        remove: 'last', input,
        callback: () => {
          log.push('callback');
          process.nextTick(() => log.push('tick'));
          Promise.resolve().then(() => log.push('microtask')).then(() => log.push('second microtask'));
          setImmediate(resolve);
        },
      });
      addon.queue(id);
      while (!addon.isExecuted(id));
    }));
    await Promise.all(all);
    return log;
  },
});

cases('async_work', {
  'cancelled before it starts': async (addon) => {
    const busy = occupy(addon);
    let id;
    const completion = new Promise((resolve) => {
      id = addon.create({ remove: 'last', callback: (...args) => resolve(args) });
    });
    const results = [addon.queue(id), addon.cancel(id)];
    addon.openGate(BUSY, POOL);
    await busy;
    return [results, (await completion).filter((_, i) => i !== 1), addon.isExecuted(id)];
  },
  'a cancelled one completes while the pool is busy': async (addon) => {
    const busy = occupy(addon);
    const log = [];
    const id = addon.create({ remove: 'last', callback: (status) => log.push(status) });
    log.push(addon.queue(id), addon.cancel(id), 'cancelled');
    while (log.length < 4) await turn();
    log.push('completed');
    addon.openGate(BUSY, POOL);
    await busy;
    return log;
  },
  'a cancelled one completes before one that is executed later': async (addon) => {
    const busy = occupy(addon);
    const log = [];
    const completions = ['cancelled', 'later'].map((name) => new Promise((resolve) => {
      const id = addon.create({ remove: 'last', callback: (status) => resolve(log.push([name, status])) });
      addon.queue(id);
      if (name === 'cancelled') addon.cancel(id);
      else log.push(id);
    }));
    const later = log.shift();
    addon.openGate(BUSY, POOL);
    while (!addon.isExecuted(later));
    await Promise.all([busy, ...completions]);
    return log;
  },
  'one that is executed while others complete waits for the next turn': async (addon) => {
    const log = [];
    await new Promise((resolve) => {
      const list = Array.from({ length: 40 }, (_, i) => addon.create({ remove: 'last', callback: () => {
        log.push('one of many');
        if (i > 0) return;
        const next = addon.create({ remove: 'last', callback: () => resolve(log.push('next')) });
        setImmediate(() => log.push('immediate'));
        addon.queue(next);
        while (!addon.isExecuted(next));
      } }));
      for (const id of list) addon.queue(id);
      while (!list.every((id) => addon.isExecuted(id)));
    });
    return log;
  },
  'cancelled twice': async (addon) => {
    const busy = occupy(addon);
    const log = [];
    const id = addon.create({ remove: 'last', callback: (status) => log.push(status) });
    log.push(addon.queue(id), addon.cancel(id), addon.cancel(id));
    while (log.length < 4) await turn();
    addon.openGate(BUSY, POOL);
    await busy;
    return log;
  },
  'every second one is cancelled': async (addon) => {
    const busy = occupy(addon);
    const ids = [];
    const completions = Array.from({ length: 20 }, (_, input) => new Promise((resolve) => {
      ids.push(addon.create({ remove: 'last', input, callback: (...args) => resolve(args) }));
    }));
    const results = ids.map((id) => addon.queue(id));
    for (let i = 0; i < ids.length; i += 2) results.push(addon.cancel(ids[i]));
    addon.openGate(BUSY, POOL);
    await busy;
    return [results, statuses(await Promise.all(completions))];
  },
  'too late: it runs': async (addon) => {
    const log = [];
    const id = addon.create({ remove: 'last', gate: HELD, callback: (...args) => log.push(args.filter((_, i) => i !== 1)) });
    log.push(addon.queue(id));
    addon.awaitGate(HELD, 1);
    log.push(addon.cancel(id), addon.cancel(id));
    addon.openGate(HELD);
    while (log.length < 4) await turn();
    return log;
  },
  'too late: it is complete': async (addon) => {
    const [, id] = await done(addon, { remove: undefined });
    return [addon.cancel(id), addon.remove(id)];
  },
  'cancelled in its own complete': (addon) => new Promise((resolve) => {
    addon.queue(addon.create({ remove: 'last', callback: (status, id) => resolve([status, addon.cancel(id)]) }));
  }),
  'cancelled in the complete of another': async (addon) => {
    const busy = occupy(addon, POOL - 1);
    const log = [];
    let other;
    const last = new Promise((resolve) => {
      addon.queue(addon.create({
        remove: 'last', gate: HELD,
        callback: (status) => {
          log.push(status);
          other = addon.create({ remove: 'last', callback: (of) => resolve(of) });
          // The thread that ran this one waits again.
          addon.queue(addon.create({ remove: 'last', gate: HELD }));
          addon.awaitGate(HELD, 1);
          log.push(addon.queue(other), addon.cancel(other));
        },
      }));
      addon.awaitGate(HELD, 1);
      addon.openGate(HELD);
    });
    log.push(await last);
    addon.openGate(HELD);
    addon.openGate(BUSY, POOL - 1);
    await busy;
    return log;
  },
});

cases('async_work', {
  'AsyncLocalStorage: the context is that of the creation': async (addon) => {
    const storage = new AsyncLocalStorage();
    const log = [];
    let id;
    await new Promise((resolve) => {
      storage.run('creation', () => {
        id = addon.create({
          remove: 'last',
          callback: () => {
            log.push(storage.getStore());
            process.nextTick(() => log.push(['tick', storage.getStore()]));
            Promise.resolve().then(() => log.push(['microtask', storage.getStore()]));
            setImmediate(() => { log.push(['immediate', storage.getStore()]); resolve(); });
          },
        });
      });
      storage.run('queueing', () => addon.queue(id));
    });
    return [log, storage.getStore()];
  },
  'AsyncLocalStorage over awaits of promises that complete settles': async (addon) => {
    const storage = new AsyncLocalStorage();
    return Promise.all(['a', 'b', 'c'].map((name) => storage.run(name, async () => {
      const { id, promise } = addon.create({ promise: true, remove: 'last' });
      addon.queue(id);
      await promise;
      return storage.getStore();
    })));
  },
  'thrown away works do nothing': async (addon) => {
    const log = [];
    for (let i = 0; i < 100; i++) attempt(() => log.push(addon.remove(addon.create({ resource: {}, callback: () => log.push('called') }))));
    await turn();
    await turn();
    return log;
  },
});
