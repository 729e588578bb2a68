'use strict';
// Memory where it is odd: detached, empty, growing, shared, huge; addresses as numbers; structs with pointers in Buffers; several addons over one buffer.
const assert = require('node:assert/strict');
const { constants } = require('node:buffer');
const os = require('node:os');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { MessageChannel } = require('node:worker_threads');
const { addonFile, attempt, cases, compare, normalize } = require('./harness.js');
const { kit, run, runJson } = require('./support/child.js');

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
const numbers = (length) => Uint8Array.from({ length }, (_, i) => i * 37 + 11);
const transfer = (buffer) => {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(buffer, [buffer]);
  port1.close();
  port2.close();
};

/** Every function that tells of a value. */
const tell = (addon, value) => [addon.bufferInfo(value), addon.arraybufferInfo(value), addon.typedarrayInfo(value), addon.dataviewInfo(value), addon.what(value)];
const viewsOf = (buffer) => [buffer, new Uint8Array(buffer), Buffer.from(buffer), new DataView(buffer), new Float64Array(buffer, 8, 2), Buffer.from(buffer, 3, 5)];

cases('buffers', {
  'detached by structuredClone': (addon) => {
    const { buffer } = numbers(64);
    const views = viewsOf(buffer);
    const before = views.map((view) => addon.what(view));
    views.slice(1).forEach((view) => ArrayBuffer.isView(view) && !(view instanceof DataView) && addon.sum(view));
    const clone = structuredClone(buffer, { transfer: [buffer] });
    return [before, views.filter((view) => !(view instanceof DataView)).map((view) => tell(addon, view)), addon.arraybufferInfo(clone), addon.sum(new Uint8Array(clone))];
  },
  'detached by a MessagePort': (addon) => {
    const { buffer } = numbers(64);
    const views = viewsOf(buffer).filter((view) => !(view instanceof DataView));
    addon.fill(views[1], 3);
    transfer(buffer);
    return views.map((view) => tell(addon, view));
  },
  'detached and detached again': (addon) => [0, 1, 64, 5000, 300_000].map((size) => {
    const { buffer } = numbers(size);
    return [addon.detach(buffer), addon.detach(buffer), addon.what(buffer), attempt(() => structuredClone(buffer, { transfer: [buffer] })).thrown?.name];
  }),
  'memory of WebAssembly that grows': (addon) => [false, true].map((shared) => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 3, shared });
    const before = new Uint8Array(memory.buffer);
    before[10] = 5;
    const results = [addon.sum(before)];
    memory.grow(1);
    const after = new Uint8Array(memory.buffer);
    after[70_000] = 9;
    results.push(before.length, addon.sum(after), addon.sum(after.subarray(5, 12)));
    addon.fill(after, 3);
    results.push(before[100], after[100], after[130_000]);
    if (shared) results.push(addon.sum(before), addon.fill(before, 4), after[100], addon.sum(after));
    return results;
  }),
  'what native code wrote is in the clone': (addon) => [8, 64, 5000, 300_000].map((size) => {
    const { buffer } = numbers(size);
    const view = new Uint8Array(buffer);
    addon.fill(view.subarray(1), 9);
    const clone = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
    addon.fill(clone.subarray(2), 8);
    return [clone, addon.sum(clone)];
  }),
  'a Buffer that native code made is transferred': ({ createBuffer, createArraybuffer, fill, sum }) => [8, 5000, 300_000].map((size) => {
    const made = [createBuffer(size, 3).value.buffer, createArraybuffer(size, 4).value];
    return made.map((buffer) => {
      const clone = new Uint8Array(structuredClone(buffer, { transfer: [buffer] }));
      const before = sum(clone);
      fill(clone, 5);
      return [buffer.byteLength, before, clone];
    });
  }),
  'detached below a call': (addon) => [10, 5000, 300_000].map((size) => {
    const buffer = Buffer.from(numbers(size).buffer);
    let clone;
    addon.aroundCall(buffer, () => { clone = structuredClone(buffer.buffer, { transfer: [buffer.buffer] }); });
    return [clone.byteLength, new Uint8Array(clone)[0], addon.bufferInfo(buffer)];
  }),
  'empty ones of every kind': (addon) => [
    new ArrayBuffer(0), new ArrayBuffer(0, { maxByteLength: 64 }), new Uint8Array(0), new Float64Array(0), new Uint8Array(new ArrayBuffer(8), 8), Buffer.alloc(0), Buffer.from(''),
    new DataView(new ArrayBuffer(0)), new DataView(new ArrayBuffer(8), 8), new Uint8Array(new SharedArrayBuffer(0)), new BigInt64Array(new ArrayBuffer(16), 16),
  ].map((value) => tell(addon, value)),
  'length-tracking views': (addon) => {
    const buffer = new ArrayBuffer(16, { maxByteLength: 5000 });
    const views = [new Uint8Array(buffer), new Uint16Array(buffer, 4), new DataView(buffer, 2), new Uint8Array(buffer, 4, 8), Buffer.from(buffer)];
    const log = [];
    for (const size of [16, 64, 5000, 8, 15, 16]) {
      buffer.resize(size);
      new Uint8Array(buffer).fill(size);
      for (const view of views) {
        // A DataView that is out of bounds ends Node.
        if (view instanceof DataView && size < 2) continue;
        log.push(view instanceof DataView ? addon.dataviewInfo(view) : [addon.typedarrayInfo(view), addon.bufferInfo(view), addon.sum(view)]);
      }
      addon.fill(views[0], size + 1);
      log.push(Buffer.from(buffer).toString('hex'));
    }
    return log;
  },
  'growable shared memory': (addon) => {
    const buffer = new SharedArrayBuffer(16, { maxByteLength: 5000 });
    const view = new Uint8Array(buffer);
    return [16, 64, 5000].map((size) => {
      buffer.grow(size);
      view.fill(size);
      const seen = [addon.typedarrayInfo(view), addon.sum(view)];
      addon.fill(view, 3);
      return [seen, view];
    });
  },
  'parts that lie close together, in memory that others have used before': ({ sum }) => {
    const found = [];
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 300; i++) sum(new Uint8Array(16).fill(0xee));
      collect();
      for (let i = 0; i < 100; i++) {
        const shared = new Uint8Array(new SharedArrayBuffer(16)).fill(1), cut = new Uint8Array(new ArrayBuffer(16, { maxByteLength: 16 }));
        sum(shared.subarray(4, 8));
        sum(shared.subarray(0, 1));
        sum(cut.subarray(5, 9));
        cut.buffer.resize?.(1);
        sum(cut.subarray(0, 1));
        cut.buffer.resize?.(16);
        sum(cut.subarray(12, 13));
        found.push(Buffer.from(shared).toString('hex'), Buffer.from(cut.buffer).toString('hex'));
      }
    }
    return [...new Set(found)];
  },
  'SharedArrayBuffers, by every function': (addon) => {
    const shared = new SharedArrayBuffer(64);
    const told = viewsOf(shared).map((value) => [addon.what(value), attempt(() => addon.arraybufferInfo(value)), !(value instanceof SharedArrayBuffer) && tell(addon, value)]);
    return [told, attempt(() => addon.detach(shared)), attempt(() => addon.createTypedarray(1, 4, shared, 0)), attempt(() => addon.createDataview(4, shared, 0))];
  },
  'pool neighbours of any length, changed below a call': (addon) => [1, 7, 8, 63, 64, 65, 500, 2000].map((size) => {
    const buffers = Array.from({ length: 3 }, (_, i) => Buffer.allocUnsafe(size).fill(i + 1));
    addon.aroundCall(buffers[1], () => { buffers[0].fill(7); buffers[2].fill(8); });
    addon.fill(buffers[1], 9);
    return buffers;
  }),
});

/** Of two views of one SharedArrayBuffer the second reaches further. */
test('views of one SharedArrayBuffer have one block', (t) => compare(t, 'buffers', ({ distance }) => {
  const shared = new SharedArrayBuffer(100);
  return [distance(new Uint8Array(shared, 10, 5), new Uint8Array(shared, 28, 9)), distance(new Uint8Array(shared, 10, 5), new Uint8Array(shared))];
}));

const addresses = (asNumber) => (addon) => [8, 64, 5000, 200_000].map((size) => {
  const buffer = Buffer.from(numbers(size).buffer);
  const address = addon.addressOf(buffer, asNumber);
  const log = [addon.readAt(address, 4)];
  buffer[1] = 99;
  log.push(addon.readAt(address, 4));
  addon.writeAt(address, 2, 77);
  log.push(buffer[2]);
  addon.writeAt(asNumber ? address + 3 : address + 3n, 1, 55);
  log.push(buffer[4], addon.addressOf(buffer.subarray(3), asNumber) - address);
  return [log, typeof address];
});

cases('memory_edges', {
  'addresses as BigInts': addresses(false),
  'addresses as numbers': addresses(true),
  'a struct with pointers in a Buffer': (addon) => [10, 5000, 200_000].map((size) => {
    const machine = Buffer.alloc(addon.machineSize());
    const bytes = Buffer.alloc(size);
    addon.machineInit(machine, bytes);
    const log = [];
    for (let i = 0; i < 10; i++) {
      log.push(addon.machineStep(machine), bytes[i % size]);
      bytes[i % size] = 200 + i;
    }
    return [log, bytes];
  }),
  'Buffers over ArrayBuffers': ({ fromArraybuffer }) => [[0, 0], [0, 16], [16, 0], [4, 12], [4, 13], [17, 0], [0, 17], [2 ** 32, 1], [1, 2 ** 32], [2 ** 53, 2 ** 53], [15, 2]].map(([offset, length]) =>
    attempt(() => fromArraybuffer(numbers(16).buffer, offset, length))),
  'Buffers over what is no ArrayBuffer': ({ fromArraybuffer }) => [undefined, null, 1, {}, new Uint8Array(4), new SharedArrayBuffer(4), Buffer.alloc(3), new DataView(new ArrayBuffer(2))].map((value) =>
    attempt(() => fromArraybuffer(value, 0, 0))),
  'Buffers over a detached ArrayBuffer': ({ fromArraybuffer }) => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return [attempt(() => fromArraybuffer(buffer, 0, 0)), attempt(() => fromArraybuffer(buffer, 0, 1))];
  },
  'views that do not fit, their codes and texts': ({ view }) => Array.from({ length: 12 }, (_, i) => i - 1).flatMap((type) =>
    [[1, 1], [1, 7], [9, 0], [0, 9], [0, 8], [2, 8], [2 ** 32, 0], [0, 2 ** 32], [2 ** 52, 8], [8, 2 ** 52]].map(([length, offset]) => {
      const result = attempt(() => view(type, length, new ArrayBuffer(8), offset));
      const thrown = result.value?.thrown;
      return [result, thrown && [thrown.name, thrown.code, thrown.message, thrown instanceof RangeError]];
    })),
  'is it detached?': ({ isDetached }) => {
    const buffer = new ArrayBuffer(8);
    structuredClone(buffer, { transfer: [buffer] });
    return [buffer, new ArrayBuffer(0), new ArrayBuffer(8), new SharedArrayBuffer(8), new Uint8Array(2), new Uint8Array(new ArrayBuffer(8)), {}, null, undefined, 5].map((value) => isDetached(value));
  },
});

test('Buffers larger than Node allows', (t) => compare(t, 'memory_edges', ({ sized }) => [2 ** 33, 2 ** 53].filter((length) => length > constants.MAX_LENGTH).map((length) => {
  const result = attempt(() => sized(0, length));
  const thrown = result.value?.thrown ?? result.thrown;
  return [result, thrown && [thrown.name, thrown.code, thrown.message]];
})));

/** In child processes: they need memory. */
function large(kit_, kinds, sizes) {
  const addon = kit_.dlopen(kit_.addonFile('memory_edges'));
  const results = [];
  for (const kind of kinds) {
    for (const size of sizes) {
      const { status, message, value, thrown } = addon.sized(kind, size);
      const bytes = value && new Uint8Array(value.buffer ?? value);
      results.push([kind, size, status, message, thrown && [thrown.code, thrown.message], bytes && [bytes.length, bytes[0], bytes[bytes.length - 1]]]);
    }
  }
  kit_.print(results);
}

for (const [kind, name, size] of [
  [0, 'Buffers', 2 ** 28], [1, 'ArrayBuffers', 2 ** 28], [0, 'Buffers', 2 ** 31], [1, 'ArrayBuffers', 2 ** 31 - 1],
]) {
  test(`${name} of ${size} bytes`, { skip: os.freemem() < 6 * size + 2 ** 31 && 'not enough memory' }, () => {
    const inProcess = runJson(large, { args: [[kind], [size]] });
    assert.deepEqual(runJson(large, { args: [[kind], [size]], isolated: true }), inProcess);
  });
}

/** Both addons over one buffer; each with `dlopen` of its own. */
function together({ dlopen, addonFile: file }) {
  const edges = dlopen(file('memory_edges'));
  const kept = dlopen(file('kept'));
  return [16, 5000, 200_000].map((size) => {
    const whole = Buffer.alloc(size, 1);
    const log = [];
    kept.keep(0, whole);
    const address = edges.addressOf(whole, false);
    for (let i = 0; i < 5; i++) {
      kept.poke(0, i, 10 + i);
      log.push(edges.readAt(address, 6), whole[i]);
      edges.writeAt(address, i + 6, 20 + i);
      log.push(kept.sum(0), whole[i + 6]);
      whole[i + 11] = 30 + i;
      log.push(edges.readAt(address, 16), kept.sum(0));
    }
    return log;
  });
}

test('two addons over one buffer, in one host', () => {
  const program = new Function('kit', `kit.print((${together})(kit));`);
  const inProcess = runJson(program);
  assert.deepEqual(runJson(program, { isolated: true }), inProcess);
});

test('two addons over one buffer, in two hosts', () => {
  const { load } = require('../..');
  const expected = together({ addonFile, dlopen: (file) => kit.dlopen(file) });
  assert.deepEqual(normalize(together({ addonFile, dlopen: load })), normalize(expected));
});

test('kept views of a resizable ArrayBuffer that shrinks, and grows again', { skip: !('resizable' in ArrayBuffer.prototype) && 'this Node has none' }, (t) => compare(t, 'kept', (addon) => {
  const seen = [];
  for (const size of [60_000, 2_000_000]) {
    const buffer = new ArrayBuffer(size, { maxByteLength: size });
    addon.keep(0, new Uint8Array(buffer, 0, 100));
    addon.keep(1, new Uint8Array(buffer, size - 20_000, 20_000));
    addon.keep(2, new Uint8Array(buffer, 0, size));
    const bytes = new Uint8Array(buffer).fill(3); // what is cut off is zeros when it comes back
    const exchange = (i) => {
      bytes[i] = i;
      seen.push(addon.sum(0));
      addon.poke(2, i + 50, i);
      seen.push(bytes[i + 50]);
    };
    exchange(1);
    buffer.resize(1000);
    for (let i = 2; i < 12; i++) exchange(i);
    buffer.resize(size);
    for (let i = 12; i < 22; i++) exchange(i);
    bytes[size - 1] = 9;
    seen.push(addon.sum(1), addon.sum(2));
    addon.poke(1, 19_998, 7);
    seen.push(bytes[size - 2]);
  }
  return seen;
}));

/** Far more than is compared in a call: what the kernel does not tell would be late. */
test('many of those, written by both sides, cut and grown at random', { skip: !('resizable' in ArrayBuffer.prototype) && 'this Node has none' }, (t) => compare(t, 'kept', (addon) => {
  let state = 7;
  const any = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
  const buffers = Array.from({ length: 24 }, (_, i) => {
    const length = 20_000 + any(280_000), buffer = new ArrayBuffer(length - any(10_000), { maxByteLength: length });
    addon.keep(i, new Uint8Array(buffer));
    return { buffer, kept: buffer.byteLength };
  });
  const seen = [];
  for (let step = 0; step < 6000; step++) {
    const place = any(buffers.length), { buffer, kept } = buffers[place];
    const what = any(20), at = any(Math.min(kept, buffer.byteLength)), value = any(256);
    if (what === 0) {
      buffer.resize(any(3) === 0 ? 1 + any(buffer.maxByteLength) : buffer.maxByteLength);
    } else if (buffer.byteLength < kept) {
      new Uint8Array(buffer).fill(value, at, at + any(100)); // native code must not use all of it
    } else if (what < 8) {
      new Uint8Array(buffer)[at] = value;
    } else if (what < 14) {
      addon.poke(place, at, value);
      seen.push(new Uint8Array(buffer)[at]);
    } else {
      seen.push(addon.sum(place));
    }
  }
  return [seen, buffers.map(({ buffer }) => Buffer.from(buffer).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 0))];
}));

test('one that shrinks while native code writes to all of it: Node goes on', { skip: !('resizable' in ArrayBuffer.prototype) && 'this Node has none' }, () => {
  const seen = runJson((own) => {
    const addon = own.dlopen(own.addonFile('kept'));
    const all = [];
    for (const size of [60_000, 2_000_000]) {
      const buffer = new ArrayBuffer(size, { maxByteLength: size });
      addon.keep(0, new Uint8Array(buffer));
      addon.around(0, size - 1, 1, () => {
        buffer.resize(1000);
        addon.poke(0, size - 5, 2);
        addon.poke(0, 5, 3);
      });
      addon.poke(0, size - 10_000, 4);
      all.push(new Uint8Array(buffer)[5], buffer.byteLength);
    }
    own.print(all);
  }, { isolated: true });
  assert.deepEqual(seen, [3, 1000, 3, 1000]);
});

// The kernel forgets what was written when one host's is asked about: the other's is told of it as well.
test('two hosts that have kept the same Buffers: what JavaScript and either of them write, both see', () => {
  const { load } = require('../..');
  const program = (addons) => {
    const sizes = [64, 4096, 20_000, 65_536, 300_000, 1_500_000];
    const buffers = sizes.map((size, place) => {
      const buffer = Buffer.alloc(size, place);
      for (const addon of addons) addon.keep(place, buffer);
      return buffer;
    });
    const log = [];
    for (let i = 0; i < 600; i++) {
      const place = i * 7 % sizes.length, at = i * 9973 % sizes[place], turn = i % 3;
      if (i > 200 && i < 260) for (const addon of addons) addon.noop();
      if (turn < 2) addons[turn].poke(place, at, i & 0xff);
      else buffers[place][at] = i & 0xff;
      log.push(buffers[place][at], addons[i % 2].sum(place), addons[(i + 1) % 2].sum(place));
    }
    return log;
  };
  const inProcess = kit.dlopen(addonFile('kept'));
  const expected = program([inProcess, inProcess]);
  assert.deepEqual(program([load(addonFile('kept')), load(addonFile('kept'))]), expected);
});

test('60 external buffers of nominally a gigabyte', { skip: os.freemem() < 2 ** 32 && 'not enough memory' }, () => {
  const program = (own, count) => {
    const fs = require('node:fs');
    const addon = own.dlopen(own.addonFile('external_memory'));
    const all = Array.from({ length: count }, () => addon.nominal(2 ** 30));
    const seen = all.map(({ status, value: { length }, value }) => [status, length, value[0], value[length / 2], value[length - 1]]);
    const pids = ['self', ...own.remote.hosts().map(({ pid }) => pid)];
    const resident = pids.map((pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]));
    own.print({ seen, resident });
    process.exit();
  };
  const inProcess = runJson(program, { args: [60] });
  const isolated = runJson(program, { args: [60], isolated: true });
  assert.deepEqual(isolated.seen, inProcess.seen);
  assert.equal(isolated.resident.length, 2);
  const most = inProcess.resident[0] + 100_000;
  for (const resident of isolated.resident) assert.ok(resident < most, `${isolated.resident} KiB, in one process ${inProcess.resident}`);
});

// Found with ffi-napi, which makes one for each pointer: looking at every byte of them takes minutes.
test('60 external buffers of nominally a gigabyte, made and asked for in one call', () => {
  const program = (own) => {
    const { nominals, peek } = own.dlopen(own.addonFile('external_memory'));
    const all = [];
    nominals(60, 2 ** 30, (value) => {
      value[2 ** 29] += all.push(value);
    });
    own.print([all.map((value) => [value.length, value[0], value[2 ** 29], value[2 ** 30 - 1]]), peek(2 ** 29)]);
    process.exit();
  };
  assert.deepEqual(runJson(program, { isolated: true }), runJson(program));
});

// Also found with it: each took a copy of the libraries behind a pointer, until Node's loop turned.
test('hundreds of nominally a gigabyte over the same memory, made without a turn of the loop', { skip: os.freemem() < 2 ** 32 && 'not enough memory' }, () => {
  const program = (own) => {
    const fs = require('node:fs');
    const { fromConstant, poke } = own.dlopen(own.addonFile('external_memory'));
    const seen = new Set();
    for (let i = 0; i < 300; i++) {
      poke(7, i & 0xff);
      const [bytes, start] = fromConstant();
      seen.add(bytes[start + 7] - (i & 0xff)).add(bytes.toString('latin1', 0, 35));
    }
    own.print({ seen: [...seen], resident: Number(/^VmRSS:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) });
    process.exit();
  };
  const inProcess = runJson(program);
  const isolated = runJson(program, { isolated: true });
  assert.deepEqual(isolated.seen, inProcess.seen);
  assert.ok(isolated.resident < inProcess.resident + 150_000, `${isolated.resident} KiB, in one process ${inProcess.resident}`);
});

// Only a Node built so (as in Electron) refuses external memory; this one must not.
test('external memory is allowed as in this Node', () => {
  const program = (own) => own.print([10, 100_000].map((size) => own.dlopen(own.addonFile('external_memory')).buffer(size).status));
  assert.deepEqual(run(program, { isolated: true }).stdout, run(program).stdout);
});
