'use strict';
// Hooks of async_hooks that call an addon, while its native code goes on: they run for promises and works that native code makes or settles without waiting for it.
const assert = require('node:assert/strict');
const { createHook } = require('node:async_hooks');
const { createHash } = require('node:crypto');
const { test } = require('node:test');
const { addonFile, cases } = require('./harness.js');
const { hostOf, load } = require('../..');

/** Calls `inside` for what native code makes and settles while `outside` runs, no deeper than `most`. */
function during(kinds, inside, outside, most = 1) {
  const log = [];
  let depth = 0;
  const on = (kind) => (id, type) => {
    if (depth >= most) return;
    depth++;
    try {
      log.push([kind, kind === 'init' && type, inside(log.length)]);
    } finally {
      depth--;
    }
  };
  const hook = createHook(Object.fromEntries(kinds.map((kind) => [kind, on(kind)]))).enable();
  try {
    return [outside(), log];
  } finally {
    hook.disable();
  }
}

const KINDS = [['init'], ['promiseResolve'], ['init', 'promiseResolve']];
const each = (inside, outside, most) => KINDS.map((kinds) => during(kinds, inside, outside, most));
const steps = (...list) => list.join('\n');
const options = { a: 1, b: 'two', c: { d: [1, 2, 3] } };

cases('reading', {
  'a call that needs nobody, before native code returns': (addon) => each(() => addon.getShared === undefined, () => addon.run('p0', null, options))
    .concat(each(() => addon.total([1, 2, 3]), () => addon.run('p0', null, options))),
  'native code waits for something afterwards': (addon) => each((i) => addon.sum({ a: i, b: 2 }, 'a b'), () => addon.run(steps('p0', 'g0 a', 'g0 b', 'p0', 'g0 c', 'n0'), null, options)),
  'native code makes much afterwards': (addon) => {
    const many = Array.from({ length: 2000 }, (_, i) => (i % 3 === 0 ? 'N0 0' : `s${1 + i % 20} name${i}`));
    return each((i) => addon.sum({ a: i }, 'a'), () => addon.run(steps('p0', ...many, 'a1', 'a2', 'p0'), null, options));
  },
  'what is made in there is used there': (addon) => each(() => addon.run(steps('N0 0', 's1 a', 'N0 1', 'S2 0', 'S2 1', 'a1', 'l2', 'e2 1', 'g1 a'), null, options),
    () => addon.run(steps('N0 0', 's1 x', 'p0', 's1 y', 'a1', 'p0', 'N0 1', 'S2 0', 'e2 0', 'g1 x'), null, options)),
  'scopes that native code has open, opens and closes': (addon) => each(() => addon.run(steps('E0', 'g1 a', 'E1', 'g2 b', 'W0'), null, options),
    () => addon.run(steps('E0', 'p0', 'E1', 'g2 a', 'p0', 'E0', 'E0', 'g3 b', 'p0', 'E2'), null, options)),
  'it calls JavaScript in there, which calls again': (addon) => each((i) => addon.run(steps('g0 a', 'c0', 'C0', 'J0'), function inner() { return addon.sum({ a: i }, 'a'); }, options),
    () => addon.run(steps('p0', 'c0', 'p0', 'g0 a'), () => addon.total([1, 2]), options)),
  'it makes promises in there, for which the hook calls again': (addon) => each((i) => addon.run(steps('g0 a', 'p0', 'N0 0', 's1 a', 'p0', 'g1 a'), null, { a: i }),
    () => addon.run(steps('p0', 'N0 0', 'p0', 's1 b', 'a1'), null, options), 4),
  'exceptions in there are caught in there': (addon) => each(() => addon.run(steps('g0 a', 'c0', 'g0 b'), () => { throw new TypeError('from a callback'); }, { get a() { throw new RangeError('from a getter'); }, b: 1 }),
    () => addon.run(steps('p0', 'T0', 'g0 a', 'p0'), null, options)),
  'Buffers that both sides write': (addon) => {
    const bytes = Buffer.alloc(64), list = [Buffer.alloc(5000), Buffer.alloc(20)];
    const found = each((i) => {
      bytes[1 + i % 60]++; // not where native code has written: hooks find bytes as JavaScript had them last
      return addon.run(steps('b0', '+0', 'b1', '+1', 'e2 1', '+3'), null, bytes, list[0], list);
    }, () => addon.run(steps('+0', '+1', 'p0', 'c0', 'b0', '+1', 'e2 0', 'b3', 'p0', 'c0', 'b0', 'b1'), () => {}, bytes, list[0], list));
    return [found, bytes, list];
  },
  'works': (addon) => [during(['init', 'destroy'], (i) => addon.sum({ a: i }, 'a'), () => addon.run(steps('W0', 'g0 a', 'W0', 'W0'), null, options))],
});

const changes = {
  write: (view) => { view.fill(99); },
  detach: (view) => { structuredClone(view.buffer, { transfer: [view.buffer] }); },
  resize: (view) => { view.buffer.resize?.(5); },
};

cases('reading', {
  'what a hook does to a view, native code finds when it asks': (addon) => Object.values(changes).flatMap((change) => ['p0', 'W0'].flatMap((makes) => {
    // From then on what an object holds comes with the first read, and bytes with that.
    const list = Array.from({ length: 20 }, (_, i) => Buffer.from(new Uint8Array(i).fill(3).buffer));
    for (let i = 0; i < 12; i++) addon.run(steps(...list.flatMap((_, k) => [`e0 ${k}`, `b${k + 2}`]), ...Array.from({ length: 300 }, () => 'g1 x')), null, list, { x: 1, y: 2 });
    return [['g0 a', makes, 'b2', 'v2'], [makes, 'b1', 'v1']].map((program) => {
      const make = () => new Uint8Array(new ArrayBuffer(20, { maxByteLength: 20 })).fill(1);
      const object = { a: make(), b: 1, c: 2, d: 3 }, argument = make();
      let changed = false;
      const hook = createHook({ init(id, type) {
        if (changed || (type !== 'PROMISE' && type !== 'reading')) return;
        changed = true;
        [object.a, argument].forEach(change);
      } }).enable();
      try {
        return addon.run(steps(...program), null, object, argument).filter((value) => typeof value === 'string');
      } finally {
        hook.disable();
      }
    });
  })),
});

/** Numbers below 1 that are the same each time. */
function randomness(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Steps of tests/addons/reading.c that need no other bytes, and leave no promise rejected. */
const OPERATIONS = [...'gkehHxssSSdNNEERppppWlnacCJKMiOT'];

function randomSteps(random, length) {
  const pick = (list) => list[Math.floor(random() * list.length)];
  return steps(...Array.from({ length }, () => {
    const operation = pick(OPERATIONS);
    return `${operation}${Math.floor(random() * 8)} ${'eixSMKNq'.includes(operation) ? Math.floor(random() * 5) : pick(['a', 'b', 'c', 'link', 'x'])}`;
  }));
}

cases('reading', {
  'random programs': (addon) => Array.from({ length: 60 }, (_, seed) => {
    const random = randomness(seed + 1);
    const programs = Array.from({ length: 6 }, (_, i) => randomSteps(random, i === 0 ? 40 : 1 + Math.floor(random() * 20)));
    const most = 1 + seed % 3, kinds = KINDS[seed % KINDS.length];
    let count = 0;
    const runOne = (program) => {
      try {
        return addon.run(program, () => ({ z: ++count }), { a: 1, b: 't', c: { d: 1 } }, [1, 2, 3], { get a() { return 5; }, x: 1 });
      } catch (error) {
        return [error.name, error.message];
      }
    };
    return during(kinds, () => (++count > 60 ? 'enough' : runOne(programs[1 + count % 5])), () => runOne(programs[0]), most);
  }),
  // JavaScript and native code write other bytes, and native code waits for something once it has made a promise: then nothing is late.
  'random programs that write Buffers of all sizes': (addon) => Array.from({ length: 250 }, (_, seed) => {
    const random = randomness(seed + 1000);
    const parts = [() => `+${Math.floor(random() * 7)}`, () => `b${Math.floor(random() * 7)}`, () => steps('p0', 'c0'), () => `e4 ${Math.floor(random() * 6)}`, () => 'c0'];
    const programs = Array.from({ length: 6 }, (_, i) => steps(...Array.from({ length: i === 0 ? 25 : 1 + Math.floor(random() * 12) }, () => parts[Math.floor(random() * parts.length)]())));
    const buffers = [64, 5000, 20, 200_000].map((size) => Buffer.alloc(size + 7 * Math.floor(random() * 3), seed)), list = [30, 4096, 4097, 10_000, 500, 8000].map((size) => Buffer.alloc(size, 1));
    const all = [...buffers, ...list];
    let count = 0;
    const write = () => { const buffer = all[++count % all.length]; buffer[(buffer.length >> 1) + count % 3]++; };
    const runOne = (program) => addon.run(program, write, ...buffers, list).filter((value) => typeof value === 'string');
    const found = during(KINDS[seed % KINDS.length], () => {
      write();
      return count > 80 ? 'enough' : runOne(programs[1 + count % 5]);
    }, () => programs.slice(0, 2).map(runOne), 1 + seed % 3);
    return [found, all.map((buffer) => createHash('sha256').update(buffer).digest('hex'))];
  }),
});

cases('reading', {
  'what native code has shared, before it goes on': (addon) => during(['init'], () => {
    const shared = addon.getShared();
    shared.x = [shared.x, 'changed'];
    return typeof shared;
  }, () => [addon.run(steps('N0 0', 's1 x', 'Z1', 'p0', 'g0 a', 'g1 x'), null, options)]),
});

test('a hook that kills the host: its call, and the one that it runs in, throw', async () => {
  const addon = load(addonFile('reading'));
  const errors = [];
  const codeOf = (call) => {
    try {
      return call();
    } catch (error) {
      return error.code;
    }
  };
  let promise = null;
  const hook = createHook({ init(id, type, trigger, resource) {
    if (promise !== null) return;
    promise = resource;
    hostOf(addon).kill();
    errors.push(codeOf(() => addon.total([1, 2])));
  } }).enable();
  errors.push(codeOf(() => addon.run(steps('p0', 'g0 a', 'p0', 'g0 b'), null, options)));
  hook.disable();
  await assert.rejects(promise, { code: 'ERR_NAPI_REMOTE_HOST_DIED' }, 'nobody can settle it any more');
  assert.deepEqual(errors, ['ERR_NAPI_REMOTE_HOST_DIED', 'ERR_NAPI_REMOTE_HOST_DIED']);
});
