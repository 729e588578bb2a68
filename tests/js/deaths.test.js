'use strict';
// Each way in which an addon ends its process: the error tells what in-process Node would have died of, and JavaScript goes on.
const assert = require('node:assert/strict');
const { constants } = require('node:os');
const { test } = require('node:test');
const v8 = require('node:v8');
const vm = require('node:vm');
const { hostOf, load } = require('../..');
const { turn } = require('./harness.js');
const { addonFile, makeFifo, run, start, temporaryFolder } = require('./support/child.js');
const { caught } = require('./support/plugin.js');

// name of the function, arguments
const deaths = [
  ['crash'], ['abort'], ['exit', 0], ['exit', 3], ['quickExit', 200], ['fatalError'], ['overflowStack'],
  ...['SIGTERM', 'SIGKILL', 'SIGFPE', 'SIGBUS', 'SIGILL', 'SIGSEGV', 'SIGHUP', 'SIGUSR2', 'SIGALRM'].map((signal) => ['raise', constants.signals[signal]]),
];

for (const [name, ...args] of deaths) {
  test(`${name}(${args}): the error tells what Node would have died of`, () => {
    const inProcess = run((kit, called, ...rest) => kit.dlopen(kit.addonFile('crash'))[called](...rest), { args: [name, ...args] });
    const addon = load(addonFile('crash'));
    const { pid } = hostOf(addon);
    const error = caught(() => addon[name](...args));
    assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
    assert.equal(error.pid, pid);
    assert.equal(error.signal ?? null, inProcess.signal);
    assert.equal(error.exitCode ?? null, inProcess.code);
    assert.ok(error.message.includes(inProcess.signal ?? String(inProcess.code)), error.message);
    assert.equal(caught(() => addon.add(1, 2)).code, error.code);
  });
}

test('napi_fatal_error prints what it prints in Node', () => {
  const inProcess = run((kit) => kit.dlopen(kit.addonFile('crash')).fatalError());
  const { stderr } = run((kit) => kit.outcome(() => kit.remote.load(kit.addonFile('crash')).fatalError()));
  const first = inProcess.stderr.split('\n').find((line) => line.includes('as asked'));
  assert.ok(stderr.split('\n').includes(first), stderr);
});

test('a finalizer crashes: Node goes on, the next call throws', async () => {
  v8.setFlagsFromString('--expose-gc');
  const gc = vm.runInNewContext('gc');
  const addon = load(addonFile('crash'));
  const other = load(addonFile('basic'));
  (() => { addon.timeBomb(); })();
  await turn();
  gc();
  await turn();
  await turn();
  const error = caught(() => addon.add(1, 2));
  assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.equal(error.signal, 'SIGSEGV');
  assert.equal(other.add(1, 2), 3);
});

test('after a call back into JavaScript', () => {
  const addon = load(addonFile('crash'));
  const seen = [];
  const error = caught(() => addon.callThenCrash(() => { seen.push(addon.add(1, 2)); }));
  assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.deepEqual(seen, [3]);
});

test('many hosts that die, one after another', () => {
  for (let i = 0; i < 20; i++) {
    const addon = load(addonFile('crash'));
    assert.equal(addon.add(i, 1), i + 1);
    assert.equal(caught(() => addon.crash()).signal, 'SIGSEGV');
  }
});

test('killed while it hangs inside a call: the call throws within 100 ms', async (t) => {
  const fifo = makeFifo(temporaryFolder(t));
  const addon = load(addonFile('crash'));
  // Its read returns when the addon, inside the call, has opened and closed the other end.
  const { line, closed } = start((kit, file, pid) => {
    kit.print('ready');
    require('node:fs').readFileSync(file);
    process.kill(pid, 'SIGKILL');
    kit.print(String(process.hrtime.bigint()));
  }, { args: [fifo, hostOf(addon).pid] });
  await line();
  const error = caught(() => addon.hang(fifo));
  const thrown = process.hrtime.bigint();
  const killed = BigInt(JSON.parse(await line()));
  await closed;
  assert.equal(error.code, 'ERR_NAPI_REMOTE_HOST_DIED');
  assert.equal(error.signal, 'SIGKILL');
  assert.ok(thrown - killed < 100_000_000n, `${(thrown - killed) / 1000n} us`);
});

// Not a death: napi_fatal_exception() does what it does in Node.
const fatal = {
  'nobody listens': (kit) => {
    const addon = kit.dlopen(kit.addonFile('crash'));
    process.on('exit', (code) => kit.print(code));
    kit.print(addon.fatalException(new Error('fatal')));
  },
  'somebody listens': (kit) => {
    const addon = kit.dlopen(kit.addonFile('crash'));
    process.on('uncaughtException', (error, origin) => kit.print([error.message, error.code, origin]));
    kit.print(addon.fatalException(Object.assign(new RangeError('fatal'), { code: 'FATAL' })));
    kit.print(addon.add(1, 2));
  },
};
for (const [name, program] of Object.entries(fatal)) {
  test(`napi_fatal_exception, ${name}: as in-process`, () => {
    const { stderr: expectedWords, ...inProcess } = run(program);
    const { stderr, ...isolated } = run(program, { isolated: true });
    assert.deepEqual(isolated, inProcess);
    assert.equal(stderr.includes('fatal'), expectedWords.includes('fatal'));
  });
}
