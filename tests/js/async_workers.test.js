'use strict';
// Background work of addons in Worker threads: as on the main thread, several at once, and when a Worker ends or is terminated with work under way.
const { programs } = require('./support/programs.js');

/** What a Worker runs: `body(addon, post, kit)` with the addon `name`. */
const runWorkers = (kit, name, count, body) => {
  const { Worker } = require('node:worker_threads');
  const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
    const { parentPort } = require('node:worker_threads');
    (${body})(kit.dlopen(kit.addonFile(${JSON.stringify(name)})), (message) => parentPort.postMessage(message), kit);`;
  const results = Array.from({ length: count }, () => []);
  let left = count;
  for (let i = 0; i < count; i++) {
    const worker = new Worker(source, { eval: true });
    worker.on('message', (message) => {
      if (message === 'terminate me') worker.terminate();
      else results[i].push(message);
    });
    worker.on('error', (error) => results[i].push(`error: ${error.message}`));
    worker.on('exit', (code) => {
      results[i].push(code);
      if (--left === 0) kit.print(results);
    });
  }
};

function workers(list, name, count) {
  for (const [what, body] of Object.entries(list)) programs({ [`${count} of ${name}: ${what}`]: runWorkers }, { args: [name, count, String(body)] });
}

const background = {
  'async work': (addon, post) => {
    for (let i = 0; i < 3; i++) addon.sum([i, i], (error, sum) => post([i, sum].length));
  },
  'promises': async (addon, post) => {
    for (const text of ['one', 'two', '']) post(await addon.mirror(text).catch((error) => error.message));
  },
  'threadsafe functions': (addon, post) => {
    const log = [];
    addon.count((value) => log.push(value), 200, false, () => post(log));
  },
  'all of it': (addon, post) => {
    const log = [];
    addon.progress(20, (value) => log.push(value), () => {
      addon.say((context, text) => log.push(text), ['a', 'b'], async () => {
        log.push(await addon.mirror('x'));
        post(log);
      });
    });
  },
  'an exception in a completion': (addon) => addon.throwInWorker(),
};
workers(background, 'cpp_async', 1);
workers(background, 'cpp_async', 8);

workers({
  'terminated with a work under way': (addon, post) => {
    // It may still complete: a thread's end comes when its loop turns.
    addon.queue(addon.create({ gate: 1 }));
    addon.awaitGate(1, 1);
    addon.openGate(1);
    post('terminate me');
    setInterval(() => {}, 1e6);
  },
  'terminated in complete': (addon, post) => {
    addon.queue(addon.create({ remove: 'last', callback: () => {
      post('terminate me');
      for (;;);
    } }));
  },
  'process.exit() in complete': (addon) => addon.queue(addon.create({ remove: 'last', callback: () => process.exit(7) })),
  'ends while works are queued': (addon, post) => {
    for (let i = 0; i < 10; i++) addon.queue(addon.create({ remove: 'last' }));
    post('queued');
    process.exit(3);
  },
  'works in a Worker complete in it': (addon, post) => {
    addon.queue(addon.create({ remove: 'last', input: 4, callback: (status, id, executed, output, isElsewhere) => post([status, executed, output, isElsewhere]) }));
  },
}, 'async_work', 1);

workers({
  'terminated with a referenced function': (addon, post) => {
    addon.create(() => {}, { callJs: true });
    post('terminate me');
  },
  'terminated in a call': (addon, post) => {
    const id = addon.create(() => {
      post('terminate me');
      for (;;);
    }, { callJs: true });
    addon.call(id, 1);
  },
  'process.exit() in a call': (addon) => addon.call(addon.create(() => process.exit(6), { callJs: true }), 1),
  'ends with items in the queue': (addon, post) => {
    const id = addon.create(() => post('not reached'), { callJs: true });
    for (let i = 0; i < 5; i++) addon.call(id, i);
    process.exit(2);
  },
  'functions without finalizers, one of each kind, as it is terminated': (addon, post) => {
    const create = () => addon.create(() => post('not reached'), { callJs: true, plain: true });
    const [left, released, aborted] = [create(), create(), create()];
    for (let i = 0; i < 3; i++) for (const id of [left, aborted]) addon.call(id, i);
    post([addon.release(released), addon.release(aborted, true), addon.release(create())]);
    post('terminate me');
    for (;;);
  },
  'functions without finalizers, one of each kind, as it ends': (addon, post) => {
    const create = () => addon.create(() => post('not reached'), { callJs: true, plain: true });
    const [left, released, aborted] = [create(), create(), create()];
    for (let i = 0; i < 3; i++) for (const id of [left, released, aborted]) addon.call(id, i);
    post([addon.release(released), addon.release(aborted, true), addon.release(create()), addon.acquire(released)]);
    process.exit(4);
  },
  'handles of libuv\'s': (addon, post, kit) => {
    const handles = kit.dlopen(kit.addonFile('uv_handles'));
    const timer = handles.timer((what) => {
      post(what);
      handles.close(timer, () => {
        post('closed');
        handles.send(async, true, true);
      });
    }, 1, 0);
    const async = handles.async((what) => {
      post(what);
      handles.close(async);
    });
  },
}, 'tsfn', 1);

workers({
  'the loop is not the default loop': (addon, post) => {
    post(addon.loop());
  },
}, 'uv_handles', 1);
