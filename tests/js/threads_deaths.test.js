'use strict';
// Several threads in one host, when something goes wrong: it dies below all of them, one of them is stuck in native code, Workers come and go by the hundred.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run, runJson } = require('./support/child.js');

/** Runs `program({load, spawn, kit, remote})` isolated; what it resolves to is returned. `body(addon, {post, parentPort, remote})` runs in a Worker. */
const withWorkers = async (kit, program) => {
  const { once } = require('node:events');
  const { Worker } = require('node:worker_threads');
  const load = (name = 'threads') => kit.dlopen(kit.addonFile(name));
  const spawn = (body, ...args) => {
    const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const { parentPort } = require('node:worker_threads');
      const post = (message) => parentPort.postMessage(message);
      (${body})(kit.dlopen(kit.addonFile('threads')), { post, kit, parentPort, remote: kit.remote }, ...${JSON.stringify(args)});`;
    const worker = new Worker(source, { eval: true });
    worker.on('error', (error) => console.error(error));
    worker.ended = once(worker, 'exit').then(([code]) => code);
    worker.next = async () => (await once(worker, 'message'))[0];
    return worker;
  };
  kit.print(await (0, eval)(`(${program})`)({ load, spawn, kit, remote: kit.remote }));
};

const SHORT = { NAPI_REMOTE_TEARDOWN_MILLISECONDS: '300' };

function isolated(program, env) {
  return runJson(withWorkers, { isolated: true, args: [String(program)], env });
}

test('a host dies while four threads are inside it: each is told', () => {
  const outcomes = isolated(async ({ load, spawn, kit }) => {
    const addon = load();
    const workers = Array.from({ length: 3 }, () => spawn((other, { post, kit: { outcome } }) => {
      post('up');
      post(outcome(() => other.waitAt(1)).code);
      post(outcome(() => other.loads()).code);
    }));
    const heard = workers.map(() => []);
    workers.forEach((worker, i) => worker.on('message', (message) => heard[i].push(message)));
    await Promise.all(workers.map((worker) => worker.next()));
    addon.awaitGate(1, 3);
    const own = [kit.outcome(() => addon.call(() => addon.die())).code, kit.outcome(() => addon.loads()).code];
    await Promise.all(workers.map((worker) => worker.ended));
    return [own, ...heard];
  });
  const died = 'ERR_NAPI_REMOTE_HOST_DIED';
  assert.deepEqual(outcomes, [[died, died], ['up', died, died], ['up', died, died], ['up', died, died]]);
});

test('after that a thread that was not there gets a new host, and others join it', () => {
  const [first, second, third, loads] = isolated(async ({ load, spawn, kit, remote }) => {
    const addon = load();
    const first = remote.hosts()[0].pid;
    kit.outcome(() => addon.die());
    const body = (other, { post, parentPort, remote: { hosts } }) => {
      post([hosts()[0].pid, other.loads()]);
      parentPort.once('message', () => {});
    };
    const workers = [spawn(body)];
    const [second] = await workers[0].next();
    workers.push(spawn(body));
    const [third, loads] = await workers[1].next();
    for (const worker of workers) worker.postMessage('end');
    return [first, second, third, loads];
  });
  assert.notEqual(first, second);
  assert.equal(second, third);
  assert.equal(loads, 2);
});

test('kill() in one thread ends the host of all', () => {
  const [own, other] = isolated(async ({ load, spawn, kit, remote }) => {
    const addon = load();
    const worker = spawn((inWorker, { post, parentPort, kit: { outcome } }) => {
      post('up');
      parentPort.once('message', () => post(outcome(() => inWorker.loads()).code));
    });
    await worker.next();
    remote.hostOf(addon).kill();
    worker.postMessage('call');
    const other = await worker.next();
    return [kit.outcome(() => addon.loads()).code, other];
  });
  assert.deepEqual([own, other], ['ERR_NAPI_REMOTE_HOST_DIED', 'ERR_NAPI_REMOTE_HOST_DIED']);
});

test('terminated in native code that does not return: the Worker ends, and the others go on', () => {
  const { before, after, alive, code, threads } = isolated(async ({ load, spawn, remote }) => {
    const addon = load();
    const before = remote.hosts()[0].pid;
    const worker = spawn((other, { post }) => {
      post('in');
      other.waitAt(2);
    });
    await worker.next();
    addon.awaitGate(2, 1);
    const code = await worker.terminate();
    addon.openGate(2); // it goes on, and stops at its next call
    while (!addon.takeLog().includes('passed a gate')) await new Promise(setImmediate);
    const another = spawn((other, { post }) => post(other.loads()));
    const threads = await another.next();
    await another.ended;
    return { before, after: remote.hosts()[0].pid, alive: addon.call(() => 'alive'), code, threads };
  }, SHORT);
  assert.equal(before, after);
  assert.deepEqual([alive, code, threads], ['alive', 1, 3]);
});

test('process.exit() while a Worker is in native code that does not return', () => {
  const program = async ({ load, spawn }) => {
    const addon = load();
    const worker = spawn((other, { post }) => {
      post('in');
      other.waitAt(2);
    });
    await worker.next();
    addon.awaitGate(2, 1);
    process.exit(7);
  };
  const { code, signal } = run(withWorkers, { isolated: true, args: [String(program)], env: SHORT });
  assert.deepEqual([code, signal], [7, null]);
});

test('the only thread of a host, stuck in native code: the host is ended', () => {
  const [code, gone] = isolated(async ({ spawn }) => {
    const worker = spawn((other, { post, remote: { hosts } }) => {
      post(hosts()[0].pid);
      other.waitAt(2);
    });
    const pid = await worker.next();
    const code = await worker.terminate();
    try {
      process.kill(pid, 0);
      return [code, false];
    } catch {
      return [code, true];
    }
  }, SHORT);
  assert.deepEqual([code, gone], [1, true]);
});

test('a hook of a Worker that hangs: the Worker ends, and the others go on', () => {
  const [code, alive, log] = isolated(async ({ load, spawn }) => {
    const addon = load();
    const worker = spawn((other) => {
      other.hook('not reached');
      other.waitingHook(3);
    });
    const code = await worker.ended;
    return [code, addon.call(() => 'alive'), addon.takeLog()];
  }, SHORT);
  assert.deepEqual([code, alive, log], [0, 'alive', ['hook waits']]);
});

// Node 20 gives the function's memory back while the thread is still in a call of it.
test('a Worker ends while a thread sends to it', () => {
  const [code, log] = isolated(async ({ load, spawn }) => {
    const addon = load();
    const worker = spawn((other, { post }) => {
      other.offer(5, () => {}, 1, 1);
      other.start(5, 1000000000, 1);
      other.awaitGate(1, 1);
      post('up');
    });
    await worker.next();
    addon.openGate(1);
    const code = await worker.terminate();
    const log = [];
    while (log.length < 2) {
      log.push(...addon.takeLog());
      await new Promise(setImmediate);
    }
    return [code, log.sort()];
  });
  assert.deepEqual([code, log], [1, ['finalized function', 'pushed napi_closing']]);
});

test('Workers that come and go leave nothing behind, in either process', () => {
  const { before, after } = isolated(async ({ load, spawn, remote }) => {
    const fs = require('node:fs');
    const addon = load();
    const { pid } = remote.hosts()[0];
    const look = () => ({
      own: fs.readdirSync('/proc/self/fd').length,
      host: fs.readdirSync(`/proc/${pid}/fd`).length,
      threads: fs.readdirSync(`/proc/${pid}/task`).length,
      kilobytes: Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]),
    });
    const round = async (count) => {
      for (let i = 0; i < count; i += 4) {
        await Promise.all(Array.from({ length: 4 }, () => spawn((other) => {
          other.queue(4);
          other.openGate(4);
          other.loop(1);
          other.wrap({}, 'x');
        }).ended));
        addon.takeLog();
      }
    };
    await round(12);
    const before = look();
    await round(80);
    // A thread of the host may still be on its way out.
    while (look().threads > before.threads) await new Promise(setImmediate);
    return { before, after: look() };
  }, { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` }); // or it keeps what was freed
  assert.ok(after.own <= before.own + 2 && after.host <= before.host + 2, JSON.stringify({ before, after }));
  assert.ok(after.kilobytes < before.kilobytes + 4096, JSON.stringify({ before, after }));
});

test('four threads that want to join a host that does not answer wait at the same time, not one after the other', () => {
  const PATIENCE = 1500;
  const waits = runJson(async (kit, patience) => {
    const { once } = require('node:events');
    const { Worker } = require('node:worker_threads');
    const options = { group: 'silent', hostWrapper: ['env'], timeout: { load: patience } };
    const { pid } = kit.remote.hostOf(kit.remote.load(kit.addonFile('plugin'), options));
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const source = `const { parentPort, workerData: { gate, options } } = require('node:worker_threads');
      const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      parentPort.postMessage('ready');
      Atomics.wait(gate, 0, 0);
      const start = performance.now();
      const { code } = kit.outcome(() => kit.remote.load(kit.addonFile('plugin'), options));
      parentPort.postMessage({ code, time: performance.now() - start });`;
    const workers = Array.from({ length: 4 }, () => new Worker(source, { eval: true, workerData: { gate, options } }));
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const results = workers.map((worker) => once(worker, 'message'));
    process.kill(pid, 'SIGSTOP');
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    const waits = (await Promise.all(results)).map(([result]) => result);
    process.kill(pid, 'SIGKILL');
    kit.print(waits);
  }, { args: [PATIENCE] });
  for (const { code, time } of waits) {
    assert.equal(code, 'ERR_NAPI_REMOTE_LAUNCH');
    assert.ok(time >= PATIENCE - 50 && time < 2 * PATIENCE, JSON.stringify(waits));
  }
});

test('groups are those of the program: a named one is shared by its threads, a load without one is not', () => {
  const [own, others] = isolated(async ({ spawn, kit, remote }) => {
    const file = kit.addonFile('statics');
    const pids = (named, alone) => [remote.hostOf(named).pid, remote.hostOf(alone).pid];
    const own = pids(remote.load(file, { group: 'g' }), remote.load(file));
    const worker = spawn((addon, { post, kit: { addonFile }, remote: { load, hostOf } }) => {
      const other = addonFile('statics');
      post([hostOf(load(other, { group: 'g' })).pid, hostOf(load(other)).pid, hostOf(load(other, { group: 'h' })).pid]);
    });
    return [own, await worker.next()];
  });
  assert.equal(others[0], own[0]);
  assert.equal(new Set([...own, ...others]).size, 4);
});
