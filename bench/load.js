'use strict';
// What it costs to load an addon, in a fresh Node process each time, and how much memory its host takes:
//
//   node bench/load.js [--rounds N] [--build DIR] [--out FILE]
//
// Each round loads in-process and isolated in turn. The isolated time is that of the first load: it includes starting the host.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { quantile, formatTime, formatTable } = require('./lib/measure');
const { number, text, orUsage, parseOptions } = require('../scripts/options');

const root = path.join(__dirname, '..');

// Runs in the child: loads, and says how long it took and which process the host is.
function child(file, how) {
  const remote = how === 'in-process' ? null : require('..');
  const before = process.hrtime.bigint();
  const module = { exports: {} };
  const addon = remote ? remote.load(file) : (process.dlopen(module, file), module.exports);
  const ns = Number(process.hrtime.bigint() - before);
  if (addon.add(1.5, 2) !== 3.5) throw new Error(`${file} does not work`);
  console.log(JSON.stringify({ ns, memory: remote ? memoryOf(remote.hosts()[0].pid) : null }));
}

// Kilobytes of a process that it shares with no other, and of all that it has in memory.
function memoryOf(pid) {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const number = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)[1]);
  return { privateKb: number('Private_Clean') + number('Private_Dirty'), residentKb: number('Rss') };
}

function run(file, how) {
  const result = spawnSync(process.execPath, [__filename, '--child', how, file], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${how}: ${result.signal ?? result.status}\n${result.stderr}`);
  return JSON.parse(result.stdout);
}

function main() {
  const values = orUsage('node bench/load.js [--rounds N] [--build DIR] [--out FILE]', () => parseOptions({
    rounds: number(30),
    build: text(path.join(root, 'build', 'release')),
    out: text(path.join(__dirname, 'results', 'load.json')),
  }));
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(values.build);
  const file = path.resolve(values.build, 'addons', 'basic.node');
  const times = { 'in-process': [], isolated: [] };
  const memory = [];
  for (let round = 0; round < values.rounds; round++) {
    for (const how of Object.keys(times)) {
      const result = run(file, how);
      times[how].push(result.ns);
      if (result.memory) memory.push(result.memory);
    }
  }
  const rows = Object.entries(times).map(([how, ns]) => ({ how, medianNs: quantile(ns, 0.5), p99Ns: quantile(ns, 0.99) }));
  const privateKb = quantile(memory.map((m) => m.privateKb), 0.5);
  const residentKb = quantile(memory.map((m) => m.residentKb), 0.5);
  const extraNs = rows[1].medianNs - rows[0].medianNs;
  console.log(formatTable(['loading basic.node', 'median', 'p99'], rows.map((row) => [row.how, formatTime(row.medianNs), formatTime(row.p99Ns)])));
  console.log(`\n${extraNs < 15e6 ? 'met ' : 'MISSED'}  ${formatTime(extraNs)} more than in-process, at most 15 ms`);
  console.log(`${privateKb < 8192 ? 'met ' : 'MISSED'}  the host's private memory: ${privateKb} kB (resident ${residentKb} kB), at most 8192 kB`);
  fs.mkdirSync(path.dirname(path.resolve(values.out)), { recursive: true });
  fs.writeFileSync(values.out, `${JSON.stringify({ node: process.version, rows, extraNs, privateKb, residentKb }, null, 2)}\n`);
}

if (process.argv[2] === '--child') child(process.argv[4], process.argv[3]);
else main();
