'use strict';
// Crash reports: what a host left in its recorder (wire/recorder.h), put into the form of Node's diagnostic reports. docs/report.md describes it.
// Nothing here trusts the host: it may have written any text and any number, and every address is looked up in another process.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { threadId } = require('node:worker_threads');
const { hostFile, namesOf } = require('./symbols.js');
const thread = require('./thread.js');
const { invalidType, invalidValue } = require('./validate.js');
const { textOf } = require('./report_text.js');

const REPORT_VERSION = 1;

/** Of siginfo_t, by signal: what the kernel says about a fault. */
const CODES = {
  SIGSEGV: ['SEGV_MAPERR', 'SEGV_ACCERR', 'SEGV_BNDERR', 'SEGV_PKUERR'],
  SIGBUS: ['BUS_ADRALN', 'BUS_ADRERR', 'BUS_OBJERR', 'BUS_MCEERR_AR', 'BUS_MCEERR_AO'],
  SIGILL: ['ILL_ILLOPC', 'ILL_ILLOPN', 'ILL_ILLADR', 'ILL_ILLTRP', 'ILL_PRVOPC', 'ILL_PRVREG', 'ILL_COPROC', 'ILL_BADSTK'],
  SIGFPE: ['FPE_INTDIV', 'FPE_INTOVF', 'FPE_FLTDIV', 'FPE_FLTOVF', 'FPE_FLTUND', 'FPE_FLTRES', 'FPE_FLTINV', 'FPE_FLTSUB'],
  SIGTRAP: ['TRAP_BRKPT', 'TRAP_TRACE', 'TRAP_BRANCH', 'TRAP_HWBKPT'],
  SIGSYS: ['SYS_SECCOMP'],
};
/** Why there is a report, by an error's code; of others, because a host has died. */
const TRIGGERS = {
  ERR_NAPI_REMOTE_LAUNCH: 'LaunchFailed',
  ERR_NAPI_REMOTE_UNSUPPORTED: 'Unsupported',
  ERR_NAPI_REMOTE_QUOTA: 'Quota',
};
const SENT = { 0: 'SI_USER', '-1': 'SI_QUEUE', '-6': 'SI_TKILL', 128: 'SI_KERNEL' };

/** By the number of the limit on Linux: Node's name, and what it divides by. */
const LIMITS = [
  ['cpu_time_seconds', 1], ['file_size_blocks', 512], ['data_seg_size_kbytes', 1024], ['stack_size_bytes', 1], ['core_file_size_blocks', 512],
  ['max_memory_size_kbytes', 1024], ['max_user_processes', 1], ['open_files', 1], ['max_locked_memory_bytes', 1], ['virtual_memory_kbytes', 1024],
];

function signalName(number) {
  return Object.keys(os.constants.signals).find((name) => os.constants.signals[name] === number) ?? `signal ${number}`;
}

function parse(recorded) {
  try {
    if (recorded === undefined) throw new TypeError('nothing was recorded');
    return JSON.parse(recorded);
  } catch {
    return { words: '', crash: null, rings: [] };
  }
}

function workingDirectory() {
  try {
    return process.cwd();
  } catch {
    return null; // it is gone
  }
}

function headerOf(event, trigger, pid) {
  const now = new Date();
  return {
    reportVersion: REPORT_VERSION,
    event,
    trigger,
    filename: null,
    dumpEventTime: now.toISOString().replace(/\.\d+Z$/, 'Z'),
    dumpEventTimeStamp: String(now.getTime()),
    processId: pid,
    parentProcessId: process.pid,
    threadId,
    cwd: workingDirectory(),
    commandLine: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    nodejsVersion: process.version,
    napiRemoteVersion: require('../../package.json').version,
    wordSize: 64,
    arch: process.arch,
    platform: process.platform,
    release: process.release.name,
    osName: os.type(),
    osRelease: os.release(),
    osVersion: os.version(),
    osMachine: os.machine(),
    host: os.hostname(),
  };
}

/** {name, version} of the package that a file is part of; {} when none is near. */
function packageOf(file) {
  for (let folder = path.dirname(file), i = 0; i < 12; folder = path.dirname(folder), i++) {
    try {
      const { name, version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
      if (typeof name === 'string') return { name, version: typeof version === 'string' ? version : undefined };
    } catch {
      // None here, or one that says nothing.
    }
    if (path.basename(folder) === 'node_modules' || folder === path.dirname(folder)) break;
  }
  return {};
}

function realPath(file) {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

/** The addon on whose account it happened: that of the innermost frame; else the one that was loaded first, or was to be. */
function addonOf(error, files, crash, stack) {
  const byModule = new Map(files.flatMap((file) => [[file, file], [realPath(file), file]]));
  const frame = stack.find(({ module }) => byModule.has(module)) ?? stack.find(({ module }) => module?.endsWith('.node'));
  const file = byModule.get(frame?.module) ?? frame?.module ?? (error.code === 'ERR_NAPI_REMOTE_UNSUPPORTED' ? undefined : files[0]) ?? error.addon;
  if (file === undefined) return {};
  const module = crash?.modules.find((each) => each.path === file || byModule.get(each.path) === file);
  return { file, ...packageOf(file), buildId: module?.buildId || undefined };
}

function limitsOf({ limits }) {
  const scale = (limit, unit) => (limit === 'unlimited' ? limit : Math.floor(Number(limit) / unit));
  return Object.fromEntries(limits.slice(0, LIMITS.length).map(([soft, hard], i) => {
    const [name, unit] = LIMITS[i];
    return [name, { soft: scale(soft, unit), hard: scale(hard, unit) }];
  }));
}

/** What ended the process. `stderr`: of one that ended before there was anything else that it could leave. */
function endOf(error, { crash, words }, reason) {
  const { signal, exitCode, stderr = '' } = error;
  const end = { reason, signal, exitCode };
  if (words !== '' || stderr !== '') end.lastWords = words || stderr;
  if (crash === null || crash.signal === 0) return end;
  const name = signalName(crash.signal);
  end.signal ??= exitCode === undefined ? name : undefined;
  const faults = crash.code > 0 && crash.code !== 128;
  end.fault = {
    signal: name,
    code: (crash.code > 0 ? CODES[name]?.[crash.code - 1] : undefined) ?? SENT[crash.code] ?? `code ${crash.code}`,
    ...(faults ? { address: crash.address } : {}),
    ...(crash.code <= 0 ? { sender: crash.sender } : {}),
    thread: { id: crash.thread, name: crash.threadName },
  };
  return end;
}

/** Of what the agent knows of a dead process, in the form of Node's. */
function usageOf([userCpuSeconds, kernelCpuSeconds, kilobytes, IORequired, IONotRequired, reads, writes]) {
  return { userCpuSeconds, kernelCpuSeconds, maxRss: kilobytes * 1024, pageFaults: { IORequired, IONotRequired }, fsActivity: { reads, writes } };
}

function javascriptStackOf(error) {
  const [message, ...stack] = (typeof error.stack === 'string' ? error.stack : '').split('\n');
  const lines = stack.map((line) => line.trim()).filter((line) => line.startsWith('at '));
  return { message, stack: lines, errorProperties: { code: error.code } };
}

/** The ring to show first: of the thread that crashed, else one with an entry that has not returned, else the main thread's. */
function chooseRing(rings, crash, pid) {
  return rings.find(({ thread: id }) => crash !== null && id === crash.thread) ??
    rings.find(({ thread: id, calls }) => id !== 0 && calls.some(({ open }) => open)) ?? rings.find(({ thread: id }) => id === pid) ?? rings[0];
}

const line = ({ depth, text }) => `${'  '.repeat(Math.min(depth, 40))}${text}`;

class Report {
  constructor(error, files, { trigger = TRIGGERS[error.code] ?? 'HostDied', usage, recorded, reason, launch }) {
    const left = parse(recorded);
    const { crash } = left;
    const ring = chooseRing(left.rings, crash, error.pid);
    const calls = ring?.calls ?? [];
    const native = crash === null ? [] : namesOf(crash);
    const { fault, ...end } = endOf(error, left, reason);
    this.header = headerOf(error.message, trigger, error.pid);
    this.addon = addonOf(error, files, crash, native);
    this.addons = files;
    this.end = end;
    if (launch !== undefined) this.launch = launch;
    if (fault !== undefined) this.fault = fault;
    this.pending = { call: error.pending, calls: calls.filter(({ open }) => open).map(line) };
    this.javascriptStack = javascriptStackOf(error);
    this.nativeStack = native;
    this.registers = crash?.registers ?? {};
    this.calls = calls.map(line);
    this.otherThreads = left.rings.filter((each) => each !== ring).map((each) => ({ id: each.thread, calls: each.calls.map(line) }));
    if (usage !== undefined) this.resourceUsage = usageOf(usage);
    this.userLimits = crash === null ? {} : limitsOf(crash);
    this.modules = (crash?.modules ?? []).map((module) => ({ ...module, path: module.path || hostFile() }));
    this.sharedObjects = this.modules.slice(1).map((module) => module.path);
  }

  /** The same for people. */
  toString() {
    return textOf(this);
  }
}

/** Of an error that tells of a host: what the agent calls when somebody reads `error.report`. */
function reportOf(error, files, usage, recorded, reason) {
  return new Report(error, files, { usage, recorded, reason });
}

/** Gives an error that has no host its `report`, made when it is read, as the agent does it for the others. `launch`: what was tried. */
function offerReport(error, launch) {
  const facts = launch === undefined ? { trigger: TRIGGERS[error.code] ?? 'Aborted' } : { reason: 'launch-failed', launch };
  Object.defineProperty(error, 'report', {
    configurable: true,
    get() {
      const value = new Report(error, [error.addon], facts);
      Reflect.defineProperty(error, 'report', { value, writable: true, configurable: true });
      return value;
    },
  });
  return error;
}

/** What Host.report() gives: of a host that lives, or of one that has died. */
function reportOfHost(native, serial) {
  const { pid, files } = native.hosts().find((host) => host.serial === serial) ?? { files: [] };
  const asked = new Error(`A report of the host process of ${files[0] ?? 'no addon'} (pid ${pid}) was asked for`);
  Error.captureStackTrace(asked, reportOfHost);
  const [recorded, usage, reason, signal, exitCode] = native.recorded(serial) ?? [];
  return new Report(Object.assign(asked, { pid, signal, exitCode }), files, { trigger: 'GetReport', recorded, usage, reason });
}

// ---- Files ----

let written = 0;

function defaultName(pid = 0) {
  const [day, time] = new Date().toISOString().replace(/[-:]/g, '').slice(0, 15).split('T');
  return `napi-remote.${day}.${time}.${pid}.${threadId}.${String(++written).padStart(3, '0')}.json`;
}

/** Level by level: where Node's own makes all of them (`recursive`) it tries for ever when the system says of a folder that what is above it is not there, /proc among them. */
function makeFolder(folder) {
  const make = () => {
    try {
      fs.mkdirSync(folder);
      return undefined;
    } catch (error) {
      return error.code === 'EEXIST' && fs.statSync(folder).isDirectory() ? undefined : error;
    }
  };
  let error = make();
  if (error?.code === 'ENOENT' && path.dirname(folder) !== folder) {
    makeFolder(path.dirname(folder));
    error = make();
  }
  if (error !== undefined) throw error;
}

/** Writes a report and its text beside it; the path of the former. */
function write(report, { directory = '.', filename, compact = false }) {
  const file = path.resolve(directory, filename ?? defaultName(report.header.processId));
  report.header.filename = file;
  makeFolder(path.dirname(file));
  fs.writeFileSync(file, `${JSON.stringify(report, null, compact ? 0 : 2)}\n`, { mode: 0o600 });
  fs.writeFileSync(`${file.replace(/\.json$/, '')}.txt`, `${report}`, { mode: 0o600 });
  return file;
}

function wanted(group) {
  const directory = process.env.NAPI_REMOTE_REPORT_DIR;
  return thread.reports?.get(group) ?? (directory ? { directory } : undefined);
}

/** What the agent calls once for each host that has died, and errors.js for one that could not be started. A report that cannot be written is a warning: the program has its error anyway. */
function onDeath(error, group) {
  const where = wanted(group);
  if (where === undefined) return;
  try {
    write(error.report, where);
  } catch (failure) {
    process.emitWarning(`The report of a host's end cannot be written: ${failure.message}`, { code: 'NAPI_REMOTE_REPORT' });
  }
}

const OPTIONS = { directory: 'string', filename: 'string', compact: 'boolean' };

/** The option `report` of load(), checked; undefined when there is none. */
function toReportOption(option, name = 'options.report') {
  if (option === undefined) return undefined;
  if (typeof option !== 'object' || option === null) throw invalidType(name, 'of type object', option);
  for (const [key, value] of Object.entries(option)) {
    const type = OPTIONS[key];
    if (type === undefined) throw invalidValue(`${name}.${key}`, value, 'is not an option of a report');
    if (value !== undefined && typeof value !== type) throw invalidType(`${name}.${key}`, `of type ${type}`, value);
    if (type === 'string' && value !== undefined && (value === '' || value.includes('\0'))) {
      throw invalidValue(`${name}.${key}`, value, 'must be a non-empty string without null bytes');
    }
  }
  return { ...option };
}

/** Where the reports of a group's host go; undefined: nowhere. */
function setReport(group, option) {
  thread.reports ??= new Map();
  if (option === undefined) thread.reports.delete(group);
  else thread.reports.set(group, option);
}

module.exports = { offerReport, onDeath, reportOf, reportOfHost, setReport, toReportOption };
