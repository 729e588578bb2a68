'use strict';
// The command lines of what developers run: scripts/options.js.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { test } = require('node:test');
const { flag, number, text, parseOptions } = require('../../scripts/options.js');

const root = path.join(__dirname, '..', '..');
const known = { rounds: number(5), seed: number(1, { least: 0 }), seconds: number(undefined, { fraction: true }), out: text('x.json'), only: text(), large: flag };

test('what is not given is what it is by default', () => {
  assert.deepEqual(parseOptions(known, []), { rounds: 5, seed: 1, seconds: undefined, out: 'x.json', only: undefined, large: false });
});

test('what is given is a number, a text or a flag', () => {
  assert.deepEqual(
    parseOptions(known, ['--rounds', '3', '--seed=0', '--seconds', '1.5', '--out', '7', '--large']),
    { rounds: 3, seed: 0, seconds: 1.5, out: '7', only: undefined, large: true },
  );
});

test('what cannot be taken is told', () => {
  const cases = [
    [['--rounds', 'x'], /^--rounds takes a number without a fraction, 1 or more, not "x"$/],
    [['--rounds', '0'], /^--rounds takes a number without a fraction, 1 or more, not "0"$/],
    [['--rounds', '1.5'], /not "1.5"$/],
    [['--rounds', '9007199254740993'], /not "9007199254740993"$/],
    [['--rounds', ''], /not ""$/],
    [['--seconds', '1e3'], /^--seconds takes a number, 1 or more, not "1e3"$/],
    [['--rounds'], /'--rounds <value>' argument missing/],
    [['--large=3'], /does not take an argument/],
    [['--nothing'], /Unknown option '--nothing'/],
    [['nothing'], /Unexpected argument 'nothing'/],
  ];
  for (const [args, message] of cases) assert.throws(() => parseOptions(known, args), { message }, args.join(' '));
});

const commands = [
  ...['async', 'bursts', 'calls', 'load', 'memory', 'work'].map((name) => `bench/${name}.js`),
  ...['faults', 'random', 'soak', 'stress'].map((name) => `tests/${name}/run.js`), 'tests/js/support/memory-stress.js',
];

for (const command of commands) {
  test(`${command} tells its usage, and ends with 2`, () => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, command), '--nothing'], { encoding: 'utf8' });
    const [what, usage, ...more] = stderr.split('\n');
    assert.match(what, /^Unknown option '--nothing'/);
    assert.ok(usage.startsWith(`usage: node ${command} [--`), usage);
    assert.deepEqual({ status, stdout, more }, { status: 2, stdout: '', more: [''] });
  });
}
