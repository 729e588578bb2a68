'use strict';
// Small Buffers lie in pools of Node's, 8 KiB each, which become known to native code bit by bit. Addresses in them that it keeps, while a fresh small
// Buffer is passed with every call.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');

/** Of so many characters, from the pool. */
const FRESH = 'const fresh = (size) => Buffer.from("x".repeat(size))';

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
  'all of them, once no more have come for some calls': (addon, fresh) => {
    const log = [], buffers = [];
    for (let i = 0; i < 400; i++) {
      buffers.push(Buffer.allocUnsafe(50).fill(i));
      addon.keep(i, buffers[i]);
      for (let k = 0; k < 10; k++) addon.readAll(fresh(400));
    }
    for (let i = 0; i < 40; i++) addon.noop();
    for (let i = 0; i < 2000; i++) {
      const place = i * 7 % 400, at = i % 50;
      if (i % 2) {
        addon.poke(place, at, i & 0xff);
        log.push(buffers[place][at]);
      } else {
        buffers[place][at] = i;
        log.push(addon.sum(place));
      }
    }
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
    for (let i = 0; i < 2000; i++) {
      const place = i * 7 % 400, at = i % 50;
      addon.readAll(fresh(20));
      if (i % 2) {
        addon.poke(place, at, i & 0xff);
        log.push(buffers[place][at]);
      } else {
        buffers[place][at] = i;
        log.push(addon.sum(place));
      }
    }
    return log;
  },
};

for (const [name, run] of Object.entries(runs)) {
  test(`addresses in pools: ${name}`, () => {
    const program = new Function(`return (kit) => { ${FRESH}; kit.print((${run})(kit.dlopen(kit.addonFile('kept')), fresh)); }`)();
    const nodeArgs = ['--expose-gc'];
    assert.deepEqual(runJson(program, { isolated: true, nodeArgs }), runJson(program, { nodeArgs }));
  });
}

// Each page fault there is a question to the kernel, and some microseconds.
test('passing a fresh small Buffer with every call has no page fault of its own', () => {
  const program = (kit) => {
    const addon = kit.dlopen(kit.addonFile('kept'));
    kit.print([40, 400, 1000].map((size) => {
      const call = () => addon.readAll(Buffer.from('x'.repeat(size)));
      for (let i = 0; i < 10_000; i++) call();
      const before = process.resourceUsage().minorPageFault;
      for (let i = 0; i < 20_000; i++) call();
      return (process.resourceUsage().minorPageFault - before) / 20_000;
    }));
  };
  const inProcess = runJson(program), more = runJson(program, { isolated: true }).map((faults, i) => faults - inProcess[i]);
  for (const faults of more) assert.ok(faults < 0.15, `${more} page faults a call more than in one process`);
});

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
