'use strict';
// What is told about the end of a host: error.report, its text, the files.
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { addonFile, build, makeFifo, run, runJson, temporaryFolder } = require('./support/child.js');
const { load, hostOf } = require('../..');

const file = addonFile('crashes');
// What a sanitizer of the host does with memory is its own; but it is to leave the signals alone.
const sanitized = /NR_SANITIZE:\w+=./.test(fs.readFileSync(path.join(build, 'CMakeCache.txt'), 'latin1'));
if (sanitized) process.env.ASAN_OPTIONS = `${process.env.ASAN_OPTIONS ?? ''}:handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0:handle_abort=0`;

function deathOf(act, addon = load(file), code = 'ERR_NAPI_REMOTE_HOST_DIED') {
  let death;
  try {
    act(addon);
  } catch (error) {
    death = error;
  }
  assert.equal(death?.code, code);
  return death;
}

function frameOf(report, name) {
  return report.nativeStack.find((frame) => frame.function === name || frame.function === `${name}.cold`);
}

/** What every report says, however it ended. */
function checkReport(report, error, last) {
  assert.equal(report.header.event, error.message);
  assert.equal(report.header.processId, error.pid);
  assert.equal(report.addon.file, file);
  assert.deepEqual({ signal: report.end.signal, exitCode: report.end.exitCode }, { signal: error.signal, exitCode: error.exitCode });
  assert.ok(report.javascriptStack.stack.some((line) => line.includes('report.test.js')), report.javascriptStack.stack.join('\n'));
  assert.match(report.calls.at(-1), last);
  assert.match(report.pending.calls.at(-1), /^ *> invoke /);
  const text = String(report);
  for (const part of [error.message, file, report.calls.at(-1), ...report.javascriptStack.stack]) assert.ok(text.includes(part), part);
  assert.equal(text, String(JSON.parse(JSON.stringify(text))));
}

// way: [function of the addon, signal, code, address or undefined]
const CRASHES = {
  null_pointer: ['crash_null_pointer', 'SIGSEGV', 'SEGV_MAPERR', '0x0'],
  wild_pointer: ['crash_wild_pointer', 'SIGSEGV', 'SEGV_MAPERR', '0x6e6170692d72'],
  null_call: ['crash_null_call', 'SIGSEGV', 'SEGV_MAPERR', '0x0'],
  truncated_map: ['crash_truncated_map', 'SIGBUS', 'BUS_ADRERR'],
  illegal_instruction: ['crash_illegal_instruction', 'SIGILL', 'ILL_ILLOPN'],
  division: ['crash_division', 'SIGFPE', 'FPE_INTDIV'],
  abort: ['crash_abort', 'SIGABRT', 'SI_TKILL'],
  recursion: ['crash_recursion', 'SIGSEGV', 'SEGV_MAPERR'],
  double_free: ['crash_double_free', 'SIGABRT', 'SI_TKILL'],
  terminate: ['crash_terminate', 'SIGABRT', 'SI_TKILL'],
  exception: ['crash_exception', 'SIGABRT', 'SI_TKILL'],
  out_of_memory: ['crash_out_of_memory', 'SIGABRT', 'SI_TKILL'],
  recursion_in_thread: ['crash_recursion', 'SIGSEGV', 'SEGV_ACCERR'],
  in_thread: ['crash_null_pointer', 'SIGSEGV', 'SEGV_MAPERR', '0x0'],
  trap: ['crash_trap', 'SIGTRAP', 'SI_TKILL'],
  system_call: ['crash_system_call', 'SIGSYS', 'SI_TKILL'],
};
const MEMORY = new Set(['double_free', 'out_of_memory']);

for (const [way, [name, signal, code, address]] of Object.entries(CRASHES)) {
  test(`${way}: ${signal}, and ${name}() in the native stack`, { skip: sanitized && MEMORY.has(way) }, () => {
    const error = deathOf((addon) => addon.crash(way));
    const { report } = error;
    assert.equal(error.signal, signal);
    checkReport(report, error, new RegExp(`napi_create_string_utf8 \\{str="${way}"`));
    assert.equal(report.fault.signal, signal);
    assert.equal(report.fault.code, code);
    if (address !== undefined) assert.equal(report.fault.address, address);
    const frame = frameOf(report, name);
    assert.ok(frame !== undefined, JSON.stringify(report.nativeStack, null, 1));
    assert.equal(frame.module, file);
    assert.match(frame.source, /crashes\.cc:\d+$/);
    assert.equal(frame.symbol, `${frame.function} [${file}]`);
    assert.match(report.addon.buildId, /^[0-9a-f]{40}$/);
    assert.equal(report.modules.find((module) => module.path === file).buildId, report.addon.buildId);
    assert.ok(report.sharedObjects.includes(file));
    const { soft } = report.userLimits.open_files;
    assert.ok(soft === 'unlimited' || soft > 0);
    assert.ok(String(report).includes(`${frame.function}+`));
    // The end of a fault and of the registers is the same place.
    if (error.signal === 'SIGSEGV' && process.arch === 'x64') assert.equal(BigInt(report.registers.rip), BigInt(report.nativeStack[0].pc));
  });
}

test('the thread that crashed, and what the others did', () => {
  const { report } = deathOf((addon) => addon.crash('in_thread'));
  assert.notEqual(report.fault.thread.id, report.header.processId);
  assert.match(report.calls.at(-1), /napi_create_string_utf8/);
});

test('a call to nowhere: the frame of the caller is right behind it', () => {
  const { report } = deathOf((addon) => addon.crash('null_call'));
  assert.equal(BigInt(report.nativeStack[0].pc), 0n);
  assert.equal(report.nativeStack[1].function, 'crash_null_call');
  assert.equal(report.nativeStack[2].function.startsWith('crash('), true);
});

test('functions that the compiler has put into another', () => {
  const { report } = deathOf((addon) => addon.crash('inlined'));
  assert.equal(report.nativeStack[0].function, 'crash_inlined');
  assert.deepEqual(report.nativeStack[0].inlined, ['inlined_write']);
  assert.match(String(report), /#0 .* crash_inlined\+\d+ .*crashes\.cc:\d+ \(in inlined_write\)/);
});

const rust = spawnSync('rustc', ['--version']).status === 0;

test('a panic of Rust that meets the boundary', { skip: !rust && 'there is no rustc' }, (t) => {
  const addon = path.join(temporaryFolder(t), 'panics.node');
  process.env.RUST_BACKTRACE = '0'; // what it prints is long
  const { status, stderr } = spawnSync('rustc', ['-g', '-o', addon, path.join(__dirname, '..', 'addons', 'panics.rs')], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const { report } = deathOf(({ panics }) => panics(), load(addon));
  assert.equal(report.end.signal, 'SIGABRT');
  assert.equal(report.addon.file, addon);
  assert.ok(report.nativeStack.some((frame) => frame.function?.includes('panics') && /panics\.rs:\d+$/.test(frame.source)));
});

test('a stack that is overwritten: the report is there, with what can be told', () => {
  const error = deathOf((addon) => addon.crash('smashed_stack'));
  assert.ok(['SIGSEGV', 'SIGABRT'].includes(error.signal));
  checkReport(error.report, error, /str="smashed_stack"/);
  assert.ok(error.report.nativeStack.length >= 1);
});

test('a recursion is told once in the text', () => {
  const { report } = deathOf((addon) => addon.crash('recursion'));
  assert.ok(report.nativeStack.length > 100);
  assert.match(String(report), /\.\.\. \d+ more of the same/);
  assert.equal(String(report).match(/crash_recursion\+/g).length, 1);
});

test('last words: of libc, and of napi_fatal_error()', { skip: sanitized }, () => {
  assert.match(deathOf((addon) => addon.crash('double_free')).report.end.lastWords, /free\(\)/);
  const error = deathOf((addon) => addon.fatal());
  assert.match(error.report.end.lastWords, /FATAL ERROR: crashes\.cc as was to be expected/);
  assert.ok(frameOf(error.report, 'napi_fatal_error') !== undefined);
});

test('the limits are those that the addon had', { skip: sanitized }, () => {
  const { report } = deathOf((addon) => addon.crash('out_of_memory'));
  assert.equal(report.userLimits.virtual_memory_kbytes.soft, 4 << 20);
});

for (const [way, exitCode] of [['exit', 3], ['quick_exit', 4]]) {
  test(`${way}: the code, the last calls, and who called exit()`, () => {
    const error = deathOf((addon) => addon.crash(way));
    assert.equal(error.exitCode, exitCode);
    checkReport(error.report, error, new RegExp(`str="${way}"`));
    assert.equal(error.report.fault, undefined);
    const names = error.report.nativeStack.map((frame) => frame.function);
    if (way === 'exit') assert.ok(names.includes('exit') && names.includes('crash_exit'), names.join());
    else assert.deepEqual(names, []);
  });
}

test('SIGKILL: the last calls are there all the same', () => {
  const error = deathOf((addon) => addon.crash('killed'));
  assert.equal(error.signal, 'SIGKILL');
  checkReport(error.report, error, /str="killed"/);
  assert.equal(error.report.fault, undefined);
});

// The addon says that it is about to; who kills it is another thread.
for (const way of ['in_loop', 'in_deadlock', 'stopped']) {
  test(`${way}: kill() ends it, and the report says what it was doing`, (t) => {
    const fifo = makeFifo(temporaryFolder(t));
    const { signal, calls, pending, stack } = runJson((kit, way, fifo) => {
      const { Worker } = require('node:worker_threads');
      const addon = kit.remote.load(kit.addonFile('crashes'));
      const { pid } = kit.remote.hostOf(addon);
      const source = `const { parentPort, workerData } = require('node:worker_threads');
        const fs = require('node:fs');
        parentPort.postMessage('ready');
        fs.readFileSync(workerData.fifo);
        const state = () => fs.readFileSync('/proc/' + workerData.pid + '/stat', 'latin1').split(') ')[1][0];
        while (workerData.stops && state() !== 'T') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
        process.kill(workerData.pid, 'SIGKILL');`;
      new Worker(source, { eval: true, workerData: { fifo, pid, stops: way === 'stopped' } }).once('message', function hangs() {
        try {
          addon.crash(way, fifo);
        } catch ({ signal, report }) {
          kit.print({ signal, calls: report.calls, pending: report.pending, stack: report.javascriptStack.stack });
        }
      });
    }, { args: [way, fifo] });
    assert.equal(signal, 'SIGKILL');
    assert.match(calls.at(-1), new RegExp(`napi_create_string_utf8 \\{str="${way}"`));
    assert.match(pending.calls.at(-1), /> invoke/);
    assert.ok(stack.some((line) => line.includes('hangs')), stack.join('\n'));
  });
}

for (const way of ['in_loop', 'in_deadlock', 'stopped']) {
  test(`${way}: a timeout ends it, and the native stack says where it was`, () => {
    const error = deathOf((addon) => addon.crash(way), load(file, { timeout: { call: 200 } }), 'ERR_NAPI_REMOTE_TIMEOUT');
    const { report } = error;
    assert.equal(error.signal, 'SIGKILL');
    checkReport(report, error, new RegExp(`str="${way}"`));
    assert.equal(report.fault, undefined);
    assert.equal(frameOf(report, `hang_${way}`)?.module, file, JSON.stringify(report.nativeStack, null, 1));
    assert.ok(report.modules.length > 0 && report.userLimits.open_files !== undefined && Object.keys(report.registers).length > 0);
  });
}

test('a timeout in a Worker: the stack is that of its thread', () => {
  const [code, names] = runJson((kit) => {
    const { Worker } = require('node:worker_threads');
    const main = kit.remote.load(kit.addonFile('crashes'), { group: 'both', timeout: { call: 500 } });
    const source = `const { kit } = require(${JSON.stringify(`${kit.root}/tests/js/support/child.js`)});
      const addon = kit.remote.load(kit.addonFile('crashes'), { group: 'both', timeout: { call: 500 } });
      try {
        addon.crash('in_deadlock');
      } catch ({ code, report }) {
        require('node:worker_threads').parentPort.postMessage([code, report.nativeStack.map((frame) => frame.function)]);
      }`;
    main.call(() => {});
    new Worker(source, { eval: true }).on('message', (message) => kit.print(message));
  });
  assert.equal(code, 'ERR_NAPI_REMOTE_TIMEOUT');
  assert.ok(names.includes('hang_in_deadlock'), names.join());
});

test('a timeout of the load: the stack is that of the Init', () => {
  process.env.PLUGIN_INIT = 'hang';
  try {
    const { report } = deathOf(() => load(addonFile('plugin'), { timeout: { load: 300 } }), undefined, 'ERR_NAPI_REMOTE_TIMEOUT');
    assert.ok(report.nativeStack.some(({ function: name }) => /^napi_register_module/.test(name)), JSON.stringify(report.nativeStack));
  } finally {
    delete process.env.PLUGIN_INIT;
  }
});

test('an AbortSignal: what the host was doing, below the call that JavaScript aborts in', () => {
  const controller = new AbortController();
  const { report } = deathOf((addon) => addon.call(() => controller.abort()), load(file, { signal: controller.signal }), 'ABORT_ERR');
  const names = report.nativeStack.map((frame) => frame.function);
  assert.ok(names.includes('napi_call_function') && names.some((name) => name?.startsWith('call(')), names.join());
});

test('a timeout, and a handler of the addon for the signal that would ask: no stack, and nothing else', () => {
  const error = deathOf((addon) => addon.crash('handles_abort'), load(file, { timeout: { call: 200 } }), 'ERR_NAPI_REMOTE_TIMEOUT');
  assert.equal(error.signal, 'SIGKILL');
  assert.deepEqual(error.report.nativeStack, []);
  assert.match(error.report.calls.at(-1), /str="handles_abort"/);
});

test('resourceUsage: what the process took', () => {
  const plugin = load(addonFile('plugin'), { timeout: { call: 500 } });
  plugin.eat(50);
  const { resourceUsage } = deathOf(() => plugin.burn(), plugin, 'ERR_NAPI_REMOTE_TIMEOUT').report;
  assert.ok(resourceUsage.maxRss >= 50 << 20, `${resourceUsage.maxRss}`);
  assert.ok(resourceUsage.userCpuSeconds > 0.01, `${resourceUsage.userCpuSeconds}`);
  assert.ok(resourceUsage.pageFaults.IONotRequired >= (50 << 20) / 2 ** 21);
  assert.deepEqual(Object.keys(resourceUsage.fsActivity), ['reads', 'writes']);
  assert.equal(hostOf(load(file)).report().resourceUsage, undefined);
});

test('closed descriptors: the host goes on working, and still leaves its report', () => {
  for (const first of [3, 0]) {
    const addon = load(file);
    addon.close_descriptors(first);
    assert.equal(addon.call(() => 'still there'), 'still there');
    const error = deathOf(() => addon.crash('null_pointer'), addon);
    checkReport(error.report, error, /str="null_pointer"/);
    assert.ok(frameOf(error.report, 'crash_null_pointer') !== undefined);
  }
});

test('a handler of the addon takes the place of the host\'s', () => {
  const error = deathOf((addon) => addon.handle_itself());
  assert.equal(error.exitCode, 9);
  assert.equal(error.report.fault, undefined);
});

test('a crash of a child of the host leaves no trace in it', () => {
  const addon = load(file);
  assert.equal(addon.crash_child(), os.constants.signals.SIGABRT);
  const error = deathOf(() => addon.crash('null_pointer'), addon);
  assert.equal(error.report.fault.signal, 'SIGSEGV');
});

test('below JavaScript: the calls that wait are told from the outside in', () => {
  const { report } = deathOf((addon) => addon.call(function inner() {
    return addon.crash('abort');
  }));
  assert.equal(report.pending.calls.length, 3);
  assert.match(report.pending.calls[0], /^> invoke/);
  assert.match(report.pending.calls[1], /^ {2}napi_call_function \{recv=undefined, func=function#\d+, /);
  assert.match(report.pending.calls[2], /^ {4}> invoke/);
  assert.ok(report.javascriptStack.stack.some((line) => line.includes('inner')));
  assert.ok(frameOf(report, 'crash_abort') !== undefined && frameOf(report, 'napi_call_function') !== undefined);
});

test('a recursion on a thread of the pool', () => {
  const error = deathOf((addon) => {
    addon.recurse_in_work();
    while (true) addon.call(() => 1);
  });
  assert.equal(error.report.fault.signal, 'SIGSEGV');
  assert.notEqual(error.report.fault.thread.id, error.pid);
  assert.ok(frameOf(error.report, 'crash_recursion') !== undefined);
});

test('an addon that crashes while it is loaded', (t) => {
  const copy = path.join(temporaryFolder(t), 'constructor.node');
  fs.copyFileSync(addonFile('crashes_loading'), copy);
  const { report } = deathOf(() => load(copy));
  assert.equal(report.addon.file, copy);
  assert.ok(frameOf(report, 'crash_in_constructor') !== undefined);
  assert.match(report.calls.at(-1), /^> load \{file="/);
});

test('64 calls are kept', () => {
  const { report } = deathOf((addon) => {
    for (let i = 0; i < 100; i++) addon.call(() => i);
    addon.crash('abort');
  });
  assert.equal(report.calls.length, 64);
});

test('report is made when it is looked at, and once; it can be replaced, and does not show', () => {
  const error = deathOf((addon) => addon.crash('abort'));
  assert.equal(Object.keys(error).includes('report'), false);
  assert.equal(error.report, error.report);
  error.report = 5;
  assert.equal(error.report, 5);
  const { get } = Object.getOwnPropertyDescriptor(deathOf((addon) => addon.crash('abort')), 'report');
  assert.equal(typeof get, 'function');
  const other = deathOf((addon) => addon.crash('abort'));
  Object.freeze(other);
  assert.equal(other.report.end.signal, 'SIGABRT');
});

test('what is kept for the reports of dead hosts takes no descriptors', async () => {
  const { setImmediate: turn } = require('node:timers/promises');
  const count = () => fs.readdirSync('/proc/self/fd').length;
  const die = () => deathOf((addon) => addon.crash('killed'));
  for (let i = 0; i < 3; i++) die();
  await turn();
  const before = count();
  const errors = Array.from({ length: 20 }, die);
  for (let i = 0; i < 3; i++) await turn();
  assert.ok(count() <= before + 1, `${before} descriptors became ${count()}`);
  for (const { report } of errors) assert.match(report.calls.at(-1), /str="killed"/);
});

test('Host.report(): of a host that lives', () => {
  const addon = load(file);
  addon.call(() => 'hello');
  const report = hostOf(addon).report();
  assert.equal(report.header.trigger, 'GetReport');
  assert.equal(report.header.processId, hostOf(addon).pid);
  assert.equal(report.addon.file, file);
  assert.match(report.calls.at(-1), /napi_call_function .* = napi_ok/);
  assert.deepEqual(report.pending.calls, []);
  hostOf(addon).kill();
});

test('Host.report(): of a host that has died, what an error tells of it', async () => {
  for (const act of [(addon) => addon.crash('null_pointer'), (addon) => addon.crash('exit'), (addon) => addon.crash('killed')]) {
    const addon = load(file);
    const host = hostOf(addon);
    const { report } = deathOf(act, addon);
    const early = host.report();
    await new Promise((resolve) => { host.ref().once('exit', resolve); });
    for (const other of [early, host.report()]) {
      assert.equal(other.header.trigger, 'GetReport');
      for (const part of ['addon', 'addons', 'end', 'fault', 'nativeStack', 'registers', 'calls', 'resourceUsage', 'userLimits', 'modules']) {
        assert.deepEqual(other[part], report[part], part);
      }
    }
  }
});

test('files: where load() says, as JSON and as text', (t) => {
  const directory = path.join(temporaryFolder(t), 'deep', 'er');
  const { report } = deathOf((addon) => addon.crash('abort'), load(file, { report: { directory, filename: 'a.json' } }));
  const written = fs.readFileSync(path.join(directory, 'a.json'), 'utf8');
  assert.ok(written.includes('\n  "header"'));
  assert.deepEqual(JSON.parse(written), JSON.parse(JSON.stringify(report)));
  assert.equal(report.header.filename, path.join(directory, 'a.json'));
  assert.equal(fs.readFileSync(path.join(directory, 'a.txt'), 'utf8'), String(report));
  deathOf((addon) => addon.crash('abort'), load(file, { report: { directory, filename: 'b.json', compact: true } }));
  assert.equal(fs.readFileSync(path.join(directory, 'b.json'), 'utf8').trim().split('\n').length, 1);
});

test('files: NAPI_REMOTE_REPORT_DIR, one for each host, also for one that dies when nobody calls', (t) => {
  const directory = temporaryFolder(t);
  runJson(async (kit) => {
    const fs = require('node:fs');
    const crash = kit.remote.load(kit.addonFile('crashes'));
    kit.outcome(() => crash.crash('abort'));
    kit.outcome(() => crash.crash('abort'));
    const idle = kit.remote.load(kit.addonFile('crashes'));
    const { pid } = kit.remote.hostOf(idle);
    const watcher = fs.watch(process.env.NAPI_REMOTE_REPORT_DIR, (event, name) => {
      if (!name.includes(`.${pid}.`) || !name.endsWith('.txt')) return;
      watcher.close();
      kit.print('done');
    });
    process.kill(pid, 'SIGSEGV');
  }, { env: { NAPI_REMOTE_REPORT_DIR: directory } });
  const reports = fs.readdirSync(directory).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(fs.readFileSync(path.join(directory, name))));
  assert.deepEqual(reports.map(({ end }) => end.signal).sort(), ['SIGABRT', 'SIGSEGV']);
  const [idle] = reports.filter(({ end }) => end.signal === 'SIGSEGV');
  assert.equal(idle.fault.code, 'SI_USER');
  assert.equal(idle.fault.sender, idle.header.parentProcessId);
});

// The latter is where Node's mkdirSync(), when it is to make all that is missing, tries for ever.
for (const directory of [`${process.execPath}/below a file`, '/proc/no/such/folder']) test(`files: a directory that cannot be made is a warning, and the error is there: ${directory}`, () => {
  const { code, stdout, stderr } = run((kit, directory) => {
    const addon = kit.remote.load(kit.addonFile('crashes'), { report: { directory } });
    kit.print(kit.outcome(() => addon.crash('abort')).code);
  }, { args: [directory] });
  assert.deepEqual({ code, stdout }, { code: 0, stdout: '"ERR_NAPI_REMOTE_HOST_DIED"\n' });
  assert.match(stderr, /NAPI_REMOTE_REPORT/);
});

test('the options are checked', () => {
  const codeOf = (report) => {
    try {
      load(file, { report });
    } catch ({ code }) {
      return code;
    }
    return undefined;
  };
  for (const report of [null, 5, { directory: 5 }, { compact: 'yes' }, { filename: {} }]) assert.equal(codeOf(report), 'ERR_INVALID_ARG_TYPE');
  for (const report of [{ directory: '' }, { filename: 'a\0' }, { folder: 'x' }]) assert.equal(codeOf(report), 'ERR_INVALID_ARG_VALUE');
});

test('a clean end leaves no report', (t) => {
  const directory = temporaryFolder(t);
  run((kit) => kit.remote.load(kit.addonFile('crashes')).call(() => 1), { env: { NAPI_REMOTE_REPORT_DIR: directory } });
  assert.deepEqual(fs.readdirSync(directory), []);
});
