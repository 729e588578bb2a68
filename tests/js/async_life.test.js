'use strict';
// Programs with async work: what keeps them alive, how exceptions in `complete` end them, async_hooks, and the size of the pool.
const { programs } = require('./support/programs.js');

programs({
  'a pending work keeps the program alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    addon.queue(addon.create({ input: 3, remove: 'last', callback: (...args) => kit.print(args) }));
    kit.print('end of the script');
    process.on('beforeExit', () => kit.print('beforeExit'));
    process.on('exit', (code) => kit.print(`exit ${code}`));
  },
  'a work without complete is waited for': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const id = addon.create({ noComplete: true });
    addon.queue(id);
    process.on('exit', () => kit.print(addon.isExecuted(id)));
  },
  'a work that was only created keeps nothing alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    addon.create({ callback: () => kit.print('called') });
    process.on('exit', () => kit.print('exit'));
  },
  'beforeExit can queue more': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    let left = 3;
    process.on('beforeExit', () => {
      kit.print(`beforeExit ${left}`);
      if (left-- > 0) addon.queue(addon.create({ remove: 'last', callback: (status) => kit.print(status) }));
    });
    process.on('exit', () => kit.print('exit'));
  },
  'a program waits for works until a timer lets them end': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    addon.queue(addon.create({ gate: 1, remove: 'last', callback: (status) => kit.print(status) }));
    setTimeout(() => {
      kit.print('timer');
      addon.openGate(1);
    }, 10).unref();
  },
  'process.exit() in complete': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    addon.queue(addon.create({ remove: 'last', callback: () => {
      kit.print('complete');
      process.nextTick(() => kit.print('not reached'));
      process.exit(7);
    } }));
  },
  'process.exit() while works are running': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const { pid } = kit.dlopen(kit.addonFile('exit_prints'));
    for (let i = 0; i < 6; i++) addon.queue(addon.create({ callback: () => kit.print('not reached') }));
    if (pid() > 0) kit.print('going');
    process.exit(4);
  },
  'process.exitCode set in complete': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    addon.queue(addon.create({ remove: 'last', callback: () => { process.exitCode = 9; } }));
    process.on('exit', (code) => kit.print(code));
  },
  'an exception in complete': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    addon.queue(addon.create({ remove: 'last', callback: function callback() { throw new Error('from complete'); } }));
  },
  'an exception in complete that is no error': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    addon.queue(addon.create({ remove: 'last', callback: () => { throw { toString: () => 'an object' }; } }));
  },
  'an exception in complete is an uncaughtException, and others go on': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('uncaughtException', (error, origin) => kit.print([error.message, origin]));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    for (const remove of ['first', 'last']) {
      addon.queue(addon.create({ remove, callback: () => {
        process.nextTick(() => kit.print('tick'));
        throw new Error('from complete');
      } }));
    }
  },
  'an exception in a tick of complete': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('uncaughtException', (error, origin) => kit.print([error.message, origin]));
    addon.queue(addon.create({ remove: 'last', callback: () => {
      process.nextTick(() => { throw new Error('from a tick'); });
      process.nextTick(() => kit.print('next tick'));
      kit.print('complete');
    } }));
  },
  'a rejection in complete': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    addon.queue(addon.create({ remove: 'last', callback: async () => { throw new Error('rejected'); } }));
  },
  'an exception in complete with a capture callback': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.setUncaughtExceptionCaptureCallback((error) => kit.print(`captured ${error.message}`));
    addon.queue(addon.create({ remove: 'last', callback: () => { throw new Error('from complete'); } }));
  },
  'an exception in complete, in a domain': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const domain = require('node:domain').create();
    domain.on('error', (error) => kit.print(`domain ${error.message}`));
    domain.run(() => addon.queue(addon.create({ remove: 'last', callback: () => { throw new Error('from complete'); } })));
    process.on('uncaughtException', (error) => kit.print(`uncaught ${error.message}`));
  },
  'completions, timers, immediates, ticks': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const id = addon.create({ remove: 'last', callback: () => {
      kit.print('complete');
      setImmediate(() => kit.print('immediate of complete'));
      setTimeout(() => kit.print('timeout of complete'), 1);
      process.nextTick(() => kit.print('tick of complete'));
      queueMicrotask(() => kit.print('microtask of complete'));
    } });
    addon.queue(id);
    while (!addon.isExecuted(id));
    process.nextTick(() => kit.print('tick'));
    queueMicrotask(() => kit.print('microtask'));
    kit.print('script');
  },
  'a thousand chained works': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    let sum = 0;
    const next = (input) => addon.queue(addon.create({ input, remove: 'first', callback: (status, id, executed, output) => {
      sum += output;
      if (input < 1000) next(input + 1);
      else kit.print(sum);
    } }));
    next(0);
  },
  'execute while JavaScript runs': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const ids = [1, 2, 3].map(() => addon.create({ remove: 'last', gate: 1, callback: () => kit.print('complete') }));
    ids.forEach((id) => addon.queue(id));
    addon.awaitGate(1, 3);
    kit.print('all three wait');
    addon.openGate(1, 3);
    while (!ids.every((id) => addon.isExecuted(id)));
    kit.print('all three are executed');
  },
  'resources that are alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    kit.print(process.getActiveResourcesInfo());
    addon.queue(addon.create({ gate: 1, remove: 'last', callback: () => kit.print(process.getActiveResourcesInfo()) }));
    kit.print([process.getActiveResourcesInfo(), process._getActiveHandles().length, process._getActiveRequests().length]);
    setImmediate(() => {
      kit.print([process.getActiveResourcesInfo(), process._getActiveHandles().length, process._getActiveRequests().length]);
      addon.openGate(1);
    });
  },
});

// With one thread the works are executed, and complete, in the order in which they were queued.
programs({
  'one thread: in order': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    for (let input = 0; input < 20; input++) {
      addon.queue(addon.create({ input, remove: 'last', callback: (status, id, executed, output) => kit.print([status, output]) }));
    }
    process.on('exit', () => kit.print(addon.mostRunning()));
  },
  'one thread: those that are cancelled come first': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const ids = Array.from({ length: 6 }, (_, input) => addon.create({
      input, gate: input === 0 ? 1 : -1, remove: 'last', callback: (status, id, executed, output) => kit.print([input, status, executed, output]),
    }));
    ids.forEach((id) => addon.queue(id));
    addon.awaitGate(1, 1);
    for (const at of [4, 2, 0]) kit.print(addon.cancel(ids[at]).status);
    setImmediate(() => addon.openGate(1));
  },
  'one thread: ticks between completions that are due together': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const ids = Array.from({ length: 4 }, (_, input) => addon.create({ input, remove: 'last', callback: () => {
      kit.print(`complete ${input}`);
      process.nextTick(() => kit.print(`tick ${input}`));
      Promise.resolve().then(() => kit.print(`microtask ${input}`));
    } }));
    ids.forEach((id) => addon.queue(id));
    while (!ids.every((id) => addon.isExecuted(id)));
  },
  'one thread: what throws does not hold up those behind it': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    process.on('uncaughtException', (error) => kit.print(error.message));
    for (let input = 0; input < 6; input++) {
      addon.queue(addon.create({ input, remove: 'last', callback: () => {
        kit.print(input);
        if (input % 2 === 0) throw new Error(`from ${input}`);
      } }));
    }
  },
  'one thread: Node\'s own works and those of the addon': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    let left = 2;
    const done = (what) => () => {
      left--;
      if (left === 0) kit.print('both are there');
    };
    require('node:crypto').randomBytes(16, done('random'));
    addon.queue(addon.create({ remove: 'last', callback: done('complete') }));
  },
}, { env: { UV_THREADPOOL_SIZE: '1' } });

for (const [size, threads] of [['2', 2], ['7', 7], ['0', 1], ['nonsense', 1], ['', 1]]) {
  programs({
    [`UV_THREADPOOL_SIZE=${size}`]: (kit, threads) => {
      const addon = kit.dlopen(kit.addonFile('async_work'));
      for (let i = 0; i < threads + 3; i++) addon.queue(addon.create({ gate: 1, remove: 'last' }));
      addon.awaitGate(1, threads);
      addon.openGate(1, threads + 3);
      process.on('exit', () => kit.print(addon.mostRunning()));
    },
  }, { env: { UV_THREADPOOL_SIZE: size }, args: [threads] });
}

programs({
  'async_hooks: ids, types, resources, and when': (kit) => {
    const { executionAsyncResource } = require('node:async_hooks');
    const resource = { name: 'mine' };
    const log = [];
    const { known, ids } = kit.followAsync((...entry) => log.push(entry), (of) => [of === resource, Object.keys(of)]);
    const addon = kit.dlopen(kit.addonFile('async_work'));
    for (const options of [{ name: 'MINE one', resource, remove: 'last' }, { name: 'MINE two', remove: 'first' }, { name: 'MINE three' }]) {
      const id = addon.create({ ...options, callback: () => {
        log.push(['callback', ...ids(), executionAsyncResource() === resource]);
        if (!options.remove) setImmediate(() => addon.remove(id));
      } });
      addon.queue(id);
      while (!addon.isExecuted(id));
    }
    addon.remove(addon.create({ name: 'MINE four' }));
    process.on('exit', () => {
      // The works run in threads of their own: the order within each is what is the same.
      for (const id of [...known.values()]) kit.print(log.filter((entry) => entry[1] === id));
    });
  },
  'async_hooks: all that happens': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const log = [];
    kit.hearAsync((event) => log.push(event));
    addon.queue(addon.create({ remove: 'last', callback: () => {
      log.push('complete');
      setImmediate(() => log.push('immediate'));
    } }));
    process.on('exit', () => kit.print(log));
  },
  'async_hooks: a C string for a name, as early versions of napi-rs give': (kit) => {
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const types = [];
    require('node:async_hooks').createHook({ init: (id, type) => types.push(type) }).enable();
    addon.queue(addon.create({ cName: true, remove: 'last', callback: () => kit.print(types) }));
  },
  'async ids are not used up by the agent': (kit) => {
    const hooks = require('node:async_hooks');
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const ids = [];
    const sample = () => ids.push(new hooks.AsyncResource('SAMPLE').asyncId());
    sample();
    addon.queue(addon.create({ remove: 'last', callback: sample }));
    sample();
    process.on('exit', () => {
      sample();
      kit.print(ids.map((id, i) => id - (ids[i - 1] ?? id)));
    });
  },
  'AsyncLocalStorage.enterWith in complete does not leak': (kit) => {
    const { AsyncLocalStorage } = require('node:async_hooks');
    const addon = kit.dlopen(kit.addonFile('async_work'));
    const storage = new AsyncLocalStorage();
    const next = (left) => {
      addon.queue(addon.create({ remove: 'last', callback: () => {
        kit.print(storage.getStore() ?? null);
        storage.enterWith(`of ${left}`);
        if (left > 0) next(left - 1);
        else addon.openGate(1);
      } }));
    };
    next(2);
    addon.queue(addon.create({ remove: 'last', gate: 1, callback: () => kit.print(storage.getStore() ?? 'no store') }));
    process.on('beforeExit', () => kit.print('beforeExit'));
  },
});
