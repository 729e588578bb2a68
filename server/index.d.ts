/**
 * Native addons, unmodified, in a process of their own.
 *
 * ```js
 * const { load, hostOf } = require('napi-remote');
 * const crc32 = load(require.resolve('@node-rs/crc32-linux-x64-gnu'));
 * console.log(crc32.crc32('hello'), hostOf(crc32).pid !== process.pid); // 907060870 true
 * ```
 */

/** How an addon is loaded. */
export interface LoadOptions {
  /**
   * Addons of one group share a host process, so that they can pass pointers to each other, in all threads of the program; without it each load has a host of
   * its own.
   * Any text but the empty one.
   */
  group?: string | undefined;
  /** Has a report written when the host dies. `NAPI_REMOTE_REPORT_DIR` does that for all hosts. */
  report?: ReportOptions | undefined;
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
 * What is known of the end of a host: `error.report` of `ERR_NAPI_REMOTE_HOST_DIED`, made when it is read. In the form of Node's diagnostic reports;
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
  end: { signal?: string; exitCode?: number; lastWords?: string };
  /** Of a signal that the host's handler saw. */
  fault?: { signal: string; code: string; address?: string; sender?: number; thread: { id: number; name: string } };
  pending: { call?: string; calls: string[] };
  javascriptStack: { message: string; stack: string[]; errorProperties: Record<string, unknown> };
  nativeStack: NativeFrame[];
  registers: Record<string, string>;
  /** The last 64 Node-API calls, newest last. */
  calls: string[];
  otherThreads: { id: number; calls: string[] }[];
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

/** The host of an addon. */
export interface Host {
  readonly pid: number;
  /** The group that load() was given; undefined for a host of one load, the empty string for that of `napi-remote/register`. */
  readonly group: string | undefined;
  /** The addon's file. */
  readonly file: string;
  counts(): Counts;
  /** What the host is doing, or was when it died: the last calls, and after a crash all that `error.report` has. */
  report(): Report;
  /** Ends the host with SIGKILL, and with it all addons that live there, other threads' too. False when it is dead already. */
  kill(): boolean;
}

/**
 * Loads an addon into a host process and returns what `require()` would: its exports.
 *
 * `file` is a path (a relative one is relative to the working directory) or a `file:` URL. Throws
 * - `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`: the arguments are wrong;
 * - `ERR_DLOPEN_FAILED`: the loader refused the file, in its own words, as Node reports it;
 * - `ERR_NAPI_REMOTE_UNSUPPORTED`: the addon uses V8 or Node internals, or a Node-API version that this Node lacks;
 * - `ERR_NAPI_REMOTE_LAUNCH`: the host could not be started;
 * - what the addon's own initialisation throws.
 *
 * Calls into the addon throw `ERR_NAPI_REMOTE_HOST_DIED` when its process has died (with `pid`, `signal` or `exitCode`, and `report`), and
 * `ERR_NAPI_REMOTE_PROTOCOL` when it sent what no host may send.
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
