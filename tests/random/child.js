'use strict';
// The process in which programs run, so that one that ends it is only a finding. Gets one task by message, answers with messages, and exits.
const fs = require('node:fs');
const { firstDifference } = require('./compare.js');
const { Runner } = require('./execute.js');
const { shrink } = require('./shrink.js');

/**
 * Programs between collections. None happens by itself in between (children.js gives the heap room), so that weak references are no matter of chance; and the
 * memory of which native code may have kept the address stays less than a host compares at every turn.
 */
const BATCH = 100;
const SHRINK_MS = 20_000;

/** Where the parent reads, when this process has ended, which program it was at. */
const PLACE = 3;
const place = Buffer.alloc(8);
function note(seed) {
  place.writeBigInt64LE(BigInt(seed));
  fs.writeSync(PLACE, place, 0, 8, 0);
}

/** The rest is for a new process: what belongs to the whole process cannot be put back, and nothing that needs it can be done. */
const SPOILED = 77;

const send = (message) => new Promise((resolve) => {
  process.send(message, resolve);
});

async function judge(runner, program) {
  runner.load([program]);
  const { inProcess, isolated } = await runner.run(program, 0);
  const difference = firstDifference(inProcess, isolated);
  if (difference !== null) runner.reopen();
  return difference;
}

/** What a seed's difference comes to: the smallest program that shows it, or that it does not show alone. */
async function explain(runner, program, first) {
  runner.reopen();
  const alone = await judge(runner, program);
  if (alone === null) return { type: 'unrepeated', seed: program.seed, difference: first };
  const end = performance.now() + SHRINK_MS;
  const isSame = async (candidate) => performance.now() < end && !runner.spoiled && (await judge(runner, candidate))?.sort === alone.sort;
  const small = await shrink(program, isSame);
  return { type: 'difference', seed: program.seed, program: small, difference: (await judge(runner, small)) ?? alone };
}

async function collect() {
  for (let i = 0; i < 2; i++) {
    global.gc();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function range({ start, count }) {
  const runner = new Runner();
  const known = new Set();
  let done = 0;
  while (done < count) {
    const first = start + done;
    const programs = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) => runner.generate(first + i));
    runner.load(programs);
    for (const [i, program] of programs.entries()) {
      note(program.seed);
      const { inProcess, isolated } = await runner.run(program, i);
      const difference = firstDifference(inProcess, isolated);
      done++;
      if (difference !== null) {
        const isNew = !known.has(difference.sort);
        known.add(difference.sort);
        await send(isNew ? await explain(runner, program, difference) : { type: 'again', seed: program.seed, difference });
        runner.reopen();
        runner.load(programs);
      }
      if (runner.spoiled) process.reallyExit(SPOILED);
    }
    await collect();
    await send({ type: 'at', done, counts: runner.counts() });
  }
  await send({ type: 'done', done, counts: runner.counts() });
}

/** Runs programs one after the other on one side; the last one's transcript. */
async function transcript({ programs, seeds, sides }) {
  const runner = new Runner(sides);
  const list = [...(seeds ?? []).map((seed) => runner.generate(seed)), ...(programs ?? [])];
  let result;
  for (const program of list) {
    note(program.seed);
    runner.load([program]);
    result = await runner.run(program, 0);
  }
  return send({ type: 'transcript', transcript: result[sides] });
}

const tasks = { range, transcript };

module.exports = { SPOILED };

if (require.main === module) process.once('message', async (task) => {
  await tasks[task.kind](task);
  process.exit();
});
