'use strict';
// load(), hosts() and hostOf(): their arguments, and every example of server/index.d.ts.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { addonFile, root, run, runJson, temporaryFolder } = require('./support/child.js');
const remote = require('../..');

const { load, hosts, hostOf } = remote;
const basic = addonFile('basic');

test('the package exports what its types say', () => {
  const types = fs.readFileSync(path.join(root, 'server', 'index.d.ts'), 'utf8');
  const declared = [...types.matchAll(/^export (?:declare )?(?:function|const|class) (\w+)/gm)].map((match) => match[1]);
  assert.deepEqual(Object.keys(remote).sort(), declared.sort());
});

test('load(): a file that is none', () => {
  for (const file of [undefined, null, 5, 5n, true, {}, [], Symbol('s'), () => {}, Buffer.from(basic), new String(basic)]) {
    assert.throws(() => load(file), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
  }
  assert.throws(() => load(), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /^The "file" argument must be .*Received undefined$/ });
  for (const file of ['', '\0', `${basic}\0`]) assert.throws(() => load(file), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  for (const file of ['file://', 'file://elsewhere/x.node', 'file:///%2F.node', new URL('http://127.0.0.1/x.node')]) {
    assert.throws(() => load(file), (error) => /^ERR_(INVALID_|DLOPEN_FAILED)/.test(error.code), String(file));
  }
});

test('load(): options that are none', () => {
  for (const options of [null, 5, 'text', true, Symbol('s')]) {
    assert.throws(() => load(basic, options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /"options" argument/ });
  }
  for (const group of [null, 5, {}, [], true, Symbol('s')]) {
    assert.throws(() => load(basic, { group }), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /"options\.group" property/ });
  }
  assert.throws(() => load(basic, { group: '' }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => load(basic, { grop: 'typo' }), { name: 'TypeError', code: 'ERR_INVALID_ARG_VALUE', message: /options\.grop/ });
});

test('load(): arguments that are refused start no host', () => {
  const before = hosts().length;
  assert.throws(() => load(basic, { group: 'a\0b' }), { code: 'ERR_INVALID_ARG_VALUE' });
  assert.throws(() => load(5));
  assert.throws(() => load(basic, { group: 5 }));
  assert.equal(hosts().length, before);
});

test('load(): paths, relative paths and file: URLs', (t) => {
  const folder = path.join(temporaryFolder(t), 'ä ö#?%');
  fs.mkdirSync(folder);
  const file = path.join(folder, 'x.node');
  fs.copyFileSync(basic, file);
  for (const name of [file, pathToFileURL(file), pathToFileURL(file).href, path.relative(process.cwd(), file)]) {
    const addon = load(name, { group: 'paths' });
    assert.equal(addon.add(1, 2), 3);
    assert.equal(hostOf(addon).file, file);
  }
  assert.equal(load(basic, undefined).add(1, 2), 3);
  assert.equal(load(basic, { group: undefined }).add(1, 2), 3);
  const result = runJson((kit) => kit.print(kit.remote.load('x.node').add(1, 2)), { cwd: folder });
  assert.equal(result, 3);
});

test('hosts(): one entry per process, files in their order', () => {
  const { entries, pids, alive } = runJson((kit) => {
    const { load, hosts, hostOf } = kit.remote;
    const [basic, faults] = ['basic', 'faults'].map(kit.addonFile);
    if (hosts().length !== 0) throw new Error('a host before the first load');
    const addons = [load(basic, { group: 'a' }), load(faults, { group: 'a' }), load(basic, { group: 'a' }), load(faults)];
    const entries = hosts().map(({ pid, files, alive }) => ({ pid, files, alive }));
    kit.outcome(() => addons[3].abort());
    const alive = hosts().filter((host) => host.alive).map((host) => host.pid);
    kit.print({ entries, pids: addons.map((addon) => hostOf(addon).pid), alive });
  });
  const [a, , , b] = pids;
  assert.deepEqual(pids, [a, a, a, b]);
  const expected = [{ pid: a, files: [basic, addonFile('faults'), basic], alive: true }, { pid: b, files: [addonFile('faults')], alive: true }];
  assert.deepEqual(entries.sort((x, y) => x.files.length < y.files.length ? 1 : -1), expected);
  assert.deepEqual(alive, [a]);
});

test('hosts(): what it returns is the caller\'s', () => {
  const addon = load(basic);
  const list = hosts();
  for (const host of list) Object.assign(host, { pid: 0, files: null, alive: 'no' });
  list.length = 0;
  assert.ok(hosts().some(({ pid, files, alive }) => pid === hostOf(addon).pid && files[0] === basic && alive === true));
});

test('hosts(): those of register too, those of other threads not', () => {
  const [own, worker] = runJson((kit) => {
    kit.dlopen(kit.addonFile('basic'));
    const { Worker } = require('node:worker_threads');
    const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      require('node:worker_threads').parentPort.postMessage(kit.remote.hosts().length);`;
    new Worker(source, { eval: true }).on('message', (count) => kit.print([kit.remote.hosts().map((host) => host.files), count]));
  }, { isolated: true });
  assert.deepEqual(own, [[basic]]);
  assert.equal(worker, 0);
});

test('hostOf(): undefined for what load() did not return', () => {
  for (const value of [undefined, null, 5, 5n, 'text', true, Symbol('s'), {}, [], () => {}, remote, new Proxy({}, {})]) {
    assert.equal(hostOf(value), undefined);
  }
  const addon = load(basic);
  assert.equal(hostOf(addon.add), undefined);
  assert.equal(hostOf({ ...addon }), undefined);
  assert.equal(hostOf(Object.create(addon)), undefined);
});

test('hostOf(): the exports may be a function', () => {
  const count = load(addonFile('init_other'));
  assert.equal(typeof count, 'function');
  assert.equal(hostOf(count).file, addonFile('init_other'));
});

test('hostOf(): the exports of require() under register, and groups', () => {
  const groups = runJson((kit) => {
    const { load, hostOf, hosts } = kit.remote;
    const required = require(kit.addonFile('basic'));
    const addons = [required, load(kit.addonFile('basic')), load(kit.addonFile('basic'), { group: 'g' })];
    const describe = ({ pid, group }) => [pid, typeof group, group];
    kit.print([addons.map((addon) => describe(hostOf(addon))), hosts().map(({ pid }) => pid), addons.map((addon) => hostOf(addon).file)]);
  }, { isolated: true });
  assert.deepEqual(groups[0].map(([, type, group]) => [type, group]), [['string', ''], ['undefined', null], ['string', 'g']]);
  assert.deepEqual(groups[0].map(([pid]) => pid).sort(), groups[1].sort());
  assert.deepEqual(groups[2], [basic, basic, basic]);
});

test('hostOf(): read-only facts about the host', () => {
  const addon = load(basic);
  const host = hostOf(addon);
  assert.ok(Number.isInteger(host.pid) && host.pid !== process.pid);
  assert.ok(fs.existsSync(`/proc/${host.pid}`));
  assert.throws(() => {
    host.pid = 1;
  }, TypeError);
  assert.throws(() => {
    host.file = 'other';
  }, TypeError);
  assert.equal(hostOf(addon).pid, host.pid);
});

test('counts(): what they count', () => {
  const addon = load(basic);
  const host = hostOf(addon);
  const first = host.counts();
  assert.deepEqual(Object.keys(first).sort(), ['calls', 'entries', 'posts', 'roundTrips', 'sleeps']);
  for (const count of Object.values(first)) assert.ok(Number.isSafeInteger(count) && count >= 0);
  for (let i = 0; i < 10; i++) addon.noop();
  const second = host.counts();
  assert.equal(second.entries - first.entries, 10);
  assert.equal(second.calls - first.calls, 0);
  assert.equal(second.roundTrips, second.calls + second.entries);
  assert.equal(second.roundTrips - first.roundTrips, 10);
  assert.ok(second.sleeps >= first.sleeps);
});

test('kill() and counts() of a host that is dead', () => {
  const addon = load(basic);
  const host = hostOf(addon);
  assert.equal(host.kill(), true);
  assert.throws(() => addon.noop(), { code: 'ERR_NAPI_REMOTE_HOST_DIED' });
  assert.equal(host.kill(), false);
  assert.equal(typeof host.counts().entries, 'number');
});

// The ```js examples of the types, each with its number.
function examples() {
  const types = ['index.d.ts', 'register.d.ts'].map((name) => fs.readFileSync(path.join(root, 'server', name), 'utf8')).join('\n');
  return [...types.matchAll(/^ *\* ```js\n([\s\S]*?)^ *\* ```$/gm)].map((match) => match[1].replace(/^ *\* ?/gm, ''));
}

// What an example says that it prints: the comments behind console.log(), one a line.
function expectedOutput(source) {
  return [...source.matchAll(/console\.log\(.*\); *\/\/ (.*)$/gm)].map((match) => match[1]);
}

test('there are examples', () => assert.ok(examples().length >= 3));

for (const [index, source] of examples().entries()) {
  test(`example ${index + 1} of server/*.d.ts prints what it says`, (t) => {
    const folder = temporaryFolder(t);
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(root, path.join(folder, 'node_modules', 'napi-remote'));
    fs.symlinkSync(path.join(root, 'node_modules', '@node-rs'), path.join(folder, 'node_modules', '@node-rs'));
    fs.writeFileSync(path.join(folder, 'example.js'), source);
    const expected = expectedOutput(source);
    assert.equal(expected.length, source.split('console.log(').length - 1, 'a console.log() without its output');
    const { code, stdout, stderr } = run(path.join(folder, 'example.js'));
    assert.deepEqual({ code, stderr, lines: stdout.trimEnd().split('\n') }, { code: 0, stderr: '', lines: expected });
  });
}
