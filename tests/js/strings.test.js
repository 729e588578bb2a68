'use strict';
// Strings in the three encodings: every size of buffer, every kind of contents.
const { attempt, cases } = require('./harness.js');

const LATIN1 = 0;
const UTF8 = 1;
const UTF16 = 2;
const encodings = { 'Latin-1': LATIN1, 'UTF-8': UTF8, 'UTF-16': UTF16 };

const texts = [
  '', 'a', 'hello', 'a\0b', '\0', '\0\0', 'na\u00efve', '\u00ff\u0080\u007f', '\u20ac', '\u20ac\u20ac\u20ac', '\ud83d\ude00', 'a\ud83d\ude00b', '\ud83d', '\ude00',
  '\ude00\ud83d', 'x\ud83dy', '\ud83d\ud83d\ude00', '\ufeffbom', '\uffff\ufffe', '\u{10ffff}', 'z\u0308', 'tab\tnew\nline',
];
const others = () => [undefined, null, true, 1, 1n, Symbol('s'), {}, [], () => 1, new String('s'), new Date(1), { toString: () => 's' }];

// Around the longest string that travels along with its call.
const lengths = [253, 254, 255, 256, 508, 509, 511, 512, 1023, 1024, 4095, 4096, 65535, 65536];

const runs = {};
for (const [name, encoding] of Object.entries(encodings)) {
  runs[`${name}: read, without a buffer`] = ({ get }) => texts.map((text) => [get(encoding, text), get(encoding, text, null, true)]);
  runs[`${name}: read, every size of the buffer`] = ({ get }) =>
    texts.map((text) => Array.from({ length: 3 * text.length + 3 }, (_, size) => [get(encoding, text, size), get(encoding, text, size, false)]));
  runs[`${name}: read, 260 units at every size`] = ({ get }) => {
    const results = [];
    for (let size = 0; size <= 264; size++) results.push(get(encoding, `${'a\u00e9'.repeat(129)}yz`, size));
    for (let size = 240; size <= 530; size++) results.push(get(encoding, '\u00e9'.repeat(260), size));
    for (let size = 500; size <= 790; size += 3) results.push(get(encoding, '\u20ac'.repeat(260), size));
    return results;
  };
  runs[`${name}: read, neither buffer nor length`] = ({ get }) => texts.map((text) => get(encoding, text, null, false));
  runs[`${name}: read, around the limits of messages`] = ({ digest }) =>
    lengths.flatMap((length) => ['a', '\u00e9', '\u20ac', '\ud83d\ude00', '\ud83d'].map((unit) => digest(encoding, unit.repeat(length))));
  runs[`${name}: read, 1 MB`] = ({ digest }) => ['a', '\u00e9', '\u20ac', '\ud83d\ude00', 'a\0'].map((unit) => digest(encoding, unit.repeat(2 ** 20 / unit.length)));
  runs[`${name}: read, 1 MB into a small buffer`] = ({ get }) => [0, 1, 2, 10].map((size) => get(encoding, '\u20ac'.repeat(2 ** 20), size));
  runs[`${name}: read, ropes and slices`] = ({ digest }) => {
    const half = 'abcdefgh'.repeat(100);
    return [half + half, `${half}\u20ac`, half.slice(3, 77), (half + half).slice(700, 1100), `${half}${half}`.substring(799, 801)].map((text) => digest(encoding, text));
  };
  runs[`${name}: read from what is no string`] = ({ get }) => others().map((other) => [get(encoding, other), get(encoding, other, 10), get(encoding, other, 10, false)]);
  runs[`${name}: created`] = ({ create }) => {
    const bytes = [[], [97], [97, 0, 98], [0], [0xe9], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0x80], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98],
      [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xff, 0xfe], [97, 0xc3, 98], [0x20ac], [0xd83d, 0xde00], [0xd83d], [0xde00, 0xd83d], [0xfeff, 97]];
    return bytes.map((units) => [create(encoding, units), create(encoding, units, units.length), create(encoding, units, 0), create(encoding, units, Math.min(1, units.length))]);
  };
  runs[`${name}: created, all 256 bytes`] = ({ create }) => create(encoding, Array.from({ length: 256 }, (_, byte) => byte), 256);
  runs[`${name}: created, around the limits of messages and 1 MB`] = ({ repeat }) => [...lengths, 2 ** 20].flatMap((length) => [97, 0, 0xe9, 0xd83d].map((unit) => {
    const { status, value } = repeat(encoding, length, unit);
    return [status, value.length, value.slice(0, 5), value.slice(-5), value === value[0].repeat(value.length)];
  }));
  runs[`${name}: created with an invalid length`] = ({ create }) => [2 ** 31, 2 ** 31 - 1 + 2 ** 31, 2 ** 32, 2 ** 40].map((length) => create(encoding, [97], length));
  runs[`${name}: never in JavaScript`] = ({ own }) => own(encoding);
}
cases('strings', {
  ...runs,
  'wrong arguments': ({ create, get }) => [attempt(() => get(UTF8, undefined, 3)), attempt(() => create(LATIN1, []))],
  'the same string again and again': ({ digest }) => {
    const text = 'again'.repeat(10);
    return Array.from({ length: 20 }, () => [digest(UTF8, text), digest(UTF16, text), digest(LATIN1, text)]);
  },
  'a string made here and read there': ({ create, digest, get }) => {
    const { value } = create(UTF16, [0xd83d, 97, 0, 0x20ac], 4);
    return [value, digest(UTF8, value), digest(UTF16, value), get(LATIN1, value, 10)];
  },
});
