'use strict';
// Programs with threadsafe functions: what keeps them alive, exceptions by the addon's version, async_hooks, the end, and many calls.
const { programs } = require('./support/programs.js');

programs({
  'a referenced function keeps the program alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create((value) => {
      kit.print(value);
      if (value === 2) addon.release(id);
    }, { callJs: true, onFinal: () => kit.print('final') });
    setTimeout(() => {
      addon.spawn(id, { count: 3, gate: 1 });
      addon.awaitGate(1, 1);
      kit.print('open');
      addon.openGate(1);
    }, 10).unref();
    process.on('beforeExit', () => kit.print('beforeExit'));
    process.on('exit', () => kit.print('exit'));
  },
  'an unreferenced one does not': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create(() => kit.print('called'), { callJs: true, loud: true });
    addon.unref(id);
    process.on('beforeExit', () => kit.print('beforeExit'));
    process.on('exit', () => kit.print('exit'));
  },
  'an unreferenced one that is called while something else keeps the program': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const timer = setInterval(() => {}, 1e6);
    const id = addon.create((value) => {
      kit.print(value);
      if (value === 4) clearInterval(timer);
    }, { callJs: true, loud: true });
    addon.unref(id);
    addon.join(addon.spawn(id, { count: 5 }));
    process.on('exit', () => kit.print('exit'));
  },
  'unreferenced, then referenced in time': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create((value) => {
      kit.print(value);
      addon.release(id);
    }, { callJs: true, loud: true });
    addon.unref(id);
    setImmediate(() => {
      kit.print([addon.ref(id)]);
      addon.spawn(id, { gate: 1 });
      setTimeout(() => addon.openGate(1), 20).unref();
    });
  },
  'unreferenced in its own call': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create((value) => {
      kit.print(value);
      if (value === 1) addon.unref(id);
    }, { callJs: true });
    addon.call(id, 0);
    setImmediate(() => setImmediate(() => addon.call(id, 1)));
    process.on('exit', () => kit.print('exit'));
  },
  'what is queued at the end of an unreferenced function': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create((value) => kit.print(value), { callJs: true, loud: true });
    addon.unref(id);
    process.on('exit', () => {
      addon.call(id, 5);
      addon.call(id, 6);
      kit.print('exit');
    });
  },
  'the env ends: finalizers of functions that are left': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    for (let i = 0; i < 3; i++) addon.unref(addon.create(() => {}, { callJs: true, loud: true }));
    addon.unref(addon.create(null, { callJs: true, loud: true }));
    kit.print('end of the script');
  },
  'the env ends with threads that hold the function': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create(() => {}, { callJs: true, loud: true, threads: 3 });
    addon.unref(id);
    addon.spawn(id, { gate: 1 });
    addon.spawn(id, { gate: 1 });
    addon.awaitGate(1, 2);
    kit.print('end of the script');
  },
  'process.exit() in a call': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create((value) => {
      kit.print(value);
      process.exit(5);
    }, { callJs: true, loud: true });
    addon.call(id, 1);
    addon.call(id, 2);
    process.on('exit', (code) => kit.print(`exit ${code}`));
  },
  'process.exit() with a function and a thread': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create(() => {}, { callJs: true, loud: true, threads: 2 });
    addon.spawn(id, { gate: 1 });
    addon.awaitGate(1, 1);
    kit.print('going');
    process.exit(6);
  },
  'released in "beforeExit"': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    let id = addon.create(() => {}, { callJs: true, onFinal: () => kit.print('final') });
    addon.unref(id);
    process.on('beforeExit', () => {
      kit.print('beforeExit');
      if (id === undefined) return;
      addon.ref(id);
      addon.release(id);
      id = undefined;
    });
  },
  'resources that are alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const seen = () => kit.print([process.getActiveResourcesInfo(), process._getActiveHandles().length, process._getActiveRequests().length]);
    seen();
    const id = addon.create(() => {
      seen();
      addon.unref(id);
      seen();
    }, { callJs: true });
    seen();
    addon.call(id, 1);
  },
  'an exception in a finalizer': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    process.on('uncaughtException', (error, origin) => kit.print([error.message, origin]));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    addon.release(addon.create(() => {}, { onFinal: () => { throw new Error('from the finalizer'); } }));
  },
  'calls, ticks, immediates, timers': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const id = addon.create((value) => {
      kit.print(`call ${value}`);
      process.nextTick(() => kit.print(`tick ${value}`));
      queueMicrotask(() => kit.print(`microtask ${value}`));
      setImmediate(() => kit.print(`immediate ${value}`));
      if (value === 2) addon.release(id);
    }, { callJs: true, onFinal: () => kit.print('final') });
    addon.join(addon.spawn(id, { count: 3 }));
    process.nextTick(() => kit.print('tick'));
    kit.print('end of the script');
  },
});

const throwing = {
  'an exception in a call': (kit, name) => {
    const addon = kit.dlopen(kit.addonFile(name));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    const id = addon.create(function callback(value) {
      kit.print(value);
      if (value === 2) addon.release(id);
      throw new Error(`from ${value}`);
    }, { callJs: true });
    for (const value of [1, 2]) addon.call(id, value);
  },
  'an exception in a call, caught for the process': (kit, name) => {
    const addon = kit.dlopen(kit.addonFile(name));
    process.on('uncaughtException', (error, origin) => kit.print([error.message, origin]));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    const id = addon.create((value) => {
      process.nextTick(() => kit.print(`tick ${value}`));
      if (value === 2) addon.release(id);
      throw new Error(`from ${value}`);
    }, { callJs: true });
    for (const value of [1, 2]) addon.call(id, value);
  },
  'an exception without call_js': (kit, name) => {
    const addon = kit.dlopen(kit.addonFile(name));
    process.on('exit', (code) => kit.print(`exit ${code}`));
    const id = addon.create(() => {
      kit.print('called');
      addon.release(id);
      throw new Error('from the function');
    }, {});
    addon.call(id);
  },
  'an exception that is no error': (kit, name) => {
    const addon = kit.dlopen(kit.addonFile(name));
    process.on('uncaughtException', (error) => kit.print({ error }));
    const id = addon.create(() => {
      kit.print('called');
      addon.release(id);
      throw { an: 'object' };
    }, { callJs: true });
    addon.call(id, 1);
  },
};
const versions = ['tsfn', ...(Number(process.versions.napi) >= 10 ? ['tsfn_10'] : []), 'tsfn_experimental'];
for (const name of versions) {
  for (const flags of [[], ['--force-node-api-uncaught-exceptions-policy=true'], ['--trace-deprecation'], ['--no-deprecation'], ['--throw-deprecation']]) {
    if (name !== 'tsfn' && flags.length > 0) continue;
    const named = Object.fromEntries(Object.entries(throwing).map(([what, program]) => [`${name} ${flags.join(' ')}: ${what}`, program]));
    programs(named, { args: [name], nodeArgs: flags });
  }
}

programs({
  'async_hooks: ids, types, resources, and when': (kit) => {
    const { executionAsyncResource } = require('node:async_hooks');
    const resource = { name: 'mine' };
    const log = [];
    const { known, ids } = kit.followAsync((...entry) => log.push(entry), (of) => [of === resource, Object.keys(of)]);
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    for (const options of [{ name: 'MINE one', resource }, { name: 'MINE two' }]) {
      const id = addon.create((value) => {
        log.push(['call', ...ids(), executionAsyncResource() === resource]);
        if (value === 1) addon.release(id);
      }, {
        ...options, callJs: true,
        onFinal: () => log.push(['final', ...ids()]),
      });
      addon.call(id, 0);
      addon.call(id, 1);
    }
    process.on('exit', () => {
      for (const id of [...known.values()]) kit.print(log.filter((entry) => entry[1] === id));
    });
  },
  'async_hooks: all that happens': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const log = [];
    kit.hearAsync((event) => log.push(event));
    const id = addon.create((value) => {
      log.push(value);
      if (value === 2) addon.release(id);
    }, { callJs: true, onFinal: () => log.push('final') });
    for (const value of [0, 1, 2]) addon.call(id, value);
    process.on('exit', () => kit.print(log));
  },
  // Without one Node opens no callback scope at the end.
  'async_hooks: all that happens without a finalizer': (kit) => {
    const hooks = require('node:async_hooks');
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    let log = [];
    hooks.createHook({
      init(id, type) { if (type === 'test function') log.push('init'); },
      before(id) { log.push(`before ${id - first}`); },
      after(id) { log.push(`after ${id - first}`); },
      destroy(id) { log.push(`destroy ${id - first}`); },
    }).enable();
    let first = 0;
    const turn = () => new Promise((done) => setImmediate(done));
    const ends = {
      released: (id) => addon.release(id),
      aborted: (id) => addon.release(id, true),
      'aborted with items': (id) => [addon.call(id, 1), addon.call(id, 2), addon.release(id, true)],
      'released with items': (id) => [addon.call(id, 1), addon.call(id, 2), addon.release(id)],
      'released, acquired and called': (id) => [addon.release(id), addon.acquire(id), addon.call(id, 1), addon.release(id)],
      'released in its own call': (id) => addon.call(id, 3),
      'unreferenced and released': (id) => [addon.unref(id), addon.release(id)],
      'aborted after the release': (id) => [addon.acquire(id), addon.release(id), addon.release(id, true)],
    };
    (async () => {
      for (const [name, end] of Object.entries(ends)) {
        first = hooks.executionAsyncId();
        const id = addon.create((value) => {
          log.push(value);
          if (value === 3) addon.release(id);
        }, { callJs: true, plain: true });
        log.push(end(id));
        for (let i = 0; i < 3; i++) await turn();
        log.push(addon.dropped(id));
        kit.print([name, log.filter((entry) => !/^(before|after|destroy) /.test(entry)), log.filter((entry) => /^(before|after|destroy)/.test(entry)).length]);
        log = [];
      }
    })();
  },
  'without a finalizer: what keeps the program, and its end': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const create = (unreferenced) => {
      const id = addon.create((value) => kit.print(value), { callJs: true, plain: true, loud: true });
      if (unreferenced) addon.unref(id);
      return id;
    };
    const [released, again, aborted] = [create(false), create(false), create(false)];
    create(true);
    kit.print([addon.release(released), addon.release(again), addon.acquire(again), addon.release(aborted, true)]);
    const left = create(true);
    setTimeout(() => {
      kit.print('later');
      kit.print([addon.call(again, 1), addon.release(again)]);
    }, 20);
    process.on('beforeExit', () => kit.print('beforeExit'));
    process.on('exit', () => kit.print(['exit', addon.call(left, 7)]));
  },
  'a million calls of four threads': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    const each = 250_000;
    const next = [0, 0, 0, 0];
    let wrong = 0;
    const id = addon.create((value, thread, sequence) => {
      if (next[thread]++ !== sequence || value !== sequence) wrong++;
    }, { callJs: true, threads: 4, onFinal: (...args) => kit.print([args, next, wrong]) });
    for (let number = 0; number < 4; number++) addon.spawn(id, { number, count: each, release: 'release' });
  },
  // Node loses wake-ups when several threads wait for room in a queue for more than one.
  'a hundred thousand calls through a bounded queue': (kit) => {
    const addon = kit.dlopen(kit.addonFile('tsfn'));
    let next = 0;
    let wrong = 0;
    const id = addon.create((value, thread, sequence) => {
      if (next++ !== sequence) wrong++;
    }, { callJs: true, max: 100, onFinal: (...args) => kit.print([args, next, wrong]) });
    addon.spawn(id, { count: 100_000, blocking: true, release: 'release' });
  },
});
