'use strict';
// `node -r napi-remote/register app.js`: every native addon that the program loads lives in a host process. All ways of loading one end in
// process.dlopen(): require('./x.node'), bindings, node-gyp-build, the loaders of napi-rs.
const { dlopenIsolated, originalDlopen } = require('./lib/agent.js');

const HOOKED = Symbol.for('napi-remote.dlopen');

/** All addons of a thread share this host, as they share a process without it: some pass pointers to each other. */
const SHARED = '';

function toFlags(flags) {
  return flags === undefined ? 0 : Number(flags) | 0;
}

if (!process.dlopen[HOOKED]) {
  const dlopen = {
    dlopen(module, filename, flags) {
      // What Node refuses is Node's to refuse, with its own words.
      if (arguments.length < 2 || typeof filename !== 'string' || typeof module !== 'object' || module === null) {
        return Reflect.apply(originalDlopen, process, arguments);
      }
      return dlopenIsolated(module, filename, toFlags(flags), SHARED);
    },
  }.dlopen;
  Object.defineProperty(dlopen, HOOKED, { value: true });
  Object.defineProperty(dlopen, 'length', { value: originalDlopen.length, configurable: true });
  process.dlopen = dlopen;
}
