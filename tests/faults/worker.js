'use strict';
// Plays a scene in a Worker, whose end is part of it.
const { parentPort, workerData } = require('node:worker_threads');
const { Plan } = require('./plan.js');
const { play } = require('./runner.js');

play(workerData.scene, new Plan(workerData.plan, false)).then(({ errors, dead }) => {
  const plain = ({ name, code, message }) => ({ name, code, message });
  parentPort.postMessage({ errors: errors.map(plain), dead });
});
