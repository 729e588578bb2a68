'use strict';
// The host of an addon, as hostOf() gives it.
const diagnostics = require('node:diagnostics_channel');
const EventEmitter = require('node:events');
const fs = require('node:fs');
const { publicName } = require('./groups.js');
const thread = require('./thread.js');

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
function onExit(serial, code, signal, reason) {
  const heard = thread.onExit.get(serial);
  thread.onExit.delete(serial);
  for (const hear of heard ?? []) hear({ code, signal, reason });
}

class Host extends EventEmitter {
  #native;
  #file;
  #group;
  #serial;
  #pid;
  #exit = null;
  #counts;
  #announced = false;
  #signal;

  constructor(native, file, serial, { group, signal }) {
    super();
    this.#native = native;
    this.#file = file;
    this.#group = group;
    this.#signal = signal;
    this.#begin(serial);
  }

  #begin(serial) {
    this.#serial = serial;
    this.#pid = this.#native.hosts().find((host) => host.serial === serial)?.pid;
    this.#exit = null;
    const signal = this.#signal;
    const abort = () => this.#native.end(serial, signal);
    signal?.addEventListener('abort', abort, { once: true });
    const heard = thread.onExit.get(serial) ?? [];
    thread.onExit.set(serial, heard);
    heard.push((exit) => {
      signal?.removeEventListener('abort', abort);
      this.#exited(exit);
    });
    if (channels.spawn.hasSubscribers) channels.spawn.publish({ host: this, pid: this.#pid, addon: this.#file });
  }

  #exited(exit) {
    this.#counts = this.#native.counts(this.#serial);
    this.#exit = exit;
    if (channels.exit.hasSubscribers) channels.exit.publish({ host: this, pid: this.#pid, addon: this.#file, ...exit });
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
    return publicName(this.#group);
  }

  get exit() {
    return this.#exit === null ? null : { ...this.#exit };
  }

  counts() {
    const { calls, posts, entries, roundTrips, sleeps } = this.#counts ?? this.#native.counts(this.#serial);
    return { calls, posts, entries, roundTrips, sleeps };
  }

  stats() {
    const process = usage(this.#exit === null ? this.#pid : undefined);
    return { ...process, ...(this.#counts ?? this.#native.counts(this.#serial)) };
  }

  kill() {
    return this.#exit === null && this.#native.end(this.#serial);
  }

  ref() {
    this.#native.hold(this.#serial, true);
    return this;
  }

  unref() {
    this.#native.hold(this.#serial, false);
    return this;
  }

  [Symbol.dispose]() {
    this.kill();
  }
}

module.exports = { ANNOUNCE, Host, onExit };
