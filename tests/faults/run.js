'use strict';
// node tests/faults/run.js [--all [--part I/N] | --points N] [--seed S] [--scene NAME] [--mode NAME] [--frame N] [--jobs N]
// Fails hosts on purpose, everywhere (--all, an hour of processor time) or at chosen points, and tells of those that did not end as they should.
const { allPoints, choose, countFrames, runPoints } = require('./points.js');
const { flag, number, text, orUsage, parseOptions } = require('../../scripts/options');

const USAGE = 'node tests/faults/run.js [--all [--part I/N] | --points N] [--seed S] [--scene NAME] [--mode NAME] [--frame N] [--jobs N]';

function readOptions() {
  const options = parseOptions({
    all: flag, points: number(300), seed: number(1, { least: 0 }), jobs: number(1), part: text('1/1'), scene: text(), mode: text(), frame: number(undefined, { least: 0 }),
  });
  const [part, parts] = options.part.split('/').map(Number);
  if (!/^\d+\/\d+$/.test(options.part) || part < 1 || part > parts) throw new Error(`--part takes one of the parts and their number, as 2/3, not "${options.part}"`);
  return { ...options, part, parts };
}

function report(ended) {
  const fired = ended.filter((point) => point.fired);
  const failed = ended.filter((point) => point.failure !== undefined);
  for (const { scene, mode, frame, seed, failure } of failed) console.log(`FAILED --scene ${scene} --mode ${mode} --frame ${frame} --seed ${seed}\n${failure}\n`);
  const codes = {};
  for (const point of fired) {
    for (const code of point.codes.length === 0 ? ['no error'] : point.codes) codes[code] = (codes[code] ?? 0) + 1;
  }
  const times = fired.filter((point) => !point.wasEnded).map((point) => point.ms).sort((a, b) => a - b);
  console.log(`${ended.length} points, ${fired.length} reached, ${failed.length} failed; ${fired.length - times.length} hosts stood still and were ended`);
  console.log(`from the fault to the end of the scene: median ${times[times.length >> 1]?.toFixed(1)} ms, most ${times.at(-1)?.toFixed(1)} ms`);
  console.log(codes);
  const { resources } = ended.findLast((point) => point.resources !== undefined) ?? {};
  console.log(`at the end of the last process: ${JSON.stringify(resources)}`);
}

async function main() {
  const { seed, jobs, part, parts, ...values } = orUsage(USAGE, readOptions);
  let points = allPoints(await countFrames(), seed);
  if (values.scene !== undefined) points = points.filter(({ scene }) => scene === values.scene);
  if (values.mode !== undefined) points = points.filter(({ mode }) => mode === values.mode);
  if (values.frame !== undefined) points = points.filter(({ frame }) => frame === values.frame).map((point) => ({ ...point, seed }));
  if (!values.all && values.frame === undefined) points = choose(points, values.points, seed);
  points = points.filter((_point, i) => i % parts === part - 1);
  const ended = [];
  const shares = Array.from({ length: jobs }, (_, job) => points.filter((_point, i) => i % jobs === job));
  await Promise.all(shares.map((share) => runPoints(share, (point) => ended.push(point))));
  report(ended);
  process.exitCode = ended.some((point) => point.failure !== undefined) ? 1 : 0;
}

main();
