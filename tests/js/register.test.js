'use strict';
// `node -r napi-remote/register`: every way in which a program loads addons, in threads and child processes too.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { addonFile, register, root, run, runJson, temporaryFolder } = require('./support/child.js');

// A project with open_fds.node, which tells its process id, where each kind of loader looks for it.
function project(t) {
  const folder = temporaryFolder(t);
  for (const name of ['x.node', 'build/Release/x.node', 'prebuilds/linux-x64/x.node']) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(addonFile('open_fds'), file);
  }
  return folder;
}

function script(folder, name, source) {
  const file = path.join(folder, name);
  fs.writeFileSync(file, source);
  return file;
}

// Runs the source, a script of its own, both ways. It prints [process.pid, addon.pid()].
function checkIsolation(t, name, source) {
  const file = script(project(t), name, source);
  const [own, inProcess] = runJson(file);
  assert.equal(inProcess, own);
  const [node, host] = runJson(file, { isolated: true });
  assert.notEqual(host, node);
}

const LOADERS = {
  "require('./x.node')": "const addon = require('./x.node');",
  'require without the extension': "const addon = require('./x');",
  'as bindings does': `
    let addon;
    for (const folder of ['build', 'build/Debug', 'build/Release']) {
      try {
        addon = require(require('path').join(__dirname, folder, 'x.node'));
        break;
      } catch (error) {
        if (error.code !== 'MODULE_NOT_FOUND') throw error;
      }
    }`,
  'as node-gyp-build does': `
    const addon = require(require('path').join(__dirname, 'prebuilds', process.platform + '-' + process.arch, 'x.node'));`,
  'process.dlopen()': "process.dlopen(module, require.resolve('./x.node')); const addon = module.exports;",
  'process.dlopen() with flags': `
    process.dlopen(module, require.resolve('./x.node'), require('os').constants.dlopen.RTLD_NOW); const addon = module.exports;`,
  'Module._extensions': "require.extensions['.node'](module, require.resolve('./x.node')); const addon = module.exports;",
  'dlopen taken from process': `
    const { dlopen } = process; dlopen(module, require.resolve('./x.node')); const addon = module.exports;`,
};

for (const [name, source] of Object.entries(LOADERS)) {
  test(`isolated: ${name}`, (t) => checkIsolation(t, 'main.js', `${source}\nconsole.log(JSON.stringify([process.pid, addon.pid()]));`));
}

test('isolated: createRequire() in an ES module', (t) => checkIsolation(t, 'main.mjs', `
  import { createRequire } from 'node:module';
  const addon = createRequire(import.meta.url)('./x.node');
  console.log(JSON.stringify([process.pid, addon.pid()]));`));

test('isolated: import of a CommonJS package that loads an addon', (t) => checkIsolation(t, 'main.mjs', `
  import { writeFileSync } from 'node:fs';
  writeFileSync(new URL('./index.cjs', import.meta.url), "module.exports = require('./x.node');");
  const { default: addon } = await import('./index.cjs');
  console.log(JSON.stringify([process.pid, addon.pid()]));`));

// Node makes strings and objects of the arguments, whatever they are: these load in-process.
const ODD_ARGUMENTS = {
  'a file name that is a String object': 'process.dlopen(module, new String(file));',
  'a file name that is a Buffer': 'process.dlopen(module, Buffer.from(file));',
  'a module that is a function': 'const other = () => {}; other.exports = {}; process.dlopen(other, file); module.exports = other.exports;',
};

for (const [name, source] of Object.entries(ODD_ARGUMENTS)) {
  test(`isolated: process.dlopen() with ${name}`, (t) => checkIsolation(t, 'main.js', `
    const file = require.resolve('./x.node');
    ${source}
    console.log(JSON.stringify([process.pid, module.exports.pid()]));`));
}

test('require() twice gives the same exports, and the module is as in-process', (t) => {
  const file = script(project(t), 'main.js', `
    const first = require('./x.node');
    const entry = require.cache[require.resolve('./x.node')];
    console.log(JSON.stringify([first === require('./x.node'), entry.loaded, entry.exports === first, entry.children.length, Object.keys(first)]));`);
  assert.deepEqual(runJson(file, { isolated: true }), runJson(file));
});

test('all addons of a program share one host', () => {
  const pids = runJson((kit) => kit.print([kit.dlopen(kit.addonFile('open_fds')).pid(), kit.dlopen(kit.addonFile('faults')).pid(), process.pid,
    kit.remote.hosts().length]), { isolated: true });
  assert.equal(pids[0], pids[1]);
  assert.notEqual(pids[0], pids[2]);
  assert.equal(pids[3], 1);
});

test('loaded twice, also by another path, it does no harm', (t) => {
  const link = path.join(temporaryFolder(t), 'napi-remote');
  fs.symlinkSync(root, link);
  const program = (kit) => {
    const { dlopen } = process;
    delete require.cache[kit.register];
    require(kit.register);
    const addon = kit.dlopen(kit.addonFile('open_fds'));
    kit.print([addon.pid() !== process.pid, dlopen === process.dlopen, kit.remote.hosts().length]);
  };
  for (const nodeArgs of [[], ['-r', register], ['-r', path.join(link, 'server', 'register.js'), '--preserve-symlinks', '--preserve-symlinks-main'], ['-r', 'napi-remote/register']]) {
    assert.deepEqual(runJson(program, { isolated: true, nodeArgs, cwd: root }), [true, true, 1]);
  }
});

test('child processes inherit it through NODE_OPTIONS', (t) => {
  const folder = project(t);
  const child = script(folder, 'child.js', "console.log(JSON.stringify([process.pid, require('./x.node').pid()]));");
  const parent = script(folder, 'parent.js', `
    require('child_process').spawnSync(process.execPath, [${JSON.stringify(child)}], { stdio: 'inherit' });`);
  const [node, host] = runJson(parent, { env: { NODE_OPTIONS: `-r "${register}"` } });
  assert.notEqual(host, node);
});

test('child_process.fork() inherits it through execArgv', (t) => {
  const folder = project(t);
  script(folder, 'child.js', "process.send([process.pid, require('./x.node').pid(), process.ppid]);");
  const parent = script(folder, 'parent.js', `
    const own = require('./x.node').pid();
    require('child_process').fork(require.resolve('./child.js')).on('message', (m) => console.log(JSON.stringify([...m, process.pid, own])));`);
  const [child, childHost, parentOfChild, node, host] = runJson(parent, { isolated: true });
  assert.equal(parentOfChild, node);
  assert.equal(new Set([child, childHost, node, host]).size, 4);
});

test('Workers inherit it', (t) => {
  const folder = project(t);
  script(folder, 'worker.js', "require('worker_threads').parentPort.postMessage(require('./x.node').pid());");
  const main = script(folder, 'main.js', `
    new (require('worker_threads').Worker)(require.resolve('./worker.js')).on('message', (pid) => console.log(JSON.stringify([process.pid, pid])));`);
  const [own, inProcess] = runJson(main);
  assert.equal(inProcess, own);
  for (const options of [{ isolated: true }, { env: { NODE_OPTIONS: `-r "${register}"` } }]) {
    const [node, host] = runJson(main, options);
    assert.notEqual(host, node);
  }
});

// Calls of process.dlopen() by what they are about; functions of the file, since not all arguments go through JSON.
const ARGUMENTS = {
  'module and file name': (file, bad) => [
    [], [{}], [undefined], [null, file], [undefined, file], ['text', file], [5, file], [Symbol('s'), file], [{}, file], [{ exports: null }, file],
    [{ exports: 'text' }, file], [{ get exports() { throw new RangeError('no exports'); } }, file], [{ exports: {} }, undefined], [{ exports: {} }, null],
    [{ exports: {} }, 5], [{ exports: {} }, {}], [{ exports: {} }, ''], [{ exports: {} }, '\0'], [{ exports: {} }, '/no/such.node\0'],
    [{ exports: {} }, Symbol('s')], [{ exports: {} }, bad], [{ exports: {} }, file, 1, 'more'], [new Proxy({ exports: {} }, {}), file],
    [Object.freeze({ exports: {} }), file], [{ exports: Object.freeze({}) }, file],
  ],
  'no exports and no such file': () => [[{}, '/no/such.node'], [{ exports: null }, '/no/such.node'], [{}, '/no/such.node', 1]],
  'flags that are numbers': (file) => [1, 2, 0x102, 0, NaN, 1.5, -1, 2 ** 32 + 1, Infinity].map((flags) => [{ exports: {} }, file, flags]),
  'flags that become numbers': (file) => ['2', 'text', {}, null, undefined, true, []].map((flags) => [{ exports: {} }, file, flags]),
  'flags that do not become numbers': (file, bad) => [Symbol('s'), 1n, bad].map((flags) => [{ exports: {} }, file, flags]),
};

for (const [name, calls] of Object.entries(ARGUMENTS)) {
  test(`process.dlopen() answers as Node does: ${name}`, () => {
    const program = `(kit) => {
      const bad = { toString() { throw new RangeError('no text'); } };
      kit.print((${calls})(kit.addonFile('init_null'), bad).map((call, index) => [index, kit.outcome(() => String(process.dlopen(...call)))]));
    }`;
    const inProcess = runJson(new Function(`return ${program}`)());
    assert.deepEqual(runJson(new Function(`return ${program}`)(), { isolated: true }), inProcess);
  });
}

test('process.dlopen looks like that of Node', () => {
  const program = (kit) => {
    const { value, ...attributes } = Object.getOwnPropertyDescriptor(process, 'dlopen');
    const describe = (name) => Object.getOwnPropertyDescriptor(value, name);
    let constructed;
    try {
      constructed = typeof new value();
    } catch (error) {
      constructed = error.name;
    }
    kit.print([value.name, value.length, typeof value, attributes, describe('name'), describe('length'), Object.keys(value), constructed]);
  };
  const inProcess = runJson(program);
  const isolated = runJson(program, { isolated: true });
  // Only whether `new` throws at once or for want of arguments may differ: both throw a TypeError.
  assert.deepEqual(isolated, inProcess);
});

test('a program without addons starts no host, and sees no difference', () => {
  const program = (kit) => {
    kit.print([process.argv.length, Object.keys(process.env).filter((name) => name.startsWith('NAPI_')), require('node:fs').readdirSync('/proc/self/task').length > 0,
      require('node:fs').readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')]);
  };
  assert.deepEqual(runJson(program, { isolated: true }), runJson(program));
});

test('what is not built is an error that says so', () => {
  const { code, stderr } = run((kit) => kit.dlopen(kit.addonFile('basic')), { isolated: true, env: { NAPI_REMOTE_BUILD_DIR: '/no/such/folder' } });
  assert.equal(code, 1);
  assert.match(stderr, /ERR_NAPI_REMOTE_LAUNCH/);
  assert.match(stderr, /\/no\/such\/folder\/agent\.node/);
});

test('a program whose working folder is gone: as in-process', (t) => {
  const inner = (kit) => {
    const load = (file) => kit.outcome(() => kit.dlopen(file).add(1, 2));
    kit.print([load(kit.addonFile('basic')), load('./basic.node'), kit.outcome(() => process.cwd()).code]);
  };
  const outer = (kit, folder, source, nodeArgs) => {
    process.chdir(folder);
    require('node:fs').rmdirSync(folder);
    const code = `(${source})(require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)}).kit)`;
    const { stdout, stderr } = require('node:child_process').spawnSync(process.execPath, [...nodeArgs, '-e', code], { encoding: 'utf8' });
    kit.print(stdout === '' ? stderr : JSON.parse(stdout));
  };
  const [inProcess, isolated] = [[], ['-r', register]].map((nodeArgs) => (
    runJson(outer, { args: [fs.mkdtempSync(path.join(temporaryFolder(t), 'gone-')), String(inner), nodeArgs] })));
  assert.equal(inProcess[0].value, 3);
  assert.equal(inProcess[2], 'ENOENT');
  assert.deepEqual(isolated, inProcess);
});
