'use strict';
// Random work on memory, by JavaScript and native code, against a model and against the in-process run with the same seed (support/memory-stress.js, which
// can be run for longer from the command line).
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');

/** A process for a few seeds, so that buffers which others left behind are no part of it. */
function work(kit, list) {
  const { run } = require(`${kit.root}/tests/js/support/memory-stress.js`);
  const addon = kit.dlopen(kit.addonFile('memory_stress'));
  kit.print(list.map((options) => run(addon, options)));
}

function stress(name, seeds, options, { tracking = true } = {}) {
  test(name, () => {
    for (const seed of seeds) {
      const args = [[{ ...options, seed }]];
      const env = tracking ? {} : { NAPI_REMOTE_TRACKING: '0' };
      const [inProcess] = runJson(work, { args, env });
      assert.deepEqual(inProcess.wrong, [], `seed ${seed}: the model is wrong`);
      const [isolated] = runJson(work, { args, env, isolated: true });
      assert.deepEqual(isolated, inProcess, `seed ${seed}`);
    }
  });
}

const TRACKED = [101, 102, 103, 104];
const UNTRACKED = [201, 202, 203];

stress('small buffers', TRACKED, { ops: 1000, max: 300, externalThreads: false });
stress('small buffers, without tracking', UNTRACKED, { ops: 1000, max: 300, externalThreads: false }, { tracking: false });
// Without the kernel's help much is seen late, unless it is asked for again.
stress('buffers of all sizes, asked for each time', TRACKED, { ops: 300, ask: true, threads: false });
stress('buffers of all sizes, asked for each time, without tracking', UNTRACKED, { ops: 300, ask: true, threads: false }, { tracking: false });
stress('small buffers, threads on external ones', TRACKED, { ops: 1000, max: 300 });
stress('small buffers, threads on external ones, without tracking', UNTRACKED, { ops: 1000, max: 300 }, { tracking: false });
stress('buffers up to 40 KB', TRACKED, { ops: 500, max: 40_000, externalThreads: false });
stress('buffers of all sizes', TRACKED, { ops: 300 });
