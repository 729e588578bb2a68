'use strict';
// Published hash functions, compared in-process and isolated: napi-rs and C++ and plain C, numbers and BigInts and Buffers as results.
const { compareAddon } = require('./support/real.js');

compareAddon('@node-rs/crc32', { values: 950, errors: 50 }, ({ addon, record, inputs, odd }) => {
  for (const call of [addon.crc32, addon.crc32c]) {
    for (const input of inputs) {
      record(() => call(input));
      for (const initial of [0, 1, 0xffffffff, -1, 1.5, null, undefined]) record(() => call(input, initial));
    }
    for (const value of odd) record(() => call(value));
    for (const value of odd) record(() => call('text', value));
    record(() => call());
  }
  record(() => addon);
});

compareAddon('@node-rs/xxhash', { values: 1250, errors: 160 }, ({ addon, record, bytes, inputs, odd }) => {
  const { xxh32, xxh64, xxh3, Xxh32, Xxh64 } = addon;
  for (const input of inputs) {
    for (const start of [undefined, 0, 7, 0xffffffff]) record(() => xxh32(input, start));
    for (const start of [undefined, 0n, 7n, 2n ** 64n - 1n]) {
      for (const call of [xxh64, xxh3.xxh64, xxh3.xxh128]) record(() => call(input, start));
    }
    record(() => xxh3.xxh64WithSecret?.(input, bytes(192)));
    record(() => new Xxh32(1).update(input).update('more').digest());
    record(() => new Xxh64(1n).update(input).update(input).digest());
    record(() => new xxh3.Xxh3(1n).update(input).digest());
    record(() => xxh3.Xxh3.withSeed(5n).update(input).digest());
  }
  const state = new Xxh32();
  for (const input of inputs) record(() => state.update(input).digest());
  record(() => state.reset());
  record(() => state.digest());
  for (const value of odd) {
    for (const call of [xxh32, xxh64, xxh3.xxh64, xxh3.xxh128]) record(() => call(value));
    for (const call of [xxh32, xxh64]) record(() => call('text', value));
    record(() => typeof new Xxh32(value));
    record(() => state.update.call(value, 'text'));
  }
  record(() => Xxh32());
  record(() => state.constructor === Xxh32 && state instanceof Xxh32);
  record(() => Object.getOwnPropertyDescriptors(Xxh32.prototype));
  record(() => addon);
});

compareAddon('farmhash', { values: 1300, errors: 130 }, ({ addon, require, record, bytes, inputs, odd }) => {
  const seeds = [0, 1, -1, 0xffffffff, 2 ** 32, 2 ** 53 - 1, -(2 ** 63), 1e300];
  for (const input of inputs) {
    for (const call of ['hash32', 'hash64', 'fingerprint32', 'fingerprint64', 'fingerprint64signed']) record(() => addon[call](input));
    for (const seed of seeds) {
      record(() => addon.hash32WithSeed(input, seed));
      record(() => addon.hash64WithSeed(input, seed));
    }
    record(() => addon.hash64WithSeeds(input, 12345, 678));
  }
  for (let length = 0; length < 80; length++) record(() => addon.fingerprint64(bytes(length)));
  for (const value of odd) {
    for (const call of Object.values(addon)) record(() => call(value));
    record(() => addon.hash32WithSeed('text', value));
    record(() => addon.hash64WithSeeds('text', value, value));
  }
  // What the JavaScript in front of it does not let through.
  const binding = require(`farmhash/build/farmhash-${require('farmhash/platform')}.node`);
  record(() => Object.keys(binding));
  for (const call of ['Hash32String', 'Hash64String', 'Hash64WithSeedString', 'Fingerprint64String']) {
    record(() => binding[call]('text', 7, 7));
    record(() => binding[call]('\ud800', 7, 7));
    record(() => new binding[call]('text', 7, 7));
  }
});

// It takes any argument to be a Buffer of the right kind, so it gets no others.
compareAddon('xxhash-addon', { values: 1400, errors: 32 }, ({ addon, record, random, bytes, lengths, odd }) => {
  const seeds = { XXHash32: [4], XXHash64: [4, 8], XXHash3: [4, 8, 136, 192, 1000], XXHash128: [4, 8, 136, 200] };
  const contents = [...lengths.map(bytes), bytes(100).subarray(3, 50), Buffer.from(new ArrayBuffer(64), 8, 20), new Uint8Array(bytes(33)), 
    new Uint8Array(new Uint8Array(bytes(90)).buffer, 5, 60)];
  for (const [name, sizes] of Object.entries(seeds)) {
    const Class = addon[name];
    for (const content of contents) record(() => Class.hash(content));
    for (const size of sizes) {
      const state = new Class(bytes(size));
      for (const content of contents) {
        record(() => state.update(content));
        record(() => state.digest());
        record(() => new Class(bytes(size)).digest());
      }
      record(() => state.reset());
      for (let i = 0; i < 40; i++) state.update(bytes(random(300)));
      record(() => state.digest());
      record(() => state);
    }
    for (const length of [0, 1, 3, 5, 7, 9, 31, 135]) record(() => new Class(bytes(length)));
    record(() => new Class(bytes(4)) instanceof Class);
    record(() => Object.getOwnPropertyNames(Class.prototype));
    record(() => Object.getOwnPropertyDescriptors(Class.prototype));
    record(() => Object.getOwnPropertyDescriptor(Class, 'hash'));
    class Derived extends Class {
      update(content) {
        super.update(content);
        return this;
      }
    }
    for (const content of contents) record(() => new Derived(bytes(4)).update(content).update(content).digest());
    record(() => Derived.hash === Class.hash && Derived.hash(bytes(5)));
    for (const value of odd) record(() => Class.prototype.constructor === value);
  }
  // Objects that nobody keeps, with collections in between.
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 100; i++) new addon.XXHash3(bytes(8)).update(bytes(i));
    globalThis.gc();
  }
  record(() => addon.XXHash3.hash(Buffer.from('after')));
});
