'use strict';
// Starts the processes in which programs run.
const { fork } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

/** A young generation in which nothing is collected between the calls of gc(). */
const ARGUMENTS = ['--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64'];
/** A child that says nothing for so long hangs. */
const SILENCE_MS = 60_000;
const STDERR_BYTES = 4000;

/** Runs a task to its end: { code, signal, hung, seed (of the program it was at), stderr }. */
async function runTask(task, onMessage, silence = SILENCE_MS) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-random-'));
  const file = path.join(folder, 'place');
  fs.writeFileSync(file, Buffer.alloc(8));
  const place = fs.openSync(file, 'r+');
  const { NODE_TEST_CONTEXT, NODE_OPTIONS, ...env } = process.env;
  const child = fork(path.join(__dirname, 'child.js'), { execArgv: ARGUMENTS, stdio: ['ignore', 'inherit', 'pipe', place, 'ipc'], env });
  let stderr = '', hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill('SIGKILL');
  }, silence);
  child.stderr.on('data', (text) => {
    stderr = (stderr + text).slice(-STDERR_BYTES);
  });
  child.on('message', (message) => {
    timer.refresh();
    onMessage(message);
  });
  child.send(task, () => {});
  const [code, signal] = await new Promise((resolve) => {
    child.on('close', (...end) => resolve(end));
  });
  clearTimeout(timer);
  fs.closeSync(place);
  const seed = Number(fs.readFileSync(file).readBigInt64LE());
  fs.rmSync(folder, { recursive: true });
  return { code, signal, hung, seed, stderr };
}

/** What a task's only message says, and how the child ended. */
async function ask(task, silence) {
  let answer = {};
  const end = await runTask(task, (message) => {
    answer = message;
  }, silence);
  return { ...answer, ...end, died: end.hung || end.signal !== null || end.code !== 0 };
}

module.exports = { runTask, ask };
