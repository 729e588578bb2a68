'use strict';
// Finalizers: each runs once, when its object is gone or its env ends, and never before.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { addons, compare, turn } = require('./harness.js');
const { run } = require('./support/child.js');
const { hostOf } = require('../..');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Only there so that finalizers that never come become a failure. */
const TURNS = 2000;

/** Collects garbage and turns the event loop until `count()` has reached `expected`, then a little longer: none may come too many. */
async function collect(expected, count) {
  for (let i = 0; i < TURNS && count() < expected; i++) {
    if (i % 20 === 0) gc();
    await turn();
  }
  gc();
  for (let i = 0; i < 5; i++) await turn();
  return count();
}

/** As collect(), of what the finalizers of the addon wrote down; in which order the collector finds garbage is its own business. */
async function finalized(addon, expected) {
  const log = [];
  await collect(expected, () => log.push(...addon.takeLog()) && log.length);
  return log.sort((a, b) => a - b);
}

const times = (count, call) => { for (let i = 0; i < count; i++) call(i); };

function cases(runs) {
  for (const [name, body] of Object.entries(runs)) {
    test(name, (t) => compare(t, 'finalizers', async (addon) => {
      addon.takeLog();
      return body(addon);
    }));
  }
}

cases({
  'of wraps': async (addon) => {
    times(20, (i) => addon.wrap({}, i));
    return finalized(addon, 20);
  },
  'of externals': async (addon) => {
    times(20, (i) => addon.external(i));
    return finalized(addon, 20);
  },
  'that were added': async (addon) => {
    times(20, (i) => addon.addFinalizer({}, i));
    return finalized(addon, 20);
  },
  'several of one object': async (addon) => {
    (() => {
      const object = [];
      addon.wrap(object, 1);
      addon.addFinalizer(object, 2);
      addon.addFinalizer(object, 3);
      addon.addCallingFinalizer(addon.external(4), 5);
      addon.setCallback(() => {});
    })();
    return finalized(addon, 5);
  },
  'of functions, dates, buffers': async (addon) => {
    times(5, (i) => [() => i, new Date(i), Buffer.alloc(10 + i), new Map(), new Error('e'), new Proxy({}, {})].forEach((object, k) => addon.addFinalizer(object, 10 * i + k)));
    return finalized(addon, 30);
  },
  'not of what lives': async (addon) => {
    const alive = Array.from({ length: 10 }, () => ({}));
    alive.forEach((object, i) => addon.wrap(object, i));
    times(10, (i) => addon.wrap({}, 100 + i));
    const log = await finalized(addon, 10);
    return [log, alive.length];
  },
  'not of removed wraps': async (addon) => {
    times(10, (i) => {
      const object = {};
      addon.wrap(object, i);
      if (i % 2) addon.removeWrap(object);
    });
    return finalized(addon, 5);
  },
  'of a wrap that came after a removed one': async (addon) => {
    (() => {
      const object = {};
      addon.wrap(object, 1);
      addon.removeWrap(object);
      addon.wrap(object, 2);
    })();
    return finalized(addon, 1);
  },
  'that call JavaScript': async (addon) => {
    const seen = [];
    addon.setCallback((id) => seen.push(id));
    times(10, (i) => addon.addCallingFinalizer({}, i));
    const log = await finalized(addon, 10);
    return [log, seen.sort((a, b) => a - b)];
  },
  'that call JavaScript that calls the addon': async (addon) => {
    const seen = [];
    addon.setCallback((id) => {
      if (id < 20) addon.addCallingFinalizer({}, id + 10);
      seen.push(id, ...addon.takeLog());
    });
    times(5, (i) => addon.addCallingFinalizer({}, i));
    await collect(30, () => seen.length);
    return seen.sort((a, b) => a - b);
  },
  'of many': async (addon) => {
    times(2000, (i) => addon.wrap({}, i));
    return finalized(addon, 2000);
  },
  'of what is no object': ({ addFinalizer }) => [undefined, null, 1, 'text', true, 10n, Symbol('s')].map((value) => addFinalizer(value, 1)),
});

test('a million wrapped objects leave nothing behind', async () => {
  const { isolated } = addons('finalizers');
  const resident = (pid) => Number(/^RssAnon:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  const host = hostOf(isolated).pid;
  let wrapped = isolated.countMany();
  const round = async (count) => {
    for (let i = 0; i < count; i += 10_000) {
      isolated.wrapMany(10_000);
      await turn();
    }
    wrapped += count;
    await collect(wrapped, () => isolated.countMany());
    assert.equal(isolated.countMany(), wrapped);
    return [resident('self'), resident(host)];
  };
  const before = await round(100_000);
  const after = await round(900_000);
  // Heaps grow a little with use; the smallest block of malloc for each object would be 21 megabytes.
  after.forEach((kilobytes, side) => assert.ok(kilobytes < before[side] + 16_000, `${before} kB before, ${after} kB after`));
});

test('weak references to collected objects are empty', (t) => compare(t, 'references', async ({ create, get, ref, unref }) => {
  const alive = { alive: true };
  const kept = create(alive, 0).value;
  const weak = create({ gone: true }, 0).value;
  const strong = create({ strong: true }, 1).value;
  await collect(1, () => ('value' in get(weak) ? 0 : 1));
  const before = [get(kept), get(weak), 'value' in get(strong), ref(weak), unref(weak), get(weak)];
  unref(strong);
  await collect(1, () => ('value' in get(strong) ? 0 : 1));
  return [before, get(strong), get(kept).value === alive];
}));

test('a reference that was made strong again keeps its object', (t) => compare(t, 'references', async ({ create, get, ref }) => {
  const place = create({ kept: 'by its count' }, 0).value;
  ref(place);
  await collect(1, () => 1);
  return get(place);
}));

test('instances of a class are freed', (t) => compare(t, 'classes', async ({ Counter, counts }) => {
  const before = counts();
  times(50, (i) => new Counter(i).increment());
  await collect(before.freed + 50, () => counts().freed);
  return [counts().created - before.created, counts().freed - before.freed];
}));

test('externals are freed, with their hints', (t) => compare(t, 'externals', async ({ create, counts }) => {
  const before = counts();
  times(50, (i) => create(i));
  await collect(before.freed + 50, () => counts().freed);
  return [counts().freed - before.freed, counts().hints - before.hints];
}));

test('functions and values of the addon live as long as they are needed', (t) => compare(t, 'callbacks', async ({ makeFunction, callFunction }) => {
  const kept = Array.from({ length: 50 }, (_, i) => makeFunction(`f${i}`, undefined, i % 4).value);
  times(200, (i) => makeFunction(`gone${i}`, undefined, 0));
  await collect(1, () => 1);
  return kept.map((f) => [f(1), callFunction('self', f, [2])]);
}));

// What an end of the program does, in programs of their own: the lines that finalizers print.
function compareOutput(program, options) {
  const inProcess = run(program, options);
  const isolated = run(program, { ...options, isolated: true });
  assert.deepEqual({ ...isolated, stderr: '' }, { ...inProcess, stderr: '' }, isolated.stderr);
  return inProcess;
}

function ending(kit, how) {
  const addon = kit.dlopen(kit.addonFile('finalizers'));
  addon.speak();
  globalThis.kept = [{}, {}, {}];
  addon.wrap(globalThis.kept[0], 1);
  globalThis.external = addon.external(2);
  addon.addFinalizer(globalThis.kept[2], 3);
  addon.setInstanceData(4);
  process.on('exit', () => console.log('exit event'));
  if (how === 'exit') process.exit(3);
  if (how === 'throw') throw new Error('as asked');
  if (how === 'late exit') setImmediate(() => process.exit(4));
}

for (const how of ['end', 'exit', 'late exit', 'throw']) {
  test(`at the end of the program (${how})`, () => {
    compareOutput(ending, { args: [how] });
  });
}

test('at the end of a program in whose finalizers nothing is left', () => {
  compareOutput((kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    addon.speak();
    addon.setInstanceData(1);
    addon.setInstanceData(2);
  });
});

test('what a finalizer\'s callback throws is an uncaught exception', () => {
  const { stdout } = compareOutput(async (kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    let caught;
    process.on('uncaughtException', (error, origin) => { caught = `${error.message} ${error.code} ${origin}`; });
    addon.setCallback((id) => { throw Object.assign(new Error(`thrown for ${id}`), { code: 'ERR_FINALIZER' }); });
    (() => addon.addCallingFinalizer({}, 7))();
    for (let i = 0; i < 2000 && caught === undefined; i++) {
      if (i % 20 === 0) globalThis.gc();
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    console.log(caught, addon.takeLog());
  }, { nodeArgs: ['--expose-gc'] });
  assert.match(stdout, /thrown for 7/);
});

test('in a Worker that ends', () => {
  compareOutput((kit) => {
    const { Worker } = require('node:worker_threads');
    new Worker(`
      const addon = { exports: {} };
      process.dlopen(addon, ${JSON.stringify(kit.addonFile('finalizers'))});
      globalThis.kept = {};
      addon.exports.wrap(globalThis.kept, 1);
      addon.exports.setInstanceData(2);
      addon.exports.speak();
    `, { eval: true }).on('exit', (code) => console.log('worker', code));
  });
});
