'use strict';
// Random programs of Node-API calls, each run by an addon in this process and by the same addon isolated: their transcripts must be equal.
//
//   node tests/random/run.js [--start N] [--count N] [--seconds S] [--seed N] [--print]
//
//   --start N    the first seed (1)
//   --count N    how many programs (10000)
//   --seconds S  stop after so many seconds, however many programs that were
//   --seed N     one program: --start N --count 1
//   --print      print the programs and their transcripts, not only what differs
//
// Exit code: 0 when nothing differs, 1 when something does, 2 when the arguments are wrong. A difference is printed with its seed, the program made
// as small as possible, one line a call, and the first lines of the two transcripts that are not the same.
//
// How it works
//   plan.js        every function of the table (proto/napi.proto), with its parameters' kinds by their types in the headers
//   exclusions.js  what is left out, and why
//   calls.js       makes the interpreter's cases, one a function, when the addons are built; the rest of it is *.c here and tests/addons/random.c
//   generate.js    makes a program from a seed (kinds.js: what fits where; pools.js: constants; world.js,
//                  code.js, things.js: the JavaScript values that it finds; recipes.js: calls that belong together)
//   encode.js      a program as words for the interpreter, and as lines for people
//   execute.js     runs one on both sides; observe.js describes the values that it has
//   child.js       does that for many, in a process of its own (children.js); shrink.js makes what differs smaller
//   explore.js     starts those, and checks what they find in fresh processes
//
// A new function of Node-API takes part by itself when the table has it. One whose parameters are of an unknown type is named by
// tests/js/random.test.js: teach plan.js and calls.js the type, or put the function into exclusions.js with the reason.
//
// What the addon prints for a seed while it runs, should it not come to its end: NAPI_RANDOM_PRINT=1.
const { readPlan } = require('./plan.js');
const { flag, number, orUsage, parseOptions } = require('../../scripts/options');

const USAGE = 'node tests/random/run.js [--start N] [--count N] [--seconds S] [--seed N] [--print]';

function readOptions(args) {
  const least = 0;
  const { start, count, seconds, seed, print } = parseOptions({
    start: number(undefined, { least }), count: number(), seconds: number(undefined, { fraction: true }), seed: number(undefined, { least }), print: flag,
  }, args);
  if (seed !== undefined && (start !== undefined || count !== undefined)) throw new Error('--seed is --start and --count in one');
  if (seed !== undefined) return { start: seed, count: 1, seconds, print };
  return { start: start ?? 1, count: count ?? (seconds === undefined ? 10_000 : Number.MAX_SAFE_INTEGER), seconds, print };
}

async function printPrograms({ start, count }) {
  const { Runner } = require('./execute.js');
  const { functions } = readPlan();
  const { format } = require('./encode.js');
  const { ask } = require('./children.js');
  const runner = new Runner('inProcess');
  for (let seed = start; seed < start + count; seed++) {
    console.log(format(runner.generate(seed), functions).join('\n'));
    for (const sides of ['inProcess', 'isolated']) {
      const { transcript, died, stderr } = await ask({ kind: 'transcript', sides, seeds: [seed] });
      console.log(`\n---- ${sides}\n${died ? `Node ended\n${stderr}` : transcript}`);
    }
  }
}

function describe(finding) {
  const { format } = require('./encode.js');
  const [seed, ...more] = finding.seeds;
  const lines = [`\nseed ${seed}${more.length > 0 ? ` and ${more.length} more` : ''}: ${finding.sort}`];
  if (finding.before) lines.push(`only after seeds ${finding.before.join(' ')}`);
  if (finding.program) lines.push(...format(finding.program, readPlan().functions));
  if (finding.text) lines.push(finding.text);
  const { before, inProcess, isolated } = finding.difference ?? {};
  if (finding.difference) lines.push('transcript:', ...before.map((line) => `    ${line}`));
  if (finding.difference) lines.push(`  in-process: ${inProcess}`, `  isolated:   ${isolated}`);
  return lines.join('\n');
}

async function main(args) {
  const options = orUsage(USAGE, () => readOptions(args));
  const { explore } = require('./explore.js');
  if (options.print) await printPrograms(options);
  const { programs, findings, notes } = await explore(options);
  for (const finding of findings) console.log(describe(finding));
  for (const line of notes) console.log(line);
  const count = findings.length === 0 ? 'no' : `${findings.length} sort${findings.length > 1 ? 's' : ''} of`;
  console.log(`${programs} programs, ${count} difference`);
  return findings.length === 0 ? 0 : 1;
}

module.exports = { describe };

if (require.main === module) {
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
