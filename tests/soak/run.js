'use strict';
// Crashes an addon and calls it again, many times over: what Node's process has of it afterwards.
//
//   node tests/soak/run.js [--cycles 10000]
//
// Descriptors, mappings, processes and memory stay as they are.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const { setImmediate: turn } = require('node:timers/promises');
const v8 = require('node:v8');
const vm = require('node:vm');
const { hostOf, load } = require('../..');
const { addonFile } = require('../js/support/child.js');
const { number, orUsage, parseOptions } = require('../../scripts/options');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** The first ones make what is made once. */
const WARM_UP = 50;

/** Until then V8 and malloc have grown to what they need for the garbage of this program, some 35 MB. */
const GROWN = 3000;

/** Bytes that a cycle may leave after that: 10 MB of 7,000 are noise. */
const MOST_RESIDENT = 1500;

/** Bytes of the heap, where there are fewer cycles: what an env or a class takes is ten times as much. */
const MOST_HEAP = 500;

function crash(addon) {
  try {
    addon.crash();
  } catch (error) {
    assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
    return;
  }
  assert.fail('it did not crash');
}

async function settle() {
  for (let i = 0; i < 5; i++) {
    gc();
    await turn();
  }
}

async function measure(cycle) {
  await settle();
  return {
    cycle,
    resident: process.memoryUsage.rss(),
    heap: process.memoryUsage().heapUsed,
    descriptors: fs.readdirSync('/proc/self/fd').length,
    sharedMappings: fs.readFileSync('/proc/self/maps', 'utf8').split('\n').filter((line) => / rw-s /.test(line)).length,
    children: fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).length,
  };
}

/** [{cycle, resident, heap, descriptors, sharedMappings, children}], from after the warm-up to the end. */
async function soak(cycles, report = () => {}) {
  const addon = load(addonFile('plugin'), { restart: { policy: 'on-call', max: Infinity, backoff: { initial: 0 } } });
  const host = hostOf(addon);
  const measured = [];
  let crashes = 0, exits = 0;
  host.on('exit', () => exits++);
  const every = Math.max(1, Math.floor(cycles / 10));
  for (let cycle = -WARM_UP; cycle <= cycles; cycle++) {
    assert.equal(addon.count(), 1);
    crash(addon);
    crashes++;
    if (cycle % 5 === 0) await turn();
    if (cycle >= 0 && cycle % every === 0) {
      // What a host leaves goes when JavaScript has been told of its end.
      while (exits < crashes) await once(host, 'exit');
      measured.push(await measure(cycle));
      report(measured.at(-1));
    }
  }
  host.kill();
  return measured;
}

function check(measured) {
  const [first, last] = [measured[0], measured.at(-1)];
  assert.ok(last.descriptors <= first.descriptors + 4, `${first.descriptors} descriptors became ${last.descriptors}`);
  assert.ok(last.sharedMappings <= first.sharedMappings + 8, `${first.sharedMappings} shared mappings became ${last.sharedMappings}`);
  assert.ok(last.children <= first.children + 1, `${first.children} processes became ${last.children}`);
  const heap = (last.heap - first.heap) / (last.cycle - first.cycle);
  assert.ok(heap <= MOST_HEAP, `each cycle leaves ${Math.round(heap)} bytes in the heap`);
  const grown = measured.find(({ cycle }) => cycle >= GROWN);
  if (grown === undefined || grown === last) return undefined;
  const resident = (last.resident - grown.resident) / (last.cycle - grown.cycle);
  assert.ok(resident <= MOST_RESIDENT, `each cycle leaves ${Math.round(resident)} bytes of memory`);
  return resident;
}

async function main() {
  const { cycles } = orUsage('node tests/soak/run.js [--cycles N]', () => parseOptions({ cycles: number(10_000) }));
  const measured = await soak(cycles, ({ cycle, resident, heap, ...rest }) => {
    console.log(`${cycle}: ${(resident / 1e6).toFixed(1)} MB, heap ${(heap / 1e6).toFixed(1)} MB`, rest);
  });
  const left = check(measured);
  if (left !== undefined) console.log(`from cycle ${GROWN} on each leaves ${Math.round(left)} bytes`);
}

if (require.main === module) main();

module.exports = { check, soak };
