'use strict';
// Buffers in what native code reads: as properties of objects, as elements, as what calls return. Once it has asked for the bytes of one they come along with the next, and nobody may
// be able to tell.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addonFile, addons, cases } = require('./harness.js');
const { hostOf, load } = require('../..');

const bytes = (size, seed = 1) => Array.from({ length: size }, (_, i) => i * 7 + seed & 0xff);
const pooled = (...of) => Buffer.from(bytes(...of));
/** In an ArrayBuffer of its own, which can be looked at as a whole. */
const filled = (...of) => Buffer.from(Uint8Array.from(bytes(...of)).buffer);
const views = () => {
  const whole = Uint8Array.from(filled(64)).buffer;
  return {
    small: filled(20), own: Buffer.alloc(100, 3), empty: Buffer.alloc(0), large: Buffer.alloc(4097, 5), edge: Buffer.alloc(4096, 6), huge: Buffer.alloc(300_000, 7),
    bytes: new Uint8Array(whole, 8, 16), clamped: new Uint8ClampedArray(whole, 3, 5), shorts: new Int16Array(whole, 2, 4), doubles: new Float64Array(whole, 8), bigs: new BigInt64Array(whole),
    view: new DataView(whole, 5, 7), whole, shared: new Uint8Array(new SharedArrayBuffer(40)).fill(9), none: { length: 4 }, list: [1, 2], text: 'text', number: 5, call() {}, date: new Date(0),
  };
};
const names = Object.keys(views());

/** All that can be asked of object `place`. */
const looks = (place) => ['?', 'b', 'v', 'D', 'A'].map((operation) => `${operation}${place}`);
/** Reads all of these, each of which is an object to go on with if it is one, and looks at all objects that there are then. */
const readAll = (reads, objects = 24) => [...reads, ...Array.from({ length: objects }, (_, i) => looks(i)).flat()].join('\n');

const elements = (count) => Array.from({ length: count }, (_, i) => [`e0 ${i}`, `b${i + 1}`]).flat().join('\n');

/** So many looks at what was read that bytes come along from then on. */
function makeEager(addon) {
  const list = Array.from({ length: 20 }, (_, i) => filled(i));
  const ask = () => hostOf(addon)?.counts().calls ?? 0;
  let before;
  for (let i = 0; i < 12; i++) {
    before = ask();
    addon.run(elements(20), null, list);
  }
  assert.ok(ask() - before <= 2, 'the list has more than 16');
}

function repeated(addon, steps, callback, make) {
  return Array.from({ length: 4 }, (_, i) => {
    makeEager(addon);
    return addon.run(steps, callback, ...make(i));
  });
}

cases('reading', {
  'properties of all kinds': (addon) => repeated(addon, readAll(names.map((name) => `g0 ${name}`)), null, () => [views()]),
  'by a key': (addon) => repeated(addon, readAll(names.map((name) => `k0 ${name}`)), null, () => [views()]),
  'elements of all kinds': (addon) => repeated(addon, readAll(names.map((_, i) => `e0 ${i}`)), null, () => [Object.values(views())]),
  'behind getters, which run each time': (addon) => {
    const log = [];
    const getters = () => Object.defineProperties({}, Object.fromEntries(Object.entries(views()).map(([name, value]) => [name, { get() { log.push(name); return value; } }])));
    return [repeated(addon, readAll(names.map((name) => `g0 ${name}`)), null, () => [getters()]), log];
  },
  'in Node\'s pools': (addon) => {
    const steps = ['a', 'b', 'c'].map((name) => `g0 ${name}`).concat(['b1', '?1', 'b2', 'b3', '+1', '+3', 'b2']).join('\n');
    return repeated(addon, steps, null, (i) => [{ a: pooled(20, i), b: pooled(0), c: pooled(100) }]);
  },
  'what constructors make': (addon) => repeated(addon, readAll(['J0', 'J0']), class { constructor() { return filled(30); } }, () => [{}]),
  'the same again and again, written in between': (addon) => {
    const object = { a: filled(50), b: Buffer.alloc(5000), c: filled(8) };
    return repeated(addon, ['g0 a', 'g0 b', 'g0 c', 'b1', '+1', 'b1', '+2', 'b2', 'g0 a', 'b4', '+4', 'b1', 'b3', '+3'].join('\n'), null, (i) => {
      object.a[3] = i; object.b[4999] = i; object.c.fill(i);
      return [object];
    }).concat(object);
  },
  'JavaScript writes between two reads': (addon) => {
    const object = { a: filled(50), b: filled(3000) };
    let calls = 0;
    const write = () => { object.a.fill(++calls); object.b[calls]++; };
    return repeated(addon, ['g0 a', 'g0 b', 'b1', 'b2', 'c0', 'b1', 'b2', '+1', 'c0', 'b1', 'g0 a', 'b3', '+3', 'C1', 'b1', 'b3'].join('\n'), write, () => [object]).concat(object);
  },
  'JavaScript detaches, moves and replaces them': (addon) => {
    let object;
    const change = () => {
      structuredClone(object.b.buffer, { transfer: [object.b.buffer] });
      object.a = filled(10, 77);
      object.d = object.c;
      delete object.c;
    };
    return repeated(addon, ['g0 a', 'g0 b', 'g0 c', ...looks(1), ...looks(2), ...looks(3), 'c0', ...looks(1), ...looks(2), ...looks(3), 'g0 a', 'g0 b', 'g0 c', 'g0 d', ...looks(4), ...looks(5), ...looks(6)].join('\n'),
      change, (i) => [object = { a: filled(10, i), b: new Uint8Array(100).fill(i), c: new Uint16Array(9).fill(i) }]);
  },
  'native code detaches them': (addon) => repeated(addon, ['g0 whole', 'g0 view', 'b1', 'v2', '-1', ...looks(1), ...looks(2), 'g0 whole', 'g0 view', ...looks(3), ...looks(4)].join('\n'), null, (i) => {
    const whole = new Uint8Array(64).fill(i);
    return [{ whole: whole.buffer, view: whole }];
  }),
  'resizable ones that shrink and grow': (addon) => {
    let bytes;
    let calls = 0;
    const resize = () => bytes.resize([16, 64, 0, 40][calls++ % 4]);
    return repeated(addon, ['g0 bytes', 'g0 view', ...looks(1), ...looks(2), 'c0', ...looks(1), ...looks(2), 'g0 view', ...looks(3), 'c0', ...looks(2), ...looks(3)].join('\n'), resize, () => {
      bytes = new ArrayBuffer(32, { maxByteLength: 128 });
      return [{ bytes, view: new Uint8Array(bytes) }];
    });
  },
  'a long list of small ones': (addon) => {
    const steps = Array.from({ length: 60 }, (_, i) => [`e0 ${i}`, `b${i + 1}`, `+${i + 1}`]).flat().join('\n');
    const list = Array.from({ length: 300 }, (_, i) => filled(i % 40, i));
    return [repeated(addon, steps, null, () => [list]), list];
  },
  'objects in a list, each with some': (addon) => {
    const steps = Array.from({ length: 15 }, (_, i) => [`e0 ${i}`, `g${3 * i + 1} key`, `g${3 * i + 1} value`, `b${3 * i + 2}`, `b${3 * i + 3}`]).flat().join('\n');
    return repeated(addon, steps, null, (seed) => [Array.from({ length: 15 }, (_, i) => ({ type: 'put', key: filled(5, i + seed), value: filled(60, i) }))]);
  },
  'more of them than are told apart at once': (addon) => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`name${i}`, filled(10, i)]));
    return repeated(addon, Array.from({ length: 50 }, (_, i) => [`g0 name${i * 8}`, `b${i + 1}`]).flat().join('\n'), null, () => [many]);
  },
  'two views of one ArrayBuffer, written by native code': (addon) => repeated(addon, ['g0 a', 'g0 b', '+1', 'b2', '+2', 'b1', 'b2', 'C0', 'b1', 'b2'].join('\n'), (object) => { object.a[2] = 200; }, (i) => {
    const whole = new Uint8Array(32).fill(i);
    return [{ a: whole.subarray(0, 20), b: whole.subarray(10, 30) }];
  }),
});

/** Calls that wait, of one call once it has settled down. */
function waits(steps, ...objects) {
  const isolated = load(addonFile('reading'));
  for (let i = 0; i < 20; i++) isolated.run(steps, null, ...objects);
  const before = hostOf(isolated).counts().calls;
  const result = isolated.run(steps, null, ...objects);
  assert.deepEqual(result, addons('reading').inProcess.run(steps, null, ...objects));
  return hostOf(isolated).counts().calls - before;
}

/** Texts that come along with a call. */
const SHORT_TEXT = 254;

const properties = Array.from({ length: 12 }, (_, i) => [`g0 name${i}`, `b${i + 1}`]).flat().join('\n');
const object = (make) => Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`name${i}`, make(i)]));

test('small Buffers in an object, or in a list, cost no question of their own', () => {
  assert.ok([properties, elements(20)].every(({ length }) => length <= SHORT_TEXT), 'the steps come along');
  assert.equal(waits(properties, object((i) => pooled(i))), 1);
  assert.equal(waits(elements(20), Array.from({ length: 20 }, (_, i) => filled(i))), 2, 'there are more than 16');
});

test('those of more than 4 KiB are asked for', () => {
  assert.equal(waits(properties, object((i) => Buffer.alloc(4093 + i))), 1 + 8);
});

test('bytes that nobody looks at do not come along', () => {
  const isolated = load(addonFile('reading'));
  const list = Array.from({ length: 200 }, (_, i) => filled(i % 7 + 1));
  makeEager(isolated);
  const blind = Array.from({ length: 100 }, (_, i) => `e0 ${i}`).join('\n');
  for (let i = 0; i < 3; i++) isolated.run(blind, null, list);
  const before = hostOf(isolated).counts().calls;
  isolated.run('e0 0\ne0 1\ne0 2\nb1', null, list);
  assert.equal(hostOf(isolated).counts().calls - before, 1 + 1, 'the elements, and the bytes of one');
});
