'use strict';
// Functions that need a loop of the host's or memory that both processes share: they do what Node does, or say that they cannot.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addons } = require('./harness.js');

test('as in Node, or an honest refusal', () => {
  const { inProcess, isolated } = addons('loop_calls');
  const expected = new Map(inProcess.attempt().map((row) => [row[0], row]));
  const rows = isolated.attempt();
  for (const row of rows) {
    const [name, , status, last, text] = row;
    if (status === 'napi_generic_failure') {
      assert.equal(last, status);
      assert.match(text, new RegExp(`\\b${name}\\b`));
    } else {
      assert.deepEqual(row, expected.get(name));
    }
  }
  assert.ok(rows.length >= 5);
});

test('refusals change nothing for later calls', () => {
  const { isolated } = addons('loop_calls');
  assert.deepEqual(isolated.attempt(), isolated.attempt());
});
