'use strict';
// What a host is started with: limits, stdio, environment, a command in front of it; and hosts that cannot be started.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { load } = require('../..');
const { addonFile, isGone, run, runJson, temporaryFolder } = require('./support/child.js');
const { caught, loadPlugin, plugin } = require('./support/plugin.js');

// Numbers of <sys/resource.h>.
const RLIMIT = { cpuSeconds: 0, processes: 6, openFiles: 7, addressSpace: 9 };

/** So much of what it prints. The streams alone keep no program running. */
async function text(host, name, length) {
  let all = '';
  host.ref();
  host[name].setEncoding('utf8');
  while (all.length < length) all += host[name].read() ?? (await once(host[name], 'readable'), '');
  host.unref();
  return all;
}

// ---- limits

test('limits: they are set', () => {
  const limits = { addressSpace: 2 ** 33, cpuSeconds: 1000, processes: 5000, openFiles: 100 };
  const { addon } = loadPlugin({ limits });
  for (const [name, limit] of Object.entries(limits)) assert.equal(addon.limit(RLIMIT[name]), limit, name);
  const { addon: other } = loadPlugin();
  assert.notEqual(other.limit(RLIMIT.cpuSeconds), 1000);
});

test('limits: address space, of which malloc() then has no more', () => {
  const { addon } = loadPlugin({ limits: { addressSpace: 2 ** 31 } });
  const eaten = addon.eat(4096);
  assert.ok(eaten > 100 && eaten < 2048, `${eaten} MiB`);
});

test('limits: resident memory', async () => {
  const { addon, host } = loadPlugin({ limits: { resident: 200 << 20 } });
  const exit = once(host, 'exit');
  const error = caught(() => { for (;;) addon.eat(1); });
  assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.match(error.message, /more memory/);
  assert.equal((await exit)[0].reason, 'oom');
  const { addon: other } = loadPlugin({ limits: { resident: 200 << 20 } });
  assert.equal(other.eat(50), 50);
});

test('limits: processor time', () => {
  const { addon } = loadPlugin({ limits: { cpuSeconds: 1 }, timeout: { call: 60_000 } });
  assert.match(caught(() => addon.burn()).signal, /^SIGXCPU$/);
});

test('limits: background work and Buffers go on with few open files', async () => {
  const remote = load(addonFile('async_work'), { limits: { openFiles: 64 } });
  assert.equal(typeof remote, 'object');
  const { addon, host } = loadPlugin({ limits: { openFiles: 64 } });
  addon.startWork();
  assert.equal(addon.count(), 1);
  host.kill();
});

test('limits that are none', () => {
  for (const limits of [null, 5, { resident: 0 }, { resident: '1' }, { cpuSeconds: 1.5 }, { openfiles: 5 }]) {
    assert.throws(() => load(plugin, { limits }), { name: 'TypeError', code: /^ERR_INVALID_ARG_(TYPE|VALUE)$/ });
  }
});

// ---- stdio

test('stdio: pipes', async () => {
  const { addon, host } = loadPlugin({ stdio: 'pipe' });
  addon.print(1, 'to stdout');
  addon.print(2, 'to stderr');
  assert.equal(await text(host, 'stdout', 9), 'to stdout');
  assert.equal(await text(host, 'stderr', 9), 'to stderr');
  assert.equal(loadPlugin().host.stdout, null);
});

test('stdio: much more in one call than a pipe holds', async () => {
  const { addon, host } = loadPlugin({ stdio: ['ignore', 'pipe', 'inherit'] });
  const much = 'x'.repeat(8 << 20);
  addon.print(1, much);
  assert.equal(await text(host, 'stdout', much.length), much);
  assert.equal(host.stderr, null);
});

test('stdio: the streams outlast the process', async () => {
  const { addon, host } = loadPlugin({ stdio: 'pipe', restart: 'on-call' });
  const { stdout } = host;
  addon.print(1, 'one');
  assert.equal(await text(host, 'stdout', 3), 'one');
  caught(() => addon.crash());
  addon.print(1, 'two');
  assert.equal(host.stdout, stdout);
  assert.equal(await text(host, 'stdout', 3), 'two');
});

test('stdio: the streams end with the last process, and there are others for one that is started nevertheless', async () => {
  for (const restart of ['never', 'on-call']) {
    const { addon, host } = loadPlugin({ stdio: 'pipe', restart });
    const { stdout, stderr } = host;
    addon.print(1, 'last words');
    host.restart();
    assert.equal(host.stdout, stdout);
    addon.print(1, ', and more');
    const read = async (stream) => (await stream.toArray()).join('');
    const all = Promise.all([stdout, stderr].map(read));
    host[Symbol.dispose]();
    const timer = setTimeout(() => {}, 60_000); // the streams keep no program running
    assert.deepEqual(await all, ['last words, and more', '']);
    clearTimeout(timer);
    host.restart();
    assert.notEqual(host.stdout, stdout);
    addon.print(1, 'anew');
    assert.equal(await text(host, 'stdout', 4), 'anew');
    host.kill();
  }
});

test('stdio: inherited, ignored; pipes that nobody reads keep no program running', () => {
  const { code, stdout } = run((kit) => {
    for (const stdio of ['inherit', 'ignore', 'pipe', ['inherit', 'ignore', 'pipe']]) {
      kit.remote.load(kit.addonFile('plugin'), { stdio }).print(1, `${stdio} `);
    }
  });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: 'inherit ' });
});

test('stdio that is none', () => {
  for (const stdio of [null, 5, 'pip', [], ['pipe', 'pipe', 'pipe'], ['inherit', 'inherit']]) {
    assert.throws(() => load(plugin, { stdio }), { name: 'TypeError', code: /^ERR_INVALID_ARG_(TYPE|VALUE)$/ });
  }
});

// ---- environment and command

test('env: added to what the program has', () => {
  process.env.PLUGIN_HERE = 'here';
  process.env.PLUGIN_GONE = 'here';
  const { addon } = loadPlugin({ env: { PLUGIN_NEW: 'new', PLUGIN_GONE: undefined } });
  assert.deepEqual(['PLUGIN_HERE', 'PLUGIN_NEW', 'PLUGIN_GONE'].map((name) => addon.environment(name)), ['here', 'new', null]);
  for (const env of [null, [], { 'A=B': 'x' }, { A: 5 }, { A: 'a\0b' }]) {
    assert.throws(() => load(plugin, { env }), { name: 'TypeError', code: /^ERR_INVALID_ARG_(TYPE|VALUE)$/ });
  }
});

test('hostWrapper: a command that becomes the host', () => {
  const { addon, host } = loadPlugin({ hostWrapper: ['env', 'PLUGIN_WRAPPED=yes'] });
  assert.equal(addon.environment('PLUGIN_WRAPPED'), 'yes');
  assert.equal(addon.pid(), host.pid);
});

// Like gdbserver and rr.
test('hostWrapper: a command that has the host as a child', async () => {
  const { addon, host } = loadPlugin({ hostWrapper: ['sh', '-c', '"$@"; exit 9', 'sh'] });
  assert.equal(addon.count(), 1);
  assert.equal(addon.pid(), host.pid);
  const exit = once(host, 'exit');
  host.kill();
  await exit;
  assert.equal(caught(() => addon.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
  while (!isGone(host.pid)) await new Promise(setImmediate);
});

test('a host that cannot be started', () => {
  for (const [hostWrapper, stdio, rest] of [
    [['/no/such/command'], 'inherit', {}],
    [['false'], 'inherit', { exitCode: 1 }],
    [['sh', '-c', 'echo last words >&2; exit 3'], 'pipe', { exitCode: 3, stderr: 'last words\n' }],
    [['sh', '-c', 'kill -9 $$'], 'inherit', { signal: 'SIGKILL' }],
  ]) {
    const error = caught(() => load(plugin, { hostWrapper, stdio }));
    const { pid, ...others } = error;
    assert.deepEqual(others, { code: 'ERR_NAPI_REMOTE_LAUNCH', addon: plugin, ...rest });
    assert.equal(typeof pid, hostWrapper[0] === '/no/such/command' ? 'undefined' : 'number');
    assert.match(error.message, /^Cannot start the host process: /);
  }
  assert.equal(caught(() => load(plugin, { hostWrapper: ['sh', '-c', 'exec sleep 60'], timeout: { load: 200 } })).code, 'ERR_NAPI_REMOTE_LAUNCH');
  for (const hostWrapper of ['env', [], [5], [''], ['a\0']]) {
    assert.throws(() => load(plugin, { hostWrapper }), { name: 'TypeError', code: /^ERR_INVALID_ARG_(TYPE|VALUE)$/ });
  }
});

test('on-call: a start that fails is not tried again before its time', (t) => {
  const wrapper = path.join(temporaryFolder(t), 'wrapper');
  const count = path.join(path.dirname(wrapper), 'count');
  const write = (then) => fs.writeFileSync(wrapper, `#!/bin/sh\necho >> '${count}'\n${then}\n`, { mode: 0o700 });
  write('exec "$@"');
  const { addon, host } = loadPlugin({ hostWrapper: [wrapper], restart: { policy: 'on-call', backoff: { initial: 60_000, max: 60_000 } } });
  write('exit 3');
  caught(() => addon.crash());
  const codes = Array.from({ length: 4 }, () => caught(() => addon.count()).code);
  assert.deepEqual(codes, ['ERR_NAPI_REMOTE_LAUNCH', ...Array(3).fill('ERR_NAPI_REMOTE_HOST_DIED')]);
  assert.equal(fs.readFileSync(count, 'utf8').length, 2);
  write('exec "$@"');
  host.restart();
  assert.equal(addon.count(), 1);
});

test('a group has what the first load says that finds no process', (t) => {
  const folder = temporaryFolder(t);
  const group = 'first of many';
  const options = (name, limit) => ({ group, report: { directory: path.join(folder, name) }, limits: { openFiles: limit } });
  caught(() => load(plugin, { ...options('none', 50), hostWrapper: ['false'] }));
  fs.rmSync(path.join(folder, 'none'), { recursive: true });
  const { addon } = loadPlugin(options('first', 100));
  const { addon: other, host } = loadPlugin({ ...options('second', 200), restart: 'on-call', stdio: 'pipe' });
  assert.deepEqual([addon, other].map((each) => each.limit(RLIMIT.openFiles)), [100, 100]);
  assert.equal(host.stdout, null);
  caught(() => other.crash());
  assert.equal(caught(() => other.count()).code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.deepEqual(fs.readdirSync(folder), ['first']);
});

test('a build without a host', (t) => {
  const folder = temporaryFolder(t);
  fs.copyFileSync(path.join(path.dirname(path.dirname(plugin)), 'agent.node'), path.join(folder, 'agent.node'));
  fs.writeFileSync(path.join(folder, 'napi-remote-host'), '');
  const error = runJson((kit, file) => kit.print(kit.outcome(() => kit.remote.load(file))), { env: { NAPI_REMOTE_BUILD_DIR: folder }, args: [plugin] });
  assert.equal(error.code, 'ERR_NAPI_REMOTE_LAUNCH');
});

// ---- idle

test('idle: a host that has nothing to do ends, and is there again when it is called', async () => {
  const { addon, host } = loadPlugin({ idle: 50 });
  const exits = [];
  host.on('exit', ({ reason }) => exits.push(reason));
  for (let i = 0; i < 3; i++) {
    assert.equal(addon.count(), 1);
    const { pid } = host;
    await once(host.ref(), 'exit');
    assert.ok(isGone(pid));
  }
  assert.deepEqual(exits, ['clean', 'clean', 'clean']);
  assert.throws(() => load(plugin, { idle: 50, restart: 'never' }), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => load(plugin, { idle: 0 }), { code: 'ERR_INVALID_ARG_VALUE' });
});

test('idle, at-once: only a call brings another one', async () => {
  const { addon, host } = loadPlugin({ idle: 20, restart: 'at-once' });
  const { pid } = host;
  const exits = [];
  host.on('exit', ({ reason }) => exits.push(reason));
  await once(host.ref(), 'exit');
  await new Promise((resolve) => setTimeout(resolve, 100)); // several times the limit
  assert.deepEqual([exits, host.pid], [['clean'], pid]);
  assert.equal(addon.count(), 1);
  await once(host, 'spawn');
  caught(() => addon.crash());
  await once(host, 'spawn');
  assert.deepEqual(exits, ['clean', 'crashed']);
  host.unref()[Symbol.dispose]();
});

test('idle: a call in the same moment finds another one', async () => {
  const IDLE = 20;
  const { addon, host } = loadPlugin({ idle: IDLE, restart: { policy: 'on-call', max: Infinity, backoff: { initial: 0 } } });
  const pids = new Set();
  let last = performance.now();
  // As often as the host is looked at, and right behind that.
  await new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (performance.now() - last < IDLE) return;
      try {
        addon.count();
        pids.add(host.pid);
        last = performance.now();
        if (pids.size < 10) return;
        resolve();
      } catch (error) {
        reject(error);
      }
      clearInterval(timer);
    }, IDLE / 4);
  });
  host.kill();
});

test('idle: not while another thread uses the host', () => {
  const { pids, ends } = runJson((kit) => {
    const { Worker } = require('node:worker_threads');
    const source = `const { parentPort } = require('node:worker_threads');
      const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const addon = kit.remote.load(kit.addonFile('plugin'), { group: 'both' });
      parentPort.postMessage(addon.pid());
      parentPort.once('message', () => {
        addon.block(200);
        parentPort.postMessage(addon.pid());
      });`;
    const worker = new Worker(source, { eval: true });
    const pids = [], ends = [];
    worker.once('message', (pid) => {
      const host = kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin'), { group: 'both', idle: 20 }));
      pids.push(pid, host.pid);
      host.ref().on('exit', ({ reason }) => ends.push([reason, pids.length]));
      host.once('exit', () => kit.print({ pids, ends }));
      worker.once('message', (now) => pids.push(now)).postMessage('block');
    });
  });
  assert.equal(new Set(pids).size, 1);
  assert.deepEqual(ends, [['clean', 3]]);
});

test('idle: not while work is under way', async () => {
  const { addon, host } = loadPlugin({ idle: 20 });
  addon.startWork();
  await new Promise((resolve) => setTimeout(resolve, 150)); // several times the limit
  assert.equal(host.exit, null);
  host.kill();
});
