'use strict';
// restart() and reload(), and what outlives the hosts: properties, classes, Workers.
const assert = require('node:assert/strict');
const { getEventListeners, once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { hostOf, hosts, load } = require('../..');
const { addonFile, isGone, run, runJson, temporaryFolder } = require('./support/child.js');
const { caught, loadPlugin, plugin } = require('./support/plugin.js');

const ON_CALL = { policy: 'on-call', max: Infinity, backoff: { initial: 0 } };

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
