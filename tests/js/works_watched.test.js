'use strict';
// What the kernel watches in Node's process for a program with works in flight: each part of memory has its share in the price of a question. (That nothing
// is seen late for that: kept.test.js, kept_pool.test.js, external_memory.test.js.)
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { runJson } = require('./support/child.js');

/** The largest number of parts in each of the steps, in which a program compresses. */
async function program(kit, steps) {
  const { compress } = require(require.resolve('lz4-napi', { paths: [kit.root] }));
  const makers = { own: (size) => Buffer.allocUnsafeSlow(size).fill(7), pooled: (size) => Buffer.from('x'.repeat(size)) };
  const lived = [], counts = [];
  const countWatched = () => require('node:fs').readFileSync('/proc/self/smaps', 'utf8').match(/^VmFlags:.* uw\b/gm)?.length ?? 0;
  const collect = () => {
    global.gc();
    return new Promise(setImmediate);
  };
  for (const { make, size, rounds, works = 16, lives = 0, collects = false } of steps) {
    let most = 0;
    for (let i = 0; i < rounds; i++) {
      const results = await Promise.all(Array.from({ length: works }, () => compress(makers[make](size))));
      lived.push(...results.slice(0, lives));
      if (collects) await collect();
      most = Math.max(most, countWatched());
    }
    counts.push(most);
  }
  kit.print(counts);
}

const nodeArgs = ['--expose-gc', '--max-semi-space-size=64', '--min-semi-space-size=64'];
const count = (...steps) => runJson(program, { isolated: true, args: [steps], nodeArgs });

// After which it is known how long new ones live.
const first = { make: 'own', size: 10_000, rounds: 20, collects: true };

test('an input whose work is done is no longer watched', () => {
  const most = count(...Array(5).fill({ make: 'own', size: 50_000, works: 8, rounds: 60 })).at(-1);
  assert.ok(most < 10, `${most} parts are watched at a time, of 480 works`);
});

test('nor is the pool that an input was in', () => {
  const [, most] = count(first, { make: 'pooled', size: 1000, rounds: 100 });
  assert.ok(most < 50, `${most} parts are watched at a time, of 1,600 works`);
});

test('small results that live lie together', () => {
  const [, most] = count(first, { make: 'own', size: 100, rounds: 120, lives: 4, collects: true });
  assert.ok(most < 20, `${most} parts are watched at a time, for 480 results`);
});
