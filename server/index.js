'use strict';
// What `require('napi-remote')` gives: addons loaded one by one, each in a host process of its own. server/index.d.ts documents it.
const os = require('node:os');
const { dlopenIsolated, getAgent } = require('./lib/agent.js');
const { abortError } = require('./lib/errors.js');
const { ANNOUNCE } = require('./lib/host.js');
const { toOptions } = require('./lib/options.js');
const thread = require('./lib/thread.js');
const { toPath } = require('./lib/validate.js');

function load(file, options = {}) {
  const resolved = toPath(file);
  const checked = toOptions(options);
  const { signal } = checked;
  if (signal?.aborted) throw abortError(signal, resolved);
  const module = { exports: {}, filename: resolved, id: resolved, loaded: false };
  dlopenIsolated(module, resolved, os.constants.dlopen.RTLD_LAZY, checked);
  return module.exports;
}

function hosts() {
  return getAgent().native.hosts().map(({ pid, files, alive }) => ({ pid, files, alive }));
}

function hostOf(exports) {
  const host = thread.hostByExports.get(exports);
  host?.[ANNOUNCE]();
  return host;
}

module.exports = { load, hosts, hostOf };
