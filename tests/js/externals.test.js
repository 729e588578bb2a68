'use strict';
// Externals: native pointers as values.
const util = require('node:util');
const { attempt, cases } = require('./harness.js');

const others = () => [undefined, null, true, 1, 'text', 10n, Symbol('s'), {}, [], () => 1, Object.create(null), new Proxy({}, {})];

cases('externals', {
  'what they look like': ({ create, createStatic, typeOf }) => [create(1), createStatic()].map((external) => [
    external, typeof external, typeOf(external), Object.prototype.toString.call(external), util.types.isExternal(external), Object.getPrototypeOf(external) === null, Object.isExtensible(external), Reflect.ownKeys(external),
  ]),
  'get': ({ create, createStatic, get }) => [0, -0, 1.5, NaN, Infinity, 2 ** 53].map((number) => get(create(number))).concat([get(createStatic())]),
  'set': ({ create, get, set }) => {
    const a = create(1);
    const b = create(2);
    set(a, 10);
    return [get(a), get(b), set(b, -0), get(b), get(a)];
  },
  'the same pointer': ({ create, createStatic, same }) => {
    const a = create(1);
    const b = create(1);
    const c = createStatic();
    return [same(a, a), same(a, b), same(c, createStatic()), same(c, c), c === createStatic()];
  },
  'NULL': ({ createNull, get }) => {
    const { value } = createNull();
    return [createNull(), value, value && get(value)];
  },
  'what is none': ({ get, typeOf }) => others().map((other) => [get(other), typeOf(other)]),
  'within one call': ({ roundTrip }) => [roundTrip(), roundTrip()],
  'kept in objects': ({ create, get }) => {
    const map = new Map(Array.from({ length: 300 }, (_, i) => [i, create(i)]));
    return [...map.values()].reverse().map((external) => get(external).value);
  },
  'as keys of weak maps': ({ create, get }) => {
    const external = create(5);
    const map = new WeakMap([[external, 'mine']]);
    return [map.get(external), map.has(create(5)), get(external)];
  },
  'odd things to do with one': ({ create }) => {
    const external = create(1);
    return [
      attempt(() => String(external)), attempt(() => external + 1), attempt(() => external.property), attempt(() => { external.property = 1; return external.property; }), attempt(() => JSON.stringify(external)),
      attempt(() => Object.freeze(create(2)) !== null), attempt(() => structuredClone(external)), attempt(() => Object.create(external) !== null),
    ];
  },
});
