'use strict';
// What addons have libuv do on the loop of their env: polled descriptors, datagrams, work, files, addresses, child processes.
const { cases, turn } = require('./harness.js');
const { programs } = require('./support/programs.js');

const called = (start) => new Promise((resolve) => {
  start(resolve);
});
const until = async (isDone) => {
  while (!isDone()) await turn();
};

cases('uv_requests', {
  'a pipe is polled': async (addon) => {
    const log = [];
    const pipe = addon.watchPipe((text) => log.push(text));
    for (const text of ['one', 'two', 'three']) {
      const before = log.length;
      log.push(addon.writePipe(pipe, text));
      await until(() => log.length === before + 2);
    }
    await called((resolve) => {
      const watched = addon.watchPipe((text) => {
        log.push(text);
        addon.stopPipe(watched);
        resolve();
      });
      addon.endPipe(watched);
    });
    addon.stopPipe(pipe);
    addon.endPipe(pipe);
    return log;
  },
  'a pipe that is written before it is polled, and one in the callback of another': async (addon) => {
    const log = [];
    const second = addon.watchPipe((text) => log.push(['second', text]));
    const first = addon.watchPipe((text) => {
      log.push(['first', text]);
      addon.writePipe(second, `from ${text}`);
    });
    addon.writePipe(first, 'one');
    await until(() => log.length === 2);
    addon.stopPipe(first);
    addon.stopPipe(second);
    addon.endPipe(first);
    addon.endPipe(second);
    return log;
  },
  'datagrams': async (addon) => {
    const log = [];
    addon.receive((text) => log.push(text));
    for (const text of ['one', 'two', 'three']) {
      const before = log.length;
      const sent = await called((resolve) => addon.send(text, resolve));
      await until(() => log.length === before + 1);
      log.push(sent);
    }
    addon.close();
    await until(() => log.at(-1) === 'closed');
    return log.filter((text) => text !== 'sent');
  },
  'uv_queue_work': async (addon) => {
    const results = [];
    for (let i = 0; i < 10; i++) results.push(await called((resolve) => addon.queueWork(i, resolve)));
    results.push(await Promise.all(Array.from({ length: 50 }, (_, i) => called((resolve) => addon.queueWork(i, resolve)))));
    return results;
  },
  'files': async (addon) => [
    await called((resolve) => addon.stat('/proc/version', resolve)),
    await called((resolve) => addon.stat('/does/not/exist', resolve)),
    await called((resolve) => addon.stat(__filename, resolve)),
    await called((resolve) => addon.read(__filename, resolve)),
    await called((resolve) => addon.read('/does/not/exist', resolve)),
    await Promise.all(Array.from({ length: 20 }, () => called((resolve) => addon.read(__filename, resolve)))),
  ],
  'addresses': async (addon) => [
    await called((resolve) => addon.lookUp('127.0.0.1', resolve)),
    await called((resolve) => addon.lookUp('no address', resolve)),
  ],
  'child processes': async (addon) => [
    await called((resolve) => addon.spawn('exit 3', resolve)),
    await called((resolve) => addon.spawn('kill -9 $$', resolve)),
    await Promise.all([1, 2, 3].map((code) => called((resolve) => addon.spawn(`exit ${code}`, resolve)))),
  ],
  'all at once': (addon) => Promise.all([
    called((resolve) => addon.spawn('exit 0', resolve)),
    called((resolve) => addon.read(__filename, resolve)),
    called((resolve) => addon.queueWork(7, resolve)),
    called((resolve) => addon.lookUp('127.0.0.2', resolve)),
  ]),
});

programs({
  'each request keeps the program alive': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_requests'));
    const next = [
      (then) => addon.queueWork(4, then),
      (then) => addon.stat('/', () => then('stat')),
      (then) => addon.spawn('exit 1', then),
      (then) => addon.lookUp('127.0.0.1', then),
    ];
    const go = (text) => {
      kit.print(text);
      next.shift()?.(go);
    };
    go('script');
    process.on('exit', () => kit.print('exit'));
  },
  'a polled pipe keeps the program alive until it is stopped': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_requests'));
    const pipe = addon.watchPipe((text) => {
      kit.print(text);
      addon.stopPipe(pipe);
    });
    setTimeout(() => addon.writePipe(pipe, 'at last'), 20).unref();
    process.on('exit', () => kit.print('exit'));
  },
  'a socket keeps the program alive until it is closed': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_requests'));
    addon.receive((text) => {
      kit.print(text);
      if (text === 'hello') addon.close();
    });
    setTimeout(() => addon.send('hello', () => {}), 20).unref();
  },
  'process.exit() with requests under way': (kit) => {
    const addon = kit.dlopen(kit.addonFile('uv_requests'));
    addon.watchPipe(() => {});
    addon.queueWork(1, kit.print);
    addon.stat('/', kit.print);
    kit.print('script');
    process.exit(2);
  },
});
