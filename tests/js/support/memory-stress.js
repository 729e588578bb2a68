'use strict';
// Random work on memory by JavaScript and by native code (tests/addons/memory_stress.c), against a model: of every buffer there is a shadow, which gets each
// write at the time at which it must be seen. Runs in any process: the work is the same for the same seed.
//
//   node tests/js/support/memory-stress.js [--seed N] [--count N] [--ops N] [--ask] [--isolated] [--max BYTES]
const zlib = require('node:zlib');

const PLACES = 48;
const Views = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array];
const CREATED = ['a Buffer', 'an ArrayBuffer', 'a copy', 'an external Buffer', 'an external ArrayBuffer'];

function generator(seed) {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * limit);
  };
}

function pattern(bytes, offset, length, seed) {
  for (let i = 0; i < length; i++) bytes[offset + i] = seed + i * 13 + (i >> 8);
}

/** The bytes of a buffer, or of a stretch of it, beside their shadow. */
class Region {
  constructor(buffer, base, length, what) {
    this.buffer = buffer;
    this.base = base;
    this.bytes = Buffer.from(buffer, base, length);
    this.shadow = Buffer.from(this.bytes);
    this.what = what;
    /** Open calls of native code that use it: its memory must stay. */
    this.users = 0;
  }

  get isGrowable() {
    return Boolean(this.buffer.resizable || this.buffer.growable);
  }
}

class Stress {
  constructor(addon, { seed, ask = false, max = 3_000_000, threads = true, externalThreads = threads }) {
    Object.assign(this, {
      addon, ask, max, threads, externalThreads, random: generator(seed), places: [], regions: new Set(), wrong: [], log: 0, op: 0, depth: 0, writing: undefined,
    });
    this.free = Array.from({ length: PLACES }, (_, i) => i);
  }

  note(value) {
    this.log = zlib.crc32(String(value), this.log);
  }

  expect(truth, what) {
    if (!truth && this.wrong.length < 5) this.wrong.push(`operation ${this.op}, depth ${this.depth}: ${what}`);
  }

  /** Mostly small, as those that programs pass. */
  size() {
    const { random } = this;
    const limits = [1, 64, 64, 64, 300, 5000, 70_000, 200_000, this.max];
    return Math.min(this.max, random(limits[random(random(4) ? 6 : limits.length)] + 1));
  }

  pick(list = this.places) {
    return list[this.random(list.length)];
  }

  stretch(length) {
    const offset = this.random(length + 1);
    return [offset, this.random(Math.min(length - offset, this.random(3) ? 40 : length) + 1)];
  }

  makeRegion() {
    const { random } = this;
    const size = this.size();
    const kind = random(8);
    let region;
    if (kind === 0) {
      region = new Region(new SharedArrayBuffer(size), 0, size, `a SharedArrayBuffer of ${size}`);
    } else if (kind === 1) {
      const buffer = new ArrayBuffer(size, { maxByteLength: size + random(10_000) });
      region = new Region(buffer, 0, size, `a resizable ArrayBuffer of ${size}`);
    } else if (kind < 5) {
      const small = random(200) + 1;
      const buffer = Buffer.allocUnsafe(small);
      region = new Region(buffer.buffer, buffer.byteOffset, small, `a pooled Buffer of ${small}`);
    } else {
      region = new Region(new ArrayBuffer(size), 0, size, `an ArrayBuffer of ${size}`);
    }
    this.regions.add(region);
    const seed = random(256);
    for (const bytes of [region.bytes, region.shadow]) pattern(bytes, 0, bytes.length, seed);
    return region;
  }

  /** A view of a region, of any kind, or the ArrayBuffer itself. */
  makeView(region) {
    const { random } = this;
    const [offset, length] = random(2) ? [0, region.bytes.length] : this.stretch(region.bytes.length);
    const at = region.base + offset;
    const kind = random(6);
    if (kind === 0) return { value: new DataView(region.buffer, at, length), offset, length };
    if (kind === 1) {
      const View = this.pick(Views);
      const width = View.BYTES_PER_ELEMENT;
      const skip = (width - at % width) % width;
      if (skip <= length) {
        const count = Math.floor((length - skip) / width);
        return { value: new View(region.buffer, at + skip, count), offset: offset + skip, length: count * width };
      }
    }
    const isWhole = region.base === 0 && region.bytes.length === region.buffer.byteLength;
    if (kind === 2 && isWhole && region.buffer instanceof ArrayBuffer) return { value: region.buffer, offset: 0, length: region.bytes.length };
    if (kind === 3 && isWhole && region.isGrowable) return { value: new Uint8Array(region.buffer), offset: 0, length: region.bytes.length };
    return { value: Buffer.from(region.buffer, at, length), offset, length };
  }

  addPlace() {
    if (this.free.length === 0) return;
    const usable = [...this.regions].filter((region) => region !== this.writing?.region);
    const region = usable.length > 0 && this.random(2) ? this.pick(usable) : this.makeRegion();
    const index = this.free.pop();
    const place = { index, region, ...this.makeView(region) };
    this.places.push(place);
    const length = this.addon.keep(index, place.value);
    this.expect(length === place.length, `${length} bytes, not ${place.length}, of ${region.what}`);
  }

  createPlace() {
    if (this.free.length === 0) return;
    const { random } = this;
    const index = this.free.pop();
    const kind = random(CREATED.length);
    const length = this.size();
    const seed = random(256);
    const value = this.addon.create(index, kind, length, seed);
    const [buffer, base] = ArrayBuffer.isView(value) ? [value.buffer, value.byteOffset] : [value, 0];
    const region = new Region(buffer, base, length, `${CREATED[kind]} of ${length} made by the addon`);
    pattern(region.shadow, 0, length, seed);
    region.isExternal = kind >= 3;
    this.regions.add(region);
    this.places.push({ index, region, value, offset: 0, length });
    this.verify(region);
  }

  dropPlace(place) {
    this.addon.drop(place.index);
    this.places.splice(this.places.indexOf(place), 1);
    this.free.push(place.index);
  }

  isBusy(region) {
    return region.users > 0 || this.writing?.region === region;
  }

  dropRegion(region) {
    for (const place of this.places.filter((other) => other.region === region)) this.dropPlace(place);
    this.regions.delete(region);
  }

  again(place) {
    return this.ask ? place.value : undefined;
  }

  /** The bytes that a thread writes at this time are nobody's business. */
  verify(region) {
    if (this.writing?.region === region) return;
    const difference = region.bytes.equals(region.shadow) ? -1 : region.bytes.findIndex((byte, i) => byte !== region.shadow[i]);
    this.expect(difference < 0, `JavaScript sees ${region.bytes[difference]}, not ${region.shadow[difference]}, at ${difference} of ${region.what}`);
    if (difference >= 0) region.bytes.copy(region.shadow);
  }

  crcOf({ region, offset, length }) {
    return zlib.crc32(region.shadow.subarray(offset, offset + length));
  }

  nativeWrite(place) {
    if (this.writing?.region === place.region) return;
    const [offset, length] = this.stretch(place.length);
    const seed = this.random(256);
    pattern(place.region.shadow, place.offset + offset, length, seed);
    this.addon.poke(place.index, offset, length, seed, this.again(place));
    this.verify(place.region);
  }

  nativeRead(place) {
    if (this.writing?.region === place.region) return;
    const crc = this.addon.check(place.index, this.again(place));
    this.note(crc);
    this.expect(crc === this.crcOf(place), `native code sees other bytes in ${place.length} at ${place.offset} of ${place.region.what}`);
  }

  /** Where a thread writes the odd bytes of a place, only even ones. */
  write(region) {
    const { random, writing } = this;
    const [offset, length] = this.stretch(region.bytes.length);
    const seed = random(256);
    if (writing?.region !== region) {
      for (const bytes of [region.bytes, region.shadow]) pattern(bytes, offset, length, seed);
      return;
    }
    for (let i = offset; i < offset + Math.min(length, 3000); i++) {
      const inside = i - writing.offset;
      if (inside >= 0 && inside < writing.length && inside % 2 === 1) continue;
      region.bytes[i] = region.shadow[i] = seed + i;
    }
  }

  around(place) {
    if (this.writing?.region === place.region || this.depth > 5) return;
    const { region } = place;
    const [offset, length] = this.stretch(place.length);
    const seed = this.random(256);
    pattern(region.shadow, place.offset + offset, length, seed);
    let expected;
    region.users++;
    this.depth++;
    const crc = this.addon.around(place.index, offset, length, seed, () => {
      this.verify(region);
      const count = this.random(6);
      for (let i = 0; i < count; i++) this.step();
      if (this.writing?.region === region) this.join();
      expected = this.crcOf(place);
    }, this.again(place));
    this.depth--;
    region.users--;
    this.note(crc);
    this.expect(crc === expected, `after a callback native code sees other bytes in ${place.length} at ${place.offset} of ${region.what}`);
    if (length > 0) region.shadow[place.offset + offset + length - 1] = seed ^ 0x5a;
    this.verify(region);
  }

  thread(place) {
    if (!this.threads || this.writing || place.length === 0 || (place.region.isExternal && !this.externalThreads)) return;
    const seed = this.random(256);
    this.writing = { region: place.region, offset: place.offset, length: place.length, seed };
    this.addon.threadStart(place.index, seed);
    const count = this.random(4);
    for (let i = 0; i < count; i++) this.write(place.region);
  }

  join() {
    const { region, offset, length, seed } = this.writing;
    this.addon.threadJoin();
    for (let i = 1; i < length; i += 2) region.shadow[offset + i] = seed + 3 + i;
    this.writing = undefined;
    this.verify(region);
  }

  /** The bytes move on, and what is left is empty. */
  detach(region) {
    if (this.isBusy(region) || region.isExternal || region.base > 0 || !(region.buffer instanceof ArrayBuffer) || region.what.startsWith('a pooled')) return;
    this.verify(region);
    for (const place of this.places.filter((other) => other.region === region)) this.dropPlace(place);
    this.regions.delete(region);
    const { buffer, shadow } = region;
    if (this.random(2)) {
      this.expect(this.addon.detach(buffer), 'the buffer is not detached');
    } else {
      const moved = structuredClone(buffer, { transfer: [buffer] });
      this.expect(Buffer.from(moved).equals(shadow), `other bytes after a transfer of ${region.what}`);
      const next = new Region(moved, 0, moved.byteLength, `${region.what}, transferred`);
      this.regions.add(next);
    }
    this.expect(buffer.byteLength === 0, 'bytes in a detached buffer');
  }

  resize(region) {
    if (this.isBusy(region) || !region.isGrowable) return;
    for (const place of this.places.filter((other) => other.region === region)) this.dropPlace(place);
    this.regions.delete(region);
    this.verify(region);
    const { buffer, shadow } = region;
    const size = this.random(buffer.maxByteLength + 1);
    const expected = Buffer.alloc(size);
    shadow.copy(expected);
    buffer.resize(size);
    const next = new Region(buffer, 0, size, `a resizable ArrayBuffer of ${size}, resized`);
    this.expect(next.bytes.equals(expected), `other bytes after resizing to ${size}`);
    this.regions.add(next);
  }

  step() {
    this.op++;
    const { random } = this;
    if (this.places.length < 4) this.addPlace();
    const place = this.pick();
    switch (random(16)) {
      case 0: this.addPlace(); break;
      case 1: this.createPlace(); break;
      case 2: if (this.places.length > 30 && !this.isBusy(place.region)) this.dropRegion(place.region); break;
      case 3: case 4: case 5: this.nativeWrite(place); break;
      case 6: case 7: this.nativeRead(place); break;
      case 8: case 9: case 10: this.write(place.region); break;
      case 11: case 12: this.around(place); break;
      case 13: if (this.writing) this.join(); else this.thread(place); break;
      case 14: this.verify(place.region); break;
      case 15: if (random(6) === 0) { if (random(2)) this.detach(place.region); else this.resize(place.region); } break;
    }
  }

  finish() {
    if (this.writing) this.join();
    for (const region of this.regions) this.verify(region);
    for (const place of this.places) this.nativeRead(place);
    while (this.places.length > 0) this.dropPlace(this.places[0]);
    this.expect(this.addon.takeMoved() === 0, 'an address has changed');
  }
}

/** { log, wrong, ops }: `log` is a digest of all that was seen, `wrong` what the model says is not so. */
function run(addon, options) {
  const stress = new Stress(addon, options);
  while (stress.op < (options.ops ?? 400)) stress.step();
  stress.finish();
  return { log: stress.log, wrong: stress.wrong, ops: stress.op };
}

function main() {
  const { flag, number, orUsage, parseOptions } = require('../../../scripts/options');
  const { seed: first, count, ops, max, ask, 'no-threads': alone, isolated } = orUsage(
    'node tests/js/support/memory-stress.js [--seed N] [--count N] [--ops N] [--max BYTES] [--ask] [--no-threads] [--isolated]',
    () => parseOptions({ seed: number(1, { least: 0 }), count: number(20), ops: number(400), max: number(3_000_000), ask: flag, 'no-threads': flag, isolated: flag }),
  );
  const { addonFile, kit } = require('./child.js');
  const addon = isolated ? kit.remote.load(addonFile('memory_stress')) : kit.dlopen(addonFile('memory_stress'));
  let bad = 0;
  for (let seed = first; seed < first + count; seed++) {
    const { wrong, log } = run(addon, { seed, ask, threads: !alone, ops, max });
    if (wrong.length > 0) bad++;
    console.log(`seed ${seed}: ${log.toString(16)}${wrong.map((text) => `\n  ${text}`).join('')}`);
  }
  process.exitCode = bad > 0 ? 1 : 0;
}

module.exports = { run };
if (require.main === module) main();
