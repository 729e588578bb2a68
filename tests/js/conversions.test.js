'use strict';
// Numbers, bigints, dates and strings at the edges of their ranges and buffers, both ways, through calls that say exactly what C passed and got.
const { test } = require('node:test');
const { addons, cases, compare } = require('./harness.js');

const others = () => [
  undefined, null, true, false, '', '1', 1n, Symbol('s'), {}, [], () => 1, Object(1), Object('1'), Object(1n), new Date(1), { valueOf: () => 1 },
];

const powers = [31, 32, 53, 63, 64].flatMap((exponent) => [
  2 ** exponent - 1, 2 ** exponent, 2 ** exponent + 1, 2 ** exponent - 0.5, 2 ** exponent + 0.5,
]);
const numbers = [
  0, -0, 1, 1.5, -1.5, 0.49999999999999994, NaN, Infinity, -Infinity, ...powers, ...powers.map((number) => -number), 2 ** 53 - 2, 2 ** 1023, 5e-324,
  1e308,
];

const bigs = [0n, 1n, -1n];
for (const exponent of [31n, 32n, 53n, 63n, 64n, 127n, 128n, 192n, 1000n]) {
  for (const near of [-1n, 0n, 1n]) bigs.push(2n ** exponent + near, -(2n ** exponent) + near);
}

// What a 64-bit integer of C can be, as text.
const integers = [...new Set(bigs.filter((big) => big >= -(2n ** 63n) && big < 2n ** 64n).map(String))];
const wordLists = [
  [], ['0'], ['1'], ['0', '0'], ['1', '0'], ['0', '1'], ['0xffffffffffffffff'], ['0xffffffffffffffff', '0xffffffffffffffff'],
  ['0x8000000000000000'], Array(16).fill('0x123456789abcdef0'),
];

const getters = ['napi_get_value_double', 'napi_get_value_int32', 'napi_get_value_uint32', 'napi_get_value_int64', 'napi_get_value_bool'];
const coercions = ['napi_coerce_to_number', 'napi_coerce_to_bool', 'napi_coerce_to_string', 'napi_coerce_to_object'];

const runs = {};
for (const name of getters) runs[`${name} of every edge`] = ({ call }) => [...numbers, ...others()].map((value) => call(name, [true, [value], true]));
for (const name of coercions) {
  runs[`${name} of every edge`] = ({ call }) => [...numbers, ...bigs, ...others()].map((value) => call(name, [true, [value], true]));
}
for (const name of [
  'napi_create_int32', 'napi_create_uint32', 'napi_create_int64', 'napi_create_bigint_int64', 'napi_create_bigint_uint64', 'napi_get_boolean',
]) {
  runs[`${name} of every edge`] = ({ call }) => integers.map((integer) => call(name, [true, integer, true]));
}
// The last of them are about the range of dates.
const reals = [...numbers, 8.64e15, -8.64e15, 8.64e15 + 1];
for (const name of ['napi_create_double', 'napi_create_date']) {
  runs[`${name} of every edge`] = ({ call }) => reals.map((number) => call(name, [true, number, true]));
}

cases('raw', {
  ...runs,
  'dates': ({ call }) => reals.map((number) => call('napi_get_date_value', [true, [new Date(number)], true])),
  'dates that are none': ({ call }) => [...others(), Object.create(Date.prototype), new Proxy(new Date(1), {})].map((value) => [
    call('napi_get_date_value', [true, [value], true]), call('napi_is_date', [true, [value], true]),
  ]),
  'bigints as 64 bits': ({ call }) => [...bigs, ...others()].map((value) => [
    call('napi_get_value_bigint_int64', [true, [value], true, true]), call('napi_get_value_bigint_uint64', [true, [value], true, true]),
  ]),
  'bigints as words, every count': ({ call }) => bigs.flatMap((big) => [0, 1, 2, 3, 4, 17].map((count) => call(
    'napi_get_value_bigint_words', [true, [big], true, count, count]
  ))),
  'bigints as words, what is asked for': ({ call }) => [...bigs, ...others()].map((value) => [
    call('napi_get_value_bigint_words', [true, [value], null, 0, null]),
    call('napi_get_value_bigint_words', [true, [value], true, 2, null]),
    call('napi_get_value_bigint_words', [true, [value], null, 2, 2]),
  ]),
  'bigints from words': ({ call }) => wordLists.flatMap((words) => [0, 1, -1, 2].flatMap((sign) => [words.length, 0].map((count) => call(
    'napi_create_bigint_words', [true, sign, count, words, true]
  )))),
  'bigints from too many words': ({ call }) => [
    '0x1000001', '0x7fffffff', '0x80000000', '0xffffffffffffffff',
  ].map((count) => call('napi_create_bigint_words', [true, 0, count, [1], true])),
});

// ---- Strings ---------------------------------------------------------------------------------------------------------

const texts = [
  '', 'a', 'abc', 'a\0b', '\0', 'é', 'aéb', 'ÿ', '€', 'x€', '€€€', '\u{1f600}', 'a\u{1f600}', '\u{1f600}b', '\u{1f600}\u{1f600}', '\ud83d',
  '\ude00', 'a\ud83d', '\ud83da', '\ude00\ud83d', '\ud83d\ud83d\ude00', '€\0é',
];
const encodings = {
  latin1: {
    type: 'napi_get_value_string_latin1', create: ['napi_create_string_latin1', 'node_api_create_property_key_latin1'],
    units: (text) => [...Buffer.from(text, 'latin1')],
  },
  utf8: {
    type: 'napi_get_value_string_utf8', create: ['napi_create_string_utf8', 'node_api_create_property_key_utf8', 'node_api_symbol_for'],
    units: (text) => [...Buffer.from(text)],
  },
  utf16: {
    type: 'napi_get_value_string_utf16', create: ['napi_create_string_utf16', 'node_api_create_property_key_utf16'],
    units: (text) => [...new Uint16Array(Uint8Array.from(Buffer.from(text, 'utf16le')).buffer)],
  },
};
// How long the buffer is said to be; it has room for all of the texts.
const said = [
  2 ** 31 - 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, '0x7fffffffffffffff', '0x8000000000000000', '0xfffffffffffffffe', 'auto',
];
const malformed = [
  [0x80], [0xbf, 0x80], [0xc0, 0x80], [0xc1, 0xbf], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80], [0xed, 0xb0, 0x80],
  [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], [0xf0, 0x9f, 0x98], [0xf0, 0x80, 0x80, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80], [0xfe],
  [0xff, 0xff], [0x61, 0xff, 0x62], [0xef, 0xbb, 0xbf, 0x61], [0xd800], [0xdc00, 0xd800], [0xfffe],
];

const { inProcess } = addons('raw');
for (const [encoding, { type, create, units }] of Object.entries(encodings)) {
  cases('raw', {
    [`${encoding}: every size of the buffer`]: ({ call }) => texts.flatMap((text) => Array.from({ length: units(text).length + 3 }, (_, size) => [
      call(type, [true, [text], size, size, true]), call(type, [true, [text], size, size, null]), call(type, [true, [text], null, size, true]),
    ])),
    [`${encoding}: buffers that are said to be huge`]: ({ call }) => texts.flatMap((text) => said.map((size) => call(
      type, [true, [text], 64, size, true]
    ))),
    [`${encoding}: of what is no string`]: ({ call }) => others().map((value) => [
      call(type, [true, [value], 8, 8, true]), call(type, [true, [value], null, 0, true]), call(type, [true, [value], null, 0, null]),
    ]),
    [`${encoding}: a string that C has just made`]: ({ call }) => texts.map((text) => {
      const made = call(create[0], [true, units(text), units(text).length, true]).outs[3][0];
      return [made, call(type, [true, [made], 64, 64, true])];
    }),
  });
  for (const name of create) {
    // The result is the last parameter everywhere.
    const made = (call, text, length) => call(name, [true, text, length, true]);
    test(`${name}: every length`, { skip: !inProcess.has(name) }, (t) => compare(t, 'raw', ({ call }) => texts.flatMap((text) => {
      const list = units(text);
      return [...list.keys(), list.length, 'auto'].map((length) => made(call, list, length));
    })));
    test(
      `${name}: what is not well-formed`, { skip: !inProcess.has(name) },
      (t) => compare(t, 'raw', ({ call }) => malformed.map((list) => [made(call, list, list.length), made(call, list, 'auto')]))
    );
    test(`${name}: lengths that are none`, { skip: !inProcess.has(name) }, (t) => compare(t, 'raw', ({ call }) => [
      2 ** 31, 2 ** 31 + 1, 2 ** 32, 2 ** 32 + 1, '0x8000000000000000', '0xfffffffffffffffe',
    ].map((length) => [made(call, [97], length), made(call, null, length)])));
    test(
      `${name}: no text`, { skip: !inProcess.has(name) },
      (t) => compare(t, 'raw', ({ call }) => [0, 1, 'auto'].map((length) => made(call, null, length)))
    );
  }
}

const keys = ['a', '0', '', '€', '\u{1f600}', '__proto__', 'x'.repeat(1000)];
const skip = !inProcess.has('node_api_create_property_key_utf8');
test('property keys are keys like all others', { skip }, (t) => compare(t, 'raw', ({ call }) => keys.map((name) => {
  const key = call('node_api_create_property_key_utf8', [true, name, 'auto', true]).outs[3][0];
  const object = JSON.parse(`{${JSON.stringify(name)}: "found"}`);
  return [
    key === name, call('napi_get_property', [true, [object], [key], true]), call('napi_has_own_property', [true, [object], [key], true]),
    call('napi_set_property', [true, [object], [key], ['set']]), object,
  ];
})));

// 100 MB in and out.
const LENGTH = 100 * 2 ** 20;
test('a string of 100 MB on its way in', (t) => compare(t, 'conversions', ({ digest }) => digest('abcdefgh'.repeat(LENGTH / 8))));
test('a string of 100 MB on its way out', (t) => compare(t, 'conversions', ({ repeat }) => {
  const text = repeat(LENGTH);
  return [text.length, text.slice(0, 40), text.slice(-40), text.slice(LENGTH / 2, LENGTH / 2 + 40)];
}));
