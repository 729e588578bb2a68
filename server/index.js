'use strict';
// What `require('napi-remote')` gives: addons loaded one by one, each in a host process of its own. server/index.d.ts documents it.
const os = require('node:os');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { dlopenIsolated, getAgent } = require('./lib/agent.js');
const { namedGroup, ownGroup } = require('./lib/host.js');
const { setReport, toReportOption } = require('./lib/report.js');
const thread = require('./lib/thread.js');
const { invalidType, invalidValue } = require('./lib/validate.js');

const OPTIONS = new Set(['group', 'report']);

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

function toGroup(options) {
  if (typeof options !== 'object' || options === null) throw invalidType('options', 'of type object', options);
  for (const name of Object.keys(options)) {
    if (!OPTIONS.has(name)) throw invalidValue(`options.${name}`, options[name], 'is not an option of load()');
  }
  const { group } = options;
  if (group === undefined) return ownGroup(++thread.loads);
  if (typeof group !== 'string') throw invalidType('options.group', 'of type string', group);
  if (group === '' || group.includes('\0')) {
    throw invalidValue('options.group', group, 'must be a non-empty string without null bytes');
  }
  return namedGroup(group);
}

function load(file, options = {}) {
  const resolved = toPath(file);
  const group = toGroup(options);
  setReport(group, toReportOption(options.report));
  const module = { exports: {}, filename: resolved, id: resolved, loaded: false };
  dlopenIsolated(module, resolved, os.constants.dlopen.RTLD_LAZY, group);
  return module.exports;
}

function hosts() {
  return getAgent().native.hosts().map(({ pid, files, alive }) => ({ pid, files, alive }));
}

function hostOf(exports) {
  return thread.hostByExports.get(exports);
}

module.exports = { load, hosts, hostOf };
