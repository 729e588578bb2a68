'use strict';
// Which Node-API functions took part in comparisons. The test addons count their calls in a file (tests/calls), those that reach Node and those in
// a host apart; a function that was called on both sides of a comparison has one compared assertion more.
//
//   node tests/js/support/coverage.js [BUILD]     prints the table over all test files that ran; exit 1 when it has gaps
const fs = require('node:fs');
const path = require('node:path');

/** Tells the addons of this process, and of those that it starts, where to count. */
const VARIABLE = 'NAPI_REMOTE_TEST_COUNTERS';
/** Fewer comparisons are not the whole suite. */
const COMPARISONS = 600;

const folder = (build) => path.join(build, 'results', 'calls');
const generated = (build, ...names) => JSON.parse(fs.readFileSync(path.join(build, 'generated', ...names), 'utf8'));

/** The counters of a test file's process. Processes below it share them, and have none of their own. */
class Counters {
  constructor(build) {
    this.names = generated(build, 'tests', 'counted.json');
    fs.mkdirSync(folder(build), { recursive: true });
    const file = path.join(folder(build), `${process.pid}.counters`);
    this.fd = fs.openSync(file, 'w+');
    fs.ftruncateSync(this.fd, 2 * 8 * this.names.length);
    process.env[VARIABLE] = file;
    this.totals = { comparisons: 0, functions: {} };
    process.on('exit', () => {
      fs.rmSync(file, { force: true });
      const report = path.join(folder(build), `${path.basename(process.argv[1] ?? 'eval')}.json`);
      if (this.totals.comparisons > 0) fs.writeFileSync(report, `${JSON.stringify(this.totals, null, 1)}\n`);
    });
  }

  read() {
    const counts = new BigUint64Array(2 * this.names.length);
    fs.readSync(this.fd, counts, 0, counts.byteLength, 0);
    return counts;
  }

  /** {inProcess, isolated}: the functions that were called since `before`, which is a read(). */
  since(before) {
    const now = this.read();
    const called = (first) => new Set(this.names.filter((_, i) => now[first + i] !== before[first + i]));
    return { inProcess: called(0), isolated: called(this.names.length) };
  }

  /** One comparison, with these functions on its sides. */
  add(inProcess, isolated) {
    this.totals.comparisons++;
    for (const name of inProcess) if (isolated.has(name)) this.totals.functions[name] = (this.totals.functions[name] ?? 0) + 1;
  }
}

let counters;

/** To be called before anything is loaded. */
function startCounting(build) {
  if (counters === undefined && process.env[VARIABLE] === undefined) counters = new Counters(build);
}

/** Returns what is to be called when both sides of a comparison ran and came to the same. */
function comparison() {
  const before = counters?.read();
  return () => {
    if (counters === undefined) return;
    const { inProcess, isolated } = counters.since(before);
    counters.add(inProcess, isolated);
  };
}

const programs = new Map();

/** Runs a program (one side of a comparison), which `key` tells from others; when both sides have run they are one comparison. */
function side(key, isIsolated, run) {
  if (counters === undefined) return run();
  const before = counters.read();
  const result = run();
  const called = counters.since(before);
  const sides = programs.get(key) ?? {};
  // A program of the isolated side may also have addons in its own process, and either side may run more than once.
  if (isIsolated) sides.isolated = called.isolated;
  else sides.inProcess = called.inProcess;
  programs.set(key, sides);
  if (sides.inProcess && sides.isolated && !sides.isCounted) {
    sides.isCounted = true;
    counters.add(sides.inProcess, sides.isolated);
  }
  return result;
}

/** {comparisons, functions: Map(name -> compared assertions)} of all reports. */
function merge(build) {
  const total = { comparisons: 0, functions: new Map(generated(build, 'tests', 'counted.json').map((name) => [name, 0])) };
  if (!fs.existsSync(folder(build))) return total;
  for (const name of fs.readdirSync(folder(build)).filter((file) => file.endsWith('.json'))) {
    const { comparisons, functions } = JSON.parse(fs.readFileSync(path.join(folder(build), name), 'utf8'));
    total.comparisons += comparisons;
    for (const [of, count] of Object.entries(functions)) total.functions.set(of, (total.functions.get(of) ?? 0) + count);
  }
  return total;
}

/** Lines of as many columns as fit, read downwards. */
function columns(rows, width) {
  const count = Math.max(1, Math.floor(width / (rows[0].length + 3)));
  const height = Math.ceil(rows.length / count);
  const line = (at) => Array.from({ length: count }, (_, column) => rows[column * height + at] ?? '');
  return Array.from({ length: height }, (_, at) => line(at).join('   ').trimEnd());
}

/** Which of these functions this Node does not have. */
function lacking(build, names) {
  const module = { exports: {} };
  process.dlopen(module, path.join(build, 'addons', 'raw.node'));
  return new Set(names.filter((name) => !module.exports.has(name)));
}

function printTable(build) {
  const { comparisons, functions } = merge(build);
  const lacks = lacking(build, [...functions.keys()]);
  const sorted = [...functions].filter(([name]) => !lacks.has(name)).sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1));
  const wide = Math.max(...sorted.map(([name]) => name.length));
  const assertions = sorted.reduce((sum, [, count]) => sum + count, 0);
  const lines = columns(sorted.map(([name, count]) => `${name.padEnd(wide)} ${String(count).padStart(5)}`), process.stdout.columns ?? 150);
  const say = (text) => process.stdout.write(`${text}\n`);
  say(`Compared assertions by function\n${lines.join('\n')}`);
  say(`${assertions} compared assertions over ${sorted.length} functions, in ${comparisons} comparisons`);
  if (lacks.size > 0) say(`Not in Node ${process.version}: ${[...lacks].join(', ')}`);
  // What the table says is absent cannot come to the same as in Node yet, most of it.
  const table = generated(build, 'functions.json');
  const never = sorted.filter(([, count]) => count === 0).map(([name]) => name);
  const absent = never.filter((name) => table[name].kind === 'absent');
  const gaps = never.filter((name) => !absent.includes(name));
  if (absent.length > 0) say(`Absent in napi-remote, and never compared: ${absent.join(', ')}`);
  if (gaps.length > 0) say(`Never compared: ${gaps.join(', ')}`);
  if (comparisons < COMPARISONS) say(`There should be ${COMPARISONS} comparisons at least.`);
  return gaps.length === 0 && comparisons >= COMPARISONS;
}

module.exports = { startCounting, comparison, side };

if (require.main === module) {
  const build = process.argv[2] ?? path.join(__dirname, '..', '..', '..', 'build', 'release');
  process.exitCode = printTable(path.resolve(build)) ? 0 : 1;
}
