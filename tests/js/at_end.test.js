'use strict';
// What the functions come to when an env ends and JavaScript may not run any more, with values and without: in hooks and finalizers.
const assert = require('node:assert/strict');
const { test } = require('node:test');
const { run } = require('./support/child.js');

const program = (kit, name, where) => {
  const addon = kit.dlopen(kit.addonFile(name));
  globalThis.object = {};
  globalThis.called = () => {};
  globalThis.kept = addon.start(globalThis.object, globalThis.called, where);
  if (where === 'now') addon.now();
};

const inWorker = (kit, source, name, where) => {
  const { Worker } = require('node:worker_threads');
  const code = `(${source})(require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)}).kit, ${JSON.stringify(name)}, ${JSON.stringify(where)})`;
  new Worker(code, { eval: true }).on('exit', (status) => kit.print(status));
};

for (const name of ['at_end', 'at_end_experimental']) {
  for (const where of ['now', 'hook', 'instance data', 'wrap', 'external', 'buffer']) {
    for (const worker of [false, true]) {
      test(`${name}, ${where}${worker ? ', in a Worker' : ''}: as in-process`, () => {
        const main = worker ? inWorker : program;
        const args = worker ? [String(program), name, where] : [name, where];
        const inProcess = run(main, { args });
        const isolated = run(main, { args, isolated: true });
        assert.match(inProcess.stdout, new RegExp(`${where}: napi_call_function`));
        assert.deepEqual(isolated.stdout.split('\n'), inProcess.stdout.split('\n'));
        assert.deepEqual([isolated.code, isolated.signal], [inProcess.code, inProcess.signal]);
      });
    }
  }
}

// What is begun there. Some of it Node itself does not survive, in one process: no call, then, may bring it down.
const late = (kit, what, where) => {
  globalThis.object = {};
  kit.dlopen(kit.addonFile('late')).start(globalThis.object, what, where);
};
for (const what of ['work', 'deleted work', 'queued work', 'threadsafe function', 'asynchronous hook']) {
  for (const where of ['hook', 'instance data', 'wrap']) {
    test(`a ${what} that is begun in a ${where}`, () => {
      const options = { args: [what, where] };
      const inProcess = run(late, options);
      const isolated = run(late, { ...options, isolated: true });
      assert.deepEqual(isolated.stdout, `${what}\n`);
      assert.deepEqual([isolated.code, isolated.signal, isolated.stderr], [0, null, '']);
      if (inProcess.code === 0) assert.deepEqual([isolated.stdout, isolated.stderr], [inProcess.stdout, inProcess.stderr]);
    });
  }
}
