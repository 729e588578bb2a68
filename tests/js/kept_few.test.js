'use strict';
// A few kilobytes that native code keeps, which nobody writes for long, while something else goes on; then either side does, and the other looks.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');

const SIZES = [[4096], [8000], [4096, 4096], [12_000], [4096, 8000, 5000]];

/** What goes on before: with `place`, the first that is free. */
const befores = {
  'thousands of calls': (addon) => {
    for (let i = 0; i < 3000; i++) addon.noop();
  },
  'fresh small ones, and a collection': (addon) => {
    for (let i = 0; i < 3000; i++) addon.noop();
    for (let i = 0; i < 400; i++) {
      addon.readAll(Buffer.alloc(100));
      if (i === 100) global.gc();
    }
  },
  'hundreds of fresh ones of their size': (addon) => {
    for (let i = 0; i < 20; i++) addon.noop();
    for (let i = 0; i < 600; i++) {
      addon.readAll(Buffer.alloc(5000));
      if (i % 200 === 100) global.gc();
    }
  },
  'small ones that are kept as well': (addon, place) => {
    for (let i = 0; i < 1100; i++) addon.noop();
    for (let i = 0; i < 60; i++) addon.keep(place + i, Buffer.alloc(64));
  },
  'a large one that is kept, and one of the same size': (addon, place) => {
    for (let i = 0; i < 20; i++) addon.noop();
    addon.keep(place, Buffer.alloc(100_000));
    addon.keep(place + 1, Buffer.alloc(4096));
    for (let i = 0; i < 200; i++) addon.noop();
  },
  'two collections, and fresh small ones': (addon) => {
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 200; i++) addon.noop();
      global.gc();
    }
    for (let i = 0; i < 400; i++) addon.readAll(Buffer.from('x'.repeat(400)));
    for (let i = 0; i < 400; i++) addon.readAll(Buffer.alloc(100));
  },
};

function run(addon, before, sizes, between) {
  const log = [];
  for (const first of ['JavaScript', 'native code']) {
    const buffers = sizes.map((size, place) => {
      const buffer = Buffer.alloc(size, place + 1);
      addon.keep(place, buffer);
      return buffer;
    });
    before(addon, sizes.length);
    for (let i = 0; i < 20; i++) {
      buffers.forEach((buffer, place) => {
        const at = i * 997 % buffer.length;
        if (between) addon.readAll(Buffer.alloc(100));
        if (first === 'JavaScript') {
          buffer[at] ^= 0x55;
          log.push(addon.sum(place));
        }
        addon.poke(place, at, i);
        log.push(buffer[at]);
      });
    }
  }
  return log;
}

for (const [name, before] of Object.entries(befores)) {
  for (const between of [false, true]) {
    test(`a few kilobytes kept, then ${name}${between ? ', and a fresh one with each call' : ''}`, () => {
      const program = new Function(`return (kit, sizes, between) => {
        ${run};
        const addon = kit.dlopen(kit.addonFile('kept'));
        kit.print(sizes.map((each) => run(addon, ${before}, each, between)));
      }`)();
      const args = [SIZES, between], nodeArgs = ['--expose-gc'];
      assert.deepEqual(runJson(program, { args, isolated: true, nodeArgs }), runJson(program, { args, nodeArgs }));
    });
  }
}
