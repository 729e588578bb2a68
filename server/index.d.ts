/**
 * Native addons, unmodified, in a process of their own.
 *
 * ```js
 * const { load, hostOf } = require('napi-remote');
 * const crc32 = load(require.resolve('@node-rs/crc32-linux-x64-gnu'));
 * console.log(crc32.crc32('hello'), hostOf(crc32).pid !== process.pid); // 907060870 true
 * ```
 */

import type { EventEmitter } from 'node:events';
import type { RecordableHistogram } from 'node:perf_hooks';
import type { Readable } from 'node:stream';

/** How an addon is loaded. What concerns the process counts where the load starts one: a group has what its first load says. */
export interface LoadOptions {
  /**
   * Addons of one group share a host process, so that they can pass pointers to each other, in all threads of the program; without it each load has a host of
   * its own.
   * Any text but the empty one.
   */
  group?: string | undefined;
  /**
   * Milliseconds that a call into the addon may take, from JavaScript's call to its return, with all that is called back meanwhile; also what Node's loop calls: completions,
   * threadsafe functions, finalizers. A host that takes longer, hangs or is stopped is ended, and the call throws `ERR_NAPI_REMOTE_TIMEOUT`. Not limited unless it is told.
   * A load may take 30 seconds; `Infinity` is for those that may take any time. One number is for both.
   */
  timeout?: number | { call?: number | undefined; load?: number | undefined } | undefined;
  /**
   * Ends the host when it is aborted: the calls that it is in, and later ones, throw an `AbortError` with the signal's reason as `cause`, and nothing takes its place any more. While native code runs, JavaScript does
   * not, so nothing can abort it then: that is what `timeout` is for.
   */
  signal?: AbortSignal | undefined;
  /** Whether a host that has died gets another one in its place: by default `never`. A policy, or more. */
  restart?: Restart['policy'] | Restart | undefined;
  /** Ends a host that nobody has entered for so many milliseconds, that has nothing under way, and that no other thread uses; it is there again when it is called. Needs a `restart`, by default then `on-call`. */
  idle?: number | undefined;
  /** Has `callTimes` of hostOf() tell how long calls take. Each then costs 40 ns more. */
  callTimes?: boolean | undefined;
  /** What the process may take. */
  limits?: Limits | undefined;
  /**
   * The host's output: that of the program (`inherit`, the default), nowhere (`ignore`), or streams, `stdout` and `stderr` of hostOf(). One word is for both; an array is for stdin (`inherit` or `ignore`), stdout and
   * stderr. The streams outlast the process when another one takes its place, and end with the last one. What is printed while JavaScript is blocked, or does not read, is kept, up to
   * 64 MiB; then whoever prints waits.
   */
  stdio?: Stdio | ['inherit' | 'ignore', Stdio, Stdio] | undefined;
  /** Environment variables of the host, beside those of the program; undefined takes one away. */
  env?: Record<string, string | undefined> | undefined;
  /**
   * The command that starts the host, before the host's own: `['valgrind', '--error-exitcode=1']`, `['gdbserver', ':1234']`. Only the addon runs under it. It may become the host or
   * have it as a child, and must leave descriptors open.
   *
   * ```js
   * const { load } = require('napi-remote');
   * try {
   *   load(require.resolve('@node-rs/crc32-linux-x64-gnu'), { hostWrapper: ['sh', '-c', 'echo no >&2; exit 3'], stdio: 'pipe' });
   * } catch (error) {
   *   console.log(error.code, error.exitCode, error.stderr.trim()); // ERR_NAPI_REMOTE_LAUNCH 3 no
   * }
   * ```
   */
  hostWrapper?: string[] | undefined;
  /**
   * Buffers and ArrayBuffers of 128 KiB and more that the addon itself makes lie in memory that both processes map, so they are never copied. An addon that writes to one while JavaScript reads it can then end Node, as it
   * can in one process. With `false` they are copied like all others, when the turn is given: an addon that means harm cannot do that. By default true.
   */
  trusted?: boolean | undefined;
  /** Has a report written when the host dies, or cannot be started. `NAPI_REMOTE_REPORT_DIR` does that for all hosts. */
  report?: ReportOptions | undefined;
}

export type Stdio = 'inherit' | 'ignore' | 'pipe';

/** Limits of one host. What is over most of them is refused, as setrlimit(2) says, and the addon may take that badly. */
export interface Limits {
  /** Bytes of address space (RLIMIT_AS): allocations beyond fail. A host takes about 200 MiB to begin with. */
  addressSpace?: number | undefined;
  /** Bytes of memory that is there: looked at 20 times a second; a host that has more is ended, with the reason `oom`. */
  resident?: number | undefined;
  /** Seconds of processor time (RLIMIT_CPU): then it is ended, by SIGXCPU. */
  cpuSeconds?: number | undefined;
  /** Processes and threads of the user, all of them together (RLIMIT_NPROC); not for root. */
  processes?: number | undefined;
  /** Numbers of open files are smaller than this (RLIMIT_NOFILE). */
  openFiles?: number | undefined;
}

/**
 * When another process takes the place of one that has died. The exports stay the same objects, and so do their functions and classes, which work in the new process; what native code
 * keeps (C statics, what objects hold) begins anew. Objects of the old process throw `ERR_NAPI_REMOTE_GONE` when they are used.
 *
 * ```js
 * const { hostOf, load } = require('napi-remote');
 * const crc32 = load(require.resolve('@node-rs/crc32-linux-x64-gnu'), { restart: 'on-call' });
 * const host = hostOf(crc32);
 * const { pid } = host;
 * host.once('exit', ({ reason }) => {
 *   console.log(reason, crc32.crc32('hello'), host.pid !== pid); // killed 907060870 true
 * });
 * host.kill();
 * ```
 */
export interface Restart {
  /** `on-call`: when one of its functions is called next; `at-once`: as soon as Node's loop hears of it, or at the next call, whichever is first; after an `idle` end it is the call. */
  policy: 'never' | 'on-call' | 'at-once';
  /**
   * Milliseconds until a host is replaced that did not live longer than `max`; until then calls throw what they threw before. The first time it is none, then `initial` (100), then
   * `factor` (2) times as long each time, up to `max` (10,000).
   */
  backoff?: { initial?: number | undefined; max?: number | undefined; factor?: number | undefined } | undefined;
  /** How often within a minute, by default 10; `Infinity` is as often as it takes. */
  max?: number | undefined;
  /** Called when the addon has been loaded again, before anything else is called: to tell it again what it was told at first. What it throws, whoever has called gets, and
   * that process ends too, unless other addons of the group live in it: the next one begins anew. */
  init?: ((exports: any, host: Host) => void) | undefined;
}

/** How a host ended. */
export interface Exit {
  /** Of the process that ended; undefined with `launch-failed` when there was none. */
  pid: number | undefined;
  /** Its exit code; null when a signal ended it. */
  code: number | null;
  signal: string | null;
  /**
   * `clean` (exit code 0, or the option `idle`), `oom` (more memory than `limits.resident`, or the kernel had none left and counts that for the control group, of version 2), `abnormal` (another one), `crashed` (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS), `killed` (another signal, `kill()`, an AbortSignal),
   * `timeout`, `protocol` (it sent what no host may send), `launch-failed` (another one was to take its place; `error` tells why none did).
   */
  reason: 'clean' | 'abnormal' | 'crashed' | 'killed' | 'oom' | 'timeout' | 'protocol' | 'launch-failed';
  error?: HostError | Error;
}

/**
 * What is on errors with a `code` of `ERR_NAPI_REMOTE_HOST_DIED`, `_TIMEOUT`, `_PROTOCOL` or `_GONE` (then of the host that the object belonged to), and on an `AbortError`. Those with `_LAUNCH`, `_UNSUPPORTED` and `_QUOTA`, and the `AbortError` of
 * a load that never began, have of it what there is: `addon` and `report`; `pid` when a process was started; how that ended.
 */
export interface HostError extends Error {
  code: string;
  /** Of the host; none when none was started. */
  pid?: number;
  /** The file of the addon that was loaded first; of a load that failed, that of the addon. */
  addon: string;
  /** What ended the host, when that is known: one of the two. */
  signal?: string;
  exitCode?: number;
  /** The Node-API call of the host that was being served; none: it was in native code. */
  pending?: string;
  /** The last Node-API call of the host that came to Node. */
  lastCall?: string;
  /** With `ERR_NAPI_REMOTE_LAUNCH` and `stdio: 'pipe'`: what was printed there. */
  stderr?: string;
  /** What is known of the end, or of what was tried, made when it is read. */
  report?: Report;
}

/** Where reports go: two files each, JSON and beside it the text for people (`.txt` instead of `.json`). */
export interface ReportOptions {
  /** Is made when it is not there; the working directory by default. */
  directory?: string | undefined;
  /** The name of the JSON; by default one with time, pid and a number. */
  filename?: string | undefined;
  /** The JSON in one line. */
  compact?: boolean | undefined;
}

/** A frame of native code. */
export interface NativeFrame {
  pc: string;
  /** `function [file]`, as in Node's reports. */
  symbol: string;
  function?: string;
  /** Bytes from the function's beginning. */
  offset?: number;
  module?: string;
  /** `file:line` */
  source?: string;
  /** The functions that the compiler has put into this one there, innermost first: `source` is in the first. */
  inlined?: string[];
}

/**
 * What is known of the end of a host: `error.report` of `ERR_NAPI_REMOTE_HOST_DIED` and the others, made when it is read. In the form of Node's diagnostic reports;
 * docs/report.md describes the members and has an example. `String(report)` is the text for people.
 *
 * ```js
 * const { hostOf, load } = require('napi-remote');
 * const crc32 = load(require.resolve('@node-rs/crc32-linux-x64-gnu'));
 * crc32.crc32('hello');
 * hostOf(crc32).kill();
 * try {
 *   crc32.crc32('again');
 * } catch ({ report }) {
 *   console.log(report.end.signal, report.addon.name); // SIGKILL @node-rs/crc32-linux-x64-gnu
 *   console.log(report.calls.at(-1).trim()); // napi_create_uint32 {value=907060870} = napi_ok {result=907060870}
 * }
 * ```
 */
export interface Report {
  header: Record<string, unknown>;
  addon: { file?: string; name?: string; version?: string; buildId?: string };
  addons: string[];
  /** Without a reason: it lives, or there is none. */
  end: { reason?: Exit['reason']; signal?: string; exitCode?: number; lastWords?: string };
  /** Of a host that could not be started: what was tried. */
  launch?: { command: string[]; timeout: { call: number | null; load: number | null }; limits: Limits };
  /** Of a signal that the host's handler saw. */
  fault?: { signal: string; code: string; address?: string; sender?: number; thread: { id: number; name: string } };
  pending: { call?: string; calls: string[] };
  javascriptStack: { message: string; stack: string[]; errorProperties: Record<string, unknown> };
  nativeStack: NativeFrame[];
  registers: Record<string, string>;
  /** The last 64 Node-API calls, newest last. */
  calls: string[];
  otherThreads: { id: number; calls: string[] }[];
  /** What the process took; not there as long as it lives. */
  resourceUsage?: {
    userCpuSeconds: number; kernelCpuSeconds: number; maxRss: number;
    pageFaults: { IORequired: number; IONotRequired: number }; fsActivity: { reads: number; writes: number };
  };
  userLimits: Record<string, { soft: number | 'unlimited'; hard: number | 'unlimited' }>;
  modules: { base: string; path: string; buildId: string }[];
  sharedObjects: string[];
}

/** A process in which addons live. */
export interface HostInfo {
  pid: number;
  /** The addons in it, by file, in the order in which they were loaded. */
  files: string[];
  /** False once it has died: calls into it throw `ERR_NAPI_REMOTE_HOST_DIED`. */
  alive: boolean;
}

/** Counts of this thread, since it has been using the host. */
export interface Counts {
  /** Node-API calls that waited for Node's answer. */
  calls: number;
  /** Node-API calls that did not wait. */
  posts: number;
  /** Times that Node entered the host: loads, calls of its functions, finalizers. */
  entries: number;
  /** `calls + entries`: each is one round trip between the processes. Node-API calls that the host answers itself cost none. */
  roundTrips: number;
  /** Times that Node's thread went to sleep while it waited for the host. */
  sleeps: number;
}

/** Counts, and what the process takes. */
export interface Stats extends Counts {
  /** Bytes of memory that it has; 0 when it is dead. */
  resident: number;
  /** Microseconds of processor time, in steps of 10,000. */
  cpu: { user: number; system: number };
  /** Handles and references of its that are alive in Node. */
  handles: number;
  references: number;
}

/**
 * The host of an addon. Events:
 * - `spawn` `({ pid })`: it has been started, or another one in its place;
 * - `exit` `(exit: Exit)`: it has ended. From Node's loop, hence after the call that threw for it. What the host had begun is settled by then: promises that it was to settle
 *   are rejected with the same error, work and threadsafe functions have ended.
 *
 * Neither keeps the program running, unless `ref()` says so. The channels `napi-remote:host:spawn` and `napi-remote:host:exit` of
 * `node:diagnostics_channel` tell the same of all hosts: `{ host, pid, addon }`, and the properties of Exit.
 *
 * ```js
 * const { hostOf, load } = require('napi-remote');
 * const crc32 = load(require.resolve('@node-rs/crc32-linux-x64-gnu'));
 * const host = hostOf(crc32);
 * host.on('exit', ({ signal, reason }) => {
 *   console.log(signal, reason); // SIGKILL killed
 * });
 * host.kill();
 * ```
 */
export interface Host extends EventEmitter {
  /** Of the process that is there now. */
  readonly pid: number;
  /** The group that load() was given; undefined for a host of one load, the empty string for that of `napi-remote/register`. */
  readonly group: string | undefined;
  /** The addon's file. */
  readonly file: string;
  /** How it ended; null: it lives, or Node's loop has not heard of it yet. */
  readonly exit: Exit | null;
  /** What it prints, with the option `stdio`; null when that is inherited or ignored. They keep no program running. */
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
  /**
   * With the option `callTimes`: nanoseconds of entries from outside, with all that was nested in them, to 3 percent. What is new is added when this is read. Undefined without the option, and
   * for an addon that another load has started the host of.
   */
  readonly callTimes: RecordableHistogram | undefined;
  counts(): Counts;
  stats(): Stats;
  /** What the host is doing, or was when it died: the last calls, and after a crash all that `error.report` has. */
  report(): Report;
  /** Ends the host with SIGKILL, and with it all addons that live there, other threads' too. False when it is dead already. */
  kill(): boolean;
  /** Ends the host, if it lives, and starts another in its place, whatever the option `restart` says; with all addons of its group. */
  restart(): this;
  /** The same for a file that has been built anew, or another one. When that cannot be loaded the host is dead, and what takes its place, if anything does, has the file from before. */
  reload(file?: string | URL): this;
  /** Keeps the program running as long as the host lives, or what takes its place. */
  ref(): this;
  /** Takes that back: then only what the addon has begun does, as in one process. */
  unref(): this;
  /** `kill()`, at the end of a `using` block, and whatever the option `restart` says this addon has no other host then, unless `restart()` is called. */
  [Symbol.dispose](): void;
}

/**
 * Loads an addon into a host process and returns what `require()` would: its exports.
 *
 * `file` is a path (a relative one is relative to the working directory) or a `file:` URL. Throws
 * - `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the arguments are wrong;
 * - `ERR_DLOPEN_FAILED`: the loader refused the file, in its own words, as Node reports it;
 * - `ERR_NAPI_REMOTE_UNSUPPORTED`: the addon uses V8, Node internals or a library of Node's own, or a Node-API version that this Node lacks;
 * - `ERR_NAPI_REMOTE_LAUNCH`: the host could not be started (with `pid`, `exitCode` or `signal`, a `report`, and with `stdio: 'pipe'` its `stderr`, as far as there is any);
 * - what the addon's own initialisation throws.
 *
 * Calls into the addon throw `ERR_NAPI_REMOTE_HOST_DIED` when its process has died, `ERR_NAPI_REMOTE_TIMEOUT` when it took longer than `timeout` says, and
 * `ERR_NAPI_REMOTE_PROTOCOL` when it sent what no host may send: see HostError. `ERR_NAPI_REMOTE_GONE` is for objects of a process that has another one in its place.
 *
 * ```js
 * const { load } = require('napi-remote');
 * try {
 *   load('/no/such/addon.node');
 * } catch (error) {
 *   console.log(error.code); // ERR_DLOPEN_FAILED
 * }
 * ```
 */
export function load(file: string | URL, options?: LoadOptions): any;

/**
 * The host processes that this thread uses, those of `napi-remote/register` included.
 *
 * ```js
 * const { hosts, load } = require('napi-remote');
 * load(require.resolve('@node-rs/crc32-linux-x64-gnu'));
 * console.log(hosts().length, hosts()[0].alive); // 1 true
 * ```
 */
export function hosts(): HostInfo[];

/**
 * The host of the addon whose exports these are, be they from load() or, under `napi-remote/register`, from `require()`; undefined for anything
 * else, and for exports that are no object or function.
 *
 * ```js
 * const { hostOf, load } = require('napi-remote');
 * const crc32 = load(require.resolve('@node-rs/crc32-linux-x64-gnu'), { group: 'hashes' });
 * const host = hostOf(crc32);
 * const before = host.counts().roundTrips;
 * crc32.crc32('hello');
 * console.log(host.group, host.counts().roundTrips - before); // hashes 1
 *
 * host.kill();
 * try {
 *   crc32.crc32('hello');
 * } catch (error) {
 *   console.log(error.code, error.signal); // ERR_NAPI_REMOTE_HOST_DIED SIGKILL
 * }
 * ```
 */
export function hostOf(exports: any): Host | undefined;
