'use strict';
// Tasks of published napi-rs addons with an AbortSignal, compared in-process and isolated: aborted before, while they wait for a thread of the pool, and after; what
// promises are rejected with, and in which order.
const { addonFile } = require('./support/child.js');
const { compareAddon } = require('./support/real.js');

async function signals({ require, name, settle, record, bytes, gates }) {
  const addon = require(name);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><circle cx="20" cy="15" r="9" fill="#38f"/></svg>';
  const salt = bytes(16);
  const data = bytes(3000);
  const packed = name === 'snappy' ? addon.compressSync(data) : undefined;
  const token = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJkYXRhIjp7ImV4cCI6MTAwMDAwMDAwMDAuMCwiaWF0Ijo1fSwiaWF0IjoxNzk1MjY4NTgxfQ.wQtjPzP57m8Epx8nbzCgTNMYj1MWdPuabScSQ0zltAc';
  const free = { validateExp: false, requiredSpecClaims: [] };
  const start = {
    '@node-rs/argon2': (signal) => addon.hash('secret', { memoryCost: 64, timeCost: 1, salt }, signal),
    '@node-rs/jsonwebtoken-linux-x64-gnu': (signal) => addon.verify(token, 'secret', free, signal),
    'snappy': (signal) => addon.uncompress(packed, undefined, signal),
    '@resvg/resvg-js': (signal) => addon.renderAsync(svg, undefined, signal).then((image) => image.asPng()),
  }[name];

  /** Until body calls `open`, each thread of the pool waits at a gate: what is started cannot begin. */
  const works = require(gates);
  const whileBusy = async (body) => {
    for (let i = 0; i < 4; i++) works.queue(works.create({ gate: 1, remove: 'last' }));
    works.awaitGate(1, 4);
    await body(() => works.openGate(1, 4));
  };
  const aborted = (...reason) => AbortSignal.abort(...reason);

  await settle(() => start());
  await settle(() => start(null));
  // Already aborted: whether the task looks is its matter.
  await settle(() => start(aborted()));
  await settle(() => start(aborted(new RangeError('a reason'))));
  // Not aborted at all, or when all is over, or twice.
  const late = new AbortController();
  await settle(() => start(late.signal));
  late.abort();
  late.abort();
  await settle(() => start(late.signal));
  record(() => [late.signal.aborted, typeof late.signal.onabort, String(late.signal.reason)]);

  for (const reason of [[], [new Error('why')], ['a string'], [undefined], [null]]) {
    await whileBusy(async (open) => {
      const controller = new AbortController();
      const waiting = settle(() => start(controller.signal));
      controller.abort(...reason);
      record(() => String(controller.signal.reason));
      controller.abort();
      await waiting;
      open();
    });
  }
  // One signal for several tasks, and the order in which they end.
  await whileBusy(async (open) => {
    const controller = new AbortController();
    const order = [];
    const tasks = Array.from({ length: 4 }, (_, i) => settle(() => start(controller.signal).finally(() => order.push(i))));
    const other = settle(() => start(new AbortController().signal).finally(() => order.push('other')));
    process.nextTick(() => order.push('tick'));
    queueMicrotask(() => order.push('microtask'));
    controller.abort();
    order.push('aborted');
    open();
    await Promise.all([...tasks, other]);
    record(() => order);
  });
  // Aborted by something else than the caller: another signal; with listeners.
  await whileBusy(async (open) => {
    const controller = new AbortController();
    const heard = [];
    controller.signal.addEventListener('abort', () => heard.push('before'));
    const waiting = settle(() => start(controller.signal));
    controller.signal.addEventListener('abort', () => heard.push('after'));
    const any = settle(() => start(AbortSignal.any([new AbortController().signal, controller.signal])));
    controller.abort(new TypeError('another'));
    open();
    await Promise.all([waiting, any]);
    record(() => heard);
  });
  await whileBusy(async (open) => {
    const controller = new AbortController();
    controller.signal.onabort = () => {};
    const mine = controller.signal.onabort;
    const waiting = settle(() => start(controller.signal));
    record(() => controller.signal.onabort === mine);
    controller.signal.onabort = null;
    controller.abort();
    open();
    await waiting;
  });
  // The first to abort the second, when it is settled.
  await whileBusy(async (open) => {
    const [first, second] = [new AbortController(), new AbortController()];
    const one = settle(() => start(first.signal).catch((error) => {
      second.abort();
      throw error;
    }));
    const two = settle(() => start(second.signal));
    first.abort();
    await Promise.all([one, two]);
    open();
  });
  // Collected in between.
  await whileBusy(async (open) => {
    const tasks = [];
    for (let i = 0; i < 20; i++) {
      const controller = new AbortController();
      tasks.push(settle(() => start(controller.signal)));
      if (i % 3 === 0) controller.abort();
      if (i % 5 === 0) globalThis.gc();
    }
    open();
    await Promise.all(tasks);
  });

  for (const value of [5, 'text', {}, [], true, () => {}, new EventTarget(), Object.create(AbortSignal.prototype), { onabort: 1 }, Symbol('s'), 5n]) {
    await settle(() => start(value));
  }
}

for (const name of ['@node-rs/argon2', '@node-rs/jsonwebtoken-linux-x64-gnu', 'snappy', '@resvg/resvg-js']) {
  compareAddon(name, { values: 30, errors: 10, what: 'signals', given: { gates: addonFile('async_work') } }, signals);
}
