'use strict';
// What isolation costs where an addon has real work to do: published codecs, hashes and image libraries over 1 MiB, in-process against isolated, side by
// side in one run:
//
//   node bench/work.js [--ms N] [--rounds N] [--bytes N] [--inputs N] [--only TEXT] [--together] [--check]
//     [--build DIR] [--out FILE]
//
// Each work has a process of its own: what one leaves to malloc and to the collector makes the next one faster where both addons are in that process, as
// in-process all are and isolated none is. With `--together` all works have one process.
//
// `--inputs` is how many inputs take turns (one: the same Buffer is passed again and again). The two ways take turns in short rounds; the ratio is the
// median of those of the rounds. What one of the two cannot do is "not available", with the reason. Exit code 1 when a ratio is beyond its bar and
// `--check` was given.
const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { quantile, formatTime, formatTable } = require('./lib/measure');
const { flag, number, text, orUsage, parseOptions } = require('../scripts/options');

const root = path.join(__dirname, '..');
const now = () => Number(process.hrtime.bigint());

/** Work that does not come back has failed. */
const PATIENCE = 20_000;

const USAGE = 'node bench/work.js [--ms N] [--rounds N] [--bytes N] [--inputs N] [--only TEXT] [--together] [--check] [--build DIR] [--out FILE]';

function readOptions() {
  const options = parseOptions({
    ms: number(60),
    rounds: number(9),
    bytes: number(2 ** 20),
    inputs: number(1),
    only: text(''),
    together: flag,
    work: text(), // one by its name: for itself
    check: flag,
    build: text(path.join(root, 'build', 'release')),
    out: text(path.join(__dirname, 'results', 'work.json')),
  });
  if (!works.some(({ name }) => name.includes(options.only))) throw new Error(`--only: no work's name has "${options.only}" in it`);
  return options;
}

/** Bytes that compress to about half, different for each seed. */
function makeInput(length, seed) {
  const words = Array.from({ length: 500 }, (_, i) => crypto.createHash('sha256').update(`${seed} ${i}`).digest().subarray(0, 3 + i % 12));
  const buffer = Buffer.alloc(length);
  let state = seed + 1;
  for (let at = 0; at < length;) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    at += words[(state >>> 8) % words.length].copy(buffer, at);
  }
  return buffer;
}

/** A PNG whose pixels take `bytes`, made without any addon. */
function makePng(bytes, seed) {
  const side = Math.floor(Math.sqrt(bytes / 4));
  const row = 1 + side * 4;
  const pixels = Buffer.alloc(side * row);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side * 4; x++) pixels[y * row + 1 + x] = x % 4 === 3 ? 255 : (x * seed + y * 3 + ((x * y) >> 5)) & 255;
  }
  const zlib = require('node:zlib');
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(body.length + 8);
    frame.writeUInt32BE(data.length);
    body.copy(frame, 4);
    frame.writeUInt32BE(crc32(body), body.length + 4);
    return frame;
  };
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0]);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  const parts = [chunk('IHDR', header), chunk('IDAT', zlib.deflateSync(pixels, { level: 1 })), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** Works at a time, and bytes for each. */
const IN_FLIGHT = [[16, 200], [300, 50], [100, 5000], [8, 50_000]];

/**
 * Each `prepare(package, inputs, images)` gives the work, a function of a number that counts up; one with `isAsync` is awaited. `bar` is the
 * ratio that it may cost.
 */
const works = [
  { name: 'snappy compressSync', package: 'snappy', bar: 1.1, prepare: ({ compressSync }, inputs) => (i) => compressSync(inputs[i % inputs.length]) },
  { name: 'snappy uncompressSync', package: 'snappy', bar: 1.1, prepare: ({ compressSync, uncompressSync }, inputs) => {
    const packed = inputs.map((input) => Buffer.from(compressSync(input)));
    return (i) => uncompressSync(packed[i % packed.length]);
  } },
  { name: 'snappy compress', package: 'snappy', bar: 1.1, isAsync: true, prepare: ({ compress }, inputs) => (i) => compress(inputs[i % inputs.length]) },
  ...IN_FLIGHT.map(([count, size]) => ({
    name: `snappy compress, ${count} of ${size} bytes`,
    package: 'snappy',
    isAsync: true,
    prepare: ({ compress }) => (i) => Promise.all(Array.from({ length: count }, (_, k) => compress(Buffer.alloc(size, i + k)))).then(Buffer.concat),
  })),
  {
    name: 'snappy compress, all of those in turn',
    package: 'snappy',
    isAsync: true,
    prepare: ({ compress }) => async (i) => {
      const all = [];
      for (const [count, size] of IN_FLIGHT) {
        all.push(...await Promise.all(Array.from({ length: count }, (_, k) => compress(Buffer.from('xyz '.repeat(size / 4 + i % 2 + k % 2))))));
      }
      return Buffer.concat(all);
    },
  },
  { name: 'lz4-napi compressSync', package: 'lz4-napi', prepare: ({ compressSync }, inputs) => (i) => compressSync(inputs[i % inputs.length]) },
  { name: 'lz4-napi uncompressSync', package: 'lz4-napi', prepare: ({ compressSync, uncompressSync }, inputs) => {
    const packed = inputs.map((input) => Buffer.from(compressSync(input)));
    return (i) => uncompressSync(packed[i % packed.length]);
  } },
  { name: '@node-rs/crc32', package: '@node-rs/crc32', bar: 2.5, prepare: (crc, inputs) => (i) => crc.crc32(inputs[i % inputs.length]) },
  { name: '@node-rs/xxhash xxh64', package: '@node-rs/xxhash', prepare: ({ xxh64 }, inputs) => (i) => xxh64(inputs[i % inputs.length]) },
  { name: 'xxhash-addon XXHash3', package: 'xxhash-addon', prepare: ({ XXHash3 }, inputs) => (i) => XXHash3.hash(inputs[i % inputs.length]) },
  { name: '@mongodb-js/zstd compress', package: '@mongodb-js/zstd', bar: 1.1, isAsync: true, prepare: ({ compress }, inputs) => (i) => compress(inputs[i % inputs.length]) },
  { name: '@napi-rs/canvas encodeSync jpeg', package: '@napi-rs/canvas', bar: 1.1, prepare: ({ createCanvas, ImageData }, inputs, images, bytes) => {
    const side = Math.floor(Math.sqrt(bytes / 4));
    const canvas = createCanvas(side, side);
    const context = canvas.getContext('2d');
    return (i) => {
      context.fillStyle = `rgb(${i % 256}, 100, 100)`;
      context.fillRect(i % side, 0, 50, side);
      return canvas.encodeSync('jpeg', 90);
    };
  } },
  { name: '@napi-rs/canvas getImageData', package: '@napi-rs/canvas', prepare: ({ createCanvas }, inputs, images, bytes) => {
    const side = Math.floor(Math.sqrt(bytes / 4));
    const context = createCanvas(side, side).getContext('2d');
    return (i) => {
      context.fillRect(i % side, 0, 50, side);
      return context.getImageData(0, 0, side, side).data;
    };
  } },
  { name: '@napi-rs/canvas decode PNG', package: '@napi-rs/canvas', bar: 1.1, isAsync: true, prepare: ({ loadImage }, inputs, images) =>
    async (i) => (await loadImage(images[i % images.length])).width },
  { name: 'sharp decode PNG', package: 'sharp', bar: 1.1, isAsync: true, prepare: (sharp, inputs, images) => {
    sharp.cache(false);
    return (i) => sharp(images[i % images.length]).raw().toBuffer();
  } },
];

/** The package afresh, with its addons loaded by `dlopen`. */
function requireWith(dlopen, name) {
  const known = new Set(Object.keys(require.cache));
  const before = process.dlopen;
  process.dlopen = dlopen;
  try {
    return require(name);
  } finally {
    process.dlopen = before;
    for (const file of Object.keys(require.cache)) if (!known.has(file)) delete require.cache[file];
  }
}

function makeLoader(load) {
  const { dlopen } = process;
  return {
    inProcess: (name) => requireWith(dlopen, name),
    isolated: (name) => requireWith((module, file) => { module.exports = load(file); }, name),
  };
}

async function first(work) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE / 1000} s`)), PATIENCE);
  });
  try {
    return await Promise.race([work(0), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** { run, result } or { reason }. */
async function prepare(work, require_, { inputs, images, bytes }) {
  try {
    const run = work.prepare(require_(work.package), inputs, images, bytes);
    return { run, result: await first(run) };
  } catch (error) {
    return { reason: String(error?.message ?? error).split('\n')[0].slice(0, 150) };
  }
}

function same(a, b) {
  return ArrayBuffer.isView(a) ? Buffer.compare(Buffer.from(a.buffer, a.byteOffset, a.byteLength), Buffer.from(b.buffer, b.byteOffset, b.byteLength)) === 0 : a === b;
}

/** Nanoseconds of one call over about `ms`. */
async function time(run, isAsync, ms) {
  const start = now();
  let count = 0;
  do {
    if (isAsync) await run(count++);
    else run(count++);
  } while (now() - start < ms * 1e6);
  return (now() - start) / count;
}

async function measure(work, loader, options) {
  const ways = { inProcess: await prepare(work, loader.inProcess, options), isolated: await prepare(work, loader.isolated, options) };
  const { name, bar } = work;
  for (const [way, { reason }] of Object.entries(ways)) if (reason) return { name, bar, reason: `${way}: ${reason}` };
  if (!same(ways.inProcess.result, ways.isolated.result)) return { name, bar, reason: 'the two ways give different results' };
  const rounds = [];
  // The first round is for warming up.
  for (let round = -1; round < options.rounds; round++) {
    const times = {};
    for (const [way, { run }] of Object.entries(ways)) times[way] = await time(run, work.isAsync, options.ms);
    if (round >= 0) rounds.push(times);
  }
  const median = (of) => quantile(rounds.map(of), 0.5);
  return {
    name, bar, inProcess: median((t) => t.inProcess), isolated: median((t) => t.isolated), ratio: median((t) => t.isolated / t.inProcess), rounds,
  };
}

function format({ name, bar, reason, inProcess, isolated, ratio }) {
  const bound = bar === undefined ? '-' : bar.toFixed(2);
  if (reason) return [name, '-', '-', '-', bound, ''];
  return [name, formatTime(inProcess), formatTime(isolated), ratio.toFixed(2), bound, bar === undefined ? '' : ratio <= bar ? 'ok' : 'MISSED'];
}

async function measureTogether(selected, options) {
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(options.build);
  const { load } = require('..');
  const loader = makeLoader(load);
  const inputs = Array.from({ length: options.inputs }, (_, i) => makeInput(options.bytes, i + 1));
  const images = Array.from({ length: options.inputs }, (_, i) => makePng(options.bytes, i + 1));
  const rows = [];
  for (const work of selected) rows.push(await measure(work, loader, { ...options, inputs, images }));
  return rows;
}

/** The row of a work that a process of its own measures, which writes it to its descriptor 3. */
function measureApart({ name, bar }) {
  const args = [...process.execArgv, __filename, ...process.argv.slice(2), '--work', name];
  const { output, status, signal } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  return status === 0 ? JSON.parse(output[3]) : { name, bar, reason: `its process ended with ${signal ?? status}` };
}

async function main() {
  const options = orUsage(USAGE, readOptions);
  if (options.work !== undefined) {
    const [row] = await measureTogether(works.filter(({ name }) => name === options.work), options);
    fs.writeFileSync(3, JSON.stringify(row));
    process.exit(); // addons with threads of their own must not keep it from its end
  }
  const selected = works.filter(({ name }) => name.includes(options.only));
  const rows = options.together ? await measureTogether(selected, options) : selected.map(measureApart);
  console.log(`Node ${process.version}, ${os.availableParallelism()} CPUs, load ${os.loadavg()[0].toFixed(2)}, ${options.bytes} bytes, ${options.inputs} input(s)\n`);
  console.log(formatTable(['work', 'in-process', 'isolated', 'ratio', 'bar', ''], rows.map(format)).replace(/ +$/gm, ''));
  for (const { name, reason } of rows) if (reason) console.log(`\n${name}: not available: ${reason}`);
  fs.mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
  const { bytes, inputs } = options;
  fs.writeFileSync(options.out, `${JSON.stringify({ node: process.version, cpus: os.availableParallelism(), load: os.loadavg(), bytes, inputs, rows }, null, 2)}\n`);
  process.exit(options.check && rows.some(({ ratio, bar }) => ratio > bar) ? 1 : 0);
}

main();
