'use strict';
// deasync, compared in-process and isolated: native code that turns Node's loop until something has happened, found by way of V8's isolate.
const { compareAddon } = require('./support/real.js');

compareAddon('deasync', { values: 10, errors: 2 }, async ({ addon: deasync, require, record, settle }) => {
  const fs = require('node:fs');
  const { Worker } = require('node:worker_threads');
  const later = (value, milliseconds, callback) => setTimeout(() => callback(value instanceof Error ? value : null, value), milliseconds);
  record(() => deasync(later)('waited for', 5));
  record(() => deasync(later)(new RangeError('handed over'), 2));
  record(() => deasync(fs.readFile)(require.resolve('deasync/package.json'), 'utf8').length);
  record(() => deasync(fs.readFile)('/not/there', 'utf8'));
  const log = [];
  record(() => {
    setImmediate(() => log.push('immediate'));
    process.nextTick(() => log.push('tick'));
    Promise.resolve().then(() => log.push('promise'));
    deasync.runLoopOnce();
    log.push('turned once');
    return log.slice();
  });
  record(() => {
    let done = false;
    setTimeout(() => { done = true; }, 10);
    deasync.loopWhile(() => !done);
    return [done, log];
  });
  record(() => deasync((callback) => callback(null, deasync(later)('nested', 3)))());
  record(() => deasync((callback) => fs.promises.stat('.').then((stat) => callback(null, stat.isDirectory())))());
  record(() => deasync.sleep(2));
  await settle(async () => deasync(later)('below a promise', 3));
  await settle(() => new Promise((resolve) => { setImmediate(() => resolve(deasync(later)('below an immediate', 3))); }));
  const source = `const { parentPort } = require('node:worker_threads');
    parentPort.postMessage(require(${JSON.stringify(require.resolve('deasync'))})((callback) => setTimeout(callback, 3, null, 'in a Worker'))());`;
  await settle(() => new Promise((resolve, reject) => {
    const worker = new Worker(source, { eval: true });
    worker.once('message', resolve);
    worker.once('error', reject);
  }));
});
