'use strict';
// SharedArrayBuffers over the addon's own memory: the bytes, the statuses, and a finalizer that runs when no thread has them any more.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');
const { addons, compare, turn } = require('./harness.js');
const { run } = require('./support/child.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');
const TURNS = 2000;
const SIZES = [0, 1, 8, 63, 4096, 100_000, 200_000, 3_000_001];

const skip = !addons('external_shared').inProcess.found() && `not in ${process.version}`;
const cases = (runs) => {
  for (const [name, body] of Object.entries(runs)) test(name, { skip }, (t) => compare(t, 'external_shared', body));
};
/** create() with all that it takes. */
const make = ({ create }, length, finalizer = true) => create(length, finalizer, true, true, true);

/** Waits for that many finalizers, and looks whether more come. */
async function finalizers(addon, count) {
  const total = [0, 0];
  const add = () => addon.takeCounts().forEach((one, i) => { total[i] += one; });
  for (let i = 0; i < TURNS && total[0] < count; i++) {
    if (i % 20 === 0) gc();
    await turn();
    add();
  }
  gc();
  await turn();
  add();
  return total;
}

cases({
  'their bytes': (addon) => SIZES.map((size) => make(addon, size)),
  'without finalizer': (addon) => make(addon, 20, false),
  'no bytes at NULL': ({ create }) => create(0, true, false, true, true),
  'no result': ({ create }) => create(8, true, true, false, true).status,
  'no env': ({ create }) => create(8, true, true, true, false).status,
  'an exception is pending': ({ pending }) => pending(),
  'both sides write': (addon) => SIZES.filter((size) => size > 0).map((size) => {
    const bytes = new Uint8Array(make(addon, size).value);
    const seen = [];
    for (let i = 0; i < 3; i++) {
      bytes[size - 1 - (i % size)] += 3;
      seen.push(addon.inspect(bytes), Buffer.from(bytes), addon.inspect(bytes.subarray(0, size)));
    }
    return seen;
  }),
  'views': (addon) => {
    const { value } = make(addon, 64);
    return [new Float64Array(value, 8, 2), new DataView(value, 3, 5), value.slice(5, 9), structuredClone(value), Atomics.add(new Int32Array(value), 1, 5)];
  },
  'finalizers run once when they are gone': async (addon) => {
    addon.startRound();
    (() => { for (let i = 0; i < 30; i++) make(addon, 100 * i); })();
    return finalizers(addon, 30);
  },
  'a Worker sees the bytes, and keeps them': async (addon) => {
    addon.startRound();
    const worker = new Worker(`
      const { parentPort } = require('node:worker_threads');
      let shared;
      parentPort.on('message', (message) => {
        if (message === null) return parentPort.close();
        shared = message;
        const bytes = new Uint8Array(shared);
        const seen = Buffer.from(bytes).toString('hex');
        bytes[2] = 99;
        parentPort.postMessage(seen);
      });`, { eval: true });
    const seen = await (async () => {
      const { value } = make(addon, 32);
      worker.postMessage(value);
      const [hex] = await once(worker, 'message');
      return [hex, Buffer.from(value).toString('hex'), addon.inspect(new Uint8Array(value))];
    })();
    gc();
    await turn();
    const kept = addon.takeCounts();
    worker.postMessage(null);
    await once(worker, 'exit');
    return [seen, kept, await finalizers(addon, 1)];
  },
});

const program = (kit) => {
  const addon = kit.dlopen(kit.addonFile('external_shared'));
  addon.speak();
  globalThis.kept = addon.create(8, true, true, true, true).value;
};

test('finalizers run at the end', { skip }, () => {
  const { stdout, status } = run(program);
  const isolated = run(program, { isolated: true });
  assert.deepEqual({ stdout: isolated.stdout, status: isolated.status }, { stdout, status });
});

test('bytes at NULL, which V8 does not survive, are refused', { skip }, () => {
  const { isolated } = addons('external_shared');
  assert.equal(isolated.create(8, true, false, true, true).status, 'napi_invalid_arg');
  assert.equal(make(isolated, 8).status, 'napi_ok');
});
