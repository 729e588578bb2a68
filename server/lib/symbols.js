'use strict';
// Names for the frames of a crash, asked of napi-remote-symbols (symbols/main.c): whatever is in the files, it is not this process that reads them.
const path = require('node:path');

const MILLISECONDS = 10000;
const MOST = 16 << 20;

function buildFile(name) {
  const { buildDirectory } = require('./agent.js');
  return path.join(buildDirectory(), name);
}

function hostFile() {
  return buildFile('napi-remote-host');
}

/** The lines that the program answers; [] when it cannot be run. */
function ask(questions) {
  const { spawnSync } = require('node:child_process');
  try {
    const { stdout } = spawnSync(buildFile('napi-remote-symbols'), [], {
      input: `${questions.join('\n')}\n`, encoding: 'utf8', env: {}, stdio: ['pipe', 'pipe', 'ignore'],
      timeout: MILLISECONDS, killSignal: 'SIGKILL', maxBuffer: MOST,
    });
    return typeof stdout === 'string' ? stdout.split('\n') : [];
  } catch {
    return []; // the program may not start others (node --permission)
  }
}

/** The module that an address is in, as far as its beginning tells. */
function moduleOf(modules, address) {
  let found;
  for (const module of modules) {
    if (module.base <= address && (found === undefined || module.base > found.base)) found = module;
  }
  return found;
}

function hex(number) {
  return `0x${number.toString(16).padStart(16, '0')}`;
}

/** {pc, symbol, ...} for each frame, in Node's form: `function [file]`. */
function namesOf({ frames, modules }) {
  const known = modules.map(({ base, buildId, path: file }) => ({ base: BigInt(base), buildId, file: file || hostFile() }))
    .filter(({ file }) => path.isAbsolute(file) && !/[\n\r]/.test(file));
  const questions = known.map(({ base, buildId, file }) => `m ${base.toString(16)} ${buildId || '-'} ${file}`);
  // A return address is behind the call, which may have been the last of its function.
  const addresses = frames.map((frame, i) => BigInt(frame) - (i > 0 && frame !== '0x0' ? 1n : 0n));
  const answers = ask([...questions, ...addresses.map((address) => `f ${address.toString(16)}`)]);
  return frames.map((frame, i) => {
    const [name = '', offset = '', source = '', line = '', from = '', ...inlined] = (answers[i] ?? '').split('\t');
    const module = from !== '' ? from : moduleOf(known, addresses[i])?.file;
    return {
      pc: hex(BigInt(frame)),
      symbol: `${name} [${module ?? ''}]`,
      ...(name === '' ? {} : { function: name, offset: Number(offset) + (i > 0 ? 1 : 0) }),
      ...(module === undefined ? {} : { module }),
      ...(source === '' ? {} : { source: `${source}:${line}` }),
      ...(inlined.length === 0 ? {} : { inlined }),
    };
  });
}

module.exports = { hostFile, namesOf };
