'use strict';
// Envs that end while something of their addons goes on: works are waited for, and a host that does not finish is ended.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { isGone, run } = require('./support/child.js');
const { programs } = require('./support/programs.js');

const inWorker = (kit, begin, end) => {
  const { Worker } = require('node:worker_threads');
  const worker = new Worker(`const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
    const addon = kit.dlopen(kit.addonFile('ends_busy'));
    ${begin};
    require('node:worker_threads').parentPort.postMessage('up');
    ${end}`, { eval: true });
  worker.on('message', () => {
    if (end.startsWith('setInterval')) worker.terminate();
  });
  worker.on('exit', (code) => kit.print(`the Worker ended with ${code}`));
};

const two = 'addon.queue(1, 20); addon.queue(2, 60)';
const ends = { exits: 'process.exit(2)', 'is terminated': 'setInterval(() => {}, 1e6)' };
for (const [what, end] of Object.entries(ends)) {
  // Two threads carry them out: on a machine that has other things to do the one that takes longer may be the first to be done.
  programs({ [`works of a Worker that ${what} complete`]: inWorker }, { args: [two, end], anyOrder: true });
  // A work may write to either.
  const bytes = 'globalThis.kept = [addon.bytes(1)]; addon.queue(1, 60); kept.push(addon.bytes(2))';
  programs({ [`external bytes of a Worker that ${what} go after the works`]: inWorker }, { args: [bytes, end] });
  programs({ [`a hook that is newer than a work of a Worker that ${what} runs after it`]: inWorker }, { args: ['addon.queue(1, 60); addon.tells()', end] });
}
programs({
  'works of a program that exits do not': (kit) => {
    const addon = kit.dlopen(kit.addonFile('ends_busy'));
    addon.queue(1, 300);
    kit.print('going');
    process.exit(4);
  },
});

for (const [name, hangs] of [['never finishes', false], ['hangs', true]]) {
  test(`a hook that ${name} does not hold up the end`, () => {
    const before = performance.now();
    const { code, signal, stdout } = run((kit, how) => kit.print(kit.dlopen(kit.addonFile('ends_busy')).hook(how)), {
      isolated: true, args: [hangs], env: { NAPI_REMOTE_TEARDOWN_MILLISECONDS: '300' },
    });
    const time = performance.now() - before;
    const [pid, ...lines] = stdout.split('\n');
    assert.deepEqual({ code, signal, lines }, { code: 0, signal: null, lines: [`a hook that ${name}`, ''] });
    assert.ok(time >= 300, `${time} ms`);
    assert.ok(isGone(Number(pid)), `host ${pid} lives`);
  });
}

test('a work that takes for ever does not hold up the end of a Worker, nor of what it may write to', () => {
  const before = performance.now();
  const begin = 'globalThis.kept = [addon.bytes(1)]; addon.queue(1, 600_000); kept.push(addon.bytes(2)); addon.tells()';
  const { code, signal, stdout } = run(inWorker, { isolated: true, args: [begin, 'process.exit(2)'], env: { NAPI_REMOTE_TEARDOWN_MILLISECONDS: '300' } });
  const time = performance.now() - before;
  assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: '"the Worker ended with 2"\n' });
  assert.ok(time >= 300, `${time} ms`);
});

const leavesBehind = {
  'a work': (addon) => addon.queue(1, 60_000),
  'a hook that never finishes': (addon) => addon.hook(false),
};
for (const [name, begin] of Object.entries(leavesBehind)) {
  test(`a host that dies keeps no program running: ${name}`, () => {
    const { code, signal, stdout } = run((kit, source) => {
      (0, eval)(source)(kit.dlopen(kit.addonFile('ends_busy')));
      process.kill(kit.remote.hosts()[0].pid, 'SIGKILL');
      process.on('exit', () => kit.print('the end'));
    }, { isolated: true, args: [String(begin)] });
    assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: '"the end"\n' });
  });
}

for (const plain of [false, true]) {
  test(`a host that dies keeps no program running: threadsafe functions with${plain ? 'out' : ''} finalizers`, () => {
    const { code, signal, stdout } = run((kit, kind) => {
      const addon = kit.dlopen(kit.addonFile('tsfn'));
      const create = () => addon.create(() => kit.print('called'), { callJs: true, plain: kind === 'plain' });
      const [, waiting, released, aborted] = [create(), create(), create(), create()];
      addon.call(waiting, 1);
      addon.call(aborted, 1);
      addon.release(released);
      addon.release(aborted, true);
      process.kill(kit.remote.hosts()[0].pid, 'SIGKILL');
      process.on('exit', () => kit.print('the end'));
    }, { isolated: true, args: [plain ? 'plain' : 'finalized'] });
    assert.deepEqual({ code, signal, stdout }, { code: 0, signal: null, stdout: '"the end"\n' });
  });
}
