'use strict';
// Reading one property after the other, as addons read their options: the host is told what an object holds all at once, and nobody may be able to tell.
const assert = require('node:assert/strict');
const { AsyncLocalStorage, createHook } = require('node:async_hooks');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');
const vm = require('node:vm');
const { addons, addonFile, cases, compare } = require('./harness.js');
const { hostOf, load } = require('../..');

const names = (count) => Array.from({ length: count }, (_, i) => `name${i}`);
const options = (count) => Object.fromEntries(names(count).map((name, i) => [name, i]));
const reads = (object, list) => list.map((name) => `g${object} ${name}`);
/** So many reads, of so many objects, that the host is eager to be told all of one from then on, whatever was read before. */
const EAGER = Array.from({ length: 600 }, (_, i) => (i < 300 ? 'g0 a' : 'e1 0')).join('\n');

function makeEager(addon) {
  const calls = () => hostOf(addon)?.counts().calls ?? 0;
  let before;
  for (let i = 0; i < 12; i++) {
    before = calls();
    addon.run(EAGER, null, { a: 1, b: 2 }, [1, 2]);
  }
  assert.ok(calls() - before <= 4, 'the text of the steps, the object and the array');
}

function run(addon, steps, callback, ...objects) {
  makeEager(addon);
  return addon.run(steps.join('\n'), callback, ...objects);
}

/** Everything that can be asked about a name. */
const questions = (object, name) => [`g${object} ${name}`, `h${object} ${name}`, `k${object} ${name}`, `H${object} ${name}`, `O${object} ${name}`];
const repeated = (addon, steps, callback, ...objects) => [1, 2, 3].map(() => run(addon, steps, callback, ...objects));

const values = {
  undefined: undefined, null: null, true: true, false: false, zero: 0, minusZero: -0, half: 0.5, nan: NaN, infinite: -Infinity, large: 2 ** 53,
  bigint: 123n, symbol: Symbol.for('a symbol'), empty: '', short: 'text', wide: '\u20ac and \u{1f600}', half2: '\ud800', long: 'x'.repeat(1000), nul: 'a\0b',
  object: { inner: { innermost: 1 } }, array: [1, 'two', [3], , 5], function: Math.max, class: class A {}, date: new Date(0), regexp: /x/, map: new Map([[1, 2]]), // eslint-disable-line no-sparse-arrays
  buffer: Buffer.from('bytes'), view: new DataView(new ArrayBuffer(4)), promise: Promise.resolve(1), error: new RangeError('an error'), boxed: Object('text'),
};

/** A proxy that does nothing but write down which traps were asked for which names. */
function logged(of, log) {
  return new Proxy(of, Object.fromEntries(Object.getOwnPropertyNames(Reflect).map((trap) => [trap, (...args) => {
    log.push([trap, typeof args[1] === 'symbol' ? 0 : args[1]]);
    return Reflect[trap](...args);
  }])));
}

cases('reading', {
  'values of all kinds': (addon) => repeated(addon, Object.keys(values).flatMap((name) => questions(0, name)), null, values),
  'elements of all kinds': (addon) => repeated(addon, [...Object.keys(values).keys(), 100, 4294967294, 4294967295].flatMap((i) => ['l0', `e0 ${i}`, `x0 ${i}`, `i0 ${i}`, `q0 ${i}`]), null, Object.values(values)),
  'what the values hold in turn': (addon) => repeated(addon, [
    ...reads(0, ['object', 'array', 'function', 'class', 'date', 'map', 'buffer', 'error', 'boxed']), ...Array.from({ length: 9 }, (_, i) => i + 1).flatMap((object) => [
      ...['inner', 'length', 'name', 'size', 'message', 'constructor', '0', 'inner', 'lastIndex'].flatMap((name) => questions(object, name)), `l${object}`, `e${object} 0`, `e${object} 1`, `e${object} 2`, `e${object} 3`, `n${object}`, `a${object}`])], null, values),
  'names that Object.prototype has': (addon) => repeated(addon, [...names(4), 'toString', 'constructor', '__proto__', 'hasOwnProperty', 'valueOf', '__defineGetter__', 'toLocaleString', 'absent']
    .flatMap((name) => questions(0, name)), null, options(10)),
  'own properties of those names': (addon) => repeated(addon, ['a', 'b', 'c', 'toString', 'constructor', '__proto__'].flatMap((name) => questions(0, name)), null,
    Object.assign(JSON.parse('{"__proto__": 5, "a": 1, "b": 2, "c": 3}'), { toString: 1, constructor: 2 })),
  'names of all kinds': (addon) => repeated(addon, ['', ' ', '0', '1', '-1', '01', '4294967295', 'two words', '\u20ac', '\u{1f600}', '\ufffd', 'length', 'x'.repeat(500), 'absent', '9007199254740993']
    .flatMap((name) => questions(0, name)), null, { '': 1, ' ': 2, 0: 3, 1: 4, '-1': 5, '01': 6, 4294967295: 7, 'two words': 8, '\u20ac': 9, '\u{1f600}': 10, 'length': 11, ['x'.repeat(500)]: 12 }),
  'a name with half a surrogate pair, and one with a NUL': (addon) => [{ '\ud800': 1, b: 2, c: 3 }, { 'a\0b': 1, a: 2, c: 3 }, { '\ufffd': 1 }]
    .map((object) => repeated(addon, ['a', 'b', 'c', '\ufffd', 'd'].flatMap((name) => questions(0, name)), null, object)),
  'without a prototype': (addon) => repeated(addon, [...names(4), 'toString', 'absent'].flatMap((name) => questions(0, name)), null, Object.assign(Object.create(null), options(5))),
  'with prototypes of their own': (addon) => {
    class Base { get inherited() { return 'from the base'; } method() {} }
    class Options extends Base { own = 1; static fixed = 2; }
    const child = Object.create(options(5), { mine: { value: 1 } });
    return [new Options(), Options, child, Object.create(child)].map((object) =>
      repeated(addon, ['own', 'own', 'inherited', 'method', 'fixed', 'mine', 'name0', 'name4', 'absent', 'constructor'].flatMap((name) => questions(0, name)), null, object));
  },
  'arrays of other kinds': (addon) => {
    class List extends Array {}
    const named = Object.assign([1, 2, 3], { name: 'x', 4294967295: 'no index' });
    const sparse = []; sparse[1000] = 1; sparse[5] = 2;
    const getter = Object.defineProperty([0, 1, 2, 3, 4], 2, { get: () => 'got', enumerable: true });
    const plain = { length: 3, 0: 'a', 1: 'b', 2: 'c' };
    return [List.from([1, 2, 3]), named, sparse, getter, plain, Object.freeze([1, 2]), [], [[], [[]]], Object.setPrototypeOf([1, 2, 3], null), 'text', new Uint8Array([1, 2])].map((array) =>
      repeated(addon, ['l0', 'e0 0', 'e0 1', 'e0 2', 'e0 3', 'x0 4', 'e0 5', 'x0 5', 'i0 1', 'q0 0', 'l0', 'e0 4294967295', 'g0 name', 'g0 length', 'n0', 'a0'], null, array));
  },
  'long arrays, in their order, backwards and here and there': (addon) => {
    const array = Array.from({ length: 3000 }, (_, i) => (i % 7 === 0 ? `text ${i}` : i % 11 === 0 ? { i } : i));
    const places = [...array.keys()];
    return [places, [...places].reverse(), places.map((i) => (i * 1009) % 3100)].map((order) => run(addon, order.flatMap((i) => ['l0', `e0 ${i}`]), null, array));
  },
  'more properties than anybody asks for': (addon) => [33, 100, 511, 512, 513, 2000].map((count) => repeated(addon, reads(0, names(count + 5)), null, options(count))),
  'getters and setters run each time, in their order': (addon) => {
    const log = [];
    const object = options(20);
    for (const name of ['name3', 'name7', 'extra']) Object.defineProperty(object, name, { get() { log.push([name, this === object]); return { name }; }, set() {}, enumerable: true, configurable: true });
    return [repeated(addon, [...names(20), 'extra'].flatMap((name) => questions(0, name)), null, object), log];
  },
  'a getter that changes what was read': (addon) => {
    const object = { a: 1, b: 2, c: 3, get change() { this.a++; this.b = `text ${this.a}`; this[`new${this.a}`] = 1; delete this.c; return this.a; } };
    return repeated(addon, ['a', 'b', 'c', 'new2', 'a', 'change', 'a', 'b', 'c', 'new2', 'new3', 'change', 'a', 'b', 'new3'].flatMap((name) => questions(0, name)), null, object);
  },
  'a getter of another object that changes what was read': (addon) => {
    const object = options(10), list = [1, 2, 3];
    const other = { x: 1, y: 2, get change() { object.name1++; list.push(list.length); list[0]++; return this; } };
    return repeated(addon, [...reads(0, names(5)), 'l1', 'e1 0', 'e1 1', 'g2 x', 'g2 y', 'g2 x', 'g2 change', ...reads(0, names(5)), 'l1', 'e1 0', 'e1 3', 'g2 change', 'l1', 'e1 4', 'x1 5'], null, object, list, other);
  },
  'traps of proxies run each time, in their order': (addon) => {
    const log = [];
    const target = options(5), list = [1, 2, 3];
    return [repeated(addon, [...names(6).flatMap((name) => questions(0, name)), 'l1', 'e1 0', 'x1 1', 'e1 2', 'e1 3', 'n0', 'a0', 'n1', ...names(6).flatMap((name) => questions(2, name)), 'n2', 'a2', 'g2 inherited'], null,
      logged(target, log), logged(list, log), Object.create(logged({ inherited: 1 }, log), Object.getOwnPropertyDescriptors(target))), log];
  },
  'stacks are put together when they are read, not before': (addon) => {
    const log = [];
    const before = Error.prepareStackTrace;
    Error.prepareStackTrace = (error) => { log.push(error === object ? 'object' : String(error.message)); return `a stack of ${log.length}`; };
    const object = { a: 1, b: 2, c: 3, message: 'captured' };
    Error.captureStackTrace(object);
    const error = Object.assign(new Error('an error'), { a: 1, b: 2, c: 3 });
    try {
      const most = ['a', 'b', 'c', 'message', 'a', 'b', 'c'].flatMap((name) => [`g0 ${name}`, `g1 ${name}`]);
      return [run(addon, most, null, object, error), [...log], run(addon, [...most, 'g0 stack', 'h1 stack', 'g1 stack', 'g0 stack'], null, object, error), log];
    } finally {
      Error.prepareStackTrace = before;
    }
  },
  'variables of the environment': (addon) => {
    process.env.NR_TEST_READING = '1';
    const read = () => run(addon, ['g0 NR_TEST_READING', 'h0 NR_TEST_NONE', 'g0 NR_TEST_READING', 'h0 NR_TEST_READING', 'g0 NR_TEST_READING', 'O0 NR_TEST_READING', 's0 NR_TEST_READING', 'g0 NR_TEST_READING', 'V0 NR_TEST_READING', 'g0 NR_TEST_READING', 'V0 NR_TEST_READING', 'g0 NR_TEST_READING'], null, process.env);
    const found = [read(), read(), { ...process.env }.NR_TEST_READING];
    delete process.env.NR_TEST_READING;
    return [...found, read()];
  },
  'objects of other contexts, and their globals': (addon) => {
    const log = [];
    const context = vm.createContext(logged({ a: 1, b: 2 }, log));
    const foreign = vm.runInNewContext('({ a: 1, b: 2, c: [1, 2, 3] })');
    return [repeated(addon, ['a', 'b', 'c', 'd', 'toString', 'a', 'b'].flatMap((name) => questions(0, name)), null, foreign),
      run(addon, ['a', 'b', 'c', 'a', 'b', 'c'].flatMap((name) => questions(0, name)), null, vm.runInContext('this', context)), log];
  },
  'a module that is not evaluated yet throws': async (addon) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'reading-'));
    const found = [];
    globalThis.readModule = (namespace) => found.push(repeated(addon, reads(0, ['a', 'b', 'c', 'a', 'toString']), null, namespace));
    try {
      fs.writeFileSync(path.join(folder, 'first.mjs'), 'import "./second.mjs"; export let a = 1; export let b = 2; export let c = 3;');
      fs.writeFileSync(path.join(folder, 'second.mjs'), 'import * as first from "./first.mjs"; readModule(first);');
      globalThis.readModule(await import(pathToFileURL(path.join(folder, 'first.mjs'))));
      return found;
    } finally {
      delete globalThis.readModule;
      fs.rmSync(folder, { recursive: true });
    }
  },
  'native code changes what it reads': (addon) => repeated(addon, [
    ...reads(0, names(5)), 's0 name1', ...reads(0, names(3)), 'd0 name2', ...questions(0, 'name2'), ...reads(0, names(3)), 'l1', 'e1 0', 'S1 1', 'e1 0', 'e1 1', 'l1', 'S1 9', 'l1', 'e1 8', 'e1 9', 'x1 8',
    'f0', 's0 name3', 'g0 name3', 'g0 name3', 'd1 1', 'x1 1', 'e1 1', 'a0', 'a1'], null, options(10), [0, 1, 2]),
  'by another handle of the same object': (addon) => repeated(addon, [
    ...reads(0, names(5)), 'E0', 'R0', 's1 name1', ...reads(0, names(3)), ...reads(1, names(3)), ...reads(2, names(3)), 's2 name2', ...reads(0, names(3)), 'd0 name1', ...reads(1, names(3))], null, options(10)),
  'objects that native code has made': (addon) => repeated(addon, [
    'N0 0', 's1 a', 's1 b', 'g1 a', 's1 a', 'g1 a', 'g1 b', 's1 c', 'g1 a', 'g1 c', 'g1 d', 's1 d', 'g1 d', 'E1', 's2 a', 'g1 a', 'g2 a', 'g2 b', 's1 b', 'g2 b', 'g2 b', 's2 b', 'g1 b', 'g1 b', 'g1 b',
    'N0 1', 'S3 0', 'S3 1', 'l3', 'e3 0', 'S3 0', 'e3 0', 'E3', 'S3 2', 'l4', 'e4 0', 'e4 1', 'e4 2', 'S3 1', 'l4', 'e4 1', 'S4 3', 'l3', 'e3 3', 'L1 link', 'g1 link', 'a1', 'a2', 'a3'], null, options(3)),
  'an object that native code puts into another': (addon) => repeated(addon, ['N0 0', 's1 a', 'L0 self', ...reads(0, names(4)), 'g0 self', 's2 name1', ...reads(0, names(3)), ...reads(2, names(3)), 's0 name2', ...reads(2, names(3))], null, options(10)),
  'a callback changes it': (addon) => {
    const object = options(10), list = [1, 2, 3];
    let calls = 0;
    const change = () => { calls++; object.name1 = `call ${calls}`; list.unshift(calls); if (calls === 2) Object.defineProperty(object, 'name2', { get: () => calls }); };
    return repeated(addon, [1, 2, 3].flatMap(() => [...reads(0, names(4)), 'l1', 'e1 0', 'e1 1', 'c0', ...reads(0, names(4)), 'l1', 'e1 0', 'e1 1']), change, object, list);
  },
  'a hook of async_hooks changes it': (addon) => {
    const object = options(10);
    let promises = 0;
    const hook = createHook({ init() { promises++; object.name1 = `promise ${promises}`; } }).enable();
    try {
      return run(addon, [...reads(0, names(4)), 'p0', ...reads(0, names(4)), 'p0', ...reads(0, names(4))], null, object).filter((value) => !/^promise/.test(value));
    } finally {
      hook.disable();
    }
  },
  'objects that native code has made, once JavaScript has them': (addon) => {
    const log = [];
    const trap = (object, name) => Object.defineProperty(object, name, { get: () => `${name} of ${log.length}`, set(value) { log.push([name, value]); throw new Error(`${name} is ours`); }, configurable: true });
    /** Of each object that it gets to see, and what that is linked to, the property `a` is a setter from then on, and element 0. */
    const seize = (object) => {
      for (let at = object; typeof at === 'object' && at !== null && !log.includes(at); at = at.link ?? at[1]) { log.push(at); trap(at, 'a'); if (Array.isArray(at)) trap(at, 0); }
    };
    class Maker { constructor() { this.made = log.length; } }
    const makes = ['N0 0', 'N0 1', 'N0 0', 's1 a', 's3 a', 'S2 0', 'K1 3', 'M2 3', 'M2 3'];
    const sets = ['s1 a', 's3 a', 'S2 0', 's1 b', 'S2 5', 's3 b', 'g1 a', 'e2 0', 'g3 a', 'a1', 'a2', 'a3'];
    const ways = { passed: ['C1'], 'passed in a list': ['C2'], thrown: ['T1', 'C4'], 'in a reference': ['R1', 'C4'], 'in two scopes': ['E2', 'C4'], rejected: ['P1', 'c0'], 'for a resource': ['W1'], returned: ['Z1', 'c0'], linked: ['K0 1', 'c0'], frozen: ['f1', 'f2'] };
    const found = Object.entries(ways).map(([name, way]) => {
      const object = {}, rejections = [];
      const hook = createHook({ init(id, type, trigger, resource) { if (resource instanceof Promise) rejections.push(resource); else if (type === 'reading') seize(resource); } }).enable();
      try {
        return [name, run(addon, [...makes, ...way, ...sets], function (shown) { seize(name === 'returned' ? addon.getShared() : shown ?? object.link); for (const promise of rejections.splice(0)) promise.catch(() => {}); }, object).map((value) => (value instanceof Promise ? 0 : value))];
      } finally {
        hook.disable();
      }
    });
    return [found, run(addon, [...makes, 'J0', ...sets, 'J0', 'K1 4', 'M2 5', ...sets, 'g1 link', 'e2 0', 'e2 1'], Maker, {}), log.length, log.filter(Array.isArray)];
  },
  'a callback makes objects while another makes some': (addon) => {
    const inner = () => addon.run(['N0 0', 'N0 1', 's1 a', 'S2 0', 'J0'].join('\n'), class { a = 1; }, {});
    const kept = [];
    const nested = function () { kept.push(inner()); Object.freeze(kept.at(-1)); };
    return [run(addon, ['N0 0', 'N0 1', 's1 a', 'S2 0', 'c0', 's1 b', 'S2 1', 'J0', 's1 c', 'S2 2', 'a1', 'g1 a', 'l2', 'e2 1'], nested, {}), kept];
  },
  'each object that is read is the same one as before': (addon) => {
    const object = { a: { x: 1 }, b: [1], c: () => 1, d: Symbol('d'), e: 'text' };
    const found = run(addon, [1, 2, 3, 4].flatMap(() => reads(0, ['a', 'b', 'c', 'd', 'e'])), null, object);
    return found.map((value, i) => value === Object.values(object)[i % 5]);
  },
  'AsyncLocalStorage sees nothing of it': (addon) => new AsyncLocalStorage().run('store', () => repeated(addon, reads(0, names(10)), null, options(10))),
});

test('an own property of Object.prototype, and an element of Array.prototype', async (t) => {
  const steps = ['a', 'b', 'name1', 'added', 'a', 'b', 'added', 'name1'].flatMap((name) => questions(0, name)).concat(['l1', 'e1 0', 'e1 1', 'e1 7', 'x1 7', 'e1 7']);
  const defines = [(of, name) => { of[name] = 'inherited'; }, (of, name) => Object.defineProperty(of, name, { get: () => 'got', configurable: true })];
  for (const define of [...defines, () => {}]) {
    await compare(t, 'reading', (addon) => {
      makeEager(addon);
      define(Object.prototype, 'added');
      define(Array.prototype, 7);
      try {
        return [1, 2, 3].map(() => addon.run(steps.join('\n'), null, { a: 1, b: 2 }, [1, 2, 3]));
      } finally {
        delete Object.prototype.added;
        delete Array.prototype[7];
        Array.prototype.length = 0;
      }
    });
  }
});

test('at the end of the stack', async (t) => {
  await compare(t, 'reading', (addon) => {
    const object = options(50);
    let right = 0, depth = 0;
    const deeper = () => {
      depth++;
      try {
        deeper();
      } catch { /* the end */ }
      if (depth-- % 50 !== 0) return;
      try {
        if (addon.sum(object, names(50).join(' ')) === 1225) right++;
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
      }
    };
    deeper();
    return right > 3;
  });
});

/** Calls that wait, of one call of the function once it has settled down. */
function waits(call) {
  const isolated = load(addonFile('reading'));
  for (let i = 0; i < 20; i++) call(isolated);
  const before = hostOf(isolated).counts().calls;
  const result = call(isolated);
  return { waits: hostOf(isolated).counts().calls - before, result };
}

test('the options of an object cost one question', () => {
  const object = options(200), list = names(400).join(' ');
  const { waits: count, result } = waits((addon) => addon.sum(object, list));
  assert.equal(result, addons('reading').inProcess.sum(object, list));
  assert.equal(count, 1 + 2, 'and two for the list, a long string');
});

test('the elements of an array cost one question for each 256', () => {
  const array = Array.from({ length: 10_000 }, (_, i) => i);
  const { waits: count, result } = waits((addon) => addon.total(array));
  assert.equal(result, addons('reading').inProcess.total(array));
  assert.ok(count < 50, `${count} questions`);
});

test('what is put together from getters is posted all the same', () => {
  const source = Object.defineProperties({}, Object.fromEntries(names(20).map((name, i) => [name, { get: () => i }])));
  const steps = ['N0 0', ...names(20).flatMap((name) => [`g0 ${name}`, `s1 ${name}`]), 'L1 source', 'a1'].join('\n');
  const { waits: count, result } = waits((addon) => addon.run(steps, null, source));
  assert.deepEqual(result, addons('reading').inProcess.run(steps, null, source));
  assert.equal(count, 20 + 1 + 2, 'and the names of the copy, and two for the text of the steps');
});

test('a list of instances is put together without waiting for it', () => {
  const steps = ['N0 1', ...Array.from({ length: 20 }, (_, i) => ['J0', `M1 ${i + 2}`]).flat(), 'l1'].join('\n');
  class Instance {}
  const { waits: count, result } = waits((addon) => addon.run(steps, Instance, {}));
  assert.deepEqual(result, addons('reading').inProcess.run(steps, Instance, {}));
  assert.equal(count, 20 + 1, 'the constructor, and the length');
});

test('what does not pay is given up: two names of a large object', () => {
  const object = options(500);
  for (const list of ['name1 name2', 'name1 absent name2']) {
    const { waits: count, result } = waits((addon) => addon.sum(object, list));
    assert.equal(result, addons('reading').inProcess.sum(object, list));
    assert.equal(count, list.split(' ').length * 2 - (list.includes('absent') ? 1 : 0));
  }
});
