'use strict';
// What a process has one of, and an addon shares with the program in one process: the environment, the working directory, the umask.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { programs } = require('./support/programs.js');
const { addonFile, run, temporaryFolder } = require('./support/child.js');
const { load } = require('../..');

programs({
  'the addon finds what JavaScript sets in process.env': (kit) => {
    process.env.BEFORE = 'before the load';
    const addon = kit.dlopen(kit.addonFile('surroundings'));
    kit.print(addon.get('BEFORE'));
    for (const value of ['a', 'b', 'a', '', 'ü\u{1f600}', 'x'.repeat(100_000)]) {
      process.env.FROM_JAVASCRIPT = value;
      kit.print(addon.get('FROM_JAVASCRIPT'));
    }
    delete process.env.FROM_JAVASCRIPT;
    delete process.env.BEFORE;
    kit.print([addon.get('FROM_JAVASCRIPT') ?? 'gone', addon.get('BEFORE') ?? 'gone', addon.get('PATH') === process.env.PATH]);
    for (let i = 0; i < 200; i++) process.env[`MANY_${i}`] = String(i);
    for (let i = 0; i < 200; i += 2) delete process.env[`MANY_${i}`];
    kit.print(Array.from({ length: 200 }, (_, i) => addon.get(`MANY_${i}`) ?? null));
    process.env = { ...process.env, ODD: 'an object of JavaScript, and no environment' };
    kit.print(addon.get('ODD') ?? 'not there');
  },
  'while a call of its own runs': (kit) => {
    const addon = kit.dlopen(kit.addonFile('surroundings'));
    kit.print(addon.callAndGet(() => { process.env.FROM_JAVASCRIPT = 'within'; }));
    kit.print(addon.callAndGet(() => { delete process.env.FROM_JAVASCRIPT; }) ?? 'gone');
    kit.print(addon.callAndGet({ get then() { return 1; } }.then === 1 ? () => { process.env.FROM_JAVASCRIPT = addon.get('HOME') ?? 'none'; } : null));
  },
  'JavaScript finds what the addon sets': (kit) => {
    const addon = kit.dlopen(kit.addonFile('surroundings'));
    for (const value of ['a', 'b', 'a', '', 'ü', 'x'.repeat(100_000)]) {
      addon.set('FROM_NATIVE', value);
      kit.print([process.env.FROM_NATIVE, addon.get('FROM_NATIVE')]);
    }
    kit.print(addon.set('FROM_NATIVE', 'during a call', () => process.env.FROM_NATIVE));
    kit.print(addon.set('FROM_NATIVE', undefined, () => ['FROM_NATIVE' in process.env, Object.keys(process.env).includes('FROM_NATIVE')]));
    process.env.BOTH = 'JavaScript';
    addon.set('BOTH', 'native');
    kit.print([process.env.BOTH, addon.get('BOTH')]);
    addon.set('BOTH', 'native again', () => { process.env.BOTH = 'JavaScript again'; });
    kit.print([process.env.BOTH, addon.get('BOTH')]);
    const child = require('node:child_process').spawnSync('printenv', ['BOTH'], { encoding: 'utf8' });
    kit.print(child.stdout);
  },
  'the time zone': (kit) => {
    const addon = kit.dlopen(kit.addonFile('surroundings'));
    for (const zone of ['UTC', 'Asia/Tokyo', 'America/New_York', 'UTC-5']) {
      process.env.TZ = zone;
      kit.print([zone, addon.hour(), addon.get('TZ')]);
    }
  },
  'a Worker has an environment of its own, which no addon sees': (kit) => {
    const { Worker } = require('node:worker_threads');
    const main = kit.dlopen(kit.addonFile('surroundings'));
    process.env.OF_MAIN = 'main';
    kit.print(main.get('OF_MAIN'));
    const worker = new Worker(`const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const addon = kit.dlopen(kit.addonFile('surroundings'));
      process.env.OF_WORKER = 'worker';
      addon.set('OF_NATIVE', 'set in the Worker');
      kit.print([addon.get('OF_WORKER') ?? 'not there', process.env.OF_MAIN, addon.get('OF_MAIN') ?? 'not there', process.env.OF_NATIVE ?? 'not there']);`, { eval: true });
    worker.on('exit', () => kit.print([main.get('OF_WORKER') ?? 'not there', main.get('OF_MAIN')]));
  },
  'process.chdir(), and chdir() in native code': (kit) => {
    const fs = require('node:fs');
    const addon = kit.dlopen(kit.addonFile('surroundings'));
    const folder = fs.mkdtempSync(`${require('node:os').tmpdir()}/napi-remote-cwd-`);
    fs.mkdirSync(`${folder}/inner`);
    const where = (path) => path.replace(folder, 'FOLDER');
    process.chdir(folder);
    kit.print([where(addon.workingDirectory()), where(process.cwd())]);
    kit.print(addon.changeDirectory('inner'));
    fs.writeFileSync('file', '');
    kit.print([where(addon.workingDirectory()), fs.readdirSync(folder), fs.readdirSync(`${folder}/inner`)]);
    kit.print(where(require('node:child_process').execSync('pwd -P', { encoding: 'utf8' })));
    process.chdir('/');
    kit.print([addon.workingDirectory(), addon.changeDirectory(`${folder}/none`)]);
    fs.rmSync(folder, { recursive: true });
  },
  'the umask': (kit) => {
    const addon = kit.dlopen(kit.addonFile('surroundings'));
    kit.print([process.umask(0o027), addon.mask(0o077), process.umask(), addon.mask(0o022)]);
  },
});

test('a host that was given an environment keeps it to itself', () => {
  const addon = load(addonFile('surroundings'), { env: { OWN: 'its own' } });
  const before = process.env.PATH;
  process.env.FROM_JAVASCRIPT = 'from JavaScript';
  addon.set('FROM_NATIVE', 'from native code');
  const found = [addon.get('OWN'), addon.get('FROM_JAVASCRIPT'), addon.get('FROM_NATIVE'), process.env.FROM_NATIVE, process.env.OWN];
  delete process.env.FROM_JAVASCRIPT;
  assert.deepEqual(found, ['its own', undefined, 'from native code', undefined, undefined]);
  assert.equal(addon.get('PATH'), before);
});

test('two hosts have one environment', () => {
  const [one, other] = [load(addonFile('surroundings')), load(addonFile('surroundings'))];
  one.set('OF_ONE', 'one');
  assert.equal(other.get('OF_ONE'), 'one');
  other.set('OF_ONE', undefined);
  assert.equal(one.get('OF_ONE'), undefined);
});

test('a command that starts the host goes where it likes', (t) => {
  const folder = fs.realpathSync(temporaryFolder(t));
  const { stdout } = run((kit, file, elsewhere) => {
    const addon = kit.remote.load(file, { hostWrapper: ['env', '-C', elsewhere, 'OF_COMMAND=1'] });
    kit.print([addon.workingDirectory(), process.cwd() !== elsewhere, addon.get('OF_COMMAND'), process.env.OF_COMMAND ?? null]);
  }, { args: [addonFile('surroundings'), folder] });
  assert.deepEqual(JSON.parse(stdout), [folder, true, '1', null]);
});
