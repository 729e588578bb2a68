'use strict';
// The ends of a host: errors for those who call it, nothing for anybody else.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const { test } = require('node:test');
const { addonFile, makeFifo, run, runJson, start, temporaryFolder } = require('./support/child.js');
const { caught } = require('./support/plugin.js');
const { load, hostOf, hosts } = require('../..');

const { signals } = os.constants;

function loadFaults(options) {
  return load(addonFile('faults'), options);
}

function checkDeath(error, pid, end) {
  const { code, signal, exitCode } = error;
  assert.ok(error instanceof Error);
  assert.deepEqual({ code, signal, exitCode, pid: error.pid }, { code: 'ERR_NAPI_REMOTE_HOST_DIED', signal: undefined, exitCode: undefined, pid, ...end });
  assert.ok(error.message.includes(String(pid)) && error.message.includes(addonFile('faults')), error.message);
  assert.ok(error.message.includes(String(end.signal ?? end.exitCode)), error.message);
}

const ENDS = {
  'a NULL dereference': [(addon) => addon.null_deref(), { signal: 'SIGSEGV' }],
  'abort()': [(addon) => addon.abort(), { signal: 'SIGABRT' }],
  'exit(0)': [(addon) => addon.exit_with(0), { exitCode: 0 }],
  'exit(3)': [(addon) => addon.exit_with(3), { exitCode: 3 }],
  'exit(255)': [(addon) => addon.exit_with(255), { exitCode: 255 }],
  'exit(-1)': [(addon) => addon.exit_with(-1), { exitCode: 255 }],
};
for (const name of ['SIGKILL', 'SIGTERM', 'SIGILL', 'SIGBUS', 'SIGFPE', 'SIGHUP', 'SIGUSR1', 'SIGALRM', 'SIGTRAP', 'SIGSYS']) {
  ENDS[name] = [(addon) => addon.kill_self(signals[name]), { signal: name }];
}
ENDS['a real-time signal'] = [(addon) => addon.kill_self(40), { signal: 'signal 40' }];

for (const [name, [act, end]] of Object.entries(ENDS)) {
  test(`${name} is an error, also for whoever calls next; another host goes on`, () => {
    const addon = loadFaults();
    const other = loadFaults();
    const { pid } = hostOf(addon);
    assert.equal(addon.pid(), pid);
    checkDeath(caught(() => act(addon)), pid, end);
    const second = caught(() => addon.pid());
    checkDeath(second, pid, end);
    assert.notEqual(second, caught(() => addon.pid()));
    assert.equal(other.pid(), hostOf(other).pid);
    assert.equal(hosts().find((host) => host.pid === pid)?.alive ?? false, false);
    assert.equal(loadFaults().call(() => 'anew'), 'anew');
    hostOf(other).kill();
  });
}

test('an addon of a group takes the others of the group along, and no one else', () => {
  const first = loadFaults({ group: 'crash' });
  const neighbour = load(addonFile('basic'), { group: 'crash' });
  const other = load(addonFile('basic'), { group: 'another' });
  assert.equal(neighbour.add(1, 2), 3);
  checkDeath(caught(() => first.abort()), hostOf(first).pid, { signal: 'SIGABRT' });
  assert.equal(caught(() => neighbour.add(1, 2)).pid, hostOf(first).pid);
  assert.equal(other.add(1, 2), 3);
});

test('an idle host that is killed: the next call throws within 100 ms', () => {
  for (let i = 0; i < 5; i++) {
    const addon = loadFaults();
    const pid = addon.pid();
    process.kill(pid, 'SIGKILL');
    const before = performance.now();
    const error = caught(() => addon.pid());
    const taken = performance.now() - before;
    checkDeath(error, pid, { signal: 'SIGKILL' });
    assert.ok(taken < 100, `${taken} ms`);
  }
});

test('kill() of an idle host', () => {
  const addon = loadFaults();
  const host = hostOf(addon);
  assert.equal(host.kill(), true);
  checkDeath(caught(() => addon.pid()), host.pid, { signal: 'SIGKILL' });
  assert.equal(host.kill(), false);
  assert.equal(host.pid, caught(() => addon.pid()).pid);
});

test('a host that is killed inside a call', async (t) => {
  const fifo = makeFifo(temporaryFolder(t));
  const program = start((kit, fifo) => {
    const addon = kit.dlopen(kit.addonFile('faults'));
    kit.print(addon.pid());
    try {
      addon.block(fifo);
    } catch ({ code, signal, pid }) {
      kit.print({ code, signal, pid });
    }
  }, { isolated: true, args: [fifo] });
  const pid = JSON.parse(await program.line());
  const pipe = await fs.promises.open(fifo, 'w'); // the addon has opened its end
  process.kill(pid, 'SIGKILL');
  assert.deepEqual(JSON.parse(await program.line()), { code: 'ERR_NAPI_REMOTE_HOST_DIED', signal: 'SIGKILL', pid });
  assert.deepEqual(await program.closed, { code: 0, signal: null });
  await pipe.close();
});

test('a host that a Worker kills inside a call', (t) => {
  const fifo = makeFifo(temporaryFolder(t));
  const code = runJson((kit, fifo) => {
    const { Worker } = require('node:worker_threads');
    const addon = kit.dlopen(kit.addonFile('faults'));
    const source = `const { parentPort, workerData } = require('node:worker_threads');
      parentPort.postMessage('ready');
      require('node:fs').openSync(workerData.fifo, 'w');
      process.kill(workerData.pid, 'SIGKILL');`;
    new Worker(source, { eval: true, workerData: { fifo, pid: addon.pid() } }).once('message', () => {
      kit.print(kit.outcome(() => addon.block(fifo)).code);
    });
  }, { isolated: true, args: [fifo] });
  assert.equal(code, 'ERR_NAPI_REMOTE_HOST_DIED');
});

test('below a native frame: the same error object comes out on top', () => {
  const addon = loadFaults();
  let inner;
  const outer = caught(() => addon.call(() => {
    inner = caught(() => addon.abort());
    throw inner;
  }));
  assert.equal(outer, inner);
  checkDeath(outer, outer.pid, { signal: 'SIGABRT' });
  assert.equal(outer.cause, undefined);
});

test('below many native frames: one error object', () => {
  const addon = loadFaults();
  const seen = new Set();
  const descend = (depth) => {
    try {
      return depth === 0 ? addon.null_deref() : addon.call(() => descend(depth - 1));
    } catch (error) {
      seen.add(error);
      throw error;
    }
  };
  seen.add(caught(() => descend(20)));
  assert.equal(seen.size, 1);
});

test('below a native frame, another error in its place: it is the cause', () => {
  const addon = loadFaults();
  for (const other of [new RangeError('mine'), 'a string', null]) {
    const fresh = loadFaults();
    const error = caught(() => fresh.call(() => {
      caught(() => fresh.abort());
      throw other;
    }));
    assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
    assert.equal(error.signal, 'SIGABRT');
    assert.equal(error.cause, other);
    assert.ok('cause' in error);
  }
  hostOf(addon).kill();
});

test('below a native frame, the error caught: the outer call throws all the same', () => {
  const addon = loadFaults();
  let inner;
  const outer = caught(() => addon.call(() => {
    inner = caught(() => addon.exit_with(7));
    return 'all is well';
  }));
  checkDeath(outer, inner.pid, { exitCode: 7 });
  assert.equal(outer.cause, undefined);
});

test('below a native frame of another host: that one sees an ordinary exception', () => {
  const outer = loadFaults();
  const inner = loadFaults();
  let thrown;
  const seen = caught(() => outer.call(() => {
    thrown = caught(() => inner.abort());
    throw thrown;
  }));
  assert.equal(seen, thrown);
  assert.equal(outer.call(() => caught(() => inner.pid()).signal), 'SIGABRT');
  assert.equal(outer.pid(), hostOf(outer).pid);
  hostOf(outer).kill();
});

test('two hosts above each other, the lower one dies: the upper one unwinds in order', () => {
  const a = loadFaults();
  const b = loadFaults();
  const result = a.call(() => {
    const error = caught(() => b.call(() => a.call(() => b.abort())));
    return [error.code, error.pid === hostOf(b).pid, a.pid() === hostOf(a).pid];
  });
  assert.deepEqual(result, ['ERR_NAPI_REMOTE_HOST_DIED', true, true]);
  hostOf(a).kill();
});

test('what is not caught ends the program as any error does', () => {
  const { code, signal, stderr } = run((kit) => kit.dlopen(kit.addonFile('faults')).null_deref(), { isolated: true });
  assert.deepEqual({ code, signal }, { code: 1, signal: null });
  assert.match(stderr, /ERR_NAPI_REMOTE_HOST_DIED/);
  assert.match(stderr, /SIGSEGV/);
});

test('no host is left as a zombie', () => {
  const zombies = runJson((kit) => {
    const fs = require('node:fs');
    for (let i = 0; i < 5; i++) kit.outcome(() => kit.remote.load(kit.addonFile('faults')).abort());
    const children = fs.readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
    kit.print(children.filter((pid) => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z')));
  });
  assert.deepEqual(zombies, []);
});

// Node is killed with SIGKILL. Each host holds one end of a pipe that nobody else has: the other end sees when it is gone.
async function killNode(t, program) {
  const folder = temporaryFolder(t);
  const fifos = temporaryFolder(t);
  const fifo = makeFifo(fifos, 'held');
  const blocked = makeFifo(fifos, 'blocked');
  const shared = () => fs.readdirSync('/dev/shm').filter((name) => /napi|nr-/.test(name));
  const before = shared();
  const running = start(program, { cwd: folder, env: { TMPDIR: folder }, args: [fifo, blocked] });
  const held = fs.createReadStream(fifo);
  const ended = once(held, 'end');
  held.resume();
  const { pids, blocks } = JSON.parse(await running.line());
  const writer = blocks ? await fs.promises.open(blocked, 'w') : undefined;
  // But for the file in which test addons count their calls (support/coverage.js).
  const mapped = pids.flatMap((pid) => fs.readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')).filter((line) => / rw-s /.test(line) && !line.endsWith('.counters'));
  assert.ok(mapped.length > 0);
  for (const line of mapped) assert.match(line, /\/memfd:/, 'shared memory with a name');
  running.child.kill('SIGKILL');
  assert.deepEqual(await running.closed, { code: null, signal: 'SIGKILL' });
  await ended;
  await writer?.close();
  assert.deepEqual(fs.readdirSync(folder), []);
  assert.deepEqual(shared(), before);
}

test('Node is killed: its idle hosts die, and nothing is left behind', (t) => killNode(t, (kit, fifo) => {
  const addons = [1, 2, 3].map(() => kit.remote.load(kit.addonFile('faults')));
  for (const addon of addons) addon.hold(fifo);
  kit.print({ pids: addons.map((addon) => addon.pid()) });
  setInterval(() => {}, 1e6);
}));

test('Node is killed while a host is inside a call: the host dies', (t) => killNode(t, (kit, fifo, blocked) => {
  const addon = kit.remote.load(kit.addonFile('faults'));
  addon.hold(fifo);
  kit.print({ pids: [addon.pid()], blocks: true });
  addon.block(blocked);
}));

test('killed while Node turns its loop for it: the call throws, whatever else there is to do', () => {
  const addon = load(addonFile('workload'));
  let ticks = 0;
  const interval = setInterval(() => {
    if (++ticks === 3) hostOf(addon).kill();
    if (ticks === 1000) clearInterval(interval); // it would turn for ever
  }, 5);
  const error = caught(() => addon.turn(true));
  clearInterval(interval);
  assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.ok(ticks < 1000);
});
