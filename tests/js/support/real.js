'use strict';
// Published addons, compared: a function exercises one in a child process without and in one with napi-remote/register, and what it
// records must be the same. Here is the side of the test; real-kit.js is the side of the child.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const util = require('node:util');
const { start } = require('./child.js');

/** Runs in both kinds of child. `source` is a function of the kit of real-kit.js, async or not; what it records goes to `file`. */
async function exerciseIn(kit, kitFile, file, name, source, given) {
  const tools = require(kitFile)(kit, name, given);
  const exercise = require('node:vm').runInThisContext(`(${source})`, { filename: `exercise of ${name}` });
  await exercise(tools);
  tools.finish(file);
}

async function run({ name, given = {}, exercise }, isolated) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-real-'));
  try {
    const file = path.join(folder, 'records.json');
    const args = [path.join(__dirname, 'real-kit.js'), file, name, String(exercise), given];
    const { child, closed } = start(exerciseIn, { args, isolated, nodeArgs: ['--expose-gc'], stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    const { code, signal } = await closed;
    if (code !== 0) throw new Error(`the exercise of ${name} ended with ${signal ?? code}:\n${stderr}`);
    if (!fs.existsSync(file)) throw new Error(`the exercise of ${name} ended while it waited for something:\n${stderr}`);
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf({ value, reason }) {
  if (reason !== undefined) throw reason;
  return value;
}

/** How many calls returned or were fulfilled, how many threw or were rejected. Too few of either: the exercise has stopped to test anything. */
function countOf({ records }) {
  const errors = records.filter(({ outcome }) => outcome !== null && typeof outcome === 'object' && 'threw' in outcome).length;
  return { values: records.length - errors, errors };
}

function assertRanInProcess(name, result, { values, errors }) {
  const counts = countOf(result);
  assert.ok(counts.values >= values && counts.errors >= errors, `${name}: ${JSON.stringify(counts)} recorded, fewer than expected`);
  assert.equal(result.hosts, 0);
  assert.notDeepEqual(result.mappedHere, [], 'the addon is not in this process');
}

function assertRanIsolated(result, inProcess) {
  assert.equal(result.hosts, 1);
  assert.deepEqual(result.mappedHere, [], 'the addon is in the process of Node');
  assert.deepEqual(result.mappedThere, inProcess.mappedHere);
}

function assertSame(actual, expected) {
  const show = (value) => util.inspect(value, { depth: 8, maxStringLength: 300, maxArrayLength: 20, breakLength: 150 }).slice(0, 3000);
  for (const [index, { call, outcome }] of expected.records.entries()) {
    const other = actual.records[index];
    if (util.isDeepStrictEqual(other, { call, outcome })) continue;
    assert.fail(`record ${index}, of ${expected.calls[call]}\n  in-process: ${show(outcome)}\n  isolated:   ${show(other?.outcome)}`
      + (other?.call === call ? '' : `\n  isolated, it is of ${actual.calls[other?.call]}`));
  }
  assert.equal(actual.records.length, expected.records.length);
}

/**
 * Two tests of what `exercise(kit)` records: that the addon answers at all, and that it answers the same isolated. The function is run
 * from its source, so it sees nothing around it but what is `given`, in a form that JSON can carry; what it promises is awaited. `values`
 * and `errors` are the least numbers of calls that succeed and fail.
 */
function compareAddon(name, { values, errors, what = '', given }, exercise) {
  const title = `${name}${what && `, ${what}`}`;
  const subject = { name, given, exercise };
  let runs;
  // Both at once, when the first test is at it.
  const both = () => (runs ??= Promise.allSettled([false, true].map((isolated) => run(subject, isolated))));
  test(`${title} runs`, async () => {
    const [inProcess] = await both();
    assertRanInProcess(name, resultOf(inProcess), { values, errors });
  });
  test(`${title} answers as in-process`, async () => {
    const [inProcess, isolated] = (await both()).map(resultOf);
    assertSame(isolated, inProcess);
    assertRanIsolated(isolated, inProcess);
  });
}

module.exports = { compareAddon };
