'use strict';
// Hosts that die, hang or are ended: what the error says, what becomes of what they had begun, and what hostOf() tells.
const assert = require('node:assert/strict');
const diagnostics = require('node:diagnostics_channel');
const { EventEmitter, once } = require('node:events');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { hostOf, load } = require('../..');
const { addonFile, isGone, run, runJson } = require('./support/child.js');
const { caught, loadPlugin, plugin } = require('./support/plugin.js');

test('an error says whose host died, how, and what was pending', () => {
  const { addon, host } = loadPlugin();
  const error = caught(() => addon.call(() => addon.crash()));
  assert.deepEqual({ ...error }, {
    code: 'ERR_NAPI_REMOTE_HOST_DIED', pid: host.pid, signal: 'SIGSEGV', addon: plugin, pending: 'napi_call_function', lastCall: 'napi_call_function',
  });
});

test('promises that a dead host owed are rejected', async () => {
  const { addon, host } = loadPlugin();
  const owed = [addon.owe(), addon.owe()].map((promise) => promise.catch((error) => error));
  host.kill();
  const [first, second] = await Promise.all(owed);
  assert.equal(first.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.equal(first.signal, 'SIGKILL');
  assert.equal(first, second);
});

test('promises are rejected when nobody calls', async () => {
  const { addon, host } = loadPlugin();
  const owed = addon.owe();
  process.kill(host.ref().pid, 'SIGKILL');
  await assert.rejects(owed, { code: 'ERR_NAPI_REMOTE_HOST_DIED', signal: 'SIGKILL' });
});

test('a rejection that nobody handles ends the program as any does', () => {
  const { code, stderr } = run((kit) => {
    const addon = kit.remote.load(kit.addonFile('plugin'));
    addon.owe();
    kit.remote.hostOf(addon).ref().kill();
  });
  assert.equal(code, 1);
  assert.match(stderr, /ERR_NAPI_REMOTE_HOST_DIED/);
});

test('what a dead host had begun keeps no program running, and its async resources end', () => {
  const { events, exit } = runJson((kit) => {
    const events = {};
    const types = new Map();
    require('node:async_hooks').createHook({
      init: (id, type) => types.set(id, type),
      destroy: (id) => { events[types.get(id)] = (events[types.get(id)] ?? 0) + 1; },
    }).enable();
    const addon = kit.remote.load(kit.addonFile('plugin'));
    addon.startWork();
    addon.startWork();
    addon.startThread(() => {});
    addon.addHook();
    const host = kit.remote.hostOf(addon);
    let exit;
    host.on('exit', (how) => { exit = how; });
    process.kill(host.pid, 'SIGKILL');
    process.on('exit', () => kit.print({ events, exit }));
  });
  assert.deepEqual(exit, { pid: exit.pid, code: null, signal: 'SIGKILL', reason: 'killed' });
  assert.equal(events.plugin, 3);
});

test('objects that a dead host held are collected', async () => {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  const { addon, host } = loadPlugin();
  const weak = (() => {
    const object = {};
    addon.hold(object);
    return new WeakRef(object);
  })();
  host.kill();
  await once(host, 'exit');
  for (let i = 0; i < 100 && weak.deref() !== undefined; i++) {
    await new Promise(setImmediate);
    gc();
  }
  assert.equal(weak.deref(), undefined);
});

// ---- timeouts

const HANGS = {
  'native code that sleeps': (addon) => addon.hang(),
  'native code that spins': (addon) => addon.burn(),
  'native code that calls and calls': (addon) => addon.spin({ name: 'x' }),
  'a nested call': (addon) => addon.call(() => addon.hang()),
};
for (const [what, hang] of Object.entries(HANGS)) {
  test(`timeout: ${what} is ended`, async () => {
    const { addon, host } = loadPlugin({ timeout: 100 });
    const exit = once(host, 'exit');
    const before = performance.now();
    const error = caught(() => hang(addon));
    const taken = performance.now() - before;
    assert.equal(error.code, 'ERR_NAPI_REMOTE_TIMEOUT');
    assert.match(error.message, /\(100 ms\) (in native code|while napi_\w+ was under way)/);
    if (error.pending !== undefined) assert.ok(error.message.includes(error.pending));
    assert.equal(error.pid, host.pid);
    assert.ok(taken >= 100 && taken < 2000, `${taken} ms`);
    assert.deepEqual(await exit, [{ pid: host.pid, code: null, signal: 'SIGKILL', reason: 'timeout' }]);
    assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_TIMEOUT');
  });
}

test('timeout: a host that is stopped', () => {
  const { addon, host } = loadPlugin({ timeout: { call: 100 } });
  process.kill(host.pid, 'SIGSTOP');
  assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_TIMEOUT');
});

test('timeout: a stopped host that is sent more than the ring holds', () => {
  const { addon, host } = loadPlugin({ timeout: { call: 100 } });
  process.kill(host.pid, 'SIGSTOP');
  assert.equal(caught(() => addon.print(1, 'x'.repeat(4 << 20))).code, 'ERR_NAPI_REMOTE_TIMEOUT');
});

test('timeout: calls that are quicker are not touched, and each has its own time', () => {
  const { addon } = loadPlugin({ timeout: 500 });
  for (let i = 0; i < 4; i++) addon.block(150);
  assert.equal(addon.count(), 1);
});

test('timeout: of the load', () => {
  process.env.PLUGIN_INIT = 'hang';
  try {
    const error = caught(() => load(plugin, { timeout: { load: 200 } }));
    assert.equal(error.code, 'ERR_NAPI_REMOTE_TIMEOUT');
    assert.equal(error.addon, plugin);
    assert.ok(isGone(error.pid));
  } finally {
    delete process.env.PLUGIN_INIT;
  }
});

test('timeout: no number of milliseconds', () => {
  for (const timeout of [0, -1, 1.5, NaN, '5', null, 2 ** 31, { call: 0 }, { cal: 5 }, []]) {
    assert.throws(() => load(plugin, { timeout }), { name: 'TypeError', code: /^ERR_INVALID_ARG_(TYPE|VALUE)$/ }, String(timeout));
  }
  assert.equal(load(plugin, { timeout: Infinity }).count(), 1);
});

// ---- signals

test('signal: aborted between calls, inside of one, and before the load', async () => {
  const reason = new Error('enough');
  const between = new AbortController();
  const { addon, host } = loadPlugin({ signal: between.signal });
  const owed = addon.owe();
  between.abort(reason);
  await assert.rejects(owed, { name: 'AbortError', code: 'ABORT_ERR' });
  assert.equal(caught(() => addon.count()).cause, reason);
  assert.ok(isGone(host.pid));
  const inside = new AbortController();
  const nested = load(plugin, { signal: inside.signal });
  const error = caught(() => nested.call(() => inside.abort(reason)));
  assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', reason]);
  assert.throws(() => load(plugin, { signal: AbortSignal.abort(reason) }), { name: 'AbortError', code: 'ABORT_ERR', cause: reason });
  assert.throws(() => load(plugin, { signal: {} }), { code: 'ERR_INVALID_ARG_TYPE' });
});

// ---- the host as an object

test('hostOf(): an EventEmitter', async () => {
  const { addon, host } = loadPlugin();
  assert.ok(host instanceof EventEmitter);
  assert.equal(hostOf(addon), host);
  assert.deepEqual(await once(host, 'spawn'), [{ pid: host.pid }]);
  assert.equal(host.exit, null);
  addon.count();
  const { resident, cpu, ...counts } = host.stats();
  assert.ok(resident > 1e6 && cpu.user >= 0 && cpu.system >= 0);
  assert.deepEqual(Object.keys(counts), ['calls', 'posts', 'entries', 'roundTrips', 'sleeps', 'handles', 'references']);
  assert.ok(counts.references >= 1);
  host[Symbol.dispose]();
  assert.deepEqual(await once(host, 'exit'), [{ pid: host.pid, code: null, signal: 'SIGKILL', reason: 'killed' }]);
  assert.deepEqual(host.exit, { pid: host.pid, code: null, signal: 'SIGKILL', reason: 'killed' });
  assert.equal(host.stats().resident, 0);
  assert.equal(host.kill(), false);
});

test('callTimes: a histogram, when it is asked for', async () => {
  const { addon, host } = loadPlugin({ callTimes: true });
  const loaded = host.callTimes.count;
  for (let i = 0; i < 100; i++) addon.count();
  addon.block(50);
  addon.call(() => addon.count());
  const { callTimes } = host;
  assert.equal(callTimes.count - loaded, 102); // a nested call is a part of its outermost one
  assert.ok(callTimes.min >= 100 && callTimes.min < 5e6, `${callTimes.min} ns`);
  assert.ok(callTimes.max >= 48e6, `${callTimes.max} ns`);
  assert.equal(host.callTimes, callTimes);
  addon.count();
  host.kill();
  await once(host, 'exit');
  assert.equal(callTimes.count - loaded, 103);
  assert.equal(loadPlugin().host.callTimes, undefined);
  assert.throws(() => load(plugin, { callTimes: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
});

const REASONS = {
  clean: [(addon) => addon.exit(0), { code: 0, signal: null }],
  abnormal: [(addon) => addon.exit(7), { code: 7, signal: null }],
  crashed: [(addon) => addon.crash(), { code: null, signal: 'SIGSEGV' }],
};
for (const [reason, [end, how]] of Object.entries(REASONS)) {
  test(`exit: ${reason}`, async () => {
    const { addon, host } = loadPlugin();
    const told = [];
    host.on('exit', (exit) => told.push(exit));
    const exit = once(host, 'exit');
    caught(() => end(addon));
    assert.deepEqual(told, [], 'told inside of the call');
    await exit;
    await new Promise(setImmediate);
    assert.deepEqual(told, [{ pid: host.pid, ...how, reason }]);
  });
}

test('exit: all addons of the host hear of it, and the channels', async (t) => {
  const seen = [];
  for (const name of ['spawn', 'exit']) {
    const listen = ({ pid, addon, reason }) => seen.push([name, pid, addon, reason]);
    diagnostics.subscribe(`napi-remote:host:${name}`, listen);
    t.after(() => diagnostics.unsubscribe(`napi-remote:host:${name}`, listen));
  }
  const first = loadPlugin({ group: 'heard' });
  first.host.ref();
  const second = hostOf(load(addonFile('basic'), { group: 'heard' }));
  const exits = [once(first.host, 'exit'), once(second, 'exit')];
  process.kill(first.host.pid, 'SIGKILL');
  const [[one], [two]] = await Promise.all(exits);
  assert.deepEqual(one, two);
  const { pid } = second;
  assert.deepEqual(seen, [
    ['spawn', pid, plugin, undefined], ['spawn', pid, addonFile('basic'), undefined],
    ['exit', pid, plugin, 'killed'], ['exit', pid, addonFile('basic'), 'killed'],
  ]);
});

test('a listener that throws is an uncaught exception', () => {
  const { code, stderr } = run((kit) => {
    const host = kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin'))).ref();
    host.on('exit', () => { throw new Error('from a listener'); });
    host.kill();
  });
  assert.equal(code, 1);
  assert.match(stderr, /Error: from a listener/);
});

test('ref() keeps the program going as long as the host lives, unref() does not', () => {
  const program = (kit, ref) => {
    const host = kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin')));
    host.on('exit', ({ reason }) => kit.print(reason));
    if (ref) host.ref();
    else host.ref().unref();
    process.kill(host.pid, 'SIGKILL');
  };
  assert.equal(run(program, { args: [true] }).stdout, '"killed"\n');
  const { code } = run((kit) => { kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin'))).ref().unref(); });
  assert.equal(code, 0);
});

test('async_hooks hear nothing of a host that ends', () => {
  const seen = runJson((kit) => {
    const seen = [];
    const host = kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin'))).ref();
    host.on('exit', () => seen.push('exit'));
    setImmediate(() => {
      require('node:async_hooks').createHook({ init: (id, type) => seen.push(type), before: () => seen.push('before') }).enable();
      process.kill(host.pid, 'SIGKILL');
    });
    process.on('exit', () => kit.print(seen));
  });
  assert.deepEqual(seen, ['exit']);
});
