'use strict';
// Hosts that take the place of dead ones: the exports stay, and work. (restart_asked.test.js: when the program asks for it.)
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { hostOf, hosts, load } = require('../..');
const { addonFile, runJson, temporaryFolder } = require('./support/child.js');
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

test('on-call: a call that came too early is not too late when the time is up meanwhile', (t) => {
  const { addon, host } = loadPlugin({ restart: { policy: 'on-call', backoff: { initial: 200, factor: 1 } } });
  let passed = 0;
  const { now } = Date;
  t.mock.method(Date, 'now', () => now.call(Date) + (passed += 1000)); // each look takes a second
  const seen = [];
  for (let i = 0; i < 3; i++) {
    caught(() => addon.crash());
    const error = i === 0 ? undefined : caught(() => addon.count());
    seen.push(error?.code, error?.pid === host.pid, addon.count());
  }
  const early = ['ERR_NAPI_REMOTE_HOST_DIED', true, 1];
  assert.deepEqual(seen, [undefined, false, 1, ...early, ...early]);
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
