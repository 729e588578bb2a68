'use strict';
// Which points there are, and running a list of them in processes of their own: should Node die of one, the next process goes on behind it.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const { MODES, isOfSocket } = require('./plan.js');
const scenes = require('./scenes.js');

/** Some scenes send a few frames more or less: work in the background comes when it comes. */
const SLACK = 3;
/** Of the control socket in the scene `joining`: the handshake, and two threads that join. */
const MESSAGES = 3;
/** There are few of those, and several sorts of some lies. */
const LIES = 8;
/** A process that says nothing for so long stands still, whatever the watchdog did. */
const SILENCE = 60_000;

/** Calls onLine for each line of JSON; {code, signal, silent}: how the child ended. */
function runChild(file, onLine) {
  const child = spawn(process.execPath, ['--expose-gc', path.join(__dirname, 'child.js'), file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  let silent = false;
  const giveUp = () => {
    silent = true;
    child.kill('SIGKILL');
  };
  let timer = setTimeout(giveUp, SILENCE);
  child.stderr.setEncoding('utf8').on('data', (text) => { words = (words + text).slice(-4000); });
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, SILENCE);
    onLine(JSON.parse(line));
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, silent, words });
    });
  });
}

/** Runs the points in order, in as few processes as can be; onEnd gets {…point, failure?} for each. */
async function runPoints(points, onEnd) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-faults-'));
  const file = path.join(folder, 'points.json');
  try {
    for (let left = points; left.length > 0;) {
      let ended = 0;
      fs.writeFileSync(file, JSON.stringify(left));
      const { code, signal, silent, words } = await runChild(file, ({ ends, fails, why }) => {
        if (ends === undefined && fails === undefined) return;
        ended++;
        onEnd(ends ?? { ...fails, failure: why });
      });
      if (ended < left.length || code !== 0) {
        const how = silent ? 'Node stands still' : `Node ended with ${signal ?? code}`;
        onEnd({ ...left[Math.min(ended, left.length - 1)], failure: `${how}\n${words}` });
        ended++;
      }
      left = left.slice(ended);
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** How many frames the host sends in each scene. */
async function countFrames() {
  const counts = {};
  await runPoints(Object.keys(scenes).map((scene) => ({ scene, mode: 'none', frame: 0, seed: 0 })), ({ scene, sent, failure }) => {
    if (failure !== undefined) throw new Error(`${scene} without a fault: ${failure}`);
    counts[scene] = sent;
  });
  return counts;
}

/** Every mode at every frame of every scene. */
function allPoints(counts, seed) {
  const points = [];
  for (const [scene, count] of Object.entries(counts)) {
    for (const mode of Object.keys(MODES)) {
      if (mode === 'none') continue;
      if (isOfSocket(mode) !== (scene === 'joining')) continue;
      if (isOfSocket(mode)) {
        for (let seed1 = seed; seed1 < seed + LIES; seed1++) {
          for (let frame = 1; frame <= MESSAGES; frame++) points.push({ scene, mode, frame, seed: seed1 });
        }
        continue;
      }
      for (let frame = 1; frame <= count + SLACK; frame++) points.push({ scene, mode, frame, seed: seed + frame });
    }
  }
  return points;
}

/** xorshift: the same choice for the same seed. */
function choose(points, number, seed) {
  const left = [...points];
  let state = (seed * 2654435761) >>> 0 || 1;
  for (let i = 0; i < number && i < left.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const at = i + ((state >>> 0) % (left.length - i));
    [left[i], left[at]] = [left[at], left[i]];
  }
  return left.slice(0, number);
}

module.exports = { allPoints, choose, countFrames, runPoints };
