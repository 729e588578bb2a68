'use strict';
// When a host that has died gets another one in its place. What is counted is counted for a group, which is one process.
const { isOwn } = require('./groups.js');
const { Output } = require('./streams.js');
const thread = require('./thread.js');

const WINDOW = 60_000;

/** {policy, initial, maximum, factor, most}: of the option `restart`, checked. */
const NEVER = Object.freeze({ policy: 'never', initial: 0, maximum: 0, factor: 1, most: 0 });

class Group {
  #rules;
  #starts = [];
  #started = Date.now();
  #delay = 0;
  /** Serial of the death that `until` is about. */
  #noted;
  #until = 0;
  #spared = 0;
  /** Serial of the one that was ended because nobody needed it. */
  #resting;
  /** Output by number of the stream. */
  #outputs = [];

  constructor(rules) {
    this.#rules = rules;
  }

  /** What a process prints, from now on; the stream. When it ends with nothing in its place, so does that. */
  attach(number, fd, members) {
    if (this.#outputs[number]?.hasEnded !== false) this.#outputs[number] = new Output();
    this.#outputs[number].attach(fd, () => this.policy === 'never' || members.addons.every((addon) => addon.isOver()));
    return this.#outputs[number].stream;
  }

  get policy() {
    return this.#rules.policy;
  }

  /** Milliseconds until the host that died may be replaced, counted from when this was first asked about it. Infinity: not any more. */
  wait(serial) {
    const now = Date.now();
    if (this.#noted !== serial) {
      const { initial, maximum, factor } = this.#rules;
      const calm = now - this.#started > Math.max(maximum, initial);
      const first = this.#starts.length === 0 || calm;
      this.#delay = first ? 0 : Math.min(maximum, Math.max(initial, this.#delay * factor));
      this.#noted = serial;
      this.#until = now + this.#delay;
    }
    this.#starts = this.#starts.filter((start) => now - start < WINDOW);
    if (this.#spared === 0 && this.#starts.length >= this.#rules.most) return Infinity;
    return Math.max(0, this.#until - now);
  }

  /** It was ended because nobody needed it: the next one starts when somebody does, and does not count. */
  recycled(serial) {
    this.#noted = serial;
    this.#resting = serial;
    this.#until = 0;
    this.#spared++;
  }

  /** Has it been ended so? Then only a call brings another one. */
  isResting(serial) {
    return this.#resting === serial;
  }

  /** There was no other: the next attempt waits. */
  failed(serial) {
    this.#noted = undefined;
    this.wait(serial);
  }

  /** The next process. */
  advance() {
    this.#started = Date.now();
    if (this.#spared > 0) this.#spared = 0;
    else this.#starts.push(this.#started);
  }
}

/** The group of that name, as whoever loads into it first wants it. That of one load nobody looks for. */
function groupOf(name, rules) {
  if (isOwn(name)) return new Group(rules);
  let group = thread.groups.get(name);
  if (group === undefined) {
    group = new Group(rules);
    thread.groups.set(name, group);
  }
  return group;
}

/**
 * Starts another process in the place of that host, with the addons that lived there, in their order. What none of them could be loaded for is thrown; otherwise those that could
 * not are left behind.
 */
function replace(members) {
  const { serial } = members;
  thread.members.delete(serial);
  members.group.advance();
  const addons = members.addons.filter((addon) => addon.serial() === serial && !addon.isDisposed());
  const failures = [];
  for (const addon of addons) {
    try {
      addon.again();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length < addons.length || addons.length === 0) return;
  const begun = addons.find((addon) => addon.serial() !== serial);
  if (begun === undefined) thread.members.set(serial, members);
  else begun.end(); // what it should have been told at first it was not: the next one is
  throw failures[0];
}

/** A call into a host that is dead: from the agent. */
function onCall(serial) {
  const members = thread.members.get(serial);
  if (members === undefined || members.addons.every((addon) => addon.isDisposed())) return;
  if (members.group.wait(serial) > 0) return;
  try {
    replace(members);
  } catch (error) {
    members.group.failed(serial);
    throw error;
  }
}

/** A host has ended, and all have heard of it. Nobody looks for one that is not replaced: it goes with its exports. */
function onEnd(serial) {
  const members = thread.members.get(serial);
  if (members?.group.policy === 'never') thread.members.delete(serial);
  if (members?.group.policy !== 'at-once' || members.group.isResting(serial) || members.addons.every((addon) => addon.isOver())) return;
  const wait = members.group.wait(serial);
  if (wait > 0) {
    if (wait === Infinity) return;
    const timer = setTimeout(onEnd, wait, serial);
    if (!members.addons.some((addon) => addon.isHeld())) timer.unref();
    return;
  }
  try {
    replace(members);
  } catch (error) {
    members.group.failed(serial);
    try {
      for (const addon of members.addons) addon.failed(error);
    } finally {
      onEnd(serial);
    }
  }
}

module.exports = { NEVER, groupOf, onCall, onEnd, replace };
