'use strict';
// What a hash addon does: one string or Buffer in, one number out.
const { attempt, cases } = require('./harness.js');

const values = () => [undefined, null, true, 1, 'text', 10n, Symbol('s'), {}, [], () => 1, new Uint8Array([1, 2]), new DataView(new ArrayBuffer(3)), new ArrayBuffer(2), new Uint16Array([1, 2]), Buffer.from('b')];
const lengths = [0, 1, 2, 15, 16, 17, 63, 64, 65, 253, 254, 255, 256, 1000, 4095, 4096, 4097, 65535, 65536, 65537, 2 ** 20];

cases('hash', {
  'the exports': (addon) => addon,
  'strings of all lengths': ({ hashString }) => lengths.flatMap((length) => ['a', '\u00e9', '\u20ac'].map((unit) => hashString(unit.repeat(length)))),
  'strings of all kinds': ({ hashString }) => ['a\0b', '\ud83d\ude00', '\ud83d', 'a'.repeat(300) + 'b'.repeat(300), 'abcdefghijklmnopqrstuvwxyz'.slice(3, 22)].map((text) => hashString(text)),
  'Buffers of all lengths': ({ hashBuffer, sum }) => lengths.map((length) => {
    const buffer = Buffer.alloc(length, 'some bytes \u00ff');
    return [hashBuffer(buffer), sum(buffer), buffer.equals(Buffer.alloc(length, 'some bytes \u00ff'))];
  }),
  'small Buffers of the pool': ({ hashBuffer, sum }) => Array.from({ length: 50 }, (_, i) => Buffer.from(`buffer ${i}`)).map((buffer) => [hashBuffer(buffer), sum(buffer), String(buffer)]),
  'parts of Buffers': ({ hashBuffer, sum }) => {
    const whole = Buffer.from(Array.from({ length: 1000 }, (_, i) => i * 31));
    return [[0, 0], [0, 1], [1, 2], [500, 1000], [999, 1000], [1000, 1000], [3, 997]].map(([from, to]) => [hashBuffer(whole.subarray(from, to)), sum(whole.subarray(from, to))]);
  },
  'a Buffer that changes between calls': ({ hashBuffer, sum }) => {
    const buffer = Buffer.alloc(5000);
    return Array.from({ length: 50 }, (_, i) => {
      buffer[i * 100] = i + 1;
      return [hashBuffer(buffer), sum(buffer)];
    });
  },
  'wrong arguments': ({ hashString, hashBuffer, sum }) => values().map((value) => [attempt(() => hashString(value)), attempt(() => hashBuffer(value)), attempt(() => sum(value))]),
  'no arguments': ({ hashString, hashBuffer, sum }) => [attempt(() => hashString()), attempt(() => hashBuffer()), attempt(() => sum())],
});
