'use strict';
// The agent of this thread: the native half of napi-remote, where it lies, and loading an addon through it.
const { constants } = require('node:buffer');
const fs = require('node:fs');
const path = require('node:path');
const { Host } = require('./host.js');
const { onDeath, reportOf } = require('./report.js');
const { roomOf } = require('./room.js');
const thread = require('./thread.js');

function buildDirectory() {
  return path.resolve(process.env.NAPI_REMOTE_BUILD_DIR || path.join(__dirname, '..', '..', 'build', 'release'));
}

function find(directory, name) {
  const file = path.join(directory, name);
  if (fs.existsSync(file)) return file;
  const error = new Error(`napi-remote is not built: ${file} is missing (build it with \`cmake --preset release && cmake --build build/release\`)`);
  error.code = 'ERR_NAPI_REMOTE_LAUNCH';
  throw error;
}

/** {native, agentPath}: loads the agent when it is first needed in this thread. */
function getAgent() {
  if (thread.agent === undefined) {
    const directory = buildDirectory();
    const agentPath = find(directory, 'agent.node');
    const hostPath = find(directory, 'napi-remote-host');
    const module = { exports: {} };
    thread.dlopen.call(process, module, agentPath);
    module.exports.configure({ hostPath, bufferMax: constants.MAX_LENGTH, roomOf, reportOf, onDeath });
    thread.agent = { native: module.exports, agentPath };
  }
  return thread.agent;
}

/**
 * Does what process.dlopen(module, file, flags) does, but the addon lives in the host of `group`. Node is asked to load the agent once more: it makes a
 * fresh env for it, and the agent's Init runs the addon's in the host.
 */
function dlopenIsolated(module, file, flags, group) {
  const { native, agentPath } = getAgent();
  native.prepare(file, flags, group);
  try {
    thread.dlopen.call(process, module, agentPath);
  } finally {
    native.cancel();
  }
  const { exports } = module;
  if ((typeof exports === 'object' && exports !== null) || typeof exports === 'function') {
    thread.hostByExports.set(exports, new Host(native, file, group));
  }
}

module.exports = { buildDirectory, dlopenIsolated, getAgent };
