'use strict';
// The other side of the two ways that JavaScript itself offers: a child process with messages, and a worker whose answer the caller
// sleeps for.
const { parentPort, workerData } = require('node:worker_threads');

function answer(request) {
  return request.call === 'add' ? request.args[0] + request.args[1] : undefined;
}

if (parentPort) {
  const flag = new Int32Array(workerData.flag);
  parentPort.on('message', (request) => {
    workerData.port.postMessage(answer(request));
    Atomics.add(flag, 0, 1);
    Atomics.notify(flag, 0);
  });
} else {
  process.on('message', (request) => process.send({ result: answer(request) }));
  process.on('disconnect', () => process.exit());
}
