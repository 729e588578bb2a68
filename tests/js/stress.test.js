'use strict';
// Everything at once (tests/stress, which can be run for longer from the command line): in this process and isolated, the same seeds come to the same.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { build } = require('./support/child.js');
const { run } = require('../stress/run.js');

const cli = path.join(__dirname, '..', 'stress', 'run.js');
const command = (...args) => spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });

async function same(options) {
  const inProcess = await run({ ...options, build, inProcess: true });
  assert.deepEqual(inProcess.report?.wrong, [], `the model is wrong:\n${inProcess.output}`);
  const isolated = await run({ ...options, build });
  assert.deepEqual(isolated, inProcess);
  assert.equal(isolated.report.rounds, options.rounds);
}

test('the main thread', () => same({ seed: 1, rounds: 8, steps: 60, workers: false }));
test('the main thread and Workers', () => same({ seed: 11, rounds: 5, steps: 60, workers: true }));

test('the command line', () => {
  const { stdout, stderr, status } = command('--rounds', '1', '--seed', '3', '--steps', '5', '--no-workers');
  assert.equal(stderr, '');
  assert.match(stdout, /^1 rounds from seed 3, 20 steps, 0 wrong, digest \d+\n$/);
  assert.equal(status, 0);
  for (const wrong of [['--seed', 'x'], ['--rounds', '0'], ['--seconds', '1.5'], ['--seconds', '1', '--rounds', '1'], ['--bogus'], ['1']]) {
    const failed = command(...wrong);
    assert.equal(failed.status, 2, wrong.join(' '));
    assert.match(failed.stderr, /usage: /);
  }
});
