'use strict';
// A round: lanes of one thread at the same time, and, where it has them, Workers with lanes of their own, that end, exit, or are terminated in the middle.
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { Lane, generator, mix, turn } = require('./lane.js');

const LANES = 4;
/** Workers at the same time. */
const WORKERS = 2;
const ENDS = ['end', 'terminate', 'exit'];

/** All lanes of a thread: {digest, wrong, steps}. */
async function runLanes(addon, seed, steps, options) {
  const lanes = Array.from({ length: LANES }, (_, i) => new Lane(addon, seed * 16 + i, options));
  options.lanes?.push(...lanes);
  const results = await Promise.all(lanes.map((lane) => lane.run(steps)));
  return {
    digest: results.reduce((digest, result) => mix(digest, result.digest), seed),
    wrong: results.flatMap((result, i) => result.wrong.map((what) => `seed ${seed}, lane ${i}: ${what}`)),
    steps: results.reduce((sum, result) => sum + result.steps, 0),
  };
}

/** Until nothing native is left: finalizers take some turns. What stays is a leak. */
async function settle(addon, wrong, seed) {
  for (let i = 0; i < 200 && addon.alive() > 0; i++) {
    globalThis.gc();
    await turn(1);
  }
  const left = addon.alive();
  if (left > 0) wrong.push(`seed ${seed}: ${left} native objects are never released`);
}

/** One Worker, from its start to its end: what it reported; nothing when it was not to come that far. `at` is the step at which it ends, -1 its start. */
function runWorker(file, seed, steps, { end, at, progress, large }) {
  return new Promise((resolve, reject) => {
    let report, count = 0;
    const workerData = { file, seed, steps, large, exitAt: end === 'exit' ? at : Infinity };
    const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData });
    worker.on('message', (message) => {
      progress();
      if (message.report) report = message.report;
      else if (end === 'terminate' && count++ === at) worker.terminate();
    });
    if (end === 'terminate' && at < 0) worker.on('online', () => worker.terminate());
    worker.on('error', reject);
    worker.on('exit', (code) => {
      const expected = { end: 0, exit: 7, terminate: 1 }[end];
      if (report === undefined && (end === 'end' || code !== expected)) reject(new Error(`Worker ${seed} (${end} at ${at}) ended with ${code}`));
      else resolve(end === 'end' ? report : { digest: 0, wrong: report?.wrong ?? [], steps: 0 });
    });
  });
}

async function runWorkers(file, seed, { steps, progress, large }, results) {
  const random = generator(seed);
  for (const [i, end] of ENDS.entries()) {
    const at = end === 'terminate' && random(3) === 0 ? -1 : random(steps);
    results.push(await runWorker(file, seed * 8 + i, steps, { end: random(6) ? end : 'end', at, progress, large }));
  }
}

/** {digest, wrong, steps} */
async function runRound(addon, file, seed, { steps, workers, lanes, progress, large }) {
  const results = [];
  const others = Array.from({ length: workers ? WORKERS : 0 }, (_, i) => {
    return runWorkers(file, seed * WORKERS + i + 1e6, { steps: Math.ceil(steps / 2), progress, large }, results);
  });
  const own = await runLanes(addon, seed, steps, { lanes, progress, large });
  await Promise.all(others);
  results.push(own);
  const wrong = results.flatMap((result) => result.wrong);
  await settle(addon, wrong, seed);
  // Workers end in any order.
  const digest = results.reduce((sum, result) => (sum + result.digest) >>> 0, 0);
  return { digest, wrong, steps: results.reduce((sum, result) => sum + result.steps, 0) };
}

module.exports = { runLanes, runRound, settle };
