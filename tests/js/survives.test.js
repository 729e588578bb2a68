'use strict';
// What an addon does wrong ends its host at most. Each case runs in a Node of its own, which must end as it would have without.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');

const root = path.join(__dirname, '..', '..');

function run(program, flags = []) {
  const source = `const { load, hosts } = require(${JSON.stringify(root)});
    const addon = load(${JSON.stringify(path.join(root, 'build', 'release', 'addons', 'survives.node'))});
    (${program})(addon, hosts);`;
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [...flags, '-e', source], { encoding: 'utf8' });
  assert.deepEqual({ status, signal }, { status: 0, signal: null }, stderr);
  return stdout.trim();
}

test('a result that lives in a scope which was left open is nothing', () => {
  assert.equal(run((addon) => {
    const seen = new Set();
    for (const count of [1, 3, 1022, 40 * 1022, 60 * 1022 + 97]) for (let i = 0; i < 5; i++) seen.add(typeof addon.leaveScopeOpen(count));
    console.log([...seen].join());
  }), 'undefined');
});

test('recursion that uses no JavaScript stack ends with a RangeError', () => {
  assert.match(run((addon) => {
    try {
      addon.recurse(addon.recurse);
    } catch (error) {
      console.log(error.name, error.message);
    }
    try {
      addon.recurse(() => console.log('works on'));
    } catch {
      console.log('does not');
    }
  }), /^RangeError .*\nworks on$/);
});

test('instance data that is set in its own finalizer', () => {
  assert.equal(run((addon) => {
    addon.setData();
    console.log('ends');
  }), 'ends');
});

test('JavaScript that lets go of very much while the host is stopped does not wait for it', () => {
  assert.equal(run((addon, hosts) => {
    const { pid } = hosts()[0];
    // Each Buffer that is passed leaves a pair, which is released when it is collected.
    let buffers = Array.from({ length: 20000 }, () => new Uint8Array(8));
    for (const buffer of buffers) addon.leaveScopeOpen.call(buffer, 0, buffer);
    process.kill(pid, 'SIGSTOP');
    buffers = undefined;
    gc();
    setImmediate(() => setImmediate(() => {
      process.kill(pid, 'SIGCONT');
      console.log('went on');
    }));
  }, ['--expose-gc']), 'went on');
});
