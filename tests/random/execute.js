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
  constructor(version, group) {
    this.file = path.join(build, 'addons', version === 0 ? 'random.node' : `random_${VERSIONS[version]}.node`);
    if (group === undefined) {
      const module = { exports: {}, filename: this.file, id: this.file };
      process.dlopen(module, this.file);
      this.addon = module.exports;
    } else {
      this.addon = load(this.file, { group });
    }
    const names = this.addon.functions();
    this.numbers = new Map(names.map((name, i) => [name, i]));
    this.lacking = new Set(plan.functions.map(({ name }) => name).filter((name) => !this.numbers.has(name)));
  }

  /** Runs the number-th of the loaded programs and gives its transcript. guest: another addon in the same place. */
  async run(program, number, guest, shared) {
    const observer = new Observer();
    const { log, show } = observer;
    const hasGuest = world.usesGuest(program.world);
    try {
      const own = this.addon.begin(number), others = hasGuest ? guest.addon.begin(number) : [];
      const ctx = { log, show, callback: (k) => own[k], guest: (k) => others[k] };
      const values = program.world.map((item) => world.make(item, ctx));
      const { run } = this.addon;
      let outcome, threw = false;
      try {
        outcome = run(observer.observe, ...values);
      } catch (error) {
        outcome = error;
        threw = true;
      }
      // What comes now needs them as they were.
      const shares = program.bits & BITS.shares;
      if (shares) shared.restore();
      log(`${threw ? 'threw' : 'returned'} ${observer.describe(outcome)}`);
      await settle(observer);
      if (shares) shared.restore();
      return `${this.addon.take()}${hasGuest ? `\nguest:${guest.addon.take()}` : ''}\n${observer.lines.join('\n')}`;
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

/** Classes that no program comes to, and they are many. */
const REMOTE = /^(Abort|Blob|Broadcast|Byte|Close|Compress|Count|Crypto|Custom|DOM|Decompress|Event|File|Final|Form|Headers|Intl|Message|Navig|Perf|Readable|Request|Response|Stor|Subtle|Text|Transform|URL|Web|Worker|Writable)/;

/** What programs must find as it was: the objects that belong to the whole process. */
class Shared {
  constructor() {
    this.spoiled = false;
    const reachable = [...wellKnown].filter(([, name]) => !REMOTE.test(name));
    this.objects = reachable.map(([object]) => {
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
/** The addon that lives beside the one of a version. */
const guestOf = (version) => VERSION_NUMBERS[(VERSION_NUMBERS.indexOf(version) + 1) % VERSION_NUMBERS.length];

class Runner {
  /** sides: 'both', 'inProcess' or 'isolated'. */
  constructor(sides = 'both') {
    this.shared = new Shared();
    this.hosts = 0;
    // Asked in both runs: what a program is made of must not depend on where it runs.
    this.inProcess = VERSION_NUMBERS.map((version) => new Side(version));
    this.sides = { inProcess: sides === 'isolated' ? undefined : this.inProcess };
    if (sides !== 'inProcess') this.reopen();
    // What a program leaves rejected is none of our business.
    process.on('unhandledRejection', () => {});
  }

  /** A new host for all versions: after a difference nobody knows what state the old one is in. */
  reopen() {
    const group = `random ${process.pid} ${++this.hosts}`;
    this.sides.isolated = VERSION_NUMBERS.map((version) => new Side(version, group));
  }

  /** Something of the whole process is not as it was. */
  get spoiled() {
    return this.shared.spoiled;
  }

  generate(seed) {
    return generate(seed, plan.functions, this.inProcess[0].lacking, VERSION_NUMBERS);
  }

  load(programs) {
    VERSION_NUMBERS.forEach((number, i) => {
      // Each addon has the programs of its version and those that it is a guest of; for others there is a gap, so that all have the same numbers.
      const isFor = ({ version, world: items }) => version === number || (guestOf(version) === number && world.usesGuest(items));
      const batch = encodeBatch(programs.map((program) => (isFor(program) ? program : null)), this.inProcess[i].numbers);
      for (const sides of Object.values(this.sides)) sides?.[i].addon.load(batch);
    });
  }

  /** { inProcess, isolated }: transcripts of the number-th loaded program. */
  async run(program, number) {
    const result = {};
    for (const [name, sides] of Object.entries(this.sides)) {
      const at = (version) => sides[VERSION_NUMBERS.indexOf(version)];
      if (sides) result[name] = await at(program.version).run(program, number, at(guestOf(program.version)), this.shared);
    }
    return result;
  }

  /** How often each function was called in this process, and how many finalizers ran twice on either side. */
  counts() {
    const sums = new Map();
    let finalizedTwice = 0;
    for (const side of this.sides.isolated ?? []) finalizedTwice += side.counts().finalizedTwice;
    for (const side of this.inProcess) {
      const own = side.counts();
      finalizedTwice += own.finalizedTwice;
      for (const [name, { ok, failed }] of own.functions) {
        const sum = sums.get(name) ?? { ok: 0, failed: 0 };
        sums.set(name, { ok: sum.ok + ok, failed: sum.failed + failed });
      }
    }
    return { functions: [...sums], finalizedTwice };
  }
}

module.exports = { Runner };
