'use strict';
// A thread that ends hosts which stand still while the main thread waits for them.
const { setTimeout: sleep } = require('node:timers/promises');
const { workerData } = require('node:worker_threads');
const { Plan } = require('./plan.js');
const { endProcess, hostsBut } = require('./processes.js');

const { words, path } = workerData; // words: {point, spared pid, the point at which a host was ended, patience in milliseconds}
const plan = new Plan(path, false);

async function watch() {
  for (;;) {
    await sleep(25);
    const point = Atomics.load(words, 0);
    const { fired } = plan.read();
    if (point === 0 || fired === 0n || process.hrtime.bigint() - fired < BigInt(Atomics.load(words, 3)) * 1_000_000n) continue;
    if (Atomics.load(words, 0) !== point || Atomics.load(words, 2) === point) continue;
    Atomics.store(words, 2, point);
    for (const pid of hostsBut(Atomics.load(words, 1))) endProcess(pid);
  }
}

watch();
