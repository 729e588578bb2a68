'use strict';
// What a Worker of round.js runs.
const { parentPort, workerData } = require('node:worker_threads');
const { runLanes, settle } = require('./round.js');

const { file, seed, steps, large, exitAt } = workerData;
const module_ = { exports: {} };
process.dlopen(module_, file);

let count = 0;
function progress() {
  parentPort.postMessage({});
  if (count++ === exitAt) process.exit(7);
}

runLanes(module_.exports, seed, steps, { progress, large }).then(async (report) => {
  await settle(module_.exports, report.wrong, seed);
  parentPort.postMessage({ report });
});
