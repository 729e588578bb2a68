'use strict';
// Recursion through native code: nearly as deep as in one process, then the error that any function gives.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { addons } = require('./harness.js');

/**
 * Of the levels in one process, with an optimised agent. The host's own frames are not on JavaScript's stack, so little more than the agent's
 * is lost. (Once link-time optimisation had put what a dead host's call needs into every call, it was 0.88.)
 */
const SHARE = 0.9;

const misuse = addons('misuse');
const callbacks = addons('callbacks');
const properties = addons('properties');

/** How often `level` calls itself before the stack ends, and what it ends with. */
function descend(level) {
  let depth = 0;
  const again = () => {
    depth++;
    return level(again);
  };
  try {
    again();
  } catch (error) {
    return { depth, name: error.name, message: error.message, isRangeError: error instanceof RangeError };
  }
  return { depth };
}

const ways = {
  'functions': [misuse, (addon, again) => addon.recurse(again)],
  'functions, the error caught on the way': [callbacks, (addon, again) => addon.callFunction('self', again, [])],
  'functions with arguments': [misuse, (addon, again) => addon.recurse(again, 1, 'two', {}, [], Buffer.alloc(8))],
  'constructors': [callbacks, (addon, again) => addon.newInstance(class { constructor() { again(); } }, [])],
  'getters': [properties, (addon, again) => addon.get({ get key() { return again(); } }, 'key')],
  'setters': [properties, (addon, again) => addon.set({ set key(value) { again(); } }, 'key', 1)],
  'proxies': [properties, (addon, again) => addon.has(new Proxy({}, { has: again }), 'key')],
};

for (const [name, [{ inProcess, isolated }, level]] of Object.entries(ways)) {
  test(name, () => {
    const expected = descend((again) => level(inProcess, again));
    // The second time everything works as before.
    for (let i = 0; i < 2; i++) {
      const actual = descend((again) => level(isolated, again));
      assert.ok(actual.depth >= SHARE * expected.depth, `${actual.depth} levels, ${expected.depth} in one process`);
      assert.deepEqual({ ...actual, depth: 0 }, { ...expected, depth: 0 });
    }
  });
}
