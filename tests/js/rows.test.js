'use strict';
// Rows that native code has JavaScript make and fills itself, as addons of databases do: what it sets on the object of Object.create(null) need not be waited for, as long as nobody else
// can have that object.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addonFile, cases, normalize } = require('./harness.js');
const { runJson } = require('./support/child.js');
const { hostOf, load } = require('../..');

const SPECIAL = ['a', '__proto__', 'constructor', 'toString', '0', '17', '\u00e4', ''];

/** Objects with somebody in the way of what is set. */
const watched = {
  proxy: (seen) => new Proxy({}, { set(object, key, value) { seen.push(['set', key, value]); object[key] = value; return true; } }),
  setter: (seen) => ({ set b(value) { seen.push(['b', value]); } }),
  'setter further up': (seen) => Object.create({ set b(value) { seen.push(['b', value]); } }),
  frozen: () => Object.freeze(Object.create(null)),
  throwing: () => ({ set b(value) { throw new TypeError(`no ${value}`); } }),
};

cases('rows', {
  'Object.create(null)': (addon) => addon.build(Object.create, [null], ['a', 'b', 'c'], 20),
  'names that Object.prototype has, and such that are indexes': (addon) => addon.build(Object.create, [null], SPECIAL, 3),
  'Object.create of other prototypes': (addon) => [Object.prototype, Array.prototype, {}, { a: 1 }, Object.create({ get b() { return 1; } })]
    .map((prototype) => addon.build(Object.create, [prototype], ['a', 'b', 'c'], 2)),
  'Object.create(null) with properties': (addon) => addon.build(Object.create, [null, { b: { value: 1 } }], ['a', 'b', 'c'], 2),
  'a row that JavaScript gets when half of it is there': (addon) => {
    const seen = [];
    const result = addon.build(Object.create, [null], ['a', 'b', 'c', 'd'], 5, (row) => {
      seen.push({ ...row });
      Object.defineProperty(row, 'c', { set(value) { seen.push(value); } });
    });
    return [result, seen];
  },
  'functions that return the same object each time': (addon) => {
    const row = Object.create(null);
    return addon.build(() => row, [null], ['a', 'b'], 3);
  },
  'functions of the program with somebody in the way': (addon) => Object.entries(watched).map(([name, make]) => {
    const seen = [];
    return [name, addon.build(() => make(seen), [null], ['a', 'b', 'c'], 2), seen];
  }),
  'a bound Object.create': (addon) => addon.build(Object.create.bind(null, { set b(value) { this.seen = value; } }), [null], ['a', 'b'], 2),
  'a bound one, and what it made is known to JavaScript': (addon) => {
    const made = [], create = new Proxy(Object.create, { apply(target, self, args) { made.push(Reflect.apply(target, self, args)); return made.at(-1); } });
    const result = addon.build(create, [null], ['a', 'b'], 3);
    return [result, result[0].map((row, i) => row === made[i])];
  },
});

test('Object.create(null): one round trip a row, however many columns', () => {
  const isolated = load(addonFile('rows'));
  const host = hostOf(isolated);
  const rows = (count) => {
    const before = host.counts().calls;
    isolated.build(Object.create, [null], ['a', 'b', 'c', 'd', 'e'], count);
    return host.counts().calls - before;
  };
  rows(1);
  const few = rows(10);
  assert.equal(rows(110) - few, 100);
});

/** The program has put a function of its own into its place, before or after the agent came; each set on what it makes is noticed. */
function replaced(kit, early) {
  const seen = [], real = Object.create;
  const replace = () => {
    Object.create = function create(prototype, properties) { // eslint-disable-line no-unused-vars
      return new Proxy(real(null), { set(object, key, value) { seen.push([key, value]); object[key] = value; return true; } });
    };
  };
  if (early) replace();
  const addon = kit.dlopen(kit.addonFile('rows'));
  if (!early) replace();
  const [, problems] = addon.build(Object.create, [null], ['a', 'b'], 2);
  Object.create = real;
  kit.print([seen, problems]);
}

for (const early of [true, false]) {
  test(`a program that has put another function in the place of Object.create ${early ? 'before' : 'after'} the addon was loaded`, () => {
    assert.deepEqual(runJson(replaced, { args: [early], isolated: true }), runJson(replaced, { args: [early] }));
  });
}

/** Object.prototype is given a setter between two rows. */
function polluted(kit) {
  const seen = [];
  const addon = kit.dlopen(kit.addonFile('rows'));
  const result = addon.build(Object.create, [null], ['a', 'b', 'c', 'd'], 3, () => {
    if (!Object.hasOwn(Object.prototype, 'd')) Object.defineProperty(Object.prototype, 'd', { configurable: true, set(value) { seen.push(value); } });
  });
  delete Object.prototype.d;
  kit.print([result.map((list) => list.map((row) => (typeof row === 'object' ? Object.entries(row) : row))), seen]);
}

test('Object.prototype is given a setter meanwhile', () => {
  assert.deepEqual(runJson(polluted, { isolated: true }), runJson(polluted));
});

test('the rows have no prototype', () => {
  const [rows] = load(addonFile('rows')).build(Object.create, [null], ['a'], 2);
  assert.deepEqual(normalize(rows.map((row) => Object.getPrototypeOf(row))), normalize([null, null]));
});
