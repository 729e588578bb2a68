'use strict';
// What `require('napi-remote')` gives: addons loaded one by one, each in a host process of its own. server/index.d.ts documents it.
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { dlopenIsolated, getAgent } = require('./lib/agent.js');
const { invalidType, invalidValue } = require('./lib/validate.js');

const OPTIONS = new Set(['group']);

let loads = 0;
const hostByExports = new WeakMap();

function toPath(file) {
  if (file instanceof URL) return fileURLToPath(file);
  if (typeof file !== 'string') throw invalidType('file', 'of type string or an instance of URL', file);
  if (file === '' || file.includes('\0')) throw invalidValue('file', file, 'must be a non-empty string without null bytes');
  return file.startsWith('file:') ? fileURLToPath(file) : path.resolve(file);
}

function toGroup(options) {
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'of type object', options);
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) throw invalidValue(`options.${name}`, options[name], 'is not an option of load()');
  }
  const { group } = options;
  if (group === undefined) return `load ${++loads}`;
  if (typeof group !== 'string') throw invalidType('options.group', 'of type string', group);
  if (group === '') throw invalidValue('options.group', group, 'must not be empty');
  return `group ${group}`;
}

class Host {
  #group;
  #file;
  #pid;

  constructor(group, file, pid) {
    this.#group = group;
    this.#file = file;
    this.#pid = pid;
  }

  get pid() {
    return this.#pid;
  }

  get file() {
    return this.#file;
  }

  counts() {
    return getAgent().native.counts(this.#group);
  }

  kill() {
    return getAgent().native.kill(this.#group);
  }
}

function load(file, options = {}) {
  const resolved = toPath(file);
  const group = toGroup(options);
  const module = { exports: {}, filename: resolved, id: resolved, loaded: false };
  dlopenIsolated(module, resolved, 0, group);
  const { exports } = module;
  if ((typeof exports === 'object' && exports !== null) || typeof exports === 'function') {
    const { pid } = getAgent().native.hosts().find((host) => host.group === group);
    hostByExports.set(exports, new Host(group, resolved, pid));
  }
  return exports;
}

function hosts() {
  return getAgent().native.hosts().map(({ pid, files, alive }) => ({ pid, files, alive }));
}

function hostOf(exports) {
  return hostByExports.get(exports);
}

module.exports = { load, hosts, hostOf };
