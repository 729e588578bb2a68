'use strict';
// What is told of loads that come to no host, or to none that may have the addon: each error has a report, in the form of those of hosts that died.
const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { hostOf, hosts, load } = require('../..');
const { addonFile, build, isGone, runJson, temporaryFolder } = require('./support/child.js');
const { caught, plugin } = require('./support/plugin.js');

const hostPath = path.join(build, 'napi-remote-host');

function died() {
  return caught(() => load(plugin).crash());
}

/** What there is of it in every report; a report of a host that died has more. */
function checkReport(error, trigger) {
  const { report } = error;
  const like = JSON.parse(JSON.stringify(died().report));
  const copy = JSON.parse(JSON.stringify(report));
  // A host that has refused its only addon may have ended by now.
  const keys = (of) => Object.keys(of).filter((key) => !['launch', 'fault', 'resourceUsage'].includes(key));
  assert.deepEqual(keys(copy), keys(like));
  for (const part of ['nativeStack', 'registers', 'otherThreads', 'userLimits', 'modules', 'sharedObjects']) {
    assert.deepEqual(copy[part], Array.isArray(like[part]) ? [] : {}, part);
  }
  assert.equal(report.header.event, error.message);
  assert.equal(report.header.trigger, trigger);
  assert.equal(report.header.processId, error.pid);
  assert.equal(report.header.parentProcessId, process.pid);
  const { name, version } = require('../../package.json');
  assert.deepEqual(copy.addon, { file: error.addon, name, version });
  assert.equal(copy.javascriptStack.errorProperties.code, error.code);
  assert.ok(copy.javascriptStack.stack.some((line) => line.includes('launch_reports.test.js')), report.javascriptStack.stack.join('\n'));
  for (const part of [error.message, error.addon]) assert.ok(String(report).includes(part), part);
  assert.equal(Object.keys(error).includes('report'), false);
  assert.equal(error.report, report);
  error.report = 5;
  assert.equal(error.report, 5);
  return report;
}

// what is wrong: [options, how it ended, words of the text]
const LAUNCHES = {
  'a command that is not there': [{ hostWrapper: ['/no/such/command', 'a b'] }, {}, `command  /no/such/command "a b" ${hostPath}`],
  'one that exits': [{ hostWrapper: ['sh', '-c', 'echo last words >&2; exit 3'], stdio: 'pipe' }, { exitCode: 3, lastWords: 'last words\n' }, 'said     last words'],
  'one that is ended by a signal': [{ hostWrapper: ['sh', '-c', 'kill -9 $$'] }, { signal: 'SIGKILL' }, 'signal   SIGKILL'],
  'one that does not become a host in time': [{ hostWrapper: ['sh', '-c', 'exec sleep 60'], timeout: { load: 200, call: 5 } }, {}, 'timeout  200 ms'],
};
for (const [what, [options, end, words]] of Object.entries(LAUNCHES)) {
  test(`ERR_NAPI_REMOTE_LAUNCH: ${what}`, () => {
    const limits = { cpuSeconds: 100, resident: 2 ** 30 };
    const error = caught(() => load(plugin, { ...options, limits }));
    assert.equal(error.code, 'ERR_NAPI_REMOTE_LAUNCH');
    assert.equal(error.addon, plugin);
    const report = checkReport(error, 'LaunchFailed');
    assert.deepEqual(JSON.parse(JSON.stringify(report.end)), { reason: 'launch-failed', ...end });
    assert.deepEqual(report.addons, [plugin]);
    const { load: loadTimeout = 30_000, call = null } = options.timeout ?? {};
    assert.deepEqual(report.launch, { command: [...options.hostWrapper, hostPath], timeout: { call, load: loadTimeout }, limits });
    for (const text of ['end      launch-failed', 'cpuSeconds 100', words]) assert.ok(String(report).includes(text), String(report));
  });
}

test('ERR_NAPI_REMOTE_LAUNCH: there is nothing to start', (t) => {
  const folder = temporaryFolder(t);
  const error = runJson((kit, file) => {
    try {
      kit.remote.load(file);
    } catch ({ code, addon, report }) {
      kit.print({ code, addon, command: report.launch.command, written: report.header.filename });
    }
  }, { env: { NAPI_REMOTE_BUILD_DIR: path.join(folder, 'none'), NAPI_REMOTE_REPORT_DIR: folder }, args: [plugin] });
  const [written] = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
  assert.deepEqual(error, {
    code: 'ERR_NAPI_REMOTE_LAUNCH', addon: plugin, command: [path.join(folder, 'none', 'napi-remote-host')], written: path.join(folder, written),
  });
});

test('files: each start that fails has one, where the option says', (t) => {
  const directory = temporaryFolder(t);
  const { report } = caught(() => load(plugin, { hostWrapper: ['/no/such/command'], report: { directory, filename: 'a.json' } }));
  assert.deepEqual(JSON.parse(fs.readFileSync(path.join(directory, 'a.json'))), JSON.parse(JSON.stringify(report)));
  assert.equal(fs.readFileSync(path.join(directory, 'a.txt'), 'utf8'), String(report));
  for (let i = 0; i < 2; i++) caught(() => load(plugin, { hostWrapper: ['false'], report: { directory, filename: `b${i}.json`, compact: true } }));
  assert.deepEqual(fs.readdirSync(directory).sort(), ['a.json', 'a.txt', 'b0.json', 'b0.txt', 'b1.json', 'b1.txt']);
});

test('at-once: the exit event with the reason launch-failed has the error, and that its report', async (t) => {
  const directory = temporaryFolder(t);
  const wrapper = path.join(directory, 'wrapper');
  fs.writeFileSync(wrapper, '#!/bin/sh\nexec "$@"\n', { mode: 0o700 });
  const reports = path.join(directory, 'reports');
  const host = hostOf(load(plugin, { hostWrapper: [wrapper], restart: { policy: 'at-once', max: 1 }, report: { directory: reports } }));
  fs.writeFileSync(wrapper, '#!/bin/sh\nexit 7\n');
  const exits = [];
  host.on('exit', (exit) => exits.push(exit));
  host.kill();
  await once(host, 'exit');
  await new Promise(setImmediate);
  assert.deepEqual(exits.map(({ reason }) => reason), ['killed', 'launch-failed']);
  const { error, pid, code, signal } = exits[1];
  assert.equal(error.code, 'ERR_NAPI_REMOTE_LAUNCH');
  assert.deepEqual({ pid, code, signal }, { pid: error.pid, code: 7, signal: null });
  assert.deepEqual(error.report.launch.command, [wrapper, hostPath]);
  const triggers = fs.readdirSync(reports).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(fs.readFileSync(path.join(reports, name))).header.trigger);
  assert.deepEqual(triggers.sort(), ['HostDied', 'LaunchFailed']);
});

// addon: has a host been started?
for (const [name, isStarted] of Object.entries({ init_version: true, node_symbols: true, v8_symbols: false })) {
  test(`ERR_NAPI_REMOTE_UNSUPPORTED: ${name}`, (t) => {
    const directory = path.join(temporaryFolder(t), 'reports');
    const error = caught(() => load(addonFile(name), { report: { directory } }));
    const { pid, ...others } = error;
    assert.deepEqual(others, { code: 'ERR_NAPI_REMOTE_UNSUPPORTED', addon: addonFile(name) });
    assert.equal(typeof pid, isStarted ? 'number' : 'undefined');
    const report = checkReport(error, 'Unsupported');
    assert.equal(report.launch, undefined);
    if (isStarted) assert.match(report.calls.at(-1), /^> load \{file="/);
    assert.equal(fs.existsSync(directory), false);
  });
}

test('ERR_NAPI_REMOTE_UNSUPPORTED: the addon is the one that is refused, not one that is there already', () => {
  const options = { group: 'with another' };
  const { pid } = hostOf(load(plugin, options));
  const error = caught(() => load(addonFile('init_version'), options));
  assert.deepEqual([error.pid, error.addon, error.report.addon.file], [pid, addonFile('init_version'), addonFile('init_version')]);
  assert.deepEqual(error.report.addons, [plugin]);
});

test('an AbortSignal that is aborted before the load, and before a restart', () => {
  checkReport(caught(() => load(plugin, { signal: AbortSignal.abort() })), 'Aborted');
  const controller = new AbortController();
  const addon = load(plugin, { signal: controller.signal, restart: 'on-call' });
  controller.abort();
  for (const use of [() => hostOf(addon).restart(), () => addon.count()]) {
    const error = caught(use);
    assert.deepEqual([error.code, error.name, error.addon, error.cause], ['ABORT_ERR', 'AbortError', plugin, controller.signal.reason]);
    assert.equal(error.report.addon.file, plugin);
  }
});

test('every end is told by the word of the exit event', async () => {
  const reasons = {
    crashed: (addon) => addon.crash(), abnormal: (addon) => addon.exit(3), clean: (addon) => addon.exit(0), timeout: (addon) => addon.hang(),
    killed: (addon) => hostOf(addon).kill() && addon.count(),
  };
  for (const [reason, act] of Object.entries(reasons)) {
    const addon = load(plugin, { timeout: { call: 300 } });
    const exit = once(hostOf(addon), 'exit');
    const { report } = caught(() => act(addon));
    assert.equal(report.end.reason, reason);
    assert.ok(String(report).includes(`end      ${reason}`));
    assert.equal((await exit)[0].reason, reason);
  }
});

test('a load that fails leaves no process behind, unless another addon lives there, or may', async (t) => {
  const directory = path.join(temporaryFolder(t), 'reports');
  const fail = (name, options) => {
    const before = new Set(hosts().map(({ pid }) => pid));
    caught(() => load(name === 'none' ? '/no/such/file.node' : addonFile(name), { report: { directory }, ...options }));
    return hosts().map(({ pid }) => pid).find((pid) => !before.has(pid));
  };
  for (const name of ['init_version', 'node_symbols', 'init_throws', 'none']) {
    const pid = fail(name);
    assert.equal(typeof pid, 'number');
    while (!isGone(pid)) await new Promise(setImmediate);
  }
  assert.equal(fs.existsSync(directory), false);
  const pid = fail('none', { group: 'for more' });
  assert.equal(hostOf(load(plugin, { group: 'for more' })).pid, pid);
});

test('a host that ends because it is idle leaves no report', async (t) => {
  const directory = path.join(temporaryFolder(t), 'reports');
  const host = hostOf(load(plugin, { idle: 20, report: { directory } }));
  await once(host.ref(), 'exit');
  assert.equal(fs.existsSync(directory), false);
});
