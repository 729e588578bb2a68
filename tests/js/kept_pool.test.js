'use strict';
// Small Buffers lie in pools of Node's, 8 KiB each, which become known to native code bit by bit. Addresses in them that it keeps, while a fresh small
// Buffer is passed with every call.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');

/** Of so many characters, from the pool. */
const FRESH = 'const fresh = (size) => Buffer.from("x".repeat(size))';

/** Now one side writes a byte, now the other, and who has not looks at once: each time in another one than before. */
function writeEach(addon, buffers, log, { rounds = 120, each = () => {} } = {}) {
  for (let i = 0; i < rounds; i++) {
    const place = i * 7 % buffers.length, buffer = buffers[place], at = i % buffer.length;
    each(i);
    if (i % 2) {
      addon.poke(place, at, i & 0xff);
      log.push(buffer[at]);
    } else {
      buffer[at] ^= 0x55;
      log.push(addon.sum(place));
    }
  }
}

const runs = {
  'the latest ones are seen at once': (addon, fresh) => [20, 100, 500].map((size) => {
    const log = [];
    for (let i = 0; i < 3000; i++) {
      const place = i % 10, buffer = Buffer.allocUnsafe(size).fill(i);
      addon.keep(place, buffer);
      addon.readAll(fresh(size));
      buffer[i % size] ^= 0x55;
      log.push(addon.sum(place));
      addon.poke(place, i % 7, i & 0xff);
      log.push(buffer[i % 7]);
    }
    return log;
  }),
  'one that both sides write again and again': (addon, fresh) => {
    const log = [], buffer = Buffer.allocUnsafe(64).fill(1);
    addon.keep(0, buffer);
    for (let i = 0; i < 20_000; i++) {
      addon.readAll(fresh(30 + i % 500));
      if (i % 20 === 0) buffer[i % 64] = i;
      if (i % 20 === 10) addon.poke(0, i % 64, i & 0xff);
      log.push(addon.sum(0), buffer[i % 64]);
    }
    return log;
  },
  'one and two pools ago': (addon) => [1, 2].map((pools) => {
    const log = [], buffers = [];
    for (let i = 0; i < 1000; i++) {
      buffers.push(Buffer.allocUnsafe(1000).fill(i));
      addon.keep(i, buffers[i]);
      if (i < 200 || i % 8 > 0) continue;
      const place = i - 8 * pools - 3;
      if (i % 16) {
        buffers[place][5] ^= 0x55;
        log.push(addon.sum(place));
      } else {
        addon.poke(place, 9, 0xaa);
        log.push(buffers[place][9]);
      }
    }
    return log;
  }),
  'little of each pool, after twenty calls': (addon) => {
    const log = [], others = [];
    const buffers = Array.from({ length: 300 }, (_, i) => {
      const buffer = Buffer.allocUnsafe(1000).fill(i);
      addon.keep(i, buffer);
      others.push(Buffer.allocUnsafe(3000));
      return buffer;
    });
    for (let i = 0; i < 20; i++) addon.noop();
    writeEach(addon, buffers, log);
    return log;
  },
  'while other Buffers come': (addon) => {
    const log = [];
    for (let i = 0; i < 600; i++) {
      addon.readAll(Buffer.alloc(100));
      if (i % 300 === 299) global.gc();
    }
    const buffers = Array.from({ length: 800 }, (_, i) => {
      const buffer = Buffer.allocUnsafe(1000).fill(i);
      addon.keep(i, buffer);
      return buffer;
    });
    for (let i = 0; i < 80; i++) addon.readAll(Buffer.alloc(100));
    writeEach(addon, buffers, log, { each: () => addon.readAll(Buffer.alloc(100)) });
    return log;
  },
  'heads and bodies of larger ones': (addon) => {
    const log = [];
    const make = (i) => {
      const whole = Buffer.alloc(8192).fill(i);
      addon.readAll(whole.subarray(0, 64));
      return whole.subarray(2048);
    };
    const buffers = Array.from({ length: 400 }, (_, i) => {
      const body = make(i);
      addon.keep(i, body);
      addon.noop();
      addon.noop();
      return body;
    });
    writeEach(addon, buffers, log, { each: (i) => addon.readAll(make(i)) });
    return log;
  },
  'those that native code holds': (addon, fresh) => {
    const log = [];
    const buffers = Array.from({ length: 900 }, (_, i) => {
      const buffer = Buffer.allocUnsafe(1000).fill(i);
      addon.hold(i, buffer);
      return buffer;
    });
    writeEach(addon, buffers, log, { each: () => addon.readAll(fresh(100)) });
    return log;
  },
  'all of them, once no more have come for some calls': (addon, fresh) => {
    const log = [], buffers = [];
    for (let i = 0; i < 400; i++) {
      buffers.push(Buffer.allocUnsafe(50).fill(i));
      addon.keep(i, buffers[i]);
      for (let k = 0; k < 10; k++) addon.readAll(fresh(400));
    }
    for (let i = 0; i < 40; i++) addon.noop();
    writeEach(addon, buffers, log, { rounds: 2000 });
    return log;
  },
  'all of them, after two collections': (addon, fresh) => {
    const log = [], buffers = [];
    for (let i = 0; i < 400; i++) {
      buffers.push(Buffer.allocUnsafe(50).fill(i));
      addon.keep(i, buffers[i]);
      for (let k = 0; k < 10; k++) addon.readAll(fresh(400));
      if (i % 150 === 149) global.gc();
    }
    for (let round = 0; round < 3; round++) {
      global.gc();
      for (let k = 0; k < 200; k++) addon.readAll(fresh(100)); // those that are left are found here
    }
    writeEach(addon, buffers, log, { rounds: 2000, each: () => addon.readAll(fresh(20)) });
    return log;
  },
};

for (const [name, run] of Object.entries(runs)) {
  test(`addresses in pools: ${name}`, () => {
    const program = new Function(`return (kit) => { ${FRESH}; ${writeEach}; kit.print((${run})(kit.dlopen(kit.addonFile('kept')), fresh)); }`)();
    const nodeArgs = ['--expose-gc'];
    assert.deepEqual(runJson(program, { isolated: true, nodeArgs }), runJson(program, { nodeArgs }));
  });
}

// Each page fault there is a question to the kernel, and some microseconds. (Of 4,000 bytes each second one is the first in a pool, if that has 8 KiB: larger ones
// are tracked, since Node 24.)
for (const size of Buffer.poolSize === 8192 ? [40, 400, 1000, 4000] : [40, 400, 1000]) {
  test(`passing a fresh Buffer of ${size} bytes with every call has no page fault of its own`, () => {
    const program = (kit, ofSize) => {
      const addon = kit.dlopen(kit.addonFile('kept'));
      const call = () => addon.readAll(Buffer.allocUnsafe(ofSize).fill('x'));
      for (let i = 0; i < 2000; i++) call();
      const before = process.resourceUsage().minorPageFault;
      for (let i = 0; i < 10_000; i++) call();
      kit.print((process.resourceUsage().minorPageFault - before) / 10_000);
    };
    const more = runJson(program, { isolated: true, args: [size] }) - runJson(program, { args: [size] });
    assert.ok(more < (size < 4000 ? 0.6 : 1.2), `${more} page faults a call more than in one process`);
  });
}

// What is looked up before each call is not held for as long as that takes.
test('what nobody has any more is collected by a collection in a call', () => {
  const program = async (kit) => {
    const addon = kit.dlopen(kit.addonFile('kept')), turn = () => new Promise(setImmediate);
    const kept = Buffer.alloc(100);
    addon.keep(0, kept);
    const pass = (make) => Array.from({ length: 20 }, () => {
      const buffer = make();
      addon.readAll(buffer);
      return new WeakRef(buffer.buffer);
    });
    const gone = [];
    for (const make of [() => Buffer.alloc(100), () => Buffer.alloc(5000), () => Buffer.from('x'.repeat(3000))]) {
      for (let i = 0; i < 2; i++) Buffer.allocUnsafe(4095); // a pool that nobody has used
      const passed = pass(make);
      Buffer.from('x'.repeat(4000)); // another pool
      await turn();
      addon.around(0, 0, 1, () => {
        global.gc();
        gone.push(passed.filter((each) => each.deref() === undefined).length);
      });
    }
    kit.print(gone);
  };
  const nodeArgs = ['--expose-gc'];
  assert.deepEqual(runJson(program, { isolated: true, nodeArgs }), runJson(program, { nodeArgs }));
});
