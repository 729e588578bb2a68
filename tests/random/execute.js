'use strict';
// Runs programs, in this process and in a host, and compares what they write down.
const path = require('node:path');
const { load } = require('../..');
const { encodeBatch, VERSIONS } = require('./encode.js');
const { generate, BITS } = require('./generate.js');
const { Observer, wellKnown } = require('./observe.js');
const { readPlan } = require('./plan.js');
const world = require('./world.js');

const { defineProperty, getOwnPropertyDescriptor, getPrototypeOf, is: isSame, setPrototypeOf } = Object;
const { ownKeys, deleteProperty } = Reflect;

const build = process.env.NAPI_REMOTE_BUILD_DIR ?? path.join(__dirname, '..', '..', 'build', 'release');

const plan = readPlan();
const nextTick = process.nextTick;

/** One addon in one place. */
class Side {
  constructor(version, isolated, shared) {
    this.file = path.join(build, 'addons', version === 0 ? 'random.node' : `random_${VERSIONS[version]}.node`);
    this.isolated = isolated;
    this.shared = shared;
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
      const callbacks = this.addon.callbacks();
      const callback = (k) => callbacks[k];
      const values = program.world.map((item) => world.make(item, { log, show, callback }));
      const { run } = this.addon;
      let outcome, threw = false;
      try {
        outcome = run(number, observer.observe, ...values);
      } catch (error) {
        outcome = error;
        threw = true;
      }
      // What comes now needs them as they were.
      const shares = program.bits & BITS.shares;
      if (shares) this.shared.restore();
      log(`${threw ? 'threw' : 'returned'} ${observer.describe(outcome)}`);
      await settle(observer);
      if (shares) this.shared.restore();
      return `${this.addon.take()}\n${observer.lines.join('\n')}`;
    } catch (error) {
      // Not the program's doing: a host that died.
      return `${observer.lines.join('\n')}\nfailed: ${error.code} ${error.message}`;
    }
  }

  counts() {
    const counts = this.addon.counts();
    const [, finalizedTwice] = counts.splice(-2);
    const known = [...this.numbers].filter(([name]) => name !== null);
    const functions = known.map(([name, i]) => [name, { ok: counts[2 * i], failed: counts[2 * i + 1] }]);
    return { functions, finalizedTwice };
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
    this.spoiled = false;
    this.objects = [...wellKnown.keys()].map((object) => {
      const keys = ownKeys(object), properties = Object.create(null);
      // Without a prototype, since a program may have given that one a property `get`.
      for (const key of keys) properties[key] = setPrototypeOf(getOwnPropertyDescriptor(object, key), null);
      return { object, proto: getPrototypeOf(object), keys, properties };
    });
  }

  /** Puts all of it back; spoiled: not all can be. Without iterators and methods, since these are among it. */
  restore() {
    for (let i = 0; i < this.objects.length; i++) {
      try {
        this.restoreObject(this.objects[i]);
      } catch {
        this.spoiled = true;
      }
    }
  }

  restoreObject({ object, proto, keys, properties }) {
    if (getPrototypeOf(object) !== proto) setPrototypeOf(object, proto);
    const now = ownKeys(object);
    for (let i = 0; i < now.length; i++) if (!(now[i] in properties) && !deleteProperty(object, now[i])) this.spoiled = true;
    for (let i = 0; i < keys.length; i++) restoreProperty(object, keys[i], properties[keys[i]]);
  }
}

function restoreProperty(object, key, was) {
  const is = getOwnPropertyDescriptor(object, key);
  const same = is !== undefined && isSame(is.value, was.value) && is.get === was.get && is.set === was.set && is.writable === was.writable &&
    is.enumerable === was.enumerable && is.configurable === was.configurable;
  // What the global object makes when it is first asked for changes by itself.
  if (!same && !(object === globalThis && was.get && is !== undefined)) defineProperty(object, key, was);
}

/** The versions that this Node can load addons of. */
const VERSION_NUMBERS = [0, 1, 2].filter((version) => version !== 1 || Number(process.versions.napi) >= 10);

class Runner {
  /** sides: 'both', 'inProcess' or 'isolated'. */
  constructor(sides = 'both') {
    this.sides = sides;
    this.pairs = new Map();
    this.shared = new Shared();
    // What a program leaves rejected is none of our business.
    process.on('unhandledRejection', () => {});
  }

  /** Something of the whole process is not as it was. */
  get spoiled() {
    return this.shared.spoiled;
  }

  pair(version) {
    let pair = this.pairs.get(version);
    if (pair === undefined) {
      pair = {};
      // Asked in both runs: what a program is made of must not depend on where it runs.
      pair.inProcess = new Side(version, false, this.shared);
      if (this.sides !== 'inProcess') pair.isolated = new Side(version, true, this.shared);
      this.pairs.set(version, pair);
    }
    return pair;
  }

  generate(seed) {
    const { inProcess } = this.pair(0);
    return generate(seed, plan.functions, inProcess.lacking, VERSION_NUMBERS);
  }

  load(programs) {
    // Each side has the programs of its version; others leave a gap, so that all have the same numbers.
    for (const version of new Set(programs.map((program) => program.version))) {
      for (const side of Object.values(this.pair(version))) side.load(programs.map((program) => (program.version === version ? program : null)));
    }
  }

  /** { inProcess, isolated }: transcripts of the number-th loaded program. */
  async run(program, number) {
    const pair = this.pair(program.version);
    const result = {};
    if (this.sides !== 'isolated') result.inProcess = await pair.inProcess.run(program, number);
    if (this.sides !== 'inProcess') result.isolated = await pair.isolated.run(program, number);
    return result;
  }

  /** How often each function was called in this process, and how many finalizers ran twice on either side. */
  counts() {
    const sums = new Map();
    let finalizedTwice = 0;
    for (const { inProcess, isolated } of this.pairs.values()) {
      const own = inProcess.counts();
      finalizedTwice += own.finalizedTwice + (isolated?.counts().finalizedTwice ?? 0);
      for (const [name, { ok, failed }] of own.functions) {
        const sum = sums.get(name) ?? { ok: 0, failed: 0 };
        sums.set(name, { ok: sum.ok + ok, failed: sum.failed + failed });
      }
    }
    return { functions: [...sums], finalizedTwice };
  }

  /** After a difference nobody knows what state a host is in. */
  reopen() {
    for (const { isolated } of this.pairs.values()) isolated?.open();
  }
}

module.exports = { Runner };
