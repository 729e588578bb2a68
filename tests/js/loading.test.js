'use strict';
// Loading: the forms of Init, the same library under several names, and files that cannot be loaded.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { addonFile, runJson, temporaryFolder } = require('./support/child.js');
const { load, hosts } = require('../..');

// Loads files one after another and prints what came of each.
function loadAll(kit, files) {
  kit.print(files.map((file) => {
    const exports = {};
    const module = { exports };
    const result = kit.outcome(() => process.dlopen(module, file));
    return {
      ...result,
      same: module.exports === exports,
      type: typeof module.exports,
      passed: Object.entries(exports).map(([name, value]) => [name, typeof value === 'object' ? Object.keys(value) : String(value)]),
      inits: module.exports.inits,
      called: typeof module.exports === 'function' ? module.exports() : undefined,
    };
  }));
}

function compare(files, options) {
  const inProcess = runJson(loadAll, { args: [files], ...options });
  assert.deepEqual(runJson(loadAll, { args: [files], isolated: true, ...options }), inProcess);
  return inProcess;
}

test('an addon that registers itself without an Init: as in-process', () => {
  const results = compare([addonFile('init_nowhere'), addonFile('init_null'), addonFile('init_nowhere')]);
  assert.equal(results[0].message, 'Module has no declared entry point.');
  assert.equal(results[1].inits, 1);
});

for (const name of ['init_null', 'init_other', 'init_throws', 'init_constructor', 'basic']) {
  test(`Init of ${name}: as in-process`, () => {
    const [result] = compare([addonFile(name)]);
    if (name === 'init_throws') assert.equal(result.code, 'ERR_AS_ASKED');
    else assert.equal(result.code, undefined);
  });

  test(`${name} loaded again, by symlink and as a copy: as in-process`, (t) => {
    const folder = temporaryFolder(t);
    const file = addonFile(name);
    const link = path.join(folder, 'link.node');
    const copy = path.join(folder, 'copy.node');
    fs.symlinkSync(file, link);
    fs.copyFileSync(file, copy);
    const results = compare([file, file, link, copy, link, copy, file]);
    if (name !== 'init_throws' && name !== 'basic') assert.deepEqual(results.map(({ inits }) => inits), [1, 2, 3, 1, 4, 2, 5]);
  });
}

test('an addon that loads another one below a native frame: as in-process', () => {
  const program = (kit) => {
    const { process: type, inner } = kit.dlopen(kit.addonFile('init_requires'));
    kit.print({ type, first: kit.outcome(inner), second: kit.outcome(inner) });
  };
  for (const name of ['init_null', 'init_other', 'init_constructor', 'init_throws', 'init_requires', 'missing']) {
    const env = { NR_INNER_ADDON: addonFile(name) };
    const inProcess = runJson(program, { env });
    assert.equal(inProcess.type, 'object');
    assert.equal('value' in inProcess.first, name !== 'init_throws' && name !== 'missing');
    assert.deepEqual(runJson(program, { env, isolated: true }), inProcess);
  }
});

test('load() gives each load a host of its own, with C statics of its own', () => {
  const before = hosts().length;
  assert.deepEqual([1, 2, 3].map(() => load(addonFile('init_null')).inits), [1, 1, 1]);
  assert.equal(hosts().length - before, 3);
});

test('load() of one group shares a host, as one process does', (t) => {
  const link = path.join(temporaryFolder(t), 'link.node');
  fs.symlinkSync(addonFile('init_other'), link);
  const before = hosts().length;
  const loaded = [addonFile('init_other'), addonFile('init_other'), link].map((file) => load(file, { group: 'loading' }));
  assert.deepEqual(loaded.map(({ inits }) => inits), [1, 2, 3]);
  assert.deepEqual(loaded.map((count) => count()), [3, 3, 3]);
  assert.equal(hosts().length - before, 1);
});

test('load() passes on what Init throws, and loads again', () => {
  const error = { code: 'ERR_AS_ASKED', message: 'as asked, Init 1' };
  assert.throws(() => load(addonFile('init_throws')), error);
  assert.throws(() => load(addonFile('init_throws'), { group: 'throwing' }), error);
  assert.throws(() => load(addonFile('init_throws'), { group: 'throwing' }), { code: 'ERR_AS_ASKED', message: 'as asked, Init 2' });
  assert.equal(load(addonFile('init_null'), { group: 'throwing' }).inits, 1);
});

test('a Node-API version that this Node lacks is an error that names both', () => {
  assert.throws(() => load(addonFile('init_version')), (error) => {
    const { pid, ...others } = error;
    assert.deepEqual(others, { code: 'ERR_NAPI_REMOTE_UNSUPPORTED', addon: addonFile('init_version') });
    assert.equal(typeof pid, 'number');
    assert.match(error.message, /\b99\b/);
    assert.match(error.message, new RegExp(`\\b${process.versions.napi}\\b`));
    assert.ok(error.message.includes(process.version));
    assert.ok(error.message.includes(addonFile('init_version')));
    return true;
  });
  const [result, after] = runJson(loadAll, { args: [[addonFile('init_version'), addonFile('init_null')]], isolated: true });
  assert.equal(result.code, 'ERR_NAPI_REMOTE_UNSUPPORTED');
  assert.equal(after.inits, 1);
});

// path, by what is wrong with it
function badFiles(folder) {
  const libm = process.report.getReport().sharedObjects.find((file) => /\/libm\.so/.test(file));
  const whole = fs.readFileSync(addonFile('basic'));
  const files = {
    'a missing file': ['missing.node'],
    'a text file': ['text.node', 'this is no addon\n'.repeat(64)],
    'an empty file': ['empty.node', ''],
    'a truncated addon': ['truncated.node', whole.subarray(0, 40)],
    'another machine': ['arm.node', Buffer.from(whole)],
    'a 32-bit class': ['class.node', Buffer.from(whole)],
    'big-endian': ['endian.node', Buffer.from(whole)],
  };
  files['another machine'][1].writeUInt16LE(183, 18); // e_machine: EM_AARCH64
  files['a 32-bit class'][1][4] = 1; // EI_CLASS: ELFCLASS32
  files['big-endian'][1][5] = 2; // EI_DATA: ELFDATA2MSB
  const paths = {};
  for (const [what, [name, content]] of Object.entries(files)) {
    paths[what] = path.join(folder, name);
    if (content !== undefined) fs.writeFileSync(paths[what], content);
  }
  return { ...paths, 'a folder': folder, 'a library that is no addon': libm, 'a path through a file': path.join(paths['a text file'], 'x.node') };
}

test('files that cannot be loaded: code and message of Node', async (t) => {
  for (const [what, file] of Object.entries(badFiles(temporaryFolder(t)))) {
    await t.test(what, () => {
      const [inProcess] = compare([file]);
      assert.equal(inProcess.code, 'ERR_DLOPEN_FAILED');
      assert.throws(() => load(file), { name: 'Error', code: inProcess.code, message: inProcess.message });
    });
  }
});

test('after files that cannot be loaded the next load works', (t) => {
  const results = compare([...Object.values(badFiles(temporaryFolder(t))), addonFile('init_null')]);
  assert.equal(results.at(-1).inits, 1);
});

test('an addon that uses V8 itself is refused, by the readable names of what it uses', () => {
  const file = addonFile('v8_symbols');
  const check = ({ code, message }) => {
    assert.equal(code, 'ERR_NAPI_REMOTE_UNSUPPORTED');
    for (const text of [file, 'v8::Isolate::IsExecutionTerminating']) assert.ok(message.includes(text), message);
    assert.doesNotMatch(message, /_ZN|GetCurrent/); // the host has that one
    return true;
  };
  assert.throws(() => load(file), check);
  const [result, after] = runJson(loadAll, { args: [[file, addonFile('init_null')]], isolated: true });
  check(result);
  assert.equal(after.inits, 1);
  const [inProcess] = runJson(loadAll, { args: [[file]] });
  assert.equal(inProcess.code, undefined);
});

test('an addon that uses a library of Node\'s own is refused by what it uses, and not when it is called', () => {
  const file = addonFile('node_symbols');
  const refused = { code: 'ERR_NAPI_REMOTE_UNSUPPORTED', message: `${file} uses zlibVersion, which exists only inside Node, and is not Node-API` };
  assert.throws(() => load(file), refused);
  const [result, after] = runJson(loadAll, { args: [[file, addonFile('init_null')]], isolated: true });
  assert.deepEqual([result.code, result.message], Object.values(refused));
  assert.equal(after.inits, 1);
  const [inProcess] = runJson(loadAll, { args: [[file]] });
  assert.equal(inProcess.code, undefined);
});

test('an addon that lacks what it does not call: as in-process', () => {
  const flags = ['RTLD_NOW', 'RTLD_LAZY'];
  const program = (kit, names) => kit.print(names.map((name) => kit.outcome(() => kit.dlopen(kit.addonFile('nowhere'), os.constants.dlopen[name]).answer())));
  const inProcess = runJson(program, { args: [flags] });
  assert.deepEqual(runJson(program, { args: [flags], isolated: true }), inProcess);
  assert.equal(inProcess[0].code, 'ERR_DLOPEN_FAILED');
  assert.equal(inProcess[1].value, 42);
});
