'use strict';
// What it costs that native code has the bytes of a Buffer, in-process against isolated, side by side:
//
//   node bench/memory.js [--ms N] [--rounds N] [--max BYTES] [--build DIR] [--out FILE]
//
// - the same Buffer passed again and again to a function that reads all of it; one that JavaScript fills before each call; a fresh one each time. The
//   extra cost is that of the isolated call less the in-process one and less a round trip, in copies (Buffer.copy) of as many bytes. A round trip is
//   noop(); "bytes" takes off that of noop({}), which passes an argument as well, so that what is left is for the bytes.
// - Buffer.from(string), a fresh one each time, which lies in one of Node's pools.
// - noop() while the host has kept the addresses of other Buffers; of one while either side writes to it in turns, every 50th call, which is counted.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { quantile, formatTime, formatTable } = require('./lib/measure');
const { flag, number, text, orUsage, parseOptions } = require('../scripts/options');

const root = path.join(__dirname, '..');
const now = () => Number(process.hrtime.bigint());

function readOptions() {
  return orUsage('node bench/memory.js [--ms N] [--rounds N] [--max BYTES] [--build DIR] [--out FILE]', () => parseOptions({
    ms: number(150),
    rounds: number(3),
    max: number(2 ** 28, { least: 16 }),
    kept: flag, // only what is kept, as JSON: for itself
    fresh: flag, // only the fresh ones: likewise
    pooled: flag, // only those from Node's pools: likewise
    build: text(path.join(root, 'build', 'release')),
    out: text(path.join(__dirname, 'results', 'memory.json')),
  }));
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
  const times = sideBySide({
    copy: () => buffer.copy(other),
    same: () => inProcess.readAll(buffer), sameIsolated: () => isolated.readAll(buffer),
    filled: filled(inProcess), filledIsolated: filled(isolated),
    noop: () => isolated.noop(), object: () => isolated.noop(object),
  }, options);
  return { size, times, extra: { same: extraOf(times, 'same'), bytes: extraOf(times, 'same', times.object), filled: extraOf(times, 'filled') } };
}

function extraOf(times, way, trip = times.noop) {
  return (times[`${way}Isolated`] - times[way] - trip) / times.copy;
}

function measureFresh(size, inProcess, isolated, options) {
  const fresh = (addon) => () => addon.readAll(Buffer.alloc(size, 3));
  return { size, times: sideBySide({ fresh: fresh(inProcess), freshIsolated: fresh(isolated) }, options) };
}

function measurePooled(length, inProcess, isolated, options) {
  const text = 'x'.repeat(length);
  const pooled = (addon) => () => addon.readAll(Buffer.from(text));
  return { length, times: sideBySide({ pooled: pooled(inProcess), pooledIsolated: pooled(isolated) }, options) };
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

/** One part in a process of its own: what waits for the collector makes all calls longer, and of hundreds of MiB each page fault has the kernel asked. */
function apart(part, options) {
  const args = [__filename, part, '--ms', String(options.ms), '--rounds', String(options.rounds), '--max', String(options.max), '--build', options.build];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

function bothWays(file) {
  const module = { exports: {} };
  process.dlopen(module, file);
  return [module.exports, require('..').load(file)];
}

function sizesUpTo(max) {
  return [16, 64, 1024, 2 ** 14, 2 ** 17, 2 ** 20, 2 ** 22, 2 ** 24, 2 ** 26, 2 ** 28].filter((size) => size <= max);
}

function report({ rows, pooled, kept }, options) {
  console.log(`Node ${process.version}, ${os.availableParallelism()} CPUs, load ${os.loadavg()[0].toFixed(2)}\n`);
  const copies = (value) => (Number.isFinite(value) ? value.toFixed(2) : '-');
  console.log(formatTable(['bytes', 'copy', 'in-process', 'isolated', 'extra, in copies: same', 'bytes', 'filled', 'fresh'], rows.map(({ size, times, extra }) => [
    String(size), formatTime(times.copy), formatTime(times.same), formatTime(times.sameIsolated), copies(extra.same), copies(extra.bytes), copies(extra.filled), copies(extra.fresh),
  ])));
  for (const { length, times } of pooled) console.log(`\nBuffer.from() of ${length} characters: ${formatTime(times.pooled)} in-process, ${formatTime(times.pooledIsolated)} isolated`);
  for (const { name, before, after } of kept) console.log(`\n${name}: noop() ${formatTime(before)} without, ${formatTime(after)} with`);
  fs.mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
  fs.writeFileSync(options.out, `${JSON.stringify({ node: process.version, cpus: os.availableParallelism(), load: os.loadavg(), rows, pooled, kept }, null, 2)}\n`);
}

function main() {
  const options = readOptions();
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(options.build);
  const file = path.resolve(options.build, 'addons', 'kept.node');
  const sizes = sizesUpTo(options.max);
  if (options.kept) {
    const { load } = require('..');
    console.log(JSON.stringify(measureAllKept(() => load(file), options)));
  } else if (options.fresh) {
    const [inProcess, isolated] = bothWays(file);
    console.log(JSON.stringify(sizes.filter((size) => size <= 2 ** 24).map((size) => measureFresh(size, inProcess, isolated, options))));
  } else if (options.pooled) {
    const [inProcess, isolated] = bothWays(file);
    console.log(JSON.stringify([10, 40, 400, 1000].map((length) => measurePooled(length, inProcess, isolated, options))));
  } else {
    // First: a process that has hundreds of MiB leaves the kernel less to give to others.
    const fresh = apart('--fresh', options), pooled = apart('--pooled', options), kept = apart('--kept', options);
    const [inProcess, isolated] = bothWays(file);
    const rows = sizes.map((size) => measureSize(size, inProcess, isolated, options));
    for (const { size, times } of fresh) {
      const row = rows.find((each) => each.size === size);
      Object.assign(row.times, times);
      row.extra.fresh = extraOf(row.times, 'fresh');
    }
    report({ rows, pooled, kept }, options);
  }
}

main();
