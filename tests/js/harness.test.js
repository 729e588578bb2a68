'use strict';
// The harness itself: pairs of results that differ in one thing that a program could see.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { compare } = require('./harness.js');

const shared = {};
const different = {
  'zero and minus zero': [() => 0, () => -0],
  'NaN and undefined': [() => NaN, () => undefined],
  'a number and a bigint': [() => 1, () => 1n],
  'strings': [() => 'a\0', () => 'a'],
  'lone surrogates': [() => '\ud800', () => '\udc00'],
  'the order of keys': [() => ({ a: 1, b: 2 }), () => ({ b: 2, a: 1 })],
  'attributes': [() => Object.defineProperty({}, 'x', { value: 1 }), () => Object.defineProperty({}, 'x', { value: 1, writable: true })],
  'classes of errors': [() => new Error('x'), () => new TypeError('x')],
  'codes of errors': [() => Object.assign(new Error('x'), { code: 'A' }), () => Object.assign(new Error('x'), { code: 'B' })],
  'a returned and a thrown error': [() => new Error('x'), () => { throw new Error('x'); }],
  'symbols': [() => Symbol('a'), () => Symbol.for('a')],
  'holes': [() => [, 1], () => [undefined, 1]], // eslint-disable-line no-sparse-arrays
  'kinds of views': [() => new Uint8Array(2), () => new Int8Array(2)],
  'bytes': [() => Buffer.alloc(100, 1), () => Buffer.alloc(100, 2)],
  'offsets': [() => new Uint8Array(new ArrayBuffer(8), 4, 2), () => new Uint8Array(new ArrayBuffer(8), 2, 2)],
  'names of functions': [() => ({ a() {} }).a, () => ({ b() {} }).b],
  'lengths of functions': [() => (function f(a) {}).length, () => (function f() {}).length], // eslint-disable-line no-unused-vars
  'identities': [() => [shared, shared], () => [{}, {}]],
  'frozenness': [() => Object.freeze({}), () => ({})],
  'prototypes': [() => Object.create(null), () => ({})],
  'dates': [() => new Date(0), () => new Date(NaN)],
  'getters and values': [() => ({ get x() { return 1; } }), () => ({ x: 1 })],
};

for (const [name, results] of Object.entries(different)) {
  test(`compare() notices ${name}`, async (t) => {
    let next = 0;
    await assert.rejects(compare(t, 'basic', () => results[next++]()), { code: 'ERR_ASSERTION' });
    assert.equal(next, 2);
    await compare(t, 'basic', () => results[0]());
  });
}
