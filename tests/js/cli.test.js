'use strict';
// The command line: napi-remote run.
const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { test } = require('node:test');
const { addonFile, root, temporaryFolder } = require('./support/child.js');

const cli = path.join(root, 'server', 'cli.js');

function napiRemote(args, options) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', timeout: 60_000, ...options });
  return { code: status, signal, stdout, stderr };
}

function script(t, source, name = 'script.js') {
  const file = path.join(temporaryFolder(t), name);
  fs.writeFileSync(file, source);
  return file;
}

test('--help shows the usage', () => {
  for (const option of ['--help', '-h', 'help']) {
    const { code, stdout, stderr } = napiRemote([option]);
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.match(stdout, /^Usage: napi-remote run /);
  }
});

test('--version is that of the package', () => {
  for (const option of ['--version', '-v']) {
    assert.deepEqual(napiRemote([option]), { code: 0, signal: null, stdout: `${require('../../package.json').version}\n`, stderr: '' });
  }
});

test('wrong usage: exit code 2, the mistake and the usage on stderr', () => {
  for (const [args, mistake] of [[[], /^napi-remote: /], [['walk'], /unknown command "walk"/], [['--no-such-option'], /--no-such-option/], [['run'], /script/],
    [['run', '--'], /script/]]) {
    const { code, stdout, stderr } = napiRemote(args);
    assert.deepEqual({ args, code, stdout }, { args, code: 2, stdout: '' });
    assert.match(stderr, mistake);
    assert.match(stderr, /^Usage: napi-remote run /m);
  }
});

test('run isolates the addons of the script', (t) => {
  const file = script(t, `console.log(JSON.stringify([process.pid, require(${JSON.stringify(addonFile('open_fds'))}).pid()]));`);
  const { code, stdout, stderr } = napiRemote(['run', file]);
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
  const [node, host] = JSON.parse(stdout);
  assert.notEqual(host, node);
});

test('run passes the arguments on as they are', (t) => {
  const file = script(t, 'console.log(JSON.stringify(process.argv.slice(1)));');
  const args = ['', ' ', '--', '--help', '-v', '"quoted"', '*', '$HOME', 'ä\n', '-r', 'run'];
  for (const before of [[], ['--']]) {
    const { stdout } = napiRemote(['run', ...before, file, ...args]);
    assert.deepEqual(JSON.parse(stdout), [file, ...args]);
  }
});

test('run takes options of Node before the script', (t) => {
  const preload = script(t, 'globalThis.preloaded = true;', 'preload.js');
  const file = script(t, 'console.log(JSON.stringify([process.execArgv.slice(-3), typeof gc, globalThis.preloaded]));');
  const { stdout } = napiRemote(['run', '--expose-gc', '-r', preload, file, '--expose-gc']);
  assert.deepEqual(JSON.parse(stdout), [['--expose-gc', '-r', preload], 'function', true]);
  assert.equal(napiRemote(['run', '-p', 'process.dlopen.length']).stdout, `${process.dlopen.length}\n`);
});

test('run ends with the exit code of the script', (t) => {
  const file = script(t, 'process.exitCode = Number(process.argv[2]);');
  for (const code of [0, 1, 2, 42, 127, 255]) assert.deepEqual(napiRemote(['run', file, String(code)]), { code, signal: null, stdout: '', stderr: '' });
});

test('run: a script that is not there, one that throws', (t) => {
  const missing = napiRemote(['run', '/no/such/script.js']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /MODULE_NOT_FOUND/);
  const thrown = napiRemote(['run', script(t, "throw new Error('as asked');")]);
  assert.equal(thrown.code, 1);
  assert.match(thrown.stderr, /as asked/);
});

test('run ends by the signal that ended the script', (t) => {
  const file = script(t, 'process.kill(process.pid, process.argv[2]); setInterval(() => {}, 1e6);');
  for (const name of ['SIGTERM', 'SIGKILL', 'SIGHUP', 'SIGINT', 'SIGUSR2', 'SIGALRM']) {
    assert.deepEqual(napiRemote(['run', file, name]), { code: null, signal: name, stdout: '', stderr: '' });
  }
  // A core would be written into the working folder.
  const aborted = napiRemote(['run', script(t, 'process.abort();')], { cwd: temporaryFolder(t) });
  assert.deepEqual([aborted.code, aborted.signal], [null, 'SIGABRT']);
});

// Starts a script, waits for its first line, and gives what it takes to see it end.
async function startScript(t, source) {
  const child = spawn(process.execPath, [cli, 'run', script(t, source)], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  return { child, closed, first: (await lines.next()).value, line: async () => (await lines.next()).value };
}

test('run forwards signals to a script that handles them', async (t) => {
  for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2']) {
    const { child, closed, line } = await startScript(t, `
      const timer = setInterval(() => {}, 1e6);
      process.on('${name}', (signal) => { console.log(signal); clearInterval(timer); process.exitCode = 9; });
      console.log('ready');`);
    child.kill(name);
    assert.equal(await line(), name);
    assert.deepEqual(await closed, { code: 9, signal: null });
  }
});

test('run forwards signals to a script that does not handle them', async (t) => {
  for (const name of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR2']) {
    const { child, closed } = await startScript(t, "setInterval(() => {}, 1e6); console.log('ready');");
    child.kill(name);
    assert.deepEqual(await closed, { code: null, signal: name });
  }
});

test('run hands its stdio on', (t) => {
  const file = script(t, "process.stdin.pipe(process.stdout); process.stderr.write('to stderr');");
  assert.deepEqual(napiRemote(['run', file], { input: 'through the pipe' }), { code: 0, signal: null, stdout: 'through the pipe', stderr: 'to stderr' });
});

test('NAPI_REMOTE_TRACE=1 prints calls on stderr, and nothing else changes', (t) => {
  const file = script(t, `console.log(require(${JSON.stringify(addonFile('basic'))}).add(1, 2));`);
  const { code, stdout, stderr } = napiRemote(['run', file], { env: { ...process.env, NAPI_REMOTE_TRACE: '1' } });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '3\n' });
  for (const name of ['napi_get_cb_info', 'napi_get_value_double', 'napi_create_double', 'napi_create_function']) assert.ok(stderr.includes(name), name);
});

test('NAPI_REMOTE_TRACE=1 with messages in messages: classes and buffers of a published addon', (t) => {
  const file = script(t, `
    const { Xxh32 } = require(${JSON.stringify(path.join(root, 'node_modules', '@node-rs', 'xxhash'))});
    console.log(new Xxh32(1).update(Buffer.from('text')).digest());`);
  const plain = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  const { code, stdout, stderr } = napiRemote(['run', file], { env: { ...process.env, NAPI_REMOTE_TRACE: '1' } });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: plain.stdout });
  assert.match(stderr, /napi_define_properties|napi_define_class/);
});

test('the command is executable, and what package.json names', (t) => {
  const { bin } = require('../../package.json');
  const link = path.join(temporaryFolder(t), 'napi-remote');
  fs.symlinkSync(path.join(root, bin['napi-remote']), link);
  const { status, stdout, error } = spawnSync(link, ['--version'], { encoding: 'utf8' });
  assert.equal(error, undefined);
  assert.deepEqual([status, stdout], [0, `${require('../../package.json').version}\n`]);
});
