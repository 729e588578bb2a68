'use strict';
// Hosts that take the place of dead ones: the exports stay, and work.
const assert = require('node:assert/strict');
const { getEventListeners, once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { hostOf, hosts, load } = require('../..');
const { addonFile, isGone, run, runJson, temporaryFolder } = require('./support/child.js');
const { caught, loadPlugin, plugin } = require('./support/plugin.js');

const ON_CALL = { policy: 'on-call', max: Infinity, backoff: { initial: 0 } };

function isAlive(pid) {
  return hosts().some((host) => host.pid === pid && host.alive);
}

test('never: a dead host stays dead', () => {
  for (const restart of [undefined, 'never', { policy: 'never' }]) {
    const { addon } = loadPlugin({ restart });
    for (const act of ['crash', 'count', 'count']) assert.equal(caught(() => addon[act]()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
  }
});

test('on-call: the next call works, in another process; functions and exports are the same', () => {
  const { addon, host } = loadPlugin({ restart: ON_CALL });
  const { count, nested, Counter, number } = addon;
  const keys = Reflect.ownKeys(addon);
  const seen = new Set([addon.pid()]);
  assert.equal(addon.count(), 1);
  for (let i = 0; i < 5; i++) {
    assert.equal(caught(() => addon.crash()).signal, 'SIGSEGV');
    assert.equal(count(), 1);
    assert.equal(addon.described(), 2);
    assert.equal(nested.count(), 3);
    assert.equal(addon.pid(), host.pid);
    seen.add(addon.pid());
  }
  assert.equal(seen.size, 6);
  assert.deepEqual([addon.count, addon.nested, addon.Counter, addon.number], [count, nested, Counter, number]);
  assert.deepEqual(Reflect.ownKeys(addon), keys);
  assert.equal(hostOf(addon), host);
  assert.deepEqual([...seen].filter(isAlive), [host.pid]);
});

test('on-call: objects of the old host are gone, classes go on', () => {
  const { addon } = loadPlugin({ restart: ON_CALL });
  const { Counter } = addon;
  class Sub extends Counter {
    next() { return super.next() * 100; }
  }
  const old = [new Counter(1), Counter.make(1), addon.makeCounter(1), new Sub(1)];
  assert.deepEqual(old.map((counter) => counter.next()), [2, 2, 2, 200]);
  const died = caught(() => addon.call(() => addon.crash()));
  const areGone = () => {
    for (const counter of old) {
      const { next } = Counter.prototype;
      for (const use of [() => counter.next(), () => counter.value, () => addon.valueOf(counter), () => Reflect.apply(next, counter, [])]) {
        const error = caught(use);
        const { pid, signal, pending, lastCall } = died;
        assert.deepEqual({ ...error, report: undefined }, { code: 'ERR_NAPI_REMOTE_GONE', addon: plugin, pid, signal, pending, lastCall, report: undefined });
        assert.match(error.message, /has ended/);
        assert.deepEqual(error.report.calls, died.report.calls);
      }
    }
  };
  assert.equal(addon.count(), 1);
  areGone();
  const made = [new Counter(5), Counter.make(5), addon.makeCounter(5), Counter.call(undefined, 5)].slice(0, 3);
  assert.deepEqual(made.map((counter) => [counter.next(), counter.value, addon.valueOf(counter), counter instanceof Counter]), made.map(() => [6, 6, 6, true]));
  const sub = new Sub(7);
  areGone();
  assert.deepEqual([sub.next(), sub.value, sub instanceof Sub, sub instanceof Counter, Object.getPrototypeOf(sub) === Sub.prototype], [800, 8, true, true, true]);
  caught(() => addon.crash());
  assert.equal(new Sub(1).next(), 200);
  assert.equal(new Counter(1).next(), 2);
  assert.throws(() => sub.value, { code: 'ERR_NAPI_REMOTE_GONE' });
});

/** Each load of another file makes its classes anew; another process of the same one has those that were there. */
const renewals = {
  'another process': () => (host) => host.restart(),
  'another file': (t) => {
    const folder = temporaryFolder(t);
    let number = 0;
    return (host) => {
      const file = path.join(folder, `${++number}.node`);
      fs.copyFileSync(plugin, file);
      host.reload(file);
    };
  },
};
for (const [what, renewal] of Object.entries(renewals)) test(`prototypes of classes keep what the program has made of them: ${what}`, (t) => {
  const renew = renewal(t);
  const { addon, host } = loadPlugin();
  const { Counter } = addon;
  const own = Object.getOwnPropertyNames(Counter.prototype);
  const describe = (key) => {
    const { value, get, set, ...attributes } = Object.getOwnPropertyDescriptor(Counter.prototype, key);
    return { ...attributes, functions: [value, get, set].map((each) => each && [each.name, each.length]) };
  };
  const attributes = own.map(describe);
  class Above {
    above() { return 'above'; }
  }
  Counter.prototype.twice = function twice() { return this.next() + this.next(); };
  Object.setPrototypeOf(Counter.prototype, Above.prototype);
  for (let i = 0; i < 3; i++) {
    const old = new Counter(1);
    class Sub extends Counter {}
    const oldSub = new Sub(1);
    renew(host);
    assert.equal(new Sub(1).next(), 2);
    for (const use of [() => old.next(), () => old.value, () => oldSub.next(), () => oldSub.value]) assert.equal(caught(use).code, 'ERR_NAPI_REMOTE_GONE');
    assert.deepEqual(Object.getOwnPropertyNames(Counter.prototype).filter((key) => !/^twice|^more/.test(key)), own);
    assert.deepEqual(own.map(describe), attributes);
    for (const counter of [new Counter(1), Counter.make(1), addon.makeCounter(1)]) {
      assert.deepEqual([counter.twice(), counter.above(), counter instanceof Counter, counter instanceof Above], [5, 'above', true, true]);
      assert.deepEqual([counter.constructor, Object.getPrototypeOf(counter)], [Counter, Counter.prototype]);
    }
    Counter.prototype[`more${i}`] = i;
    assert.throws(() => Counter.prototype.next.call({}), { name: 'TypeError', message: 'Illegal invocation' });
  }
  assert.deepEqual([Counter.prototype.more0, Counter.prototype.more1, Counter.prototype.more2], [0, 1, 2]);
  delete Counter.prototype.next;
  renew(host);
  assert.equal('next' in new Counter(1), false);
});

test('on-call: inside of frames of the host that died', () => {
  const { addon, host } = loadPlugin({ restart: ON_CALL });
  const { pid } = host;
  const seen = [];
  const error = caught(() => addon.call(() => addon.call(() => {
    seen.push(caught(() => addon.crash()).code);
    seen.push(addon.count(), addon.call(() => addon.count()), addon.pid() !== pid);
    caught(() => addon.crash());
    seen.push(addon.count());
  })));
  assert.deepEqual(seen, ['ERR_NAPI_REMOTE_HOST_DIED', 1, 2, true, 1]);
  assert.deepEqual([error.code, error.pid, error.signal], ['ERR_NAPI_REMOTE_HOST_DIED', pid, 'SIGSEGV']);
  assert.equal(addon.count(), 2);
});

test('on-call: promises of the old host are rejected, exits are told in their order', async () => {
  const { addon, host } = loadPlugin({ restart: ON_CALL });
  const pids = [host.pid];
  const exits = [];
  host.on('exit', ({ pid, reason }) => exits.push([pid, reason]));
  const owed = addon.owe().catch(({ pid }) => pid);
  caught(() => addon.crash());
  const second = addon.owe().catch(({ pid }) => pid);
  pids.push(host.pid);
  host.kill();
  assert.deepEqual(await Promise.all([owed, second]), pids);
  assert.deepEqual(exits, [[pids[0], 'crashed'], [pids[1], 'killed']]);
});

test('on-call: waits longer each time', () => {
  const { addon, host } = loadPlugin({ restart: { policy: 'on-call', backoff: { initial: 200, max: 400, factor: 2 } } });
  const waits = [];
  for (let i = 0; i < 4; i++) {
    caught(() => addon.crash());
    const before = performance.now();
    for (;;) {
      try {
        addon.count();
        break;
      } catch (error) {
        assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
        assert.equal(error.pid, host.pid);
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
      }
    }
    waits.push(performance.now() - before);
  }
  for (const [i, least] of [0, 200, 400, 400].entries()) assert.ok(waits[i] >= least - 5, `${waits}`);
});

test('on-call: not more often in a minute than it may', () => {
  const { addon } = loadPlugin({ restart: { policy: 'on-call', backoff: { initial: 0 }, max: 2 } });
  for (let i = 0; i < 2; i++) {
    caught(() => addon.crash());
    assert.equal(addon.count(), 1);
  }
  caught(() => addon.crash());
  for (let i = 0; i < 3; i++) assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
});

test('at-once: nobody needs to call', async () => {
  const inits = [];
  const { addon, host } = loadPlugin({ restart: { policy: 'at-once', init: (exports, of) => inits.push([exports, of, exports.count()]) } });
  await once(host, 'spawn');
  const { pid } = host;
  const told = ['exit', 'spawn'].map((event) => once(host, event));
  process.kill(host.ref().pid, 'SIGKILL');
  const [[exit], [spawn]] = await Promise.all(told);
  assert.deepEqual([exit.pid, spawn.pid], [pid, host.pid]);
  assert.ok(host.pid !== pid && isAlive(host.pid));
  assert.deepEqual(inits, [[addon, host, 1]]);
  assert.equal(addon.count(), 2);
  host.unref();
});

test('at-once: a host that cannot be started again', async (t) => {
  const file = path.join(temporaryFolder(t), 'x.node');
  fs.copyFileSync(plugin, file);
  const addon = load(file, { restart: 'at-once' });
  const host = hostOf(addon);
  fs.unlinkSync(file);
  const exits = [];
  host.on('exit', ({ reason }) => exits.push(reason));
  host.kill();
  await once(host, 'exit');
  await new Promise(setImmediate);
  assert.deepEqual(exits, ['killed', 'launch-failed']);
  assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
});

test('at-once: after an AbortSignal nothing is tried', async () => {
  const controller = new AbortController();
  const { host } = loadPlugin({ signal: controller.signal, restart: { policy: 'at-once', backoff: { initial: 0 } } });
  const exits = [];
  host.on('exit', ({ reason }) => exits.push(reason));
  controller.abort();
  await once(host, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 20)); // had there been attempts, they would be over
  assert.deepEqual(exits, ['killed']);
});

test('at-once: a listener that throws is the program\'s own affair', () => {
  const result = runJson((kit) => {
    const { hostOf, load } = kit.remote;
    const options = { group: 'both', restart: 'at-once' };
    const all = [1, 2].map(() => hostOf(load(kit.addonFile('plugin'), options)));
    const { pid } = all[0];
    const told = [];
    process.on('uncaughtException', ({ message }) => told.push(message));
    for (const [i, host] of all.entries()) host.once('exit', () => { throw new Error(`listener ${i}`); });
    all[1].ref().on('spawn', ({ pid: now }) => {
      if (now === pid) return;
      all[1].unref();
      kit.print([told, all.every((host) => host.pid === now)]);
    });
    setImmediate(() => all[0].kill());
  });
  assert.deepEqual(result, [['listener 0', 'listener 1'], true]);
});

for (const policy of ['never', 'on-call', 'at-once']) {
  test(`Symbol.dispose: it ends for good, also with ${policy}`, async () => {
    const { addon, host } = loadPlugin({ restart: policy });
    const { pid } = host;
    const exit = once(host, 'exit');
    host[Symbol.dispose]();
    assert.equal((await exit)[0].reason, 'killed');
    for (let i = 0; i < 3; i++) {
      assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
      await new Promise(setImmediate);
    }
    assert.equal(host.pid, pid);
    host[Symbol.dispose]();
    host.restart(); // but when it is asked for
    assert.equal(addon.count(), 1);
    host.kill();
  });
}

test('Symbol.dispose: the others of its group go on, when they may', async () => {
  const options = { group: 'one of them is disposed', restart: ON_CALL };
  const [first, second] = [1, 2].map(() => loadPlugin(options));
  const { pid } = first.host;
  const exit = once(second.host, 'exit');
  first.host[Symbol.dispose]();
  await exit;
  assert.equal(second.addon.count(), 1);
  assert.equal(caught(() => first.addon.count()).code, 'ERR_NAPI_REMOTE_GONE');
  assert.deepEqual([first.host.pid, second.host.pid !== pid], [pid, true]);
  first.host.restart(); // into the process that is there
  assert.deepEqual([first.host.pid, first.addon.count(), second.addon.count()], [second.host.pid, 2, 3]);
  second.host.kill();
});

test('init that throws: the call throws it, and the next one begins anew', () => {
  let calls = 0;
  const { addon, host } = loadPlugin({ restart: { ...ON_CALL, init() {
    if (++calls < 3) throw new Error(`init ${calls}`);
  } } });
  caught(() => addon.crash());
  assert.deepEqual([caught(() => addon.count()).message, caught(() => addon.count()).message], ['init 1', 'init 2']);
  assert.deepEqual([addon.count(), calls], [1, 3]);
  assert.deepEqual(hosts().filter(({ alive, files }) => alive && files.length > 1 && files.every((file) => file === plugin)), []);
  host.kill();
});

test('init that throws, at-once: events, and the next attempt', async () => {
  let calls = 0;
  const { addon, host } = loadPlugin({ restart: { policy: 'at-once', backoff: { initial: 1 }, init() {
    if (++calls < 3) throw new Error(`init ${calls}`);
  } } });
  const events = [];
  host.on('exit', ({ reason, error }) => events.push(error?.message ?? reason));
  await once(host, 'spawn');
  const spawned = new Promise((resolve) => { host.on('spawn', () => calls === 3 && resolve()); });
  host.ref().kill();
  await spawned;
  assert.deepEqual(events, ['killed', 'init 1', 'killed', 'init 2', 'killed']);
  assert.equal(addon.count(), 1);
  assert.deepEqual(hosts().find(({ pid }) => pid === host.pid).files, [plugin]);
  host.unref()[Symbol.dispose]();
});

test('restart(): an AbortSignal hears of the host once, however many there were', async () => {
  const { signal } = new AbortController();
  const { host } = loadPlugin({ signal });
  for (let i = 0; i < 5; i++) host.restart();
  assert.equal(getEventListeners(signal, 'abort').length, 1);
  const exit = once(host, 'exit');
  for (host.kill(); host.exit?.pid !== host.pid;) await new Promise(setImmediate);
  await exit;
  assert.equal(getEventListeners(signal, 'abort').length, 0);
});

test('restart(): what was counted before is in the histogram', () => {
  const { addon, host } = loadPlugin({ callTimes: true });
  for (let i = 0; i < 50; i++) addon.count();
  host.restart();
  for (let i = 0; i < 5; i++) addon.count();
  assert.ok(host.callTimes.count >= 55, `${host.callTimes.count} calls`);
});

test('what is known of a group is kept for those that have a name', () => {
  const { groups } = require('../../server/lib/thread.js');
  const names = new Set(groups.keys());
  for (let i = 0; i < 3; i++) loadPlugin().host.kill();
  caught(() => load('/no/such/file.node'));
  loadPlugin({ group: 'known' }).host.kill();
  assert.deepEqual([...groups.keys()].filter((name) => !names.has(name)), ['group known']);
});

test('ref() is for the next one, too', () => {
  const program = (kit, holds) => {
    const host = kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin')));
    host.ref().restart();
    if (!holds) host.unref();
    setTimeout(() => {
      kit.print('there');
      host.kill();
    }, 100).unref();
  };
  assert.deepEqual([true, false].map((holds) => run(program, { args: [holds] }).stdout), ['"there"\n', '']);
});

test('restart(): also without being asked for before', async () => {
  const { addon, host } = loadPlugin();
  const { pid } = host;
  addon.count();
  const counter = new addon.Counter(1);
  const exit = once(host, 'exit');
  assert.equal(host.restart(), host);
  assert.ok(isGone(pid) && host.pid !== pid);
  assert.equal(addon.count(), 1);
  assert.equal(caught(() => counter.next()).code, 'ERR_NAPI_REMOTE_GONE');
  assert.deepEqual(await exit, [{ pid, code: null, signal: 'SIGKILL', reason: 'killed' }]);
  host.restart().restart();
  assert.equal(addon.count(), 1);
  caught(() => addon.crash());
  assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
  host.restart();
  assert.equal(addon.count(), 1);
});

test('restart(): from below native frames of the host', () => {
  const { addon, host } = loadPlugin();
  const { pid } = host;
  let inside;
  const error = caught(() => addon.call(() => {
    host.restart();
    inside = addon.count();
  }));
  assert.equal(inside, 1);
  assert.deepEqual([error.code, error.pid], ['ERR_NAPI_REMOTE_HOST_DIED', pid]);
  assert.equal(addon.count(), 2);
});

test('restart(): all addons of the group go along', () => {
  const addons = ['plugin', 'basic', 'plugin'].map((name) => load(addonFile(name), { group: 'together' }));
  const all = addons.map(hostOf);
  const [{ pid }] = all;
  all[1].restart();
  assert.ok(all.every((host) => host.pid === all[0].pid && host.pid !== pid));
  assert.deepEqual([addons[0].count(), addons[1].add(1, 2), addons[2].count()], [1, 3, 2]);
  assert.equal(hostOf(load(addonFile('basic'), { group: 'together' })).pid, all[0].pid);
});

test('restart(): what the program has changed stays', () => {
  const { addon, host } = loadPlugin();
  const own = () => 'own';
  addon.version = own;
  addon.extra = 1;
  delete addon.burn;
  addon.number = 'mine';
  host.restart();
  assert.deepEqual([addon.version, addon.extra, 'burn' in addon, addon.number], [own, 1, false, 'mine']);
});

test('reload(): a rebuilt file', (t) => {
  const file = path.join(temporaryFolder(t), 'x.node');
  fs.copyFileSync(plugin, file);
  const addon = load(file);
  const { version, hang } = addon;
  assert.equal(addon.add, undefined);
  fs.unlinkSync(file);
  fs.copyFileSync(addonFile('plugin_2'), file);
  hostOf(addon).reload();
  assert.deepEqual([addon.version(), version(), addon.number, addon.version === version], [2, 2, 2, true]);
  assert.equal(addon.onlyInTwo(), 2);
  hostOf(addon).reload(plugin);
  assert.deepEqual([addon.version(), addon.number, hostOf(addon).file], [1, 1, plugin]);
  assert.equal(caught(() => addon.onlyInTwo()).code, 'ERR_NAPI_REMOTE_GONE');
  assert.equal(typeof hang, 'function');
});

test('reload(): a file that cannot be loaded', (t) => {
  const file = path.join(temporaryFolder(t), 'x.node');
  fs.copyFileSync(plugin, file);
  const addon = load(file);
  fs.writeFileSync(file, 'no addon');
  assert.throws(() => hostOf(addon).reload(), { code: 'ERR_DLOPEN_FAILED' });
  assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
  hostOf(addon).reload(plugin);
  assert.equal(addon.count(), 1);
});

test('reload(): another file that is not there, and what takes its place', () => {
  const { addon, host } = loadPlugin({ restart: ON_CALL });
  assert.throws(() => host.reload('/no/such/file.node'), { code: 'ERR_DLOPEN_FAILED' });
  assert.equal(host.file, plugin);
  assert.equal(addon.count(), 1);
  assert.throws(() => host.reload(5), { code: 'ERR_INVALID_ARG_TYPE' });
  assert.equal(addon.count(), 2);
});

test('options that are none', () => {
  for (const restart of ['sometimes', 5, null, [], { policy: 'x' }, {}, { policy: 'never', max: -1 }, { policy: 'on-call', backoff: { factor: 0 } }, { policy: 'on-call', init: 5 },
    { policy: 'never', bakcoff: {} }]) {
    assert.throws(() => load(plugin, { restart }), { name: 'TypeError', code: /^ERR_INVALID_ARG_(TYPE|VALUE)$/ }, JSON.stringify(restart));
  }
});

test('another process has the classes of the one before, and its properties', () => {
  const { addon, host } = loadPlugin();
  const { Counter, described } = addon;
  const { prototype, make } = Counter;
  const { next } = prototype;
  for (let i = 0; i < 3; i++) {
    host.restart();
    assert.deepEqual([addon.Counter, Counter.prototype, Counter.make, prototype.next, Object.getPrototypeOf(make(1))], [Counter, prototype, make, next, prototype]);
    assert.deepEqual([described(), addon.described()], [1, 2]);
  }
});

test('an Init that throws when it runs again: nothing of the addon works until one does not', () => {
  const { addon, host } = loadPlugin();
  const { Counter, described, count } = addon;
  process.env.PLUGIN_INIT = 'throw';
  try {
    assert.throws(() => host.restart(), { code: 'PLUGIN_INIT' });
  } finally {
    delete process.env.PLUGIN_INIT;
  }
  for (const use of [() => new Counter(1), () => described(), () => count()]) assert.equal(caught(use).code, 'ERR_NAPI_REMOTE_HOST_DIED');
  host.restart();
  assert.deepEqual([new Counter(1).next(), described(), count(), addon.Counter], [2, 1, 2, Counter]);
});

test('a Worker ends after restarts, with objects of all of its hosts', () => {
  const result = runJson((kit) => {
    const { Worker } = require('node:worker_threads');
    const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const addon = kit.remote.load(kit.addonFile('plugin'), { restart: 'on-call' });
      globalThis.objects = [];
      for (let i = 0; i < 5; i++) {
        objects.push(new addon.Counter(i), addon.makeCounter(i), addon.owe());
        addon.hold({});
        addon.addHook();
        if (i % 2) addon.startThread(() => {});
        kit.remote.hostOf(addon).restart();
      }
      objects.forEach((object) => object.catch?.(() => {}));
      require('node:worker_threads').parentPort.postMessage(addon.count());`;
    const worker = new Worker(source, { eval: true });
    let count;
    worker.on('message', (message) => { count = message; });
    worker.on('exit', (code) => kit.print({ count, code }));
  });
  assert.deepEqual(result, { count: 1, code: 0 });
});

test('in a Worker', () => {
  const results = runJson((kit) => {
    const { Worker } = require('node:worker_threads');
    const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const addon = kit.remote.load(kit.addonFile('plugin'), { restart: 'on-call' });
      const results = [addon.count(), kit.outcome(() => addon.crash()).code, addon.count()];
      require('node:worker_threads').parentPort.postMessage(results);`;
    new Worker(source, { eval: true }).on('message', (message) => kit.print(message));
  });
  assert.deepEqual(results, [1, 'ERR_NAPI_REMOTE_HOST_DIED', 1]);
});

test('the end of a program is as ever', () => {
  const { code, stdout } = run((kit) => {
    const addon = kit.remote.load(kit.addonFile('plugin'), { restart: 'at-once' });
    kit.outcome(() => addon.crash());
    addon.addHook();
    kit.print(addon.count());
  });
  assert.deepEqual([code, stdout], [0, '1\n']);
});
