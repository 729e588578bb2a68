'use strict';
// A few of the cycles of tests/soak/run.js.
const { test } = require('node:test');
const { check, soak } = require('../soak/run.js');

test('an addon that crashes and is called again, 100 times: descriptors, mappings and processes stay', async () => {
  check(await soak(100));
});
