'use strict';
// What napi-remote knows about this thread. It hangs on `process`, which each thread has its own of, and not in a module: another copy of this module (after
// a cleared require cache, or from a second installation) must find Node's own dlopen(), not the hook, and must not give a second host the first one's name.
const KEY = Symbol.for('napi-remote.thread');

if (process[KEY] === undefined) {
  Object.defineProperty(process, KEY, {
    value: {
      /** process.dlopen() from before register.js puts something in its place. */
      dlopen: process.dlopen,
      registered: false,
      /** {native, agentPath}: the agent, once it is loaded. */
      agent: undefined,
      /** How many hosts were started for one load each. */
      loads: 0,
      /** Name of a group → Group (restart.js). */
      groups: new Map(),
      /** Serial of a host → {group, addons}: what lives there. */
      members: new Map(),
      /** Serial of a host that another one has replaced → what lived there, until it is known how it ended. */
      leaving: new Map(),
      /** Exports of isolated addons → Host. */
      hostByExports: new WeakMap(),
    },
  });
}

module.exports = process[KEY];
