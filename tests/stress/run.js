'use strict';
// Everything at once, for as long as you like: sync calls that nest and throw, bytes that both sides write, async works, cancelled or not, threads that call
// threadsafe functions, promises that threads settle, collections, and Workers that end, exit or are terminated in the middle. Every step knows what it must come to.
//
//   node tests/stress/run.js [--seconds S] [--rounds N] [--seed N] [--steps N] [--large] [--no-workers] [--in-process] [--build DIR] [--host DIR]
//
//   --seconds S   go on for so long (60)
//   --rounds N    so many rounds instead
//   --seed N      of the first round; each round takes the next one (1)
//   --steps N     of each lane of a round (60)
//   --large       Buffers of up to 400 KB as well: more than what the README promises to be seen at once
//   --no-workers  the main thread only
//   --in-process  without napi-remote: for the test of the test
//   --build DIR   the build folder (NAPI_REMOTE_BUILD_DIR, build/release). Of one with AddressSanitizer the library is preloaded into Node.
//   --host DIR    take the host from another build folder: the agent of one under ThreadSanitizer does not load into Node, its host works with any agent
//
// Exit code: 0 when all was as it must be, 1 when not (the lines say what, with the round's seed), 2 when the arguments are wrong.
//
// lane.js is the random work and its model, round.js runs lanes and Workers, child.js many rounds; tests/addons/stress.c is the addon.
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { flag, number, text, orUsage, parseOptions } = require('../../scripts/options');

const USAGE = 'node tests/stress/run.js [--seconds S] [--rounds N] [--seed N] [--steps N] [--large] [--no-workers] [--in-process] [--build DIR] [--host DIR]';
const root = path.join(__dirname, '..', '..');
/** Without any step for so long is a hang, also under sanitizers on a busy machine. */
const PATIENCE = 60_000;

function readOptions(args) {
  const { seconds, rounds, host, build, 'no-workers': alone, 'in-process': inProcess, ...others } = parseOptions({
    seconds: number(), rounds: number(), seed: number(1, { least: 0 }), steps: number(60), large: flag, 'no-workers': flag, 'in-process': flag,
    build: text(process.env.NAPI_REMOTE_BUILD_DIR ?? path.join(root, 'build', 'release')), host: text(),
  }, args);
  if (seconds !== undefined && rounds !== undefined) throw new Error('either --seconds or --rounds');
  return {
    ...others, workers: !alone, inProcess, ...(rounds === undefined ? { seconds: seconds ?? 60 } : { rounds }),
    build: path.resolve(build), host: host === undefined ? undefined : path.resolve(host),
  };
}

/** The sanitizers of a build folder, as in -fsanitize=. */
function sanitizers(build) {
  const cache = fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'utf8');
  return /^NR_SANITIZE:[A-Z]+=(.*)$/m.exec(cache)?.[1].split(',') ?? [];
}

/** A folder like `build`, but with the host of another. */
function combine(build, host) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-stress-'));
  fs.symlinkSync(path.join(build, 'agent.node'), path.join(folder, 'agent.node'));
  fs.symlinkSync(path.join(host, 'napi-remote-host'), path.join(folder, 'napi-remote-host'));
  return folder;
}

/** What sanitizers need: ASan a place before all other libraries, and no reports about what Node itself leaves behind; TSan to know what it cannot see. */
function sanitizerEnvironment(build, host) {
  const environment = {};
  if (sanitizers(build).includes('address')) {
    environment.LD_PRELOAD = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
    environment.ASAN_OPTIONS = `detect_leaks=0:${process.env.ASAN_OPTIONS ?? ''}`;
  }
  if (sanitizers(host).includes('thread')) {
    environment.TSAN_OPTIONS = `suppressions=${path.join(__dirname, 'tsan.supp')}:${process.env.TSAN_OPTIONS ?? ''}`;
  }
  return environment;
}

/** Runs Node to its end: {code, signal, stdout, stderr}; `hears` gets what comes on stderr at once. */
async function runNode(args, { env, timeout, hears }) {
  const child = spawn(process.execPath, args, { env, timeout, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => { said[name] += text; });
  if (hears !== undefined) child.stderr.on('data', hears);
  const [code, signal] = await once(child, 'close');
  return { code, signal, ...said };
}

/** {code, signal, report, output}: `report` is what child.js printed, `output` all else, a sanitizer's words about the host among it. */
async function run({ build, host, inProcess, hears, ...options }) {
  const folder = host === undefined ? build : combine(build, host);
  try {
    const file = path.join(build, 'addons', 'stress.node');
    const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...environment } = process.env;
    const args = [
      '--expose-gc', ...(inProcess ? [] : ['-r', path.join(root, 'server', 'register.js')]), path.join(__dirname, 'child.js'),
      JSON.stringify({ ...options, file, patience: PATIENCE }),
    ];
    const env = { ...environment, ...(inProcess ? {} : sanitizerEnvironment(build, host ?? build)), NAPI_REMOTE_BUILD_DIR: folder };
    const { code, signal, stdout, stderr } = await runNode(args, { env, hears, timeout: (options.seconds ?? 0) * 1000 + 10 * PATIENCE });
    const isWhole = code === 0 && stdout.startsWith('{');
    return { code, signal, report: isWhole ? JSON.parse(stdout) : undefined, output: `${isWhole ? '' : stdout}${stderr}` };
  } finally {
    if (folder !== build) fs.rmSync(folder, { recursive: true });
  }
}

async function main(args) {
  const options = orUsage(USAGE, () => readOptions(args));
  const { code, signal, report, output } = await run({ ...options, hears: (text) => process.stderr.write(text) });
  if (report === undefined) console.log(`Node ended with ${signal ?? code}`);
  for (const line of report?.wrong ?? []) console.log(line);
  if (report !== undefined) console.log(`${report.rounds} rounds from seed ${options.seed}, ${report.steps} steps, ${report.wrong.length} wrong, digest ${report.digest}`);
  return report?.wrong.length === 0 && output === '' ? 0 : 1;
}

module.exports = { run };

if (require.main === module) {
  main(process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
