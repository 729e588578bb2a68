'use strict';
// Workers that are terminated while native code runs, at every point of a sequence of calls: what JavaScript can no longer do fails, the rest of the
// sequence runs, and nothing is left behind.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { addonFile, addons } = require('./harness.js');
const { isGone, makeFifo, root, temporaryFolder } = require('./support/child.js');
const { hostOf, hosts, load } = require('../..');

/** The Worker: what the sequence calls at its point tells the main thread, and never returns by itself. */
const program = `
const { parentPort, workerData: { file, isolated, group, point, root, transcript, at, go } } = require('node:worker_threads');
let addon;
if (isolated) {
  const { load, hostOf } = require(root);
  addon = load(file, { group });
  parentPort.postMessage({ pid: hostOf(addon).pid });
} else {
  const module = { exports: {} };
  process.dlopen(module, file);
  addon = module.exports;
}
const cell = new Int32Array(new SharedArrayBuffer(4));
addon.run(point, at !== undefined ? undefined : () => {
  parentPort.postMessage({ point });
  for (;;) Atomics.wait(cell, 0, 0);
}, transcript, at, go);
parentPort.postMessage({ returned: true });
`;

/** How the Worker ended, and the transcript of its calls. (With an error where an exception is pending at the point, which then is not reached.) */
async function terminateAt(point, isolated, folder, { at, go, group } = {}) {
  const transcript = path.join(folder, `${isolated}-${point}`);
  const worker = new Worker(program, { eval: true, workerData: { file: addonFile('terminated'), isolated, group, point, root, transcript, at, go } });
  let pid, error, returned = false;
  worker.on('message', (message) => {
    pid ??= message.pid;
    if (message.point !== undefined) worker.terminate();
    returned ||= message.returned === true;
  });
  worker.on('error', ({ message }) => { error = message; });
  const ended = new Promise((resolve) => {
    worker.on('exit', resolve);
  });
  if (at !== undefined) {
    await (await fs.promises.open(at, 'r')).close();
    worker.terminate();
    await (await fs.promises.open(go, 'w')).close();
  }
  const code = await ended;
  if (isolated) assert.equal(isGone(pid), group === undefined, `the host ${pid}`);
  return { code, error, returned, lines: fs.readFileSync(transcript, 'utf8').split('\n') };
}

function countSteps(folder) {
  const steps = addons('terminated').inProcess.run(-1, () => {}, path.join(folder, 'all'));
  assert.ok(steps > 30);
  return steps;
}

test('while JavaScript runs below native code', async (t) => {
  const folder = temporaryFolder(t);
  const steps = countSteps(folder);
  for (let point = 0; point < steps; point++) {
    const expected = await terminateAt(point, false, folder);
    assert.ok(expected.lines.includes(`end of ${steps}`), 'the point was reached');
    assert.deepEqual(await terminateAt(point, true, folder), expected, `point ${point}`);
  }
});

test('while JavaScript runs below native code, in a host that another thread uses', async (t) => {
  const folder = temporaryFolder(t);
  const group = 'shared';
  const own = load(addonFile('terminated'), { group });
  const { pid } = hostOf(own);
  const steps = countSteps(folder);
  for (let point = 0; point < steps; point++) {
    assert.deepEqual(await terminateAt(point, true, folder, { group }), await terminateAt(point, false, folder), `point ${point}`);
  }
  assert.equal(own.run(-1, () => {}, path.join(folder, 'own')), steps);
  assert.equal(hosts().find((host) => host.pid === pid).alive, true);
});

// Here no call brings the news: from the point on each may fail or not, which is all that is compared.
test('while native code runs', async (t) => {
  const folder = temporaryFolder(t);
  const steps = countSteps(folder);
  const fifos = { at: makeFifo(folder, 'at'), go: makeFifo(folder, 'go') };
  for (let point = 0; point < steps; point++) {
    const expected = await terminateAt(point, false, folder, fifos);
    const actual = await terminateAt(point, true, folder, fifos);
    assert.deepEqual([actual.code, actual.returned], [expected.code, expected.returned]);
    const name = (line) => line.split(' ').slice(0, 2).join(' ');
    assert.deepEqual(actual.lines.map(name), expected.lines.map(name), `point ${point}`);
    assert.deepEqual(actual.lines.slice(0, point), expected.lines.slice(0, point));
  }
});
