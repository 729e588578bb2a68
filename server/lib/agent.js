'use strict';
// The agent of this thread: the native half of napi-remote, where it lies, and loading an addon through it.
const { constants } = require('node:buffer');
const fs = require('node:fs');
const path = require('node:path');
const { create } = require('./builtins.js');
const { onCollection, watchHeap } = require('./collections.js');
const { notBuilt, told } = require('./errors.js');
const { isOwn } = require('./groups.js');
const { Host, onExit } = require('./host.js');
const { onCall } = require('./restart.js');
const { onDeath, reportOf, setReport } = require('./report.js');
const { roomOf } = require('./room.js');
const { snapshot, snapshotValues } = require('./snapshot.js');
const { construct } = require('./survey.js');
const thread = require('./thread.js');

function buildDirectory() {
  return path.resolve(process.env.NAPI_REMOTE_BUILD_DIR || path.join(__dirname, '..', '..', 'build', 'release'));
}

const HOST = 'napi-remote-host';

function find(directory, name) {
  const file = path.join(directory, name);
  if (fs.existsSync(file)) return file;
  throw notBuilt(file);
}

/** {native, agentPath}: loads the agent when it is first needed in this thread. */
function getAgent() {
  if (thread.agent === undefined) {
    const directory = buildDirectory();
    const agentPath = find(directory, 'agent.node');
    const hostPath = find(directory, HOST);
    const module = { exports: {} };
    thread.dlopen.call(process, module, agentPath);
    module.exports.configure({ hostPath, bufferMax: constants.MAX_LENGTH, roomOf, onExit, onCall, construct, create, snapshot, snapshotValues, watchHeap, reportOf, onDeath });
    onCollection(module.exports.collected);
    thread.agent = { native: module.exports, agentPath };
  }
  return thread.agent;
}

/** For a load of that file: an error tells of that. */
function agentFor(file, options) {
  try {
    return getAgent();
  } catch (error) {
    throw told(error, file, options, path.join(buildDirectory(), HOST));
  }
}

/**
 * {serial, place}: of the host and of the addon's env; `module.exports` as after process.dlopen(). Node is asked to load the agent once more: it makes a fresh env, and the agent's Init runs the
 * addon's. `before`: the place of a dead host that this one may have.
 */
function loadInto(module, file, flags, options, before) {
  const { native, agentPath } = getAgent();
  let serial;
  try {
    serial = native.prepare(file, flags, options.group, options.launch);
  } catch (error) {
    throw told(error, file, options, path.join(buildDirectory(), HOST));
  }
  try {
    if (before === undefined || !native.reuse(before, module)) thread.dlopen.call(process, module, agentPath);
  } finally {
    native.cancel();
  }
  return { serial, place: native.place() };
}

/**
 * Nobody can reach a host of one load that has failed: it ends, unless Init has left something under way before it threw. `isFirst`: what a group is to have is for the next load to say,
 * if there is no process.
 */
function loadOrForsake(module, file, flags, options, { isFirst = false, before }) {
  try {
    return loadInto(module, file, flags, options, before);
  } catch (error) {
    const { native } = getAgent();
    const host = native.hosts().find(({ group, alive }) => group === options.group && alive);
    const isGone = host === undefined || (isOwn(options.group) && native.recycle(host.serial));
    if (isFirst && isGone) {
      thread.groups.delete(options.group);
      setReport(options.group, undefined);
    }
    throw error;
  }
}

/** Does what process.dlopen(module, file, flags) does, but the addon lives in a host (`options`: of options.js). */
function dlopenIsolated(module, file, flags, options) {
  const again = { ...options, launch: { ...options.launch, again: 1 } };
  let place;
  const load = (fileNow) => {
    const next = { exports: {}, filename: fileNow, id: fileNow, loaded: false };
    const loaded = loadOrForsake(next, fileNow, flags, again, { before: place });
    ({ place } = loaded);
    return { serial: loaded.serial, exports: next.exports };
  };
  const isFirst = isOwn(options.group) || !thread.groups.has(options.group);
  if (isFirst) setReport(options.group, options.report);
  const host = new Host(agentFor(file, options).native, load, file, options);
  host.prepare();
  const loaded = loadOrForsake(module, file, flags, options, { isFirst });
  ({ place } = loaded);
  const { exports } = module;
  if ((typeof exports === 'object' && exports !== null) || typeof exports === 'function') {
    host.begin(loaded.serial, exports);
    thread.hostByExports.set(exports, host);
  }
}

module.exports = { buildDirectory, dlopenIsolated, getAgent };
