'use strict';
// Buffers whose address native code keeps beyond the call in which it asked for it, with a reference to hold them.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { compare } = require('./harness.js');
const { runJson } = require('./support/child.js');

const runs = {
  'native code reads what JavaScript wrote in between': (addon) => {
    const buffer = Buffer.alloc(100, 1);
    addon.keep(buffer);
    const reads = [addon.readKept()];
    buffer.fill(2);
    reads.push(addon.readKept());
    buffer[50] = 3;
    reads.push(addon.readKept());
    addon.releaseKept();
    return reads;
  },
  'JavaScript reads what native code wrote later': (addon) => {
    const buffer = Buffer.alloc(100, 1);
    addon.keep(buffer);
    addon.writeKept(7);
    const seen = [buffer.toString('hex')];
    buffer[3] = 9;
    addon.writeKept(8);
    seen.push(buffer.toString('hex'));
    addon.releaseKept();
    return seen;
  },
  'both sides write, each its own bytes': (addon) => {
    const whole = Buffer.alloc(200);
    addon.keep(whole.subarray(50, 150));
    whole.fill(1, 0, 50);
    addon.writeKept(2);
    whole.fill(3, 150);
    whole[60] = 4;
    const read = addon.readKept();
    addon.releaseKept();
    return [whole.toString('hex'), read];
  },
  // Asking again is all that it takes.
  'asked for again in each call': (addon) => {
    const buffer = Buffer.alloc(1000, 1);
    const sums = [];
    for (let i = 0; i < 20; i++) {
      addon.fill(buffer.subarray(i * 10, i * 10 + 5), i);
      buffer[i * 50] = 200;
      sums.push(addon.sum(buffer), addon.bufferInfo(buffer.subarray(i, i + 40)).bytes);
    }
    return [sums, buffer.toString('hex')];
  },
  'the address is stable while the Buffer lives': (addon) => {
    const buffer = Buffer.alloc(5000, 1);
    return [addon.stable(buffer), addon.distance(buffer.subarray(100), buffer.subarray(350)), addon.distance(buffer.subarray(1, 2), buffer)];
  },
};

for (const [name, run] of Object.entries(runs)) test(name, (t) => compare(t, 'buffers', run));

/** Writers and readers on both sides, at random: what each reads. Runs in this process and in others. */
function work(addon, sizes, seed) {
  let state = seed;
  const random = (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
  const sum = (bytes) => {
    let total = 0;
    for (let i = 0; i < bytes.length; i++) total += bytes[i] * (i % 1009 + 1);
    return total;
  };
  const buffers = sizes.map((size, place) => {
    const whole = Buffer.alloc(size + 20, place);
    const view = place % 2 ? whole.subarray(10, size + 10) : whole.subarray(0, size);
    addon.keep(place, view);
    return view;
  });
  const log = [];
  const write = () => {
    const buffer = buffers[random(buffers.length)];
    const length = random(3) === 0 ? Math.min(buffer.length, 5000) : 1;
    buffer.fill(random(256), random(buffer.length - length + 1)).length;
  };
  for (let i = 0; i < 1500; i++) {
    const place = random(buffers.length);
    const buffer = buffers[place];
    const action = random(7);
    if (action === 0) write();
    else if (action === 1) buffer[random(buffer.length)] = random(256);
    else if (action === 2) addon.poke(place, random(buffer.length), random(256));
    else if (action === 3) log.push(addon.sum(place));
    else if (action === 4) log.push(sum(buffer));
    else if (action === 5) {
      log.push(addon.around(place, random(buffer.length), random(256), () => {
        log.push(sum(buffer));
        if (random(2)) write();
        if (random(2)) addon.poke(random(buffers.length), random(5), random(256));
      }));
    } else log.push(addon.isThere(place, buffer));
  }
  return [log, buffers.map(sum)];
}

const SMALL = [1, 8, 100, 4096, 20_000];
const LARGE = [10, 3000, 150_000, 300_000, 3_000_000];

for (const [name, sizes] of Object.entries({ small: SMALL, large: LARGE })) {
  test(`at random, ${name} ones`, (t) => compare(t, 'kept', (addon) => [1, 2, 3].map((seed) => work(addon, sizes, seed))));
}

// Where the kernel tracks no writes all is found by comparison: exact for little, late for much.
test('at random, small ones, without the kernel\'s help', () => {
  const program = `(kit, sizes) => kit.print((${work})(kit.dlopen(kit.addonFile('kept')), sizes, 4))`;
  const wrapped = new Function(`return ${program}`)();
  const expected = runJson(wrapped, { args: [SMALL] });
  const actual = runJson(wrapped, { args: [SMALL], isolated: true, env: { NAPI_REMOTE_TRACKING: '0' } });
  assert.deepEqual(actual, expected);
});

// Many more bytes than are compared at each call: the kernel tells of those.
/** Kept one after the other; then either side writes to one of them, and the other looks at once. Nothing else happens in between. */
function keepMany(addon, { count, size, rounds, seed, idle = 0, shared = false }) {
  let state = seed;
  const random = (limit) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % limit;
  };
  const buffers = Array.from({ length: count }, (_, place) => {
    const buffer = shared ? Buffer.from(new SharedArrayBuffer(size)).fill(place) : Buffer.alloc(size, place);
    addon.keep(place, buffer);
    return buffer;
  });
  for (let i = 0; i < idle; i++) addon.noop();
  const log = [];
  for (let i = 0; i < rounds; i++) {
    const place = random(count), at = random(size), buffer = buffers[place];
    if (random(2)) {
      addon.poke(place, at, i & 0xff);
      log.push(buffer[at]);
    } else {
      buffer[at] = i & 0xff;
      if (random(4) === 0) buffer.fill(i & 0x7f, at);
      log.push(addon.sum(place));
    }
  }
  return [log, buffers.map((buffer, place) => addon.sum(place) === buffer.reduce((sum, byte, i) => sum + byte * (i % 1009 + 1), 0))];
}

for (const [count, size, rounds, shared] of [[1000, 4096, 3000], [300, 10_000, 1000], [100, 65_536, 600], [60, 200_000, 300], [100, 65_536, 600, true], [20, 200_000, 300, true]]) {
  test(`${count} of ${size} ${shared ? 'shared ' : ''}bytes that are kept, written by either side: seen at once`, () => {
    const program = new Function(`return (kit, options) => kit.print((${keepMany})(kit.dlopen(kit.addonFile('kept')), options))`)();
    const args = [{ count, size, rounds, shared, seed: size }];
    assert.deepEqual(runJson(program, { args, isolated: true }), runJson(program, { args }));
  });
}

test('1000 of 4096 bytes after 5000 calls in which nobody wrote', () => {
  const program = new Function(`return (kit, options) => kit.print((${keepMany})(kit.dlopen(kit.addonFile('kept')), options))`)();
  const args = [{ count: 1000, size: 4096, rounds: 500, seed: 5, idle: 5000 }];
  assert.deepEqual(runJson(program, { args, isolated: true }), runJson(program, { args }));
});

test('what lies between kept views of one ArrayBuffer stays JavaScript\'s', () => {
  const program = async (kit) => {
    const addon = kit.dlopen(kit.addonFile('kept'));
    const SIZE = 100_000;
    // Blocks that others have left, full of their bytes, are used again.
    for (let i = 0; i < 40; i++) addon.keep(0, new Uint8Array(SIZE).fill(0xee));
    addon.keep(0, new Uint8Array(8));
    for (let i = 0; i < 3; i++) {
      global.gc();
      await new Promise(setImmediate);
    }
    const wholes = Array.from({ length: 20 }, () => new Uint8Array(SIZE));
    wholes.forEach((whole, i) => {
      addon.keep(2 * i, whole.subarray(1000, 30_000));
      addon.keep(2 * i + 1, whole.subarray(60_000, 90_001));
    });
    for (let i = 0; i < 8; i++) addon.noop(); // most that was passed before is gone: some calls tell that these are meant to stay
    const wrong = [];
    for (let round = 0; round < 300; round++) {
      const i = round % wholes.length, whole = wholes[i], at = round * 131 % 29_000;
      whole[40_000 + round] = round;
      addon.poke(2 * i + round % 2, at, 7);
      if (whole[(round % 2 ? 60_000 : 1000) + at] !== 7) wrong.push([round, 'not seen']);
      if (whole[40_000 + round] !== (round & 0xff)) wrong.push([round, 'lost']);
      if (whole[999] !== 0 || whole[30_000] !== 0 || whole[59_999] !== 0 || whole[90_001] !== 0) wrong.push([round, 'beside']);
    }
    kit.print([wrong, wholes.map((whole) => whole.reduce((sum, byte, i) => (sum * 31 + byte * i) % 1000003, 0))]);
  };
  const isolated = runJson(program, { isolated: true, nodeArgs: ['--expose-gc'] });
  assert.deepEqual(isolated[0], []);
  assert.deepEqual(isolated, runJson(program, { nodeArgs: ['--expose-gc'] }));
});

// What is tracked comes to be tracked otherwise, while something that was written has not been asked for. More than is compared each time, so that all of it is.
/** Keeps `parts` ([from, to] of a block of `size` bytes) of many blocks. */
function keepParts(addon, count, size, parts) {
  const blocks = Array.from({ length: count }, () => new Uint8Array(size));
  blocks.forEach((block, i) => parts.forEach(([from, to], k) => addon.keep(i * parts.length + k, block.subarray(from, to))));
  for (let i = 0; i < 20; i++) addon.noop();
  return blocks;
}

const changing = {
  'a wider view, as an argument': (addon) => keepParts(addon, 30, 1_000_000, [[0, 200_000]]).map((block, i) => {
    block[100] = i + 1;
    addon.keep(i, block);
    const sums = [addon.sum(i)];
    addon.noop();
    return [...sums, addon.sum(i)];
  }),
  'a second view of one that is kept': (addon) => keepParts(addon, 40, 70_000, [[0, 20_000]]).map((block, i) => {
    addon.keep(100 + i, block.subarray(50_000, 70_000));
    const sums = [];
    for (let k = 0; k < 12; k++) {
      block[50_005] = k;
      block[k] = i;
      sums.push(addon.sum(100 + i), addon.sum(i));
    }
    return sums;
  }),
  'native code writes to one several times, and to the next': (addon) => {
    const sums = [], blocks = keepParts(addon, 64, 65_536, [[0, 65_536]]);
    blocks.forEach((block, i) => { for (let k = 0; k < 8; k++) addon.poke(i, k % 2 ? 5 : 65_530, k + 1); });
    blocks.forEach((block, i) => {
      block[i * 997] = 9;
      sums.push(addon.sum(i), block[5], block[65_530]);
    });
    return sums;
  },
  'JavaScript writes what is there already, and then something else': (addon) => keepParts(addon, 64, 65_536, [[0, 65_536]]).map((block, i) => {
    for (let k = 0; k < 40; k++) {
      block[65_535] = 0;
      addon.noop();
    }
    block[i * 997] = 9;
    return addon.sum(i);
  }),
  'written while a part of it is in use': (addon) => keepParts(addon, 40, 20_000, [[0, 20_000]]).map((block, i) => addon.between(i, block.subarray(0, 100), 6, () => { block[10_000] += i + 1; })),
};
for (const [name, run] of Object.entries(changing)) {
  test(`tracked ones: ${name}`, () => {
    const program = new Function(`return (kit) => { ${keepParts}; kit.print((${run})(kit.dlopen(kit.addonFile('kept')))); }`)();
    assert.deepEqual(runJson(program, { isolated: true }), runJson(program));
  });
}

test('files that Node reads into kept Buffers, on other threads', async () => {
  const program = async (kit) => {
    const fs = require('node:fs/promises');
    const addon = kit.dlopen(kit.addonFile('kept'));
    const buffers = Array.from({ length: 100 }, (_, place) => {
      const buffer = Buffer.alloc(20_000);
      addon.keep(place, buffer);
      return buffer;
    });
    const file = await fs.open(process.execPath);
    const sums = [];
    for (let round = 0; round < 200; round++) {
      const place = round * 7 % buffers.length;
      await file.read(buffers[place], round % 5000, 3000, round * 3000);
      sums.push(addon.sum(place));
    }
    await file.close();
    kit.print(sums);
  };
  assert.deepEqual(runJson(program, { isolated: true }), runJson(program));
});

// They are tracked while they are held, and no more from then on, since it has been found that Buffers die soon.
test('those that a work has written when it lets go of them', () => {
  const program = (kit) => {
    const addon = kit.dlopen(kit.addonFile('kept')), log = [];
    const wait = () => { for (let i = 0; i < 70; i++) addon.noop(); };
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 100; i++) addon.readAll(Buffer.alloc(5000));
      global.gc();
      wait();
    }
    for (const size of [10_000, 50_000]) {
      for (let round = 0; round < 5; round++) {
        const held = Array.from({ length: 12 }, (_, i) => Buffer.alloc(size, i));
        held.forEach((buffer, i) => addon.hold(i, buffer));
        for (let i = 0; i < 20; i++) addon.readAll(Buffer.alloc(100)); // new ones keep coming
        held.forEach((buffer, i) => {
          const at = i * 4099 % size;
          addon.letGo(i, at, 200 + i);
          log.push(buffer[at], buffer[(at + 1) % size]);
          buffer[at] = 3;
          log.push(addon.sum(i));
        });
      }
    }
    kit.print(log);
  };
  const nodeArgs = ['--expose-gc'];
  assert.deepEqual(runJson(program, { isolated: true, nodeArgs }), runJson(program, { nodeArgs }));
});

test('what a hook writes before the completion of a work', () => {
  const program = async (kit) => {
    const addon = kit.dlopen(kit.addonFile('kept')), { createHook } = require('node:async_hooks');
    const works = new Set();
    let done = 0;
    const buffers = [64, 10_000, 200_000].map((size, i) => {
      const buffer = Buffer.alloc(size);
      addon.keep(i, buffer);
      return buffer;
    });
    createHook({
      init: (id, type) => { if (type === 'adding') works.add(id); },
      before: (id) => { if (works.has(id)) for (const buffer of buffers) buffer[0] += 7; },
      after: (id) => { done += works.has(id); },
    }).enable();
    for (let i = 0; i < 30; i++) {
      addon.addLater(i % 3, 10);
      while (done <= i) await new Promise(setImmediate);
    }
    kit.print(buffers.map((buffer) => buffer[0]));
  };
  assert.deepEqual(runJson(program, { isolated: true }), runJson(program));
});

// Last: its Buffers wait for the collector, and what nobody has a reference to is then seen late (docs/protocol.md, Memory).
test('one that is held while many others have been', (t) => compare(t, 'kept', (addon) => {
  const held = Buffer.alloc(8192, 1), others = [], seen = [];
  addon.hold(0, held);
  for (let i = 1; i <= 2000; i++) {
    others.push(Buffer.alloc(4096, i));
    addon.pass(others.at(-1));
    if (i % 400 !== 0) continue;
    addon.poke(0, i, i & 0xff);
    seen.push(held[i]);
    held[i + 1] = 5;
    seen.push(addon.sum(0));
  }
  return seen;
}));
