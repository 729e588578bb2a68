'use strict';
// The process that run.js starts: rounds of the seed and those after it, until the time is over or so many were run. Prints one line of JSON.
const { mix } = require('./lane.js');
const { runRound } = require('./round.js');

async function main({ file, seed, rounds, seconds, steps, workers, large, patience }) {
  const addon = { exports: {} };
  process.dlopen(addon, file);
  const total = { rounds: 0, steps: 0, digest: 0, wrong: [] };
  const start = performance.now();
  let lanes = [], progress = 0, seen = -1;
  const watchdog = setInterval(() => {
    if (progress === seen) {
      console.error(`no progress in round ${seed + total.rounds}:\n${lanes.map((lane) => `  lane at step ${lane.steps}: ${lane.doing}`).join('\n')}`);
      process.exit(3);
    }
    seen = progress;
  }, patience);
  const isOver = () => (seconds === undefined ? total.rounds >= rounds : performance.now() - start >= seconds * 1000);
  while (!isOver() && total.wrong.length === 0) {
    lanes = [];
    const result = await runRound(addon.exports, file, seed + total.rounds, { steps, workers, large, lanes, progress: () => progress++ });
    total.rounds++;
    total.steps += result.steps;
    total.digest = mix(total.digest, result.digest);
    total.wrong.push(...result.wrong);
  }
  clearInterval(watchdog);
  console.log(JSON.stringify(total));
}

main(JSON.parse(process.argv[2]));
