'use strict';
// A thread that joins a host which may fail while it does: it calls the addon, and tells what was thrown.
const path = require('node:path');
const { parentPort, workerData } = require('node:worker_threads');
const remote = require('../..');

const build = path.resolve(process.env.NAPI_REMOTE_BUILD_DIR ?? path.join(__dirname, '..', '..', 'build', 'release'));

try {
  const addon = remote.load(path.join(build, 'addons', 'workload.node'), { group: workerData.group });
  addon.add(1, 2);
  parentPort.postMessage([]);
} catch ({ name, code, message }) {
  parentPort.postMessage([{ name, code, message }]);
}
