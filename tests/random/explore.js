'use strict';
// Runs many programs in child processes and says what was found.
const { SPOILED } = require('./child.js');
const { ask, runTask } = require('./children.js');
const { firstDifference } = require('./compare.js');
const { sharesOf } = require('./generate.js');
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
  }

  get isOver() {
    return performance.now() >= this.end || this.findings.length >= ENOUGH;
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

  /** One child, as far as it comes; the seeds that are left. */
  async runChild(seeds) {
    let counts;
    const found = [];
    const end = await runTask({ kind: 'range', seeds }, (message) => {
      if (message.type === 'at') counts = message.counts;
      else found.push(message);
    });
    if (counts !== undefined) this.addCounts(counts);
    // One that died: go on behind the program that it was at.
    const done = end.code === 0 ? seeds.length : Math.max(seeds.indexOf(end.seed) + 1, 1);
    if (end.code !== 0 && end.code !== SPOILED) found.push({ type: 'death', seed: end.seed, end });
    this.programs += done;
    for (const message of found) await this.explain({ ...message, ran: seeds });
    return seeds.slice(done);
  }

  async explain(message) {
    const { type, seed, difference, program } = message;
    if (type === 'again') this.add({ seeds: [seed], sort: difference.sort, difference });
    if (type === 'death') await this.explainDeath(message);
    if (type === 'difference') {
      const verified = await verify({ programs: [program] });
      if (verified !== null) this.add({ seeds: [seed], sort: difference.sort, program, difference: verified });
      else await this.explainWithOthers(message);
    }
    if (type === 'unrepeated') await this.explainWithOthers(message);
  }

  /** Not alone: with programs before it, or only because both sides share a process. */
  async explainWithOthers({ seed, ran, difference }) {
    const before = await this.findPredecessors(seed, ran.slice(0, ran.indexOf(seed)));
    if (before === null) {
      this.notes.push(`seed ${seed}: differs only with both sides in one process (${difference.sort})`);
      return;
    }
    this.add({ seeds: [seed], sort: difference.sort, before, difference: await verify({ seeds: [...before, seed] }) });
  }

  /** The fewest programs found with which a seed differs in fresh processes; null: there are none. */
  async findPredecessors(seed, ran) {
    const until = performance.now() + SEARCH_MS;
    let before = [];
    for (const count of PREDECESSORS) {
      before = ran.slice(-count);
      if (await verify({ seeds: [...before, seed] }) !== null) break;
      if (count === PREDECESSORS.at(-1) || count >= ran.length) return null;
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

  async explainDeath({ seed, ran, end }) {
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
    const text = `Node ${how} at seed ${seed}, after all from ${ran[0]} on, not with it alone\n${end.stderr}`;
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
    // With a time limit in pieces, since a child does not know of it.
    const piece = this.end === Infinity ? this.count : Math.min(this.count, 2000);
    for (let from = 0; from < this.count && !this.isOver; from += piece) {
      const seeds = Array.from({ length: Math.min(piece, this.count - from) }, (_, i) => this.start + from + i);
      // V8 never again is as fast once Array.prototype was changed: the programs that may do that have processes of their own.
      for (const shares of [false, true]) {
        let left = seeds.filter((seed) => sharesOf(seed) === shares);
        while (left.length > 0 && !this.isOver) left = await this.runChild(left);
      }
    }
    return this;
  }
}

/** { programs, findings, notes, counts, finalizedTwice } of programs from seed `start` on: `count` of them, or as many as fit into `seconds`. */
const explore = (options) => new Exploration(options).run();

module.exports = { explore };
