'use strict';
// Random programs of Node-API calls (tests/random), in this process and isolated.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { readHeaders } = require('../../proto/generator/headers.js');
const { firstDifference } = require('../random/compare.js');
const exclusions = require('../random/exclusions.js');
const { explore } = require('../random/explore.js');
const { generate } = require('../random/generate.js');
const { readPlan } = require('../random/plan.js');
const { describe } = require('../random/run.js');
const { shrink } = require('../random/shrink.js');

const PROGRAMS = 10_000;
/** How often each function has to have succeeded in a run. */
const ENOUGH = 20;

const plan = readPlan();
const cli = path.join(__dirname, '..', 'random', 'run.js');
const command = (...args) => spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });

test(`${PROGRAMS} random programs`, async (t) => {
  const { programs, findings, notes, counts, finalizedTwice } = await explore({ count: PROGRAMS });
  for (const note of notes) t.diagnostic(note);
  assert.equal(findings.map(describe).join('\n'), '');
  assert.equal(programs, PROGRAMS);
  assert.equal(finalizedTwice, 0, 'finalizers that ran twice for the same object');

  await t.test('called each function, rightly and wrongly', () => {
    const rare = [...counts].filter(([, { ok, failed }]) => ok < ENOUGH || failed === 0).map(([name, { ok, failed }]) => `${name}: ${ok} ok, ${failed} not`);
    assert.deepEqual(rare, []);
    // What this Node lacks was not called; that is not much.
    const missing = plan.functions.filter(({ name }) => !counts.has(name)).map(({ name }) => name);
    assert.ok(missing.every((name) => name.startsWith('node_api_')) && missing.length < 10, missing.join(' '));
  });
});

test('every function of Node-API takes part or is left out for a reason', () => {
  const all = readHeaders(require('node-api-headers').include_dir);
  assert.deepEqual(plan.unknown, [], 'teach tests/random/plan.js the types of their parameters, or add them to exclusions.js');
  const excluded = Object.keys(exclusions.functions);
  assert.deepEqual(excluded.filter((name) => !all.has(name)), [], 'in exclusions.js, but not in the headers');
  assert.equal(new Set([...plan.functions.map(({ name }) => name), ...plan.absent, ...excluded]).size, all.size);
});

test('a program depends on its seed only, and shrinks to what matters', async () => {
  const make = (seed) => generate(seed, plan.functions, new Set(), [0, 1, 2]);
  assert.deepEqual(make(7), make(7));
  assert.notDeepEqual(make(7), make(8));
  const names = (program) => program.functions.flatMap(({ calls }) => calls.map(({ name }) => name));
  const program = make(7);
  const wanted = [names(program).at(2), names(program).at(-1)];
  const small = await shrink(program, (candidate) => wanted.every((name) => names(candidate).includes(name)));
  assert.deepEqual(names(small).sort(), wanted.sort());
  assert.deepEqual(new Set(small.world), new Set([0]));
});

test('the first difference of two transcripts', () => {
  const difference = firstDifference('a\nnapi_f(env) = ok v1\nc', 'a\nnapi_f(env) = invalid_arg\nc');
  assert.equal(difference.sort, 'napi_f ok / napi_f invalid_arg');
  assert.deepEqual(difference.before, ['a']);
  assert.equal(firstDifference('same', 'same'), null);
  assert.match(firstDifference('a\nb', 'a\nfailed: ERR_NAPI_REMOTE_HOST_DIED').sort, /HOST_DIED/);
  assert.match(firstDifference('failed: not ours', 'failed: not ours').sort, /not ours/);
});

test('the command line', () => {
  const one = command('--seed', '3');
  assert.equal(one.stderr, '');
  assert.equal(one.stdout, '1 programs, no difference\n');
  assert.equal(one.status, 0);
  const printed = command('--seed', '3', '--print');
  assert.match(printed.stdout, /^seed 3, declares/);
  assert.match(printed.stdout, /---- isolated/);
  for (const wrong of [['--seed', 'x'], ['--count', '0'], ['--count', '1.5'], ['--seed', '1', '--start', '1'], ['--seconds', '-1'], ['--bogus'], ['1']]) {
    const { status, stderr } = command(...wrong);
    assert.equal(status, 2, wrong.join(' '));
    assert.match(stderr, /usage: /);
  }
});
