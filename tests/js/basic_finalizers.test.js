'use strict';
// Finalizers of experimental addons: they run inside the collection, may call next to nothing, and post what has to wait.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { compare, turn } = require('./harness.js');
const { run } = require('./support/child.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

const times = (count, call) => { for (let i = 0; i < count; i++) call(i); };

/** What was left by the call frames and the collector's conservatism is gone after some turns. */
async function settle() {
  for (let i = 0; i < 5; i++) {
    gc();
    await turn();
  }
}

function cases(runs) {
  for (const [name, body] of Object.entries(runs)) {
    test(name, (t) => compare(t, 'basic_finalizers', async (addon) => {
      await settle();
      addon.takeCounts();
      return body(addon);
    }));
  }
}

cases({
  'run inside the collection': async (addon) => {
    times(20, (i) => [addon.wrap({}, 'count', i), addon.addFinalizer([], 'count', i), addon.external('count', i)]);
    await turn();
    gc();
    return addon.takeCounts();
  },
  'run inside a collection below native code': async (addon) => {
    times(20, (i) => addon.wrap({}, 'count', i));
    await turn();
    return addon.countedAround(gc);
  },
  'many in one collection': async (addon) => {
    times(20_000, (i) => addon.addFinalizer({}, 'count', i));
    await turn();
    gc();
    return addon.takeCounts();
  },
  'call what they may': async (addon) => {
    addon.announce(10_000);
    times(10, (i) => addon.addFinalizer({}, 'basics', i));
    await turn();
    gc();
    const inside = addon.takeCounts();
    await settle();
    return [inside, addon.takeCounts()];
  },
  'call what they may, below native code': async (addon) => {
    addon.announce(10_000);
    times(10, (i) => addon.addFinalizer({}, 'basics', i));
    await turn();
    return [addon.countedAround(gc), addon.takeCounts()];
  },
  'delete references': async (addon) => {
    const others = [];
    times(10, (i) => {
      const other = { other: i };
      others.push(new WeakRef(other));
      addon.hold({}, other, i);
    });
    await turn();
    gc();
    const inside = addon.takeCounts();
    await settle();
    return [inside, others.map((other) => other.deref())];
  },
  'post others': async (addon) => {
    const seen = [];
    addon.setCallback((id) => seen.push(id));
    times(10, (i) => addon.addFinalizer({}, 'post', i));
    await turn();
    gc();
    const inside = [addon.takeCounts(), seen.length];
    process.nextTick(() => seen.push('tick'));
    Promise.resolve().then(() => seen.push('promise'));
    await turn();
    return [inside, addon.takeCounts(), seen.length, seen.slice(0, 2), seen.slice(2).sort((a, b) => a - b)];
  },
  'post others, below native code': async (addon) => {
    const seen = [];
    addon.setCallback((id) => seen.push(id));
    times(10, (i) => addon.addFinalizer({}, 'post', i));
    await turn();
    const inside = [addon.countedAround(gc), addon.takeCounts(), seen.length];
    await settle();
    return [inside, addon.takeCounts(), seen.sort((a, b) => a - b)];
  },
  'posted by a call': async (addon) => {
    const seen = [];
    addon.setCallback((id) => seen.push(id));
    const statuses = [3, 1, 2].map((id) => addon.postNow(id));
    statuses.push(addon.postNothing());
    setImmediate(() => seen.push('immediate'));
    await turn();
    await turn();
    // Node keeps them in a set without an order.
    return [statuses, seen.indexOf('immediate'), seen.sort(), addon.takeCounts()];
  },
});

function compareOutput(program, options) {
  const inProcess = run(program, options);
  const isolated = run(program, { ...options, isolated: true });
  assert.deepEqual({ ...isolated, stderr: '' }, { ...inProcess, stderr: '' }, isolated.stderr);
  return { inProcess, isolated };
}

for (const how of ['end', 'exit']) {
  test(`at the end of the program (${how})`, () => {
    compareOutput((kit, way) => {
      const addon = kit.dlopen(kit.addonFile('basic_finalizers'));
      addon.speak();
      globalThis.kept = [{}, {}, {}];
      addon.wrap(globalThis.kept[0], 'count', 1);
      addon.announce(1000);
      globalThis.external = addon.external('basics', 2);
      addon.addFinalizer(globalThis.kept[1], 'post', 3);
      // The env ends outside of any collection: there it may touch JavaScript.
      addon.addFinalizer(globalThis.kept[2], 'touch', 4);
      if (way === 'exit') process.exit(3);
    }, { args: [how] });
  });
}

test('what a posted one throws is an uncaught exception', () => {
  compareOutput(async (kit) => {
    const addon = kit.dlopen(kit.addonFile('basic_finalizers'));
    process.on('uncaughtException', (error, origin) => console.log(error.message, error.code, origin));
    addon.setCallback((id) => { throw Object.assign(new Error(`thrown for ${id}`), { code: 'ERR_POSTED' }); });
    addon.postNow(1);
    addon.postNow(2);
  });
});

test('one that touches JavaScript is the end, with Node\'s words', () => {
  const program = async (kit) => {
    const addon = kit.dlopen(kit.addonFile('basic_finalizers'));
    (() => addon.addFinalizer({}, 'touch', 1))();
    await new Promise((resolve) => { setImmediate(resolve); });
    globalThis.gc();
    try {
      addon.takeCounts();
    } catch (error) {
      console.log(error.code);
    }
  };
  const options = { nodeArgs: ['--expose-gc'] };
  const inProcess = run(program, options);
  const isolated = run(program, { ...options, isolated: true });
  const words = inProcess.stderr.split('\n----- ')[0];
  assert.match(words, /^FATAL ERROR: Finalizer is calling/);
  assert.equal(inProcess.signal, 'SIGABRT');
  assert.ok(isolated.stderr.includes(words), isolated.stderr);
  assert.deepEqual([isolated.code, isolated.stdout], [0, 'ERR_NAPI_REMOTE_HOST_DIED\n']);
});

// Node lets go of a Buffer inside the collection, and so must the agent, with what it has on it.
test('Buffers of an experimental addon are collected', () => {
  const { code, signal, stdout, stderr } = run((kit) => {
    const addon = kit.dlopen(kit.addonFile('raw_experimental'));
    for (let i = 0; i < 500; i++) {
      addon.call('napi_create_arraybuffer', [true, 4, true, true]);
      if (i % 10 === 0) globalThis.gc();
    }
    console.log('collected');
  }, { isolated: true, nodeArgs: ['--expose-gc'] });
  assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: 'collected\n' }, stderr);
});
