'use strict';
// Published codecs, compared in-process and isolated: Buffers that are read, written in place, and made.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');
const { compareAddon } = require('./support/real.js');

compareAddon('bufferutil', { values: 740, errors: 0 }, ({ addon, record, bytes, lengths }) => {
  for (const length of [...lengths, 5, 6, 9, 10, 11, 12, 13, 47, 48, 49, 50]) {
    const source = bytes(length);
    const key = bytes(4);
    for (const offset of [0, 1, 3, 8]) {
      const output = Buffer.alloc(length + offset, 0xee);
      record(() => addon.mask(source, key, output, offset, length));
      record(() => output);
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
  record(() => addon);
});

// Its exports are a function without a name. It ends the process when the argument is no view.
compareAddon('utf-8-validate', { values: 800, errors: 0 }, ({ addon, record, random, bytes, text, inputs }) => {
  for (const input of inputs) record(() => addon(Buffer.from(input)));
  for (let i = 0; i < 200; i++) {
    const valid = Buffer.from(text(random(600)));
    record(() => addon(valid));
    if (valid.length > 0) valid[random(valid.length)] = random(256);
    record(() => addon(valid));
    record(() => addon(valid.subarray(random(5))));
  }
  const edges = ['c080', 'e08080', 'f0808080', 'eda080', 'f4908080', 'c2', 'e282', 'f09f98', 'f09f9880', 'ff', '80', 'efbfbf', 'f48fbfbf', '', '00'];
  for (const edge of edges) {
    for (const padding of [0, 1, 7, 8, 15, 31, 63, 64, 5000]) record(() => addon(Buffer.from('78'.repeat(padding) + edge, 'hex')));
  }
  const pool = new Uint8Array(bytes(64)).buffer;
  for (const view of [new Uint8Array(8), new Uint16Array(pool, 2, 9), new Float64Array(3), new DataView(pool, 3, 40)]) record(() => addon(view));
  record(() => addon(Buffer.from('x'), 1, 2, 3));
  record(() => addon);
});

// By the file that is built without V8's own functions: on Node 20 the package takes the other one.
const extractor = '@msgpackr-extract/msgpackr-extract-linux-x64/node.napi.glibc.node';
compareAddon(extractor, { values: 400, errors: 400 }, ({ addon, record, random, pick, bytes, text, odd }) => {
  const { extractStrings } = addon;
  const string = (content) => {
    const data = Buffer.from(content);
    const { length } = data;
    if (length < 32) return Buffer.concat([Buffer.from([0xa0 + length]), data]);
    if (length < 256) return Buffer.concat([Buffer.from([0xd9, length]), data]);
    if (length < 65536) return Buffer.concat([Buffer.from([0xda, length >> 8, length & 255]), data]);
    return Buffer.concat([Buffer.from([0xdb, 0, length >> 16, (length >> 8) & 255, length & 255]), data]);
  };
  const ascii = (length) => Buffer.from(text(length)).toString('latin1').replace(/[^ -~]/g, '.');
  const others = 'c0 c3 cc07 cd0102 ce01020304 cb0102030405060708 07 e5 83 93 d401ff c403010203 c7020501ff dc0002 de0001'.split(' ');
  const item = () => pick([
    () => string(ascii(random(60))), () => string(text(random(40))), () => string(ascii(random(400))), () => string(text(random(3000))),
    () => Buffer.from(pick(others), 'hex'), () => Buffer.from(pick(others), 'hex'),
  ])();
  const whole = (buffer) => new Uint8Array(buffer).buffer;
  for (let i = 0; i < 150; i++) {
    const source = whole(Buffer.concat(Array.from({ length: random(60) }, item)));
    record(() => extractStrings(0, source.byteLength, source));
    record(() => extractStrings(random(source.byteLength + 1), source.byteLength, source));
    record(() => extractStrings(0, random(source.byteLength + 1), source));
  }
  for (const length of [0, 1, 31, 32, 255, 256, 65535, 65536, 200000]) {
    record(() => extractStrings(0, length + 6, whole(Buffer.concat([string(ascii(length)), Buffer.alloc(6)]))));
    record(() => extractStrings(0, length, whole(string(text(length)))));
  }
  const many = whole(Buffer.concat(Array.from({ length: 600 }, (_, i) => string(i % 3 ? 'ä'.repeat(i % 50) : ascii(90)))));
  record(() => extractStrings(0, many.byteLength, many));
  for (let i = 0; i < 300; i++) {
    const noise = whole(bytes(1 + random(500)));
    record(() => extractStrings(0, noise.byteLength, noise));
  }
  for (const value of [...odd, -1, 2 ** 32, 2 ** 32 - 1, 1.5, '3']) {
    record(() => extractStrings(value, 10, whole(Buffer.alloc(10))));
    record(() => extractStrings(0, value, whole(Buffer.alloc(10))));
    record(() => extractStrings(0, 0, value));
    record(() => extractStrings(value));
    record(() => extractStrings(0, 0, whole(Buffer.alloc(0)), value));
  }
  record(() => Object.getOwnPropertyDescriptors(addon));
});

test('the one of @msgpackr-extract that uses V8 is refused', () => {
  const { name, code, message, files } = runJson((kit) => {
    const { createRequire } = require('node:module');
    const load = () => createRequire(`${kit.root}/package.json`)('@msgpackr-extract/msgpackr-extract-linux-x64/node.abi115.glibc.node');
    kit.print({ ...kit.outcome(load), files: kit.remote.hosts().flatMap(({ files }) => files) });
  }, { isolated: true });
  assert.deepEqual({ name, code, files }, { name: 'Error', code: 'ERR_NAPI_REMOTE_UNSUPPORTED', files: [] });
  assert.match(message, /v8::Array::New/);
});

compareAddon('snappy', { values: 180, errors: 120, what: 'with copied results' }, ({ addon, record, random, bytes, inputs, odd }) => {
  const { compressSync, uncompressSync } = addon;
  const copy = { copyOutputData: true };
  for (const input of [...inputs, 'abc'.repeat(5000), Buffer.alloc(100000, 'xyz')]) {
    record(() => compressSync(input, copy));
    record(() => uncompressSync(compressSync(input, copy), copy));
    record(() => uncompressSync(compressSync(input, copy), { asBuffer: false }));
  }
  for (let i = 0; i < 40; i++) {
    const broken = compressSync(Buffer.alloc(1000, bytes(20)), copy);
    broken[random(broken.length)] ^= 1 << random(8);
    // The first bytes are the length of what comes out: 1000.
    if (broken.readUInt16LE() === 0x07e8) record(() => uncompressSync(broken, copy));
    record(() => uncompressSync(broken.subarray(0, random(broken.length)), copy));
  }
  for (const value of odd.filter((value) => typeof value !== 'number')) {
    record(() => compressSync(value, copy));
    record(() => uncompressSync(value, copy));
    record(() => compressSync('text', { copyOutputData: value ?? true }) && 'made');
    record(() => uncompressSync('no snappy', value));
  }
  record(() => compressSync('x', { get copyOutputData() { throw new RangeError('from the getter'); } }));
  record(() => compressSync());
  record(() => Object.entries(addon).sort());
});

compareAddon('snappy', { values: 100, errors: 0, what: 'with external results' }, ({ addon, record, inputs }) => {
  for (const input of inputs) {
    record(() => addon.compressSync(input));
    record(() => addon.uncompressSync(addon.compressSync(input)));
  }
});

compareAddon('lz4-napi', { values: 370, errors: 70 }, ({ addon, record, random, bytes, inputs, odd }) => {
  const { compressSync, uncompressSync, compressFrameSync, decompressFrameSync } = addon;
  const dictionary = bytes(300);
  for (const input of [...inputs, 'abc'.repeat(5000), Buffer.alloc(100000, 'xyz')]) {
    record(() => compressSync(input));
    record(() => uncompressSync(compressSync(input)));
    record(() => uncompressSync(compressSync(input, dictionary), dictionary));
    for (const options of [undefined, { contentChecksum: true }, { blockChecksums: true, contentChecksum: true }]) {
      record(() => decompressFrameSync(compressFrameSync(input, options)));
    }
  }
  for (let i = 0; i < 40; i++) {
    record(() => {
      const frame = compressFrameSync(bytes(random(500)), { contentChecksum: true });
      frame[random(frame.length)] ^= 1 << random(8);
      return decompressFrameSync(frame);
    });
  }
  for (const value of odd) {
    record(() => compressSync(value));
    record(() => decompressFrameSync(value));
    record(() => compressFrameSync('text', { contentChecksum: value }));
  }
});
