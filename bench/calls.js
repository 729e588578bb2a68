'use strict';
// What a call costs, each way side by side in one process and in the same minutes:
//
//   node bench/calls.js [--rounds N] [--ms N] [--build DIR] [--out FILE]
//
// The rounds go through all the ways in turn, so that whatever else the machine does hits all alike. The median is that of the means of
// batches; the 99th percentile that of calls timed one by one, less what reading the clock costs. `taskset -c 0 node bench/calls.js`
// measures on one CPU; the ping-pongs that need two are then left out.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { clockCost, quantile, makeLoop, sample, sampleSync, formatTime, formatTable } = require('./lib/measure');
const ways = require('./lib/ways');
const { number, text, orUsage, parseOptions } = require('../scripts/options');

const root = path.join(__dirname, '..');

function readOptions() {
  return orUsage('node bench/calls.js [--rounds N] [--ms N] [--build DIR] [--out FILE]', () => parseOptions({
    rounds: number(5),
    ms: number(200),
    build: text(path.join(root, 'build', 'release')),
    out: text(path.join(__dirname, 'results', 'calls.json')),
  }));
}

const calls = { noop: [], add: ['1.5', '2'] };

// One row for each call of a way that JavaScript makes.
function rowsOf(name, way, { batch, isAsync = false, warmup }) {
  return Object.keys(calls).map((call) => ({
    name: `${name}, ${call}()`, key: `${name === 'fork, two cores' ? 'fork-far' : name}:${call}`, batch, isAsync, warmup,
    loop: makeLoop(calls[call], isAsync)(way[call]),
    batches: [], singles: [], enter: way.enter, leave: way.leave,
  }));
}

function pingpongRow(name, key, program, kind) {
  return { name, key, batches: [], singles: [], run: (ms) => ways.pingpong(program, kind, ms) };
}

async function runRow(row, ms, cost) {
  if (row.run) {
    const times = row.run(ms);
    row.missing = times === null;
    for (const time of times?.batches ?? []) row.batches.push(time);
    for (const time of times?.singles ?? []) row.singles.push(time);
  } else if (row.isAsync) {
    await sample(row.loop, row.batch, ms, row, cost);
  } else {
    sampleSync(row.loop, row.batch, ms, row, cost);
  }
}

async function checkAnswers(name, way) {
  const nothing = await way.noop();
  const sum = await way.add(1.5, 2);
  if (nothing !== undefined || sum !== 3.5) throw new Error(`${name} answers ${nothing} and ${sum}`);
}

// The promises that the design makes, told from this run's medians.
function judge(median, oneCpu) {
  const bars = [];
  const bar = (call, text, value, limit, atLeast) => {
    if (Number.isFinite(value)) bars.push({ call, text, value, limit, met: atLeast ? value >= limit : value <= limit });
  };
  for (const call of Object.keys(calls)) {
    const isolated = median(`isolated:${call}`);
    // Where the two processes of a fork sit is the scheduler's choice, unless they are put on a core each.
    if (oneCpu) {
      bar(call, 'times the socketpair ping-pong, at most', isolated / median('socket-near'), 2, false);
    } else {
      bar(call, 'times the shared-memory ping-pong, at most', isolated / median('shm'), 3, false);
      bar(call, 'times faster than the fork message between two cores, at least', median(`fork-far:${call}`) / isolated, 40, true);
      bar(call, 'times faster than the faster socketpair ping-pong, at least',
        Math.min(median('socket'), median('socket-near')) / isolated, 5, true);
    }
  }
  return bars;
}

async function main() {
  const options = readOptions();
  const file = path.join(options.build, 'addons', 'basic.node');
  const program = path.join(options.build, 'bench', 'pingpong');
  for (const needed of [file, program]) {
    if (!fs.existsSync(needed)) throw new Error(`${needed} is missing: build it with \`sh scripts/test\`, or name its folder with --build`);
  }
  process.env.NAPI_REMOTE_BUILD_DIR ??= path.resolve(options.build);
  const oneCpu = os.availableParallelism() === 1;
  const cost = clockCost();
  const open = {
    'in-process': ways.inProcess(file), isolated: ways.isolated(file),
    fork: ways.forkMessage(), worker: ways.syncWorker(), ...(!oneCpu && { 'fork, two cores': ways.forkMessage(['0', '1']) }),
  };
  for (const [name, way] of Object.entries(open)) await checkAnswers(name, way);

  const rows = [
    ...rowsOf('in-process', open['in-process'], { batch: 64, warmup: 20000 }),
    ...rowsOf('isolated', open.isolated, { batch: 64, warmup: 20000 }),
    ...rowsOf('fork', open.fork, { batch: 8, isAsync: true, warmup: 500 }),
    ...(oneCpu ? [] : rowsOf('fork, two cores', open['fork, two cores'], { batch: 8, isAsync: true, warmup: 500 })),
    ...rowsOf('worker', open.worker, { batch: 16, warmup: 500 }),
    pingpongRow('ping-pong, shared memory', 'shm', program, 'shm'),
    pingpongRow('ping-pong, socketpair, two cores', 'socket', program, 'socket'),
    pingpongRow('ping-pong, socketpair, one core', 'socket-near', program, 'socket-near'),
  ];
  for (const row of rows) if (row.loop) await row.loop(row.warmup);
  const before = open.isolated.host?.counts?.();
  for (let round = 0; round < options.rounds; round++) {
    for (const row of rows) {
      row.enter?.();
      await runRow(row, options.ms, cost);
      row.leave?.();
    }
  }
  const after = open.isolated.host?.counts?.();
  for (const way of Object.values(open)) way.close();

  const summary = rows.map((row) => ({
    key: row.key, name: row.name, medianNs: quantile(row.batches, 0.5), p99Ns: quantile(row.singles, 0.99),
    batches: row.batches.length, batchSize: row.batch ?? 64,
  }));
  const median = (key) => summary.find((row) => row.key === key)?.medianNs;
  for (const row of summary) row.ratio = row.medianNs / median('shm');
  report(summary, judge(median, oneCpu), { options, oneCpu, cost, counts: { before, after } });
}

function report(summary, bars, { options, oneCpu, cost, counts }) {
  const ratio = (value) => (Number.isFinite(value) ? `${value.toFixed(value < 10 ? 2 : 0)}x` : '-');
  console.log(`Node ${process.version}, ${os.cpus()[0]?.model ?? os.arch()}, ` +
    (oneCpu ? 'ONE CPU (pinned, or the machine has no more)' : `${os.availableParallelism()} CPUs, not pinned`) +
    `, load ${os.loadavg()[0].toFixed(2)}, ${options.rounds} rounds of ${options.ms} ms a row\n`);
  console.log(formatTable(['', 'median', 'p99', 'to shared memory'],
    summary.map((row) => [row.name, formatTime(row.medianNs), formatTime(row.p99Ns), ratio(row.ratio)])));
  console.log(`\nmedian: of batches; p99: of single calls, less ${cost} ns that the clock costs in JavaScript\n`);
  for (const bar of bars) {
    console.log(`${bar.met ? 'met ' : 'MISSED'}  isolated ${bar.call}(): ${bar.value.toFixed(2)} ${bar.text} ${bar.limit}`);
  }
  fs.mkdirSync(path.dirname(path.resolve(options.out)), { recursive: true });
  const about = {
    node: process.version, cpu: os.cpus()[0]?.model, cpus: os.availableParallelism(), oneCpu, load: os.loadavg(),
    rounds: options.rounds, ms: options.ms, clockCostNs: cost, counts,
  };
  const json = { about, rows: summary, bars };
  fs.writeFileSync(options.out, `${JSON.stringify(json, (_, value) => (typeof value === 'bigint' ? Number(value) : value), 2)}\n`);
  console.log(`\n${path.relative(process.cwd(), options.out)} has these numbers as JSON.`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
