'use strict';
// In which order an env lets go of what an addon has: works complete first, then external bytes go, then hooks run, then finalizers, newest first. As
// in-process, whatever there is and however the thread ends.
const { generator } = require('../stress/lane.js');
const { programs } = require('./support/programs.js');

/** What the thread does, the main one or a Worker's. */
const make = (kit, name, things, end) => {
  const addon = kit.dlopen(kit.addonFile(name));
  globalThis.kept = things.map((thing, i) => addon[thing](i));
  kit.print(things); // Of the main thread nothing runs after process.exit().
  if (end !== 'terminate') addon.open(); // The work cannot complete before this returns.
  if (end === 'exit') process.exit(3);
};

const inWorker = (kit, source, ...args) => {
  const { Worker } = require('node:worker_threads');
  const addon = kit.dlopen(kit.addonFile(args[0]));
  const worker = new Worker(`const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
    (${source})(kit, ...${JSON.stringify(args)});
    require('node:worker_threads').parentPort.postMessage('up');
    ${args.at(-1) === 'terminate' ? 'setInterval(() => {}, 1e6)' : ''}`, { eval: true });
  worker.on('message', () => {
    if (args.at(-1) !== 'terminate') return;
    worker.terminate();
    addon.open();
  });
  worker.on('exit', (code) => kit.print(`the Worker ended with ${code}`));
};

const THINGS = [
  'external', 'buffer', 'arraybuffer', 'wrap', 'wrapWithReference', 'finalizer', 'reference', 'instance', 'hook', 'asyncHook', 'threadsafe', 'work',
];

/** One work at most: two threads carry them out. */
function someThings(seed) {
  const random = generator(seed);
  const things = Array.from({ length: 4 + random(9) }, () => THINGS[random(THINGS.length)]);
  return things.filter((thing, i) => thing !== 'work' || things.indexOf(thing) === i);
}

const lists = [
  [...THINGS, 'external', 'buffer', 'hook'],
  ['buffer', 'work', 'buffer', 'arraybuffer', 'hook', 'asyncHook', 'threadsafe'],
  ...Array.from({ length: 4 }, (_, i) => someThings(i + 1)),
];
for (const [i, things] of lists.entries()) {
  const name = i % 2 ? 'ends_order_experimental' : 'ends_order';
  for (const end of ['end', 'exit']) programs({ [`${name}, list ${i}, ${end}`]: make }, { args: [name, things, end] });
  for (const end of ['end', 'exit', 'terminate']) programs({ [`${name}, list ${i}, in a Worker, ${end}`]: inWorker }, { args: [String(make), name, things, end] });
}
