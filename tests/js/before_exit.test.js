'use strict';
// A program that is about to end, and collects then, ends as soon as in one process: nothing that the agent has keeps Node's loop alive.
const { programs } = require('./support/programs.js');

const ending = (kit, source, open) => {
  require('node:v8').setFlagsFromString('--expose-gc');
  const gc = require('node:vm').runInNewContext('gc');
  eval(source)(kit, eval(open)); // eslint-disable-line no-eval
  let count = 0;
  process.on('beforeExit', () => {
    if (++count < 20) gc();
  });
  process.on('exit', (code) => kit.print([count, code]));
};

// Exports that were gone would have finalizers, in one process.
const open = '(kit, name) => globalThis[name] = kit.dlopen(kit.addonFile(name))';
const has = {
  'a Buffer that lives': (kit, open) => open(kit, 'kept').keep(0, globalThis.buffer = Buffer.alloc(100)),
  'Buffers that do not': (kit, open) => {
    const addon = open(kit, 'kept');
    for (let i = 0; i < 300; i++) addon.keep(0, Buffer.alloc(100));
  },
  'an external Buffer that lives': (kit, open) => {
    globalThis.buffer = open(kit, 'kept').create(0, 100);
  },
  'external Buffers that do not': (kit, open) => {
    const addon = open(kit, 'kept');
    for (let i = 0; i < 300; i++) addon.create(0, 100);
  },
  'objects that it has wrapped': (kit, open) => {
    const { Counter } = open(kit, 'classes');
    globalThis.counters = Array.from({ length: 20 }, () => new Counter(1));
  },
};
for (const [name, source] of Object.entries(has)) programs({ [name]: ending }, { args: [String(source), open] });
