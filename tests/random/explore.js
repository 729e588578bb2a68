'use strict';
// Runs many programs in child processes and says what was found.
const { SPOILED } = require('./child.js');
const { ask, runTask } = require('./children.js');
const { firstDifference } = require('./compare.js');
const { shrink } = require('./shrink.js');

const CRASH_SHRINK_MS = 60_000;
/** One program takes milliseconds: one that hangs need not be waited for as long each time that it is made smaller. */
const HANG_MS = 3000;
/** How far back what a program needs to differ is looked for, and for how long what of it is needed. */
const PREDECESSORS = [30, 300, 2000];
const SEARCH_MS = 60_000;
/** After so many findings there is something to do before more are looked for. */
const ENOUGH = 8;

/** Runs the same in two fresh processes, one side each: what is found there is not the doing of the other side. */
async function verify(task) {
  const sides = {};
  for (const side of ['inProcess', 'isolated']) {
    const answer = await ask({ kind: 'transcript', sides: side, ...task });
    sides[side] = answer.died ? `failed: Node ended with ${answer.hung ? 'a hang' : answer.signal ?? answer.code}` : answer.transcript;
  }
  return firstDifference(sides.inProcess, sides.isolated);
}

class Exploration {
  constructor({ start = 1, count = 10_000, seconds = Infinity }) {
    Object.assign(this, { start, count });
    this.end = performance.now() + seconds * 1000;
    this.findings = [];
    this.notes = [];
    this.counts = new Map();
    this.finalizedTwice = 0;
    this.programs = 0;
    this.pending = [];
  }

  get isOver() {
    return this.programs >= this.count || performance.now() >= this.end || this.findings.length >= ENOUGH;
  }

  addCounts({ functions, finalizedTwice }) {
    this.finalizedTwice += finalizedTwice;
    for (const [name, { ok, failed }] of functions) {
      const sum = this.counts.get(name) ?? { ok: 0, failed: 0 };
      this.counts.set(name, { ok: sum.ok + ok, failed: sum.failed + failed });
    }
  }

  /** A finding, or one more seed of a sort that is known. */
  add(finding) {
    const known = this.findings.find(({ sort }) => sort === finding.sort);
    if (known === undefined) this.findings.push(finding);
    else known.seeds.push(...finding.seeds);
  }

  receive(message, first) {
    switch (message.type) {
      case 'at':
      case 'done':
        this.counted = message.counts;
        this.done = message.done;
        this.isDone = message.type === 'done';
        break;
      default:
        this.pending.push({ ...message, first });
    }
  }

  /** One child, as far as it comes. */
  async runChild() {
    const first = this.start + this.programs;
    const left = this.count - this.programs;
    // With a time limit in pieces, since a child does not know of it.
    const count = this.end === Infinity ? left : Math.min(left, 2000);
    this.done = 0;
    this.isDone = false;
    this.counted = undefined;
    const end = await runTask({ kind: 'range', start: first, count }, (message) => this.receive(message, first));
    if (this.counted !== undefined) this.addCounts(this.counted);
    if (!this.isDone) {
      // Go on behind the program that it was at.
      this.done = Math.max(end.seed - first + 1, 1);
      if (end.code !== SPOILED) this.pending.push({ type: 'death', seed: end.seed, first, end });
    }
    this.programs += this.done;
    for (const message of this.pending.splice(0)) await this.explain(message);
  }

  async explain(message) {
    const { type, seed, first, difference, program } = message;
    if (type === 'again') this.findings.find(({ sort }) => sort === difference.sort)?.seeds.push(seed);
    if (type === 'death') await this.explainDeath(message);
    if (type === 'difference') {
      const verified = await verify({ programs: [program] });
      if (verified !== null) this.add({ seeds: [seed], sort: difference.sort, program, difference: verified });
      else await this.explainWithOthers(message);
    }
    if (type === 'unrepeated') await this.explainWithOthers({ seed, first, difference });
  }

  /** Not alone: with programs before it, or only because both sides share a process. */
  async explainWithOthers({ seed, first, difference }) {
    const before = await this.findPredecessors(seed, first);
    if (before === null) {
      this.notes.push(`seed ${seed}: differs only with both sides in one process (${difference.sort})`);
      return;
    }
    this.add({ seeds: [seed], sort: difference.sort, before, difference: await verify({ seeds: [...before, seed] }) });
  }

  /** The fewest programs found with which a seed differs in fresh processes; null: there are none. */
  async findPredecessors(seed, first) {
    const until = performance.now() + SEARCH_MS;
    let before = [];
    for (const count of PREDECESSORS) {
      before = Array.from({ length: Math.min(count, seed - first) }, (_, i) => seed - Math.min(count, seed - first) + i);
      if (await verify({ seeds: [...before, seed] }) !== null) break;
      if (count === PREDECESSORS.at(-1) || before.length === seed - first) return null;
    }
    for (let size = before.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < before.length && performance.now() < until;) {
        const fewer = before.toSpliced(at, size);
        if (await verify({ seeds: [...fewer, seed] }) === null) at += size;
        else before = fewer;
      }
    }
    return before;
  }

  async explainDeath({ seed, first, end }) {
    const how = end.hung ? 'hangs' : `ended with ${end.signal ?? end.code}`;
    for (const side of ['inProcess', 'isolated']) {
      const alone = await ask({ kind: 'transcript', sides: side, seeds: [seed] });
      if (!alone.died) continue;
      const program = await this.shrinkDeath(alone, side);
      const text = side === 'inProcess'
        ? 'the program does not come to its end in one process: it must not be made (exclusions.js)'
        : 'Node does not come to its end with the isolated addon';
      const names = program.functions.flatMap(({ calls }) => calls.map(({ name }) => name));
      this.add({ seeds: [seed], sort: `death ${side} ${names.join(' ')}`, program, text: `${text}: ${how}\n${alone.stderr}` });
      return;
    }
    const text = `Node ${how} at seed ${seed}, after all from ${first} on, not with it alone\n${end.stderr}`;
    this.add({ seeds: [seed], sort: `death at ${seed}`, text });
  }

  async shrinkDeath({ seed, hung }, sides) {
    const { Runner } = require('./execute.js');
    const until = performance.now() + CRASH_SHRINK_MS;
    const silence = hung ? HANG_MS : undefined;
    const fails = async (program) => performance.now() < until && (await ask({ kind: 'transcript', sides, programs: [program] }, silence)).died;
    return shrink(new Runner('inProcess').generate(seed), fails);
  }

  async run() {
    while (!this.isOver) await this.runChild();
    return this;
  }
}

/** { programs, findings, notes, counts, finalizedTwice } of programs from seed `start` on: `count` of them, or as many as fit into `seconds`. */
const explore = (options) => new Exploration(options).run();

module.exports = { explore };
