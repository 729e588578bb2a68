'use strict';
// Dates, symbols, instance data, versions, scripts, type tags, comparisons, coercions.
const vm = require('node:vm');
const { addonFile, attempt, cases } = require('./harness.js');

const thrower = (message) => () => { throw new RangeError(message); };
const values = () => [
  undefined, null, true, false, 0, -0, NaN, 1.5, Infinity, '', '0', ' 12 ', '0x10', 'text', '1n', '\ud83d', 10n, 0n, Symbol('s'), Symbol.iterator, {}, [], [5], [1, 2], () => 1, class A {}, new Date(86400000), new Date(NaN), /x/g, new Error('e'),
  new Number(-0), new String('7'), new Boolean(false), Object(5n), Object(Symbol('o')), { valueOf: () => 42, toString: () => 'str' }, { [Symbol.toPrimitive]: (hint) => `hint ${hint}` }, { toString: thrower('toString'), valueOf: thrower('valueOf') },
  { [Symbol.toPrimitive]: thrower('toPrimitive') }, { toString: () => ({}), valueOf: () => ({}) }, Object.create(null), new Proxy({}, {}), new Proxy({}, { get: thrower('get') }), Buffer.from('9'), globalThis,
];

cases('misc', {
  'dates that native code makes': ({ createDate }) => [0, -0, 1, -1, 1.9, -1.9, 1e12, 8.64e15, 8.64e15 + 1, -8.64e15, NaN, Infinity, 2 ** 53].map((time) => createDate(time)),
  'times of dates': ({ dateValue }) => [new Date(5), new Date(NaN), new Date(-1), new (class extends Date {})(7), new Proxy(new Date(1), {}), Object.create(Date.prototype), ...values()].map((value) => dateValue(value)),
  'is_date': ({ isDate }) => [new (class extends Date {})(7), new Proxy(new Date(1), {}), vm.runInNewContext('new Date(1)'), ...values()].map((value) => isDate(value)),
  'symbols that native code makes': ({ createSymbol }) => [createSymbol(), ...values().map((value) => createSymbol(value)), createSymbol('a').value === createSymbol('a').value],
  'symbols of the registry': ({ symbolFor }) => [['a'], ['a', 1], ['abc', 2], [''], ['', 0], ['\u20ac'], ['\u20ac\ud83d\ude00', 3], ['x'.repeat(300)], [null], [null, 0], ['a', 2 ** 31]].map((args) => {
    const result = symbolFor(...args);
    return [result, result.value && Symbol.for(result.value.description) === result.value];
  }),
  'instance data': ({ getInstanceData, setInstanceData, clearInstanceData }) => [getInstanceData(), setInstanceData(5), getInstanceData(), setInstanceData(6), getInstanceData(), clearInstanceData(), getInstanceData(), setInstanceData(-0), getInstanceData(), clearInstanceData()],
  'versions': ({ versions }) => versions(),
  'module file name': ({ moduleFileName }) => [moduleFileName(), moduleFileName().value === `file://${addonFile('misc')}`],
  'scripts': ({ runScript }) => ['1 + 1', '', '({ a: [1, "two"] })', 'throw new RangeError("thrown")', 'syntax error here', 'this === globalThis', 'typeof require', '(function named() {})', 'var fromScript = 5; fromScript', 'globalThis.fromScript', 'let onlyOnce',
    'Symbol.for("s")', '10n ** 30n', '"x".repeat(1000)', '\ud83d', '"a\0b"', 'undefined'].map((source) => {
    try {
      return runScript(source);
    } finally {
      delete globalThis.fromScript;
    }
  }).filter((result, i) => i !== 10),
  'scripts that are no strings': ({ runScript }) => values().map((value) => (typeof value === 'string' ? null : runScript(value))),
  'scripts that call back': ({ runScript, strictEquals }) => {
    globalThis.callBack = (value) => strictEquals(value, value);
    try {
      return runScript('[1, 2].map(callBack)');
    } finally {
      delete globalThis.callBack;
    }
  },
  'external memory moves as told': ({ adjustExternalMemory }) => adjustExternalMemory().map(Math.sign),
  'type tags': ({ typeTag, checkTypeTag }) => {
    const object = {};
    return [checkTypeTag(object, 1, 2), typeTag(object, 1, 2), checkTypeTag(object, 1, 2), checkTypeTag(object, 2, 1), checkTypeTag(object, 1, 3), checkTypeTag(object, 0, 2), typeTag(object, 1, 2), typeTag(object, 5, 6), checkTypeTag(object, 1, 2),
      checkTypeTag({ ...object }, 1, 2), checkTypeTag(Object.create(object), 1, 2), Reflect.ownKeys(object)];
  },
  'type tags of edges': ({ typeTag, checkTypeTag }) => [[0, 0], [0, 1], [1, 0], [2 ** 53, 2 ** 53], [2 ** 63, 2 ** 63], [2 ** 63, 0]].map(([high, low]) => {
    const object = {};
    return [typeTag(object, high, low), checkTypeTag(object, high, low), checkTypeTag(object, low, high), checkTypeTag(object, 0, 0)];
  }),
  'type tags of anything': ({ typeTag, checkTypeTag }) => values().map((value) => (value === globalThis ? null : [checkTypeTag(value, 3, 4), typeTag(value, 3, 4), checkTypeTag(value, 3, 4)])),
  'strict_equals': ({ strictEquals }) => {
    const list = values();
    const others = values();
    return list.flatMap((a, i) => list.map((b, k) => [strictEquals(a, b).value === (a === b), strictEquals(a, others[k]), i === k]));
  },
  'equality of what native code makes': ({ ownEquals }) => [1, '1', true, NaN, 0, -0, 1n].map((value) => ownEquals(value)),
  'instanceof': ({ instanceOf }) => {
    const classes = [Object, Array, Error, Date, Function, class A {}, { [Symbol.hasInstance]: () => true }, Object.assign(() => 1, { prototype: 5 }), class { static [Symbol.hasInstance]() { throw new Error('hasInstance'); } }, class { static [Symbol.hasInstance](x) { return x === 1; } },
      Function.prototype.bind.call(Array, null), new Proxy(Array, {}), (() => 1), undefined, null, 'Array', 5, {}];
    return values().map((value) => classes.map((Class) => instanceOf(value, Class)));
  },
  'typeof': ({ typeOf }) => values().map((value) => typeOf(value)),
  'coercions': ({ coerce }) => values().map((value) => coerce(value)),
  'coercions have side effects in order': ({ coerce }) => {
    const log = [];
    const object = { [Symbol.toPrimitive](hint) { log.push(hint); return 1; } };
    return [coerce(object), log];
  },
  'coercions of what native code makes': ({ coerceOwn }) => coerceOwn(),
  'the global object': ({ getGlobal }) => [getGlobal() === globalThis, getGlobal()],
});
