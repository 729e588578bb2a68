'use strict';
// Handles of libuv's that addons put on the loop of their env: when they are called, in which order, and what they keep alive.
const { cases, turn } = require('./harness.js');
const { programs } = require('./support/programs.js');

/** Resolves when `start` has its function called. */
const called = (start) => new Promise((resolve) => {
  start(resolve);
});

cases('uv_handles', {
  'the loop': (addon) => addon.loop(),
  'a timer': async (addon) => {
    let id;
    const what = await called((resolve) => { id = addon.timer(resolve, 1, 0); });
    const before = addon.state(id);
    return [what, before, await called((resolve) => addon.close(id, resolve))];
  },
  'a timer of 0 ms is no call at once': async (addon) => {
    const log = [];
    const id = addon.timer(() => log.push('timer'), 0, 0);
    log.push('started');
    await null;
    log.push('microtask');
    while (!log.includes('timer')) await turn();
    addon.close(id);
    return log;
  },
  'a timer that repeats until it is stopped': async (addon) => {
    let count = 0;
    await called((resolve) => {
      const id = addon.timer(() => {
        if (++count < 5) return;
        addon.stop(id);
        resolve();
        addon.close(id);
      }, 1, 1);
    });
    await turn();
    return count;
  },
  'timers in the order of their times': async (addon) => {
    const log = [];
    const ids = [30, 10, 20, 1].map((time) => addon.timer(() => log.push(time), time, 0));
    while (log.length < 4) await turn();
    ids.forEach((id) => addon.close(id));
    return log;
  },
  'a timer started again': async (addon) => {
    let id;
    const results = [];
    await called((resolve) => { id = addon.timer(resolve, 1, 0); });
    results.push(addon.again(id), addon.state(id));
    addon.close(id);
    const other = await called((resolve) => {
      const of = addon.timer(() => { addon.close(of); resolve('repeated'); }, 1e6, 1);
      results.push(addon.again(of));
    });
    return [results, other];
  },
  'an async, sent here': async (addon) => {
    const log = [];
    const id = addon.async((what) => log.push(what));
    for (let i = 0; i < 3; i++) addon.send(id, false);
    log.push('sent');
    while (log.length < 2) await turn();
    await turn();
    addon.send(id, false);
    while (log.length < 3) await turn();
    return [log, await called((resolve) => addon.close(id, resolve))];
  },
  'an async, sent by a thread': async (addon) => {
    const log = [];
    const id = addon.async((what) => log.push(what));
    addon.send(id, true, true);
    log.push('sent');
    await null;
    log.push('microtask');
    while (log.length < 3) await turn();
    addon.close(id);
    return log;
  },
  'asyncs by threads while the loop sleeps': async (addon) => {
    let count = 0;
    for (let i = 0; i < 20; i++) {
      await called((resolve) => {
        const id = addon.async(() => { count++; addon.close(id, resolve); });
        addon.send(id, true, false);
      });
    }
    return count;
  },
  'idle, prepare and check in a turn': async (addon) => {
    const log = [];
    const ids = [];
    await called((resolve) => {
      let rounds = 0;
      const end = () => {
        ids.forEach((id) => addon.close(id));
        resolve();
      };
      ids.push(addon.check((what) => { log.push(what); if (++rounds === 4) end(); }));
      ids.push(addon.prepare((what) => log.push(what)));
      ids.push(addon.idle((what) => log.push(what)));
    });
    // From the first idle on: what they were started in was some phase of a turn.
    return log.slice(log.indexOf('idle'), log.indexOf('idle') + 9);
  },
  'ticks and microtasks between two callbacks': async (addon) => {
    const log = [];
    const ids = [1, 2, 3].map((number) => addon.timer(() => {
      log.push(`timer ${number}`);
      process.nextTick(() => log.push(`tick ${number}`));
      Promise.resolve().then(() => log.push(`microtask ${number}`));
    }, 5, 0));
    while (log.length < 9) await turn();
    ids.forEach((id) => addon.close(id));
    return log;
  },
  'closed before it is called': async (addon) => {
    const log = [];
    const id = addon.timer(() => log.push('timer'), 0, 0);
    await called((resolve) => addon.close(id, (what) => { log.push(what); resolve(); }));
    await turn();
    return log;
  },
  'states': async (addon) => {
    const id = addon.timer(() => {}, 1e6, 0);
    const results = [addon.state(id)];
    addon.unref(id);
    results.push(addon.state(id));
    addon.ref(id);
    results.push(addon.state(id));
    addon.stop(id);
    results.push(addon.state(id));
    await called((resolve) => addon.close(id, resolve));
    return results;
  },
  'many timers at once': async (addon) => {
    let count = 0;
    const ids = Array.from({ length: 100 }, (_, i) => addon.timer(() => count++, i % 7, 0));
    while (count < 100) await turn();
    await Promise.all(ids.map((id) => called((resolve) => addon.close(id, resolve))));
    return count;
  },
});

programs({
  'a timer keeps the program alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const id = addon.timer((what) => {
      kit.print(what);
      addon.close(id, kit.print);
    }, 20, 0);
    process.on('beforeExit', () => kit.print('beforeExit'));
    process.on('exit', () => kit.print('exit'));
  },
  'a timer without a reference does not': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    addon.unref(addon.timer(kit.print, 1e6, 0));
    process.on('exit', () => kit.print('exit'));
  },
  'a timer that was stopped does not': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    addon.stop(addon.timer(kit.print, 1e6, 0));
    process.on('exit', () => kit.print('exit'));
  },
  'a timer that lost its reference long after its start': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const id = addon.timer(kit.print, 1e6, 0);
    setTimeout(() => { kit.print('timeout'); addon.unref(id); }, 10);
    process.on('exit', () => kit.print('exit'));
  },
  'an async keeps the program alive until it is closed': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const id = addon.async((what) => {
      kit.print(what);
      addon.close(id, kit.print);
    });
    setTimeout(() => addon.send(id, true, false), 20).unref();
    process.on('exit', () => kit.print('exit'));
  },
  'a timer without a reference is called as long as something else lives': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    let count = 0;
    const interval = setInterval(() => {}, 1e6);
    const id = addon.timer(() => {
      if (++count > 3) return;
      kit.print(count);
      if (count === 3) clearInterval(interval);
    }, 1, 1);
    addon.unref(id);
    process.on('exit', () => {
      addon.stop(id); // called while Node's env ends, it is the end of Node
      kit.print('exit');
    });
  },
  'a timer started in "beforeExit"': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    let left = 2;
    process.on('beforeExit', () => {
      kit.print(`beforeExit ${left}`);
      if (left-- === 0) return;
      const id = addon.timer((what) => { kit.print(what); addon.close(id); }, 1, 0);
    });
  },
  'process.exit() in a callback': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    addon.timer((what) => { kit.print(what); process.exit(3); }, 1, 0);
    process.on('exit', (code) => kit.print(code));
  },
  'an exception in a callback': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const id = addon.timer(function callback() { addon.close(id); throw new Error('from a timer'); }, 1, 0);
    process.on('exit', (code) => kit.print(code));
  },
  'an exception in a callback, caught for the process': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    process.on('uncaughtException', (error, origin) => kit.print([error.message, origin]));
    const id = addon.timer(() => {
      process.nextTick(() => kit.print('tick'));
      addon.close(id, kit.print);
      throw new Error('from a timer');
    }, 1, 0);
  },
  'resources that are alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const seen = () => kit.print([process.getActiveResourcesInfo(), process._getActiveHandles().length, process._getActiveRequests().length]);
    seen();
    const id = addon.timer(() => { seen(); addon.close(id, seen); }, 10, 0);
    seen();
  },
  'the env ends with handles left': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    addon.unref(addon.timer(kit.print, 1e6, 0));
    addon.unref(addon.async(kit.print));
    kit.print('end of the script');
  },
  'async_hooks see no handles of libuv\'s': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const log = [];
    require('node:async_hooks').createHook({
      init(id, type) { log.push(type); },
      before() { log.push('before'); },
      after() { log.push('after'); },
    }).enable();
    const id = addon.timer(() => {
      log.push('timer');
      addon.close(id, () => log.push('closed'));
    }, 1, 0);
    process.on('exit', () => kit.print(log));
  },
  'the order of Node\'s timers and the addon\'s': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    setTimeout(() => kit.print('Node 10'), 10);
    setTimeout(() => kit.print('Node 150'), 150);
    for (const time of [80, 220]) {
      const id = addon.timer(() => { kit.print(`addon ${time}`); addon.close(id); }, time, 0);
    }
  },
});

programs({
  'uv_run in a native call: Node\'s timers, immediates and ticks run in it': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    setTimeout(() => {
      kit.print('timeout');
      process.nextTick(() => kit.print('tick'));
      setImmediate(() => {
        kit.print('immediate');
        addon.stopRunning();
      });
    }, 1);
    kit.print('before');
    addon.runUntilStopped();
    kit.print('after');
  },
  'uv_run in a native call: the addon\'s own timer': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const id = addon.timer((what) => {
      kit.print(what);
      addon.close(id);
      addon.stopRunning();
    }, 5, 0);
    addon.runUntilStopped();
    kit.print('after');
  },
  'uv_run in a native call waits for what comes from a file': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    require('node:fs').stat('/', (error, stat) => {
      kit.print(stat.isDirectory());
      addon.stopRunning();
    });
    addon.runUntilStopped();
    kit.print('after');
  },
  'uv_run in a callback of the loop': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    const id = addon.timer(() => {
      kit.print('timer');
      addon.close(id);
      setTimeout(() => { kit.print('inner timeout'); addon.stopRunning(); }, 5);
      addon.runUntilStopped();
      kit.print('after');
    }, 1, 0);
  },
  'uv_run without waiting': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_handles'));
    kit.print(addon.runNowait(3));
    const timeout = setTimeout(() => {}, 1e6);
    kit.print(addon.runNowait(2));
    clearTimeout(timeout);
    setImmediate(() => kit.print('immediate'));
    addon.runNowait(1);
    kit.print('after');
  },
});
