'use strict';
// Numbers on their way in and out.
const { cases } = require('./harness.js');

const edges = [];
for (const exponent of [0, 1, 15, 16, 24, 30, 31, 32, 33, 40, 48, 51, 52, 53, 54, 62, 63, 64, 65, 100, 1000, 1023]) {
  for (const sign of [1, -1]) {
    const power = sign * 2 ** exponent;
    edges.push(power - 1, power - 0.5, power, power + 0.5, power + 1);
    if (exponent > 52) edges.push(power * (1 - 2 ** -53), power * (1 + 2 ** -52));
  }
}
edges.push(0, -0, NaN, Infinity, -Infinity, 5e-324, -5e-324, 2.2250738585072014e-308, Number.MAX_VALUE, -Number.MAX_VALUE, 0.1, 1 / 3, Math.PI, 1e21, 1e-7);

const others = () => [undefined, null, true, false, '', '1', 1n, Symbol('s'), {}, [], () => 1, new Number(1), new Boolean(true), { valueOf: () => 1 }, new Date(1)];

// Numbers of a fixed generator, all over the range.
function* scattered(count) {
  const bits = new BigUint64Array(1);
  const number = new Float64Array(bits.buffer);
  let state = 88172645463325252n;
  for (let i = 0; i < count; i++) {
    state ^= (state << 13n) & (2n ** 64n - 1n);
    state ^= state >> 7n;
    state ^= (state << 17n) & (2n ** 64n - 1n);
    [bits[0]] = [state];
    yield number[0];
    yield Number(BigInt.asIntN(64, state));
    yield Number(BigInt.asIntN(34, state));
  }
}

cases('numbers', {
  'every getter on every edge': ({ getAll }) => edges.map((edge) => getAll(edge)),
  'every getter on scattered numbers': ({ getAll }) => [...scattered(150)].map((number) => getAll(number)),
  'every getter on what is no number': ({ getAll }) => others().map((other) => getAll(other)),
  'every getter on nothing': ({ getAll }) => getAll(),
  'NaNs of JavaScript with other bits': ({ getAll }) => {
    const bits = new BigUint64Array([0x7ff8000000000001n, 0xffffffffffffffffn, 0x7ff0000000000001n, 0xfff8000000000000n, 0x7ffc123456789abcn, 0xfffe000000000005n]);
    return Array.from(new Float64Array(bits.buffer), (nan) => getAll(nan));
  },
  'every constructor': ({ createAll }) => createAll(),
  'NaNs of C with all kinds of bits': ({ createNans }) => createNans(),
  'numbers that were never in JavaScript': ({ reread }) => edges.map((edge) => reread(edge)),
  'scattered numbers that were never in JavaScript': ({ reread }) => [...scattered(100)].map((number) => reread(number)),
  'booleans and empty values': ({ booleans }) => booleans(),
});
