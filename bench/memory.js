'use strict';
// What it costs that native code has the bytes of a Buffer, in-process against isolated, side by side:
//
//   node bench/memory.js [--ms N] [--rounds N] [--max BYTES] [--build DIR] [--out FILE]
//
// - the same Buffer passed again and again to a function that reads all of it; one that JavaScript fills before each call; a fresh one each time. The
//   extra cost is that of the isolated call less the in-process one and less a round trip, in copies (Buffer.copy) of as many bytes. A round trip is
//   noop(); "bytes" takes off that of noop({}), which passes an argument as well, so that what is left is for the bytes.
// - noop() while the host has kept the addresses of other Buffers; of one while either side writes to it in turns, every 50th call, which is counted.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { quantile, formatTime, formatTable } = require('./lib/measure');

const root = path.join(__dirname, '..');
const now = () => Number(process.hrtime.bigint());

function readOptions() {
  const { values } = parseArgs({
    options: {
      ms: { type: 'string', default: '150' },
      rounds: { type: 'string', default: '3' },
      max: { type: 'string', default: String(2 ** 28) },
      kept: { type: 'boolean', default: false }, // only what is kept, as JSON: for itself
      build: { type: 'string', default: path.join(root, 'build', 'release') },
      out: { type: 'string', default: path.join(__dirname, 'results', 'memory.json') },
    },
  });
  return { ...values, ms: Number(values.ms), rounds: Number(values.rounds), max: Number(values.max) };
}

/** Nanoseconds of one call, the median of batches over `ms`. */
function time(call, ms) {
  const batches = [];
  const end = now() + ms * 1e6;
  let count = 1;
  do {
    const start = now();
    for (let i = 0; i < count; i++) call();
    const each = (now() - start) / count;
    batches.push(each);
    count = Math.max(1, Math.min(1000, Math.round(200_000 / each)));
  } while (now() < end || batches.length < 3);
  return quantile(batches, 0.5);
}

/** The medians of all ways, which take turns. */
function sideBySide(ways, { ms, rounds }) {
  const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, call] of Object.entries(ways)) times[name].push(time(call, ms));
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, quantile(list, 0.5)]));
}

function measureSize(size, inProcess, isolated, options) {
  const buffer = Buffer.alloc(size, 1), other = Buffer.alloc(size, 2);
  const object = {};
  let value = 0;
  const filled = (addon) => () => addon.readAll(buffer.fill(++value & 0xff));
  const fresh = (addon) => () => addon.readAll(Buffer.alloc(size, 3));
  const times = sideBySide({
    copy: () => buffer.copy(other),
    same: () => inProcess.readAll(buffer), sameIsolated: () => isolated.readAll(buffer),
    filled: filled(inProcess), filledIsolated: filled(isolated),
    noop: () => isolated.noop(), object: () => isolated.noop(object),
  }, options);
  // By themselves: what waits for the collector makes the calls after them longer.
  if (size <= 2 ** 24) Object.assign(times, sideBySide({ fresh: fresh(inProcess), freshIsolated: fresh(isolated) }, options));
  const extra = (way, trip = times.noop) => (times[`${way}Isolated`] - times[way] - trip) / times.copy;
  return { size, times, extra: { same: extra('same'), bytes: extra('same', times.object), filled: extra('filled'), fresh: extra('fresh') } };
}

function measureKept(name, sizes, load, options, writes = false) {
  const isolated = load();
  const noop = () => isolated.noop();
  const before = time(noop, options.ms);
  const buffers = sizes.map((size, place) => {
    const buffer = Buffer.alloc(size);
    isolated.keep(place, buffer);
    return buffer;
  });
  let count = 0;
  const written = () => {
    const turn = ++count % 100, at = count * 4099 % sizes[0];
    if (turn === 0) buffers[0][at] ^= 1;
    if (turn === 50) isolated.poke(0, at, count & 0xff);
    isolated.noop();
  };
  const call = writes ? written : noop;
  for (let i = 0; i < 5000; i++) call();
  const after = time(call, options.ms);
  return { name, before, after, buffers: buffers.length };
}

function measureAllKept(load, options) {
  return [
    measureKept('1,000 kept addresses of 4 KiB', Array.from({ length: 1000 }, () => 4096), load, options),
    measureKept('one kept address of 16 MiB', [2 ** 24], load, options),
    measureKept('the same, written now and then', [2 ** 24], load, options, true),
  ];
}

function main() {
  const options = readOptions();
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(options.build);
  const file = path.resolve(options.build, 'addons', 'kept.node');
  const { load } = require('..');
  if (options.kept) {
    console.log(JSON.stringify(measureAllKept(() => load(file), options)));
    return;
  }
  const module = { exports: {} };
  process.dlopen(module, file);
  const isolated = load(file);
  const sizes = [16, 64, 1024, 2 ** 14, 2 ** 17, 2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26, 2 ** 28].filter((size) => size <= options.max);
  const rows = sizes.map((size) => measureSize(size, module.exports, isolated, options));
  // In a process of its own: beside hundreds of MiB that wait for the collector, each page fault has the kernel asked about all of them.
  const kept = JSON.parse(execFileSync(process.execPath, [__filename, '--kept', '--ms', String(options.ms), '--build', options.build], { encoding: 'utf8' }));
  console.log(`Node ${process.version}, ${os.availableParallelism()} CPUs, load ${os.loadavg()[0].toFixed(2)}\n`);
  const copies = (value) => (Number.isFinite(value) ? value.toFixed(2) : '-');
  console.log(formatTable(['bytes', 'copy', 'in-process', 'isolated', 'extra, in copies: same', 'bytes', 'filled', 'fresh'], rows.map(({ size, times, extra }) => [
    String(size), formatTime(times.copy), formatTime(times.same), formatTime(times.sameIsolated), copies(extra.same), copies(extra.bytes), copies(extra.filled), copies(extra.fresh),
  ])));
  for (const { name, before, after } of kept) console.log(`\n${name}: noop() ${formatTime(before)} without, ${formatTime(after)} with`);
  fs.mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
  fs.writeFileSync(options.out, `${JSON.stringify({ node: process.version, cpus: os.availableParallelism(), load: os.loadavg(), rows, kept }, null, 2)}\n`);
}

main();
