'use strict';
// The ways to make a call that bench/calls.js compares. Each gives `open()`, which returns { noop, add, close }; the functions of an
// asynchronous way return promises.
const childProcess = require('node:child_process');
const path = require('node:path');
const { Worker, MessageChannel, receiveMessageOnPort } = require('node:worker_threads');

const peer = path.join(__dirname, 'peer.js');

function inProcess(file) {
  const module = { exports: {} };
  process.dlopen(module, file);
  return { noop: module.exports.noop, add: module.exports.add, close() {} };
}

function isolated(file) {
  const remote = require('../..');
  const addon = remote.load(file);
  return { noop: addon.noop, add: addon.add, host: remote.hostOf?.(addon), close() {} };
}

// taskset of util-linux: which CPUs a process, here its main thread, may use.
function pin(cpus, pid = process.pid) {
  childProcess.execFileSync('taskset', ['-cp', cpus, String(pid)], { stdio: 'ignore' });
}

// Without `cpus` the scheduler decides, which often puts both processes on one CPU. With two of them each has one of its own, as in the ping-pongs on
// two cores; `enter` and `leave` bracket the measuring.
function forkMessage(cpus) {
  const child = childProcess.fork(peer);
  if (cpus) pin(cpus[1], child.pid);
  let done;
  child.on('message', (reply) => done(reply.result));
  const call = (request) =>
    new Promise((resolve) => {
      done = resolve;
      child.send(request);
    });
  return {
    noop: () => call({ call: 'noop' }),
    add: (a, b) => call({ call: 'add', args: [a, b] }),
    close: () => child.disconnect(),
    ...(cpus && { enter: () => pin(cpus[0]), leave: () => pin(cpus.join()) }),
  };
}

function syncWorker() {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(peer, { workerData: { flag: flag.buffer, port: port2 }, transferList: [port2] });
  worker.unref();
  const call = (request) => {
    const before = Atomics.load(flag, 0);
    worker.postMessage(request);
    // Again when the notify of the call before arrives late.
    while (Atomics.load(flag, 0) === before) Atomics.wait(flag, 0, before);
    return receiveMessageOnPort(port1).message;
  };
  return {
    noop: () => call({ call: 'noop' }),
    add: (a, b) => call({ call: 'add', args: [a, b] }),
    close: () => worker.terminate(),
  };
}

// Times of the C program: { batches, singles } in nanoseconds, or null where it needs more CPUs than there are.
function pingpong(program, kind, milliseconds) {
  const result = childProcess.spawnSync(program, [kind, String(milliseconds)], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.status === 3) return null;
  if (result.status !== 0) throw new Error(`${program} ${kind}: ${result.error?.message ?? result.stderr}`);
  return JSON.parse(result.stdout);
}

module.exports = { inProcess, isolated, forkMessage, syncWorker, pingpong };
