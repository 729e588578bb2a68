'use strict';
// What no addon may do: Node itself does not survive most of it, so nothing is compared. Node goes on, and so do other addons; the host may die.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/child.js');

const misuses = [
  ['unnamedProperty'], ['unnamedMember'], ['nameIsANumber'], ['resolveTwice'], ['deleteReferenceTwice'], ['useDeletedReference'], ['useStale'], ['returnStale'],
  ['useClosedScope'], ['returnFromClosedScope'], ['useGarbage'], ['returnGarbage'], ['leaveScopesOpen'], ['closeInTheWrongOrder'], ['closeTwice'], ['viewsFarOut'], ['useStaleInfo'], ['giveBackTooMuch'],
  ...['hugeArray', 'hugeArraybuffer', 'hugeBuffer'].flatMap((name) => [2 ** 27, 2 ** 31, 2 ** 32 + 1, 2 ** 40, 1e12, 2 ** 53, 2 ** 63].map((size) => [name, size])),
];
// These are real, and big: they only cost time and memory.
const affordable = misuses.filter(([name, size]) => !(name !== 'hugeArray' && size < 2 ** 40));

for (const [name, ...args] of affordable) {
  test(`${name}(${args})`, () => {
    const { code, signal, stdout, stderr } = run((kit, called, ...rest) => {
      const addon = kit.remote.load(kit.addonFile('misuse'));
      const other = kit.remote.load(kit.addonFile('basic'));
      const kept = addon.keep();
      const first = kit.outcome(() => typeof addon[called](...rest));
      const again = kit.outcome(() => typeof addon[called](...rest));
      // Whatever that did to handles, the next calls must not be mixed up.
      const after = kit.outcome(() => JSON.stringify(addon.keep()));
      globalThis.gc();
      kit.print({ first, again, after, other: other.add(1, 2), object: JSON.stringify(other.buildObject(2)), kept: Object.keys(kept) });
    }, { args: [name, ...args], nodeArgs: ['--expose-gc'] });
    assert.deepEqual([code, signal], [0, null], stderr);
    const { first, again, after, other, object } = JSON.parse(stdout);
    assert.equal(other, 3);
    assert.equal(object, '{"k0":0,"k1":1}');
    for (const outcome of [first, again, after]) {
      if (outcome.code !== undefined && /^ERR_NAPI_REMOTE_/.test(outcome.code)) assert.match(outcome.code, /HOST_DIED|PROTOCOL/);
    }
    if (after.value !== undefined) assert.equal(after.value, '{}');
  });
}

test('recursion without an end: an error as for any function, and calls go on', () => {
  const { code, signal, stdout, stderr } = run((kit) => {
    const addon = kit.remote.load(kit.addonFile('misuse'));
    const other = kit.remote.load(kit.addonFile('basic'));
    const again = () => addon.recurse(again);
    const outcome = kit.outcome(again);
    kit.print({ outcome, other: other.add(1, 2), after: kit.outcome(() => addon.recurse(() => 5)) });
  });
  assert.deepEqual([code, signal], [0, null], stderr);
  const { outcome, other, after } = JSON.parse(stdout);
  assert.ok(outcome.name === 'RangeError' || outcome.code === 'ERR_NAPI_REMOTE_HOST_DIED', JSON.stringify(outcome));
  assert.equal(other, 3);
  if (outcome.name === 'RangeError') assert.deepEqual(after, { value: 5 });
});
