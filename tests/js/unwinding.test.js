'use strict';
// A host that dies below live JavaScript frames, at several depths: every frame unwinds in order, what it does on the way down works or says that the host is
// gone, and there is one error for one death.
const assert = require('node:assert/strict');
const { constants: { signals } } = require('node:os');
const { test } = require('node:test');
const { hostOf, load } = require('../..');
const { addonFile, isGone } = require('./support/child.js');

const LEVELS = 5;

function outcome(call) {
  try {
    return { value: call() };
  } catch (thrown) {
    return { thrown };
  }
}

/** Ends it, and comes back when it does nothing more. */
function kill(addon) {
  const { pid } = hostOf(addon);
  const words = new Int32Array(new SharedArrayBuffer(4));
  hostOf(addon).kill();
  while (!isGone(pid)) Atomics.wait(words, 0, 0, 1);
}

/** Who ends the host, in the frame at the bottom: native code there, or JavaScript. */
const ends = {
  'in native code': (addon) => addon.kill_self(signals.SIGKILL),
  'in JavaScript, which goes on': kill,
  'in JavaScript, which throws': (addon) => {
    kill(addon);
    throw new RangeError('on its way');
  },
};

for (const [where, end] of Object.entries(ends)) {
  for (let depth = 1; depth <= LEVELS; depth++) {
    test(`it dies ${where}, below ${depth} native frames`, () => {
      const addon = load(addonFile('faults'));
      const other = load(addonFile('basic'));
      const left = [];
      const seen = new Set();
      const descend = (level) => addon.call(() => {
        try {
          return level === depth ? end(addon) : descend(level + 1);
        } catch (error) {
          if (error.code !== undefined) seen.add(error);
          throw error;
        } finally {
          left.push(level);
          assert.equal(other.add(level, 1), level + 1);
        }
      });
      const { thrown } = outcome(() => descend(1));
      assert.equal(thrown.code, 'ERR_NAPI_REMOTE_HOST_DIED');
      assert.equal(thrown.signal, 'SIGKILL');
      assert.deepEqual(left, Array.from({ length: depth }, (_, i) => depth - i));
      seen.add(thrown);
      assert.equal(seen.size, 1);
      assert.equal(thrown.cause?.message, where.endsWith('throws') ? 'on its way' : undefined);
      hostOf(other).kill();
    });
  }
}

test('frames that swallow the error, return, and call again while they unwind', () => {
  const addon = load(addonFile('faults'));
  const codes = [];
  const descend = (level) => addon.call(() => {
    try {
      if (level === LEVELS) addon.null_deref();
      return descend(level + 1);
    } catch (error) {
      codes.push(error.code, outcome(() => addon.pid()).thrown.code);
      return level;
    } finally {
      codes.push(outcome(() => addon.call(() => {})).thrown.code);
    }
  });
  const { thrown } = outcome(() => descend(1));
  assert.deepEqual(codes, Array(3 * LEVELS).fill('ERR_NAPI_REMOTE_HOST_DIED'));
  assert.equal(thrown.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.equal(load(addonFile('faults')).call(() => 'anew'), 'anew');
});

test('frames that load a new host while those of the dead one unwind', () => {
  const addon = load(addonFile('faults'));
  const pids = [];
  const descend = (level) => addon.call(() => {
    try {
      return level === LEVELS ? addon.abort() : descend(level + 1);
    } finally {
      const fresh = load(addonFile('faults'));
      pids.push(fresh.call(() => fresh.pid()));
      hostOf(fresh).kill();
    }
  });
  const { thrown } = outcome(() => descend(1));
  assert.equal(thrown.signal, 'SIGABRT');
  assert.equal(new Set([...pids, hostOf(addon).pid]).size, LEVELS + 1);
});

test('two hosts that call each other die one after the other', () => {
  const [upper, lower] = [load(addonFile('faults')), load(addonFile('faults'))];
  const left = [];
  const { thrown } = outcome(() => upper.call(() => {
    const { thrown: inner } = outcome(() => lower.call(() => upper.call(() => {
      kill(upper);
      left.push(outcome(() => upper.pid()).thrown.pid);
      return lower.abort();
    })));
    left.push(inner.pid);
    throw inner;
  }));
  assert.deepEqual(left, [hostOf(upper).pid, hostOf(lower).pid]);
  assert.equal(thrown.pid, hostOf(upper).pid);
  assert.equal(thrown.cause.pid, hostOf(lower).pid);
});
