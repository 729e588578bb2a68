'use strict';
// Whole programs, run in plain Node and isolated: what they print, on stdout and on stderr, and how they end must be the same.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./child.js');

/** Warnings carry the number of the process. */
const clean = (text) => text.replace(/\(node:\d+\)/g, '(node:PID)');

/** Runs a program both ways, demands the same, and returns what the in-process run came to. */
function sameProgram(program, options = {}) {
  const [inProcess, isolated] = [false, true].map((isIsolated) => {
    const { stdout, stderr, ...end } = run(program, { ...options, isolated: isIsolated });
    const lines = (text) => clean(text).split('\n');
    return { stdout: options.anyOrder ? lines(stdout).sort() : lines(stdout), stderr: lines(stderr), ...end };
  });
  assert.deepEqual(isolated, inProcess);
  return inProcess;
}

/** One test for each entry of `list`, {name: program}. A program has to print something: else it shows nothing. */
function programs(list, options) {
  for (const [name, program] of Object.entries(list)) {
    test(name, () => {
      const { stdout, stderr, signal } = sameProgram(program, options);
      assert.equal(signal, null, `Node itself dies of this:\n${stderr.join('\n')}`);
      assert.ok(stdout.length > 1, `the program printed nothing:\n${stderr.join('\n')}`);
    });
  }
}

module.exports = { programs, sameProgram };
