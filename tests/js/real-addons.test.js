'use strict';
// Published addons on many inputs: under napi-remote/register they answer as without it.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');

// Runs in both kinds of child: (kit, name) -> {outcomes}. Inputs come from a generator with a fixed seed.
function exercise(kit, name) {
  const { createRequire } = require('node:module');
  const addon = createRequire(`${kit.root}/package.json`)(name);
  const outcomes = [];
  const plain = (value) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (Buffer.isBuffer(value)) return `hex ${value.toString('hex')}`;
    if (value === undefined) return 'undefined';
    if (typeof value === 'object' && value !== null) return `object ${value.constructor?.name}`;
    if (typeof value === 'function' || typeof value === 'symbol') return typeof value;
    return Object.is(value, -0) || Number.isNaN(value) ? String(value) : value;
  };
  const record = (call) => {
    const { value, ...error } = kit.outcome(call);
    outcomes.push('name' in error ? error : plain(value));
  };

  let seed = 12345;
  const random = (limit) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % limit;
  };
  const bytes = (length) => Buffer.from(Array.from({ length }, () => random(256)));
  const text = (length) => String.fromCharCode(...Array.from({ length }, () => random(4) === 0 ? 0x20 + random(0xd000) : 0x20 + random(95)));
  const lengths = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 63, 64, 65, 127, 128, 253, 254, 255, 256, 257, 1000, 4095, 4096, 4097, 65536, 300001];
  const inputs = lengths.flatMap((length) => [bytes(length), text(Math.min(length, 70000))]);
  inputs.push('ä€😀', '\ud800', '\0', 'a\0b', bytes(100).subarray(3, 50), Buffer.alloc(0), Buffer.from(new ArrayBuffer(64), 8, 20));
  const odd = [undefined, null, 5, NaN, true, {}, [], 5n, Symbol.iterator, () => {}, new Date(0), new Uint8Array(4), new Uint16Array(4), new ArrayBuffer(4),
    new DataView(new ArrayBuffer(4))];

  const programs = {
    '@node-rs/crc32': () => {
      for (const call of [addon.crc32, addon.crc32c]) {
        for (const input of inputs) {
          record(() => call(input));
          for (const initial of [0, 1, 0xffffffff, -1, 1.5, null, undefined]) record(() => call(input, initial));
        }
        for (const value of odd) record(() => call(value));
        for (const value of odd) record(() => call('text', value));
        record(() => call());
      }
    },
    '@node-rs/xxhash': () => {
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
      record(() => Object.getOwnPropertyNames(Xxh32.prototype).sort().join());
      record(() => Object.keys(addon).sort().join());
    },
    bcrypt: () => {
      const salts = ['$2b$04$abcdefghijklmnopqrstuu', '$2a$04$......................', '$2b$05$zyxwvutsrqponmlkjihgfe', 'no salt', '', '$2b$99$abcdefghijklmnopqrstuu'];
      for (const input of ['', 'secret', 'ä€😀', 'a\0b', 'x'.repeat(71), 'x'.repeat(72), 'x'.repeat(73), 'x'.repeat(300), bytes(30), bytes(100)]) {
        for (const salt of salts) record(() => addon.hashSync(input, salt));
        record(() => addon.compareSync(input, addon.hashSync(input, salts[0])));
        record(() => addon.compareSync('other', addon.hashSync(input, salts[0])));
        record(() => addon.getRounds(addon.hashSync(input, salts[2])));
      }
      for (const value of ['', 'no hash', '$2b$10$', ...odd]) {
        record(() => addon.getRounds(value));
        record(() => addon.compareSync('secret', value));
        record(() => addon.compareSync(value, 'no hash'));
        record(() => addon.hashSync(value, salts[0]));
        // These stand for a number of rounds: then the salt is random.
        if (typeof value !== 'number' && value !== undefined) record(() => addon.hashSync('secret', value));
      }
      for (const rounds of [4, 5, 10, 31]) record(() => addon.genSaltSync(rounds).slice(0, 7));
      record(() => addon.compareSync('secret', addon.hashSync('secret', 4)));
    },
    bufferutil: () => {
      for (const length of [...lengths, 5, 6, 9, 10, 11, 12, 13, 47, 48, 49, 50]) {
        const source = bytes(length);
        const key = bytes(4);
        for (const offset of [0, 1, 3, 8]) {
          const output = Buffer.alloc(length + offset, 0xee);
          record(() => addon.mask(source, key, output, offset, length));
          record(() => output.toString('latin1').length && output);
          const shifted = Buffer.concat([Buffer.alloc(offset, 0xdd), source]);
          record(() => addon.unmask(shifted.subarray(offset), key));
          record(() => shifted);
        }
        record(() => addon.mask(source, key, source, 0, length));
        record(() => source);
        record(() => addon.unmask(source, key));
        record(() => source);
      }
      const parent = Buffer.alloc(64, 1);
      for (let i = 0; i < 8; i++) addon.unmask(parent.subarray(i * 8, i * 8 + 5), bytes(4));
      record(() => parent);
      record(() => Object.keys(addon).join());
    },
  };
  programs[name]();
  const large = outcomes.map((outcome) => (typeof outcome === 'string' && outcome.length > 1000
    ? `sha256 ${require('node:crypto').createHash('sha256').update(outcome).digest('hex')}` : outcome));
  kit.print({ outcomes: large, hosts: kit.remote.hosts().length });
}

for (const [name, least] of Object.entries({ '@node-rs/crc32': 900, '@node-rs/xxhash': 1000, bcrypt: 150, bufferutil: 350 })) {
  test(`${name} answers as in-process`, () => {
    const [inProcess, isolated] = [false, true].map((kind) => runJson(exercise, { args: [name], isolated: kind }));
    assert.equal(inProcess.hosts, 0);
    assert.equal(isolated.hosts, 1);
    assert.ok(inProcess.outcomes.length >= least, `only ${inProcess.outcomes.length} outcomes`);
    assert.ok(inProcess.outcomes.filter((outcome) => outcome === null || typeof outcome !== 'object').length > inProcess.outcomes.length / 4);
    assert.deepEqual(isolated.outcomes, inProcess.outcomes);
  });
}
