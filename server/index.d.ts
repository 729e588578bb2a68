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
 * Calls into the addon throw `ERR_NAPI_REMOTE_HOST_DIED` when its process has died (with `pid`, and `signal` or `exitCode`), and
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
