'use strict';
// A lane: one line of random work, that knows what each step must come to. Several run at the same time in a thread, each with a generator of its own, so
// what a lane does, and sees, depends on its seed only, however they interleave.

function generator(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

function mix(digest, value) {
  let result = digest;
  for (const character of String(value)) result = (Math.imul(result, 31) + character.charCodeAt(0)) >>> 0;
  return result;
}

function hash(bytes) {
  let result = 0;
  for (const byte of bytes) result = (Math.imul(result, 31) + byte) >>> 0;
  return result;
}

function fill(bytes, seed) {
  for (let i = 0; i < bytes.length; i++) bytes[i] = seed + i * 13 + (i >> 8);
}

/** One turn of the event loop, at one of the places where it lets others run. */
function turn(kind) {
  return new Promise((resolve) => {
    if (kind === 0) process.nextTick(resolve);
    else if (kind === 1) setImmediate(resolve);
    else if (kind === 2) setTimeout(resolve, 1);
    else resolve();
  });
}

/** A Buffer beside its shadow: what has to be in it. */
class Region {
  constructor(bytes) {
    this.bytes = bytes;
    this.shadow = Uint8Array.from(bytes);
    /** The work that has it, {settled, check()}. */
    this.work = undefined;
  }
}

const REGIONS = 6;
const DEPTH = 6;

class Lane {
  constructor(addon, seed, { progress = () => {}, large = false } = {}) {
    Object.assign(this, { addon, random: generator(seed), progress, large, digest: seed, wrong: [], steps: 0, doing: '', pending: [], things: [] });
    this.regions = Array.from({ length: REGIONS }, () => this.makeRegion());
  }

  expect(truth, what) {
    if (!truth && this.wrong.length < 5) this.wrong.push(`step ${this.steps} (${this.doing}): ${what}`);
  }

  see(value) {
    this.digest = mix(this.digest, value);
  }

  /** Mostly small, as those that programs pass. */
  size() {
    const limits = [1, 64, 64, 300, 4000, 20_000];
    return this.random(this.large && this.random(6) === 0 ? 400_000 : limits[this.random(limits.length)]) + 1;
  }

  makeRegion() {
    const size = this.size();
    const seed = this.random(256);
    const kind = this.random(4);
    let bytes;
    if (kind === 0) bytes = this.addon.external(size, seed);
    else if (kind === 1) bytes = new Uint8Array(new SharedArrayBuffer(size));
    else bytes = Buffer.allocUnsafe(size); // small ones are parts of a pool
    if (kind !== 0) fill(bytes, seed);
    const region = new Region(bytes);
    fill(region.shadow, seed);
    return region;
  }

  /** A region that no work has; a few are replaced, for the collector. */
  region() {
    const at = this.random(REGIONS);
    if (this.regions[at].work !== undefined) return undefined;
    this.verify(this.regions[at]);
    if (this.random(8) === 0) this.regions[at] = this.makeRegion();
    return this.regions[at];
  }

  verify({ bytes, shadow }) {
    const at = bytes.findIndex((byte, i) => byte !== shadow[i]);
    this.expect(at < 0, `JavaScript sees ${bytes[at]}, not ${shadow[at]}, at ${at} of ${bytes.length} bytes`);
    if (at >= 0) bytes.set(shadow);
  }

  // ---- steps that are done when they return ----

  nativeWrite(region) {
    const seed = this.random(256);
    this.addon.write(region.bytes, seed);
    fill(region.shadow, seed);
    this.verify(region);
  }

  nativeRead(region) {
    const seed = this.random(256);
    if (this.random(2)) for (const bytes of [region.bytes, region.shadow]) fill(bytes, seed);
    const found = this.addon.read(region.bytes);
    this.see(found);
    this.expect(found === hash(region.shadow), `native code sees other bytes in ${region.bytes.length}`);
  }

  around(region, depth) {
    const seed = this.random(256);
    fill(region.shadow, seed);
    let expected;
    const taken = region.work;
    region.work = 'around';
    const found = this.addon.around(region.bytes, seed, () => {
      this.verify(region);
      this.syncStep(depth + 1);
      const [at, value] = [this.random(region.bytes.length), this.random(256)];
      region.bytes[at] = region.shadow[at] = value;
      expected = hash(region.shadow);
    });
    region.work = taken;
    this.expect(found === expected, `after a callback native code sees other bytes in ${region.bytes.length}`);
    this.verify(region);
  }

  /** A call back that returns something or throws it, and what native code makes of that. */
  callback(depth) {
    const [mode, argument] = [this.random(3), this.random(1000)];
    const throws = this.random(3) === 0;
    const value = this.random(2) ? { argument } : argument + 0.5;
    let got, thrown;
    try {
      got = this.addon.call((given) => {
        this.expect(given === argument, `${given} came over as an argument, not ${argument}`);
        this.syncStep(depth + 1);
        if (throws) throw value;
        return value;
      }, argument, mode);
    } catch (error) {
      thrown = error;
    }
    if (!throws) this.expect(got === value && thrown === undefined, 'another result of the callback');
    else if (mode === 0) this.expect(thrown === value, 'not the exception of the callback');
    else if (mode === 1) this.expect(got?.caught === value, 'native code has not caught the exception of the callback');
    else this.expect(thrown?.message === 'replaced' && thrown.cause === value, 'not the exception of native code');
    this.see(`${mode}${throws}${argument}`);
  }

  makeThings() {
    const [count, first] = [this.random(30), this.random(1000)];
    const things = this.addon.things(count, first);
    this.expect(things.length === count, `${things.length} things, not ${count}`);
    things.forEach((thing, i) => this.expect(this.addon.valueOf(thing) === first + i, 'another value in a thing'));
    if (this.things.length > 200) this.things = [];
    if (count > 0) this.things.push({ thing: things[count - 1], value: first + count - 1 });
  }

  oldThing() {
    if (this.things.length === 0) return;
    const { thing, value } = this.things[this.random(this.things.length)];
    this.see(value);
    this.expect(this.addon.valueOf(thing) === value, 'another value in an old thing');
  }

  syncStep(depth) {
    if (depth > DEPTH) return;
    const kind = this.random(7);
    const region = kind < 4 ? this.region() : undefined;
    this.doing = `sync ${kind} at depth ${depth}`;
    if (kind < 4 && region === undefined) return;
    if (kind === 0) this.nativeWrite(region);
    else if (kind === 1) this.nativeRead(region);
    else if (kind < 4) this.around(region, depth);
    else if (kind === 4) this.callback(depth);
    else if (kind === 5) this.makeThings();
    else this.oldThing();
  }

  // ---- steps in the background ----

  /** {settled, check()}: a work that has a region until it is checked. */
  startWork() {
    const region = this.random(4) ? this.region() : undefined;
    const [input, fails, cancels] = [this.random(1000), this.random(4) === 0, this.random(4) === 0];
    const [promise, handle] = this.addon.work(region?.bytes, input, fails);
    const settled = promise.then((value) => ({ value }), (reason) => ({ reason }));
    const work = { settled, check: async () => this.checkWork(await settled, { region, input, fails, handle, cancelled: work.cancelled }) };
    work.cancelled = cancels && this.addon.cancel(handle);
    if (region !== undefined) region.work = work;
    this.pending.push(work);
  }

  checkWork(outcome, { region, input, fails, handle, cancelled }) {
    this.expect(!this.addon.cancel(handle), 'a complete work was cancelled');
    if (cancelled) {
      this.expect(outcome.reason === 'napi_cancelled', 'a cancelled work was not told so');
    } else {
      if (region !== undefined) region.shadow.forEach((byte, i) => { region.shadow[i] = byte * 3 + input; });
      const expected = ((region === undefined ? 0 : hash(region.shadow)) + input * 2) >>> 0;
      this.expect((fails ? outcome.reason : outcome.value) === expected, 'a work came to something else');
    }
    if (region === undefined) return;
    region.work = undefined;
    this.verify(region);
    // Whether it could be cancelled is a matter of time: from here on the contents are again one of the seed.
    for (const bytes of [region.bytes, region.shadow]) fill(bytes, input);
  }

  startPromise() {
    const [value, succeeds] = [this.random(1e6), this.random(3) > 0];
    const promise = this.addon.later(value, succeeds).then((got) => [got, true], (got) => [got, false]);
    const check = async () => {
      const [got, fulfilled] = await promise;
      this.expect(got === value && fulfilled === succeeds, 'a promise came to something else');
    };
    this.pending.push({ check });
  }

  /** Of a queue with an end only one thread may wait: Node loses wake-ups when several do. */
  async stream() {
    const max = this.random(2) ? 0 : this.random(8) + 1;
    const threads = this.random(4) + 1;
    const blocking = this.random(2) === 0 && (max === 0 || threads === 1);
    const count = this.random(60) + 1;
    const abortAt = this.random(4) === 0 ? this.random(count) : -1;
    const next = Array.from({ length: threads }, () => 0);
    let calls = 0;
    const totals = await new Promise((resolve) => {
      const handle = this.addon.stream((thread, sequence) => {
        this.expect(sequence === next[thread]++, `item ${sequence} of thread ${thread} is out of order`);
        if (calls++ === abortAt) this.addon.end(handle, true);
        else if (calls % 16 === 0) this.addon.read(new Uint8Array(5));
      }, (...args) => resolve(args), threads, count, max, blocking);
      if (abortAt < 0) this.addon.end(handle, false);
    });
    const [pushed, called, dropped, wrong] = totals;
    this.expect(called === calls && wrong === 0, `${called} calls, ${calls} of them seen, ${wrong} out of order`);
    if (abortAt < 0) this.expect(pushed === threads * count && called === pushed && dropped === 0, `of ${threads} times ${count} items: ${totals}`);
    else this.expect(called === abortAt + 1 && pushed >= called, `aborted at ${abortAt}: ${totals}`);
    this.see(`${threads} ${count} ${abortAt}`);
  }

  async checkAll() {
    const { pending } = this;
    this.pending = [];
    for (const { check } of pending) await check();
  }

  async step() {
    this.steps++;
    const kind = this.random(20);
    this.doing = `kind ${kind}`;
    if (kind < 8) this.syncStep(0);
    else if (kind < 12) this.startWork();
    else if (kind < 14) this.startPromise();
    else if (kind < 16) await this.stream();
    else if (kind < 17) await this.checkAll();
    else if (kind < 19) await turn(this.random(4));
    else if (this.random(4) === 0) globalThis.gc?.();
    if (this.pending.length > 12) await this.checkAll();
    this.progress();
  }

  async run(steps) {
    for (let i = 0; i < steps; i++) await this.step();
    await this.checkAll();
    for (const region of this.regions) this.verify(region);
    Object.assign(this, { regions: [], things: [] });
    const { digest, wrong } = this;
    return { digest, wrong, steps };
  }
}

module.exports = { Lane, generator, mix, turn };
