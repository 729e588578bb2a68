'use strict';
// Buffers that come and go leave nothing behind, in neither process: no memory, no mappings, no descriptors.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { start } = require('./support/child.js');

const KiB = 1024;
const MiB = 1024 * KiB;
/** What a process may have at the end beyond its most during the first fifth: malloc keeps what was freed, and gives it out again. */
const SLACK = 48 * MiB;
/** What is kept for the next ones at any time: free blocks, and those that a Buffer which has outlived its pair may still have mapped. The collector decides
 *  whether the first fifth has come to have so much. */
const KEPT = 96 * MiB;
/** Free memory that is kept for the next ones is a mapping each, at worst. */
const MAPS = 400;
/** What a process may have at any time, garbage that is not collected yet included. */
const PEAK = 800 * MiB;

/** Uses `count` buffers, `batch` in each turn of the loop, and prints what both processes have, or had at most, after a fifth of them and after all. */
async function use(kit, how, size, count) {
  const fs = require('node:fs');
  const passing = kit.dlopen(kit.addonFile('kept'));
  const making = kit.dlopen(kit.addonFile('memory_stress'));
  const ways = {
    passed: () => passing.readAll(Buffer.alloc(size, 1)),
    'passed without a turn of the loop': () => passing.readAll(Buffer.alloc(size, 1)),
    kept: () => passing.keep(0, Buffer.alloc(size, 1)),
    Buffer: () => making.create(0, 0, size, 1),
    ArrayBuffer: () => making.create(0, 1, size, 1),
    copy: () => making.create(0, 2, size, 1),
    external: () => making.create(0, 3, size, 1),
    'made and passed': () => passing.readAll(making.create(0, 0, size, 1)),
    'external and passed': () => passing.readAll(making.create(0, 3, size, 1)),
  };
  const turn = () => new Promise((resolve) => { setImmediate(resolve); });
  const pids = ['self', ...kit.remote.hosts().map(({ pid }) => pid)];
  const resident = (pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  const look = (pid) => ({
    resident: resident(pid), fds: fs.readdirSync(`/proc/${pid}/fd`).length, maps: fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').length,
  });
  const peaks = pids.map(() => 0);
  const settle = async () => {
    for (let i = 0; i < 12; i++) {
      if (i % 3 === 0) globalThis.gc();
      await turn();
      passing.noop();
    }
    return pids.map(look);
  };
  const some = async (number) => {
    const batch = Math.max(1, Math.min(100, Math.floor(16 * 2 ** 20 / size)));
    for (let i = 0; i < number;) {
      for (let k = 0; k < batch && i < number; k++, i++) ways[how]();
      pids.forEach((pid, p) => { peaks[p] = Math.max(peaks[p], resident(pid)); });
      if (how !== 'passed without a turn of the loop') await turn();
    }
  };
  passing.keep(0, Buffer.alloc(200_000)); // what is there once: the descriptors of who watches
  await some(count / 5);
  const before = (await settle()).map((now, p) => ({ ...now, most: peaks[p] }));
  await some(count * 4 / 5);
  kit.print({ before, after: await settle(), peaks });
  process.exit();
}

function flat(how, size, count) {
  test(`${count} of ${size / KiB} KiB: ${how}`, async (t) => {
    const { line, closed } = start(use, { args: [how, size, count], isolated: true, nodeArgs: ['--expose-gc'] });
    const printed = await line();
    assert.deepEqual(await closed, { code: 0, signal: null });
    const { before, after, peaks } = JSON.parse(printed);
    const MB = (bytes) => Math.round(bytes / MiB);
    t.diagnostic(['Node', 'host'].map((name, i) => `${name}: ${MB(before[i].resident)} MiB, then ${MB(after[i].resident)}, at most ${MB(peaks[i])}`).join('; '));
    assert.equal(after.length, 2);
    for (const [i, name] of ['Node', 'the host'].entries()) {
      const most = how === 'passed without a turn of the loop' ? peaks[i] : after[i].resident;
      const allowed = Math.max(before[i].most, before[i].resident + KEPT);
      assert.ok(most < allowed + SLACK, `${name} has grown from ${MB(before[i].resident)}, at most ${MB(before[i].most)}, to ${MB(most)} MiB`);
      assert.ok(after[i].fds <= before[i].fds, `${name} has ${after[i].fds - before[i].fds} more descriptors`);
      assert.ok(after[i].maps < before[i].maps + MAPS, `${name} has ${after[i].maps - before[i].maps} more mappings`);
      assert.ok(peaks[i] < PEAK, `${name} had ${MB(peaks[i])} MiB`);
    }
  });
}

flat('passed', 64 * KiB, 100_000);
flat('kept', 64 * KiB, 10_000);
flat('passed', 512, 30_000);
flat('passed', 3 * MiB, 250);
flat('passed without a turn of the loop', 16, 300_000);
for (const how of ['Buffer', 'external']) {
  flat(how, 64 * KiB, 10_000);
  flat(how, 256 * KiB, 1500);
  flat(how, MiB, 400);
}
flat('ArrayBuffer', 256 * KiB, 1000);
flat('copy', 256 * KiB, 1000);
flat('made and passed', 256 * KiB, 1000);
flat('external and passed', 256 * KiB, 1000);

/** What the host has of shared memory, in MiB: while all is in use, and after a collection and calls, in one turn of the loop. */
async function letGo(kit, count) {
  const fs = require('node:fs');
  const addon = kit.dlopen(kit.addonFile('kept'));
  const [{ pid }] = kit.remote.hosts();
  const shared = () => Number(/^RssShmem:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  let buffers = Array.from({ length: count }, () => Buffer.alloc(65536, 1));
  for (const buffer of buffers) addon.readAll(buffer);
  const before = shared();
  buffers = null;
  globalThis.gc();
  for (let i = 0; i < 200; i++) addon.noop();
  kit.print({ before, after: shared() });
  process.exit();
}

test('what was collected is let go of in calls, too, without a turn of the loop', async () => {
  const { line, closed } = start(letGo, { args: [1500], isolated: true, nodeArgs: ['--expose-gc'] });
  const { before, after } = JSON.parse(await line());
  assert.deepEqual(await closed, { code: 0, signal: null });
  assert.ok(after < before - 16, `${before} MiB, then ${after}`);
});
