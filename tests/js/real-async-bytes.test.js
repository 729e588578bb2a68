'use strict';
// Published codecs that work in the background, compared in-process and isolated: Buffers that are read and made on other threads.
const { compareAddon } = require('./support/real.js');

const zstd = { values: 140, errors: 60, what: 'in the background' };
compareAddon('@mongodb-js/zstd', zstd, async ({ addon, require, settle, random, bytes, inputs, odd }) => {
  const { compress, decompress } = require('@mongodb-js/zstd/bindings');
  for (const input of [...inputs, 'abc'.repeat(5000), Buffer.alloc(100000, 'xyz')]) {
    const packed = await settle(() => addon.compress(Buffer.from(input)));
    await settle(() => addon.decompress(packed));
  }
  for (const level of [-5, 1, 3, 9, 19]) await settle(() => compress(Buffer.alloc(30000, bytes(700)), level));
  for (let i = 0; i < 30; i++) {
    const broken = await compress(Buffer.alloc(1000, bytes(20)));
    broken[random(broken.length)] ^= 1 << random(8);
    await settle(() => decompress(broken.subarray(0, random(broken.length))));
  }
  for (const value of odd) {
    for (const call of [addon.compress, addon.decompress, compress, decompress]) await settle(() => call(value));
  }
  // Many at once.
  const contents = Array.from({ length: 50 }, () => bytes(random(20000)));
  const packed = await Promise.all(contents.map((content) => settle(() => compress(content, 1))));
  await Promise.all(packed.map((each) => settle(() => decompress(each))));
});

// Broken input may name any length for what comes out, so it keeps the one that it has.
for (const copyOutputData of [true, false]) {
  const snappy = { values: 160, errors: 40, what: `in the background, ${copyOutputData ? 'copied' : 'external'} results`, given: { copyOutputData } };
  compareAddon('snappy', snappy, async ({ addon, settle, random, bytes, inputs, odd, copyOutputData }) => {
    const { compress, uncompress } = addon;
    const options = { copyOutputData };
    for (const input of [...inputs, 'abc'.repeat(5000), Buffer.alloc(100000, 'xyz')]) {
      const packed = await settle(() => compress(input, options));
      await settle(() => uncompress(packed, options));
      await settle(() => uncompress(packed, { asBuffer: false }));
    }
    for (let i = 0; i < 30; i++) {
      const whole = await compress(Buffer.alloc(1000, bytes(20)), options);
      await settle(() => uncompress(whole.subarray(0, random(whole.length)), options));
    }
    for (const value of odd.filter((each) => typeof each !== 'number')) {
      await settle(() => compress(value, options));
      await settle(() => uncompress(value, options));
      await settle(() => uncompress('no snappy', options, value));
    }
    const contents = Array.from({ length: 50 }, () => bytes(random(20000)));
    const packed = await Promise.all(contents.map((content) => settle(() => compress(content, options))));
    await Promise.all(packed.map((each) => settle(() => uncompress(each, options))));
  });
}

// What is kept of the memory of dead ones is all of another size.
compareAddon('snappy', { values: 60, errors: 0, what: 'one size after the other' }, async ({ addon, settle, bytes }) => {
  const { compressSync, uncompressSync, uncompress } = addon;
  const large = compressSync(Buffer.alloc(2 ** 20, 1)), small = compressSync(bytes(300_000));
  let all = [];
  for (let i = 0; i < 120; i++) all.push(uncompressSync(large));
  all = null;
  gc();
  await new Promise((resolve) => setImmediate(resolve)); // Node calls finalizers from its loop
  for (let i = 0; i < 60; i++) {
    all = uncompressSync(small);
    await settle(() => uncompress(small));
  }
});

compareAddon('lz4-napi', { values: 180, errors: 20, what: 'in the background' }, async ({ addon, settle, random, bytes, inputs, odd }) => {
  const { compress, uncompress, compressFrame, decompressFrame } = addon;
  const dictionary = bytes(300);
  for (const input of [...inputs, 'abc'.repeat(5000), Buffer.alloc(100000, 'xyz')]) {
    const packed = await settle(() => compress(input, dictionary));
    await settle(() => uncompress(packed, dictionary));
    const frame = await settle(() => compressFrame(input, { contentChecksum: true }));
    await settle(() => decompressFrame(frame));
  }
  for (let i = 0; i < 20; i++) {
    const frame = await compressFrame(bytes(random(500)), { contentChecksum: true });
    frame[random(frame.length)] ^= 1 << random(8);
    await settle(() => decompressFrame(frame));
  }
  for (const value of odd) {
    await settle(() => compress(value));
    await settle(() => decompressFrame(value));
  }
});

// Its calls that do not wait return an array from a scope that they have closed.
compareAddon('node-liblzma', { values: 100, errors: 20 }, async ({ addon, record, settle, inputs, odd }) => {
  for (const input of inputs.map((content) => Buffer.from(content)).filter(({ length }) => length !== 300001)) {
    record(() => addon.xzSync(input));
    record(() => addon.unxzSync(addon.xzSync(input)).equals(input));
    const packed = await settle(() => addon.xzAsync(input));
    await settle(async () => (await addon.unxzAsync(packed)).equals(input));
  }
  record(() => addon.unxzSync(Buffer.from('garbage')));
  await settle(() => addon.unxzAsync(Buffer.from('garbage')));
  for (const value of odd) {
    record(() => addon.xzSync(value));
    record(() => addon.xzSync('x', value));
    await settle(() => addon.xzAsync(value));
  }
});
