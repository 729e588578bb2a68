'use strict';
// Worker threads and the main thread have one host process, as they have one process without it: C statics are shared, threads of one env reach another,
// and a Worker that ends leaves the others alone.
const { programs } = require('./support/programs.js');

/** Of the programs below, in the main thread: {addon, spawn(body, ...args), print}. `body(addon, {post, wait, kit}, ...args)` runs in a Worker. */
const withThreads = (kit, name, program) => {
  const { Worker } = require('node:worker_threads');
  const load = () => kit.dlopen(kit.addonFile(name));
  const spawn = (body, ...args) => {
    const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const { parentPort } = require('node:worker_threads');
      const post = (message) => parentPort.postMessage(message);
      const addon = kit.dlopen(kit.addonFile(${JSON.stringify(name)}));
      (${body})(addon, { post, kit, parentPort }, ...${JSON.stringify(args)});`;
    const worker = new Worker(source, { eval: true });
    const waiting = [], messages = [];
    worker.on('message', (message) => {
      const wanted = waiting.shift();
      if (wanted === undefined) messages.push(message);
      else wanted(message);
    });
    worker.next = () => (messages.length > 0 ? Promise.resolve(messages.shift()) : new Promise((resolve) => waiting.push(resolve)));
    worker.errors = [];
    worker.on('error', ({ code, message }) => worker.errors.push(code ?? message));
    worker.ended = new Promise((resolve) => worker.on('exit', resolve));
    return worker;
  };
  (0, eval)(`(${program})`)({ load, spawn, kit, print: kit.print });
};

function threads(list, name = 'threads', options = {}) {
  for (const [what, program] of Object.entries(list)) programs({ [what]: withThreads }, { ...options, args: [name, String(program)] });
}

threads({
  'C statics are shared by all threads': async ({ load, spawn, print }) => {
    const addon = load();
    print(addon.loads());
    for (let i = 0; i < 3; i++) {
      const worker = spawn((other, { post }) => post([other.loads(), other.instance()]));
      print([await worker.next(), await worker.ended, addon.loads()]);
    }
    print([load().instance(), addon.instance()]);
  },
  'C statics begin anew when all threads that had the addon have ended': async ({ load, spawn, print }) => {
    for (let i = 0; i < 3; i++) {
      const worker = spawn((other, { post }) => post(other.loads()));
      print([await worker.next(), await worker.ended]);
    }
    print(load().loads());
  },
  'a Worker is there before the main thread': async ({ load, spawn, print }) => {
    const worker = spawn((other, { post, parentPort }) => {
      post(other.loads());
      parentPort.once('message', () => post(other.loads()));
    });
    print(await worker.next());
    const addon = load();
    print(addon.loads());
    worker.postMessage('go on');
    print([await worker.next(), await worker.ended, addon.loads()]);
  },
}, 'statics');

threads({
  'an addon that registers itself when it is loaded': async ({ load, spawn, print }) => {
    print(load());
    const worker = spawn((other, { post }) => post(other));
    print([await worker.next(), await worker.ended]);
    print(load());
  },
  'an addon that registers itself, and was unloaded': async ({ load, spawn, print }) => {
    for (let i = 0; i < 2; i++) {
      const worker = spawn((other, { post }) => post(other));
      print([await worker.next(), await worker.ended]);
    }
    print(load());
  },
}, 'init_constructor');

threads({
  '8 Workers at once': async ({ load, spawn, print }) => {
    const addon = load();
    const workers = Array.from({ length: 8 }, () => spawn((other, { post, parentPort }) => {
      let sum = 0;
      for (let i = 0; i < 2000; i++) sum += other.call(() => i);
      post(sum);
      parentPort.once('message', () => {});
    }));
    for (const worker of workers) print(await worker.next());
    print(addon.loads());
    for (const worker of workers) worker.postMessage('end');
    for (const worker of workers) print([await worker.ended, worker.errors]);
  },
  'the thread, and its loop': async ({ load, spawn, print }) => {
    const early = spawn((other, { post, parentPort }) => {
      post([other.isFirstThread(), other.loop(1), other.loop(1)]);
      parentPort.once('message', () => {});
    });
    print(await early.next());
    const addon = load();
    print([addon.isFirstThread(), addon.loop(0), load().loop(0)]);
    const worker = spawn((other, { post, kit }) => {
      post([other.isFirstThread(), other.loop(2), kit.dlopen(kit.addonFile('threads')).loop(2)]);
    });
    print([await worker.next(), await worker.ended]);
    early.postMessage('end');
    print([await early.ended, addon.loop(0)]);
  },
  'a thread of a Worker\'s addon calls a function of the main thread': async ({ load, spawn, print }) => {
    const addon = load();
    const got = [];
    addon.offer(1, (value) => got.push(value), 0, 1);
    const worker = spawn((other) => other.start(1, 1000, -1));
    print(await worker.ended);
    process.on('exit', () => print([got.length, got[0], got.at(-1), got.every((value, i) => value === i + 1), addon.takeLog()]));
  },
  'a thread of the main thread\'s addon calls a function of a Worker': async ({ load, spawn, print }) => {
    const addon = load();
    const worker = spawn((other, { post }) => {
      const got = [];
      other.offer(2, (value) => {
        got.push(value);
        if (value === 1000) post([got.length, got.every((each, i) => each === i + 1)]);
      }, 3, 1);
      post('offered');
    });
    print(await worker.next());
    addon.start(2, 1000, -1);
    print([await worker.next(), await worker.ended, addon.takeLog().sort()]);
  },
  'Workers call functions of each other': async ({ load, spawn, print }) => {
    const addon = load();
    const workers = [3, 4].map((own) => spawn((other, { post, parentPort }, slot) => {
      other.offer(slot, (value) => {
        if (value < 500) other.send(7 - slot, value + 1, true);
        else post(value);
      }, 2, 1);
      post('offered');
      parentPort.on('message', (what) => {
        if (what === 'begin') other.send(7 - slot, 1, true);
        if (what === 'end') parentPort.close(other.release(slot, false));
      });
    }, own));
    for (const worker of workers) print(await worker.next());
    for (const worker of workers) worker.postMessage('begin');
    for (const worker of workers) print(await worker.next());
    for (const worker of workers) worker.postMessage('end');
    for (const worker of workers) print([await worker.ended, worker.errors]);
    print([addon.loads(), addon.takeLog()]);
  },
  'hooks and finalizers of a Worker, and the rest goes on': async ({ load, spawn, print }) => {
    const addon = load();
    addon.hook('of the main thread');
    const worker = spawn((other, { post }) => {
      other.setData('data');
      globalThis.kept = [{}, {}];
      other.wrap(kept[0], 'first');
      other.wrap(kept[1], 'second');
      other.hook('one');
      other.hook('two');
      post('up');
    });
    print([await worker.next(), await worker.ended, addon.takeLog(), addon.loads()]);
  },
  'each of 4 Workers runs its own hooks': async ({ load, spawn, print }) => {
    const addon = load();
    const workers = [1, 2, 3, 4].map((number) => spawn((other, { post, parentPort }, name) => {
      other.hook(`first of ${name}`);
      other.hook(`second of ${name}`);
      post('up');
      parentPort.once('message', () => {});
    }, number));
    for (const worker of workers) await worker.next();
    for (const worker of workers) {
      worker.postMessage('end');
      print([await worker.ended, addon.takeLog()]);
    }
  },
  'a Worker ends while a work of it is executed': async ({ load, spawn, print }) => {
    const addon = load();
    const worker = spawn((other, { post }) => {
      other.queue(2);
      other.awaitGate(2, 1);
      post('executed');
      process.exit(4);
    });
    print(await worker.next());
    addon.openGate(2);
    print([await worker.ended, addon.takeLog()]);
  },
  'terminated in native code, which returns later': async ({ load, spawn, print }) => {
    const addon = load();
    const worker = spawn((other, { post }) => {
      post('in');
      other.waitAt(3);
      post('not reached');
    });
    await worker.next();
    addon.awaitGate(3, 1);
    const terminated = worker.terminate();
    addon.log('terminated');
    addon.openGate(3);
    print([await terminated, await worker.ended, addon.takeLog(), worker.errors]);
  },
  'terminated in JavaScript that native code has called': async ({ load, spawn, print }) => {
    const addon = load();
    const worker = spawn((other, { post }) => {
      other.hook('hook');
      other.call(() => {
        post('in');
        for (;;);
      });
    });
    await worker.next();
    print([await worker.terminate(), addon.takeLog(), addon.loads()]);
  },
  'process.exit() while Workers run': async ({ load, spawn, print }) => {
    const addon = load();
    const workers = [1, 2, 3].map(() => spawn((other, { post }) => {
      other.hook('a Worker');
      post('up');
      for (;;) other.call(() => {});
    }));
    for (const worker of workers) await worker.next();
    print(addon.loads());
    process.on('exit', (code) => print(code));
    process.exit(5);
  },
  'Workers one after the other': async ({ load, spawn, print }) => {
    const addon = load();
    for (let i = 0; i < 12; i++) {
      const worker = spawn((other) => {
        const buffer = Buffer.alloc(1 << 20);
        other.hook(`end ${buffer.length}`);
        other.queue(4);
        other.openGate(4);
      });
      print([await worker.ended, addon.takeLog()]);
    }
    print(addon.loads());
  },
});
