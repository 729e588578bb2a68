'use strict';
// The order to stop that a timeout of `vm` gives reaches JavaScript, wherever it meets a call: from Node 22 on V8 takes it back when a frame of C++ has caught it.
const { programs } = require('./support/programs.js');

const stopped = (kit, source) => {
  const vm = require('node:vm');
  const addon = kit.dlopen(kit.addonFile('stopped'));
  for (let i = 0; i < 5; i++) {
    const context = { addon, object: { a: 1, b: [1, 2] }, f: () => 1 };
    kit.print(kit.outcome(() => vm.runInNewContext(`for (;;) addon.${source}`, context, { timeout: 20 })));
  }
  kit.print(addon.get({ b: 1 }));
};

const calls = ['array(1)', 'set(object)', 'get(object)', 'names(object)', 'call(f)'];
for (const call of calls) programs({ [`${call} in a loop`]: stopped }, { args: [call] });
