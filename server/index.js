'use strict';
// What `require('napi-remote')` gives: addons loaded one by one, each in a host process of its own. server/index.d.ts documents it.
const os = require('node:os');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { dlopenIsolated, getAgent } = require('./lib/agent.js');
const { ANNOUNCE } = require('./lib/host.js');
const { toOptions } = require('./lib/options.js');
const thread = require('./lib/thread.js');
const { invalidType, invalidValue } = require('./lib/validate.js');

// As Node tells them: not by their class, since every realm has its own.
function isUrl(value) {
  return typeof value === 'object' && value !== null && typeof value.href === 'string' && typeof value.protocol === 'string';
}

function toPath(file) {
  if (isUrl(file)) return fileURLToPath(file);
  if (typeof file !== 'string') throw invalidType('file', 'of type string or an instance of URL', file);
  if (file === '' || file.includes('\0')) throw invalidValue('file', file, 'must be a non-empty string without null bytes');
  return file.startsWith('file:') ? fileURLToPath(file) : path.resolve(file);
}

function abortError(signal, file) {
  const error = new Error(`The load of ${file} was aborted`, { cause: signal.reason });
  Object.defineProperty(error, 'name', { value: 'AbortError', writable: true, configurable: true });
  return Object.assign(error, { code: 'ABORT_ERR', addon: file });
}

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
