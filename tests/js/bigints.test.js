'use strict';
// BigInts on their way in and out.
const { cases } = require('./harness.js');

const edges = [];
for (const exponent of [0n, 1n, 31n, 32n, 53n, 62n, 63n, 64n, 65n, 127n, 128n, 129n, 192n, 1000n, 4096n]) {
  for (const sign of [1n, -1n]) edges.push(sign * 2n ** exponent - 1n, sign * 2n ** exponent, sign * 2n ** exponent + 1n);
}
edges.push(0n, 123456789012345678901234567890n);

const words = ['0000000000000000', '0000000000000001', '7fffffffffffffff', '8000000000000000', 'ffffffffffffffff', '0123456789abcdef'];
const others = () => [undefined, null, true, 1, '1', Symbol('s'), {}, [], () => 1, Object(1n)];

cases('bigints', {
  'created from int64': ({ createInt64 }) => words.map((word) => createInt64(word)),
  'created from uint64': ({ createUint64 }) => words.map((word) => createUint64(word)),
  'created from words': ({ createWords }) => {
    const lists = [[], ...words.map((word) => [word]), words, [words[1], words[0], words[0]], [words[0], words[0]], Array(100).fill(words[4])];
    return lists.flatMap((list) => [0, 1, 2, -1].map((sign) => createWords(sign, list)));
  },
  'created from too many words': ({ createTooMany }) => [2 ** 24 + 1, 2 ** 31, 2 ** 31 - 1, 2 ** 32, 2 ** 40, 2 ** 53].map((count) => createTooMany(0, count)),
  'read as int64': ({ getInt64 }) => edges.map((edge) => getInt64(edge)),
  'read as uint64': ({ getUint64 }) => edges.map((edge) => getUint64(edge)),
  'read as words, every capacity': ({ getWords }) => edges.map((edge) => [0, 1, 2, 3, 4, 64, 65, 70].map((capacity) => getWords(edge, capacity, 0))),
  'read as words, every form': ({ getWords }) => edges.map((edge) => [1, 2, 3].map((form) => getWords(edge, 20, form))),
  'a large one': ({ createWords, getWords }) => {
    const { value } = createWords(1, Array(10000).fill(words[5]));
    return [value, getWords(value, 10000, 0), getWords(value, 5000, 0)];
  },
  'what is no BigInt': ({ getInt64, getUint64, getWords }) => others().map((other) => [getInt64(other), getUint64(other), getWords(other, 2, 0), getWords(other, 2, 1)]),
});
