'use strict';
// Strings whose characters are the addon's: what JavaScript reads, and when the addon may free them.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { compare, turn } = require('./harness.js');
const { run } = require('./support/child.js');

v8.setFlagsFromString('--expose-gc');
const gc = vm.runInNewContext('gc');

/** Long enough that nothing but the addon's memory can hold it. */
const LONG = 'long text '.repeat(1000);
const TURNS = 2000;

function cases(runs) {
  for (const [name, body] of Object.entries(runs)) {
    test(name, (t) => compare(t, 'external_strings', async (addon) => {
      gc();
      await turn();
      addon.takeCounts();
      return body(addon);
    }));
  }
}

cases({
  'narrow': ({ latin1 }) => ['a', 'text', 'é ÿ', LONG].map((text) => [latin1(text), latin1(text, text.length)]),
  'wide': ({ utf16 }) => ['a', 'text', '€ 😀', '\ud800', LONG, '€'.repeat(5000)].map((text) => [utf16(text), utf16(text, text.length)]),
  'with NUL inside': ({ latin1, utf16 }) => [latin1('a\0b'), latin1('a\0b', 3), utf16('a\0b'), utf16('a\0b', 3)],
  'a part': ({ latin1, utf16 }) => [latin1('abcdef', 3), utf16('abcdef', 3)],
  // V8 has one empty string: the finalizer runs before the call returns.
  'empty': ({ latin1, utf16 }) => [latin1(''), latin1('abc', 0), utf16(''), utf16('abc', 0)],
  'without finalizer': ({ constants }) => constants(),
  'wrong arguments': ({ wrong }) => wrong(),
  'as keys and in code': ({ latin1, utf16 }) => {
    const object = { [latin1('key').value]: 1, [utf16('€').value]: 2 };
    return [object, latin1('key').value in object, new Function(`return ${latin1('1 + 1').value}`)(), latin1('a,b').value.split(',')];
  },
  'finalizers run when the strings are gone': async (addon) => {
    (() => { for (let i = 0; i < 20; i++) [addon.latin1(`${LONG}${i}`), addon.utf16(`€${LONG}${i}`)]; })();
    const total = [0, 0];
    for (let i = 0; i < TURNS && total[0] < 40; i++) {
      if (i % 20 === 0) gc();
      await turn();
      addon.takeCounts().forEach((count, k) => { total[k] += count; });
    }
    return total;
  },
  'not while they live': async (addon) => {
    const kept = Array.from({ length: 10 }, (_, i) => addon.latin1(`${LONG}${i}`).value);
    gc();
    await turn();
    return [addon.takeCounts(), kept.map((text) => text.length)];
  },
});

// In a Worker Node 20 does not survive it: the addon is unloaded before the strings go.
for (const how of ['end', 'exit']) {
  test(`at the end of the program (${how})`, () => {
    const program = (kit, way) => {
      const addon = kit.dlopen(kit.addonFile('external_strings'));
      addon.speak();
      globalThis.kept = addon.latin1('text '.repeat(1000)).value;
      if (way === 'exit') process.exit(3);
    };
    const inProcess = run(program, { args: [how] });
    const isolated = run(program, { args: [how], isolated: true });
    assert.deepEqual({ ...isolated, stderr: '' }, { ...inProcess, stderr: '' }, isolated.stderr);
  });
}

// More than the ring holds.
test('forty thousand of them at the end of the program', () => {
  const program = (kit) => {
    globalThis.kept = kit.dlopen(kit.addonFile('external_strings')).many(40_000);
  };
  const inProcess = run(program);
  const isolated = run(program, { isolated: true });
  assert.deepEqual({ ...isolated, stderr: '' }, { ...inProcess, stderr: '' }, isolated.stderr);
});
