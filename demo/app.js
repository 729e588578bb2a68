'use strict';
// An ordinary program with ordinary addons. It knows nothing of napi-remote; demo/main.js runs it once as it is and once under
// `node -r napi-remote/register`.
const v8 = require('node:v8');
const { inspect } = require('node:util');

const { crc32, crc32c } = require('@node-rs/crc32');
const xxhash = require('@node-rs/xxhash');
const bcrypt = require('bcrypt');
const bufferutil = require('bufferutil');

const text = 'the quick brown fox jumps over the lazy dog';
const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => (i * 7) & 255));
const salt = '$2b$04$abcdefghijklmnopqrstuu';
const hash = '$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW';
const mask = Buffer.from([1, 2, 3, 4]);

const jobs = [
  ['@node-rs/crc32', 'crc32("the quick ...")', () => crc32(text)],
  ['@node-rs/crc32', 'crc32c(256 bytes)', () => crc32c(bytes)],
  ['@node-rs/xxhash', 'xxh32("the quick ...", 7)', () => xxhash.xxh32(text, 7)],
  ['@node-rs/xxhash', 'xxh3.xxh64(256 bytes)', () => xxhash.xxh3.xxh64(bytes)],
  ['@node-rs/xxhash', 'new Xxh64(1n).update(..).digest()', () => new xxhash.Xxh64(1n).update(text).update(bytes).digest()],
  ['bcrypt', 'hashSync("secret", salt)', () => bcrypt.hashSync('secret', salt)],
  ['bcrypt', 'compareSync("secret", hash)', () => bcrypt.compareSync('secret', hash)],
  ['bcrypt', 'getRounds(hash)', () => bcrypt.getRounds(hash)],
  ['bufferutil', 'mask(bytes, mask, out, 0, 64)', () => {
    const out = Buffer.alloc(64);
    bufferutil.mask(bytes, mask, out, 0, 64);
    return out;
  }],
  ['bufferutil', 'unmask(bytes, mask)', () => {
    const copy = Buffer.from(bytes.subarray(0, 48));
    bufferutil.unmask(copy, mask);
    return copy;
  }],
];

// Nanoseconds of one call: the median over batches of 32, fewer when a call takes long.
function time(run) {
  const times = [];
  const end = process.hrtime.bigint() + 150_000_000n;
  let batch = 1;
  while (process.hrtime.bigint() < end && times.length < 1000) {
    const before = process.hrtime.bigint();
    for (let i = 0; i < batch; i++) run();
    const taken = Number(process.hrtime.bigint() - before);
    times.push(taken / batch);
    batch = taken / batch < 100_000 ? 32 : 1;
  }
  return times.sort((a, b) => a - b)[times.length >> 1];
}

function show(result) {
  if (Buffer.isBuffer(result)) return `${result.toString('hex', 0, 8)}.. (${result.length} bytes)`;
  const shown = inspect(result);
  return shown.length > 26 ? `'..${shown.slice(-20)}` : shown;
}

for (const [addon, call, run] of jobs) {
  const result = run();
  console.log(JSON.stringify({
    addon, call, shown: show(result), bytes: v8.serialize(result).toString('base64'), ns: time(run),
  }));
}
