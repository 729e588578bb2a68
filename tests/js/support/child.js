'use strict';
// Programs in a process of their own: in-process (plain Node) or isolated (under napi-remote/register).
const hooks = require('node:async_hooks');
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const readline = require('node:readline');
const coverage = require('./coverage.js');

const root = path.join(__dirname, '..', '..', '..');
const build = process.env.NAPI_REMOTE_BUILD_DIR ?? path.join(root, 'build', 'release');
const register = path.join(root, 'server', 'register.js');

coverage.startCounting(build);

/** Only there so that a hang becomes a failure. */
const TIMEOUT = 60_000;

function addonFile(name) {
  return path.join(build, 'addons', `${name}.node`);
}

/** What the functions that run() and start() are given get as their first argument. */
const kit = {
  root,
  register,
  addonFile,
  get remote() {
    return require(root);
  },
  dlopen(file, ...flags) {
    const module = { exports: {} };
    process.dlopen(module, file, ...flags);
    return module.exports;
  },
  /** What a call came to, in a form that JSON can carry. */
  outcome(call) {
    try {
      return { value: call() };
    } catch (error) {
      return { name: error.name, code: error.code, message: error.message };
    }
  },
  print(value) {
    fs.writeSync(1, `${JSON.stringify(value)}\n`);
  },
  /**
   * From now on calls tell(event, id, ...) for what async_hooks hear of resources whose type begins with MINE; `describe` makes a list of such a resource.
   * {known, ids()}: numbers for ids, as they come, and those of where it is called, with the trigger's.
   */
  followAsync(tell, describe) {
    const known = new Map();
    const number = (id) => known.get(id) ?? known.set(id, known.size).get(id);
    number(hooks.executionAsyncId());
    hooks.createHook({
      init(id, type, trigger, of) { if (type.startsWith('MINE')) tell('init', number(id), type, number(trigger), ...describe(of)); },
      before(id) { if (known.has(id)) tell('before', number(id)); },
      after(id) { if (known.has(id)) tell('after', number(id)); },
      destroy(id) { if (known.has(id)) tell('destroy', number(id)); },
    }).enable();
    return { known, ids: () => [number(hooks.executionAsyncId()), number(hooks.triggerAsyncId())] };
  },
  /** From now on calls tell(text) for all that async_hooks hear; ids are relative to that of the moment. */
  hearAsync(tell) {
    hooks.createHook({
      init(id, type, trigger) { tell(`init ${type} ${id - hooks.executionAsyncId()} ${trigger - hooks.executionAsyncId()}`); },
      before() { tell('before'); },
      after() { tell('after'); },
      destroy() { tell('destroy'); },
    }).enable();
  },
};

function nodeArguments(program, { isolated = false, args = [], nodeArgs = [] }) {
  const source = `(${program})(require(${JSON.stringify(__filename)}).kit, ...${JSON.stringify(args)})`;
  return [...(isolated ? ['-r', register] : []), ...nodeArgs, ...(typeof program === 'function' ? ['-e', source] : [program, ...args])];
}

function environment(env) {
  const { NODE_OPTIONS, NODE_TEST_CONTEXT, ...rest } = process.env;
  return { ...rest, ...env };
}

/** Runs a function (its source; it gets the kit and `args`) or a script to its end, and until all that it started let go of its stdio. */
function run(program, options = {}) {
  const { isolated, ...same } = options;
  const runOnce = () => spawnSync(process.execPath, nodeArguments(program, options), {
    encoding: 'utf8', timeout: TIMEOUT, killSignal: 'SIGKILL', input: options.input, cwd: options.cwd, env: environment(options.env),
  });
  const { status, signal, stdout, stderr, error } = coverage.side(`${program} ${JSON.stringify(same)}`, isolated, runOnce);
  if (error) throw error;
  return { code: status, signal, stdout, stderr };
}

/** As run(), for programs that print one line of JSON and must succeed. */
function runJson(program, options) {
  const { code, signal, stdout, stderr } = run(program, options);
  if (code !== 0) throw new Error(`the program ended with ${signal ?? code}:\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

/** {child, line(), closed}: a program that is still running. line() awaits the next line of its stdout, undefined at the end. */
function start(program, options = {}) {
  const child = spawn(process.execPath, nodeArguments(program, options), {
    stdio: options.stdio ?? ['pipe', 'pipe', 'inherit'], detached: options.detached, cwd: options.cwd, env: environment(options.env),
    timeout: TIMEOUT, killSignal: 'SIGKILL',
  });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const closed = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  return { child, closed, line: async () => (await lines.next()).value };
}

/** A fresh folder that goes away with the test. */
function temporaryFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'napi-remote-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A named pipe: whoever opens one end waits for the other. */
function makeFifo(folder, name = 'fifo') {
  const file = path.join(folder, name);
  const { status, stderr } = spawnSync('mkfifo', [file], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return file;
}

/** Is there no such process, or only its entry in the table? */
function isGone(pid) {
  let stat;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return true;
  }
  return 'ZX'.includes(stat.slice(stat.lastIndexOf(')') + 2)[0]);
}

module.exports = { root, build, register, addonFile, kit, run, runJson, start, temporaryFolder, makeFifo, isGone };
