'use strict';
// Memory that JavaScript and a host share: of large Buffers that native code makes, unless the host is not trusted.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { load } = require('../..');
const { addonFile } = require('./support/child.js');

/** Parts of the hosts' memory that Node has mapped twice: once for itself, once as the memory of a Buffer. */
function sharedBytes() {
  const parts = fs.readFileSync('/proc/self/maps', 'latin1').split('\n').filter((line) => line.includes('/memfd:napi-remote-bytes'))
    .map((line) => /^(\w+)-(\w+) \S+ (\w+) \S+ (\d+)/.exec(line))
    .map(([, from, to, offset, inode]) => ({ inode, from: parseInt(offset, 16), to: parseInt(offset, 16) + Number(BigInt(`0x${to}`) - BigInt(`0x${from}`)) }))
    .sort((a, b) => a.inode - b.inode || a.from - b.from);
  let shared = 0;
  for (const [i, part] of parts.entries()) {
    for (const other of parts.slice(i + 1)) if (other.inode === part.inode) shared += Math.max(0, Math.min(part.to, other.to) - other.from);
  }
  return shared;
}

/** As long as all live, what is shared does not get less. */
const kept = [];

for (const maker of ['createBuffer', 'createArraybuffer']) {
  for (const length of [128 * 1024, 1_000_000, 20 * 2 ** 20]) {
    for (const trusted of [undefined, true, false]) {
      test(`${maker}, ${length} bytes, trusted: ${trusted}`, () => {
        const addon = load(addonFile('buffers'), { trusted });
        const inProcess = { exports: {} };
        process.dlopen(inProcess, addonFile('buffers'));
        const before = sharedBytes();
        const result = addon[maker](length, 3);
        kept.push(result);
        const shared = sharedBytes() - before;
        assert.deepEqual(result, inProcess.exports[maker](length, 3));
        assert.equal(result.value.byteLength, length);
        // All but what lies on a page with other memory.
        if (trusted === false) assert.equal(shared, 0);
        else assert.ok(shared > length - 3 * 4096 && shared <= length, `${shared} of ${length} bytes`);
      });
    }
  }
}

test('an option that is none', () => {
  assert.throws(() => load(addonFile('buffers'), { trusted: 'no' }), { code: 'ERR_INVALID_ARG_TYPE', message: /options\.trusted/ });
});
