'use strict';
// References: strong and weak, counted, deleted.
const { cases } = require('./harness.js');

const values = () => [{}, [], () => 1, Symbol('local'), Symbol.for('shared'), new Date(1), new Proxy({}, {}), Object.create(null), globalThis, Buffer.from('x')];
const primitives = () => [undefined, null, true, 1, NaN, 'text', 10n];

cases('references', {
  'to objects': ({ create, get }) => values().map((value) => {
    const result = create(value, 1);
    return [result.status, result.value === undefined ? result : [get(result.value).value === value, get(result.value)]];
  }),
  'to primitives': ({ create }) => primitives().map((value) => [create(value, 0), create(value, 1)]),
  'counts up and down': ({ create, get, ref, unref }) => {
    const object = { name: 'referenced' };
    const { value: place } = create(object, 1);
    return [ref(place), ref(place), get(place).value === object, unref(place), unref(place), unref(place), unref(place), get(place).value === object, ref(place), unref(place)];
  },
  'weak from the beginning': ({ create, get, ref, unref }) => {
    const object = {};
    const { value: place } = create(object, 0);
    return [get(place).value === object, unref(place), ref(place), ref(place), unref(place), unref(place), unref(place), get(place).value === object, object];
  },
  'large counts': ({ create, ref, unref }) => [1000, 2 ** 31, 2 ** 32 - 2].map((count) => {
    const { value: place } = create({}, count);
    return [ref(place), unref(place), unref(place)];
  }),
  'counts that are not asked for': ({ create, refUnrefSilently, get }) => {
    const object = {};
    return [0, 1, 5].map((count) => {
      const { value: place } = create(object, count);
      return [refUnrefSilently(place), get(place).value === object];
    });
  },
  'deleted': (addon) => {
    const object = {};
    return [0, 1, 5].map((count) => {
      const { value: place } = addon.create(object, count);
      return addon.delete(place);
    });
  },
  'several to one object': (addon) => {
    const object = { shared: true };
    const places = [0, 1, 2].map((count) => addon.create(object, count).value);
    const results = [addon.delete(places[1]), addon.get(places[0]).value === object, addon.get(places[2]).value === object, addon.ref(places[2]), addon.unref(places[0])];
    return [results, addon.delete(places[0]), addon.get(places[2])];
  },
  'deleted and made again, places are not mixed up': (addon) => {
    const results = [];
    for (let i = 0; i < 50; i++) {
      const kept = addon.create({ kept: i }, 1).value;
      const gone = addon.create({ gone: i }, 1).value;
      addon.delete(gone);
      results.push([kept, addon.get(kept)]);
    }
    return results;
  },
  'within one call': ({ within }) => values().filter((value) => typeof value === 'object').map((value) => [within(value), within(value)[4] === value]),
  'many': ({ many }) => [1, 100, 5000].map((count) => many(count)),
  'objects whose properties change meanwhile': ({ create, get }) => {
    const object = { a: 1 };
    const { value: place } = create(object, 1);
    object.a = 2;
    Object.freeze(object);
    return [get(place), get(place).value === object];
  },
});
