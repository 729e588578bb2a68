'use strict';
// Runs points, {scene, mode, frame, seed}, one after the other in this process: each with a host that fails, beside one that does not.
const assert = require('node:assert/strict');
const path = require('node:path');
const { setImmediate: turn } = require('node:timers/promises');
const { Worker } = require('node:worker_threads');
const remote = require('../..');
const { getAgent } = require('../../server/lib/agent.js');
const { MODES, Plan } = require('./plan.js');
const { descriptors, endProcess, hostsBut, sharedMappings } = require('./processes.js');
const scenes = require('./scenes.js');

const build = path.resolve(process.env.NAPI_REMOTE_BUILD_DIR ?? path.join(__dirname, '..', '..', 'build', 'release'));
const addonFile = (name) => path.join(build, 'addons', `${name}.node`);
/** From the fault to the end of a host that stands still; and of one that should not, on a machine that has other things to do. */
const PATIENCE = 300;
const MUCH_PATIENCE = 3000;
/** From then on to the end of the scene. */
const MOST = 3000;
/** Turns of Node's loop, so that work that is owed does not hold up a test for ever. */
const TURNS = 1_000_000;
/** The same after the fault: what it took away never comes. */
const TURNS_AFTER = 300;

let groups = 0;

const ON_CALL = { policy: 'on-call', max: Infinity, backoff: { initial: 0 } };

const isRemote = (error) => typeof error?.code === 'string' && error.code.startsWith('ERR_NAPI_REMOTE_');
/** What the workload throws when all is well. */
const isExpected = (error) => error?.code === 'WORKLOAD' || /^(from below|another one)$/.test(error?.message);

function chooseHost(name) {
  getAgent().native.configure({ hostPath: path.join(build, name) });
}

/** Loads the workload into a host that follows the plan and plays a scene. {errors, dead}: what was thrown; does a call say that the host is gone? */
async function play(scene, plan) {
  const errors = [];
  const attempt = (call) => {
    try {
      return call() ?? {};
    } catch (error) {
      errors.push(error);
      return {};
    }
  };
  chooseHost('napi-remote-host-faulty');
  const group = scene === 'joining' ? `joining ${++groups}` : undefined;
  const restart = scene === 'restarts' ? ON_CALL : undefined;
  let addon = attempt(() => remote.load(addonFile('workload'), { group, restart }));
  if (restart === undefined) chooseHost('napi-remote-host');
  if (errors.length > 0) {
    chooseHost('napi-remote-host');
    return { errors, dead: isRemote(errors[0]) };
  }
  const ping = () => {
    const before = errors.length;
    attempt(() => addon.add(1, 2));
    return errors.slice(before).some(isRemote);
  };
  let after = 0;
  const goesOn = (turns) => {
    if (turns >= TURNS || (plan.read().fired !== 0n && ++after > TURNS_AFTER)) return false;
    return after % 50 !== 49 || !ping();
  };
  await scenes[scene]({ addon, attempt, errors, goesOn, group, host: remote.hostOf(addon) });
  await turn();
  chooseHost('napi-remote-host');
  if (restart !== undefined) return { errors, dead: true }; // a call would start another one
  return { errors, dead: ping(), ping };
}

/** The same in a Worker, which then ends, and its env with it. */
async function playInWorker(scene, plan) {
  const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData: { scene, plan } });
  const result = { errors: [] };
  worker.on('message', (message) => { Object.assign(result, message); });
  worker.on('error', (error) => { result.errors.push(error); });
  await new Promise((resolve) => { worker.on('exit', resolve); });
  return result;
}

class Runner {
  #other;
  #words = new Int32Array(new SharedArrayBuffer(16));
  #uncaught = [];
  #watchdog;
  #before;
  #points = 0;

  constructor(folder) {
    this.plan = new Plan(path.join(folder, `plan-${process.pid}`));
    process.env.NAPI_REMOTE_TEST_PLAN = this.plan.path;
    this.#other = remote.load(addonFile('basic'));
    this.#words[1] = remote.hostOf(this.#other).pid;
    process.on('uncaughtException', (error) => { this.#uncaught.push(error); });
    this.#watchdog = new Worker(path.join(__dirname, 'watchdog.js'), { workerData: { words: this.#words, path: this.plan.path } });
    this.#watchdog.unref();
  }

  /** The watchdog: of the point that begins; 0: it is over. */
  #tell(point) {
    Atomics.store(this.#words, 0, point);
    Atomics.notify(this.#words, 0);
  }

  async #hostsEnd() {
    const spared = this.#words[1];
    for (const pid of hostsBut(spared)) endProcess(pid);
    for (let i = 0; i < TURNS && hostsBut(spared).length > 0; i++) await turn();
    assert.deepEqual(hostsBut(spared), [], 'a process is left');
  }

  #check({ scene, mode }, { errors, dead }, { fired, wasEnded, ms }) {
    const way = MODES[mode];
    const all = [...errors, ...this.#uncaught.splice(0)];
    if (way === 'dies' || way === 'hangs') {
      const strange = all.find((error) => !isRemote(error) && !isExpected(error) && !isExpected(error?.cause));
      if (strange !== undefined) throw strange;
      if (fired && !dead && scene !== 'teardown') throw new assert.AssertionError({ message: 'the host is gone, and no call says so' });
    }
    // Of a hook or a threadsafe function that nobody ends Node waits for the end, as in one process.
    const mayStand = way === 'hangs' || way === 'stalls' || (way === 'lies' && scene === 'teardown');
    if (wasEnded && !mayStand) throw new assert.AssertionError({ message: 'it stood still' });
    assert.ok(ms < MUCH_PATIENCE + MOST, `it took ${ms} ms`);
    assert.equal(this.#other.add(1, 2), 3, 'another addon does not go on');
  }

  /** How the point ended: {sent, ms, codes}; throws when it may not end so. */
  async run(point) {
    this.plan.write(point);
    const patience = MODES[point.mode] === 'hangs' || MODES[point.mode] === 'stalls' ? PATIENCE : MUCH_PATIENCE;
    Atomics.store(this.#words, 3, patience);
    this.#tell(++this.#points);
    const result = point.scene === 'teardown' ? await playInWorker(point.scene, this.plan.path) : await play(point.scene, this.plan);
    const { sent, fired, ...frame } = this.plan.read();
    const ms = fired === 0n ? 0 : Number(process.hrtime.bigint() - fired) / 1e6;
    this.#tell(0);
    const wasEnded = Atomics.load(this.#words, 2) === this.#points;
    await this.#hostsEnd();
    await turn();
    if (fired !== 0n && result.ping !== undefined) result.dead ||= result.ping(); // it may have died behind the last call
    if (point.mode.startsWith('recorder')) for (const { report } of result.errors) void String(report);
    this.#check(point, result, { fired: fired !== 0n, wasEnded, ms });
    const codes = [...new Set(result.errors.filter(isRemote).map((error) => error.code))];
    return { ...point, ...frame, sent, fired: fired !== 0n, ms, wasEnded, codes, resources: { descriptors: descriptors(), mappings: sharedMappings() } };
  }
}

module.exports = { Runner, play };
