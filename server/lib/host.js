'use strict';
// The host of an addon, as hostOf() gives it.
const diagnostics = require('node:diagnostics_channel');
const EventEmitter = require('node:events');
const fs = require('node:fs');
const { createHistogram, performance } = require('node:perf_hooks');
const { abortError } = require('./errors.js');
const { publicName } = require('./groups.js');
const { reportOfHost } = require('./report.js');
const { NEVER, groupOf, onCall, onEnd, replace } = require('./restart.js');
const { merge, survey } = require('./survey.js');
const thread = require('./thread.js');
const { toPath } = require('./validate.js');

const channels = {
  spawn: diagnostics.channel('napi-remote:host:spawn'),
  exit: diagnostics.channel('napi-remote:host:exit'),
};

/** A method's name that another copy of this module knows too. */
const ANNOUNCE = Symbol.for('napi-remote.announce');

/** Of /proc/PID/stat and statm; both are as they are on every Linux that Node runs on. */
const TICK_MICROSECONDS = 10_000;
const PAGE_BYTES = 4096;

/** {resident, cpu}: of a process that is there; zeros for one that is not. */
function usage(pid) {
  try {
    const [, resident] = fs.readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind the name, which may contain anything, begins field 3; 14 and 15 are the times.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { resident: resident * PAGE_BYTES, cpu: { user: fields[11] * TICK_MICROSECONDS, system: fields[12] * TICK_MICROSECONDS } };
  } catch {
    return { resident: 0, cpu: { user: 0, system: 0 } };
  }
}

/** The agent says that a host has ended: from Node's loop, with no JavaScript below. */
function onExit(serial, code, signal, reason, pid) {
  const exit = { pid, code, signal, reason };
  const errors = [];
  for (const addon of [...thread.members.get(serial)?.addons ?? [], ...thread.leaving.get(serial) ?? []]) {
    try {
      addon.exited(serial, { ...exit });
    } catch (error) {
      errors.push(error);
    }
  }
  thread.leaving.delete(serial);
  // What a listener throws is the program's to hear, and nobody else's.
  for (const error of errors) process.nextTick(() => { throw error; });
  onEnd(serial);
}

/** Ends a process that nobody has called for so long, and that has nothing to do. */
function recycle(native, serial, milliseconds, group) {
  let { entries } = native.counts(serial);
  let quiet = performance.now();
  const timer = setInterval(() => {
    const counts = native.counts(serial);
    if (counts === undefined) return clearInterval(timer);
    if (counts.entries !== entries) {
      ({ entries } = counts);
      quiet = performance.now();
    } else if (performance.now() - quiet >= milliseconds && native.recycle(serial)) {
      group.recycled(serial);
      clearInterval(timer);
    }
    return undefined;
  }, Math.max(1, Math.ceil(milliseconds / 4)));
  timer.unref();
}

/** An addon in a host. `load(file)`: loads it again, gives {serial, exports}. */
class Host extends EventEmitter {
  #native;
  #load;
  #file;
  #group;
  #name;
  #signal;
  #init;
  #exports;
  #survey;
  #serial;
  #pid;
  #abort;
  #exit = null;
  #counts;
  #announced = false;
  #disposed = false;
  #held = false;
  #idle;
  #members;
  #times;
  #outputs = [null, null, null];
  /** What the agent's side calls. */
  #face = {
    serial: () => this.#serial,
    isDisposed: () => this.#disposed,
    isHeld: () => this.#held,
    isOver: () => this.#disposed || this.#signal?.aborted === true,
    again: () => this.#again(),
    end: () => this.#end(),
    exited: (serial, exit) => this.#exited(serial, exit),
    failed: (error) => this.#failed(error),
  };

  constructor(native, load, file, { group, signal, restart = NEVER, idle = 0, callTimes = false }) {
    super();
    this.#native = native;
    this.#load = load;
    this.#file = file;
    this.#name = group;
    this.#group = groupOf(group, restart);
    this.#signal = signal;
    this.#init = restart.init;
    this.#idle = idle;
    if (callTimes) this.#times = createHistogram();
  }

  /** A load into a group whose host is dead is a call of that. */
  prepare() {
    const dead = this.#native.hosts().find(({ group, alive }) => group === this.#name && !alive);
    if (dead !== undefined && this.#group.policy !== 'never') onCall(dead.serial);
  }

  /** `exports`: of the first load. */
  begin(serial, exports) {
    this.#exports = exports;
    this.#survey = survey(exports);
    this.#begin(serial);
  }

  #begin(serial) {
    this.#serial = serial;
    this.#pid = this.#native.hosts().find((host) => host.serial === serial)?.pid;
    this.#exit = null;
    this.#counts = undefined;
    if (this.#held) this.#native.hold(serial, true);
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#abort = () => this.#native.end(serial, this.#signal);
    this.#signal?.addEventListener('abort', this.#abort, { once: true });
    const members = this.#join(serial);
    members.addons.push(this.#face);
    if (channels.spawn.hasSubscribers) channels.spawn.publish({ host: this, pid: this.#pid, addon: this.#file });
  }

  /** What the addons of a process have together; the first one makes it. */
  #join(serial) {
    let members = thread.members.get(serial);
    if (members === undefined) {
      members = { serial, group: this.#group, addons: [], outputs: [] };
      const streams = this.#native.streams(serial);
      members.outputs = streams.map((fd, i) => (fd < 0 ? null : this.#group.attach(i, fd, members)));
      thread.members.set(serial, members);
      if (this.#idle > 0) recycle(this.#native, serial, this.#idle, this.#group);
    }
    this.#outputs = members.outputs;
    this.#members = members;
    return members;
  }

  /** Another process has this one's place; how it ended is still to be heard. */
  #leave() {
    if (this.#exit !== null) return;
    const leaving = thread.leaving.get(this.#serial) ?? [];
    leaving.push(this.#face);
    thread.leaving.set(this.#serial, leaving);
  }

  #again() {
    if (this.#signal?.aborted) throw abortError(this.#signal, this.#file);
    const { serial, exports } = this.#load(this.#file);
    this.#count();
    this.#leave();
    this.#native.inherit(this.#serial, serial);
    this.#survey = merge(this.#survey, survey(exports), this.#native);
    this.#begin(serial);
    if (this.#announced) process.nextTick(() => this.emit('spawn', { pid: this.#pid }));
    this.#init?.(this.#exports, this);
  }

  #failed(error) {
    const exit = { pid: error?.pid, code: error?.exitCode ?? null, signal: error?.signal ?? null, reason: 'launch-failed', error };
    if (channels.exit.hasSubscribers) channels.exit.publish({ host: this, addon: this.#file, ...exit });
    this.emit('exit', exit);
  }

  #exited(serial, exit) {
    if (serial === this.#serial) {
      this.#signal?.removeEventListener('abort', this.#abort);
      this.#counts = this.#native.counts(serial);
      this.#count();
      this.#exit = exit;
    }
    if (channels.exit.hasSubscribers) channels.exit.publish({ host: this, addon: this.#file, ...exit });
    this.emit('exit', exit);
  }

  /** The first time that somebody asks for this host: only then can there be a listener. */
  [ANNOUNCE]() {
    if (this.#announced) return;
    this.#announced = true;
    process.nextTick(() => this.emit('spawn', { pid: this.#pid }));
  }

  get pid() {
    return this.#pid;
  }

  get file() {
    return this.#file;
  }

  get group() {
    return publicName(this.#name);
  }

  get exit() {
    return this.#exit === null ? null : { ...this.#exit };
  }

  get callTimes() {
    this.#count();
    return this.#times;
  }

  /** What the agent has counted. */
  #count() {
    if (this.#times === undefined) return;
    const times = this.#native.times(this.#serial) ?? [];
    for (let i = 0; i < times.length; i += 2) {
      for (let left = times[i + 1]; left > 0; left--) this.#times.record(Math.max(1, times[i]));
    }
  }

  get stdout() {
    return this.#outputs[1];
  }

  get stderr() {
    return this.#outputs[2];
  }

  counts() {
    const { calls, posts, entries, roundTrips, sleeps } = this.#counted();
    return { calls, posts, entries, roundTrips, sleeps };
  }

  stats() {
    const process = usage(this.#exit === null ? this.#pid : undefined);
    return { ...process, ...this.#counted() };
  }

  #counted() {
    return this.#counts ?? this.#native.counts(this.#serial);
  }

  /** What it was doing: of a living host, or of one that has died. */
  report() {
    return reportOfHost(this.#native, this.#serial);
  }

  kill() {
    return this.#exit === null && this.#native.end(this.#serial);
  }

  restart() {
    if (this.#signal?.aborted) throw abortError(this.#signal, this.#file);
    this.#disposed = false;
    this.#end();
    replace(this.#members);
    return this;
  }

  reload(file = this.#file) {
    const before = this.#file;
    this.#file = toPath(file);
    try {
      return this.restart();
    } catch (error) {
      this.#file = before;
      throw error;
    }
  }

  #end() {
    this.#native.end(this.#serial);
    this.#native.awaitEnd(this.#serial);
  }

  ref() {
    return this.#hold(true);
  }

  unref() {
    return this.#hold(false);
  }

  #hold(holds) {
    this.#held = holds;
    this.#native.hold(this.#serial, holds);
    return this;
  }

  [Symbol.dispose]() {
    this.#disposed = true;
    this.kill();
  }
}

module.exports = { ANNOUNCE, Host, onExit };
