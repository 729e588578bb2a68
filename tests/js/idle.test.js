'use strict';
// What has nothing to do takes no processor: no thread of Node or of the host wakes up, once the work is done.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { addonFile, start } = require('./support/child.js');

const SECONDS = 10;

/** How often each thread of a process has gone to sleep, or was made to wait, until now. */
function switches(pid) {
  const threads = fs.readdirSync(`/proc/${pid}/task`);
  return Object.fromEntries(threads.map((thread) => {
    const status = fs.readFileSync(`/proc/${pid}/task/${thread}/status`, 'latin1');
    const name = /^Name:\s*(.*)$/m.exec(status)[1];
    return [`${name} ${thread}`, [...status.matchAll(/^(?:non)?voluntary_ctxt_switches:\s*(\d+)$/gm)].map((match) => Number(match[1]))];
  }));
}

/** Until two looks in a row, a second apart, find the same. */
async function settle(pids) {
  for (let before; ;) {
    const now = JSON.stringify(pids.map(switches));
    if (now === before) return;
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

test('an addon that has nothing to do wakes nobody up', async (t) => {
  const { child, closed, line } = start(async (kit, file) => {
    const addon = kit.dlopen(file);
    for (let i = 0; i < 100; i++) await addon.work();
    await new Promise((resolve) => addon.pump(resolve, 1, 1, 0));
    process.stdin.on('end', () => {}).resume();
    kit.print({ node: process.pid, host: kit.remote.hosts()[0].pid });
    // V8's memory reducer collects once more, eight seconds after a program has fallen idle.
  }, { isolated: true, args: [addonFile('background')], nodeArgs: ['--no-memory-reducer'] });
  t.after(() => child.kill('SIGKILL'));
  const { node, host } = JSON.parse(await line());
  await settle([node, host]);
  const before = [node, host].map(switches);
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1000));
  assert.deepEqual([node, host].map(switches), before);
  child.stdin.end();
  assert.deepEqual(await closed, { code: 0, signal: null });
});
