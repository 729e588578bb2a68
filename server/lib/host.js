'use strict';
// The host of an addon, as hostOf() gives it, and how hosts are named: all threads of the program know a host by the same name.
const { threadId } = require('node:worker_threads');
const { reportOfHost } = require('./report.js');

/** What `register` puts all addons of the program into, since they share a process without it too: some pass pointers to each other. */
const SHARED = '';

const NAMED = 'group ';

/** Names for the agent, such that a group that the user names can be no other host. */
function namedGroup(name) {
  return NAMED + name;
}

function ownGroup(number) {
  return `load ${threadId}.${number}`;
}

/** What the user knows the host by. */
function publicName(group) {
  if (group === SHARED) return SHARED;
  return group.startsWith(NAMED) ? group.slice(NAMED.length) : undefined;
}

class Host {
  #native;
  #file;
  #group;
  #pid;

  constructor(native, file, group) {
    this.#native = native;
    this.#file = file;
    this.#group = group;
    this.#pid = native.hosts().find((host) => host.group === group)?.pid;
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

  counts() {
    return this.#native.counts(this.#group);
  }

  /** What it was doing: of a living host, or of one that has died. */
  report() {
    return reportOfHost(this.#native, this.#group);
  }

  kill() {
    const alive = this.#native.hosts().some((host) => host.group === this.#group && host.alive);
    return alive && this.#native.kill(this.#group);
  }
}

module.exports = { Host, SHARED, namedGroup, ownGroup };
