'use strict';
// What programs do with the addon `workload`, in scenes: between them every kind of entry and call. A scene collects what is thrown and goes on.
const { createHook } = require('node:async_hooks');
const { once } = require('node:events');
const path = require('node:path');
const { Worker } = require('node:worker_threads');
const { setImmediate: turn } = require('node:timers/promises');

function calls({ addon, attempt }) {
  const object = { text: 'some text', list: [1, 'two', 3], [Symbol('key')]: null };
  attempt(() => addon.add(1, 2));
  attempt(() => addon.primitives('sixteen or more characters', 123456789012345678901234567890n, Symbol('s')));
  attempt(() => addon.properties(object));
  attempt(() => addon.errors(new Error('thrown by native code')));
  attempt(() => addon.scopes({}));
  attempt(() => addon.functions(class Made {})(1, 2));
  attempt(() => { const wrapped = new addon.Wrapped(); return wrapped.method() + wrapped.getter; });
}

/** Five native frames with JavaScript between them, blocks that clean up, an exception on its way, and one that is caught halfway. */
function nested({ addon, attempt }) {
  const levels = [];
  function down(depth) {
    levels.push(depth);
    try {
      return addon.nest(down, depth);
    } finally {
      levels.push(-depth);
    }
  }
  attempt(() => addon.nest(down, 5));
  attempt(() => addon.nest(function thrower(depth) {
    if (depth < 2) throw new RangeError('from below');
    return addon.nest(thrower, depth);
  }, 5));
  attempt(() => addon.nest(function catcher(depth) {
    try {
      return addon.nest(catcher, depth);
    } catch (error) {
      throw new Error('another one', { cause: error });
    }
  }, 3));
  return levels;
}

function buffers({ addon, attempt }) {
  const large = Buffer.alloc(300_000, 1);
  const bytes = new Uint8Array(1000);
  for (let i = 0; i < 2; i++) {
    bytes.fill(i);
    large.fill(i);
    const made = attempt(() => addon.buffers(Buffer.from('a small one'), new ArrayBuffer(100), bytes, large));
    attempt(() => Object.values(made).map((view) => view?.byteLength)); // a lie can make it long, with holes
  }
}

/** Waits for what the addon promised, or for the host's end. */
async function background({ addon, attempt, goesOn }) {
  let left = 6;
  const done = () => { left--; };
  attempt(() => addon.work()).then?.(done, done);
  attempt(() => addon.work()).then?.(done, done);
  attempt(() => addon.threadsafe(done));
  attempt(() => addon.contexts(() => {}));
  attempt(() => addon.timer(done));
  attempt(() => addon.turn());
  for (let i = 0; left > 0 && goesOn(i); i++) await turn();
}

/** Hooks of async_hooks that call the addon while its native code goes on. */
async function hooked({ addon, attempt, goesOn }) {
  let depth = 0, left = 2;
  const call = () => {
    if (depth > 1) return;
    depth++;
    attempt(() => addon.scopes({}));
    attempt(() => addon.buffers(Buffer.from('a small one'), new ArrayBuffer(100), Buffer.alloc(5000), Buffer.alloc(0)));
    if (depth === 1) attempt(() => addon.work()).catch?.(() => {});
    depth--;
  };
  const hook = createHook({ init: (id, type) => { if (type === 'PROMISE' || type === 'workload') call(); }, promiseResolve: call }).enable();
  const done = () => { left--; };
  for (let i = 0; i < 2; i++) attempt(() => addon.work()).then?.(done, done);
  hook.disable();
  for (let i = 0; left > 0 && goesOn(i); i++) await turn();
}

async function finalizers({ addon, attempt }) {
  (() => {
    for (let i = 0; i < 5; i++) attempt(() => [addon.finalizers({}), new addon.Wrapped(), addon.buffers(Buffer.alloc(8), new ArrayBuffer(8), Buffer.alloc(8), Buffer.alloc(8))]);
  })();
  for (let i = 0; i < 3; i++) {
    global.gc();
    await turn();
    attempt(() => addon.add(i, 1));
  }
}

/** Hooks, finalizers and a work that are left when the thread ends. */
function teardown({ addon, attempt }) {
  attempt(() => addon.hooks());
  globalThis.kept = [attempt(() => addon.finalizers({})), attempt(() => new addon.Wrapped())];
  attempt(() => addon.work());
  attempt(() => addon.threadsafe(() => {}));
}

/** Two threads join the host, one after the other, and call it. */
async function joining({ addon, attempt, errors, group }) {
  attempt(() => addon.add(1, 2));
  for (let i = 0; i < 2; i++) {
    const worker = new Worker(path.join(__dirname, 'joiner.js'), { workerData: { group } });
    worker.on('message', (found) => { errors.push(...found); });
    worker.on('error', (error) => { errors.push(error); });
    await once(worker, 'exit');
    attempt(() => addon.add(1, 2));
  }
}

/** One host takes the place of the other, with its env and its classes; objects of all of them are called. */
function restarts({ addon, attempt, host }) {
  const made = [];
  for (let i = 0; i < 3; i++) {
    attempt(() => addon.add(i, 1));
    attempt(() => made.push(new addon.Wrapped()));
    attempt(() => addon.hooks());
    for (const wrapped of made) attempt(() => wrapped.method() + wrapped.getter);
    if (i < 2) attempt(() => host.restart());
  }
}

module.exports = { joining, restarts, calls, nested, buffers, background, hooked, finalizers, teardown };
