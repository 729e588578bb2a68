'use strict';
// What an addon gets to do when its env, its thread or its process ends: finalizers and C destructors print, in Node and isolated alike.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/child.js');

const programs = {
  'the program ends': (kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    addon.speak();
    globalThis.kept = [{}, addon.external(1), {}];
    addon.wrap(kept[0], 2);
    addon.addFinalizer(kept[2], 3);
    addon.setInstanceData(4);
    kit.print('end of the program');
  },
  'process.exit()': (kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    addon.speak();
    globalThis.kept = addon.external(1);
    process.on('exit', (code) => kit.print(`exit ${code}`));
    process.exit(5);
  },
  'process.exit() from below native code': (kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    const { callThrough } = kit.dlopen(kit.addonFile('crash'));
    addon.speak();
    callThrough(() => process.exit(6));
  },
  'an uncaught exception': (kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    addon.speak();
    globalThis.kept = addon.external(1);
    process.on('exit', (code) => kit.print(`exit ${code}`));
    throw new Error('uncaught');
  },
  'finalizers of values that nobody keeps any more': (kit) => {
    const addon = kit.dlopen(kit.addonFile('finalizers'));
    addon.speak();
    for (let i = 0; i < 5; i++) addon.wrap({}, i);
    globalThis.kept = addon.external(7);
    setImmediate(() => {
      const removed = {};
      addon.wrap(removed, 8);
      addon.removeWrap(removed);
      kit.print('end of the program');
    });
  },
};

for (const [name, program] of Object.entries(programs)) {
  test(`${name}: as in-process`, () => {
    const inProcess = run(program);
    const isolated = run(program, { isolated: true });
    // The order among finalizers is the collector's, and which of two ends goes first the loader's.
    const lines = ({ stdout }) => stdout.split('\n').sort();
    assert.deepEqual(lines(isolated), lines(inProcess));
    assert.deepEqual([isolated.code, isolated.signal], [inProcess.code, inProcess.signal]);
    assert.match(inProcess.stdout, /C destructor/);
  });
}

test('a Worker ends: its finalizers run, the thread that is left goes on', () => {
  const program = (kit) => {
    const { Worker } = require('node:worker_threads');
    const source = `const module = { exports: {} };
      process.dlopen(module, ${JSON.stringify(kit.addonFile('finalizers'))});
      module.exports.speak();
      globalThis.kept = [{}, module.exports.external(1)];
      module.exports.wrap(kept[0], 2);
      module.exports.setInstanceData(3);
      require('node:worker_threads').parentPort.postMessage('up');`;
    const worker = new Worker(source, { eval: true });
    worker.on('message', kit.print);
    worker.on('exit', (code) => {
      kit.print(`the Worker ended with ${code}`);
      kit.print(kit.dlopen(kit.addonFile('basic')).add(1, 2));
      process.reallyExit(0);
    });
  };
  const lines = ({ stdout }) => stdout.split('\n').sort();
  const inProcess = run(program);
  assert.match(inProcess.stdout, /finalizer/);
  const isolated = run(program, { isolated: true });
  assert.deepEqual(lines(isolated), lines(inProcess));
  assert.equal(isolated.code, inProcess.code);
});
