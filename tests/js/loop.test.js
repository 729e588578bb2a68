'use strict';
// The end of a program: when it comes, with which exit code, and what the addon still gets to do.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const { test } = require('node:test');
const { isGone, makeFifo, run, start, temporaryFolder } = require('./support/child.js');

// Runs a program both ways. It may print lines of its own; the first is the pid of the addon. How it ends must not differ.
function compare(program, expected) {
  const results = [false, true].map((isolated) => {
    const { stdout, ...rest } = run(program, { isolated });
    const [pid, ...lines] = stdout.split('\n');
    if (isolated) assert.ok(isGone(Number(pid)), `host ${pid} lives`);
    return { ...rest, lines };
  });
  for (const result of results) if (result.signal === null && result.code < 128 && expected.stderr === undefined) assert.equal(result.stderr, '');
  const strip = ({ stderr, ...rest }) => rest;
  assert.deepEqual(strip(results[1]), strip(results[0]));
  assert.equal(results[0].code, expected.code);
  if (expected.lines) assert.deepEqual(results[0].lines, expected.lines);
  if (expected.stderr) for (const result of results) assert.match(result.stderr, expected.stderr);
}

const FAREWELL = ['atexit', 'destructor', ''];

test('an idle addon does not keep a program running, and its farewell comes', () => {
  compare((kit) => kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid()), { code: 0, lines: FAREWELL });
});

test('the end comes promptly', () => {
  const program = (kit) => kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid());
  const time = (isolated) => {
    const before = performance.now();
    run(program, { isolated });
    return performance.now() - before;
  };
  const inProcess = time(false);
  const isolated = time(true);
  assert.ok(isolated < inProcess + 1000, `${isolated} ms instead of ${inProcess} ms`);
});

test('a program with a timer goes on until it is over', () => {
  compare((kit) => {
    const addon = kit.dlopen(kit.addonFile('exit_prints'));
    kit.print(addon.pid());
    setTimeout(() => kit.print(addon.call(() => 'from the timer')), 20);
  }, { code: 0, lines: ['"from the timer"', ...FAREWELL] });
});

test('process.exitCode', () => {
  compare((kit) => {
    kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid());
    process.exitCode = 5;
  }, { code: 5, lines: FAREWELL });
});

test('process.exit(3) at top level', () => {
  compare((kit) => {
    kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid());
    process.exit(3);
  }, { code: 3, lines: FAREWELL });
});

test('process.exit(3) in a callback', () => {
  compare((kit) => {
    kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid());
    setImmediate(() => process.exit(3));
  }, { code: 3, lines: FAREWELL });
});

test('process.exit(3) below native frames', () => {
  compare((kit) => {
    const addon = kit.dlopen(kit.addonFile('exit_prints'));
    kit.print(addon.pid());
    addon.call(() => addon.call(() => addon.call(() => process.exit(3))));
    kit.print('not reached');
  }, { code: 3, lines: FAREWELL });
});

test('process.exit() in an exit handler below native frames, calls from "exit" handlers', () => {
  compare((kit) => {
    const addon = kit.dlopen(kit.addonFile('exit_prints'));
    kit.print(addon.pid());
    process.on('exit', (code) => {
      kit.print(addon.call(() => `exit ${code}`));
      addon.call(() => process.exit(4));
    });
    process.exit(3);
  }, { code: 4, lines: ['"exit 3"', ...FAREWELL] });
});

test('an exception that nobody catches, above and below native frames', () => {
  compare((kit) => {
    kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid());
    throw new Error('as asked');
  }, { code: 1, lines: FAREWELL, stderr: /as asked/ });
  compare((kit) => {
    const addon = kit.dlopen(kit.addonFile('exit_prints'));
    kit.print(addon.pid());
    addon.call(() => {
      throw new Error('as asked');
    });
  }, { code: 1, lines: FAREWELL, stderr: /as asked/ });
});

test('process.reallyExit()', () => {
  compare((kit) => {
    kit.print(kit.dlopen(kit.addonFile('exit_prints')).pid());
    process.reallyExit(6);
  }, { code: 6, lines: FAREWELL });
});

test('Node is ended by SIGTERM: the host goes too', async (t) => {
  const fifo = makeFifo(temporaryFolder(t));
  const program = start((kit, fifo) => {
    kit.dlopen(kit.addonFile('faults')).hold(fifo);
    kit.print('ready');
    setInterval(() => {}, 1e6);
  }, { isolated: true, args: [fifo] });
  const ended = once(fs.createReadStream(fifo).resume(), 'end');
  assert.equal(await program.line(), '"ready"');
  program.child.kill('SIGTERM');
  assert.deepEqual(await program.closed, { code: null, signal: 'SIGTERM' });
  await ended;
});

test('process.exit(3) while the host of another group is dead', () => {
  const { code, stdout } = run((kit) => {
    const dead = kit.remote.load(kit.addonFile('faults'));
    const addon = kit.remote.load(kit.addonFile('exit_prints'));
    kit.print(addon.pid());
    kit.outcome(() => dead.abort());
    addon.call(() => process.exit(3));
  });
  assert.equal(code, 3);
  assert.ok(isGone(JSON.parse(stdout.split('\n')[0])));
});

test('many hosts: each is ended', () => {
  const { code, stdout } = run((kit) => kit.print([1, 2, 3, 4, 5, 6].map(() => kit.remote.load(kit.addonFile('exit_prints')).pid())));
  assert.equal(code, 0);
  const [pids, ...lines] = stdout.split('\n');
  for (const pid of JSON.parse(pids)) assert.ok(isGone(pid));
  assert.deepEqual(lines.sort(), ['', ...Array(6).fill('atexit'), ...Array(6).fill('destructor')]);
});

test('a Worker with an addon ends by itself, by terminate() and by process.exit()', () => {
  for (const end of ['', 'process.exit(2)', 'setInterval(() => {}, 1e6)']) {
    const { code, stdout } = run((kit, end) => {
      const { Worker } = require('node:worker_threads');
      const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
        require('node:worker_threads').parentPort.postMessage(kit.dlopen(kit.addonFile('faults')).pid()); ${end}`;
      const worker = new Worker(source, { eval: true });
      let host;
      worker.on('message', (pid) => {
        host = pid;
        if (end.startsWith('setInterval')) worker.terminate();
      });
      worker.on('exit', (exitCode) => kit.print([host, exitCode]));
    }, { isolated: true, args: [end] });
    assert.equal(code, 0);
    const [pid, exitCode] = JSON.parse(stdout);
    assert.equal(exitCode, { '': 0, 'process.exit(2)': 2 }[end] ?? 1);
    assert.ok(isGone(pid));
  }
});
