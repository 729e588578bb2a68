'use strict';
// What is counted as a compared assertion, and when the table of them counts as failed.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { build, kit, root, temporaryFolder } = require('./support/child.js');

const script = path.join(__dirname, 'support', 'coverage.js');

/** The build folder, but for its results. */
function ownResults(t) {
  const folder = temporaryFolder(t);
  for (const name of fs.readdirSync(build)) {
    if (name !== 'results') fs.symlinkSync(path.join(build, name), path.join(folder, name));
  }
  fs.mkdirSync(path.join(folder, 'results', 'calls'), { recursive: true });
  return folder;
}

function node(folder, args) {
  const { NAPI_REMOTE_TEST_COUNTERS, NODE_TEST_CONTEXT, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(
    process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...env, NAPI_REMOTE_BUILD_DIR: folder } }
  );
  return { status, stdout, stderr };
}

test('a function counts when it was called on both sides of a comparison', (t) => {
  const folder = ownResults(t);
  const file = path.join(folder, 'some.test.js');
  fs.writeFileSync(file, `
    const { compare } = require(${JSON.stringify(path.join(__dirname, 'harness.js'))});
    const { run } = require(${JSON.stringify(path.join(__dirname, 'support', 'child.js'))});
    const t = { name: 'a test' };
    (async () => {
      await compare(t, 'raw', ({ call }) => call('napi_get_version', [true, true]));
      let sides = 0;
      await compare(t, 'raw', ({ call }) => {
        if (sides++ === 0) call('napi_get_global', [true, true]);
        return call('napi_get_version', [true, true]);
      });
      await compare(t, 'raw', ({ call }) => call('napi_get_date_value', [true, [new Date(sides++)], true])).catch(() => {});
      const program = (kit) => kit.dlopen(kit.addonFile('raw')).call('napi_create_date', [true, 5, true]);
      run(program);
      run((kit) => kit.dlopen(kit.addonFile('raw')).call('napi_get_node_version', [true, true]), { isolated: true });
      run(program, { isolated: true });
      run(program, { isolated: true });
    })();
  `);
  const { status, stderr } = node(folder, [file]);
  assert.equal(status, 0, stderr);
  const { comparisons, functions } = JSON.parse(fs.readFileSync(path.join(folder, 'results', 'calls', 'some.test.js.json'), 'utf8'));
  const {
    napi_get_version: version, napi_create_date: date, napi_get_global: oneSide, napi_get_date_value: unequal, napi_get_node_version: oneProgram,
  } = functions;
  assert.deepEqual(
    { comparisons, version, date, oneSide, unequal, oneProgram },
    { comparisons: 3, version: 2, date: 1, oneSide: undefined, unequal: undefined, oneProgram: undefined }
  );
  assert.deepEqual(fs.readdirSync(path.join(folder, 'results', 'calls')), ['some.test.js.json']);
});

const names = JSON.parse(fs.readFileSync(path.join(build, 'generated', 'tests', 'counted.json'), 'utf8'));
const table = JSON.parse(fs.readFileSync(path.join(build, 'generated', 'functions.json'), 'utf8'));
const all = (count) => Object.fromEntries(names.map((name) => [name, count]));

function report(t, ...reports) {
  const folder = ownResults(t);
  reports.forEach(([comparisons, functions], i) => fs.writeFileSync(
    path.join(folder, 'results', 'calls', `${i}.json`), JSON.stringify({ comparisons, functions })
  ));
  return node(folder, [script, folder]);
}

test('the table adds up what all files compared', (t) => {
  const { status, stdout, stderr } = report(t, [400, all(2)], [200, { napi_get_version: 5 }]);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /\bnapi_get_version +7\b/);
  assert.match(stdout, /\bnapi_create_object +2\b/);
  assert.match(stdout, /\d+ compared assertions over \d+ functions, in 600 comparisons/);
});

test('the table fails for a function that was never compared', (t) => {
  const { status, stdout } = report(t, [700, { ...all(1), napi_get_version: 0, napi_typeof: undefined }]);
  assert.equal(status, 1);
  assert.match(stdout, /^Never compared: napi_get_version, napi_typeof$/m);
});

test('the table fails for too few comparisons, and for none', (t) => {
  assert.equal(report(t, [599, all(1)]).status, 1);
  assert.equal(report(t).status, 1);
});

/** What this Node lacks is told apart. */
function absentFunctions() {
  const { has } = kit.dlopen(kit.addonFile('raw'));
  return names.filter((name) => table[name].kind === 'absent' && has(name));
}

test('the table lets what is absent in the table of calls be missing', { skip: absentFunctions().length === 0 }, (t) => {
  const { status, stdout } = report(t, [600, Object.fromEntries(names.filter((name) => table[name].kind !== 'absent').map((name) => [name, 1]))]);
  assert.equal(status, 0);
  assert.match(stdout, /^Absent in napi-remote, and never compared: /m);
});
