'use strict';
// How hosts are named for the agent: all threads of the program know a host by the same name, and a group that the user names can be no other host.
const { threadId } = require('node:worker_threads');

/** What `register` puts all addons of the program into, since they share a process without it too: some pass pointers to each other. */
const SHARED = '';

const NAMED = 'group ';

function namedGroup(name) {
  return NAMED + name;
}

const OWN = 'load ';

/** Of one load. */
function ownGroup(number) {
  return `${OWN}${threadId}.${number}`;
}

function isOwn(name) {
  return name.startsWith(OWN);
}

/** Addons that one rule of a configuration is for. */
function ruleGroup(name) {
  return `rule ${name}`;
}

/** What the user knows the host by. */
function publicName(group) {
  if (group === SHARED) return SHARED;
  return group.startsWith(NAMED) ? group.slice(NAMED.length) : undefined;
}

module.exports = { SHARED, isOwn, namedGroup, ownGroup, publicName, ruleGroup };
