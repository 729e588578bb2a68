'use strict';
// The agent of this thread: the native half of napi-remote, and where it lies.
const fs = require('node:fs');
const path = require('node:path');

// Kept from before anyone, register.js included, puts something in its place.
const originalDlopen = process.dlopen;

function buildDirectory() {
  return process.env.NAPI_REMOTE_BUILD_DIR || path.join(__dirname, '..', '..', 'build', 'release');
}

function launchError(message) {
  return Object.assign(new Error(message), { code: 'ERR_NAPI_REMOTE_LAUNCH' });
}

function find(directory, name) {
  const file = path.resolve(directory, name);
  if (!fs.existsSync(file)) {
    throw launchError(`napi-remote is not built: ${file} is missing (build it with \`cmake --preset release && cmake --build build/release\`)`);
  }
  return file;
}

let current;

/** {native, agentPath}: loads the agent when it is first needed in this thread. */
function getAgent() {
  if (current === undefined) {
    const directory = buildDirectory();
    const agentPath = find(directory, 'agent.node');
    const hostPath = find(directory, 'napi-remote-host');
    const module = { exports: {} };
    originalDlopen.call(process, module, agentPath);
    module.exports.configure({ hostPath });
    current = { native: module.exports, agentPath };
  }
  return current;
}

/**
 * Does what process.dlopen(module, file, flags) does, but the addon lives in the host of `group`. Node is asked to load the agent once more: it makes a
 * fresh env for it, and the agent's Init runs the addon's in the host.
 */
function dlopenIsolated(module, file, flags, group) {
  const { native, agentPath } = getAgent();
  native.prepare(file, flags, group);
  try {
    return originalDlopen.call(process, module, agentPath);
  } finally {
    native.cancel();
  }
}

module.exports = { dlopenIsolated, getAgent, originalDlopen };
