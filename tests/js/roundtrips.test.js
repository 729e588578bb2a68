'use strict';
// How many round trips calls cost: one each, the first time as later.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addonFile, addons } = require('./harness.js');
const { hostOf, load } = require('../..');

/** Calls of one kind on a fresh host: name, addon, how to get ready, the call. */
const calls = {
  'noop()': ['basic', (addon) => () => addon.noop()],
  'add(1.5, 2)': ['basic', (addon) => () => addon.add(1.5, 2)],
  'identity({})': ['basic', (addon) => { const object = {}; return () => addon.identity(object) === object; }],
  'typeOf of a string': ['basic', (addon) => () => addon.typeOf('text')],
  'concat of two strings': ['basic', (addon) => () => addon.concat('one and ', 'another \u20ac')],
  'buildObject(100)': ['basic', (addon) => () => addon.buildObject(100)],
  'buildArray(100)': ['basic', (addon) => () => addon.buildArray(100)],
  'the hash of a string of 16 bytes': ['hash', (addon) => () => addon.hashString('sixteen bytes ok')],
  'the hash of a string of 254 units': ['hash', (addon) => () => addon.hashString('\u20ac'.repeat(254))],
  'the sum of a Buffer of 64 bytes': ['hash', (addon) => { const buffer = Buffer.alloc(64, 7); return () => addon.sum(buffer); }],
  'the hash of a Buffer of 64 bytes': ['hash', (addon) => { const buffer = Buffer.alloc(64, 7); return () => addon.hashBuffer(buffer); }],
  'the sum of a fresh Buffer of 64 bytes': ['hash', (addon) => () => addon.sum(Buffer.alloc(64, 7))],
  'the sum of a pooled Buffer': ['hash', (addon) => () => addon.sum(Buffer.from('sixteen bytes ok'))],
  'a typed array with its ArrayBuffer': ['buffers', (addon) => { const view = new Uint16Array([1, 2, 3]); return () => addon.typedarrayInfo(view); }],
  'a DataView with its ArrayBuffer': ['buffers', (addon) => { const view = new DataView(new ArrayBuffer(16), 4, 8); return () => addon.dataviewInfo(view); }],
  'a constructor that wraps': ['classes', (addon) => () => new addon.Counter(1).value, 2],
  'a method of a wrapped object': ['classes', (addon) => { const counter = new addon.Counter(1); return () => { const by = counter.add(2); counter.add(-2); return by; }; }, 2],
  'a method with a wrapped argument': ['classes', (addon) => { const counter = new addon.Counter(1); return () => counter.plus(counter); }],
  'a getter of a wrapped object': ['classes', (addon) => { const counter = new addon.Counter(1); return () => counter.value; }],
  'a setter of a wrapped object': ['classes', (addon) => { const counter = new addon.Counter(1); return () => { counter.value = 5; }; }],
};

for (const [name, [addonName, prepare, expected = 1]] of Object.entries(calls)) {
  test(`${name}: one round trip, the first time and later`, () => {
    const isolated = load(addonFile(addonName));
    const host = hostOf(isolated);
    const right = prepare(addons(addonName).inProcess)();
    const call = prepare(isolated);
    for (let i = 0; i < 20; i++) {
      const before = host.counts();
      const result = call();
      const after = host.counts();
      const label = `call ${i + 1}`;
      assert.deepEqual(result, right, label);
      assert.equal(after.roundTrips - before.roundTrips, expected, `${label}: ${JSON.stringify({ before, after })}`);
      assert.equal(after.entries - before.entries, expected, label);
      assert.equal(after.calls - before.calls, 0, label);
    }
  });
}

// The memory is asked for; the view of it, the list and what is put into it are posted.
test('a list of views: no round trip for what is put into the list', () => {
  const isolated = load(addonFile('buffers'));
  const host = hostOf(isolated);
  for (let i = 0; i < 20; i++) {
    const before = host.counts().calls;
    const list = isolated.listViews(10);
    assert.equal(host.counts().calls - before, 10, `call ${i + 1}`);
    assert.deepEqual(list, addons('buffers').inProcess.listViews(10));
  }
});

test('a coercion of what it is already takes none, nor one of what is known', () => {
  const isolated = load(addonFile('misc'));
  const host = hostOf(isolated);
  /** To a boolean, a number, an object and a string: how many of these wait. */
  const count = (value) => {
    const before = host.counts().calls;
    isolated.coerce(value);
    return host.counts().calls - before;
  };
  const waiting = [[5, 'object string'], [true, 'object string'], [{}, 'number string'], [[], 'number string'], [() => 1, 'number string'], ['text', 'number object']];
  for (const [value, kinds] of waiting) assert.equal(count(value), kinds.split(' ').length, `${typeof value}: ${kinds}`);
});

test('externals that a callback is given are looked into once it has looked into one', () => {
  const isolated = load(addonFile('externals'));
  const host = hostOf(isolated);
  const counts = [1, 2, 3, 4].map((number) => {
    const external = isolated.create(number);
    const before = host.counts().calls;
    assert.equal(isolated.get(external).value, addons('externals').inProcess.get(addons('externals').inProcess.create(number)).value);
    return host.counts().calls - before;
  });
  assert.deepEqual(counts, [counts[0], counts[0] - 1, counts[0] - 1, counts[0] - 1]);
});

test('what arguments wrap is told to a callback until it has not asked for long, and again when it asks', () => {
  const isolated = load(addonFile('classes'));
  const host = hostOf(isolated);
  const counter = new isolated.Counter(5), other = new isolated.Counter(6);
  const calls = (...args) => {
    const before = host.counts().calls;
    const result = isolated.valueOf(...args);
    return [result, host.counts().calls - before];
  };
  assert.deepEqual(calls(counter, true), ['five', 0]);
  for (let i = 0; i < 20; i++) assert.deepEqual(calls(counter, false), [undefined, 0]);
  assert.deepEqual(calls(other, true), ['another', 0]);
  for (let i = 0; i < 40; i++) assert.deepEqual(calls(counter, false), [undefined, 0]);
  assert.deepEqual(calls(counter, true), ['five', 1]);
  assert.deepEqual(calls(other, true), ['another', 0]);
  for (let i = 0; i < 40; i++) calls(i % 2 === 0 ? {} : () => i, false);
  assert.deepEqual([{}, () => 1, counter].map((value) => calls(value, true)[0]), ['none', 'none', 'five']);
});

test('counts add up', () => {
  const { isolated } = addons('basic');
  const host = hostOf(isolated);
  isolated.buildTree(3);
  const { calls: waited, entries, posts, roundTrips, sleeps } = host.counts();
  assert.equal(waited + entries, roundTrips);
  for (const count of [waited, entries, posts, sleeps]) assert.ok(Number.isInteger(count) && count >= 0);
});

test('counts of one host do not count another\'s', () => {
  const [a, b] = [load(addonFile('basic')), load(addonFile('basic'))];
  const before = hostOf(b).counts();
  a.add(1, 2);
  assert.deepEqual(hostOf(b).counts(), before);
});
