'use strict';
// The JavaScript face beyond its arguments: how its errors look, which addon lives where, copies of the module, ^C, the examples of register.
const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { addonFile, register, root, run, runJson, temporaryFolder } = require('./support/child.js');
const remote = require('../..');

const basic = addonFile('basic');

function thrownBy(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

// [what is wrong, arguments, what the message says]
const REFUSED = [
  ['a number', [5], /^The "file" argument must be of type string or an instance of URL\. Received type number \(5\)$/],
  ['a Buffer', [Buffer.from(basic)], /Received an instance of Buffer$/],
  ['an object without prototype', [Object.create(null)], /Received \[Object: null prototype\] \{\}$/],
  ['a function', [function name() {}], /Received function name$/],
  ['a long string for the options', [basic, 'x'.repeat(100)], /^The "options" argument must be of type object\. Received type string \('x{24}\.\.\.\)$/],
  ['a NUL', ['/a\0b'], /^The argument 'file' must be a non-empty string without null bytes\. Received '\/a\\x00b'$/],
  ['an unknown option', [basic, { gruop: 'x' }], /^The property 'options\.gruop' is not an option of load\(\)\. Received 'x'$/],
  ['a group with a NUL', [basic, { group: 'a\0b' }], /^The property 'options\.group' must be a non-empty string without null bytes\. Received 'a\\x00b'$/],
];

for (const [what, args, message] of REFUSED) {
  test(`in Node's words: ${what}`, () => assert.throws(() => remote.load(...args), { name: 'TypeError', message }));
}

test('argument errors look as those of Node do', () => {
  const own = thrownBy(() => remote.load(5));
  const nodes = thrownBy(() => fs.readFileSync({}));
  assert.ok(own instanceof TypeError);
  const describe = (error) => [error.name, error.code, error.stack.split(':')[0], Object.keys(error)];
  assert.deepEqual(describe(own), describe(nodes));
});

test('a URL of another realm, as test runners have them', () => {
  const { href, protocol, pathname, hostname } = pathToFileURL(basic);
  const url = vm.runInNewContext('({ href, protocol, pathname, hostname })', { href, protocol, pathname, hostname });
  assert.equal(remote.load(url).add(1.5, 2), 3.5);
});

test('a group is known by its name, and is no host of a load without one', () => {
  const hosts = ['same', 'same', 'load 1', undefined].map((group) => remote.hostOf(remote.load(basic, { group })));
  assert.deepEqual(hosts.map((host) => host.group), ['same', 'same', 'load 1', undefined]);
  assert.equal(hosts[0].pid, hosts[1].pid);
  assert.equal(new Set(hosts.map((host) => host.pid)).size, 3);
});

test('hostOf() knows what a program under register has loaded', () => {
  const result = runJson((kit) => {
    const addon = kit.dlopen(kit.addonFile('open_fds'));
    const host = kit.remote.hostOf(addon);
    kit.print([host.pid === addon.pid(), host.group, host.file]);
  }, { isolated: true });
  assert.deepEqual(result, [true, '', addonFile('open_fds')]);
});

test('kill() ends that host and no other, once', () => {
  const [addon, bystander] = [remote.load(basic), remote.load(basic)];
  const host = remote.hostOf(addon);
  assert.equal(host.kill(), true);
  assert.throws(() => addon.add(1.5, 2), { name: 'Error', code: 'ERR_NAPI_REMOTE_HOST_DIED', signal: 'SIGKILL', pid: host.pid });
  assert.equal(host.kill(), false);
  assert.equal(bystander.add(1.5, 2), 3.5);
});

test('a copy of the module, after a cleared cache, knows the same hosts', () => {
  const addon = remote.load(basic);
  for (const file of Object.keys(require.cache)) {
    if (file.startsWith(path.join(root, 'server'))) delete require.cache[file];
  }
  const copy = require('../..');
  assert.notEqual(copy, remote);
  assert.equal(copy.hostOf(addon).pid, remote.hostOf(addon).pid);
  assert.notEqual(copy.hostOf(copy.load(basic)).pid, remote.hostOf(addon).pid);
});

// A path that is relative to the working directory of now, not to that of the host's start; the messages have the name as it was given.
test('process.dlopen() of relative paths after process.chdir()', (t) => {
  const [one, two] = [temporaryFolder(t), temporaryFolder(t)];
  fs.mkdirSync(path.join(two, 'sub'));
  fs.copyFileSync(basic, path.join(one, 'x.node'));
  fs.copyFileSync(addonFile('open_fds'), path.join(two, 'y.node'));
  const program = (kit, calls) => {
    kit.print(calls.map(([folder, name]) => {
      process.chdir(folder);
      return kit.outcome(() => Object.keys(kit.dlopen(name)));
    }));
  };
  // No name twice: the loader takes a library that it has by that name, wherever it was.
  const calls = [[one, './x.node'], [two, './y.node'], [two, 'sub/../y.node'], [two, 'sub/../missing.node'], [one, './missing.node'], [one, 'x.node']];
  const inProcess = runJson(program, { args: [calls] });
  assert.deepEqual(runJson(program, { args: [calls], isolated: true }), inProcess);
});

test('the example of register.d.ts prints what its comment says', (t) => {
  const source = fs.readFileSync(path.join(root, 'server', 'register.d.ts'), 'utf8').match(/```js\n([^]*?)```/)[1].replace(/^ *\* ?/gm, '');
  const folder = temporaryFolder(t);
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'napi-remote'));
  fs.symlinkSync(path.join(root, 'node_modules', '@node-rs'), path.join(folder, 'node_modules', '@node-rs'));
  fs.writeFileSync(path.join(folder, 'example.js'), source);
  const { code, stdout, stderr } = run(path.join(folder, 'example.js'));
  assert.deepEqual([code, stdout, stderr], [0, `${source.match(/console\.log\(.*\); \/\/ (.*)$/m)[1]}\n`, '']);
  assert.deepEqual(Object.keys(require(register)), []);
});

// At ^C the terminal sends SIGINT to the script and to `napi-remote run`, which must not add another. That it had its turn shows by a signal that it hands on.
test('^C reaches the script once', async (t) => {
  const file = path.join(temporaryFolder(t), 'script.js');
  fs.writeFileSync(file, `
    let count = 0;
    process.on('SIGINT', () => { count++; process.kill(process.ppid, 'SIGTERM'); });
    process.on('SIGTERM', () => { console.log('SIGINT ' + count); process.exit(9); });
    setInterval(() => {}, 1000);
    console.log('ready');`);
  const command = [process.execPath, path.join(root, 'server', 'cli.js'), 'run', file].map((word) => `'${word}'`).join(' ');
  // Without exec, a shell like dash stays, gets the ^C as well and ends by it.
  const child = spawn('script', ['-qec', `exec ${command}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'], timeout: 60_000, killSignal: 'SIGKILL' });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    if (!output.includes('ready') && (output + text).includes('ready')) child.stdin.write('\x03');
    output += text;
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.match(output, /SIGINT 1\r?\n/);
  assert.equal(code, 9);
});
