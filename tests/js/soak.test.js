'use strict';
// A few of the cycles of tests/soak/run.js.
const { test } = require('node:test');
const { check, soak } = require('../soak/run.js');

test('an addon that crashes and is called again, 200 times: descriptors, mappings, processes and the heap stay', async () => {
  check(await soak(200));
});
