'use strict';
// Buffers, ArrayBuffers, typed arrays, DataViews: who sees whose bytes, and when.
const util = require('node:util');
const { attempt, cases } = require('./harness.js');

const sizes = [0, 1, 2, 7, 8, 63, 64, 65, 100, 255, 256, 1000, 4095, 4096, 4097, 8191, 8192, 8193, 65536, 100_000, 2 ** 20];
const Views = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array];
const numbers = (length) => Uint8Array.from({ length }, (_, i) => i * 37 + 11);
const bufferOf = (length) => Buffer.from(numbers(length).buffer);
const others = () => [undefined, null, true, 1, 'text', 10n, Symbol('s'), {}, [1, 2], () => 1, new SharedArrayBuffer(8), new Proxy(new Uint8Array(2), {}), new Date(1), { length: 2, buffer: new ArrayBuffer(2) }];
const binaries = () => [
  new ArrayBuffer(0), new ArrayBuffer(16), numbers(16).buffer, bufferOf(10), Buffer.alloc(0), new DataView(numbers(16).buffer, 4, 8), new DataView(new ArrayBuffer(0)),
  ...Views.map((View) => new View(numbers(64).buffer, 16, 3)), class extends Uint8Array {}.of(1, 2), new (class extends ArrayBuffer {})(3),
];

cases('buffers', {
  'Buffers that native code makes': ({ createBuffer }) => sizes.map((size) => createBuffer(size, size % 251)),
  'Buffers that native code makes are Buffers': ({ createBuffer }) => {
    const { value } = createBuffer(20, 7);
    return [Buffer.isBuffer(value), value.toString('hex'), value.buffer.byteLength, value.subarray(3, 5), value.equals(createBuffer(20, 7).value), value.write('JavaScript'), value];
  },
  'Buffers that native code copies': ({ copyBuffer }) => sizes.flatMap((size) => [copyBuffer(size, size % 250, false), copyBuffer(size, size % 250, true)]),
  'ArrayBuffers that native code makes': ({ createArraybuffer }) => sizes.map((size) => createArraybuffer(size, size % 249)),
  'what is what': ({ what }) => [...binaries(), ...others()].map((value) => what(value)),
  'many Buffers that are given to JavaScript by the call that makes them': ({ giveMany }) => [10, 1000, 1100, 3000].flatMap((count) => [true, false].map((filled) => {
    const seen = [];
    const written = giveMany(count, filled, (list) => seen.push(list.map((item, i) => {
      const bytes = new Uint8Array(item.buffer ?? item, item.byteOffset ?? 0, 20);
      const first = Buffer.from(bytes).toString('hex');
      bytes[3] = i * 13;
      return first;
    })));
    return [written, seen];
  })),
  'many Buffers, for each of which native code calls back': ({ callForEach }) => [10, 1500].map((count) => {
    const seen = [];
    const written = callForEach(count, (bytes, list, i) => {
      seen.push(bytes[0], bytes[23], list[Math.max(0, i - 5)][3]);
      bytes[5] = i * 7;
      list[Math.max(0, i - 10)][6] = i;
    });
    return [written, seen];
  }),
  'a list of views': ({ listViews }) => [0, 1, 2, 20, 300].map((count) => listViews(count)),
  'Buffer info': ({ bufferInfo, bufferInfoHalves }) => [...sizes.map(bufferOf), ...binaries().filter(ArrayBuffer.isView)].map((value) => [bufferInfo(value), ArrayBuffer.isView(value) && bufferInfoHalves(value)]),
  'Buffer info of what is no argument': ({ innerInfoHalves }) => [...sizes.map(bufferOf), Buffer.from('pooled')].map((value) => innerInfoHalves([value])),
  'Buffer info of others': ({ bufferInfo }) => [...others(), new ArrayBuffer(4)].map((value) => bufferInfo(value)),
  'ArrayBuffer info': ({ arraybufferInfo }) => [...sizes.map((size) => numbers(size).buffer), ...others(), new Uint8Array(3)].map((value) => arraybufferInfo(value)),
  'typed array info': ({ typedarrayInfo }) => [...binaries(), ...others()].map((value) => {
    const result = typedarrayInfo(value);
    return [result, !util.types.isProxy(value) && result.arraybuffer === value?.buffer];
  }),
  'DataView info': ({ dataviewInfo }) => [...binaries(), ...others()].map((value) => {
    const result = dataviewInfo(value);
    return [result, !util.types.isProxy(value) && result.arraybuffer === value?.buffer];
  }),
  'info without results': ({ infoWithoutResults }) => infoWithoutResults(new Uint8Array(4), new DataView(new ArrayBuffer(4)), new ArrayBuffer(4)),
  'the same address twice': ({ stable }) => [0, 1, 10, 5000].map((size) => stable(bufferOf(size))).concat([stable(Buffer.from('pooled'))]),
  'distances of views of one buffer': ({ distance }) => {
    const { buffer } = numbers(5000);
    return [[0, 10], [10, 0], [5, 5], [0, 4096], [100, 4999]].map(([a, b]) => distance(new Uint8Array(buffer, a, 1), new Uint8Array(buffer, b, 1))).concat([distance(new Float64Array(buffer, 8, 2), new Uint8Array(buffer, 1, 1))]);
  },
  'typed arrays that native code makes': ({ createTypedarray }) => Array.from({ length: 11 }, (_, type) => [[4, 0], [0, 0], [2, 8], [0, 64], [1, 56], [8, 0]].map(([length, offset]) => attempt(() => createTypedarray(type, length, numbers(64).buffer, offset)))),
  'typed arrays that do not fit': ({ createTypedarray }) => Array.from({ length: 11 }, (_, type) => [[4, 1], [4, 3], [65, 0], [1, 64], [1, 1000], [0, 65], [2 ** 31, 0], [2 ** 40, 0], [1, 2 ** 40]].map(([length, offset]) => attempt(() => createTypedarray(type, length, numbers(64).buffer, offset)))),
  'typed arrays of an unknown type': ({ createTypedarray }) => [12, 50, 255].map((type) => createTypedarray(type, 1, new ArrayBuffer(8), 0)),
  'typed arrays over what is no ArrayBuffer': ({ createTypedarray }) => others().map((value) => createTypedarray(1, 0, value, 0)),
  'DataViews that native code makes': ({ createDataview }) => [[0, 0], [8, 0], [4, 4], [0, 8], [8, 1], [9, 0], [1, 8], [2 ** 32, 0], [1, 2 ** 32]].map(([length, offset]) => attempt(() => createDataview(length, numbers(8).buffer, offset))),
  'DataViews over what is no ArrayBuffer': ({ createDataview }) => others().map((value) => createDataview(0, value, 0)),
  'fill writes back': ({ fill }) => sizes.map((size) => {
    const buffer = bufferOf(size);
    fill(buffer, size % 256);
    return [buffer, buffer.every((byte) => byte === size % 256)];
  }),
  'fill parts': ({ fill }) => [[0, 1], [1, 2], [100, 200], [4000, 4200], [4096, 8192], [0, 9999], [9999, 10000], [5000, 5000]].map(([from, to]) => {
    const whole = numbers(10_000);
    fill(Buffer.from(whole.buffer, from, to - from), 77);
    return whole;
  }),
  'fill typed arrays': ({ fill }) => Views.map((View) => {
    const whole = numbers(64);
    const view = new View(whole.buffer, 16, 2);
    return [attempt(() => fill(view, 0x41)), view, whole];
  }),
  'fill pooled Buffers, never their neighbours': ({ fill }) => {
    const buffers = Array.from({ length: 200 }, (_, i) => Buffer.from(`buffer number ${i}`));
    buffers.forEach((buffer, i) => i % 3 === 0 && fill(buffer, i));
    return buffers.map((buffer) => buffer.toString('latin1'));
  },
  'neighbours that JavaScript changes meanwhile': ({ aroundCall }) => {
    const [left, middle, right] = ['left  ', 'middle', 'right '].map((text) => Buffer.from(text));
    const result = aroundCall(middle, () => {
      left.fill('L');
      right.fill('R');
      return 'changed';
    });
    return [result, String(left), middle, String(right)];
  },
  'one window, JavaScript changes around it': ({ aroundCall }) => [[100, 200], [0, 50], [4000, 5000], [9000, 10_000]].map(([from, to]) => {
    const whole = numbers(10_000);
    const result = aroundCall(Buffer.from(whole.buffer, from, to - from), (view) => {
      const before = view[0];
      whole.fill(9);
      return before;
    });
    return [result, whole];
  }),
  'sum': ({ sum }) => sizes.map((size) => sum(bufferOf(size))),
  'native writes are seen below, and JavaScript\'s after': ({ aroundCall }) => sizes.map((size) => {
    const buffer = bufferOf(size);
    const result = aroundCall(buffer, (same) => {
      const seen = [same === buffer, same[0], same.length];
      for (let i = 1; i < same.length; i += 97) same[i] = 255 - i;
      return seen;
    });
    return [result, buffer];
  }),
  'writes on both sides to neighbouring bytes': ({ aroundCall }) => {
    const buffer = bufferOf(64);
    return [aroundCall(buffer, (view) => { view[1] = 1; view[63] = 2; return [...view]; }), aroundCall(buffer, () => { buffer[0] = 5; return buffer[0]; }), buffer];
  },
  'nested calls over one Buffer': ({ aroundCall, sum, fill }) => {
    const buffer = bufferOf(5000);
    const log = [];
    const down = (depth) => (view) => {
      log.push(view[0], sum(view));
      view[depth] = depth;
      if (depth > 0) log.push(...aroundCall(view.subarray(depth), down(depth - 1)));
      else fill(view.subarray(100, 200), 3);
      return sum(buffer);
    };
    return [aroundCall(buffer, down(6)), log, buffer];
  },
  'a callback that throws': ({ aroundCall }) => {
    const buffer = bufferOf(100);
    return [attempt(() => aroundCall(buffer, () => { buffer[5] = 0; throw new Error('from below'); })), buffer];
  },
  'a Buffer made, shown and changed': ({ ownAroundCall }) => {
    const seen = [];
    const buffer = ownAroundCall((own) => { seen.push(Buffer.from(own), own[0]); own[1] = 200; });
    return [seen, buffer, attempt(() => ownAroundCall(() => { throw new Error('no'); }))];
  },
  'xor': ({ xor }) => sizes.map((size) => {
    const a = bufferOf(size);
    const b = Buffer.alloc(size, 0x5a);
    xor(a, b);
    return [a, b];
  }),
  'xor of overlapping views': ({ xor }) => [[0, 100, 0, 100], [0, 100, 50, 150], [50, 150, 0, 100], [0, 10, 9, 19], [0, 5000, 4000, 9000], [4000, 9000, 0, 5000], [10, 20, 0, 100]].map(([a, b, c, d]) => {
    const whole = numbers(10_000);
    xor(Buffer.from(whole.buffer, a, b - a), Buffer.from(whole.buffer, c, d - c));
    return whole;
  }),
  'xor of one with itself': ({ xor }) => {
    const buffer = bufferOf(5000);
    xor(buffer, buffer);
    return buffer;
  },
  'writes through a typed array made here': ({ writeDoubles }) => [0, 1, 7, 100].map((length) => {
    const buffer = new ArrayBuffer(8 + 8 * length + 8);
    const view = writeDoubles(buffer, length);
    return [view, view.buffer === buffer];
  }),
  'detach': ({ detach, arraybufferInfo, typedarrayInfo, what }) => [...others(), new ArrayBuffer(8), new Uint8Array(4), new ArrayBuffer(0)].map((value) => [detach(value), what(value), detach(value), arraybufferInfo(value)]),
  'views of a detached buffer': ({ detach, typedarrayInfo, dataviewInfo, bufferInfo, createTypedarray, what }) => {
    const { buffer } = numbers(64);
    const views = [new Uint8Array(buffer, 8, 8), new Float64Array(buffer), Buffer.from(buffer, 3, 4)];
    const before = views.map((view) => typedarrayInfo(view));
    const status = detach(buffer);
    return [before, status, views.map((view) => [typedarrayInfo(view).length, typedarrayInfo(view).offset, bufferInfo(view), what(view), view.length]), attempt(() => createTypedarray(1, 1, buffer, 0)), buffer.byteLength, attempt(() => dataviewInfo(new DataView(buffer)))];
  },
  'a buffer that JavaScript detaches': ({ sum, arraybufferInfo, bufferInfo }) => {
    const buffer = bufferOf(64);
    const before = sum(buffer);
    const moved = structuredClone(buffer.buffer, { transfer: [buffer.buffer] });
    return [before, bufferInfo(buffer), arraybufferInfo(moved), buffer.length];
  },
  'a buffer that JavaScript detaches in the callback': ({ aroundCall, bufferInfo }) => {
    const buffer = bufferOf(64);
    let moved;
    return [attempt(() => aroundCall(buffer, () => { moved = structuredClone(buffer.buffer, { transfer: [buffer.buffer] }); return moved.byteLength; }).slice(0, 2)), new Uint8Array(moved)[0], bufferInfo(buffer)];
  },
  'resizable buffers': ({ what, typedarrayInfo, arraybufferInfo }) => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 64 });
    const tracking = new Uint8Array(buffer);
    const before = [what(buffer), typedarrayInfo(tracking).length, arraybufferInfo(buffer).length];
    buffer.resize(32);
    tracking[31] = 5;
    const after = [typedarrayInfo(tracking), arraybufferInfo(buffer)];
    buffer.resize(4);
    return [before, after, typedarrayInfo(tracking).length, arraybufferInfo(buffer).length];
  },
  'shared memory': ({ typedarrayInfo, bufferInfo, fill, sum, what }) => {
    const shared = new SharedArrayBuffer(64);
    const view = new Uint8Array(shared, 8, 16).fill(3);
    return [attempt(() => sum(view)), attempt(() => fill(view, 5)), [...new Uint8Array(shared)], attempt(() => bufferInfo(view)), attempt(() => typedarrayInfo(view)), what(view)];
  },
  'a thousand Buffers': ({ createBuffer, fill, sum }) => {
    const all = Array.from({ length: 1000 }, (_, i) => createBuffer(i % 300, i % 256).value);
    all.forEach((buffer, i) => i % 2 && fill(buffer, i % 256));
    return all.map((buffer) => sum(buffer));
  },
  'the same Buffer again and again': ({ sum, fill }) => {
    const buffer = bufferOf(3000);
    return Array.from({ length: 100 }, (_, i) => {
      buffer[i] = i;
      if (i % 10 === 9) fill(buffer.subarray(i, i + 20), i);
      return sum(buffer);
    });
  },
});
