'use strict';
// The host process itself: what it has open, what it weighs, and what it leaves alone.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const { test } = require('node:test');
const { addonFile, isGone, makeFifo, run, runJson, start, temporaryFolder } = require('./support/child.js');
const { load, hostOf } = require('../..');

test('a host has less than 8 MB of its own', () => {
  const addon = load(addonFile('basic'));
  for (let i = 0; i < 1000; i++) addon.add(i, 1);
  const rollup = fs.readFileSync(`/proc/${hostOf(addon).pid}/smaps_rollup`, 'utf8');
  const kilobytes = [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  assert.ok(kilobytes > 0 && kilobytes < 8 * 1024, `${kilobytes} kB`);
});

// What whoever started the tests left open without FD_CLOEXEC reaches every process below.
function openFds(kit) {
  const fs = require('node:fs');
  const passedOn = fs.readdirSync('/proc/self/fd').map(Number).filter((fd) => {
    try {
      return fd > 2 && (parseInt(/flags:\s+(\d+)/.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))[1], 8) & 0o2000000) === 0;
    } catch {
      return false; // that of readdirSync() itself
    }
  });
  const addon = kit.remote.load(kit.addonFile('open_fds'));
  kit.print(addon.openFds().filter((fd) => !passedOn.includes(fd)));
}

test('its own descriptors are at 1000 and above', () => {
  const fds = runJson(openFds);
  assert.ok(fds.some((fd) => fd >= 1000));
  assert.deepEqual(fds.filter((fd) => fd > 2 && fd < 1000), []);
});

test('it has the stdio of Node', () => {
  const [node, host] = runJson((kit) => {
    const fs = require('node:fs');
    const { pid } = kit.remote.hostOf(kit.remote.load(kit.addonFile('open_fds')));
    const stdio = (id) => [0, 1, 2].map((fd) => {
      try {
        return fs.readlinkSync(`/proc/${id}/fd/${fd}`);
      } catch ({ code }) {
        return code;
      }
    });
    kit.print([stdio('self'), stdio(pid)]);
  }, { input: '' });
  assert.deepEqual(host, node);
});

test('the stdio of Node is as it was: no O_NONBLOCK, no other position', () => {
  const [before, after, end] = runJson((kit) => {
    const fs = require('node:fs');
    const look = () => [0, 1, 2].map((fd) => fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
    const before = look();
    const addon = kit.remote.load(kit.addonFile('faults'));
    addon.print('');
    const after = look();
    kit.outcome(() => addon.abort());
    kit.print([before, after, look()]);
  }, { input: 'text' });
  assert.deepEqual(after, before);
  assert.deepEqual(end, before);
});

test('what an addon reads from stdin is what Node was given', () => {
  const program = (kit) => kit.print(kit.dlopen(kit.addonFile('faults')).block(0));
  assert.equal(runJson(program, { input: 'A' }), 65);
  assert.equal(runJson(program, { input: 'A', isolated: true }), 65);
});

test('what an addon prints comes out in its place, without buffers', () => {
  const program = (kit) => {
    const fs = require('node:fs');
    const addon = kit.dlopen(kit.addonFile('faults'));
    fs.writeSync(1, 'one ');
    addon.print('two ');
    fs.writeSync(1, 'three ');
    addon.print('four');
  };
  const inProcess = run(program);
  assert.equal(inProcess.stdout, 'one two three four');
  assert.deepEqual(run(program, { isolated: true }), inProcess);
});

test('what an addon printed before it crashed is not lost', () => {
  const program = (kit) => {
    const addon = kit.dlopen(kit.addonFile('faults'));
    addon.print('last words');
    addon.abort();
  };
  assert.equal(run(program).stdout, 'last words');
  const { stdout, code } = run(program, { isolated: true });
  assert.deepEqual({ stdout, code }, { stdout: 'last words', code: 1 });
});

// SIGINT as the terminal sends it: to the whole process group.
test('SIGINT leaves an idle host alone', async () => {
  const program = start((kit) => {
    const addon = kit.dlopen(kit.addonFile('faults'));
    const pid = addon.pid();
    const timer = setInterval(() => {}, 1e6);
    process.once('SIGINT', () => {
      kit.print([pid, addon.pid()]);
      clearInterval(timer);
    });
    kit.print('ready');
  }, { isolated: true, detached: true });
  assert.equal(await program.line(), '"ready"');
  process.kill(-program.child.pid, 'SIGINT');
  const [before, after] = JSON.parse(await program.line());
  assert.equal(after, before);
  assert.notEqual(after, program.child.pid);
  assert.deepEqual(await program.closed, { code: 0, signal: null });
});

test('SIGINT leaves a host alone that is inside a call', async (t) => {
  const fifo = makeFifo(temporaryFolder(t));
  const program = start((kit, fifo) => {
    const addon = kit.dlopen(kit.addonFile('faults'));
    process.once('SIGINT', () => kit.print(['SIGINT', addon.pid()]));
    kit.print(addon.pid());
    kit.print(addon.block(fifo));
    setImmediate(() => setImmediate(() => {}));
  }, { isolated: true, detached: true, args: [fifo] });
  const pid = JSON.parse(await program.line());
  const pipe = await fs.promises.open(fifo, 'w');
  process.kill(-program.child.pid, 'SIGINT');
  await pipe.write('B');
  await pipe.close();
  assert.equal(await program.line(), '66');
  assert.deepEqual(JSON.parse(await program.line()), ['SIGINT', pid]);
  assert.deepEqual(await program.closed, { code: 0, signal: null });
});

test('SIGINT ends a program that does not handle it, and its host with it', async (t) => {
  const fifo = makeFifo(temporaryFolder(t));
  const program = start((kit, fifo) => {
    const addon = kit.dlopen(kit.addonFile('faults'));
    addon.hold(fifo);
    kit.print('ready');
    setInterval(() => {}, 1e6);
  }, { isolated: true, detached: true, args: [fifo] });
  const held = fs.createReadStream(fifo).resume();
  const ended = once(held, 'end');
  assert.equal(await program.line(), '"ready"');
  process.kill(-program.child.pid, 'SIGINT');
  assert.deepEqual(await program.closed, { code: null, signal: 'SIGINT' });
  await ended;
});

test('what others send to all processes of a program is for its JavaScript, which still has its addons', async () => {
  const signals = ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR2'];
  const program = start((kit, signals) => {
    const addon = kit.dlopen(kit.addonFile('faults'));
    const pid = addon.pid();
    const timer = setInterval(() => {}, 1e6);
    for (const name of signals) process.on(name, () => kit.print([name, addon.pid() === pid]));
    process.on(signals.at(-1), () => clearInterval(timer));
    kit.print('ready');
  }, { isolated: true, detached: true, args: [signals] });
  assert.equal(await program.line(), '"ready"');
  for (const name of signals) {
    process.kill(-program.child.pid, name);
    assert.deepEqual(JSON.parse(await program.line()), [name, true]);
  }
  assert.deepEqual(await program.closed, { code: 0, signal: null });
});

test('a host ends by a signal that the program sends to it', () => {
  const ends = runJson(async (kit) => {
    const all = [];
    const timer = setInterval(() => {}, 1e6);
    for (const name of ['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']) {
      const host = kit.remote.hostOf(kit.remote.load(kit.addonFile('faults')));
      const ended = new Promise((resolve) => host.on('exit', resolve));
      process.kill(host.pid, name);
      all.push((await ended).signal === name);
    }
    clearInterval(timer);
    kit.print(all);
  });
  assert.deepEqual(ends, [true, true, true, true, true]);
});

test('signals that Node handles or ignores are as usual in a host', () => {
  const [own, ...status] = runJson((kit) => {
    const fs = require('node:fs');
    process.on('SIGTERM', () => {});
    process.on('SIGHUP', () => {});
    const { pid } = kit.remote.hostOf(kit.remote.load(kit.addonFile('faults')));
    const read = (of, name) => new RegExp(`${name}:\\s+(\\w+)`).exec(fs.readFileSync(`/proc/${of}/status`, 'utf8'))[1];
    kit.print([read('self', 'SigIgn'), read(pid, 'SigBlk'), read(pid, 'SigIgn')].map((mask) => parseInt(mask, 16)));
  });
  // Nothing blocked; what Node ignores (SIGPIPE and SIGXFSZ) ignored. Signals beyond 31 are the C library's own business.
  assert.deepEqual(status.map((mask) => mask % 2 ** 31), [0, own % 2 ** 31]);
});

test('a host has the working folder, the environment and the arguments that are to be seen', (t) => {
  const folder = fs.realpathSync(temporaryFolder(t));
  const [cwd, environment, name] = runJson((kit) => {
    const fs = require('node:fs');
    const { pid } = kit.remote.hostOf(kit.remote.load(kit.addonFile('faults')));
    kit.print([fs.readlinkSync(`/proc/${pid}/cwd`), fs.readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes('NR_TEST=here'),
      fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0]]);
  }, { cwd: folder, env: { NR_TEST: 'here' } });
  assert.deepEqual([cwd, environment, name], [folder, true, 'napi-remote-host']);
});

test('hosts that a program has finished with go when it ends', () => {
  const pids = runJson((kit) => kit.print([1, 2, 3].map(() => kit.remote.load(kit.addonFile('faults')).pid())));
  for (const pid of pids) assert.ok(isGone(pid), `host ${pid} lives`);
});
