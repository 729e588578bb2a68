'use strict';
// Functions that the table says are absent: each says so by its status and by a text that names it, and the host goes on.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { include_dir: include } = require('node-api-headers');
const { readHeaders } = require('../../proto/generator/headers.js');
const { addonFile, addons } = require('./harness.js');
const { build } = require('./support/child.js');
const { load } = require('../..');

const table = JSON.parse(fs.readFileSync(path.join(build, 'generated', 'functions.json'), 'utf8'));

/** Only what gets an env has a place to leave a text in. */
const headers = readHeaders(include);
const takesEnv = (name) => headers.get(name).parameters[0].name === 'env';
const declared = Object.keys(table).filter((name) => table[name].kind === 'absent' && takesEnv(name));
// What this Node does not have either is not there at all (newer.test.js).
const isInNode = addons('newer').inProcess.found(declared);
const absent = declared.filter((name, index) => isInNode[index]);
const { call } = load(addonFile('absent'));

for (const name of absent) {
  test(`${name} says that it is not supported`, () => {
    for (let i = 0; i < 2; i++) {
      const { found, status, last, message } = call(name);
      assert.equal(found, true);
      assert.equal(status, 'napi_generic_failure');
      assert.equal(last, 'napi_generic_failure');
      assert.match(message, new RegExp(`\\b${name}\\b.*not supported`));
    }
  });
}

test('functions that Node-API does not have are not there', () => {
  assert.deepEqual(call('napi_no_such_function'), { found: false });
});
