'use strict';
// Functions newer than Node-API 9, which bindings look up at run time. Where this Node lacks one there is nothing to compare with.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addons, compare } = require('./harness.js');

const { inProcess } = addons('newer');
inProcess.attempt().forEach(({ name, found }, index) => {
  test(name, { skip: !found && `not in ${process.version}` }, (t) => compare(t, 'newer', ({ attempt }) => attempt()[index]));
});

test('a host has them all, and they do no harm', () => {
  const rows = addons('newer').isolated.attempt();
  assert.deepEqual(rows.map(({ name, found }) => [name, found]), inProcess.attempt().map(({ name }) => [name, true]));
});
