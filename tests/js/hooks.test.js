'use strict';
// Cleanup hooks: their order among each other and with finalizers, those that take their time, at the end of a program, of a Worker, and when one
// is terminated.
const { cases } = require('./harness.js');
const { programs } = require('./support/programs.js');

cases('hooks', {
  'misuse': (addon) => addon.misuse(),
  'added and removed': (addon) => [addon.add('a'), addon.remove('a'), addon.remove('a'), addon.addAgain('a'), addon.remove('a')],
  'added and removed, asynchronous': (addon) => [addon.addAsync('b'), addon.removeAsync('b')],
});

const ends = {
  'hooks in reverse order': (kit, file) => {
    const addon = kit.dlopen(file);
    for (const name of ['a', 'b', 'c']) kit.print(addon.add(name));
  },
  'some are removed': (kit, file) => {
    const addon = kit.dlopen(file);
    for (const name of ['a', 'b', 'c', 'd']) addon.add(name);
    kit.print([addon.remove('b'), addon.remove('d'), addon.remove('b'), addon.addAgain('b')]);
  },
  'a hook adds another': (kit, file) => {
    const addon = kit.dlopen(file);
    addon.add('first');
    addon.add('adding', 'adds');
    addon.add('last');
  },
  'a hook removes another': (kit, file) => {
    const addon = kit.dlopen(file);
    addon.add('removed');
    addon.add('stays');
    addon.add('removing', 'removes', 'removed');
  },
  'a hook calls Node-API': (kit, file) => {
    kit.dlopen(file).add('calling', 'calls', () => kit.print('not called'));
  },
  'asynchronous hooks': (kit, file) => {
    const addon = kit.dlopen(file);
    addon.addAsync('a', 'now');
    addon.addAsync('b', 'timer');
    addon.addAsyncBlind('c', 'now');
  },
  'an asynchronous hook that waits for a timer': (kit, file) => kit.dlopen(file).addAsync('slow', 'timer'),
  'an asynchronous hook that waits for a thread': (kit, file) => kit.dlopen(file).addAsync('threaded', 'thread'),
  'an asynchronous hook without a handle': (kit, file) => kit.dlopen(file).addAsyncBlind('blind', 'timer'),
  'an asynchronous hook that is removed': (kit, file) => {
    const addon = kit.dlopen(file);
    addon.addAsync('removed');
    addon.addAsync('stays');
    kit.print(addon.removeAsync('removed'));
  },
  'both kinds of hooks, in turn': (kit, file) => {
    const addon = kit.dlopen(file);
    addon.add('a');
    addon.addAsync('b', 'timer');
    addon.add('c');
    addon.addAsync('d', 'now');
    addon.add('e');
  },
  'hooks, instance data and finalizers': (kit, file) => {
    const addon = kit.dlopen(file);
    globalThis.kept = {};
    addon.add('before');
    addon.setInstanceData();
    addon.wrap(kept, 'a wrap');
    addon.add('after');
  },
  'the same of two addons': (kit, file) => {
    const [one, two] = [kit.dlopen(file), kit.dlopen(file)];
    one.add('one a');
    two.add('two a');
    one.add('one b');
    one.setInstanceData();
    two.addAsync('two b', 'timer');
    two.setInstanceData();
  },
};

const file = require('./support/child.js').addonFile('hooks');
programs(Object.fromEntries(Object.entries(ends).map(([name, program]) => [`the program ends: ${name}`, program])), { args: [file] });

programs({
  'process.exit(): no hooks': (kit, of) => {
    const addon = kit.dlopen(of);
    addon.add('a');
    addon.addAsync('b', 'timer');
    addon.setInstanceData();
    kit.print('going');
    process.exit(3);
  },
  'an uncaught exception': (kit, of) => {
    const addon = kit.dlopen(of);
    addon.add('a');
    addon.addAsync('b', 'now');
    kit.print('going');
    throw new Error('uncaught');
  },
  'hooks come after "exit"': (kit, of) => {
    const addon = kit.dlopen(of);
    addon.add('a');
    process.on('exit', (code) => {
      kit.print(code);
      addon.add('b');
    });
  },
}, { args: [file] });

// The same in a Worker: whose code is run there, and which ends by itself, by process.exit() there, or is terminated.
const inWorker = (kit, of, source, end) => {
  const { Worker } = require('node:worker_threads');
  const worker = new Worker(`const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
    (${source})(kit, ${JSON.stringify(of)});
    require('node:worker_threads').parentPort.postMessage('up');
    ${end}`, { eval: true });
  // Not printed: what its hooks say may come before or after.
  worker.on('message', () => {
    if (end.startsWith('setInterval')) worker.terminate();
  });
  worker.on('exit', (code) => kit.print(`the Worker ended with ${code}`));
};
for (const [name, program] of Object.entries(ends)) {
  for (const [how, end] of Object.entries({ 'ends': '', 'exits': 'process.exit(2)', 'is terminated': 'setInterval(() => {}, 1e6)' })) {
    programs({ [`a Worker ${how}: ${name}`]: inWorker }, { args: [file, String(program), end] });
  }
}
