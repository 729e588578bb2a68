'use strict';
// A thread that ends hosts which stand still while the main thread waits for them.
const { workerData } = require('node:worker_threads');
const { Plan } = require('./plan.js');
const { endProcess, hostsBut } = require('./processes.js');

const { words, path } = workerData; // words: {point, spared pid, the point at which a host was ended, patience in milliseconds}
const plan = new Plan(path, false);

/** Milliseconds until a host has stood still for long enough: what has not begun to may do so at any moment from now on. */
function patienceLeft() {
  const patience = Atomics.load(words, 3);
  const { fired } = plan.read();
  return fired === 0n ? patience : patience - Number(process.hrtime.bigint() - fired) / 1e6;
}

/** True: the point is over, within that time. */
function isOver(point, milliseconds) {
  return Atomics.wait(words, 0, point, milliseconds) !== 'timed-out';
}

for (;;) {
  Atomics.wait(words, 0, 0);
  const point = Atomics.load(words, 0);
  let over = point === 0;
  for (let left = patienceLeft(); !over && left > 0; left = patienceLeft()) over = isOver(point, left);
  if (over || Atomics.load(words, 0) !== point) continue;
  Atomics.store(words, 2, point);
  for (const pid of hostsBut(Atomics.load(words, 1))) endProcess(pid);
  isOver(point, Infinity);
}
