'use strict';
// What work in the background costs, in-process against isolated, side by side:
//
//   node bench/async.js [--ms N] [--rounds N] [--calls N] [--build DIR] [--out FILE]
//
// - an async work that does nothing, started and awaited; 1,000 of them in flight at once;
// - calls of a threadsafe function from one thread, and from four.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { quantile, formatTime, formatTable } = require('./lib/measure');
const { number, text, orUsage, parseOptions } = require('../scripts/options');

const root = path.join(__dirname, '..');
const now = () => Number(process.hrtime.bigint());
const IN_FLIGHT = 1000;

function readOptions() {
  return orUsage('node bench/async.js [--ms N] [--rounds N] [--calls N] [--build DIR] [--out FILE]', () => parseOptions({
    ms: number(500),
    rounds: number(5),
    calls: number(200_000),
    build: text(path.join(root, 'build', 'release')),
    out: text(path.join(__dirname, 'results', 'async.json')),
  }));
}

/** Nanoseconds of one work at a time, each of them. */
async function latencies(addon, ms) {
  const times = [];
  for (const end = now() + ms * 1e6; now() < end;) {
    const start = now();
    await addon.work();
    times.push(now() - start);
  }
  return times;
}

/** Nanoseconds a work, with many in flight. */
async function throughput(addon, ms) {
  let count = 0;
  const start = now();
  const end = start + ms * 1e6;
  const one = async () => {
    for (; now() < end; count++) await addon.work();
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  return (now() - start) / count;
}

/** Nanoseconds a call. */
function pump(addon, calls, threads) {
  return new Promise((resolve) => {
    let left = calls;
    const start = now();
    addon.pump(() => {
      if (--left === 0) resolve((now() - start) / calls);
    }, calls / threads, threads, 0);
  });
}

const MEASURES = {
  'one work, awaited': async (addon, { ms }) => quantile(await latencies(addon, ms), 0.5),
  [`${IN_FLIGHT} works in flight, each`]: (addon, { ms }) => throughput(addon, ms),
  'a threadsafe call, of one thread': (addon, { calls }) => pump(addon, calls, 1),
  'a threadsafe call, of four threads': (addon, { calls }) => pump(addon, calls, 4),
};

async function main() {
  const options = readOptions();
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(options.build);
  const file = path.resolve(options.build, 'addons', 'background.node');
  const module = { exports: {} };
  process.dlopen(module, file);
  const ways = { inProcess: module.exports, isolated: require('..').load(file) };
  const results = [];
  for (const [name, measure] of Object.entries(MEASURES)) {
    const times = { inProcess: [], isolated: [] };
    for (let round = 0; round < options.rounds; round++) {
      for (const [way, addon] of Object.entries(ways)) times[way].push(await measure(addon, options));
    }
    results.push({ name, inProcess: quantile(times.inProcess, 0.5), isolated: quantile(times.isolated, 0.5), times });
  }
  console.log(formatTable(['', 'in-process', 'isolated', 'more', 'times'], results.map(({ name, inProcess, isolated }) => (
    [name, formatTime(inProcess), formatTime(isolated), formatTime(isolated - inProcess), (isolated / inProcess).toFixed(2)]))));
  fs.mkdirSync(path.dirname(options.out), { recursive: true });
  fs.writeFileSync(options.out, `${JSON.stringify({ node: process.version, cpus: os.availableParallelism(), results }, null, 1)}\n`);
}

main();
