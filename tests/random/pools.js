'use strict';
// The constants that programs refer to by index. The interpreter's C arrays are made from them (calls.js).

const long = 'long '.repeat(60);

/** Texts as bytes: names, messages, scripts. */
const texts = [
  'a', 'b', 'x', '0', '1', '', 'length', 'name', 'message', 'code', 'toString', 'valueOf', 'then', 'prototype', 'method', 'accessor', 'content', 'data',
  'caf\u00e9', '\u20ac', '\u{1f600}', long, 'nul\0inside', Buffer.from('bad\xc3(utf8', 'latin1'), Buffer.from('cut \xe2\x82', 'latin1'),
  Buffer.from('\xed\xa0\xbdlone', 'latin1'), 'ERR_CODE', '12', '4294967295', '-1', '1.5', 'Symbol', 'napi_class', 'x'.repeat(64),
  'constructor', '__proto__',
  // Scripts.
  '1 + 1', '({ a: 1, get b() { return 2; } })', 'throw new TypeError("from a script")', 'syntax error(', '[1, , 3]', '(function f(a) { return a; })', '"\u20ac".repeat(9)',
  'new Uint8Array([1, 2, 3])', 'null', '10n ** 30n', '(class Scripted { constructor(x) { this.x = x; } m() { return this.x; } })', 'throw 1',
];
/** Getting a property of such a name gives what belongs to the whole process, mostly. */
const SHARED = new Set(['constructor', '__proto__', 'toString', 'valueOf', 'then']);
const isShared = (index) => SHARED.has(texts[index]);
const isLength = (index) => texts[index] === 'length';
/** Arrays of such a length take minutes to become a string: a program has these numbers or the name `length`. */
const isLarge = (value) => value > 100000 && value < 2 ** 32;

/** Texts as UTF-16 units. */
const wides = ['a', 'x', '0', '', 'length', 'caf\u00e9', '\u20ac', '\u{1f600}', '\ud83d', '\udc00 low first', 'nul\0inside', long, 'prototype', 'y'.repeat(70)];

const doubles = [
  0, -0, 1, -1, 1.5, -1.5, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), -(2 ** 31) - 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 2 ** 63, -(2 ** 63), 2 ** 64, 1e21, 5e-324,
  1.7976931348623157e308, NaN, Infinity, -Infinity, 8.64e15, 8.64e15 + 1, 1e12, 0.1,
];

const int64s = [0n, 1n, -1n, 255n, -256n, 2n ** 31n, -(2n ** 31n), 2n ** 32n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)];
const uint64s = [0n, 1n, 255n, 2n ** 32n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
/** What is registered as external memory: little, so that it makes no collection. */
const changes = [0n, 1n, -1n, 1000n, -1000n];

/** Numbers of 32 bits: indices, counts, what becomes a number. */
const int32s = [0, 1, -1, 2, 3, 7, 42, 255, -128, 65536, 2147483647, -2147483648];
const indices = [0, 1, 2, 3, 5, 10, 100, -1];
const counts = [0, 1, 1, 2, 3];

/** Sizes of memory beyond that of a page, and beyond that from which it is shared in another way. */
const largeSizes = [1000, 4096, 5000, 140_000];
/** Sizes; a negative one stands for the special size at that place from the end. */
const sizes = [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 24, 32, 64, 100];
const specialSizes = [2n ** 31n, 2n ** 32n, 2n ** 32n + 4n];
const specialCounts = [2n ** 31n, 2n ** 25n];

/** How the length of a text is told: 0 up to its NUL, 1 its length, 2 none of it, 3 one less than its length, 4 more than an int holds. */
const LENGTH_MODES = 5;

const words = [0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 12345678901234567890n, 0n, 7n, 0n];
const tags = [[1n, 2n], [1n, 3n], [0n, 0n], [2n ** 64n - 1n, 5n]];

module.exports = {
  texts, isShared, isLength, isLarge, wides, doubles, int64s, uint64s, changes, int32s, indices, counts, sizes, largeSizes, specialSizes, specialCounts, LENGTH_MODES, words, tags,
};
