'use strict';
// Runs programs, in this process and in a host, and compares what they write down.
const fs = require('node:fs');
const { addonFile } = require('../js/support/child.js');
const { load } = require('../..');
const { encodeBatch, VERSIONS } = require('./encode.js');
const { generate, BITS, CALLBACKS } = require('./generate.js');
const { Observer, wellKnown } = require('./observe.js');
const { readPlan } = require('./plan.js');
const world = require('./world.js');

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, setPrototypeOf } = Object;
const { ownKeys, deleteProperty } = Reflect;

const plan = readPlan();
const plans = new Map(plan.functions.map((f) => [f.name, f]));
const nextTick = process.nextTick;

// What a program leaves rejected is none of our business.
process.on('unhandledRejection', () => {});

/** One addon in one place. */
class Side {
  constructor(version, isolated) {
    this.file = addonFile(version === 0 ? 'random' : `random_${VERSIONS[version]}`);
    this.isolated = isolated;
    this.open();
  }

  open() {
    if (this.isolated) {
      this.addon = load(this.file);
    } else {
      const module = { exports: {}, filename: this.file, id: this.file };
      process.dlopen(module, this.file);
      this.addon = module.exports;
    }
    const names = this.addon.functions();
    this.numbers = new Map(names.map((name, i) => [name, i]));
    this.lacking = new Set(plan.functions.map(({ name }) => name).filter((name) => !this.numbers.has(name)));
  }

  load(programs) {
    this.addon.load(encodeBatch(programs, this.numbers));
  }

  /** Runs the number-th of the loaded programs and gives its transcript. */
  async run(program, number) {
    const observer = new Observer();
    const { log, show } = observer;
    try {
      const callbacks = Array.from({ length: CALLBACKS }, (_, k) => this.addon.callback(k));
      const callback = (k) => callbacks[k];
      const values = program.world.map((item) => world.make(item, { log, show, callback }));
      const { run } = this.addon;
      let outcome;
      try {
        outcome = `returned ${observer.describe(run(number, observer.observe, ...values))}`;
      } catch (error) {
        outcome = `threw ${observer.describe(error)}`;
      }
      log(outcome);
      await settle(observer);
      return `${this.addon.take()}\n${observer.lines.join('\n')}`;
    } catch (error) {
      // Not the program's doing: a host that died.
      return `${observer.lines.join('\n')}\nfailed: ${error.code} ${error.message}`;
    }
  }

  counts() {
    const counts = this.addon.counts();
    const [finalized, twice] = counts.splice(-2);
    const byName = new Map([...this.numbers].filter(([name]) => name !== null).map(([name, i]) => [name, { ok: counts[2 * i], failed: counts[2 * i + 1] }]));
    return { byName, finalized, twice };
  }
}

/** Runs all jobs that the program has left, and shows what became of its promises. */
async function settle(observer) {
  for (let i = 0; i < 3; i++) {
    for (const promise of observer.promises.splice(0)) {
      const id = observer.idOf(promise);
      try {
        Promise.prototype.then.call(promise, (value) => observer.log(`promise#${id} fulfilled ${observer.describe(value)}`),
          (error) => observer.log(`promise#${id} rejected ${observer.describe(error)}`));
      } catch (error) {
        observer.log(`promise#${id} has no then ${observer.brief(error)}`);
      }
    }
    // A tick comes after all jobs.
    await new Promise((resolve) => {
      nextTick(resolve);
    });
    if (observer.promises.length === 0) break;
  }
}

/** What programs must find as it was: the objects that belong to the whole process. */
class Shared {
  constructor() {
    this.objects = [...wellKnown.keys()].map((object) => ({
      object, proto: getPrototypeOf(object), keys: ownKeys(object), properties: new Map(ownKeys(object).map((key) => [key, getOwnPropertyDescriptor(object, key)])),
    }));
  }

  /** False when something cannot be put back. */
  restore() {
    let complete = true;
    for (const { object, proto, keys, properties } of this.objects) {
      try {
        if (getPrototypeOf(object) !== proto) setPrototypeOf(object, proto);
        for (const key of ownKeys(object)) if (!properties.has(key) && !deleteProperty(object, key)) complete = false;
        for (const key of keys) restoreProperty(object, key, properties.get(key));
      } catch {
        complete = false;
      }
    }
    return complete;
  }
}

function restoreProperty(object, key, was) {
  const is = getOwnPropertyDescriptor(object, key);
  const same = is !== undefined && Object.is(is.value, was.value) && is.get === was.get && is.set === was.set && is.writable === was.writable &&
    is.enumerable === was.enumerable && is.configurable === was.configurable;
  // What the global object makes when it is first asked for changes by itself.
  if (!same && !(object === globalThis && was.get && is !== undefined)) defineProperty(object, key, was);
}

/** Can this Node load addons of the version? */
const isKnown = (version) => version !== 1 || Number(process.versions.napi) >= 10;

class Runner {
  /** sides: 'both', 'inProcess' or 'isolated'. */
  constructor(sides = 'both') {
    this.sides = sides;
    this.pairs = new Map();
    this.shared = new Shared();
    this.spoiled = false;
  }

  pair(version) {
    const known = isKnown(version) ? version : 0;
    let pair = this.pairs.get(known);
    if (pair === undefined) {
      pair = {};
      // Asked in both runs: what a program is made of must not depend on where it runs.
      pair.inProcess = new Side(known, false);
      if (this.sides !== 'inProcess') pair.isolated = new Side(known, true);
      this.pairs.set(known, pair);
    }
    return pair;
  }

  generate(seed) {
    const { inProcess } = this.pair(0);
    return generate(seed, plan.functions, inProcess.lacking);
  }

  load(programs) {
    // All sides have all programs, under the same numbers.
    for (const version of new Set(programs.map((program) => program.version))) {
      const pair = this.pair(version);
      for (const side of Object.values(pair)) side.load(programs);
    }
  }

  async runOn(side, program, number) {
    const transcript = await side.run(program, number);
    if (program.bits & BITS.shares && !this.shared.restore()) this.spoiled = true;
    return transcript;
  }

  /** { inProcess, isolated }: transcripts of the number-th loaded program. */
  async run(program, number) {
    const pair = this.pair(program.version);
    const result = {};
    if (this.sides !== 'isolated') result.inProcess = await this.runOn(pair.inProcess, program, number);
    if (this.sides !== 'inProcess') result.isolated = await this.runOn(pair.isolated, program, number);
    return result;
  }

  /** After a difference nobody knows what state a host is in. */
  reopen() {
    for (const { isolated } of this.pairs.values()) isolated?.open();
  }
}

module.exports = { Runner, plan, plans, isKnown };
