'use strict';
// What calls cost that come after a pause, as in a program that works now and then, in-process against isolated:
//
//   node bench/bursts.js [--calls N] [--pause MS] [--bursts N] [--build DIR]
//
// Each burst is a row of `noop()` after a pause; the times are per call, of the whole burst and of its first call.
const path = require('node:path');
const { setTimeout: pause } = require('node:timers/promises');
const { quantile, formatTime, formatTable } = require('./lib/measure');
const ways = require('./lib/ways');
const { number, text, orUsage, parseOptions } = require('../scripts/options');

const root = path.join(__dirname, '..');
const now = () => Number(process.hrtime.bigint());

function readOptions() {
  return orUsage('node bench/bursts.js [--calls N] [--pause MS] [--bursts N] [--build DIR]', () => parseOptions({
    calls: number(300),
    pause: number(30, { least: 0 }),
    bursts: number(60),
    build: text(path.join(root, 'build', 'release')),
  }));
}

async function burst({ noop }, options) {
  await pause(options.pause);
  const start = now();
  noop();
  const first = now() - start;
  for (let i = 1; i < options.calls; i++) noop();
  return { first, each: (now() - start) / options.calls };
}

async function main() {
  const options = readOptions();
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(options.build);
  const file = path.join(options.build, 'addons', 'basic.node');
  const open = { 'in-process': ways.inProcess(file), isolated: ways.isolated(file) };
  const times = Object.fromEntries(Object.keys(open).map((name) => [name, []]));
  for (let i = 0; i < options.bursts; i++) for (const [name, way] of Object.entries(open)) times[name].push(await burst(way, options));
  const row = (name, of) => [name, ...Object.values(times).flatMap((list) => [0.5, 0.9].map((at) => formatTime(quantile(list.map(of), at))))];
  console.log(formatTable([`bursts of ${options.calls}, ${options.pause} ms apart`, 'in-process', '90%', 'isolated', '90%'], [
    row('each call', ({ each }) => each), row('the first call', ({ first }) => first)]));
}

main();
